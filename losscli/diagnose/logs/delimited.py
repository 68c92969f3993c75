"""CSV and its kin: any usual names, commas, semicolons or tabs, holes (Lightning's metrics.csv), ten million rows."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from losscli.data.layout import Layout, is_text, layout_of, number_in
from losscli.diagnose.history import Condenser, History
from losscli.diagnose.logs import Choice, log_kind
from losscli.diagnose.names import Columns, columns_of
from losscli.errors import DataError, Place, counted, shown

NONE = ("", "na", "n/a", "none", "null", "-", "--")
BLOCK = 1 << 22  # bytes of text that are parsed at a time
MOST_RAGGED = 100_000  # rows of another length than the header's, each of which is told apart


def _is_table(path: Path, head: bytes | None) -> bool:
    if head is None or head.lstrip().startswith((b"{", b"[")) or "tfevents" in path.name:
        return False
    return is_text(head)


@log_kind("csv", _is_table)
def read_delimited(path: Path, choice: Choice) -> History:
    """The history in a delimited file. Raises `DataError` with the place of what is no number in a loss."""
    layout = layout_of(path, lone="loss")
    columns = columns_of(layout.names, str(path), choice.train, choice.valid)
    table = _Table(path, layout, columns)
    for block in _blocks(path, layout, columns, table):
        table.add(block)
    return table.history()


def _blocks(path: Path, layout: Layout, columns: Columns, table: _Table) -> Iterator[Mapping[int, Any]]:
    """The columns that are used, block by block, as text; `DataError` for what is no table."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    try:
        with (
            codecs.EncodedFile(
                path.open("rb"), "utf-8", layout.encoding
            ) as file,  # or pyarrow fails at ragged rows, aloud
            arrow_csv.open_csv(file, **_options(layout, columns, table)) as reader,
        ):
            for batch in reader:
                yield {at: batch.column(f"c{at}") for at in columns.used}
    except pa.ArrowInvalid as failed:
        headless = "Could not skip" in str(failed)  # the header is all there is, or is longer than a block
        if "Empty CSV" in str(failed) or (headless and path.stat().st_size <= BLOCK):
            return
        if len(table.ragged) == MOST_RAGGED:
            message = (
                f"{MOST_RAGGED:,} rows have more or fewer fields than the first line, which has {len(layout.names)}"
            )
            raise DataError(
                message, place=Place(str(path)), cure="write the log as a table, a row for each step"
            ) from None
        long = headless or "straddl" in str(failed)
        what = f"a line is longer than {BLOCK >> 20} MB" if long else str(failed).splitlines()[0][:200]
        raise DataError(f"the log cannot be read as a table: {what}", place=Place(str(path))) from None
    except UnicodeDecodeError as failed:
        message = f"the log must be {layout.encoding}, and byte {failed.object[failed.start]:#04x} is not"
        raise DataError(message, place=Place(str(path)), cure="save it as UTF-8") from None


