"""Predictions beside the rows that they are of: as CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.data.delimited import NUMBER
from losscli.errors import DataError, shown
from losscli.reports.csv import harmless

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


def typed(table: pa.Table, missing: Sequence[str], decimal: str = ".") -> pa.Table:
    """Columns of texts as what they are: whole numbers, numbers, or texts; null where one of the `missing` tokens stands.

    What begins with a zero, such as 007, stays a text.

    >>> import pyarrow as pa
    >>> typed(pa.table({"n": ["1", "NA"], "x": ["1,5", "2"], "id": ["007", "1"]}), ["NA"], ",").to_pylist()
    [{'n': 1, 'x': 1.5, 'id': '007'}, {'n': None, 'x': 2.0, 'id': '1'}]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    tokens = pa.array(list(missing), pa.string())
    for index, name in enumerate(table.column_names):
        if table.schema.field(index).type == pa.string():
            column = table.column(index)
            texts = pc.if_else(pc.is_in(pc.utf8_trim_whitespace(column), tokens), None, column)
            table = table.set_column(index, name, _as_numbers(texts, decimal))
    return table


def _as_numbers(texts: Any, decimal: str) -> Any:
    """int64 or float64 where every text is a plain number; else the texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pc.any(pc.match_substring_regex(texts, r"^[+-]?0\d")).as_py():
        return texts
    plain = texts if decimal == "." else pc.replace_substring(texts, decimal, ".")
    for kind, form in ((pa.int64(), r"^-?\d{1,18}$"), (pa.float64(), NUMBER)):
        if pc.all(pc.match_substring_regex(plain, form)).as_py():
            return pc.cast(plain, kind)
    return texts


def to_csv(table: pa.Table, delimiter: str = ",", decimal: str = ".") -> bytes:
    """As CSV, in the dialect of the table. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(_cell(name, decimal) for name in table.column_names)
    for batch in table.to_batches():
        columns = [[_cell(value, decimal) for value in column.to_pylist()] for column in batch.columns]
        writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


def _cell(value: Any, decimal: str) -> Any:
    """A value as a cell holds it.

    >>> _cell("=1+1", "."), _cell("-1.5", "."), _cell("-1,5", ","), _cell(-1.5, ","), _cell(None, ".")
    ("'=1+1", '-1.5', '-1,5', '-1,5', None)
    """
    if isinstance(value, float):
        return repr(value).replace(".", decimal)
    return harmless(value) if isinstance(value, str) and not _is_number(value.replace(decimal, ".")) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def to_json(table: pa.Table, origin: Mapping[str, Any]) -> bytes:
    """One object: where the predictions are from (`origin`), and the rows; numbers that are not finite are null."""
    rows = [{name: _plain(value) for name, value in row.items()} for row in table.to_pylist()]
    document = {"schema_version": SCHEMA_VERSION, **origin, "rows": rows}
    return (json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _plain(value: Any) -> Any:
    """What JSON has a form for; dates and the like as texts."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (str, int)) else str(value)


def to_parquet(table: pa.Table, origin: Mapping[str, Any]) -> bytes:
    """As Parquet, with `origin` in the metadata of the schema, under `losscli`."""
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(table.replace_schema_metadata({"losscli": json.dumps(origin)}), sink)
    return bytes(sink.getvalue())
