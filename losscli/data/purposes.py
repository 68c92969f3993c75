"""Features that look as if they were for something else: weights of the rows, and the status of times that were cut off."""

from __future__ import annotations

import numpy as np

from losscli.data.dataset import Table
from losscli.data.ids import words_of
from losscli.errors import Finding, setting, shown
from losscli.tasks import Column

WEIGHTS = frozenset(["weight", "weights", "wt", "wgt", "wts"])
SURELY = frozenset(["fnlwgt", "pweight", "perwt", "hhwt", "finalwt", "sampwt", "sampleweight", "sampleweights"])
COUNTS = frozenset(["freq", "frequency", "frequencies", "count", "counts", "n", "nrows"])
KIND_OF_WEIGHT = frozenset(
    ["sample", "survey", "sampling", "final", "person", "household", "design", "row", "case", "freq", "post"]
)
BODIES = frozenset(
    [
        "height",
        "length",
        "bmi",
        "mass",
        "horsepower",
        "hp",
        "mpg",
        "cyl",
        "waist",
        "width",
        "size",
        "girth",
        "calories",
        "volume",
    ]
)
DURATIONS = frozenset(
    [
        "time",
        "times",
        "duration",
        "survival",
        "futime",
        "stime",
        "rectime",
        "tenure",
        "lifetime",
        "followup",
        "los",
        "ttf",
        "tte",
        "pfs",
        "surv",
        "age",
    ]
)
UNITS = frozenset(["days", "weeks", "months", "years", "hours", "week", "month", "day", "year", "cycles"])
STATUSES = frozenset(
    ["status", "event", "events", "censor", "censored", "cens", "uncensored", "death", "dead", "died", "deceased", "alive",
     "observed", "failed", "failure", "fail", "fustat", "relapse", "recurrence", "arrest", "churn", "churned", "delta",
     "vitalstatus"]
)  # fmt: skip
AROUND_ONE = 0.2  # how far the mean of weights lies from 1, at most


def purposes(table: Table, target: np.ndarray, has_classes: bool) -> list[Finding]:
    """A finding for each of the two, where the features tell it."""
    findings = _weight(table) if table.weight is None else []
    return findings if has_classes or target.ndim != 1 else [*findings, *_censored(table, target)]


def _weight(table: Table) -> list[Finding]:
    around = {word for name in table.features for word in words_of(name)}
    for name, column in table.features.items():
        words = words_of(name)
        if _names_weight(words) and _may_weigh(column) and _says_weight(words, column, around):
            said = shown(name)
            message = f"{said} looks like a weight of the rows, and is read as a feature"
            return [Finding("weight-column", "info", message, f"set {setting('weight', said[1:-1])} if it is one")]
    return []


def _names_weight(words: list[str]) -> bool:
    return "".join(words) in SURELY or not (WEIGHTS | COUNTS).isdisjoint(words[-1:])


def _may_weigh(column: Column) -> bool:
    values = column.values
    return not column.is_category and bool((values >= 0).all()) and bool(values.min() < values.max())


def _says_weight(words: list[str], column: Column, around: set[str]) -> bool:
    last, whole = words[-1], bool((column.values == np.floor(column.values)).all())
    if "".join(words) in SURELY or (last in WEIGHTS and len(words) > 1 and words[-2] in KIND_OF_WEIGHT):
        return True
    if last in COUNTS and len(words) == 1:
        return whole
    if last not in WEIGHTS or len(words) > 1:
        return False
    return abs(float(column.values.mean()) - 1) < AROUND_ONE or not BODIES & around


def _censored(table: Table, target: np.ndarray) -> list[Finding]:
    """A duration beside a status of two values: of some rows the end was not seen."""
    (name, *_) = table.targets
    words = words_of(name)
    timed = bool(DURATIONS.intersection(words) or UNITS.intersection(words) or "".join(words) in DURATIONS)
    if not timed or not (target >= 0).all() or len(np.unique(target)) < 3:
        return []
    status = next((other for other, column in table.features.items() if _is_status(other, column)), None)
    if status is None:
        return []
    message = f"the target {shown(name)} looks like a time that is cut off where {shown(status)} says so (censored)"
    message += ": a mean of such times is wrong, too small"
    cure = f"no loss here handles censored times yet; {shown(status)} is no feature either, as it is known with the time only"
    return [Finding("censored", "warning", message, cure)]


def _is_status(name: str, column: Column) -> bool:
    words = words_of(name)
    if not (STATUSES.intersection(words) or "".join(words) in STATUSES):
        return False
    return len(np.unique(column.values[~column.missing])) == 2
