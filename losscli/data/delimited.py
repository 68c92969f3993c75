"""The shape of delimited text: a header, then records, each on its line. Nothing is guessed, nothing filled in.

Two ways through a file: pyarrow reads it, fast (`data/gather.py`); and where something is wrong, Python's own `csv` in
strict mode goes over the block once more, slowly, to say where.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from losscli.errors import DataError, Place, Problem, choose_from, counted, setting, shown, sign

MOST_COLUMNS = 10_000
LONGEST_FIELD = 131_072
LONGEST_RECORD = 1 << 25  # bytes
MOST_UNEQUAL = 10_000  # rows of another length than the header's, after which no more are counted
MOST_PLACES = 5  # of one kind of mistake that a message lists
DELIMITERS = (";", "\t", "|", ",")
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"  # for `re`, and for pyarrow, which knows no possessive repeats


@dataclass(frozen=True)
class Block:
    """Whole records: their bytes, and of those that are not blank the first line, the start and the end (offsets)."""

    body: bytes
    lines: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    blank_lines: int

    def after_first(self) -> Block:
        """Without the first record, where that is the header."""
        return Block(self.body, self.lines[1:], self.starts[1:], self.ends[1:], self.blank_lines)

    def records(self) -> memoryview:
        """The bytes from the first record on."""
        return memoryview(self.body)[self.starts[0] if len(self.starts) else len(self.body) :]

    def record(self, index: int) -> str:
        return self.body[self.starts[index] : self.ends[index]].decode()


def blocks(pieces: Iterable[tuple[bytes, bool]], file: str, delimiter: str) -> Iterator[Block]:
    """Pieces of a text, cut anew where records end. A record longer than a piece gets a block that is as long."""
    pending, line, enough = b"", 1, 0
    for piece, last in pieces:
        pending = pending + piece if pending else piece
        if len(pending) < enough and not last:
            continue
        cut = len(pending) if last else _complete_length(pending, file, delimiter, line)
        if not cut and len(pending) > LONGEST_RECORD:
            cure = "is a quote not closed, or has the file no line ends?"
            raise DataError(f"a row is longer than {LONGEST_RECORD >> 20} MB", place=Place(file, line), cure=cure)
        if not cut:
            enough = 2 * len(pending)  # or a quote that never closes would be looked for again with every piece
            continue
        data, pending, enough = pending[:cut], pending[cut:], 0
        lines, starts, ends, newlines = _records(data, file, delimiter, line)
        filled = np.flatnonzero(ends > starts)
        yield Block(data, lines[filled], starts[filled], ends[filled], len(lines) - len(filled))
        line += newlines


def header_of(first: Block, file: str, delimiter: str, header: bool | None) -> tuple[str, ...]:
    """The names of the columns. `header: None` means that there is one, and that it must not look like data.

    A column without a name is called by its place, `column 3`. Raises `DataError` for names that are twice there, another
    delimiter, and too many columns.
    """
    place = Place(file, int(first.lines[0]))
    if spreadsheet := re.fullmatch(r'"?sep=(.)"?', first.record(0), re.IGNORECASE):
        message = (
            f"the first line, {shown(spreadsheet[0])}, is for a spreadsheet alone, and must be the names of the columns"
        )
        other = "" if spreadsheet[1] == delimiter else f" and {_use(spreadsheet[1])}"
        raise DataError(message, place=place, cure=f"take the line out{other}")
    top = fields_of(first.record(0), delimiter, place)
    _check_delimiter(top, first, delimiter, place)
    if header is False:
        return tuple(f"x{index}" for index in range(1, len(top) + 1))
    names = tuple(name.strip() or unnamed(index) for index, name in enumerate(top, start=1))
    if not any(name.strip() for name in top):
        raise DataError("no column has a name", place=place, cure=f"set {setting('header', 'false')} if it is data")
    _check_names(names, place, sure=header is True)
    return names


def unnamed(index: int) -> str:
    """What a column without a name is called; the first is 1."""
    return f"column {index}"


def _complete_length(data: bytes, file: str, delimiter: str, line: int) -> int:
    """How many of these bytes are whole records; more of the file follows."""
    if b'"' not in data:
        return data.rfind(b"\n") + 1
    view = np.frombuffer(data, dtype=np.uint8)
    newlines, quotes = _where(view, "\n"), _where(view, '"')
    # After an even number of quotes none is open: such a newline ends a record.
    even = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    if not len(even):
        return 0
    cut = int(even[-1]) + 1
    if _quotes_are_plain(view[:cut], quotes[quotes < cut], delimiter):
        return cut
    begun = 0  # where the last record begins, which may go on in the next piece
    try:
        for begins, _ in slowly(data.decode(errors="replace"), file, delimiter, line):
            begun = begins
    except _Unclosed as unclosed:
        begun = unclosed.line
    return int(newlines[begun - line - 1]) + 1 if begun > line else 0


def _where(view: np.ndarray, character: str) -> np.ndarray:
    """The offsets of a character, found in pieces that fit the cache."""
    step, code = 1 << 18, ord(character)
    offsets = [np.flatnonzero(view[at : at + step] == code) + at for at in range(0, len(view), step)]
    return np.concatenate(offsets) if offsets else np.empty(0, dtype=np.int64)


def _records(data: bytes, file: str, delimiter: str, line: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """First line, start and end (both byte offsets) of each record, empty ones included, and how many newlines there are.

    `line` is that of the first byte.
    """
    view = np.frombuffer(data, dtype=np.uint8)
    newlines = _where(view, "\n")
    ends = newlines
    if b'"' in data:
        quotes = _where(view, '"')
        if _quotes_are_plain(view, quotes, delimiter):
            ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        else:
            follows = [begins for begins, _ in slowly(data.decode(), file, delimiter, line)][1:]
            last = newlines[-1:] if data.endswith(b"\n") else newlines[:0]
            ends = np.concatenate([newlines[np.array(follows, dtype=np.int64) - line - 1], last])
    starts = np.concatenate([[0], ends + 1])
    ends = np.concatenate([ends, [len(data)]])
    lines = np.searchsorted(newlines, starts) + line
    if starts[-1] == len(data):  # the text ends with a newline: nothing begins after it
        lines, starts, ends = lines[:-1], starts[:-1], ends[:-1]
    carriage = (ends > starts) & (view[ends - 1] == ord("\r"))
    return lines, starts, ends - carriage, len(newlines)


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


class _Unclosed(DataError):
    """A quote that opens and does not close before the text ends."""

    def __init__(self, place: Place, line: int):
        super().__init__("a quote that opens here is never closed", place=place, cure='close it, or double it: ""')
        self.line = line  # of the record


def slowly(text: str, file: str, delimiter: str, line: int = 1) -> Iterator[tuple[int, list[str]]]:
    """First line and fields of each record; `DataError` at the first one that is not well formed."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before, line = line - 1, line
    try:
        for fields in reader:
            yield line, fields
            line = before + reader.line_num + 1
    except csv.Error as failed:
        rest = io.StringIO(text, newline="").readlines()[line - before - 1 :]
        place, odd = _odd_quote("".join(rest), delimiter, Place(file, line))
        if "unexpected end" in str(failed):
            raise _Unclosed(place, line) from None
        if "field limit" in str(failed):
            raise DataError(
                f"a field is longer than {LONGEST_FIELD} characters",
                place=Place(file, line),
                cure="is a quote not closed?",
            ) from None
        where = f" (on line {odd})" if odd != place.line else ""
        raise DataError(
            f"there is text after the quote that closes a field{where}",
            place=place,
            cure='a quote within a quoted field is doubled: ""',
        ) from None


