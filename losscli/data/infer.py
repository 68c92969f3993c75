"""What kind of column a list of texts is: numbers, a category, or a mistake to be told with its place.

All rows are looked at, never a sample of the first ones. A column that is nearly all numbers is a column of numbers
with mistakes in it; dates, hexadecimal numbers, amounts of money and the like are refused by name, not taken for text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from losscli.data.delimited import MOST_PLACES, NUMBER, first_of
from losscli.errors import DataError, Finding, Problem, shown
from losscli.tasks import Column, Origin

Kind = Literal["number", "category"]
MOSTLY = 0.9  # from this share on, a column of numbers with some text in it is a column of numbers with mistakes
EXACT = 2.0**53  # whole numbers beyond this are no longer all told apart as doubles
LOOKED_AT = 1000  # levels that are compared with the patterns below
NOT_PLAIN = {  # kinds of values that look like text and are not meant as such, with what to do about them
    "dates": (
        r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([T ].*)?",
        "turn them into numbers",
    ),
    "times of day": (r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?", "turn them into numbers"),
    "hexadecimal numbers": (r"[+-]?0[xX][0-9a-fA-F]+", "write them as decimal numbers"),
    "numbers with underscores": (r"[+-]?\d{1,3}(_\d{3})+(\.\d+)?", "write them without"),
    "numbers with thousands separators": (r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", "write them without"),
    "numbers with a decimal comma": (r"[+-]?\d*,\d+([eE][+-]?\d+)?", 'set data.decimal: ","'),
    "amounts of money": (r"[+-]?[$€£¥]\s?[+-]?[\d.,]+|[+-]?[\d.,]+\s?[$€£¥]", "write them as plain numbers"),
    "percentages": (r"[+-]?[\d.,]+\s?%", "write them as plain numbers"),
}


@dataclass(frozen=True)
class TextColumn:
    """One column before it has a kind: its name, texts (a pyarrow string array, null where missing), and place."""

    name: str
    texts: Any
    origin: Origin


def infer(
    column: TextColumn, kind: Kind | None, decimal: str, missing: Sequence[str], most_levels: int | None
) -> tuple[Column | None, list[Finding]]:
    """The column as numbers or as a category, and what there is to say about it.

    `kind` is what the spec says it is, None to find out. None comes back, with a finding, for a category of more than
    `most_levels` levels (an id, a name, free text). Raises `DataError` with the first five places of values that do not
    belong.
    """
    plain = _with_point(column.texts, decimal)
    if kind != "category":
        numbers = _cast(plain)
        if numbers is not None:
            return _numbers(column, numbers, given=_given(column.texts))
    levels, codes = _levels_of(column.texts, missing)
    if kind == "category":
        return _category(column, levels, codes, most_levels)
    point = _with_point(levels, decimal)
    numeric = _matches(point, NUMBER)
    numbers = _cast(point) if numeric.all() else None
    if numbers is not None:  # only blanks around them, or tokens of `missing`, were in the way
        return _numbers(column, np.append(numbers, np.nan)[codes], given=codes >= 0)
    findings = _mixed(column, levels, codes, numeric, kind)
    category, more = _category(column, levels, codes, most_levels)
    return category, findings + more


def _with_point(texts: Any, decimal: str) -> Any:
    import pyarrow.compute as pc

    if decimal == ".":
        return texts
    unread = pc.replace_substring(texts, ".", "'")  # 1.234 beside 1,5 may be thousands: no number, then
    return pc.replace_substring(unread, decimal, ".")


def _cast(texts: Any) -> np.ndarray | None:
    """As float64, NaN where null; None if any text is not a number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        values = pc.cast(texts, pa.float64())
    except pa.ArrowInvalid:
        return None
    return np.asarray(values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values.to_numpy())


def _matches(texts: Any, pattern: str) -> np.ndarray:
    import pyarrow.compute as pc

    return np.asarray(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False), dtype=bool)


def _given(texts: Any) -> np.ndarray:
    import pyarrow.compute as pc

    return np.asarray(pc.is_valid(texts).to_numpy())


def _numbers(column: TextColumn, values: np.ndarray, given: np.ndarray) -> tuple[Column, list[Finding]]:
    endless = np.flatnonzero(given & ~np.isfinite(values))
    if len(endless):
        raise DataError(
            _places(column, endless, "must be a finite number", "list it under data.missing if it means that")
        )
    large = np.flatnonzero(np.abs(values) >= EXACT).tolist()
    whole = [row for row in large if _is_rounded(column.texts[row].as_py())]
    if whole:
        cure = f"set data.types: {{{column.name}: category}}, or leave it out with data.drop"
        raise DataError(_places(column, whole, "is a whole number beyond 2^53 and would lose precision", cure))
    return Column(values, None, column.origin), _leading_zeros(column, values)


