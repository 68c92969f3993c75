"""What the data become on their way to a model: a Table as it was read, a Dataset per seed as it is trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from losscli.data.exposure import Exposure
from losscli.data.stream import Stream
from losscli.errors import Finding, Place, listed, shown
from losscli.tasks import Column, Target, TargetScale, Task
from losscli.tasks.shapes import Mixture

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class ColumnStory:
    """What became of one column of the user's table, and why: for people to read.

    `kind` is what its values are: number, category, boolean, date, text, row numbers, id, or empty. `role` is what it
    serves: feature, target, weight ..., or left out. `why` is half a sentence: "all values are numbers". `distinct` counts the
    different values besides missing ones (None: not counted), `example` is the first value as it stood in the file.
    `parts` names the features that it was turned into, where they are others than itself (a date's year, month ...);
    `day_first` is how 03/04/2024 was read, None where no date is written so; `unit` is what was taken off
    numbers: a currency, a percent sign, kg.
    """

    name: str
    kind: str
    role: str
    why: str
    distinct: int | None
    missing: int
    example: str | None = None
    parts: tuple[str, ...] = ()
    day_first: bool | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Table:
    """Columns of equal length as a source gives them; features and target apart, nothing computed from them yet."""

    name: str
    features: Mapping[str, Column]
    targets: Mapping[str, Column]
    findings: tuple[Finding, ...] = ()
    weight: np.ndarray | None = None  # float32 [N]: how much each row counts in a loss
    keys: Mapping[str, Column] = field(default_factory=dict)  # categories that a source set apart: they split the rows
    columns: Mapping[str, ColumnStory] = field(
        default_factory=dict
    )  # of every column of a file, also of those left out

    exposure: Exposure | None = None  # of counts that are not all of the same time, or of as many
    mixture: Mixture | None = None  # what the rows were drawn from, where that is known

    @property
    def rows(self) -> int:
        return len(next(iter((self.targets or self.features).values())).values)

    def for_task(self, task: Task) -> Table:
        """The table as the task sees it. Where nothing is predicted, the features are what is learned, and a target, which
        is no part of it, is left aside.

        >>> from losscli.tasks import tasks
        >>> table = Table("two", {"x": Column(np.zeros(2))}, {"y": Column(np.ones(2))})
        >>> list(table.for_task(tasks.get("gan")).targets), list(table.for_task(tasks.get("regression")).targets)
        (['x'], ['y'])
        """
        if task.has_target:
            return self
        named = [story.name for story in self.columns.values() if story.name in self.targets]
        aside = [_aside(task, named)] if named else []
        return replace(self, features={}, targets=self.features, findings=(*self.findings, *aside))

    @property
    def place(self) -> Place | None:
        """The file that the target was read from, if it was read from one."""
        origin = next(iter((self.targets or self.features).values())).origin
        return None if origin is None else Place(origin.file)


def _aside(task: Task, names: Sequence[str]) -> Finding:
    message = (
        f"task {task.name} learns the other columns: the target {listed([shown(name) for name in names])} is left aside"
    )
    return Finding("target-aside", "info", message, "leave target out if it is to be learned, too")


@dataclass(frozen=True)
class Layout:
    """What the columns of a feature matrix [N, F] are: the logarithm of an exposure if there is an `offset`, which goes around
    the network; `plain` numbers, then one column of codes per embedded category.

    `codes` says how many codes each of those has (0 is what training never saw), `sizes` into how many numbers a network
    turns it. Codes are whole numbers in float32, which is exact up to 2^24.
    """

    plain: int
    codes: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    offset: bool = False

    @property
    def columns(self) -> int:
        """F: the columns of the matrix."""
        return self.behind + len(self.codes)

    @property
    def behind(self) -> int:
        """Where the plain numbers end."""
        return self.offset + self.plain

    @property
    def width(self) -> int:
        """The numbers per row that a network works on, once codes are looked up."""
        return self.plain + sum(self.sizes)

    @classmethod
    def widest(cls, layouts: Iterable[Layout]) -> Layout:
        """One that has room for all of these; sizes come from the table, so they are the same in all of them.

        >>> Layout.widest([Layout(3, (5, 2), (4, 4)), Layout(2, (6, 2), (4, 4))])
        Layout(plain=3, codes=(6, 2), sizes=(4, 4), offset=False)
        """
        members = list(layouts)
        codes = tuple(max(counts) for counts in zip(*(layout.codes for layout in members), strict=True))
        return cls(max(layout.plain for layout in members), codes, members[0].sizes, members[0].offset)


def rows_that_count(weight: np.ndarray) -> np.ndarray | slice:
    """The places of the rows that count: those of weight 0 are as good as absent. All where fewer than two count, which
    would tell no spread.

    >>> rows_that_count(np.array([0.0, 2.0, 1.0])).tolist(), rows_that_count(np.ones(3)), rows_that_count(np.zeros(3))
    ([1, 2], slice(None, None, None), slice(None, None, None))
    """
    places = np.flatnonzero(weight)
    return places if 1 < len(places) < len(weight) else slice(None)


@dataclass(frozen=True)
class Part:
    """One split: features float32 [N, F], target as `tasks.Target.values` says (regression: standardised, float32).

    The features may be a `Stream`, which encodes rows when they are asked for.
    `weight` float32 [N] is how much each row counts in the loss; None where all count alike. `index` int64 [N] is each
    row's place in the table. Where `data.corrupt` changed targets on purpose, `clean` are those from before, and
    `flipped` bool [N] tells which rows differ. `units` float64 [N, ...] is a regression's target in the user's units. `exposure`
    float64 [N] is that of each row, beside the mean of the training rows.
    """

    features: np.ndarray | Stream
    target: np.ndarray
    weight: np.ndarray | None = None
    index: np.ndarray | None = None
    clean: np.ndarray | None = None
    flipped: np.ndarray | None = None
    units: np.ndarray | None = None
    exposure: np.ndarray | None = None

    @property
    def truth(self) -> np.ndarray:
        """The target [N, ...] as metrics take it: in the user's units where it has units."""
        return self.target if self.units is None else self.units

    @property
    def rows(self) -> int:
        return len(self.target)

    @property
    def counted_target(self) -> np.ndarray:
        """The target of the rows whose weight is not 0: what counts of classes, scales and encodings are learned from."""
        return self.target if self.weight is None else self.target[rows_that_count(self.weight)]


@dataclass(frozen=True)
class Dataset:
    """One seed's data: three encoded splits and the state of the encoder that was fitted on the training split.

    Datasets of different seeds may differ in the sizes of their splits (groups, folds, rows that were taken away): their
    runs make different stacks. They may also differ in the number of features (a rare category that one training split
    lacks); the stack pads the narrower ones with zeros. `damage` counts what `data.corrupt` did to the training split,
    by its kinds: so many, of so many.
    """

    name: str
    seed: int  # the seed that split the table: `split.seed` if the spec gives one, else the run's own
    parts: Mapping[str, Part]  # by SPLITS
    target: Target  # labels and findings; its values are those of the whole table, in the user's units
    scale: TargetScale | None  # regression only
    encoder: Mapping[str, Any]  # plain JSON: enough to encode new rows
    findings: tuple[Finding, ...] = field(default=())
    embedded: tuple[int, ...] = ()  # how many codes each of the last columns of the features has
    sizes: tuple[int, ...] = ()  # and into how many numbers a network turns each
    damage: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def features(self) -> int:
        return int(self.parts["train"].features.shape[1])

    @property
    def layout(self) -> Layout:
        """What the columns of the features are."""
        offset = any(column["kind"] == "offset" for column in self.encoder.get("columns", ()))
        return Layout(self.features - len(self.embedded) - offset, self.embedded, self.sizes, offset)
