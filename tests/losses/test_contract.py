"""One contract for every loss on the shelf: a new loss is tested by existing. Values are judged in the oracle files.

What must hold is the shelf of properties in `losscli.verify`; that the properties notice an ill loss is tested in tests/verify.
"""

from __future__ import annotations

import pytest

from losscli.losses import Loss, losses
from losscli.verify import Outcome
from losscli.verify.trial import verify

ALL = [pytest.param(item, id=f"{item.task}/{item.name}") for item in losses]
BORROWED = [found for found in ALL if found.values[0].task == "binary" and found.values[0].per_value]


def told(outcomes: list[Outcome]) -> list[tuple]:
    """What a failed assertion should show of them."""
    return [(each.tried.name, each.message, each.case and each.case.options, each.sample) for each in outcomes]


@pytest.mark.parametrize("item", ALL)
def test_every_built_in_passes_its_own_verify(item: Loss) -> None:
    report = verify(item, item.task)
    assert told(report.failed) == []
    assert report.count("passed") >= 9
    assert told([each for each in report.outcomes if each.status == "noted"]) == []


@pytest.mark.parametrize("item", BORROWED)
def test_a_per_value_loss_serves_labels(item: Loss) -> None:
    report = verify(item, "multilabel")
    assert told(report.failed) == []
    assert report.count("passed") >= 9


@pytest.mark.parametrize("item", ALL)
def test_the_documentation_is_whole(item: Loss) -> None:
    text = item.function.__doc__ or ""
    assert item.summary.endswith((".", "?"))
    order = [text.find(part) for part in ("Domain:", "Shapes:", "Formula:", "Source:", "Kin:", ">>>")]
    assert -1 not in order
    assert order == sorted(order)
    assert item.said("Formula").startswith("L = ")
    assert len(item.said("Source")) > 10
    assert len(item.said("Kin")) > 10
