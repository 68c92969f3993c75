"""One contract for every loss on the shelf: a new loss is tested by existing. Values are judged in the oracle files.

What must hold is the shelf of properties in `losscli.verify`; that the properties notice an ill loss is tested in tests/verify.
"""

from __future__ import annotations

import math

import pytest
import torch

from losscli.losses import Choice, Loss, for_task, losses
from losscli.tasks import tasks
from losscli.verify import Case, Outcome
from losscli.verify.draw import ordinary, settings
from losscli.verify.trial import verify

ALL = [pytest.param(item, id=f"{item.task}/{item.name}") for item in losses]
BORROWED = [found for found in ALL if found.values[0].task == "binary" and found.values[0].per_value]

OVER_BATCH = [found for found in ALL if found.values[0].over_batch]
WORDS = [
    pytest.param(item, {name: word}, id=f"{item.task}/{item.name}-{word}")
    for item in losses
    for name, option in item.options.items()
    if isinstance(option.accepts, Choice)
    for word in option.accepts.names
]


def told(outcomes: list[Outcome]) -> list[tuple]:
    """What a failed assertion should show of them."""
    return [(each.tried.name, each.message, each.case and each.case.options, each.sample) for each in outcomes]


@pytest.mark.parametrize("item", ALL)
def test_every_built_in_passes_its_own_verify(item: Loss) -> None:
    report = verify(item, item.task)
    assert told(report.failed) == []
    assert report.count("passed") >= 9


@pytest.mark.parametrize("item", BORROWED)
def test_a_per_value_loss_serves_labels(item: Loss) -> None:
    report = verify(item, "multilabel")
    assert told(report.failed) == []
    assert report.count("passed") >= 9


@pytest.mark.parametrize(
    ("task", "item"), [(task.name, item) for task in tasks for item in for_task(task.name).values()]
)
def test_a_loss_averages_for_a_task_where_it_has_a_number_per_value_of_a_row(task: str, item: Loss) -> None:
    case = Case(item, task, settings(item, {}, task)[0])
    sample = next(iter(ordinary(case)))
    options = {name: case.fitted(name, value, sample.raw) for name, value in case.options.items()}
    values = item.value(case.prediction(sample.raw), sample.target_as(torch.float64), options)
    assert item.averages_for(task) == (values.ndim > 2), values.shape  # [R, B] is a number per row


@pytest.mark.parametrize(("item", "options"), WORDS)
def test_every_word_of_a_choice_passes(item: Loss, options: dict[str, str]) -> None:
    report = verify(item, item.task, options)
    assert told(report.failed) == []
    assert report.count("passed") >= 9


@pytest.mark.parametrize("item", OVER_BATCH)
def test_a_nan_in_a_batch_is_the_nan_of_that_batch(item: Loss) -> None:
    for options in settings(item, {}, item.task):
        case = Case(item, item.task, options)
        sample = next(iter(ordinary(case)))
        prediction = case.prediction(sample.raw).clone()
        prediction[1, 2] = math.nan
        values = case.judge(prediction, sample.target_as(torch.float64))
        assert values.isnan().tolist() == [False, True, False]


@pytest.mark.parametrize("item", OVER_BATCH)
def test_a_batch_of_one_sample_is_finite(item: Loss) -> None:
    """It may lack positives, negatives, or anything to compare."""
    for options in settings(item, {}, item.task):
        case = Case(item, item.task, options)
        for sample in ordinary(case):
            for row in range(sample.raw.shape[1]):
                leaf = case.prediction(sample.raw[:, row : row + 1]).detach().requires_grad_()
                values = case.judge(leaf, sample.target_as(torch.float64)[:, row : row + 1])
                values.sum().backward()
                assert values.isfinite().all()
                assert leaf.grad is not None
                assert leaf.grad.isfinite().all()


def test_there_are_losses_over_a_batch_and_words() -> None:
    assert len(OVER_BATCH) >= 6
    assert len(WORDS) >= 3


@pytest.mark.parametrize("item", ALL)
def test_the_documentation_is_whole(item: Loss) -> None:
    text = item.function.__doc__ or ""
    assert item.summary.endswith((".", "?"))
    order = [text.find(part) for part in ("Domain:", "Shapes:", "Formula:", "Source:", "Kin:", ">>>")]
    assert -1 not in order
    assert order == sorted(order)
    assert item.section("Formula").startswith("L = ")
    assert len(item.section("Source")) > 10
    assert len(item.section("Kin")) > 10
