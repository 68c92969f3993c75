"""Stress on purpose: what a spec's `data.corrupt` does to the training split, and to nothing else.

Every number is a level of damage, and 0 is none. What is drawn comes from the run's seed in streams of its own, one for
each kind, so that all entries of a seed see the same damage, and a higher level damages what a lower one did and more:
the levels of one seed differ in the level alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from losscli.data.pairs import both
from losscli.errors import DataError, Finding, SpecError, choose_from, shown
from losscli.options import NonNegative, Positive, Strict
from losscli.tasks import Column, Target, Task

KINDS = {  # each kind of damage: what it is called, in the words of a table's axis
    "labels": "label noise",
    "imbalance": "imbalance",
    "target_outliers": "target outliers",
    "feature_noise": "feature noise",
    "missing": "missing values",
    "votes": "votes",
}
STREAM = 0x0DD5  # keeps what is drawn here apart from what the same seed draws elsewhere

Fraction = Annotated[float, Field(ge=0, le=1)]
Shares = Annotated[list[Fraction], Field(min_length=1, max_length=100)]
Matrix = Annotated[list[list[Fraction]], Field(min_length=2)]
Below = Annotated[float, Field(ge=0, lt=1)]


class Corruption(Strict):
    """The `data.corrupt` block. A list of levels makes an arena of each, and level 0 is always among them.

    `labels`: the share of training labels that are changed to another class, any other alike; or how much of each class
    becomes which, `{yes: {no: 0.3}}`, or that as a matrix (rows: the class there is; columns: what it becomes).
    `imbalance`: the share of the rarest class's training rows that are taken away. `target_outliers`: the share of training
    targets that are moved. `outlier_size` is by how many standard deviations. `feature_noise`: the sd of Gaussian noise on
    every number, in units of the feature's own. `missing`: the share of cells that are emptied. `votes`: training targets
    become the shares of so many votes, drawn from the probabilities that are given.
    """

    labels: Fraction | Shares | Matrix | dict[str, dict[str, Fraction]] = 0.0
    imbalance: Below | Annotated[list[Below], Field(min_length=1, max_length=100)] = 0.0
    target_outliers: Fraction | Shares = 0.0
    outlier_size: Positive = 10.0
    feature_noise: NonNegative | Annotated[list[NonNegative], Field(min_length=1, max_length=100)] = 0.0
    missing: Below | Annotated[list[Below], Field(min_length=1, max_length=100)] = 0.0
    votes: Annotated[int, Field(ge=0, le=1_000_000)] = 0

    @model_validator(mode="after")
    def _has_one_list_of_levels(self) -> Corruption:
        lists = [kind for kind in KINDS if _is_levels(getattr(self, kind))]
        if len(lists) > 1:
            raise ValueError(f"one kind of damage may have a list of levels, and {' and '.join(lists)} have one each")
        if isinstance(self.labels, dict):
            for name, becomes in self.labels.items():
                _refuse_more_than_all(sum(becomes.values()), f"of {shown(name)}")
        if _is_matrix(self.labels):
            rows: Any = self.labels
            if any(len(row) != len(rows) for row in rows) or any(abs(sum(row) - 1) > 1e-6 for row in rows):
                raise ValueError("labels as a matrix must have as many columns as rows, and each row must add up to 1")
        return self

    @property
    def varied(self) -> str | None:
        """The kind that has a list of levels."""
        return next((kind for kind in KINDS if _is_levels(getattr(self, kind))), None)

    def levels(self) -> list[Corruption]:
        """One corruption per level, from 0 up; itself alone where nothing has a list of levels.

        >>> [level.labels for level in Corruption(labels=[0.4, 0.2]).levels()]
        [0.0, 0.2, 0.4]
        """
        kind = self.varied
        if kind is None:
            return [self]
        return [self.model_copy(update={kind: level}) for level in sorted({0.0, *map(float, getattr(self, kind))})]

    def active(self) -> dict[str, Any]:
        """The kinds that do something, with what they do.

        >>> Corruption(labels=0.2, missing=0.0).active()
        {'labels': 0.2}
        """
        return {kind: value for kind in KINDS if (value := getattr(self, kind)) and value != [0.0]}

    @property
    def target_damage(self) -> str | None:
        """The first kind that is about classes."""
        return next((kind for kind in ("labels", "imbalance") if kind in self.active()), None)

    def unfit_for(self, task: Task) -> dict[str, str]:
        """The kinds that the task has nothing to do with, each with why."""
        unfit = {}
        for kind in self.active():
            if kind == "target_outliers" and task.has_classes:
                unfit[kind] = f"moves numbers, and the targets of task {task.name} are classes"
            elif kind in ("feature_noise", "missing") and not task.has_target:
                unfit[kind] = f"is about features, and task {task.name} has none"
            elif kind in ("labels", "imbalance") and not task.has_classes:
                unfit[kind] = f"is about classes, and the targets of task {task.name} are numbers"
            elif kind in ("labels", "imbalance") and not task.rows_have_one_class:
                if not (task.yes_or_no and self._of_any_label(kind)):
                    have = "several labels" if task.yes_or_no else "a share of each class"
                    unfit[kind] = f"needs one class per row, and rows of task {task.name} have {have}"
            elif kind == "votes" and not task.outputs_compete:
                unfit[kind] = f"draws votes for classes, and rows of task {task.name} have no probabilities of them"
        return unfit

    def _of_any_label(self, kind: str) -> bool:
        """Whether the labels of a row can be damaged one by one: a share of all labels can."""
        return kind == "labels" and isinstance(self.labels, (float, int, list))


def _is_levels(value: object) -> bool:
    return isinstance(value, list) and not _is_matrix(value)


def _is_matrix(value: object) -> bool:
    return isinstance(value, list) and isinstance(value[0], list)


def _refuse_more_than_all(share: float, whose: str) -> None:
    if share > 1 + 1e-9:
        raise ValueError(f"labels: {share:g} {whose} would change, and at most 1 can")


@dataclass(frozen=True)
class DamagedSplit:
    """A training split after the damage: which rows of the table are left, [N], and what they hold now.

    `values` are the targets in the form of `Target.values`, `clean` what they were; `flipped` bool [N] are the rows that
    differ; both None where no target was touched. `done` counts for each kind how much was damaged, and of how much.
    """

    rows: np.ndarray
    features: Mapping[str, Column]
    values: np.ndarray
    clean: np.ndarray | None = None
    flipped: np.ndarray | None = None
    done: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def corrupt(
    features: Mapping[str, Column], target: Target, rows: np.ndarray, corruption: Corruption, seed: int, task: Task
) -> DamagedSplit:
    """The training `rows` of a table as `corruption` damages them; the table itself stays as it is.

    Rows are taken away first, then targets are changed, then features. Raises `SpecError` for a kind that the task has
    nothing to do with, and `DataError` for a class that does not exist.
    """
    _refuse_unfit(corruption, task, target)
    rows, before, after, done = _target_damaged(target, rows, corruption, seed)
    taken = {name: column.holding(column.values[rows]) for name, column in features.items()}
    if corruption.feature_noise:
        taken, done["feature_noise"] = _with_noise(
            taken, _level(corruption.feature_noise), _stream(seed, "feature_noise")
        )
    if corruption.missing:
        taken, done["missing"] = _with_holes(taken, _level(corruption.missing), _stream(seed, "missing"))
    if not {"labels", "target_outliers"} & set(done):
        return DamagedSplit(rows, taken, after, done=done)
    return DamagedSplit(rows, taken, after, before, _rows_that_differ(after, before), done)


def _target_damaged(
    target: Target, rows: np.ndarray, corruption: Corruption, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, tuple[int, int]]]:
    """The rows that are left, what their targets were and are, and how much was done; both halves of a pair fare alike."""
    if target.paired:
        pairs = replace(target, values=target.values[::2], paired=False)
        rest, was, now, done = _target_damaged(pairs, rows[::2] // 2, corruption, seed)
        twice = {kind: (2 * count, 2 * of) for kind, (count, of) in done.items()}
        return both(rest), np.repeat(was, 2, axis=0), np.repeat(now, 2, axis=0), twice
    done = {}
    if corruption.imbalance:
        rest = _thinned(target.values, rows, _level(corruption.imbalance), _stream(seed, "imbalance"))
        done["imbalance"] = len(rows) - len(rest), len(rows)
        rows = rest
    before = after = target.values[rows]
    if "labels" in corruption.active():
        after = _relabelled(before, target.labels, corruption.labels, _stream(seed, "labels"))
        done["labels"] = int((after != before).sum()), before.size
    if corruption.target_outliers:
        after = _with_outliers(
            before, _level(corruption.target_outliers), corruption.outlier_size, _stream(seed, "target_outliers")
        )
        done["target_outliers"] = int(_rows_that_differ(after, before).sum()), len(before)
    if corruption.votes:
        after = _voted(before, corruption.votes, _stream(seed, "votes"))
        done["votes"] = len(before), len(before)
    return rows, before, after, done


def _refuse_unfit(corruption: Corruption, task: Task, target: Target) -> None:
    if corruption.varied:
        raise SpecError(f"data.corrupt.{corruption.varied} has several levels: each of them makes an arena of its own")
    for kind, why in corruption.unfit_for(task).items():
        raise SpecError(f"data.corrupt.{kind} {why}", cure="leave it out")
    if corruption.votes and not (target.soft and target.values.ndim == 2):
        raise SpecError(
            "data.corrupt.votes draws from a probability for each class, and the target has one class per row",
            cure="leave it out, or name a target column of probabilities for each class",
        )
    shares = target.soft or target.values.ndim != 1
    if task.rows_have_one_class and shares and corruption.target_damage:
        raise SpecError(
            f"data.corrupt.{corruption.target_damage} needs one class per row, and these rows have a share of each class",
            cure="leave it out, or name one target column",
        )


def _voted(shares: np.ndarray, votes: int, rng: np.random.Generator) -> np.ndarray:
    """The shares [N, K] of so many votes in each row, drawn from its probabilities."""
    exact = shares.astype(np.float64)
    drawn: np.ndarray = rng.multinomial(votes, exact / exact.sum(axis=1, keepdims=True)) / votes
    return drawn.astype(shares.dtype)


def _level(value: Any) -> float:
    return float(value)  # `_refuse_unfit` has refused a list of them


def _stream(seed: int, kind: str) -> np.random.Generator:
    return np.random.default_rng([seed, STREAM, list(KINDS).index(kind)])


def _rows_that_differ(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    differs: np.ndarray = (after != before).reshape(len(before), -1).any(axis=1)
    return differs


def _thinned(values: np.ndarray, rows: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """The rows without `share` of those of the class that is the rarest in the table (of equals, the last)."""
    classes, counts = np.unique(values, return_counts=True)
    rarest = classes[len(counts) - 1 - int(counts[::-1].argmin())]
    members = rng.permutation(np.flatnonzero(values[rows] == rarest))
    gone = members[: min(round(share * len(members)), max(0, len(members) - 1))]  # one is left to learn from
    return np.delete(rows, gone)


def _relabelled(values: np.ndarray, labels: Sequence[str], change: Any, rng: np.random.Generator) -> np.ndarray:
    """Targets [N] of classes, or [N, L] of 0 and 1, with some of them changed."""
    if isinstance(change, (int, float)):
        return _flipped(values, float(change), 2 if values.ndim == 2 else len(labels), rng)
    changed = values.copy()
    for code, becomes in _transitions(change, labels).items():
        members = rng.permutation(np.flatnonzero(values == code))
        ends = np.rint(np.cumsum([0.0, *becomes.values()]) * len(members)).astype(int)
        for other, first, last in zip(becomes, ends[:-1], ends[1:], strict=True):
            changed[members[first:last]] = other
    return changed


def _flipped(values: np.ndarray, share: float, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Exactly `share` of all values changed to another one, any of the others alike."""
    flat = values.flatten()
    order = rng.permutation(len(flat))
    shift = rng.integers(1, classes, size=len(flat))  # one for every value, so that a higher level changes the same too
    places = order[: round(share * len(flat))]
    flat[places] = ((flat[places].astype(np.int64) + shift[places]) % classes).astype(flat.dtype)
    return flat.reshape(values.shape)


