"""Sources: where a table comes from. One file per kind; a source is its options and a way to read them.

Adding a source is one file: a subclass of `Source` under the decorator `source`. Its fields are the keys
that stand beside `source:` in a spec; `--data` knows it by the endings of its files, or the names of its data sets.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from losscli.data.corrupt import Corruption
from losscli.data.dataset import Table
from losscli.data.encoding import Encoding
from losscli.errors import Finding, shown
from losscli.options import Seed, Share, Strict
from losscli.shelf import Shelf
from losscli.tasks import TargetOptions, Transform
from losscli.tasks.guess import Guess
from losscli.tasks.labels import as_label
from losscli.tasks.shapes import Mixture

TEST = 0.15
Named = Annotated[str, Field(min_length=1)]
Label = str | bool | int | float  # as YAML has it: 1 and true name labels, too


class Split(Strict):
    """How rows are divided: at random, anew with each run's seed, unless another key says otherwise.

    `valid` is the share of rows that choose when to stop and what to keep. `test` is the share of rows that judge. `repeats` is
    how often rows are divided into folds anew.

    `group` is a column no value of which may stand in two splits. `time` is a column of numbers or dates: training rows
    come before valid rows, and those before test rows. `column` tells each row's split; `labels` says which of its values
    mean train, valid and test where they have other names. `folds` makes each seed a fold: seed s tests on fold s % folds
    of the division number s // folds. `classes` is the share of the classes that are new to the test split: all their rows
    are its, and none is trained on; valid rows are drawn from the other classes. `feature` keeps the columns of `group`, `time`
    and `column` among the features.

    `stratify` keeps the shares of the classes alike in all splits; null does so where each row has one class. `seed` makes
    the split of every run that of this seed.
    """

    valid: Share = 0.15
    test: Share = TEST
    stratify: bool | None = None
    seed: Seed | None = None
    group: Named | None = None
    time: Named | None = None
    column: Named | None = None
    labels: dict[Literal["train", "valid", "test"], Named] = Field(default_factory=dict)
    folds: Annotated[int, Field(ge=2, le=1000)] | None = None
    classes: Share | None = None
    repeats: Annotated[int, Field(ge=1, le=1000)] | None = None
    feature: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Split:
        ways = [key for key in ("group", "time", "column", "folds", "classes") if getattr(self, key) is not None]
        if len(ways) > 1 and ways != ["group", "folds"]:
            raise ValueError(
                f"rows are divided in one way, and {' and '.join(ways)} are two (group and folds go together)"
            )
        self._refuse_idle_keys()
        test = 1 / self.folds if self.folds else self.classes or self.test
        if self.valid + test >= 1:
            which = f"valid and the test fold (1/{self.folds})" if self.folds else "valid and test"
            raise ValueError(f"{which} must leave rows to train on: {self.valid:g} + {test:g} is not below 1")
        return self

    def _refuse_idle_keys(self) -> None:
        """A key that would say nothing beside the others is a misunderstanding."""
        idle = {
            "repeats": (self.repeats is not None and not self.folds, "repeats how rows are divided into folds"),
            "labels": (bool(self.labels) and not self.column, "names the values of column"),
            "feature": (self.feature and not self.columns, "is about the column that splits"),
            "seed": (
                self.seed is not None and bool(self.folds or self.time),
                "fixes what is drawn, and with folds the runs' seeds are the folds"
                if self.folds
                else "fixes what is drawn, and time draws nothing",
            ),
            "stratify": (
                self.stratify is True and bool(self.group or self.time or self.column),
                "keeps the classes' shares, which group, time and column decide by themselves",
            ),
            "test": (
                self.test != TEST and bool(self.folds or self.column or self.classes),
                f"is a share, and {'the folds' if self.folds else 'the column' if self.column else 'classes'} tell what is "
                "tested on",
            ),
        }
        for key, (given, why) in idle.items():
            if given:
                raise ValueError(f"{key} {why}: leave {key} out")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that decide which split a row is in."""
        return tuple(name for name in (self.group, self.time, self.column) if name is not None)

    @property
    def kind(self) -> Literal["random", "group", "time", "column", "folds", "classes"]:
        """What divides the rows, in a word; folds may be of groups."""
        if self.folds:
            return "folds"
        if self.classes:
            return "classes"
        return "group" if self.group else "time" if self.time else "column" if self.column else "random"

    @property
    def resampled(self) -> bool:
        """Whether runs of different seeds are tested on different rows; if not, every seed has the same split."""
        return self.seed is None and self.kind not in ("time", "column")

    @property
    def seeds(self) -> int:
        """How many seeds a spec has that names none: one, or one for each fold of each repetition."""
        return self.folds * (self.repeats or 1) if self.folds else 1

    def refuses(self, seeds: Sequence[int]) -> str | None:
        """Why these seeds are not all the folds, if so. Without `repeats`, any number of whole divisions will do."""
        complete = self.folds and len(seeds) % self.folds == 0 and (self.repeats is None or len(seeds) == self.seeds)
        if not self.folds or (complete and sorted(seeds) == list(range(len(seeds)))):
            return None
        times = f", {self.repeats} times" if self.repeats else ""
        return f"each of the {self.folds} folds{times} is a seed, which makes {self.seeds} seeds, 0 to {self.seeds - 1}"

    def seed_of(self, seed: int) -> int:
        """The seed that divides the rows for a run of `seed`."""
        return seed if self.resampled else self.seed or 0


