"""Features that look as if they were for something else: weights of the rows, the exposure of counts, and the status of times
that were cut off.
"""

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
LOGARITHM = frozenset(["log", "ln", "offset"])
EXPOSURES = frozenset(["exposure", "exposures", "expo", "population", "pop", "popn", "pyears", "pyrs", "pyar", "persontime",
    "insured", "atrisk", "holders", "policyholders", "inhabitants", "denominator"])  # fmt: skip
PER_TIME = (
    "personyears",
    "personyrs",
    "persondays",
    "personmonths",
    "patientyears",
    "policyyears",
    "caryears",
    "vehicleyears",
)
AROUND_ONE = 0.2  # how far the mean of weights lies from 1, at most


def purposes(table: Table, target: np.ndarray, has_classes: bool) -> list[Finding]:
    """A finding for each of the three, where the features tell it."""
    findings = _weight(table) if table.weight is None else []
    (first, *others) = table.targets.values()
    if target.ndim != 1 or others or first.is_category:
        return findings
    # Few different times look like codes of classes, and are times all the same.
    return [*findings, *_censored(table, first.values), *([] if has_classes else _exposed(table, target))]


def _exposed(table: Table, target: np.ndarray) -> list[Finding]:
    """Beside counts, how long or of how many it was counted."""
    if (
        table.exposure is not None
        or not ((target >= 0) & (target == np.floor(target))).all()
        or len(np.unique(target)) < 3
    ):
        return []
    for name, column in table.features.items():
        words = words_of(name)
        logs = words[0] in LOGARITHM if words else False
        if not _names_exposure(words[logs:]) or column.is_category or column.missing.any():
            continue
        if not logs and not (column.values > 0).all():
            continue
        said, key = shown(name), "offset" if logs else "exposure"
        message = f"{said} looks like the {'logarithm of the ' if logs else ''}exposure of the counts, and is read as a feature"
        return [Finding("exposure-column", "info", message, f"set {setting(key, said[1:-1])} if it is one")]
    return []


def _names_exposure(words: list[str]) -> bool:
    together = "".join(words)
    return not EXPOSURES.isdisjoint({together, *words}) or any(together.endswith(ending) for ending in PER_TIME)


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
