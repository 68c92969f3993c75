"""The Parquet files of a record: what their columns are and how large they may be is looked at before a row is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 4_000_000
MOST_NUMBERS = 16_000_000  # in all lists of a column
WORDS = "dictionary<values=string, indices=int32, ordered=0>"
NUMBERS = "list<element: double>"


@dataclass(frozen=True)
class Schema:
    """Columns by name with the type that each must have; others may stand beside them if they are of one of those types."""

    columns: Mapping[str, str]
    kinds: tuple[str, ...] = ("int32", "int64", "double", "bool", WORDS, NUMBERS)


HISTORY = Schema(
    {
        "arena": "int32", "entry": WORDS, "seed": "int64", "epoch": "int32", "split": WORDS, "metric": WORDS,
        "value": "double",
    }
)  # fmt: skip
PREDICTIONS = Schema(
    {
        "arena": "int32", "entry": WORDS, "seed": "int64", "row": "int64", "truth": NUMBERS, "prediction": NUMBERS,
        "kind": WORDS, "low": NUMBERS, "high": NUMBERS,
    }
)  # fmt: skip
NULLABLE = ("low", "high", "value")


def read(data: bytes, schema: Schema) -> pa.Table:
    """The table of a Parquet file. Raises `ValueError` for what is none, or is not of the schema, or is too large.

    Words stay a dictionary and their numbers, whatever they are repeated: a few bytes of Parquet can stand for gigabytes.
    """
    from pyarrow import ArrowException, BufferReader, parquet

    try:
        file = parquet.ParquetFile(BufferReader(data))
        _require(file, schema)
        table = file.read()
        table.validate(full=True)
    except (ArrowException, OSError, OverflowError) as error:
        raise ValueError(f"is not a Parquet file ({error})"[:300]) from error
    for name in schema.columns:
        if name not in NULLABLE and table.column(name).null_count:
            raise ValueError(f"has no value in a row of its column {name!r}")
    return table


def lists(table: pa.Table, names: Sequence[str]) -> list[list[Any]]:
    """Those columns as lists, without a look at each word by itself: of millions of rows that takes a minute.

    >>> import pyarrow as pa
    >>> lists(pa.table({"split": pa.array(["a", "b", "a"]).dictionary_encode(), "n": [1, 2, 3]}), ["split", "n"])
    [['a', 'b', 'a'], [1, 2, 3]]
    """
    return [_list(table.column(name)) for name in names]


def _list(column: pa.ChunkedArray) -> list[Any]:
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        return [value for chunk in column.chunks for value in _numbers(chunk)]
    values: list[Any] = []
    for chunk in column.chunks:
        words = chunk.dictionary.to_pylist()
        values += [words[code] for code in chunk.indices.to_numpy().tolist()]
    return values


def _numbers(chunk: pa.Array) -> list[Any]:
    values: list[Any] = chunk.to_pylist() if chunk.null_count else chunk.to_numpy().tolist()
    return values


def _require(file: pa.parquet.ParquetFile, schema: Schema) -> None:
    """Of the file's own description: nothing has been read of its columns yet."""
    types = {field.name: _called(field.type) for field in file.schema_arrow}
    if len(types) != len(file.schema_arrow):
        raise ValueError("has two columns of one name")
    for name, kind in schema.columns.items():
        if types.get(name) != kind:
            raise ValueError(f"has no column {name!r} of {kind}")
    for name, kind in types.items():
        if kind not in schema.kinds:
            raise ValueError(f"has a column {name[:80]!r} of {kind[:80]}")
    facts = file.metadata
    if not 0 <= facts.num_rows <= MOST_ROWS:
        raise ValueError(f"has {facts.num_rows} rows, and at most {MOST_ROWS} are read")
    for column in range(facts.num_columns):
        count = sum(facts.row_group(group).column(column).num_values for group in range(facts.num_row_groups))
        if not 0 <= count <= MOST_NUMBERS:
            raise ValueError(f"has {count} values in a column, and at most {MOST_NUMBERS} are read")


def _called(kind: pa.DataType) -> str:
    """A type, whatever the version of pyarrow calls the elements of its lists, and whether these have four bytes or eight."""
    return str(kind).replace("item: ", "element: ").replace("list<element: float>", NUMBERS)
