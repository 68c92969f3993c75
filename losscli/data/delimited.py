"""From delimited text to columns of text, each row with the line it stands on. Nothing is guessed, nothing filled in.

Two ways through a file: pyarrow reads it, fast; and where something is wrong, Python's own `csv` in strict mode goes
over it once more, slowly, to say where.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from losscli.errors import DataError, Place, Problem, choose_from, counted, shown
from losscli.tasks import Origin

MOST_COLUMNS = 10_000
LONGEST_FIELD = 131_072
MOST_PLACES = 5  # of one kind of mistake that a message lists
DELIMITERS = (";", "\t", "|", ",")
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class Texts:
    """Columns of text (pyarrow string arrays, null where a token of `missing` stands) and the line of each row."""

    file: str
    names: tuple[str, ...]
    columns: tuple[Any, ...]
    lines: np.ndarray
    blank_lines: int

    def origin(self, index: int) -> Origin:
        return Origin(self.file, index + 1, self.lines)


def parse(data: bytes, file: str, delimiter: str, header: bool | None, missing: Sequence[str]) -> Texts:
    """The columns of a UTF-8 text. `header: None` means that there is one, and that it must not look like data.

    Raises `DataError` with file and line for rows of another length than the header's, quotes that do not close, fields
    beyond 131,072 bytes, names that are empty or twice there, a delimiter that is another, and no rows at all.
    """
    lines, starts, ends = _records(data, file, delimiter)
    filled = np.flatnonzero(ends > starts)
    first = filled[0]
    place = Place(file, int(lines[first]))
    top = _fields(data[starts[first] : ends[first]].decode(), delimiter, file)
    _check_delimiter(top, delimiter, place)
    names = tuple(name.strip() for name in top) if header is not False else _numbered(len(top))
    if header is not False:
        _check_names(names, place, sure=header is True)
        filled = filled[1:]
    if not len(filled):
        raise DataError("the table has a header and 0 rows", place=place)
    columns = _read(memoryview(data)[starts[filled[0]] :], len(names), delimiter, missing)
    if columns is None or len(columns[0]) != len(filled):
        _explain(data, file, delimiter, len(names))
    texts = Texts(file, names, tuple(columns), lines[filled], len(lines) - len(filled) - (header is not False))
    _check_lengths(texts)
    return texts


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"x{index}" for index in range(1, count + 1))


def _records(data: bytes, file: str, delimiter: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First line, start and end (both byte offsets) of each record, empty ones included."""
    view = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(view == ord("\n"))
    ends = newlines
    if b'"' in data:
        quotes = np.flatnonzero(view == ord('"'))
        if _quotes_are_plain(view, quotes, delimiter):
            ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        else:
            follows = [line for line, _ in _slowly(data.decode(), file, delimiter)][1:]
            last = newlines[-1:] if data.endswith(b"\n") else newlines[:0]
            ends = np.concatenate([newlines[np.array(follows, dtype=np.int64) - 2], last])
    starts = np.concatenate([[0], ends + 1])
    ends = np.concatenate([ends, [len(data)]])
    lines = np.searchsorted(newlines, starts) + 1
    if starts[-1] == len(data):  # the file ends with a newline: nothing begins after it
        lines, starts, ends = lines[:-1], starts[:-1], ends[:-1]
    carriage = (ends > starts) & (view[ends - 1] == ord("\r"))
    return lines, starts, ends - carriage


def _quotes_are_plain(view: np.ndarray, quotes: np.ndarray, delimiter: str) -> bool:
    """Whether quotes open at the start of a field only and close at its end only; a doubled one closes and reopens."""
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = view[np.maximum(opening - 1, 0)]
    after = view[np.minimum(closing + 1, len(view) - 1)]
    edges = [ord(delimiter), ord("\n"), ord('"')]
    starts_field = (opening == 0) | np.isin(before, edges)
    ends_field = (closing == len(view) - 1) | np.isin(after, [*edges, ord("\r")])
    return bool(starts_field.all() and ends_field.all())


