"""Tables: small ones of all kinds of columns, in every dialect of CSV, as Parquet and as SQLite, with odd cells and bytes."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from driver import Case, kind
from odd import WORDS, change_bytes, change_lines, encoded
from pyarrow import parquet

from losscli.tasks import tasks

NAMES = (
    "a",
    "b",
    "y",
    "id",
    "date",
    "price $",
    "Größe",
    "",
    " ",
    "a",
    "[/x]",
    "\x1b[1m",
    "1",
    "label_0",
    "x.y",
    "x=y",
    "a" * 300,
)
SEPARATORS = (",", ",", ",", ",", ",", ",", ";", "\t", "|", " ", ":")
ENDS = ("\n", "\n", "\r\n", "\r", "\n\n")
ENCODINGS = (*["utf-8"] * 12, "utf-8-sig", "latin-1", "utf-16", "utf-32", "cp1252", "shift_jis")
OF_TEXT = (
    "data.delimiter=;",
    "data.delimiter=",
    "data.decimal=,",
    "data.encoding=latin-1",
    "data.encoding=klingon",
    "data.header=false",
)
OPTIONS = (
    "data.missing=[NA,-]", "data.missing_target=drop", "data.types.c0=date", "data.types.c0=category", "data.types.y=category",
    "data.types.c0=number", "data.types.c0=text", "data.split.group=c0", "data.split.time=c0", "data.split.folds=3",
    "data.split.column=c0", "data.positive=1", "data.order=[0,1,2]", "data.separator=|", "data.encode.numbers=robust",
    "data.encode.missing.rows=drop", "data.drop=[c0]", "data.encode.embedding.columns=[c0]", "data.encode.indicator=true",
    "data.transform=log1p", "data.counts=true", "data.memory=1 GB", "data.corrupt.labels=0.3", "data.corrupt.missing=0.5",
    "data.weight=c0", "data.exposure=c0", "data.pairs=[a,b]", "data.split.classes=0.5", "data.split.stratify=false",
    "data.split.valid=0", "data.split.test=0.98",
)  # fmt: skip


def _cells(chance: random.Random, rows: int) -> list[str]:
    """A column of one kind, as texts."""
    word = chance.choice(["red", "Ärger", "x", "0"])
    make = chance.choice((
        lambda row: f"{chance.gauss(0, 1):.4f}", lambda row: str(row), lambda row: str(chance.randrange(2)),
        lambda row: f"{word}{chance.randrange(3)}", lambda row: f"2024-0{chance.randrange(1, 10)}-{chance.randrange(10, 29)}",
        lambda row: f"{chance.expovariate(1e-6):,.2f}", lambda row: chance.choice(["yes", "no"]), lambda row: f"{row:05}",
        lambda row: f"{chance.randrange(100)} %", lambda row: "", lambda row: "1",
        lambda row: f"{chance.random()}".replace(".", ","),
        lambda row: "|".join(chance.sample("abcd", chance.randrange(4))), lambda row: f"{10.0 ** chance.randrange(-320, 308)}",
    ))  # fmt: skip
    return [make(row) for row in range(rows)]


def _names(chance: random.Random, count: int) -> list[str]:
    plain = [f"c{column}" for column in range(count)]
    plain[-1] = "y"
    return [chance.choice(NAMES) if chance.random() < 0.08 else name for name in plain]


def _calls(chance: random.Random, name: str, columns: Sequence[str], told: Sequence[str] = ()) -> list[list[str]]:
    target = "y" if chance.random() < 0.7 else chance.choice(list(columns) or ["y"])
    more = ["--target", target] if chance.random() < 0.95 else []
    if chance.random() < 0.4:
        more += ["--task", chance.choice(tasks.names())]
    for option in [*told, *chance.sample(OPTIONS, chance.choice([0, 0, 0, 1, 2]))]:
        more += ["--set", option]
    train = ["train", "--data", name, *more, "--smoke", "--no-record", "--quiet", "--set", "model.kind=linear"]
    calls = [["inspect", name, *more, *chance.choice(([], ["--format", "json"], ["--all"]))]]
    if chance.random() < 0.4:
        calls.append(chance.choice((train, train, ["recommend", name, *more], ["init", name, *more, "--to", "-"])))
    return calls


def _odd_cells(columns: list[list[str]], chance: random.Random) -> list[str]:
    changes = []
    for _ in range(chance.choice([0, 0, 1, 1, 2, 9])):
        column, word = chance.randrange(len(columns)), chance.choice(WORDS)
        if columns[column]:
            row = chance.randrange(len(columns[column]))
            columns[column][row] = word
            changes.append(f"cell {column}:{row} {word[:20]!r}")
    return changes


def _quoted(cell: str, separator: str) -> str:
    return f'"{cell.replace(chr(34), chr(34) * 2)}"' if set(cell) & {separator, '"', "\n", "\r"} else cell


@kind("csv")
def csv(chance: random.Random, work: Path) -> Case:
    """A text of rows in some dialect."""
    rows = chance.choice([0, 1, 3, 20, *[60] * 8, 200])
    columns = [_cells(chance, rows) for _ in range(chance.choice([1, 2, 3, 3, 3, 5, 5, 12]))]
    names, changes = _names(chance, len(columns)), _odd_cells(columns, chance)
    separator, end = chance.choice(SEPARATORS), chance.choice(ENDS)
    quote = chance.choice((*[_quoted] * 6, lambda cell, of: f'"{cell}"', lambda cell, of: cell))
    lines = [separator.join(quote(cell, separator) for cell in row) for row in (names, *zip(*columns, strict=True))]
    text = end.join(lines) + end
    name = chance.choice(["t.csv", "t.csv", "t.tsv", "t.txt"])
    path, encoding = work / name, chance.choice(ENCODINGS)
    path.write_bytes(encoded(text) if encoding == "utf-8" else text.encode(encoding, "ignore"))
    changes += [f"{rows} rows, {separator!r} {end!r} {encoding}"]
    told = [f"data.delimiter={separator}"] if separator not in ",\t" and chance.random() < 0.8 else []
    told += [f"data.encoding={encoding}"] if not encoding.startswith("utf-8") and chance.random() < 0.8 else []
    if chance.random() < 0.05:
        told.append(chance.choice(OF_TEXT))
    for _ in range(chance.choice([0, 0, 0, 1, 2])):
        changes.append(chance.choice((change_lines, change_lines, change_bytes))(path, chance))
    return Case(changes, _calls(chance, name, names, told))


def _array(chance: random.Random, rows: int) -> pa.Array:
    """A column of one of Arrow's types, often with holes."""
    values, kind = chance.choice((
        (lambda row: chance.gauss(0, 1), pa.float64()), (lambda row: chance.gauss(0, 1), pa.float32()), (lambda row: row,
        pa.int64()),
        (lambda row: row % 2, pa.int8()), (lambda row: 2**64 - 1 - row, pa.uint64()), (lambda row: row % 3 == 0, pa.bool_()),
        (lambda row: f"k{row % 3}", pa.string()), (lambda row: chance.choice(WORDS), pa.string()),
        (lambda row: f"k{row % 2}", pa.large_string()),
        (lambda row: Decimal(row).scaleb(-2), pa.decimal128(10, 2)), (lambda row: Decimal(10) ** 60, pa.decimal256(70, 2)),
        (lambda row: datetime(2024, 1, 1) + timedelta(row), pa.timestamp("ns")), (lambda row: date(1, 1, 1), pa.date32()),
        (lambda row: datetime(2024, 1, 1), pa.timestamp("us", "Europe/Berlin")), (lambda row: time(1, 2), pa.time64("us")),
        (lambda row: timedelta(row), pa.duration("s")), (lambda row: b"\xff\x00", pa.binary()), (lambda row: [1.0, None],
        pa.list_(pa.float64())),
        (lambda row: {"u": 1}, pa.struct([("u", pa.int8())])), (lambda row: None, pa.null()),
        (lambda row: chance.choice([float("nan"), float("inf"), 1e308, -0.0, 5e-324, 1.0]), pa.float64()),
    ))  # fmt: skip
    holes = chance.choice([0, 0, 0, 0, 0.2, 0.2, 1])
    made = [None if chance.random() < holes else values(row) for row in range(rows)]
    with suppress(pa.ArrowException, UnicodeEncodeError):
        array = pa.array(made, kind)
        return array.dictionary_encode() if pa.types.is_string(kind) and chance.random() < 0.4 else array
    return pa.nulls(rows)


