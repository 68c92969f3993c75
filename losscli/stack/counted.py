"""Which rows count in the mean loss of a run: a weighted mean divides by the sum of weights, and has no value where that is 0.

What a row counts is its weight in the data times the weight of its class. In a loss over the whole batch every row counts 1.
Arrays only, so that it is known before anything is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from losscli.data.dataset import SPLITS
from losscli.errors import DataError, Finding, Problem, listed
from losscli.losses import PerClass
from losscli.losses.weights import class_weights, rows_of_class
from losscli.stack.rows import Run

NO_WEIGHT = "every row has weight 0"


def class_weight_given(run: Run) -> Any:
    """What the run's class weights are given as, whether its kernel weighs classes or not; None where all count alike."""
    if run.loss.over_batch:
        return None
    option = run.loss.options.get("weight")
    return run.settings["weight"] if option is not None and isinstance(option.accepts, PerClass) else run.weight


def class_weights_of(run: Run) -> np.ndarray | None:
    """float32 [K], or None where all classes count alike."""
    given = class_weight_given(run)
    if given is None:
        return None
    return class_weights(given, run.dataset.parts["train"].counted_target, run.dataset.target.labels)


def weight_of(run: Run, split: str) -> float:
    """The sum of weights of all rows of a split.

    Errors: `SpecError` for class weights that the labels of the target refuse.
    """
    part, by_class = run.dataset.parts[split], class_weights_of(run)
    rows = None if run.loss.over_batch else part.weight
    if by_class is not None:
        return float(rows_of_class(part.target, len(by_class), rows) @ by_class)
    return float(part.rows if rows is None else rows.sum(dtype=np.float64))


def may_miss(run: Run) -> bool:
    """Whether some batch may hold no row that counts: one of the training rows, or the class of one, has weight 0."""
    part, by_class = run.dataset.parts["train"], class_weights_of(run)
    rows = None if run.loss.over_batch else part.weight
    if rows is not None and not rows.all():
        return True
    return by_class is not None and bool((rows_of_class(part.target, len(by_class))[by_class == 0] > 0).any())


def uncounted(runs: Sequence[Run]) -> list[Finding]:
    """A warning for each valid or test split in which no row counts for some runs: their loss has no value there.

    Errors: `DataError` where that is so of the training split, of which nothing could be learned.
    """
    empty: dict[tuple[str, str], list[Run]] = {}
    reasons: dict[tuple[object, ...], dict[str, str]] = {}
    for run in runs:
        key = (id(run.dataset), repr(class_weight_given(run)), run.loss.over_batch)
        if key not in reasons:
            reasons[key] = {split: _why(run, split) for split in SPLITS if not weight_of(run, split) > 0}
        for split, why in reasons[key].items():
            empty.setdefault((split, why), []).append(run)
    refused = [_refused(why, members) for (split, why), members in empty.items() if split == "train"]
    if refused:
        raise DataError(refused)
    return [_without_value(split, why, members) for (split, why), members in empty.items()]


def _why(run: Run, split: str) -> str:
    part = run.dataset.parts[split]
    if part.weight is not None and not part.weight.any():
        return NO_WEIGHT
    labels = run.dataset.target.labels
    present = np.flatnonzero(rows_of_class(part.target, len(labels), part.weight))
    named = listed([labels[place] for place in present])
    return f"the weight of {'its only class' if len(present) == 1 else 'all its classes'} is 0 ({named})"


def _refused(why: str, runs: Sequence[Run]) -> Problem:
    cure = "give a class that occurs there a weight above 0, or use other seeds or a larger training split"
    if why == NO_WEIGHT:
        cure = "leave out the rows of weight 0, or use other seeds or a larger training split"
    entries, seeds = _named(runs)
    return Problem(f"no row of the training split counts for {entries} ({seeds}): {why}", cure=cure)


def _without_value(split: str, why: str, runs: Sequence[Run]) -> Finding:
    entries, seeds = _named(runs)
    message = f"the loss of {entries} has no value on the {split} split ({seeds}): {why}; metrics count every row"
    if split == "valid":
        message += (
            ". Where the headline has no value either, patience keeps the last epoch and tuning the first candidate"
        )
    return Finding("loss-without-value", "warning", message, f"use a larger {split} split, or other weights")


def _named(runs: Sequence[Run]) -> tuple[str, str]:
    """The entries and the seeds of runs."""
    entries, seeds = list(dict.fromkeys(run.entry for run in runs)), list(dict.fromkeys(run.seed for run in runs))
    names = entries[0] if len(entries) == 1 else f"{len(entries)} entries"
    return names, f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"