def _is_rounded(text: str) -> bool:
    """Whether this text of a number of at least 2^53 is a whole number beyond it."""
    found = re.fullmatch(r"[+-]?0*(\d+)", text.strip())
    return found is not None and found[1] != f"{EXACT:.0f}"


def _leading_zeros(column: TextColumn, values: np.ndarray) -> list[Finding]:
    import pyarrow.compute as pc

    zero = pc.fill_null(pc.starts_with(column.texts, "0"), False).to_numpy()
    suspects = np.flatnonzero(zero & (values != 0) & (values == np.floor(values)))
    padded = [row for row in suspects[:LOOKED_AT] if re.match(r"0\d", column.texts[int(row)].as_py())]
    if not padded:
        return []
    first = shown(column.texts[int(padded[0])].as_py())
    message = (
        f"{shown(column.name)} has leading zeros, such as {first} at {column.origin.place(padded[0])}: is it an id?"
    )
    cure = f"data.types: {{{shown(column.name)[1:-1]}: category}}, or data.drop; now it is read as a number"
    return [Finding("leading-zeros", "warning", message, cure)]


def _levels_of(texts: Any, missing: Sequence[str]) -> tuple[Any, np.ndarray]:
    """The different texts, trimmed, and each row's index into them, -1 where missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = texts.dictionary_encode().unify_dictionaries().combine_chunks()
    encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    rows = pc.fill_null(encoded.indices, -1).to_numpy()
    trimmed = pc.utf8_trim_whitespace(encoded.dictionary)
    merged = pc.if_else(pc.is_in(trimmed, pa.array(list(missing), pa.string())), None, trimmed).dictionary_encode()
    places = np.append(pc.fill_null(merged.indices, -1).to_numpy(zero_copy_only=False), -1)
    return merged.dictionary, places[rows].astype(np.int32)


def _mixed(column: TextColumn, levels: Any, codes: np.ndarray, numeric: np.ndarray, kind: Kind | None) -> list[Finding]:
    """Refuse texts among numbers and numbers in a costume; a finding where a category only happens to hold numbers."""
    present = codes[codes >= 0]
    share = max(numeric[present].mean(), numeric.mean())
    odd = np.flatnonzero((codes >= 0) & ~numeric[codes])
    name = f"{{{shown(column.name)[1:-1]}: category}}"
    if costume := _costume(levels, numeric):
        what, cure = costume
        first = int(odd[0])
        raise DataError(
            f"{shown(column.name)} holds {what}, such as {shown(column.texts[first].as_py())}",
            place=column.origin.place(first),
            cure=f"{cure}; or set data.types: {name}, or list it under data.drop",
        )
    if kind == "number" or share >= MOSTLY:
        cure = f"mend them, add them to data.missing, or set data.types: {name}"
        raise DataError(_places(column, odd, "must be a number", cure))
    if not numeric.any():
        return []
    message = f"{shown(column.name)} holds numbers and texts, and is read as a category"
    return [Finding("numbers-and-texts", "warning", message, f"data.types: {name} if it is meant so")]


def _costume(levels: Any, numeric: np.ndarray) -> tuple[str, str] | None:
    texts = [text for text, plain in zip(levels[:LOOKED_AT].to_pylist(), numeric, strict=False) if not plain]
    for what, (pattern, cure) in NOT_PLAIN.items():
        if texts and sum(bool(re.fullmatch(pattern, text)) for text in texts) >= MOSTLY * len(texts):
            return what, cure
    return None


def _category(
    column: TextColumn, levels: Any, codes: np.ndarray, most: int | None
) -> tuple[Column | None, list[Finding]]:
    if most is not None and len(levels) > most:
        message = f"{shown(column.name)} was left out: it has {len(levels)} different texts in {len(codes)} rows"
        return None, [
            Finding("too-many-levels", "warning", message, "an id, a name or free text: list it under data.drop")
        ]
    texts = levels.to_pylist()
    order = sorted(range(len(texts)), key=texts.__getitem__)
    place = np.full(len(texts) + 1, -1, dtype=np.int32)  # the last one is read by code -1: missing
    place[order] = np.arange(len(texts), dtype=np.int32)
    return Column(place[codes], tuple(texts[index] for index in order), column.origin), []


def _places(column: TextColumn, rows: Sequence[int] | np.ndarray, must: str, cure: str) -> list[Problem]:
    """A problem for each of the first five rows; the last of them counts the others."""
    name = shown(column.name)
    problems = [
        Problem(f"{shown(column.texts[int(row)].as_py())} in {name} {must}", column.origin.place(int(row)), cure)
        for row in rows[:MOST_PLACES]
    ]
    return first_of(problems, len(rows))
