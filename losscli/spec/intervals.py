"""What a spec may ask of intervals: their score where every entry gives one, and nothing that a wrong interval could win."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losscli.errors import Problem, SpecError
from losscli.losses import find
from losscli.metrics import Metric
from losscli.spec.entries import entries
from losscli.spec.model import Spec
from losscli.spec.tune import candidates

SCORE = "interval-score"


def with_score(spec: Spec) -> Spec:
    """The spec with the score of intervals among its metrics where every entry gives intervals."""
    levels = [_level(spec.task, entry.loss, entry.options) for entry in entries(spec)]
    if SCORE in spec.metrics or None in levels:
        return spec
    return spec.model_copy(update={"metrics": [*spec.metrics, SCORE]})


def mistakes_as_headline(metric: Metric) -> list[Problem]:
    """What is wrong with a metric as the headline.

    Patience, tuning and the verdict would all go to the interval that is narrowest, whatever it covers.
    """
    if metric.headline:
        return []
    message = f"{metric.name} alone does not tell which is better: the narrowest interval of all covers nothing"
    return [Problem(message, cure=f"put {SCORE} first, which judges width and coverage together")]


def refuse_unlike_levels(spec: Spec) -> None:
    """`SpecError` where tuning would choose by interval scores that cannot be compared: between intervals of different levels."""
    if not spec.tune or spec.metrics[0] != SCORE:
        return
    for entry in entries(spec):
        levels = {_level(spec.task, candidate.loss, candidate.options) for candidate in candidates(spec, entry)}
        levels.discard(None)
        if len(levels) > 1:
            shares = " and ".join(f"{100 * level:g} %" for level in sorted(filter(None, levels)))
            message = (
                f"tune: the candidates of {entry.name} give intervals of {shares}, whose scores cannot be compared"
            )
            raise SpecError(message, cure="tune taus with the same outer ones, or put crps first in metrics")


def _level(task: str, name: str, options: Mapping[str, Any]) -> float | None:
    loss = find(name, task)
    if loss.forecast is None:
        return None
    return loss.forecast.level({key: option.default for key, option in loss.options.items()} | dict(options))
