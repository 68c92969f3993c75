"""Entries that learn training rows by heart, or are worse than a constant on test rows: a finding for each, and a sentence."""

from types import SimpleNamespace

import pytest

from losscli.compare.leaderboard import build_arena
from losscli.compare.result import RunResult
from losscli.words.paragraph import paragraph


def arena(train, test, *, none, metric="auroc", direction="up", others=None, seeds=5):
    """Two entries; of the second one training and test rows score `train` and `test`, the first is well behaved."""
    directions = {metric: direction, **dict.fromkeys(others or {}, "down")}
    calm = {metric: none + 0.5 * (train - none)}
    runs = []
    for seed in range(seeds):
        for name, on_train, on_test in (("calm", calm[metric], calm[metric]), ("wild", train, test)):
            beside = {
                key: (value if name == "wild" else none_of / 2) for key, (value, none_of) in (others or {}).items()
            }
            wobble = 0.001 * seed
            scores = {"train": {metric: on_train, **beside}, "test": {metric: on_test + wobble, **beside}}
            runs.append(RunResult(name, seed, "ok", 1, 1, scores, [], 0.1))
    entries = [SimpleNamespace(name=name, loss=name, options={}, beside={}) for name in ("calm", "wild")]
    baseline = {"test": {metric: none, **{key: pair[1] for key, pair in (others or {}).items()}}}
    shown = {"metrics": list(directions)}
    return build_arena(entries, runs, task="binary", data="t", headline=metric, directions=directions, baseline=baseline,
                       spec=shown, resampled=False)  # fmt: skip


def codes(board):
    return [found.code for found in board.findings]


@pytest.mark.parametrize(
    ("train", "test", "none", "metric", "direction"),
    [(0.95, 0.63, 0.5, "auroc", "up"), (1.0, 0.7, 0.55, "accuracy", "up"), (1.0, 4.5, 5.0, "rmse", "down")],
)
def test_a_gain_that_is_gone_on_test_rows_is_overfitting(train, test, none, metric, direction):
    board = arena(train, test, none=none, metric=metric, direction=direction)
    (told,) = [found for found in board.findings if found.code == "overfitting"]
    assert f"wild {train:.3g} on training rows" in told.message
    assert "calm" not in told.message
    assert "by heart" in paragraph(board)


@pytest.mark.parametrize(("train", "test"), [(0.92, 0.88), (0.95, 0.8), (0.58, 0.52)])
def test_an_ordinary_gap_is_none(train, test):
    assert "overfitting" not in codes(arena(train, test, none=0.5))


def test_a_log_loss_above_that_of_a_constant_is_told():
    board = arena(0.8, 0.75, none=0.5, others={"log-loss": (0.9, 0.69)})
    (told,) = [found for found in board.findings if found.code == "worse-than-constant"]
    assert "wild log-loss 0.9 (a constant: 0.69)" in told.message
    assert "Worse than a constant, which gets log-loss 0.69: wild" in paragraph(board)
    assert "worse-than-constant" not in codes(arena(0.8, 0.75, none=0.5, others={"log-loss": (0.6, 0.69)}))
