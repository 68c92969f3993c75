"""What looks like a leak: rows that stand in two splits, and features that know the target before the model does.

Nothing is sorted that could be hashed, and what must be sorted is looked at in a sample first, so that a million rows take a
second or two.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from losscli.data.dataset import SPLITS, Dataset, Table
from losscli.data.doubles import doubles
from losscli.data.functions import computed
from losscli.data.purposes import purposes
from losscli.errors import Finding, dropped, shown
from losscli.tasks import Column, Target

FEW_LEVELS, MOST_CLASSES = 50, 1000  # values of a feature, and of a target, that stand for classes
LEAST_TO_TELL = 10  # rows, below which a column may equal the target by chance
LEAST_TO_PREDICT = 50  # rows, below which a feature may predict the target by chance
SAMPLE = 20_000  # rows that are looked at first
ALMOST = 0.999


def _cure(name: str) -> str:
    return f"leave it out with {dropped(name)}, unless it is known before the target is"


MIX = np.uint64(0x9E3779B97F4A7C15)  # multiplicative hashing (Knuth), wrapping at 2^64


def leaks(table: Table, target: Target, datasets: Sequence[Dataset], has_classes: bool) -> list[Finding]:
    """All that is noticed of a table and of the splits of its seeds (one dataset for each different split)."""
    copies = _copies(table.features, table.targets)
    telling = [name for name in table.features if name not in copies]
    return [
        *(finding for findings in copies.values() for finding in findings),
        *(single := _almost(table.features, telling, target, has_classes)),
        *([] if single else _computed(table, telling, target, has_classes)),
        *doubles(table),
        *purposes(table, target.values, has_classes),
        *_twins(table, target, datasets),
    ]


def _computed(table: Table, telling: Sequence[str], target: Target, has_classes: bool) -> list[Finding]:
    """A target that several features make together."""
    if has_classes or target.values.ndim != 1 or len(target.values) < LEAST_TO_PREDICT:
        return []
    (name, *_) = table.targets
    function = computed({one: table.features[one] for one in telling}, target.values)
    if function is None:
        return []
    message = f"the target {shown(name)} {function.how} (R2 {function.r2:.6g}): are they known before it?"
    named = " ".join(f"--drop {shlex.quote(column)}" for column in function.columns[:3])
    return [Finding("leak", "warning", message, f"leave them out unless they are: {named}")]


# Rows


def _twins(table: Table, target: Target, datasets: Sequence[Dataset]) -> list[Finding]:
    """Rows of the valid and test splits whose features stand in the training split, too: how many, with which targets."""
    if not table.features or not datasets:
        return []
    rows = hashed(column.values for column in table.features.values())
    kinds, row_of = np.unique(rows, return_inverse=True)
    if len(kinds) == len(rows):
        return []
    full_rows = hashed([rows.view(np.int64), *_columns(target.values)])
    full_row_of = np.unique(full_rows, return_inverse=True)[1]
    # [D, 3]: rows, twins, of the same target
    counts = np.array([_repeats(row_of, full_row_of, dataset) for dataset in datasets])
    count, twins, agreeing = counts.mean(axis=0)
    if not twins:
        return []
    over = f" (the mean of {len(datasets)} splits)" if len(datasets) > 1 else ""
    message = (
        f"{_number(twins)} of {_number(count)} valid and test rows{over} have the same features as a training row, "
        f"and {_number(agreeing)} of them the same target, too"
    )
    cure = "leave copies out if they are not separate cases, or keep what belongs together with data.split.group"
    return [Finding("repeated-rows", "warning", message, cure)]


def _repeats(row_of: np.ndarray, full_row_of: np.ndarray, dataset: Dataset) -> tuple[int, int, int]:
    train, valid, test = (np.asarray(dataset.parts[name].index) for name in SPLITS)
    holdout = np.concatenate([valid, test])
    in_train = np.zeros(row_of.max() + 1, dtype=bool)
    in_train[row_of[train]] = True
    full_in_train = np.zeros(full_row_of.max() + 1, dtype=bool)
    full_in_train[full_row_of[train]] = True
    return len(holdout), int(in_train[row_of[holdout]].sum()), int(full_in_train[full_row_of[holdout]].sum())


def hashed(columns: Iterable[np.ndarray]) -> np.ndarray:
    """One uint64 per row of columns [N], one column at least: equal rows get equal ones, others almost surely others.

    >>> rows = hashed([np.array([1, 2, 1]), np.array([0.5, 0.5, 0.5])])
    >>> rows[0] == rows[2], rows[0] == rows[1]
    (np.True_, np.False_)
    """
    rows: Any = np.uint64(0)
    for column in columns:
        exact = column if column.dtype == np.int64 else column.astype(np.float64) + 0.0  # -0.0 becomes 0.0
        rows = (rows ^ exact.view(np.uint64)) * MIX
        rows ^= rows >> np.uint64(29)
    hashes: np.ndarray = rows
    return hashes


def _columns(values: np.ndarray) -> list[np.ndarray]:
    return list(values.T.astype(np.float64)) if values.ndim == 2 else [values]


def _number(mean: float) -> str:
    """Rows, whole ones; a mean over splits is told as about so many.

    >>> _number(46.0), _number(46.3), _number(0.3)
    ('46', 'about 46', 'less than 1')
    """
    if mean == round(mean):
        return f"{mean:.0f}"
    return f"about {mean:.0f}" if mean >= 1 else "less than 1"


# Features that tell the target outright


def _copies(features: Mapping[str, Column], targets: Mapping[str, Column]) -> dict[str, list[Finding]]:
    """By its name, every feature that holds the same numbers as a target, or the same classes under other names."""
    if len(next(iter(targets.values())).values) < LEAST_TO_TELL:
        return {}
    findings: dict[str, list[Finding]] = {}
    for target_name, target in targets.items():
        codes = _few_codes(target)
        for name, feature in features.items():
            if _is_copy(feature, target, codes):
                message = (
                    f"the feature {shown(name)} tells the target {shown(target_name)} exactly: is it known before it?"
                )
                findings.setdefault(name, []).append(Finding("leak", "warning", message, _cure(name)))
    return findings


def _is_copy(feature: Column, target: Column, classes: np.ndarray | None) -> bool:
    """Whether the values are equal, or stand one to one for the target's `classes` (codes 0..k, None: too many)."""
    if not feature.is_category and not target.is_category and np.array_equal(feature.values, target.values):
        return True
    codes = _few_codes(feature) if classes is not None and classes.max() else None
    if codes is None or classes is None or codes.max() != classes.max():
        return False
    pairs = np.unique(codes.astype(np.int64) * (classes.max() + 1) + classes)
    return bool(len(pairs) == codes.max() + 1)


