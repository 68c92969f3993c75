"""The trial: every property, with every setting of the options, and the smallest example of what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

from torch import Tensor

from losscli.losses import Loss, taken
from losscli.verify import Case, Outcome, Property, Report, properties
from losscli.verify.draw import settings
from losscli.verify.shrink import says, smallest


def verify(loss: Loss, task: str, options: Mapping[str, Any] | None = None) -> Report:
    """Try every property of the contract on a loss that serves a task.

    Without `options`, the defaults are tried, and every option set to something else. Of a loss with several kernels, each
    must pass.

    >>> from losscli.losses import find
    >>> report = verify(find("hinge", "binary"), "binary")
    >>> report.failed, report.count("passed") > 10
    ([], True)
    """
    own = _tried(loss, task, options or {})
    others = [
        _tried(changed_over(side), task, taken(side.function, options or {}))
        for side in loss.sides.values()
        if side.function is not loss.function
    ]
    outcomes = [
        next((side for side in sides if side.status == "failed"), sides[0]) for sides in zip(own, *others, strict=True)
    ]
    return Report(loss, task, tuple(outcomes))


def changed_over(side: Loss) -> Loss:
    """The side of a pair that moves what the other takes as given: its prediction is the other's target."""

    @wraps(side.function)
    def function(prediction: Tensor, target: Tensor, **options: Any) -> Tensor:
        return side.function(target, prediction, **options)

    return replace(side, function=function)


def _tried(loss: Loss, task: str, options: Mapping[str, Any]) -> list[Outcome]:
    """What becomes of each property."""
    cases = [Case(loss, task, values) for values in settings(loss, options, task)]
    outcomes: list[Outcome] = []
    fallen: str | None = None
    for tried in sorted(properties, key=lambda item: not item.ground):
        if fallen is not None:
            outcomes.append(Outcome(tried, "not applicable", f"not tried, since {fallen} fails"))
            continue
        outcomes.append(outcome_of(tried, cases))
        if tried.ground and outcomes[-1].status == "failed":
            fallen = tried.name
    return outcomes


def outcome_of(tried: Property, cases: Sequence[Case]) -> Outcome:
    """One property with all settings of the options; the first failure ends it."""
    reasons = {id(case): tried.unless(case) for case in cases}
    fitting = [case for case in cases if reasons[id(case)] is None]
    if not fitting:
        return Outcome(tried, "not applicable", str(reasons[id(cases[0])]))
    for case in fitting:
        for sample in tried.draws(case):
            if says(tried, case, sample):
                shrunk = smallest(tried, case, sample)
                return Outcome(tried, "failed", str(says(tried, case, shrunk)), case, shrunk)
    return Outcome(tried, "passed")
