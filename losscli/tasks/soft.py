"""Class targets that are shares: of yes in one column, or of each class in several (or a 1 in the column of the class)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from losscli.errors import DataError, Finding, Problem, SpecError, counted, shown
from losscli.tasks import Column, Order, Target, TargetOptions
from losscli.tasks.labels import label_of, mapped, place_of
from losscli.tasks.order import in_order, positive_label

CLOSE = 1e-3  # how far the sum of a row may be from 1
ROUNDING = 1e-9  # what adding decimals may be off: 0.333 three times is 0.999 in decimals
MOST_PLACES = 5
MOSTLY = 0.1  # of the numbers may lie outside 0 to 1 where shares are meant


def per_class(columns: Mapping[str, Column], options: TargetOptions) -> Target:
    """Probabilities float32 [N, K], divided by their sum; class indices [N] where each row is one 1 among zeros.

    The columns' names are the labels. Raises `DataError` with the first five places of rows that are neither, `SpecError`
    for a column of text: then each column would be a target of its own.

    >>> columns = {"cat": Column(np.array([0.9, 0.5])), "dog": Column(np.array([0.1, 0.5]))}
    >>> target = per_class(columns, TargetOptions())
    >>> target.values.round(1).tolist(), target.labels, target.soft
    ([[0.8999999761581421, 0.10000000149011612], [0.5, 0.5]], ('cat', 'dog'), True)
    """
    _refuse_text(columns)
    names = list(columns)
    values = np.stack([column.values for column in columns.values()], axis=1)  # [N, K]
    refuse_outside(
        columns, values, "for numbers use task: regression; for counts task: distribution, with counts: true"
    )
    cure = "divide each row by its sum, or use task: multilabel if a row may have several labels"
    refuse_sums(columns, values, cure)
    places = list(range(len(names)))
    ordered: Order | None = None
    findings: list[Finding] = []
    if options.order is not None:
        places, ordered, findings = in_order(names, options, ", ".join(names))
    values, labels = values[:, places], tuple(names[at] for at in places)
    if not np.isin(values, (0.0, 1.0)).all():
        noticed = (*findings, *_soft(labels, values))
        return Target((values / values.sum(axis=1, keepdims=True)).astype(np.float32), labels, noticed, True, ordered)
    if (empty := [name for name, column in zip(labels, values.T, strict=True) if not column.any()]) or len(values) == 0:
        empty_names = ", ".join(shown(name) for name in empty[:5])
        raise DataError(f"no row is of the class {empty_names}", cure="leave its column out of data.target")
    return Target(values.argmax(axis=1), labels, (*findings, *mapped(labels)), ordered=ordered)


def sum_to_one(columns: Sequence[Column]) -> bool:
    """Whether columns of numbers are shares of which each row, where it is whole, sums to 1.

    >>> sum_to_one([Column(np.array([0.25, 1.0])), Column(np.array([0.75, 0.0]))])
    True
    """
    values = np.stack([column.values for column in columns], axis=1)
    values = values[~np.isnan(values).any(axis=1)]
    return len(values) > 0 and bool((values >= 0).all() and (np.abs(values.sum(axis=1) - 1) < CLOSE).all())


def are_shares(column: Column) -> bool:
    """Whether a column holds numbers within 0 and 1 that are not all whole.

    >>> are_shares(Column(np.array([0.0, 0.25, 1.0]))), are_shares(Column(np.array([0.0, 1.0])))
    (True, False)
    """
    values = column.values
    if column.is_category or not len(values) or not bool(((values >= 0) & (values <= 1)).all()):
        return False
    return bool((values != np.floor(values)).any())


def refuse_near_shares(column: Column, name: str) -> None:
    """`DataError` at the first number outside 0 to 1 where nearly all lie within, and are not whole: shares, but for a slip."""
    values = column.values
    if column.is_category or not bool((values != np.floor(values)).any()):
        return
    outside = np.flatnonzero((values < 0) | (values > 1))
    if len(outside) <= MOSTLY * len(values):
        raise DataError(
            f"the target {shown(name)} looks like shares of yes, which lie between 0 and 1, and {label_of(values[outside[0]])} "
            f"does not ({counted(len(outside), 'such value')})",
            place=place_of(column, int(outside[0])),
            cure="correct these rows or leave them out; or use task: regression",
        )


def of_shares(name: str, column: Column, options: TargetOptions) -> Target:
    """Shares of yes, float32 [N]: the fractional logit's target (Papke and Wooldridge 1996, Econometric Methods for
    Fractional Response Variables).

    Raises `DataError` where all of them are the same.
    """
    values, labels = column.values, ("0", "1")
    if values.min() == values.max():
        raise DataError(
            f"the target {shown(name)} of task binary must hold two different values, and all are {label_of(values[0])}",
            cure="choose another target",
        )
    if options.positive is not None and positive_label(options.positive, labels, name) == "0":
        values, labels = 1 - values, ("1", "0")
    message = (
        f"the target {shown(name)} is shares of yes, {label_of(values.min())} to {label_of(values.max())} (the fractional "
        "logit's target, Papke and Wooldridge 1996); log-loss, brier and ece are measured against them, the other metrics "
        "against whether they are above 1/2"
    )
    return Target(values.astype(np.float32), labels, (Finding("target-soft", "info", message),), soft=True)


def _soft(labels: tuple[str, ...], values: np.ndarray) -> list[Finding]:
    doubt = 1 - float(values.max(axis=1).mean())
    message = (
        f"the target is probabilities of {len(labels)} classes ({', '.join(shown(name) for name in labels[:5])}"
        f"{' ...' if len(labels) > 5 else ''}), on average {doubt:.3g} away from certain; log-loss and brier are measured "
        "against them, the other metrics against the most likely class"
    )
    cure = "--task distribution judges the whole distribution, by kl, js or emd, with losses made for it"
    return [Finding("target-soft", "info", message, cure)]


def _refuse_text(columns: Mapping[str, Column]) -> None:
    text = [shown(name) for name, column in columns.items() if column.is_category]
    if text:
        raise SpecError(
            f"task multiclass takes one target column, or one column of probabilities per class, and {text[0]} of "
            f"{len(columns)} holds text",
            cure="name one column, or use task: multilabel (columns of 0 and 1)",
        )


def refuse_outside(columns: Mapping[str, Column], values: np.ndarray, cure: str) -> None:
    """`DataError` with the first five numbers that are no probability."""
    stray = np.argwhere((values < 0) | (values > 1 + CLOSE))
    if not len(stray):
        return
    problems = []
    for row, at in stray[:MOST_PLACES]:
        name, column = list(columns.items())[at]
        message = f"a probability in {shown(name)} must be 0 to 1, and {label_of(values[row, at])} is not"
        problems.append(Problem(message, place_of(column, row), cure))
    raise DataError(with_count(problems, len(stray), "value"))


def refuse_sums(columns: Mapping[str, Column], values: np.ndarray, cure: str) -> None:
    """`DataError` with the first five rows [N, K] that do not sum to 1, within 1e-3."""
    sums = values.sum(axis=1)
    wrong = np.flatnonzero(np.abs(sums - 1) > CLOSE + ROUNDING)
    first = next(iter(columns.values()))
    problems = [
        Problem(
            f"the probabilities of {len(columns)} classes must sum to 1 in every row, and these sum to {sums[row]:.6g}",
            place_of(first, row),
            cure,
        )
        for row in wrong[:MOST_PLACES]
    ]
    if problems:
        raise DataError(with_count(problems, len(wrong), "row"))


def with_count(problems: list[Problem], count: int, noun: str) -> list[Problem]:
    """The problems; the last of them says how many more there are."""
    last = problems[-1]
    if count > len(problems):
        more = f"{last.message} (and {counted(count - len(problems), noun)} more)"
        problems[-1] = Problem(more, last.place, last.cure)
    return problems