def _few_codes(column: Column) -> np.ndarray | None:
    """Codes 0..k of the different values, missing among them; None if there are more than a class target has."""
    values = column.values
    if not column.is_category and len(np.unique(values[:1000])) > FEW_LEVELS:
        return None
    different, codes = np.unique(values, return_inverse=True)
    # Where hardly a value comes back, any two columns stand one to one.
    return codes if len(different) <= min(MOST_CLASSES, len(values) // 2) else None


# Features that predict it almost alone


def _almost(features: Mapping[str, Column], names: Sequence[str], target: Target, has_classes: bool) -> list[Finding]:
    values = target.values
    if values.ndim != 1 or len(values) < LEAST_TO_PREDICT or values.min() == values.max():
        return []
    sample = np.arange(0, len(values), max(1, len(values) // SAMPLE))
    measure = _of_classes if has_classes and not target.soft else _of_numbers
    findings = []
    for name in names:
        column = features[name]
        if measure(column.values[sample], column, values[sample])[0] < ALMOST:
            continue
        score, what = measure(column.values, column, values)
        if score >= ALMOST:
            message = f"the feature {shown(name)} predicts the target almost alone ({what} {score:.4f})"
            findings.append(Finding("leak-likely", "warning", message, _cure(name)))
    return findings


def _of_classes(values: np.ndarray, column: Column, target: np.ndarray) -> tuple[float, str]:
    """How well one feature alone tells the class: AUC for numbers and two classes, else agreement beyond chance (kappa)."""
    codes = np.unique(target, return_inverse=True)[1]
    present = ~(values < 0 if column.is_category else np.isnan(values))
    if len(np.unique(codes)) == 2 and not column.is_category and present.all():
        return _auc(values, codes), "AUC"
    guess = _best_of_level(values, codes) if column.is_category else _neighbours(values, codes)
    shares = np.bincount(codes) / len(codes)
    chance = float((shares**2).sum())
    # Where a feature is cut into classes, the first row of each has a neighbour of another: no mistake.
    cuts = 0 if column.is_category or len(shares) > len(codes) / LEAST_TO_TELL else len(shares) - 1
    right = min(1.0, (int((guess == codes).sum()) + cuts) / len(codes))
    return (right - chance) / (1 - chance) if chance < 1 else 0.0, "kappa"


def _auc(values: np.ndarray, codes: np.ndarray) -> float:
    """Of the feature as a score for either class, from midranks (Mann-Whitney)."""
    _, level, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[level]
    positive = int(codes.sum())
    above = ranks[codes == 1].sum() - positive * (positive + 1) / 2
    auc = float(above / (positive * (len(codes) - positive)))
    return max(auc, 1 - auc)


def _best_of_level(levels: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """For each row the most frequent class of its level; of a level with few rows nothing, since one row tells itself."""
    level = np.unique(levels, return_inverse=True)[1]
    table = np.zeros((level.max() + 1, codes.max() + 1), dtype=np.int64)
    if table.size > len(codes):
        return np.full(len(codes), -1)
    np.add.at(table, (level, codes), 1)
    best = np.where(table.sum(axis=1) >= LEAST_TO_TELL, table.argmax(axis=1), -1)
    return best[level]


def _neighbours(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """For each row the class of the row before it in the order of the feature."""
    order = _in_order(values)
    guess = np.empty(len(codes), dtype=codes.dtype)
    guess[order] = np.concatenate([codes[order[1:2]], codes[order[:-1]]])
    return guess


def _in_order(values: np.ndarray) -> np.ndarray:
    """Rows by their values; ties at random, because the table itself may be in the order of the target."""
    rows = np.random.default_rng(0).permutation(len(values))
    ordered: np.ndarray = rows[np.argsort(values[rows], kind="stable")]
    return ordered


def _of_numbers(values: np.ndarray, column: Column, target: np.ndarray) -> tuple[float, str]:
    """R2 of the target from one feature alone: the mean of each level where there are few, else any smooth curve."""
    wide = target.astype(np.float64)
    total = float(((wide - wide.mean()) ** 2).sum())
    different, level, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(different) <= FEW_LEVELS:
        means = (np.bincount(level, wide) / counts)[level]
        frequent = counts[level] >= LEAST_TO_TELL  # of a level with few rows each row tells itself
        return 1 - float((np.where(frequent, wide - means, wide - wide.mean()) ** 2).sum()) / total, "R2"
    if column.is_category or np.isnan(values).any():
        return 0.0, "R2"
    # Neighbours on a curve are close (von Neumann's ratio); those of chance differ by twice the variance. In few rows they are
    # far apart even on a line: there, that both have the same order tells.
    near = 1 - float((np.diff(wide[_in_order(values)]) ** 2).sum()) / (2 * total)
    return max(near, _same_order(values, wide) ** 2), "R2"


def _same_order(values: np.ndarray, target: np.ndarray) -> float:
    """Spearman's rank correlation."""
    from scipy.stats import rankdata

    ranks = np.stack([rankdata(values), rankdata(target)])
    return float(np.corrcoef(ranks)[0, 1]) if (ranks.std(axis=1) > 0).all() else 0.0
