"""Thresholds against every threshold there is, temperatures against scipy, and what is chosen against what it is for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn import metrics as sk

from losscli.metrics import evaluation_metrics, for_task
from losscli.stack import calibrate as calibrate_module
from losscli.stack.calibrate import COLDEST, HOTTEST, best_thresholds, calibrate, logits_of, temperature
from losscli.tasks import tasks

COSTS = [[0, 1], [5, 0]]
TUNED = [metric for metric in evaluation_metrics("binary", COSTS).values() if metric.reads == "tuned"]


def by_trying(values, truth, metric):
    """The best score of all thresholds: below every value, between any two, above every value."""
    ends = np.unique(values)
    cuts = [ends[0] - 1, *((ends[:-1] + ends[1:]) / 2), ends[-1] + 1]
    said = torch.from_numpy(np.stack([values > cut for cut in cuts])).float()
    scores = metric.function(said, torch.from_numpy(truth)[None]).nan_to_num(-1 if metric.direction == "up" else 99)
    return (scores.max() if metric.direction == "up" else scores.min()).item()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans()), min_size=2, max_size=20))
def test_no_threshold_is_better(rows):
    """With ties within a run and between the default and a value, for two runs at once."""
    values = torch.tensor(rows, dtype=torch.float32).T[:2] / 6
    truth = np.array([row[2] for row in rows], dtype=np.float32)
    for default, made in ((0.5, values), (0.0, values * 8 - 4)):
        found = best_thresholds(made, torch.from_numpy(truth)[None], TUNED, default)
        assert set(found) == {metric.of for metric in TUNED}
        for metric in TUNED:
            said = (made.double() > found[metric.of][:, None]).float()
            reached = metric.function(said, torch.from_numpy(truth)[None])
            for run, score in enumerate(reached.tolist()):
                best = by_trying(made[run].double().numpy(), truth, metric)
                assert score == pytest.approx(best, abs=1e-12) or (np.isnan(score) and not truth.any())


def test_of_equally_good_thresholds_the_nearest_to_the_default_is_taken():
    """Rows at 0.1 and 0.2 are no, those at 0.8 and 0.9 yes: anything from 0.2 to 0.8 will do."""
    values, truth = torch.tensor([[0.1, 0.2, 0.8, 0.9]]), torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    assert best_thresholds(values, truth, TUNED, 0.5)["f1"].item() == pytest.approx(0.5)
    twice = torch.tensor([[0.1, 0.55, 0.7, 0.9]]), torch.tensor([[0.0, 1.0, 0.0, 1.0]])  # 0.8 is as good, and farther
    assert best_thresholds(*twice, TUNED, 0.5)["accuracy"].item() == pytest.approx(0.325)
    always = best_thresholds(values, truth * 0, TUNED, 0.5)  # nothing is positive: every threshold above 0.9 is right
    assert always["accuracy"].item() == pytest.approx(0.95)


def test_a_threshold_between_neighbouring_floats_parts_them():
    low = np.float32(0.3)
    values = torch.tensor([[low, np.nextafter(low, np.float32(1))]])
    cut = best_thresholds(values, torch.tensor([[0.0, 1.0]]), TUNED, 0.5)["accuracy"]
    assert (values.double() > cut[:, None]).tolist() == [[False, True]]


def made(task, rows=400, runs=3):
    chance = np.random.default_rng(5)
    if task == "binary":
        truth = (chance.random(rows) < 0.3).astype(np.float32)
        logits = chance.normal(2 * truth - 1, 1.5, (runs, rows)) * np.array([[0.2], [1.0], [7.0]])
    else:
        truth = chance.integers(0, 4, rows)
        logits = (np.eye(4)[truth] * 1.5 + chance.normal(0, 1, (runs, rows, 4))) * np.array([0.2, 1, 7])[:, None, None]
    return torch.from_numpy(logits.astype(np.float32)), torch.from_numpy(truth)[None]


def nll(logits, truth, log_t):
    z = logits / np.exp(log_t)
    z = np.stack([np.zeros_like(z), z], -1) if z.ndim == 1 else z
    return -np.take_along_axis(log_softmax(z, -1), truth.astype(int)[:, None], 1).mean()


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_temperature_is_that_of_scipy(task):
    logits, truth = made(task)
    found = temperature(logits.double(), truth)
    for run in range(len(logits)):
        wanted = minimize_scalar(
            lambda log_t, run=run: nll(logits[run].double().numpy(), truth[0].numpy(), log_t),
            bounds=(np.log(COLDEST), np.log(HOTTEST)),
            method="bounded",
            options={"xatol": 1e-10},
        )
        assert found[run].item() == pytest.approx(np.exp(wanted.x), rel=1e-6)
    assert found[0] < 1 < found[2]  # the first run is too shy, the last one too sure


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_stack_equals_a_loop_and_a_nan_stays_in_its_run(task):
    logits, truth = made(task)
    together = temperature(logits.double(), truth)
    alone = torch.cat([temperature(logits[run : run + 1].double(), truth) for run in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-9, atol=0)
    logits[1, 7] = torch.nan
    broken = temperature(logits.double(), truth)
    assert broken.isnan().tolist() == [False, True, False]
    torch.testing.assert_close(broken[[0, 2]], together[[0, 2]], rtol=1e-9, atol=0)


def test_rows_that_ask_for_no_or_all_heat_get_the_ends():
    """At 1/60 the first run's mistakes are below what a float64 holds beside 1; the second one is always wrong."""
    coldest, hottest = temperature(
        torch.tensor([[-1.0, 1.0], [1.0, -1.0]]).double(), torch.tensor([[0.0, 1.0]])
    ).tolist()
    assert COLDEST <= coldest < 1 / 50
    assert hottest == pytest.approx(HOTTEST, rel=1e-6)


