"""What torch accepts in silence and losscli refuses, for every loss there is: in Python, in a spec, and in the data."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from losscli.errors import DataError, SpecError
from losscli.experiment import load
from losscli.losses import Loss, losses
from losscli.losses.domain import DOMAINS
from losscli.losses.guard import guarded
from losscli.spec.load import build_spec, load_spec
from losscli.spec.overrides import Overrides
from losscli.verify import Case, Sample
from losscli.verify.draw import ordinary, settings

ALL = [pytest.param(item, id=f"{item.task}/{item.name}") for item in losses]


def given(item: Loss) -> tuple[Case, Sample]:
    """One run of good inputs, which the guard must let pass."""
    case = Case(item, item.task, settings(item, {}, item.task)[0])
    sample = next(ordinary(case))
    return case, Sample(case.prediction(sample.raw[0]), sample.target[0])


def call(case: Case, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    own = case.loss.examples(prediction, case.options)
    return guarded(case.loss, case.options, case.task)(prediction, target, **own)


@pytest.mark.parametrize("item", ALL)
def test_what_is_right_passes(item: Loss) -> None:
    case, sample = given(item)
    assert call(case, sample.raw, sample.target).isfinite().all()


@pytest.mark.parametrize("item", ALL)
def test_a_column_against_a_row(item: Loss) -> None:
    case, sample = given(item)
    with pytest.raises(DataError):
        call(case, sample.raw, sample.target.unsqueeze(-1))
    with pytest.raises(DataError):
        call(case, sample.raw.unsqueeze(1), sample.target)


@pytest.mark.parametrize("item", ALL)
def test_an_empty_batch(item: Loss) -> None:
    case, sample = given(item)
    with pytest.raises(DataError, match="empty"):
        call(case, sample.raw[:0], sample.target[:0])


@pytest.mark.parametrize("item", ALL)
def test_a_target_outside_the_domain(item: Loss) -> None:
    case, sample = given(item)
    outside = {
        "any number": math.nan,
        "score": math.nan,
        "number > 0": 0.0,
        "number >= 0": -1.0,
        "count (integer >= 0)": 0.5,
    }
    value = -100 if item.target not in DOMAINS or "label" in item.target else outside.get(item.target, 2.0)
    wrong = sample.target.clone()
    wrong[0] = value
    with pytest.raises(DataError):
        call(case, sample.raw, wrong)
    with pytest.raises(DataError):
        call(case, sample.raw, torch.full_like(wrong, value))


@pytest.mark.parametrize("item", [each for each in ALL if each.values[0].expects == "probabilities"])
def test_probabilities_below_zero(item: Loss) -> None:
    case, sample = given(item)
    with pytest.raises(DataError, match="0 to 1"):
        call(case, -sample.raw, sample.target)


@pytest.mark.parametrize("item", [each for each in ALL if each.values[0].task == "multiclass"])
def test_one_logit(item: Loss) -> None:
    case, sample = given(item)
    with pytest.raises((DataError, SpecError)):  # or the weights are for more classes
        call(case, sample.raw[:, : 0 if item.expects == "rank-logits" else 1], torch.zeros_like(sample.target))


@pytest.mark.parametrize("item", ALL)
def test_an_option_that_is_no_number(item: Loss) -> None:
    case, _ = given(item)
    for name in item.options:
        with pytest.raises(SpecError):
            guarded(item, {**case.options, name: math.nan}, item.task)
        with pytest.raises(SpecError):
            guarded(item, {**case.options, name: torch.tensor([1.0, math.nan])}, item.task)


IN_A_SPEC = [
    ("binary", "train: {lr: .nan}", "train.lr"),
    ("binary", "train: {lr: [0.1, .inf]}", "train.lr"),
    ("binary", "loss: {name: bce-logits, lr: .nan}", "loss.lr"),
    ("binary", "loss: {name: bce-logits, label_smoothing: .nan}", "label_smoothing"),
    ("binary", "loss: {name: bce-logits, label_smoothing: [0.1, .nan]}", "label_smoothing"),
    ("multiclass", "loss: {name: cross-entropy, label_smoothing: .nan}", "label_smoothing"),
    ("binary", "loss: {name: bce-logits, pos_weight: -1}", "pos_weight"),
    ("multilabel", "loss: {name: bce-logits, pos_weight: [1, -1]}", "pos_weight"),
    ("binary", "loss: {name: bce-logits, pos_weight: .inf}", "pos_weight"),
    ("multiclass", "loss: {name: cross-entropy, weight: [0, 0, 0]}", "weight"),
    ("binary", "loss: {name: focal, weight: {a: 0, b: 0}}", "weight"),  # multiclass may have a class that is not named
    ("multiclass", "loss: {name: gce, weight: [0, 0, 0]}", "weight"),
    ("binary", "loss: {name: hinge, weight: [0, 0]}", "weight"),
    ("binary", "loss: {name: focal, weight: [1, .nan]}", "weight"),
    ("regression", "loss: {name: huber, delta: .nan}", "delta"),
]


@pytest.mark.parametrize(("task", "line", "said"), IN_A_SPEC, ids=[line for _, line, _ in IN_A_SPEC])
def test_in_a_spec(tmp_path: Path, task: str, line: str, said: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(f"task: {task}\n{line}\n")
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert said in str(caught.value)
    assert all(problem.place and problem.place.line == 2 for problem in caught.value.problems)


@pytest.mark.parametrize("rate", [math.nan, math.inf, 0.0, -1.0])
def test_a_learning_rate_on_the_command_line(rate: float) -> None:
    with pytest.raises(SpecError, match="lr"):
        build_spec(Overrides(task="binary", lr=[rate]))


def test_data_that_a_loss_cannot_judge_are_refused_before_training(tmp_path: Path) -> None:
    rows = [f"{x},{x % 5 - 1}" for x in range(60)]
    (tmp_path / "counts.csv").write_text("x,visits\n" + "\n".join(rows) + "\n")
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "task: regression\ndata: {source: csv, path: counts.csv, target: visits}\nloss: [mse, poisson-nll]\n"
    )
    with pytest.raises(DataError) as caught:
        load(load_spec(spec))
    (problem,) = caught.value.problems
    assert (
        "poisson-nll: the target 'visits' must be a count (an integer >= 0), and it holds -1 (12 of" in problem.message
    )
    assert str(problem.place).endswith("counts.csv:2:2")