class Source(Strict):
    """What every source has; a subclass adds its own options.

    `source` is which kind of source it is. `split` is how rows are divided, anew with each seed unless a key says otherwise.
    `corrupt` is damage on purpose, to the training split only. `encode` is how columns become numbers.

    `positive` is the label that counts as yes (binary). `order` is the labels from the lowest to the highest (multiclass).
    `separator` is what stands between the labels of one cell (multilabel). `transform` is what numbers are learned as, metrics
    stay in the user's units (regression). `standardise` is whether they have mean 0 and sd 1 for the loss (regression).
    `counts` is whether target columns hold counts, such as votes, that become shares (distribution).
    `pairs` are two prefixes: a row is a pair, whose halves are the columns that begin with each; the target says whether they
    are the same or different (embedding).
    """

    source: str
    endings: ClassVar[tuple[str, ...]] = ()  # of the files that it reads
    loose_endings: ClassVar[tuple[str, ...]] = ()  # those of them that notes beside a table have, too
    nature: ClassVar[str] = "a set that one can name"  # what a title is, to somebody who named no data
    identity: ClassVar[tuple[str, ...] | None] = None  # the keys that tell which rows these are; None: all

    split: Split = Split()
    corrupt: Corruption = Corruption()
    encode: Encoding = Encoding()
    positive: Label | None = None
    order: Annotated[list[Label], Field(min_length=2)] | None = None
    separator: Annotated[str, Field(min_length=1, max_length=10)] | None = None
    transform: Transform = "none"
    standardise: bool = True
    counts: bool = False
    pairs: Annotated[list[Named], Field(min_length=2, max_length=2)] | None = None

    @field_validator("order")
    @classmethod
    def _names_no_label_twice(cls, order: list[Label] | None) -> list[Label] | None:
        named = [as_label(label) for label in order or []]
        twice = [label for at, label in enumerate(named) if label in named[:at]]
        if twice:
            raise ValueError(
                f"order names {shown(twice[0])} twice: give each label once, from the lowest to the highest"
            )
        return order

    def target_options(self) -> TargetOptions:
        """How the target columns are meant."""
        order = None if self.order is None else tuple(as_label(label) for label in self.order)
        positive = None if self.positive is None else as_label(self.positive)
        pairs = None if self.pairs is None else tuple(self.pairs)
        return TargetOptions(positive, order, self.separator, self.transform, self.standardise, self.counts, pairs)

    @property
    def lacks_target(self) -> bool:
        """Whether no column is to be predicted, which only some tasks do without."""
        return False

    @property
    def mixture(self) -> Mixture | None:
        """What its rows are drawn from, where that is known."""
        return None

    @classmethod
    def data_sets(cls) -> Sequence[str]:
        """The data sets that have names of their own, each a value of the key `name`."""
        return ()

    @classmethod
    def keys_of(cls, path: str) -> dict[str, Any]:
        """What `--data FILE` says beside the source."""
        return {"path": path}

    @abstractmethod
    def read(self, folder: Path) -> Table:
        """The table; `folder` is what relative paths are relative to. Raises `DataError` with places."""

    @abstractmethod
    def title(self) -> str:
        """What tables and records call the data: a file's stem, a generator's or a data set's name."""

    def natural_task(self, folder: Path = Path()) -> str | None:
        """The task that the data are made for, where they tell; a table in a file may be read for it."""
        guess = self.guess(folder)
        return None if guess is None else guess.task

    def guess(self, folder: Path) -> Guess | None:
        """The task that the values of the target tell, and why; None where nothing needs to be guessed, or can be."""
        return None

    def memory_limit(self) -> int | None:
        """Bytes of memory that the table and its encoded copies may take; None: as many as they need."""
        return None

    def changes(self) -> list[Finding]:
        """What has changed since the table was read; asked for when the training is done."""
        return []


sources: Shelf[type[Source]] = Shelf(__name__, "source")
source = sources.register  # the decorator
PLAIN = "csv"  # the one that reads a file, or a folder, whose endings tell nothing


def named() -> dict[str, str]:
    """The source of each data set that has a name."""
    return {name: kind for kind in sorted(sources.names()) for name in sources.get(kind).data_sets()}


def all_endings() -> list[str]:
    """Those of every file that some source reads."""
    return [ending for kind in sorted(sources.names()) for ending in sources.get(kind).endings]


def kinds_of(path: Path) -> list[str]:
    """The sources that read a file by its ending, or files of a folder; a note beside them makes no other kind.

    Raises `OSError` for a folder that cannot be read.

    >>> kinds_of(Path("titanic.CSV")), kinds_of(Path("notes.txt")), kinds_of(Path("moons"))
    (['csv'], ['csv'], [])
    """
    suffixes = {file.suffix.casefold() for file in (path.iterdir() if path.is_dir() else [path])}
    kinds = {kind: sources.get(kind) for kind in sorted(sources.names())}
    sure = [name for name, kind in kinds.items() if suffixes & (set(kind.endings) - set(kind.loose_endings))]
    return sure or [name for name, kind in kinds.items() if suffixes & set(kind.loose_endings)]