def _options(layout: Layout, columns: Columns, table: _Table) -> dict[str, Any]:
    """What pyarrow needs to know: everything is text here, and a row of another length is noted and left out."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [f"c{at}" for at in range(len(layout.names))]  # the file's own may be empty, or twice there
    skipped = layout.header + 1

    def ragged(row: Any) -> str:
        table.ragged.append(row.number + skipped if row.number else None)
        return "skip" if len(table.ragged) < MOST_RAGGED else "error"

    return {
        "read_options": arrow_csv.ReadOptions(
            use_threads=False, block_size=BLOCK, column_names=names, skip_rows=skipped
        ),
        "parse_options": arrow_csv.ParseOptions(delimiter=layout.delimiter, invalid_row_handler=ragged),
        "convert_options": arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=[names[at] for at in columns.used],
            strings_can_be_null=False,
        ),
    }


@dataclass
class _Table:
    """Puts blocks of text together to series, and counts what is odd."""

    path: Path
    layout: Layout
    columns: Columns
    ragged: list[int | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows, self.headers, self.last = 0, 0, -np.inf
        self.back, self.on = False, False  # whether the steps ever go back, or on
        losses = {"train": self.columns.train, "valid": self.columns.valid}
        self.losses = {name: at for name, at in losses.items() if at is not None}
        self.places = {**self.losses, **self.columns.metrics}
        self.series = {name: Condenser() for name in self.places}
        self.dropped: list[str] = []

    @property
    def axis(self) -> int | None:
        return self.columns.epoch if self.columns.epoch is not None else self.columns.step

    def add(self, block: Mapping[int, Any]) -> None:
        """The next block of rows: a column of text by its position."""
        count = len(next(iter(block.values())))
        numbers = {at: self._numbers(column, at) for at, column in block.items()}
        steps = np.arange(self.rows + 1.0, self.rows + count + 1)
        if self.axis is not None:
            axis = numbers.get(self.axis)
            usable = axis is not None and np.isfinite(axis)
            steps = np.where(usable, steps if axis is None else axis, steps)
        moves = np.diff(steps, prepend=self.last)
        self.back, self.on = (
            self.back or bool((moves < 0).any()),
            self.on or bool((moves[np.isfinite(moves)] > 0).any()),
        )
        self.last = steps[-1] if len(steps) else self.last
        for name, at in self.places.items():
            values = numbers.get(at)
            if values is not None:
                there = ~np.isnan(values) | self._said_nan[at]
                self.series[name].add(steps[there], values[there])
        self.rows += count

    def _numbers(self, column: Any, at: int) -> np.ndarray | None:
        """float64 [N], NaN where there is none; `_said_nan` says where the log itself says NaN."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self._said_nan = getattr(self, "_said_nan", {})
        if self.layout.names[at] in self.dropped:
            return None
        text = pc.utf8_trim_whitespace(column)
        low = pc.utf8_lower(text)
        holes = pc.is_in(low, pa.array(NONE))
        again = pc.equal(text, self.layout.names[at])
        self.headers += int(pc.sum(again).as_py() or 0) if at == min(self.columns.used) else 0
        filled = pc.if_else(pc.or_(holes, again), pa.scalar(None, pa.string()), low)
        filled = pc.replace_substring(filled, ",", ".") if self.layout.comma else filled
        try:
            numbers = pc.cast(filled, pa.float64())
        except pa.ArrowInvalid:
            numbers = self._slowly(filled, at)
        if numbers is None:
            return None
        values: np.ndarray = np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
        self._said_nan[at] = np.isnan(values) & ~np.asarray(numbers.is_null().to_numpy(zero_copy_only=False))
        return values

    def _slowly(self, filled: Any, at: int) -> Any:
        """The same number by number: `DataError` for text in a loss; a metric that is none is left out."""
        import pyarrow as pa

        values = []
        for text in filled.to_pylist():
            value = None if text is None else number_in(text)
            if text is not None and value is None:
                if at not in (*self.losses.values(), self.axis):
                    self.dropped.append(self.layout.names[at])
                    return None
                raise self._text(text, at)
            values.append(value)
        return pa.array(values, pa.float64())

    def _text(self, text: str, at: int) -> DataError:
        """What is wrong, with the line, which is looked for now that it is needed."""
        line = None
        with self.path.open(encoding=self.layout.encoding, errors="replace", newline="") as file:
            rows = csv.reader(file, delimiter=self.layout.delimiter)
            for row in rows:
                if rows.line_num > self.layout.header + 1 and len(row) > at and row[at].strip().lower() == text:
                    line = rows.line_num
                    break
        cure = (
            "log loss.item()" if "tensor" in text else "take the text out of the column, or name another with --train"
        )
        name = shown(self.layout.names[at])
        return DataError(
            f"the column {name} must hold numbers, and holds {shown(text)}",
            place=Place(str(self.path), line, at + 1),
            cure=cure,
        )

    def history(self) -> History:
        """All blocks as a history. `DataError` where no row holds a loss."""
        series = {name: condenser.series() for name, condenser in self.series.items()}
        empty = Condenser().series()
        train, valid = series.get("train", empty), series.get("valid", empty)
        if not train.count and not valid.count:
            raise DataError("the log has no row with a loss", place=Place(str(self.path)), cure="name another log")
        metrics = {name: series[name] for name in self.columns.metrics if series[name].count}
        axis = "epoch" if self.columns.epoch is not None else "step" if self.columns.step is not None else "row"
        return History(train, valid, metrics, axis, self._notes())

    def _notes(self) -> list[str]:
        notes = list(self.layout.notes)
        if self.columns.guess and self.columns.train is not None:
            name = shown(self.layout.names[self.columns.train])
            notes.append(f"the column {name} is taken for the loss; its name does not say so")
        if self.ragged:
            first = f", the first at line {self.ragged[0]}" if self.ragged[0] else ""
            notes.append(f"{counted(len(self.ragged), 'row')} with too few or too many fields left out{first}")
        if self.headers:
            notes.append(
                f"the header stands {counted(self.headers, 'more time')} among the rows: several runs in one file?"
            )
        if self.back and self.on:
            notes.append("the steps go back on the way; the rows were read in their order")
        notes += [f"the column {shown(name)} holds text and was left out" for name in self.dropped]
        return notes