def _slowly(text: str, file: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """First line and fields of each record; `DataError` at the first one that is not well formed."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for fields in reader:
            yield line, fields
            line = reader.line_num + 1
    except csv.Error as failed:
        place = Place(file, line)
        if "unexpected end" in str(failed):
            raise DataError(
                "a quote that opens here is never closed", place=place, cure='close it, or double it: ""'
            ) from None
        if "field limit" in str(failed):
            raise DataError(
                f"a field is longer than {LONGEST_FIELD} characters", place=place, cure="is a quote not closed?"
            ) from None
        raise DataError(
            f"there is text after the quote that closes a field (on line {reader.line_num})",
            place=place,
            cure='a quote within a quoted field is doubled: ""',
        ) from None


def _fields(record: str, delimiter: str, file: str) -> list[str]:
    return next(fields for _, fields in _slowly(record, file, delimiter))


def _check_delimiter(top: Sequence[str], delimiter: str, place: Place) -> None:
    if len(top) > MOST_COLUMNS:
        raise DataError(f"the table has {len(top)} columns, and may have {MOST_COLUMNS}", place=place)
    other = max(DELIMITERS, key=top[0].count)
    if len(top) == 1 and other in top[0]:
        raise DataError(
            f"the table has one column, and its header looks like {other!r} divides it",
            place=place,
            cure=f"use data.delimiter: {other!r}".replace("'", '"'),
        )


def _check_names(names: Sequence[str], place: Place, *, sure: bool) -> None:
    numbers = [name for name in names if re.match(NUMBER, name)]
    if not sure and 2 * len(numbers) >= len(names) and (len(numbers) == len(names) or not _counts_up(numbers)):
        raise DataError(
            f"the header looks like data: {', '.join(map(shown, names[:5]))}",
            place=place,
            cure="set data.header: false if the first row is data (columns are then x1, x2 ...), or true if it is not",
        )
    seen: dict[str, int] = {}
    problems = []
    for index, name in enumerate(names, start=1):
        where = Place(place.file, place.line, index)
        if not name:
            problems.append(Problem("a column has no name", where, "give each column a name"))
        elif name in seen:
            problems.append(Problem(f"two columns are called {shown(name)}: {seen[name]} and {index}", where))
        seen.setdefault(name, index)
    if problems:
        raise DataError(first_of(problems))


def _counts_up(numbers: Sequence[str]) -> bool:
    """Whether names such as 0, 1, 2 ... number the columns."""
    whole = [int(each) for each in numbers if each.isdigit()]
    return len(whole) == len(numbers) > 0 and whole == list(range(whole[0], whole[0] + len(whole)))


def _read(body: memoryview, width: int, delimiter: str, missing: Sequence[str]) -> list[Any] | None:
    """The columns as pyarrow reads them; None where it cannot."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    names = [str(index) for index in range(width)]
    quoted = b'"' in body.obj  # type: ignore[operator]
    for block in (1 << 20, len(body) + 1):  # a block must hold a row: the second try is for rows beyond 1 MiB
        try:
            table = arrow.read_csv(
                pa.py_buffer(body),
                read_options=arrow.ReadOptions(column_names=names, block_size=block),
                parse_options=arrow.ParseOptions(
                    delimiter=delimiter, newlines_in_values=quoted, invalid_row_handler=lambda row: "skip"
                ),
                convert_options=arrow.ConvertOptions(
                    check_utf8=False,
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=list(missing),
                    strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid:
            continue
        return list(table.columns)
    return None


def _explain(data: bytes, file: str, delimiter: str, width: int) -> NoReturn:
    """Say which rows are not as long as the header."""
    problems = [
        Problem(f"the row must have {counted(width, 'field')}, and has {len(fields)}", Place(file, line))
        for line, fields in _slowly(data.decode(), file, delimiter)
        if fields and len(fields) != width
    ]
    raise DataError(first_of(problems) or "the table cannot be read as delimited text", place=Place(file))


def first_of(problems: Sequence[Problem], count: int | None = None) -> list[Problem]:
    """At most five of them; the last one says how many more there are, of `count` where not all are listed."""
    told = list(problems[:MOST_PLACES])
    more = (len(problems) if count is None else count) - len(told)
    if told and more > 0:
        told[-1] = replace(told[-1], message=f"{told[-1].message} (and {more} more like these)")
    return told


def _check_lengths(texts: Texts) -> None:
    import pyarrow.compute as pc

    for index, column in enumerate(texts.columns):
        lengths = pc.fill_null(pc.binary_length(column), 0)
        longest = pc.max(lengths).as_py()
        if longest > LONGEST_FIELD:
            row = int(lengths.to_numpy().argmax())
            raise DataError(
                f"a field is longer than {LONGEST_FIELD} bytes: it has {longest}", place=texts.origin(index).place(row)
            )


def choose_column(name: str, names: Sequence[str], key: str, file: str) -> int:
    """The index of a column that the spec names under `key`; `DataError` with the nearest name if it is not there."""
    if name in names:
        return list(names).index(name)
    listed = [shown(each)[1:-1] for each in names[:40]]
    raise DataError(
        f"{key} names a column {shown(name)}, and the table has none",
        place=Place(file),
        cure=choose_from(name, listed) + (" ..." if len(names) > 40 else ""),
    )
