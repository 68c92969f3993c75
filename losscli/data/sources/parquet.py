"""Tables in Parquet files, whose columns have types: what a type says is believed, what CSV would refuse is refused."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from losscli.data.delimited import MOST_COLUMNS, refuse_other_columns
from losscli.data.files import File, FileOrigin, FileState
from losscli.data.gather import Raw, RawColumns
from losscli.data.opening import opened
from losscli.data.sources import source
from losscli.data.store import sized
from losscli.data.tabular import Tabular
from losscli.data.typed import kind_of, raw_of
from losscli.errors import DataError, Place, setting, shown
from losscli.tasks import Origin

if TYPE_CHECKING:
    import pyarrow as pa

MARK = b"PAR1"  # how a Parquet file begins and ends
PIECE = 1 << 24
LOOKED_AT = 1 << 10  # bytes that tell whether a file is text
LEAST = 1 << 28  # bytes that a column may take while it is read, however little data.memory is
ROW = 24  # bytes of each row while a column is read: the row's number, the value as pyarrow has it and as numpy


@source("parquet")
class Parquet(Tabular):
    """Parquet. In places of values the number after the file is the row, from 1. Null, NaN and empty text mean missing.

    Texts are categories even where they look like numbers, decimals are numbers, booleans are categories; dates and
    timestamps need `types: {column: date}`. Lists, structs, maps, binary data, times and durations are refused.
    """

    source: Literal["parquet"] = "parquet"
    missing: list[str] = Field(default_factory=lambda: [""])

    endings: ClassVar[tuple[str, ...]] = (".parquet", ".pq")

    def headings(self, file: File) -> tuple[str, ...]:
        return tuple(_open(file, FileState()).schema_arrow.names)

    def as_written(self, files: Sequence[File]) -> pa.Table:
        import pyarrow as pa

        parts = [_open(file, FileState()) for file in files]
        self._refuse_too_large(files, parts, set())
        table = pa.concat_tables([part.read() for part in parts], promote_options="permissive")
        size = sum(_length(column) for column in table.columns)
        if size > self.memory_limit():
            message = f"the columns take {sized(size)} as texts, and data.memory is {sized(self.memory_limit())}"
            raise DataError(message, place=Place(files[0].name), cure="predict without the columns of the file")
        return pa.table({name: _plain(table.column(name)) for name in table.column_names})

    def gathered(
        self, files: Sequence[File], left_out: set[str], as_text: set[str], file_state: FileState
    ) -> RawColumns:
        parts = [_open(file, file_state) for file in files]
        names = tuple(parts[0].schema_arrow.names)
        for file, part in zip(files, parts, strict=True):
            _check_names(names, part.schema_arrow.names, files[0].name, file.name)
        counts = [part.metadata.num_rows for part in parts]
        if not sum(counts):
            raise DataError("the table has 0 rows", place=Place(files[0].name))
        self._refuse_too_large(files, parts, left_out)
        firsts = np.cumsum([0, *counts[:-1]])
        lines = np.arange(sum(counts)) - np.repeat(firsts, counts) + 1
        origin = FileOrigin.of(files, 1, lines, firsts.tolist())
        places = {name: index for index, name in enumerate(names, start=1) if name not in left_out}
        return RawColumns(names, _Columns(files, parts, places, origin, as_text), sum(counts), at_once=False)

    def _refuse_too_large(self, files: Sequence[File], parts: Sequence[Any], left_out: set[str]) -> None:
        """By what the files declare, before anything of it is made: a few bytes may stand for any number of rows."""
        limit, rows = self.memory_limit(), sum(part.metadata.num_rows for part in parts)
        for file, part in zip(files, parts, strict=True):
            sizes = {name: size for name, size in _sizes(part.metadata).items() if name not in left_out}
            name = max(sizes, key=sizes.__getitem__, default="")
            size = max(sizes.get(name, 0), rows * ROW)
            if size > max(limit, LEAST):
                column = f"a column of {rows} rows" if size == rows * ROW else f"the column {shown(name)}"
                message = f"reading {column} takes about {sized(size)} of memory, and data.memory is {sized(limit)}"
                cure = "raise data.memory if there is more, or take fewer rows"
                raise DataError(message, place=Place(file.name), cure=cure)


def _sizes(metadata: Any) -> dict[str, int]:
    """Of each column, how many bytes its pages declare to be once they are unpacked, and its name."""
    sizes: dict[str, int] = {}
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            sizes[column.path_in_schema] = sizes.get(column.path_in_schema, 0) + column.total_uncompressed_size
    return sizes


def _length(column: Any) -> int:
    """Bytes that a column takes with every text written out."""
    import pyarrow.compute as pc
    from pyarrow import types

    if not (types.is_dictionary(column.type) and column.type.value_type in ("string", "large_string")):
        return int(column.nbytes)
    lengths = (pc.take(pc.binary_length(chunk.dictionary), chunk.indices) for chunk in column.chunks)
    return sum(pc.sum(pc.cast(part, "int64")).as_py() or 0 for part in lengths)


def _plain(column: Any) -> Any:
    return column.cast(_values_of(column.type))


def _values_of(kind: Any) -> Any:
    """The type of what a column holds, whether each value is kept once or in every row."""
    from pyarrow import types

    return kind.value_type if types.is_dictionary(kind) else kind


def _open(file: File, file_state: FileState) -> Any:
    """The file as pyarrow opens it; `DataError` for what is no Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet, types

    with opened(file.path, file.name) as stream:
        file_state.begin(file)
        first = stream.read(len(MARK))
        file_state.saw(file.name, first)
        if first != MARK:
            text = _is_text(first + stream.read(LOOKED_AT))
            cure = f"use {setting('source', 'csv')}" if text else "export the table as Parquet"
            state = "is empty" if not first else "does not begin like one"
            raise DataError(f"the file must be Parquet, and {state}", place=Place(file.name), cure=cure)
        while piece := stream.read(PIECE):
            file_state.saw(file.name, piece)
    try:
        schema = parquet.read_schema(file.path)
        texts = [field.name for field in schema if types.is_string(field.type) or types.is_large_string(field.type)]
        part = parquet.ParquetFile(file.path, read_dictionary=texts)  # a text is kept once, however many rows have it
        _check_counts(part.metadata)
    except (pa.ArrowException, OSError, ValueError) as failed:
        raise _damaged(file.name, failed) from None
    return part


