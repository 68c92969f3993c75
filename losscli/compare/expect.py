"""Expectations: what the `expect:` block of a spec demands of the reference entry, for a CI job to fail on."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from losscli.compare.result import Arena, Estimate

HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def unmet(expect: Mapping[str, str], arena: Arena) -> list[str]:
    """What is not as `expect` demands, in words. Keys are `split.metric`, values as the spec has checked them.

    What has no value with some seed is not met, whatever the mean of the others: they are no fair sample of all. Seeds on whose
    test rows nothing could have a value do not count.
    """
    from losscli.spec.model import CONDITION  # imports torch, which this room does without

    scores = arena.reference_entry.scores
    failures = []
    for key, condition in expect.items():
        match = CONDITION.fullmatch(condition)
        if match is None:
            raise ValueError(f"the spec let {condition!r} through")
        sign, bound = match[1], float(match[2])
        split, _, metric = key.partition(".")
        score = scores.get(split, {}).get(metric)
        impossible = arena.impossible.get(metric, ()) if split == "test" else ()
        partial = score is None or score.n < max(1, score.of - len(impossible))
        if score is None or partial or not HOLDS[sign](score.mean, bound):
            failures.append(f"{key} must be {sign} {bound:g}, and {_measured(score)}")
    return failures


def _measured(score: Estimate | None) -> str:
    if score is None:
        return "was not measured"
    finished = sum(math.isfinite(value) for value in score.values)
    if not finished:
        return "has no value"
    if finished < len(score.values):
        return f"has a value in {finished} of {len(score.values)} seeds only (mean {score.mean:.4g})"
    return f"is {score.mean:.4g}" + (f" (mean of {finished} seeds)" if finished > 1 else "")