@pytest.mark.parametrize("size", [0.0, 1e30, torch.inf])
def test_scores_without_end_give_finite_temperatures(size):
    prediction = tasks.get("binary").read(torch.tensor([[size, -size, size]]), "logits")
    found = temperature(logits_of(prediction), torch.tensor([[1.0, 0.0, 0.0]]))
    assert torch.isfinite(found).all()


@pytest.mark.parametrize(
    ("task", "meaning"),
    [("binary", "logits"), ("binary", "probabilities"), ("binary", "scores"), ("multiclass", "logits"),
     ("multiclass", "probabilities"), ("multiclass", "scores"), ("multiclass", "log-probabilities")],
)  # fmt: skip
def test_scaling_helps_the_log_loss_on_valid_whatever_the_model_puts_out(task, meaning):
    logits, truth = made(task)
    normal = torch.sigmoid if task == "binary" else lambda x: torch.softmax(x, -1)
    received = {"probabilities": normal(logits), "log-probabilities": torch.log_softmax(logits, -1)}.get(
        meaning, logits
    )
    contract, shelf = tasks.get(task), for_task(task)
    prediction = contract.read(received, meaning)
    metrics = list(evaluation_metrics(task).values())
    found = calibrate(prediction, truth, metrics)(prediction, metrics)
    after = shelf["log-loss-scaled"].measure(found, truth)
    assert found.scaled is not None
    assert after is not None
    torch.testing.assert_close(after, after[:1].expand(3), rtol=0.25, atol=0)  # heat was all that the runs differed in
    if meaning == "scores":
        assert shelf["log-loss"].measure(found, truth) is None
    else:
        before = shelf["log-loss"].measure(found, truth)
        assert (after <= before + 1e-9).all()
        assert (after[[0, 2]] < before[[0, 2]]).all()
    assert torch.equal(found.scaled.argmax(-1), received.argmax(-1)) or task == "binary"


def test_what_is_chosen_on_valid_is_used_elsewhere():
    """A run that is too shy by an offset: the default threshold finds nothing, the tuned one half of it."""
    logits, truth = made("binary", rows=2000, runs=3)
    valid, test = logits[:, :1000] - 6, logits[:, 1000:] - 6
    shelf = for_task("binary")
    contract = tasks.get("binary")
    calibration = calibrate(contract.read(valid, "logits"), truth[:, :1000], TUNED)
    found = calibration(contract.read(test, "logits"), TUNED)
    rest = truth[:, 1000:]
    assert shelf["f1"].measure(found, rest)[1] == 0
    wanted = sk.f1_score(rest[0], torch.sigmoid(test[1]).double() > calibration.thresholds["f1"][1])
    assert shelf["f1-tuned"].measure(found, rest)[1].item() == pytest.approx(wanted)
    assert wanted > 0.5
    told = calibration.of(1)
    assert told == {"thresholds": {name: float(cut[1]) for name, cut in calibration.thresholds.items()}}
    assert set(told["thresholds"]) == {"accuracy", "balanced-accuracy", "f1", "mcc", "expected-cost"}


@pytest.mark.parametrize("soft", [False, True])
def test_rows_in_blocks_have_the_temperature_of_all_at_once(monkeypatch: pytest.MonkeyPatch, soft: bool) -> None:
    chance = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, 50, 4, generator=chance, dtype=torch.float64)
    truth = logits.softmax(-1)[:1] if soft else logits.argmax(-1)[:1].where(torch.arange(50) % 3 > 0, 0)
    whole = temperature(logits, truth)
    monkeypatch.setattr("losscli.stack.calibrate.BLOCK", 7 * 2 * 4)
    assert torch.allclose(temperature(logits, truth), whole, rtol=1e-7, atol=0)


def test_scores_that_are_of_no_use_cost_three_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    slope = calibrate_module._slope
    monkeypatch.setattr(calibrate_module, "_slope", lambda *given: looks.append(1) or slope(*given))
    logits = torch.randn(1, 300, 3, generator=torch.Generator().manual_seed(1)).double()
    wrong = (logits.argmax(-1) + 1) % 3
    assert temperature(logits, wrong).tolist() == [pytest.approx(100.0)]
    assert len(looks) <= 3
