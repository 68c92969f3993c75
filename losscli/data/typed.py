"""Columns that have types of pyarrow, before they have a kind: what a type says is believed, what CSV would refuse is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from losscli.data.delimited import LONGEST_FIELD, MOST_PLACES, first_of
from losscli.data.gather import EXACT, Raw
from losscli.errors import DataError, Place, Problem, dropped, setting, shown
from losscli.tasks import Origin


def raw_of(name: str, chunks: Sequence[Any], kind: Any, origin: Origin, *, text: bool) -> Raw:
    """A column of pyarrow's arrays, all of the type `kind`: numbers, or texts where it holds no numbers or `text` asks for them.

    Raises `DataError` for infinities, for whole numbers that doubles cannot tell apart, and for types that are neither.

    >>> import pyarrow as pa
    >>> raw_of("x", [pa.array([1, None])], pa.int64(), Origin("t.parquet", 1), text=False).numbers.tolist()
    [1.0, nan]
    """
    import pyarrow as pa

    family = kind_of(origin.file, name, kind)
    if family == "number" and not text:
        return Raw(name, origin, numbers=_numbers(chunks, name, origin), typed=str(kind))
    texts = pa.chunked_array([_texts(chunk) for chunk in chunks], pa.dictionary(pa.int32(), pa.string()))
    _refuse_long(texts, name, origin)
    # Numbers and dates that are to be texts tell themselves what they are.
    return Raw(name, origin, texts=texts, typed="text" if family in ("text", "boolean") else None)


def kind_of(file: str, name: str, kind: Any) -> str:
    """number, text, boolean or date; `DataError` for a type that is none of them."""
    from pyarrow import types

    if types.is_dictionary(kind):
        return kind_of(file, name, kind.value_type)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_null(kind):
        return "number"
    if types.is_boolean(kind):
        return "boolean"
    if types.is_string(kind) or types.is_large_string(kind) or str(kind) == "string_view":
        return "text"
    if types.is_date(kind) or types.is_timestamp(kind):
        return "date"
    raise DataError(
        f"the column {shown(name)} has the type {shown(kind)[1:-1]}, which is not supported",
        place=Place(file),
        cure=f"leave it out with {dropped(name)}, or write it as numbers, texts, booleans or dates",
    )


def _refuse_long(texts: Any, name: str, origin: Origin) -> None:
    """No text is longer here than a field of CSV may be."""
    import pyarrow.compute as pc

    for chunk in texts.chunks:
        longest = pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
        if longest > LONGEST_FIELD:
            message = f"a text of {shown(name)} has {longest} bytes, and may have {LONGEST_FIELD}"
            raise DataError(message, place=Place(origin.file), cure=f"leave it out with {dropped(name)}")


def _numbers(chunks: Sequence[Any], name: str, origin: Origin) -> np.ndarray:
    """float64 [N], NaN where null or NaN; `DataError` for infinities and for whole numbers that doubles cannot tell apart."""
    import pyarrow as pa

    parts = [_exact(chunk) for chunk in chunks]
    values = np.concatenate([part for part, _ in parts]) if parts else np.empty(0)
    rounded = np.concatenate([wrong for _, wrong in parts]) if parts else np.empty(0, dtype=bool)
    for wrong, must, cure in (
        (np.isinf(values), "must be a finite number", "write null where there is no value"),
        (
            rounded,
            "is a whole number beyond 2^53 and would lose precision",
            f"set {setting('types', 'category', name)}, or leave it out with {dropped(name)}",
        ),
    ):
        rows = np.flatnonzero(wrong)
        if len(rows):
            given = pa.chunked_array(chunks)
            problems = [
                Problem(f"{shown(given[row].as_py())} in {shown(name)} {must}", origin.place(row), cure)
                for row in rows[:MOST_PLACES].tolist()
            ]
            raise DataError(first_of(problems, len(rows)))
    return values


def _exact(chunk: Any) -> tuple[np.ndarray, np.ndarray]:
    """A chunk as float64, and where a whole number was rounded."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    chunk = chunk.dictionary_decode() if types.is_dictionary(chunk.type) else chunk
    if types.is_decimal(chunk.type):
        chunk = pc.cast(chunk, pa.string())  # a decimal's text is read as the nearest double; its cast is not
    rounds = types.is_integer(chunk.type) or types.is_string(chunk.type)
    exact = pc.cast(chunk, pa.float64(), safe=False) if len(chunk) else pa.array([], pa.float64())
    values = exact.to_numpy(zero_copy_only=False)
    large = np.abs(values) >= EXACT
    if not rounds or not large.any():
        return values, np.zeros(len(values), dtype=bool)
    wrong = np.zeros(len(values), dtype=bool)
    for row in np.flatnonzero(large).tolist():
        wrong[row] = str(chunk[row].as_py()).lstrip("-") != f"{EXACT:.0f}" and "." not in str(chunk[row].as_py())
    return values, wrong


def _texts(chunk: Any) -> Any:
    """A chunk as a dictionary of texts; dates and timestamps as ISO writes them, booleans as False and True."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    if types.is_dictionary(chunk.type) and kind_of("", "", chunk.type) == "text":
        return pc.cast(
            chunk, pa.dictionary(pa.int32(), pa.string())
        )  # written out, one text in every row may be too long
    chunk = chunk.dictionary_decode() if types.is_dictionary(chunk.type) else chunk
    if types.is_timestamp(chunk.type) and chunk.type.tz is not None:
        in_utc = pc.cast(pc.cast(chunk, pa.timestamp(chunk.type.unit)), pa.string())
        return pc.binary_join_element_wise(in_utc, "Z", "").dictionary_encode()
    if types.is_boolean(chunk.type):
        chunk = pc.if_else(chunk, "True", "False")
    return pc.cast(chunk, pa.string()).dictionary_encode()