def _transitions(change: Any, labels: Sequence[str]) -> dict[int, dict[int, float]]:
    """Class index -> class index it becomes -> share, from names or from a matrix."""
    if isinstance(change, list):
        if len(change) != len(labels):
            raise DataError(
                f"data.corrupt.labels has {len(change)} rows, and the target has {len(labels)} classes",
                cure=f"one row and one column for each of {_named(labels)}",
            )
        return {
            code: {other: share for other, share in enumerate(row) if other != code} for code, row in enumerate(change)
        }
    index = {label: code for code, label in enumerate(labels)}
    unknown = [
        name
        for name in dict.fromkeys([*change, *(label for row in change.values() for label in row)])
        if name not in index
    ]
    if unknown:
        raise DataError(
            f"data.corrupt.labels: the target has no class {shown(unknown[0])}", cure=choose_from(unknown[0], labels)
        )
    return {
        index[name]: {index[other]: share for other, share in row.items() if other != name}
        for name, row in change.items()
    }


def _named(labels: Sequence[str]) -> str:
    return ", ".join(shown(label) for label in labels[:8]) + (" ..." if len(labels) > 8 else "")


def _with_outliers(values: np.ndarray, share: float, size: float, rng: np.random.Generator) -> np.ndarray:
    """`share` of the rows moved by `size` standard deviations of each output, up or down.

    What is never negative is moved up only, and whole numbers stay whole: counts must still be counts.
    """
    wide = values.astype(np.float64).reshape(len(values), -1)
    order = rng.permutation(len(wide))
    sign = rng.choice([-1.0, 1.0], size=wide.shape)
    sign = np.where(wide.min(axis=0) >= 0, 1.0, sign)
    moved = wide + sign * size * wide.std(axis=0)
    moved = np.where((wide == np.rint(wide)).all(axis=0), np.rint(moved), moved)
    places = order[: round(share * len(wide))]
    wide[places] = moved[places]
    return wide.reshape(values.shape).astype(values.dtype)


