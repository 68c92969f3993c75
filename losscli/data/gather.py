"""From blocks of delimited text to columns: plain numbers at once, and all that is not plain as texts to be looked at.

A column is read as numbers as long as that is exact and nothing about it is odd. One infinity, one whole number beyond
2^53, one leading zero, one text that is no number: and the whole column is read as text, a second time if need be, for
`data/infer.py` to judge. So the fast way needs no rules of its own, and a large file is never in memory as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import repeat, takewhile
from typing import Any

import numpy as np

from losscli.data.delimited import (
    LONGEST_FIELD,
    MOST_UNEQUAL,
    Block,
    Unequal,
    blocks,
    fields_of,
    header_of,
    refuse_other_columns,
)
from losscli.data.files import File, FileOrigin, FileState
from losscli.data.glance import TINY, blanks, hexadecimal, leading_zeros, near_zero
from losscli.data.stream import prefetch
from losscli.data.textfile import read_pieces
from losscli.errors import DataError, Place, listed, setting
from losscli.tasks import Origin

EXACT = 2.0**53  # whole numbers from here on are no longer all told apart as doubles
SAMPLE = 1000  # rows that tell what to try first; all rows tell whether it was right
PART = 1 << 20  # bytes that one thread of pyarrow works on
PADDED = r"^\s*[+-]?0\d"
KINDS = ("int64", "double", "text")  # what is tried, in this order


@dataclass(frozen=True)
class Form:
    """How a text file is written: the options of `source: csv` that say so."""

    delimiter: str
    decimal: str
    encoding: str
    header: bool | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Raw:
    """One column before it has a kind: clean float64 `numbers` (NaN where missing), or `texts`.

    `texts` is a dictionary of strings in pyarrow, null where missing. `typed` is the type that the file itself gives it.
    `padded` counts the numbers that had blanks around them; texts still have them.
    """

    name: str
    origin: Origin
    numbers: np.ndarray | None = None
    texts: Any | None = None
    typed: str | None = None
    padded: int = 0

    def holds_anything(self) -> bool:
        """Whether a row has a value."""
        if self.numbers is not None:
            return not bool(np.isnan(self.numbers).all())
        return self.texts is not None and self.texts.null_count < len(self.texts)


@dataclass(frozen=True)
class RawColumns:
    """All columns that were asked for, by name, in the order of the file, and what was skipped on the way.

    They were read `at_once`, or each is read when it is looked up. `padded` are names that had blanks around them, `unnamed`
    the columns at the beginning that had no name, as a data frame's index has none.
    """

    names: tuple[str, ...]
    columns: Mapping[str, Raw]
    rows: int
    blank_lines: int = 0
    at_once: bool = True
    padded: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()


def gather(files: Sequence[File], form: Form, left_out: set[str], as_text: set[str], state: FileState) -> RawColumns:
    """The columns of one file, or of several with the same columns, one below the other.

    `left_out` are not read, `as_text` are texts whatever they hold. Raises `DataError` with file and line for rows of
    another length than the header's, quotes that do not close, fields beyond 131,072 bytes, other columns than in the
    first file, and no rows at all.
    """
    reading = _Reader(files, form, state)
    reading.go(left_out, as_text)
    if not reading.rows:
        place = Place(files[0].name, reading.header_line)
        cure = f"add rows; if this line is one, set {setting('header', 'false')}"
        raise DataError("the table has a header and 0 rows", place=place, cure=cure)
    late = {column.name for column in reading.columns if column.kind == "text" and column.was_numbers}
    if late:
        again = _Reader(files, form, FileState())
        again.go(set(reading.names) - late, late)
        for column in again.columns:
            if column.name in late:
                reading.columns[column.index].texts = column.texts
    columns = {column.name: reading.raw(column) for column in reading.columns if column.kind is not None}
    index = reading.index_columns()
    _refuse_unnamed([name for name in reading.unnamed if name not in index], columns, reading.header_line)
    return RawColumns(reading.names, columns, reading.rows, reading.blank_lines, padded=reading.padded, unnamed=index)


def _refuse_unnamed(names: Sequence[str], columns: Mapping[str, Raw], line: int) -> None:
    """A column without a name between others, if it holds anything and is read: its heading may have slipped."""
    filled = [raw for raw in (columns[name] for name in names if name in columns) if raw.holds_anything()]
    if not filled:
        return
    place = replace(filled[0].origin.place(0), line=line)
    drop = f"set {setting('drop', '[{}]'.format(', '.join(raw.name for raw in filled)))}"
    if len(filled) == 1:
        raise DataError(f"{filled[0].name} has no name", place=place, cure=f"name it, or {drop}")
    message = f"{len(filled)} columns have no name: {listed([raw.name for raw in filled])}"
    cure = "name them; if the names stand in the next line, below headings of several columns, take this line out of the file"
    raise DataError(message, place=place, cure=f"{cure}; or {drop}")


@dataclass
class _Column:
    """A column while it grows. Its kind is the first of KINDS that all its values fit; None where it is not read."""

    index: int
    name: str
    kind: str | None = None
    was_numbers: bool = False
    values: np.ndarray = field(default_factory=lambda: np.empty(0))
    texts: list[Any] = field(default_factory=list)
    padded: int = 0

    def take(self, array: Any, start: int, room: int) -> None:
        """Add what pyarrow read; a column that turns out odd is text from here on."""
        if self.kind == "text":
            self.texts += array.chunks
            return
        end = start + len(array)
        if len(self.values) < end:
            grown = np.empty(max(room, end + end // 4))  # pages that are never written take no memory
            grown[:start] = self.values[:start]
            self.values = grown
        for chunk in array.chunks:
            part = self.values[start : start + len(chunk)]
            self.was_numbers = True
            if not _fill(part, chunk):
                self.kind, self.values = "text", np.empty(0)
                return
            start += len(chunk)


def _fill(out: np.ndarray, chunk: Any) -> bool:
    """Write a chunk of numbers into `out`, NaN where null; whether they are all exact and finite."""
    given = np.frombuffer(chunk.buffers()[1], dtype=chunk.type.to_pandas_dtype())[chunk.offset :][: len(chunk)]
    out[:] = given
    if not chunk.null_count:
        low, high = (out.min(), out.max()) if len(out) else (0.0, 0.0)
        return bool(low > -EXACT and high < EXACT)  # false for NaN, too
    absent = chunk.is_null().to_numpy(zero_copy_only=False)
    out[absent] = 0.0
    fits = bool((np.abs(out) < EXACT).all())
    out[absent] = np.nan
    return fits


class _Reader:
    """One way through all files."""

    def __init__(self, files: Sequence[File], form: Form, state: FileState):
        self.files, self.form, self.state = files, form, state
        self.names: tuple[str, ...] = ()
        self.padded: tuple[str, ...] = ()  # names with blanks around them
        self.unnamed: tuple[str, ...] = ()
        self.columns: list[_Column] = []
        self.rows, self.blank_lines, self.header_line = 0, 0, 1
        self.lines: list[np.ndarray] = []
        self.first_rows: list[int] = []  # of each file
        self.origin: FileOrigin | None = None

    def go(self, left_out: set[str], as_text: set[str]) -> None:
        for file in self.files:
            self.first_rows.append(self.rows)
            self.state.begin(file)
            unequal: Unequal | None = None
            for block in prefetch(self._blocks(file)):  # read and searched for lines while another becomes numbers
                self._refuse_long_fields(block, file.name)
                if not self.columns:
                    self._open(block, left_out, as_text)
                if not len(block.lines):
                    continue
                unequal = unequal or Unequal(file.name, len(self.names), self.form.delimiter)
                self._read(block, file, unequal)
            if unequal:
                unequal.tell()

    def _blocks(self, file: File) -> Iterator[Block]:
        """Blocks of rows; the header is checked, and taken off the first one."""
        form = self.form
        pieces = read_pieces(file.path, file.name, form.encoding, self.state)
        opened = False
        for block in blocks(pieces, file.name, form.delimiter):
            self.blank_lines += block.blank_lines
            if not opened and len(block.lines):
                opened = True
                names = header_of(block, file.name, form.delimiter, form.header)
                self._same(names, file, int(block.lines[0]))
                if form.header is not False:
                    heading = dict(zip(names, self._fields(block, 0), strict=True))
                    self.padded = self.padded or tuple(text for text in heading.values() if text != text.strip() != "")
                    self.unnamed = tuple(name for name, text in heading.items() if not text.strip())
                    self.header_line = int(block.lines[0])
                    block = block.after_first()
            yield block

    def index_columns(self) -> tuple[str, ...]:
        """The columns without a name that the table begins with."""
        return tuple(takewhile(self.unnamed.__contains__, self.names))

    def _same(self, names: tuple[str, ...], file: File, line: int) -> None:
        if not self.names:
            self.names = names
        else:
            refuse_other_columns(self.names, names, self.files[0].name, Place(file.name, line))

    def _open(self, block: Block, left_out: set[str], as_text: set[str]) -> None:
        """What each column is tried as, from the first rows."""
        self.columns = [_Column(index, name) for index, name in enumerate(self.names)]
        rows = [self._fields(block, index) for index in range(min(len(block.lines), SAMPLE))]
        rows = [row for row in rows if len(row) == len(self.names)]
        for column in self.columns:
            if column.name in left_out:
                continue
            sample = [row[column.index] for row in rows if row[column.index] not in self.form.missing]
            column.kind = "text" if column.name in as_text else _kind_of(sample, self.form.decimal)

    def _fields(self, block: Block, index: int) -> list[str]:
        record = block.record(index)
        if '"' in record:
            return fields_of(record, self.form.delimiter, Place("", 1))
        return record.split(self.form.delimiter)

    def _read(self, block: Block, file: File, unequal: Unequal) -> None:
        columns = [column for column in self.columns if column.kind is not None]
        if hexadecimal(block) or self.form.decimal != ".":
            _demote(columns, "int64", "double")  # pyarrow takes 0x1F for a whole number
        if leading_zeros(block, self.form.delimiter):
            self._demote_odd(block, columns, PADDED)  # is it an id?
        if near_zero(block):
            self._demote_odd(block, columns, TINY)
        arrays = self._convert(block, columns)
        if arrays is None and unequal.problems == []:
            self._demote_unread(block, columns)
            arrays = self._convert(block, columns)
        if arrays is None or (arrays and len(arrays[0]) != len(block.lines)):
            unequal.look(block)
            if unequal.count > MOST_UNEQUAL:
                unequal.tell()
            if not unequal.problems:
                raise DataError(
                    "the table cannot be read as delimited text", place=Place(file.name, int(block.lines[0]))
                )
            return
        if unequal.problems:
            return
        if blanks(block, self.form.delimiter):
            self._count_padded(block, columns)
        room = self._room(block, file)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda pair: pair[0].take(pair[1], self.rows, room), zip(columns, arrays, strict=True)))
        self.lines.append(block.lines)
        self.rows += len(block.lines)

    def _refuse_long_fields(self, block: Block, file: str) -> None:
        import pyarrow.compute as pc

        if not len(block.lines) or (block.ends - block.starts).max() <= LONGEST_FIELD:
            return
        columns = [_Column(index, name) for index, name in enumerate(self.names)]
        for column, texts in zip(columns, self._convert(block, columns, force="text") or [], strict=False):
            for chunk in texts.chunks:
                longest = pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
                if longest > LONGEST_FIELD:
                    text = pc.binary_length(texts.cast("string"))
                    row = int(pc.index(text, pc.max(text)).as_py())
                    raise DataError(
                        f"a field is longer than {LONGEST_FIELD} bytes: it has {longest}",
                        place=Place(file, int(block.lines[row]), column.index + 1),
                        cure="is a quote not closed? If it is one long text, take it out of the file",
                    )

    def _room(self, block: Block, file: File) -> int:
        """How many rows the files will probably have."""
        size = sum(part.path.stat().st_size for part in self.files)
        return int(size / max(len(block.body), 1) * len(block.lines) * 1.1) + self.rows

    def _convert(self, block: Block, columns: Sequence[_Column], force: str | None = None) -> list[Any] | None:
        """The wanted columns as pyarrow reads them; None where it cannot."""
        import pyarrow as pa
        from pyarrow import csv as arrow

        types = {"int64": pa.int64(), "double": pa.float64(), "text": pa.dictionary(pa.int32(), pa.string())}
        names = [str(index) for index in range(len(self.names))]
        requested = [str(column.index) for column in columns] or names[:1]  # one column at least counts the rows
        records = block.records()
        for size in (PART, len(records) + 1):  # a part must hold a row: the second try is for rows beyond a MiB
            unequal = repeat("skip", MOST_UNEQUAL)
            try:
                table = arrow.read_csv(
                    pa.py_buffer(records),
                    read_options=arrow.ReadOptions(column_names=names, block_size=size),
                    parse_options=arrow.ParseOptions(
                        delimiter=self.form.delimiter,
                        newlines_in_values=b'"' in block.body,
                        # Each is a call of Python: a file of nothing else would take minutes.
                        invalid_row_handler=lambda row, unequal=unequal: "skip" if next(unequal, None) else "error",
                    ),
                    convert_options=arrow.ConvertOptions(
                        check_utf8=False,
                        column_types={str(column.index): types[force or column.kind or "text"] for column in columns}
                        or {names[0]: pa.string()},
                        null_values=list(self.form.missing),
                        strings_can_be_null=True,
                        decimal_point=self.form.decimal,
                        include_columns=requested,
                    ),
                )
            except pa.ArrowInvalid:
                continue
            return list(table.columns)
        return None

    def _demote_unread(self, block: Block, columns: Sequence[_Column]) -> None:
        """Find, in one reading of the block as text, all columns that do not fit what was tried."""
        import pyarrow as pa
        import pyarrow.compute as pc

        numbers = [column for column in columns if column.kind != "text"]
        texts = self._convert(block, numbers, force="text") or []
        for column, text in zip(numbers, texts, strict=bool(texts)):
            plain = pc.cast(text, pa.string())
            if self.form.decimal != ".":
                plain = pc.replace_substring(pc.replace_substring(plain, ".", "'"), self.form.decimal, ".")
            for kind in KINDS[KINDS.index(column.kind or "text") :]:
                if kind == "text" or _casts(plain, kind):
                    _demote([column], column.kind or "text", kind)
                    break

    def _demote_odd(self, block: Block, columns: Sequence[_Column], odd: str) -> None:
        """Columns of numbers that have one written in an `odd` way (a pattern of pyarrow's) in this block are text."""
        import pyarrow as pa
        import pyarrow.compute as pc

        numbers = [column for column in columns if column.kind != "text"]
        for column, text in zip(numbers, self._convert(block, numbers, force="text") or [], strict=False):
            if pc.any(pc.match_substring_regex(pc.cast(text, pa.string()), odd)).as_py():
                _demote([column], column.kind or "text", "text")

    def _count_padded(self, block: Block, columns: Sequence[_Column]) -> None:
        """Numbers with blanks around them, which pyarrow takes off without a word."""
        import pyarrow as pa
        import pyarrow.compute as pc

        numbers = [column for column in columns if column.kind != "text"]
        for column, text in zip(numbers, self._convert(block, numbers, force="text") or [], strict=False):
            column.padded += pc.sum(pc.match_substring_regex(pc.cast(text, pa.string()), r"^\s|\s$")).as_py() or 0

    def raw(self, column: _Column) -> Raw:
        import pyarrow as pa

        if len(self.lines) > 1:
            self.lines = [np.concatenate(self.lines)]
        if self.origin is None:
            self.origin = FileOrigin.of(self.files, 1, self.lines[0], self.first_rows)
        origin = replace(self.origin, column=column.index + 1)  # one array of lines for all columns
        if column.kind == "text":
            return Raw(column.name, origin, texts=pa.chunked_array(column.texts))
        return Raw(column.name, origin, numbers=column.values[: self.rows], padded=column.padded)


def _kind_of(sample: Sequence[str], decimal: str) -> str:
    """What to try first."""
    for kind, read in (("int64", int), ("double", float)):
        try:
            for text in sample:
                read(text.replace(decimal, "."))
        except ValueError:
            continue
        return kind
    return "text"


def _demote(columns: Sequence[_Column], old: str, new: str) -> None:
    for column in columns:
        if column.kind == old:
            column.kind = new
            column.values = column.values if new != "text" else np.empty(0)


def _casts(texts: Any, kind: str) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.cast(texts, kind)
    except pa.ArrowInvalid:
        return False
    return True
