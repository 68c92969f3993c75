"""What the sources of tables have in common: which files, which columns, what each becomes, and what is left out and why."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, PrivateAttr, field_validator, model_validator

from losscli.data.dataset import Table
from losscli.data.dates import PARTS
from losscli.data.delimited import choose_column
from losscli.data.files import File, FileState, files_of
from losscli.data.gather import Raw, RawColumns
from losscli.data.holes import with_features, with_targets
from losscli.data.infer import ColumnOptions, Kind
from losscli.data.roles import Roles
from losscli.data.sources import Source
from losscli.data.store import Store, bytes_of, half_of_memory, sized
from losscli.errors import DataError, Finding, counted, shown
from losscli.tasks import Column
from losscli.tasks.guess import Guess, guess_task
from losscli.tasks.labels import label_of

if TYPE_CHECKING:
    import pyarrow as pa

FEW_LEVELS, MOST_LEVELS = 10, 1000  # a category of more levels than half the rows, within these bounds, is left out
FAR = 2.0**64  # a weight beyond it: its product with a loss, and the sum of many, would leave float32
Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True)
class Dialect:
    """How the texts of a file are written, so that what is added is written alike."""

    delimiter: str = ","
    decimal: str = "."
    missing: tuple[str, ...] = ()


class Tabular(Source):
    """A table in a file, in several with the same columns, or in a folder of such part files; paths are relative to the spec.

    `path` is a file, a list of files, or a folder. `target` is a column, or a list of columns; a task that predicts nothing
    (gan) does without. `drop` are columns that are
    left out. `missing_target` is what to do where a row has no target. `types` says what a column is where it is not plain:
    number, category, boolean, text or ignore (both left out), or date, which becomes numbers: year, month, day, weekday, days
    since 1970-01-01, and hour where there are times. `day_first` says whether 03/04/2024 is a day of April. `missing` lists the
    texts that mean that there is no value, `missing_in` further ones by column, numbers however they are written. `weight` is a
    column that says how much each row counts in the loss (metrics count all rows alike). `exposure` is a column of numbers
    above 0 that says how long, or among how many, a row's events were counted: its logarithm is added to the log-rate
    (regression, losses of counts). `offset` is a column of such logarithms. `memory` is how much of it the table and its
    encoded rows may take, "2GB" (null: half of what there is): beyond that, rows are encoded as they are needed, and the
    columns of a Parquet table lie on disk.
    """

    path: Text | Annotated[list[Text], Field(min_length=1)]
    target: Text | Annotated[list[Text], Field(min_length=1)] | None = None
    drop: list[str] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    missing_in: dict[str, list[str]] = Field(default_factory=dict)
    missing_target: Literal["error", "drop"] = "error"
    types: dict[str, Kind] = Field(default_factory=dict)
    day_first: bool | None = None
    weight: str | None = None
    exposure: Text | None = None
    offset: Text | None = None
    memory: Text | None = None

    identity: ClassVar[tuple[str, ...] | None] = ("target", "positive", "separator", "corrupt")
    _watched: FileState = PrivateAttr(default_factory=FileState)
    _read: dict[Path, Table] = PrivateAttr(
        default_factory=dict
    )  # a table that was read to guess the task, until it is used

    @field_validator("path")
    @classmethod
    def _is_local(cls, path: str | list[str]) -> str | list[str]:
        for file in [path] if isinstance(path, str) else path:
            if "://" in file:
                raise ValueError(f"path must be a local file, got {shown(file)}: download it first")
        return path

    @field_validator("memory")
    @classmethod
    def _is_a_size(cls, memory: str | None) -> str | None:
        if memory is not None:
            bytes_of(memory)
        return memory

    @field_validator("missing_in", mode="before")
    @classmethod
    def _is_of_texts(cls, missing: object) -> object:
        """-999 in a list is the text of it."""
        if not isinstance(missing, dict) or not all(isinstance(items, list) for items in missing.values()):
            return missing
        return {
            name: [label_of(float(item)) if type(item) in (int, float) else item for item in items]
            for name, items in missing.items()
        }

    @model_validator(mode="after")
    def _keeps_its_targets(self) -> Tabular:
        ignored = {*self.drop, *(name for name, kind in self.types.items() if kind in ("ignore", "text"))}
        lost = [name for name in self.targets if name in ignored]
        if lost:
            raise ValueError(
                f"the target {shown(lost[0])} is also to be left out (drop, types): take it out there, or name another"
            )
        if len(set(self.targets)) < len(self.targets):
            raise ValueError("target names a column twice")
        if self.weight is not None and self.weight in {*self.targets, *ignored}:
            raise ValueError(f"the weight {shown(self.weight)} is also a target, or to be left out")
        if self.exposure is not None and self.offset is not None:
            raise ValueError(
                "exposure and offset are both given, and offset is the logarithm of exposure: leave one out"
            )
        if self.offset_name in {*self.targets, self.weight, *ignored} - {None}:
            raise ValueError(
                f"the {self.offset_key} {shown(self.offset_name)} is also a target or weight, or to be left out"
            )
        dated = [
            name for name in (*self.targets, self.weight, self.offset_name) if name and self.types.get(name) == "date"
        ]
        if dated:
            raise ValueError(
                f"{shown(dated[0])} cannot be a date: a target, weight or exposure is one column, and a date becomes several"
            )
        return self

    @property
    def offset_name(self) -> str | None:
        """The column of the exposure, or of its logarithm."""
        return self.exposure if self.exposure is not None else self.offset

    @property
    def offset_key(self) -> str:
        """Which of the two keys names it."""
        return "exposure" if self.exposure is not None else "offset"

    @property
    def targets(self) -> list[str]:
        return [self.target] if isinstance(self.target, str) else self.target or []

    @property
    def lacks_target(self) -> bool:
        return self.target is None

    @property
    def paths(self) -> list[str]:
        return [self.path] if isinstance(self.path, str) else self.path

    def title(self) -> str:
        return Path(self.paths[0]).stem

    def read(self, folder: Path) -> Table:
        """The table, every value checked. Raises `DataError` with as many mistakes as one reading can find."""
        table = self._read.pop(Path(os.path.realpath(folder)), None)
        return self._table(folder) if table is None else table

    def guess(self, folder: Path) -> Guess:
        """The task that the targets tell, and why. The table is kept for the `read` that follows."""
        place = Path(os.path.realpath(folder))
        if place not in self._read:
            self._read[place] = self._table(folder)
        return guess_task(self._read[place].targets, self.target_options())

    def memory_limit(self) -> int:
        return half_of_memory() if self.memory is None else bytes_of(self.memory)

    def changes(self) -> list[Finding]:
        return self._watched.changes()

    @abstractmethod
    def gathered(self, files: Sequence[File], left_out: set[str], as_text: set[str], state: FileState) -> RawColumns:
        """The columns of the files; those `left_out` are not read, those `as_text` are texts whatever they hold."""

    def headings(self, file: File) -> tuple[str, ...]:
        """The names of the columns of a file; a source that can do so reads no row."""
        return self.gathered([file], set(), set(), FileState()).names

    def dialect(self) -> Dialect:
        """How the texts of the files are written."""
        return Dialect()

    def as_written(self, files: Sequence[File]) -> pa.Table:
        """The columns of the files as they stand there, for predictions to be put beside them."""
        import pyarrow as pa

        gathered = self.gathered(files, set(), set(), FileState())
        columns = {name: gathered.columns[name] for name in gathered.names}
        return pa.table({name: _values(raw) for name, raw in columns.items()})

    def column_options(self, name: str, rows: int) -> ColumnOptions:
        """How a column is to be understood."""
        kind = self.types.get(name)
        free = kind == "category" or name in (
            *self.targets,
            self.weight,
            self.offset_name,
            *self.encode.embedding.columns,
        )
        most = None if free else max(FEW_LEVELS, min(rows // 2, MOST_LEVELS))
        parts = name not in (*self.targets, self.weight)
        missing = [*self.missing, *self.missing_in.get(name, ())]
        return ColumnOptions(kind, most, parts=parts, missing=missing, day_first=self.day_first)

    def _table(self, folder: Path) -> Table:
        files, findings = files_of(folder, self.paths, self.endings)
        split_columns = set(self.split.columns)
        left_out = {*self.drop, *(name for name, kind in self.types.items() if kind == "ignore")} - split_columns
        as_text = {name for name, kind in self.types.items() if kind not in ("number", "ignore")} | split_columns
        gathered = self.gathered(files, left_out, as_text, self._watched)
        self._refuse_unknown(gathered.names, files[0].name)
        if gathered.blank_lines:
            message = f"{gathered.blank_lines} blank lines of {shown(self.paths[0])} were skipped"
            findings.append(Finding("blank-lines", "info", message))
        store, store_findings = self._store(gathered)
        roles = Roles(self, gathered, store)
        roles.sort()
        del gathered
        weight = roles.weight
        table = Table(
            self.title(),
            roles.features,
            roles.targets,
            (*roles.findings, *findings, *store_findings),
            None if weight is None else _weights(self.weight or "", weight),
            roles.keys,
            roles.stories,
            roles.exposure,
        )
        if self.separator is None and table.targets:  # with one, an empty cell names no label, and lacks nothing
            table = with_targets(table, self.missing_target, files[0].name)
        return with_features(table, self.encode.missing.rows, files[0].name)

    def _store(self, gathered: RawColumns) -> tuple[Store | None, list[Finding]]:
        """Where columns are kept that memory has no room for; None if it has. What was read at once is in memory already."""
        size, limit = 8 * gathered.rows * len(gathered.columns), self.memory_limit()
        if size <= limit:
            return None, []
        large = f"the table takes {sized(size)} in memory, and data.memory is {sized(limit)}"
        if gathered.at_once:
            cure = "write it as Parquet: its columns can lie on disk; or raise data.memory, if there is more"
            return None, [Finding("memory", "warning", large, cure)]
        store = Store(size)
        message = f"{large}: its columns lie in a temporary file in {shown(str(store.folder))}"
        return store, [Finding("on-disk", "info", message, "with a larger data.memory, columns stay in memory")]

    def _refuse_unknown(self, names: Sequence[str], file: str) -> None:
        keys: dict[str, Collection[str]] = {
            "target": self.targets,
            "drop": self.drop,
            "types": self.types,
            "missing_in": self.missing_in,
            "weight": [self.weight] if self.weight is not None else [],
            self.offset_key: [self.offset_name] if self.offset_name is not None else [],
            "split": self.split.columns,
        }
        for key, named in keys.items():
            for name in named:
                if key != "drop" or name.rpartition(".")[0] not in names or name.rpartition(".")[2] not in PARTS:
                    choose_column(name, names, f"data.{key}", file)


def _values(raw: Raw) -> Any:
    """A column's values for pyarrow: whole numbers as such, null where there is none."""
    import pyarrow as pa

    if raw.numbers is None:
        return raw.texts.cast(pa.string()) if raw.texts is not None else pa.nulls(0)
    whole = np.isnan(raw.numbers) | (raw.numbers == np.floor(raw.numbers))
    values = pa.array(raw.numbers, from_pandas=True)  # NaN is null
    return values.cast(pa.int64()) if whole.all() else values


def _weights(name: str, column: Column) -> np.ndarray:
    """float32 [N], every one a number >= 0 and some of them above it.

    A mean divides by their sum, so the same power of two for all of them changes no bit: it brings far ones within float32.
    """
    if column.is_category:
        raise DataError(f"the weight {shown(name)} must be a column of numbers", cure="choose another data.weight")
    wrong = np.flatnonzero(~(column.values >= 0))
    if len(wrong):
        given = column.values[wrong[0]]
        description = "is missing" if np.isnan(given) else f"is {given:g}"
        place = column.origin.place(int(wrong[0])) if column.origin else None
        raise DataError(
            f"a weight must be a number >= 0, and one {description} ({counted(len(wrong), 'row')})",
            place=place,
            cure="mend it",
        )
    if not column.values.any():
        raise DataError(
            f"the weights {shown(name)} are all zero: no row would count", cure="choose another data.weight"
        )
    values = np.asarray(column.values, dtype=np.float64)
    largest, least = values.max(), values[values > 0].min()
    if largest > FAR or least < 1 / FAR:
        values = np.ldexp(values, -int(np.frexp(largest)[1]))
    return values.astype(np.float32)
