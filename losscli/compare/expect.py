"""Expectations: what the `expect:` block of a spec demands of the reference entry, for a CI job to fail on.

>>> parse(">= 0.78")
('>=', 0.78)
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping

from losscli.compare.result import Arena, Estimate
from losscli.errors import SpecError

HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def parse(condition: str) -> tuple[str, float]:
    """The comparison and the bound of a condition such as `>= 0.78`; `SpecError` if it is not one."""
    found = re.fullmatch(r"\s*(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*", condition)
    if not found or not math.isfinite(float(found[2])):
        raise SpecError(
            f"an expectation must be one of >=, <=, >, < and a number, and is {condition[:80]!r}",
            cure='for example expect: {test.accuracy: ">= 0.78"}',
        )
    return found[1], float(found[2])


def unmet(expect: Mapping[str, str], arena: Arena) -> list[str]:
    """What is not as `expect` demands (keys are `split.metric`), in words. A mean that is NaN meets nothing."""
    scores = next(entry.scores for entry in arena.entries if entry.entry == arena.reference)
    found = []
    for key, condition in expect.items():
        sign, bound = parse(condition)
        split, _, metric = key.partition(".")
        score = scores.get(split, {}).get(metric)
        if score is None or not HOLDS[sign](score.mean, bound):
            found.append(f"{key} must be {sign} {bound:g}, and {_measured(score)}")
    return found


def _measured(score: Estimate | None) -> str:
    if score is None:
        return "was not measured"
    finished = sum(math.isfinite(value) for value in score.values)
    if not finished:
        return "has no value"
    return f"is {score.mean:.4g}" + (f" (mean of {finished} seeds)" if finished > 1 else "")
