"""A binary target of shares: the fractional logit, from the file to the record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score

from losscli.compare.result import Arena
from losscli.errors import DataError, SpecError
from losscli.losses.weights import class_weights
from losscli.metrics import evaluation_metrics
from losscli.pipeline import run
from losscli.record.reader import read_predictions
from losscli.spec.load import load_spec
from losscli.tasks import Column, Origin, Target, TargetOptions, tasks
from losscli.tasks.guess import guess_task

BINARY = tasks.get("binary")
RNG = np.random.default_rng(5)
X = RNG.normal(size=400)
SHARE = np.clip(1 / (1 + np.exp(-(X - 1))) + 0.05 * RNG.normal(size=400), 0, 1)


def decode(values: object, **options: str) -> Target:
    return BINARY.decode({"y": Column(np.array(values, dtype=np.float64))}, TargetOptions(**options))  # type: ignore[arg-type]


def test_numbers_within_0_and_1_are_shares() -> None:
    target = decode([0.0, 0.25, 1.0, 0.5])
    assert (target.soft, target.labels, target.values.tolist()) == (True, ("0", "1"), [0.0, 0.25, 1.0, 0.5])
    assert target.classes.tolist() == [0, 0, 1, 0]
    assert [found.code for found in target.findings] == ["target-soft"]
    turned = decode([0.0, 0.25, 1.0], positive="0")
    assert (turned.labels, turned.values.tolist()) == (("1", "0"), [1.0, 0.75, 0.0])
    assert not decode([0, 1, 1]).soft


@pytest.mark.parametrize("values", [[0.0, 0.5, 1.5], [-0.1, 0.5], [0.5, 2.0]])
def test_other_fractions_are_no_labels(values: list[float]) -> None:
    with pytest.raises(DataError, match="must hold labels"):
        decode(values)


def test_shares_that_are_all_the_same_are_refused() -> None:
    with pytest.raises(DataError, match=r"all are 0\.5"):
        decode([0.5, 0.5])


def test_inference_stays_with_regression_and_gives_the_hint() -> None:
    guess = guess_task({"y": Column(np.array([0.0, 0.25, 1.0]))})
    assert guess.task == "regression"
    assert "--task binary learns them as shares" in guess.reason
    assert "--task binary" not in guess_task({"y": Column(np.array([0.0, 0.25, 1.5]))}).reason


def test_class_weights_go_by_the_sums_of_shares() -> None:
    shares = np.array([0.5, 0.25, 0.25, 0.0])  # no 3, yes 1: 4 / (2 * 3), 4 / (2 * 1)
    assert class_weights("balanced", shares, ("0", "1")).tolist() == pytest.approx([4 / 6, 2.0])


def test_metrics_take_shares_or_whether_they_are_above_one_half() -> None:
    said, truth = np.random.default_rng(0).uniform(0.01, 0.99, (2, 3, 60))
    prediction = BINARY.read(torch.from_numpy(said), "probabilities")
    given = {
        name: metric.measure(prediction, torch.from_numpy(truth))
        for name, metric in evaluation_metrics("binary").items()
    }
    cross = -(truth * np.log(said) + (1 - truth) * np.log1p(-said)).mean(1)
    np.testing.assert_allclose(given["log-loss"], cross)
    np.testing.assert_allclose(given["brier"], ((said - truth) ** 2).mean(1))
    np.testing.assert_allclose(given["accuracy"], ((said > 0.5) == (truth > 0.5)).mean(1))
    np.testing.assert_allclose(given["auroc"], [roc_auc_score(t > 0.5, s) for t, s in zip(truth, said, strict=True)])


def spec_of(folder: Path, rest: str, loss: str = "[bce-logits, brier]") -> Path:
    lines = ["x,y", *(f"{x},{y}" for x, y in zip(X, SHARE, strict=True))]
    (folder / "shares.csv").write_text("\n".join(lines))
    path = folder / "spec.yaml"
    path.write_text(
        f"task: binary\ndata: {{source: csv, path: shares.csv, target: y}}\nloss: {loss}\nmodel: {{kind: linear}}\n"
        f"train: {{epochs: 80, batch_size: 400, optimizer: adam, lr: 0.1, patience: null}}\n{rest}"
    )
    return path


def fitted(rows: np.ndarray, no: float = 1.0, yes: float = 1.0, weigh: bool = False) -> np.ndarray:
    """Oracle: the quasi-likelihood of Papke and Wooldridge on the training rows, minimised by scipy.

    `no` and `yes` count the two parts of each row, or, with `weigh`, rows by their mean weight.
    """
    train = np.setdiff1d(np.arange(400), rows)

    def negative(w: np.ndarray) -> float:
        z, share = w[0] + w[1] * X[train], SHARE[train]
        if weigh:
            return float(((no * (1 - share) + yes * share) * (np.logaddexp(0, z) - share * z)).mean())
        return float((yes * share * np.logaddexp(0, -z) + no * (1 - share) * np.logaddexp(0, z)).mean())

    w = minimize(negative, np.zeros(2)).x
    return 1 / (1 + np.exp(-w[0] - w[1] * X[rows]))


def learned(folder: Path, loss: str, rest: str = "seeds: 1\n") -> tuple[Arena, np.ndarray, np.ndarray, np.ndarray]:
    comparison = run([load_spec(spec_of(folder, rest, loss))], out=folder / "runs")
    kept = read_predictions(Path(comparison.record)).to_pydict()
    said, truth = (np.array(kept[name]).reshape(-1) for name in ("prediction", "truth"))
    return comparison.arenas[0], np.array(kept["row"]), said, truth


def test_the_fractional_logit_is_learned(tmp_path: Path) -> None:
    rest = "seeds: 1\nmetrics: [log-loss, brier, accuracy, auroc, f1-tuned, log-loss-scaled]\n"
    arena, rows, said, kept = learned(tmp_path, "[bce-logits]", rest)
    np.testing.assert_allclose(said, fitted(rows), atol=0.02)
    truth = SHARE[rows]
    assert np.array_equal(kept, (truth > 0.5).astype(float))
    scores = {name: score.mean for name, score in arena.entries[0].scores["test"].items()}
    assert scores["log-loss"] == pytest.approx(-(truth * np.log(said) + (1 - truth) * np.log1p(-said)).mean(), rel=1e-5)
    assert arena.baseline["test"]["brier"] > scores["brier"]
    assert [finding.code for finding in arena.findings].count("target-soft") == 1


@pytest.mark.parametrize(
    ("loss", "weights"),
    [
        ("{name: bce-logits, pos_weight: 3.0}", {"yes": 3.0}),
        ("{name: bce-logits, weight: [1.0, 4.0]}", {"yes": 4.0, "weigh": True}),
    ],
)
def test_weights_of_classes_are_weights_of_their_shares(tmp_path: Path, loss: str, weights: dict[str, float]) -> None:
    _, rows, said, _ = learned(tmp_path, f"[{loss}]")
    np.testing.assert_allclose(said, fitted(rows, **weights), atol=0.02)  # type: ignore[arg-type]


def test_losses_of_one_class_per_row_are_refused_with_those_that_take_shares(tmp_path: Path) -> None:
    with pytest.raises((SpecError, DataError)) as refused:
        run([load_spec(spec_of(tmp_path, "seeds: 1\n", "[hinge, focal]"))], out=None)
    told = str([(problem.message, problem.cure) for problem in refused.value.problems])
    assert "hinge takes one class per row, and the target holds shares of yes" in told
    assert "bce-logits" in told


def test_one_number_outside_is_named_not_the_shares() -> None:
    values = [0.07, 0.4, 1.02, *np.linspace(0.1, 0.9, 30)]
    with pytest.raises(DataError) as caught:
        BINARY.decode({"y": Column(np.array(values), origin=Origin("rows.csv", 2, np.arange(2, 35)))})
    (problem,) = caught.value.problems
    assert "lie between 0 and 1, and 1.02 does not (1 such value)" in problem.message
    assert (problem.place.line, problem.place.column) == (4, 2)
    with pytest.raises(DataError, match="is not a whole number"):
        BINARY.decode({"y": Column(np.array([0.5, 20.0, 99.5]))})