@kind("parquet")
def parquets(chance: random.Random, work: Path) -> Case:
    """A table of Arrow's types, in row groups of any size, with or without compression; then perhaps a few bytes of it."""
    rows = chance.choice([0, 1, 3, *[60] * 8, 200])
    arrays = [_array(chance, rows) for _ in range(chance.choice([1, 2, 3, 4]))]
    arrays.append(pa.array([row % chance.choice([1, 2, 3]) for row in range(rows)], pa.int64()))
    names, path = _names(chance, len(arrays)), work / "t.parquet"
    changes = [", ".join(str(array.type) for array in arrays)]
    options: dict[str, Any] = {
        "compression": chance.choice(["none", "snappy", "zstd"]), "row_group_size": chance.choice([1, 7, 1000]),
        "use_dictionary": chance.random() < 0.5, "version": chance.choice(["1.0", "2.6"]),
    }  # fmt: skip
    try:
        parquet.write_table(pa.table(arrays, names), path, **options)
    except pa.ArrowException:  # not every type can be written in every version
        path.write_bytes(b"PAR1")
    for _ in range(chance.choice([0, 0, 0, 0, 1, 2])):
        changes.append(change_bytes(path, chance))
    return Case(changes, _calls(chance, "t.parquet", names))


@kind("sqlite")
def databases(chance: random.Random, work: Path) -> Case:
    """A database of a table or two, a view, odd names and values of any type in any column."""
    rows = chance.choice([0, 1, 20, *[60] * 8])
    columns: list[list[Any]] = [list(_cells(chance, rows)) for _ in range(chance.choice([1, 2, 3]))]
    columns.append([row % 2 for row in range(rows)])
    names = list(dict.fromkeys(name.casefold() or "n" for name in _names(chance, len(columns))))
    columns, table = columns[: len(names)], chance.choice(["t", "t", "T t", 'a"b', "select", "sqlite", "é"])
    for _ in range(chance.choice([0, 1, 3])):
        column = chance.choice(columns)
        if column:
            column[chance.randrange(rows)] = chance.choice(
                [None, b"\xff", 1e999, -(2**63), "x", 0.5, "\x00", 2**63 - 1]
            )
    path, quoted = work / chance.choice(["t.sqlite", "t.db", "t.sqlite3"]), ", ".join(f'"{name}"' for name in names)
    changes = [f"table {table!r} of {quoted}"]
    with closing(sqlite3.connect(path)) as database, suppress(sqlite3.Error):
        own = table.replace('"', '""')
        database.execute(f'create table "{own}" ({quoted})')
        marks = ", ".join("?" * len(names))
        database.executemany(f'insert into "{own}" values ({marks})', zip(*columns, strict=True))
        database.commit()
        if chance.random() < 0.3:
            database.execute(chance.choice((
                f'create view v as select * from "{own}"', "create view w as select * from w", "create table empty (a)",
                "create view long as with recursive n(a) as (select 1 union all select a + 1 from n) select a from n",
            )))  # fmt: skip
        database.commit()
    for _ in range(chance.choice([0, 0, 0, 0, 1, 2])):
        changes.append(change_bytes(path, chance))
    calls = _calls(chance, path.name, names)
    odd = chance.choice(["v", "w", "long", "x", "sqlite_master"]) if chance.random() < 0.25 else table
    for call in calls:
        call += ["--set", f"data.table={odd}"]
    return Case(changes, calls)