def _odd_quote(text: str, delimiter: str, place: Place) -> tuple[Place, int]:
    """Where the field begins that has text after its closing quote, or none, and the line of that text.

    The record begins with the text, at `place`.

    >>> _odd_quote('1,"a\\nb"c', ",", Place("t.csv", 3))
    (Place(file='t.csv', line=3, column=2), 4)
    """
    line = place.line or 1
    number, start, at = 1, line, 0
    while at < len(text):
        if text[at] == '"':
            closed = re.compile(r'"(?:[^"]|"")*"?').match(text, at)
            assert closed is not None
            line += closed[0].count("\n")
            at = closed.end()
            if at == len(text) or text[at] not in (delimiter, "\r", "\n"):
                break
        else:
            while at < len(text) and text[at] not in (delimiter, "\n"):
                at += 1
        if at < len(text) and text[at] != delimiter:
            break
        number, at, start = number + 1, at + 1, line
    return Place(place.file, start, number), line


def fields_of(record: str, delimiter: str, place: Place) -> list[str]:
    """The fields of one record; none of a blank one."""
    return next((fields for _, fields in slowly(record, place.file, delimiter, place.line or 1)), [])


def _check_delimiter(top: Sequence[str], first: Block, delimiter: str, place: Place) -> None:
    if len(top) > MOST_COLUMNS:
        cure = "take columns out of the file; if rows are columns, turn it by 90 degrees"
        raise DataError(f"the table has {len(top)} columns, and may have {MOST_COLUMNS}", place=place, cure=cure)
    other = max(DELIMITERS, key=top[0].count)
    if len(top) == 1 and other in top[0]:
        raise DataError(
            f"the table has one column, and its header looks like {other!r} divides it",
            place=place,
            cure=_use(other) + _and_decimal(first, other),
        )


def _and_decimal(first: Block, delimiter: str) -> str:
    """The decimal comma, where it would be the next thing to be told."""
    record = first.record(min(1, len(first.lines) - 1))
    commas = any(
        re.fullmatch(r"[+-]?\d{1,15},\d{1,15}", field.strip(' "')) for field in record.split(delimiter)[:MOST_COLUMNS]
    )
    return f" and {sign('decimal', ',')}" if commas else ""


def _use(delimiter: str) -> str:
    return f"use {sign('delimiter', delimiter)}"