def _with_noise(
    features: Mapping[str, Column], level: float, rng: np.random.Generator
) -> tuple[dict[str, Column], tuple[int, int]]:
    """Gaussian noise on every column of numbers, `level` times its own sd."""
    noisy = dict(features)
    numbers = [name for name, column in features.items() if not column.is_category and not column.missing.all()]
    for name in numbers:
        values = features[name].values
        size = np.abs(values[~np.isnan(values)]).max() or 1.0
        sd = float(np.nanstd(values / size))  # in parts of the largest, whose square may be more than a double holds
        # Held within what a double holds: noise of 1e308 is that, and not an infinity that no scale takes back.
        far = np.finfo(np.float64).max / 4
        with np.errstate(over="ignore"):
            damaged = values + rng.normal(size=len(values)) * (level * sd) * size
        noisy[name] = features[name].holding(np.clip(damaged, -far, far))
    return noisy, (len(numbers), len(features))


def _with_holes(
    features: Mapping[str, Column], share: float, rng: np.random.Generator
) -> tuple[dict[str, Column], tuple[int, int]]:
    """`share` of the cells of each column emptied; one value at least is left in each."""
    holed, gone, cells = dict(features), 0, 0
    for name, column in features.items():
        values = column.values.copy()
        order = rng.permutation(len(values))
        spared = order[~column.missing[order]][-1:]  # the last value that the order comes to
        holes = np.setdiff1d(order[: round(share * len(values))], spared, assume_unique=True)
        gone += int((~column.missing[holes]).sum())
        cells += len(values)
        values[holes] = -1 if column.is_category else np.nan
        holed[name] = column.holding(values)
    return holed, (gone, cells)


def damage_findings(corruption: Corruption, damages: Sequence[Mapping[str, tuple[int, int]]]) -> list[Finding]:
    """What was done to the training splits of all seeds, with counts; `damages` holds what `DamagedSplit.done` does."""
    sentences = {
        "labels": "{of} training labels were changed",
        "imbalance": "{of} training rows were taken away, all of the rarest class",
        "target_outliers": f"{{of}} training targets were moved by {corruption.outlier_size:g} sd",
        "feature_noise": f"{{of}} features got Gaussian noise of {corruption.feature_noise} of their sd",
        "missing": "{of} training cells were emptied",
        "votes": f"{{of}} training rows have the shares of {corruption.votes} votes, drawn from their probabilities",
    }
    parts = [
        sentences[kind].format(
            of=f"{_span(done[kind][0] for done in damages)} of {_span(done[kind][1] for done in damages)}"
        )
        for kind in KINDS
        if damages and kind in damages[0]
    ]
    if not parts:
        return []
    message = f"on purpose (data.corrupt): {'; '.join(parts)}; valid and test are as they were"
    return [Finding("corrupted", "info", message)]


def _span(numbers: Iterable[int]) -> str:
    counts = list(numbers)
    return str(counts[0]) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