def _check_counts(metadata: Any) -> None:
    """`ValueError` for rows that are fewer than none, or other ones in all than in the parts."""
    counts = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
    if min(counts, default=0) < 0 or sum(counts) != metadata.num_rows:
        raise ValueError(f"it declares {metadata.num_rows} rows, and {sum(counts)} in its parts")


def _is_text(data: bytes) -> bool:
    """Whether a file that begins so may be a text with a table in it."""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(data)  # the last character may be cut
    return bool(text) and "\ufffd" not in text and all(char.isprintable() or char in "\r\n\t" for char in text)


def _damaged(file: str, failed: Exception) -> DataError:
    reason = shown((str(failed).splitlines() or [""])[0].partition(". ")[0][:78])[1:-1]
    return DataError(f"the Parquet file is damaged: {reason}", place=Place(file), cure="write or copy it once more")


def _check_names(expected: Sequence[str], names: Sequence[str], first: str, file: str) -> None:
    refuse_other_columns(expected, names, first, Place(file))
    if len(names) > MOST_COLUMNS:
        raise DataError(f"the table has {len(names)} columns, and may have {MOST_COLUMNS}", place=Place(file))
    for index, name in enumerate(names):
        if not name.strip():
            raise DataError(f"column {index + 1} has no name", place=Place(file), cure="give each column a name")
        if name in names[:index]:
            raise DataError(f"two columns are called {shown(name)}", place=Place(file), cure="rename one")


@dataclass(frozen=True)
class _Columns(Mapping[str, Raw]):
    """Columns by their names, each read anew when it is looked up: one at a time is in memory."""

    files: Sequence[File]
    parts: Sequence[Any]
    places: Mapping[str, int]  # from 1
    origin: FileOrigin
    as_text: set[str]

    def __getitem__(self, name: str) -> Raw:
        origin = replace(self.origin, column=self.places[name])
        return _column(self.files, self.parts, name, origin, text=name in self.as_text)

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def _column(files: Sequence[File], parts: Sequence[Any], name: str, origin: Origin, *, text: bool) -> Raw:
    """One column of all parts."""
    import pyarrow as pa

    types = [part.schema_arrow.field(name).type for part in parts]
    kinds = [kind_of(file.name, name, kind) for file, kind in zip(files, types, strict=True)]
    if len(set(kinds)) > 1:
        odd = next(index for index, kind in enumerate(kinds) if kind != kinds[0])
        raise DataError(
            f"{shown(name)} has the type {_values_of(types[odd])} here, and {_values_of(types[0])} in {files[0].name}",
            place=Place(files[odd].name, None, None),
            cure="write the part files with the same types",
        )
    chunks = []
    for file, part in zip(files, parts, strict=True):
        try:
            chunks += part.read(columns=[name], use_threads=True).column(0).chunks
        except (pa.ArrowException, OSError) as failed:
            raise _damaged(file.name, failed) from None
    return raw_of(name, chunks, types[0], origin, text=text)