def _check_names(names: Sequence[str], place: Place, *, sure: bool) -> None:
    numbers = [name for name in names if re.match(NUMBER, name)]
    if not sure and 2 * len(numbers) >= len(names) and (len(numbers) == len(names) or not _counts_up(numbers)):
        raise DataError(
            f"the header looks like data: {', '.join(map(shown, names[:5]))}",
            place=place,
            cure=f"set {setting('header', 'false')} if the first row is data (columns are then x1, x2 ...), or true if it is not",
        )
    first: dict[str, int] = {}
    problems = []
    for index, name in enumerate(names, start=1):
        where = Place(place.file, place.line, index)
        if name in first:
            problems.append(
                Problem(f"two columns are called {shown(name)}: {first[name]} and {index}", where, "rename one of them")
            )
        first.setdefault(name, index)
    if problems:
        raise DataError(first_of(problems))


def _counts_up(numbers: Sequence[str]) -> bool:
    """Whether names such as 0, 1, 2 ... number the columns."""
    indices = [int(number) for number in numbers if number.isdecimal() and len(number) <= len(str(MOST_COLUMNS))]
    return len(indices) == len(numbers) > 0 and indices == list(range(indices[0], indices[0] + len(indices)))


@dataclass
class Unequal:
    """Rows that are not as long as the header: the first places, and how many there are in all blocks."""

    file: str
    width: int
    delimiter: str
    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    rows: int = 0
    widths: set[int] = field(default_factory=set)

    def look(self, block: Block) -> None:
        """Find them in a block in which there are some."""
        text = bytes(block.records()).decode()
        other = self._other_delimiter(block)
        for line, fields in slowly(text, self.file, self.delimiter, int(block.lines[0])):
            self.rows += bool(fields)
            if not fields or len(fields) == self.width:
                continue
            self.count += 1
            self.widths.add(len(fields))
            if len(self.problems) < MOST_PLACES:
                message = f"the row must have {counted(self.width, 'field')}, and has {len(fields)}"
                column = min(len(fields), self.width) + 1  # the first that is lacking, or too many
                self.problems.append(Problem(message, Place(self.file, line, column), other))

    def _other_delimiter(self, block: Block) -> str:
        """The cure, which is another delimiter where all rows are equally long under it."""
        rows = [block.record(index) for index in range(min(len(block.lines), 20))]
        for other in DELIMITERS:
            counts = {row.count(other) for row in rows}
            if other != self.delimiter and len(rows) > 1 and len(counts) == 1 and counts != {0}:
                return f"the rows look like {other!r} divides them - {_use(other)}"
        return "give each row as many fields as the header has; quote a field that holds the delimiter"

    def tell(self) -> None:
        """Raise what was found, if anything was; a first line that is unlike all others once, and not with each of them."""
        if 1 < self.count >= self.rows - 1 and len(self.widths) == 1 and min(self.widths) > self.width:
            (width,) = self.widths
            top = f"the first line has {counted(self.width, 'field')}, and the rows below it have {width}: it is no header"
            raise DataError(
                top, place=Place(self.file, 1), cure="take out what stands above the header, such as a title"
            )
        if self.problems:
            raise DataError(first_of(self.problems, self.count))


def first_of(problems: Sequence[Problem], count: int | None = None) -> list[Problem]:
    """At most five of them; the last one says how many more there are, of `count` where not all are listed."""
    head = list(problems[:MOST_PLACES])
    more = (len(problems) if count is None else count) - len(head)
    if head and more > 0:
        head[-1] = replace(head[-1], message=f"{head[-1].message} (and {more} more like these)")
    return head


def choose_column(name: str, names: Sequence[str], key: str, file: str) -> int:
    """The index of a column that the spec names under `key`; `DataError` with the nearest name if it is not there."""
    if name in names:
        return list(names).index(name)
    listed = [shown(column)[1:-1] for column in names[:40]]
    raise DataError(
        f"{key} names a column {shown(name)}, and the table has none",
        place=Place(file),
        cure=choose_from(name, listed) + (" ..." if len(names) > 40 else ""),
    )


def refuse_other_columns(expected: Sequence[str], names: Sequence[str], first: str, place: Place) -> None:
    """Part files have the same columns in the same order; `DataError` names those that differ."""
    if list(expected) == list(names):
        return
    lacks = [shown(name) for name in expected if name not in names][:5]
    more = [shown(name) for name in names if name not in expected][:5]
    differences = [f"lacks {', '.join(lacks)}"] * bool(lacks) + [f"has {', '.join(more)} besides"] * bool(more)
    if not differences:
        at = next(index for index, pair in enumerate(zip(expected, names, strict=True)) if pair[0] != pair[1])
        differences = [f"has them in another order: {shown(names[at])} comes where {shown(expected[at])} should"]
    raise DataError(
        f"the files must have the same columns, and this one {' and '.join(differences)} (compared with {first})",
        place=place,
        cure="mend it, or leave the file out",
    )
