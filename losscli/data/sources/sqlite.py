"""A table of an SQLite database: its values have types of their own, each, and no column has to keep to one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import numpy as np
from pydantic import Field

from losscli.data.delimited import LONGEST_FIELD
from losscli.data.files import BLOCK, File, FileOrigin, FileState
from losscli.data.gather import Raw, RawColumns
from losscli.data.opening import opened
from losscli.data.sources import source
from losscli.data.store import sized
from losscli.data.tabular import Tabular, Text
from losscli.data.typed import raw_of
from losscli.errors import DataError, Place, choose_from, listed, shown
from losscli.tasks import Origin

VIRTUAL = 2  # of a column that is generated and not stored, as `table_xinfo` says
LONGEST_ROW = 1 << 24  # bytes; a text of more is refused by SQLite before it is made
FETCHED = 1000  # rows at a time
CELL = 40  # bytes of a value in Python, its place in the row among them
LEAST = 1 << 28  # bytes that a table may take here, however little data.memory is
MARK = b"SQLite format 3\0"  # how a database begins
# A view is a program that a file brings along, and may never end: tables only.
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"


@source("sqlite")
class Sqlite(Tabular):
    """A table of an SQLite database, which is opened for reading only.

    `table` is which of them (null: the only one). Null and empty text mean missing. In places of values the number after the file
    is the row, from 1, in the order in which the table holds them.
    """

    source: Literal["sqlite"] = "sqlite"
    table: Text | None = None
    missing: list[str] = Field(default_factory=lambda: [""])

    endings: ClassVar[tuple[str, ...]] = (".sqlite", ".sqlite3", ".db")
    identity: ClassVar[tuple[str, ...] | None] = (*(Tabular.identity or ()), "table")

    def gathered(self, files: Sequence[File], left_out: set[str], as_text: set[str], state: FileState) -> RawColumns:
        if len(files) > 1:
            raise DataError("a table is in one database, and several are named", place=Place(files[1].name))
        names, rows = self._rows(files[0], state)
        if not rows:
            raise DataError("the table has 0 rows", place=Place(files[0].name))
        lines = np.arange(1, len(rows) + 1)
        columns = {}
        for index, name in enumerate(names):
            if name not in left_out:
                origin = FileOrigin.of(files, index + 1, lines, [0])
                columns[name] = _raw(name, [row[index] for row in rows], origin, text=name in as_text)
        return RawColumns(names, columns, len(rows))

    def _rows(self, file: File, state: FileState) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """The names of the columns, and all rows."""
        with opened(file.path, file.name) as stream:
            state.begin(file)
            if not (data := stream.read(BLOCK)).startswith(MARK):
                raise DataError("the file must be an SQLite database, and is none", place=Place(file.name))
            while data:
                state.saw(file.name, data)
                data = stream.read(BLOCK)
        try:
            with closing(sqlite3.connect(f"file:{quote(str(file.path))}?mode=ro", uri=True)) as database:
                database.execute("PRAGMA trusted_schema = OFF")
                database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_ROW)
                table = self._chosen([name for (name,) in database.execute(TABLES)], file.name)
                quoted = '"{}"'.format(table.replace('"', '""'))
                _refuse_computed(database.execute(f"PRAGMA table_xinfo({quoted})"), file.name)
                cursor = database.execute(f"SELECT * FROM {quoted}")
                return tuple(column[0] for column in cursor.description), self._fetched(cursor, file.name)
        except sqlite3.Error as failed:
            raise DataError(f"the database cannot be read: {shown(failed)[1:-1]}", place=Place(file.name)) from None

    def _fetched(self, cursor: sqlite3.Cursor, file: str) -> list[tuple[Any, ...]]:
        """All rows, as long as memory has room for them: pages that go round never end."""
        rows: list[tuple[Any, ...]] = []
        size, limit = 0, max(self.memory_limit(), LEAST)
        while part := cursor.fetchmany(FETCHED):
            rows += part
            texts = (value for row in part for value in row if isinstance(value, (str, bytes)))
            size += len(part) * CELL * (2 + len(part[0])) + sum(map(len, texts))
            if size > limit:
                message = f"the first {len(rows)} rows take {sized(size)} of memory, and data.memory is {sized(limit)}"
                cure = "write it as Parquet, whose columns can lie on disk; or raise data.memory, if there is more"
                raise DataError(message, place=Place(file), cure=cure)
        return rows

    def _chosen(self, tables: Sequence[str], file: str) -> str:
        if self.table is not None and self.table in tables:
            return self.table
        if self.table is not None:
            message = f"the database has no table called {shown(self.table)}"
            raise DataError(message, place=Place(file), cure=choose_from(self.table, tables))
        if len(tables) != 1:
            content = f"{len(tables)} tables: {listed([shown(table) for table in tables])}" if tables else "no table"
            raise DataError(f"the database holds {content}", place=Place(file), cure="say which: --set data.table=NAME")
        return tables[0]


def _refuse_computed(columns: sqlite3.Cursor, file: str) -> None:
    """A column that is computed as it is read is a program, as a view is: a few bytes may make any number of texts."""
    for _, name, *_, hidden in columns:
        if hidden == VIRTUAL:
            cure = "store it: CREATE TABLE copy AS SELECT * FROM the table, and name that"
            raise DataError(f"the column {shown(name)} is computed as it is read", place=Place(file), cure=cure)


def _raw(name: str, values: Sequence[Any], origin: Origin, *, text: bool) -> Raw:
    """A column by the type of its values: numbers or texts; values of several types are texts that tell what they are."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if bytes in kinds:
        row = next(row for row, value in enumerate(values) if isinstance(value, bytes))
        message = f"the column {shown(name)} holds binary data, which is not supported"
        raise DataError(message, place=origin.place(row), cure="list it under data.drop")
    longest = max((len(value) for value in values if isinstance(value, str)), default=0)
    if longest > LONGEST_FIELD:
        row = next(row for row, value in enumerate(values) if isinstance(value, str) and len(value) == longest)
        message = f"a text of {shown(name)} has {longest} characters, and may have {LONGEST_FIELD}"
        raise DataError(message, place=origin.place(row), cure="list the column under data.drop")
    if len(kinds) < 2 and str not in kinds:
        numbers = pa.array(values, pa.float64() if float in kinds else pa.int64())
        return raw_of(name, [numbers], numbers.type, origin, text=text)
    texts = pa.array([None if value is None else str(value) for value in values], pa.string()).dictionary_encode()
    return Raw(name, origin, texts=pa.chunked_array([texts]), typed="text" if len(kinds) == 1 else None)
