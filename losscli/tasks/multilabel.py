"""Multilabel: L times yes or no per row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from losscli.errors import DataError, Finding, Problem, SpecError, counted, shown, sign
from losscli.lazy import Tensor, torch
from losscli.tasks import AS_GIVEN, Column, Generator, Target, TargetOptions, tasks
from losscli.tasks.binary import YesOrNo
from losscli.tasks.guess import SAID, Hunch, Values
from losscli.tasks.joined import labels_in
from losscli.tasks.labels import label_of, occurring, place_of, refuse_beyond, refuse_missing
from losscli.tasks.measures import RowMeasure, right_decisions
from losscli.tasks.order import ranks
from losscli.tasks.predictions import Outputs
from losscli.tasks.settled import SettledPlan
from losscli.tasks.truths import Truths, of_labels
from losscli.tasks.yardsticks import LABELS

SEPARATORS = (";", "|", ",", "/")  # what usually stands between the labels of one cell
MEANS = {"0": 0.0, "1": 1.0, "false": 0.0, "true": 1.0, "no": 0.0, "yes": 1.0}


class Multilabel(YesOrNo):
    """L labels that do not exclude each other, L outputs; a row may have none."""

    name = "multilabel"
    summary = "any number of L labels per row"
    default_loss = "bce-logits"
    default_metrics = ("macro-f1", "micro-f1", "subset-accuracy", "hamming-loss")
    default_data: ClassVar[Mapping[str, Any]] = {
        "source": "synthetic",
        "name": "multilabel_classification",
        "n_samples": 1000,
        "n_features": 20,
        "n_classes": 5,
    }
    generators: ClassVar[Mapping[str, Generator | None]] = {"multilabel_classification": None}
    options = ("separator",)
    yardsticks = LABELS
    plan = SettledPlan
    borrows = ("binary",)
    rows_have_several_outputs = True

    def decode(self, columns: Mapping[str, Column], options: TargetOptions = AS_GIVEN) -> Target:
        """0 or 1 of every column: 0/1, false/true or no/yes, without regard to case.

        With `options.separator`, the labels of one column, whose cells name those that a row has; an empty cell names none.
        """
        refuse_beyond(options, self)
        if options.separator is not None:
            return _delimited(columns, options.separator)
        refuse_missing(columns)
        read = {name: _cells(column) for name, column in columns.items()}
        problems = [_stray(name, columns[name], cells) for name, cells in read.items() if np.isnan(cells).any()]
        if problems:
            raise DataError(problems)
        values = np.stack(list(read.values()), axis=1).astype(np.float32)  # [N, L]
        return Target(values, tuple(columns), tuple(_one_sided(tuple(columns), values)))

    def guess(self, targets: Mapping[str, Values], options: TargetOptions) -> Hunch | None:
        """One column whose cells a separator divides; or several columns that hold yes or no, or texts."""
        (name, *_), count = targets, len(targets)
        if options.separator is not None and count == 1:
            reason = f"a cell of {shown(name)} holds several labels, divided by {shown(options.separator)}"
            return Hunch(reason, SAID)
        if count == 1:
            return None
        if all(values.yes_or_no for values in targets.values()):
            return Hunch(f"each of the {count} targets holds 0 and 1 (or no and yes) only")
        if not any(values.texts for values in targets.values()):
            return None
        odd = next(name for name, values in targets.items() if not values.yes_or_no)
        return Hunch(f"there are {count} targets, and they are not all numbers (see {shown(odd)})")

    def outputs(self, target: Target) -> int:
        return len(target.labels)

    target_ndim = 2
    axis = "margin s x of every label"
    axis_note = "x is the score; s is 1 for a label that the row has and -1 for one that it has not."

    def width(self, classes: int, labels: int) -> int:
        return labels

    def outcomes(self, width: int) -> Tensor:
        return torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * width).view(-1, width)

    def draw(
        self, shape: tuple[int, ...], width: int, domain: str, chance: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        return torch.randint(2, (*shape, width), generator=chance).to(dtype)

    def line(self, along: Tensor, width: int, expects: str, side: Tensor) -> tuple[Tensor, Tensor]:
        """A row that has the first label and no other."""
        target = (torch.arange(width) == 0).to(along).expand(*along.shape, width)
        return (2 * target - 1) * along.unsqueeze(-1), target

    def truths(self) -> Truths:
        return of_labels()

    rows_of_class = "positive rows of the label"
    class_unmeasured = "the mean over the labels leaves it out there"
    row_measures = (RowMeasure("accuracy", "share of right decisions", right_decisions),)

    def groups(self, truth: np.ndarray, labels: Sequence[str]) -> dict[str, np.ndarray]:
        """The rows that carry each label."""
        return {label: truth[:, index] > 0.5 for index, label in enumerate(labels)}

    def columns(self, outputs: Outputs, labels: Sequence[str], limit: float) -> Iterator[tuple[str, np.ndarray]]:
        for index, label in enumerate(labels):
            yield f"prediction_{label}", (outputs.numbers[:, index] > limit).astype(np.int64)
        for index, label in enumerate(labels):
            yield f"{outputs.word}_{label}", outputs.numbers[:, index]


def _delimited(columns: Mapping[str, Column], separator: str) -> Target:
    """One 0/1 column per label that stands in a cell of the only column."""
    if len(columns) != 1:
        raise SpecError(
            f"data.separator divides the labels of one target column, and {len(columns)} are given",
            cure="leave separator out (columns of 0 and 1), or name one column",
        )
    (name, column), *_ = columns.items()
    index, cells = occurring(column)
    empty = column.missing
    parts = [labels_in(cell, separator) for cell in cells]
    labels_of_cell = [() if blank else parts[at] for at, blank in enumerate(_empty_cells(index, empty, len(cells)))]
    names = list(dict.fromkeys(part for part_of in labels_of_cell for part in part_of))
    if not names:
        raise DataError(f"no cell of the target {shown(name)} names a label", cure="choose another target")
    labels = [names[at] for at in ranks(names)[0]]
    place = {label: at for at, label in enumerate(labels)}
    of_cell = np.zeros((len(cells), len(labels)), dtype=np.float32)
    for row, part_of in enumerate(labels_of_cell):
        of_cell[row, [place[part] for part in part_of]] = 1.0
    values = of_cell[index]
    return Target(values, tuple(labels), (*_counted(name, labels, values), *_one_sided(tuple(labels), values)))


def _empty_cells(index: np.ndarray, empty: np.ndarray, cells: int) -> np.ndarray:
    is_empty = np.zeros(cells, dtype=bool)
    is_empty[index[empty]] = True
    return is_empty


def _counted(name: str, labels: list[str], values: np.ndarray) -> list[Finding]:
    listed = ", ".join(shown(label) for label in labels[:12]) + (" ..." if len(labels) > 12 else "")
    without = int((values.sum(axis=1) == 0).sum())
    bare = f"; {counted(without, 'row')} without any" if without else ""
    message = f"{shown(name)} holds {counted(len(labels), 'label')}, {values.sum(1).mean():.3g} per row{bare}: {listed}"
    return [Finding("target-labels", "info", message)]


def _cells(column: Column) -> np.ndarray:
    """0.0, 1.0, or NaN for a cell that is neither."""
    if column.levels is None:
        return np.where((column.values == 0) | (column.values == 1), column.values, np.nan)
    meant = np.array([MEANS.get(level.casefold(), np.nan) for level in column.levels])
    cells: np.ndarray = meant[column.values]
    return cells


def _stray(name: str, column: Column, cells: np.ndarray) -> Problem:
    rows = np.flatnonzero(np.isnan(cells))
    given = column.values[rows[0]]
    text = column.levels[int(given)] if column.levels is not None else label_of(given)
    return Problem(
        f"a cell of the multilabel target {shown(name)} must be 0 or 1, and {shown(text)} is neither "
        f"({len(rows)} such cells)",
        place_of(column, rows[0]),
        f"set {sign('separator', separator)} for several labels in one cell"
        if (separator := next((character for character in SEPARATORS if character in str(text)), None))
        else "give one column of 0 and 1 per label; for one column of labels use task: multiclass, or data.separator",
    )


def _one_sided(names: tuple[str, ...], values: np.ndarray) -> list[Finding]:
    share = values.mean(axis=0)
    return [
        Finding(
            "label-never-positive" if part == 0 else "label-always-positive",
            "warning",
            f"the label {shown(name)} is {'never' if part == 0 else 'always'} positive: nothing can be learned of it",
            "leave this column out of data.target",
        )
        for name, part in zip(names, share, strict=True)
        if part in (0, 1)
    ]


tasks.put("multilabel", Multilabel())
