"""Predictions beside the rows that they are of: as CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.errors import DataError, shown
from losscli.reports.csv import harmless
from losscli.tasks import Column

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 1


def appended(table: pa.Table, columns: Mapping[str, np.ndarray], prefix: str = "") -> pa.Table:
    """The table with these columns behind its own. Raises `DataError` where it has a column of such a name already.

    >>> import pyarrow as pa
    >>> appended(pa.table({"x": ["1"]}), {"prediction": np.array([0.5])}).column_names
    ['x', 'prediction']
    """
    import pyarrow as pa

    named = {f"{prefix}{name}": values for name, values in columns.items()}
    taken = [name for name in named if name in table.column_names]
    if taken:
        raise DataError(f"the table has a column {shown(taken[0])} already", cure="give --prefix TEXT for the new ones")
    for name, values in named.items():
        table = table.append_column(name, pa.array(values))
    return table


def typed(table: pa.Table, features: Mapping[str, Column]) -> pa.Table:
    """Texts that the model reads as numbers as numbers, null where missing; all else as it is."""
    import pyarrow as pa

    for index, name in enumerate(table.column_names):
        feature = features.get(name)
        if feature is not None and not feature.is_category and table.schema.field(index).type == pa.string():
            table = table.set_column(index, name, pa.array(feature.values, from_pandas=True))
    return table


def to_csv(table: pa.Table) -> bytes:
    """As CSV. A text that a spreadsheet would take for a formula gets an apostrophe before it; numbers do not."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, table.column_names))
    for batch in table.to_batches():
        columns = [[_cell(value) for value in column.to_pylist()] for column in batch.columns]
        writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """A value as a cell holds it.

    >>> _cell("=1+1"), _cell("-1.5"), _cell(-1.5), _cell(None)
    ("'=1+1", '-1.5', -1.5, None)
    """
    return harmless(value) if isinstance(value, str) and not _is_number(value) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def to_json(table: pa.Table, told: Mapping[str, Any]) -> bytes:
    """One object: what is `told` of the model, and the rows; numbers that are not finite are null."""
    rows = [{name: _plain(value) for name, value in row.items()} for row in table.to_pylist()]
    whole = {"schema_version": SCHEMA_VERSION, **told, "rows": rows}
    return (json.dumps(whole, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _plain(value: Any) -> Any:
    """What JSON has a form for; dates and the like as texts."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (str, int)) else str(value)


def to_parquet(table: pa.Table, told: Mapping[str, Any]) -> bytes:
    """As Parquet, with what is `told` of the model in the metadata of the schema, under `losscli`."""
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(table.replace_schema_metadata({"losscli": json.dumps(told)}), sink)
    return bytes(sink.getvalue())


FORMATS: Mapping[str, Callable[[pa.Table, Mapping[str, Any]], bytes]] = {
    "csv": lambda table, told: to_csv(table),
    "json": to_json,
    "parquet": to_parquet,
}
