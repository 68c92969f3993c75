"""Records as a stranger might send them: one that is whole, or was stopped, is changed in a few places, signed again, and given
to every command that reads one.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import struct
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from driver import Case, kind
from odd import change_bytes, change_json, change_json_file
from pyarrow import parquet

from losscli import pipeline
from losscli.record import MANIFEST, PROGRESS
from losscli.record.manifest import checksum, manifest_of
from losscli.spec.load import load_spec
from losscli.stack.watch import Stop

VERSIONS = Path(__file__).parent.parent / "record" / "versions"
NAME = "0001-20260131-154210-fuzzed"
APART = TemporaryDirectory(prefix="unfinished")  # of a case its own folder is, which goes
WHOLE = 2  # of three records, one is unfinished


def change_weights(path: Path, chance: random.Random) -> str:
    """The header of safetensors: shapes, types, offsets, names; or numbers that are none."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])
    if chance.random() < 0.4:
        at = 4 * chance.randrange(len(body) // 4)
        body[at : at + 4] = struct.pack("<f", chance.choice([float("nan"), float("inf"), -3e38, 3e38, 1e-45]))
        what = "number"
    elif chance.random() < 0.5:
        name = chance.choice([name for name in header if name != "__metadata__"])
        key = chance.choice(["dtype", "shape", "data_offsets"])
        odd = {
            "dtype": ["F64", "I64", "BF16", "BOOL", "F8_E4M3", "U8", "x"],
            "shape": [[], [0], [2**62, 2**62], [1], [-1]],
        }
        header[name][key] = chance.choice(odd.get(key, [[0, 2**63], [4, 0], [0, 0]]))
        what = f"{key} of {name}"
    else:
        header, what = change_json(header, chance)
    text = json.dumps(header).encode(errors="surrogatepass")
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return f"{path.name}: {what}"


def change_table(path: Path, chance: random.Random) -> str:
    """A column of another type, none, twice, or with odd values; rows that repeat."""
    table = parquet.read_table(path)
    name = chance.choice(table.column_names)
    at = table.column_names.index(name)
    kind = chance.choice(("drop", "null", "retype", "odd", "repeat", "rename", "plain"))
    if kind == "drop":
        table = table.remove_column(at)
    elif kind == "null":
        table = table.set_column(at, name, pa.nulls(len(table), table.schema.field(at).type))
    elif kind == "retype":
        table = table.set_column(at, name, pa.array([chance.choice(["x", "1"])] * len(table)))
    elif kind == "odd" and table.schema.field(at).type in (pa.int32(), pa.int64(), pa.float64()):
        odd = chance.choice([-1, 0, 2**31 - 1, -(2**31)])
        table = table.set_column(at, name, pa.array([odd] * len(table)).cast(table.schema.field(at).type))
    elif kind == "odd" and table.schema.field(at).type == pa.list_(pa.float64()):
        odd = chance.choice([[], [float("nan")] * 2, [1e300], [None], [0.0] * 7, [2.0], [-1.0]])
        rows = [odd if chance.random() < 0.5 else value for value in table.column(at).to_pylist()]
        table = table.set_column(at, name, pa.array(rows, pa.list_(pa.float64())))
    elif kind == "repeat":
        table = pa.concat_tables([table] * chance.choice([2, 30]))
    elif kind == "rename":
        table = table.rename_columns([*table.column_names[:at], "entry", *table.column_names[at + 1 :]])
    elif kind == "plain" and pa.types.is_dictionary(table.schema.field(at).type):
        table = table.set_column(at, name, table.column(at).cast(pa.string()))
    parquet.write_table(table, path)
    return f"{path.name}: {kind} {name}"


def change_kind(path: Path, chance: random.Random) -> str:
    """Something else than a file."""
    kind = chance.choice(("fifo", "link", "zero", "folder", "gone", "huge"))
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/etc/hostname")
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(1 << 36)
    return f"{path.name}: {kind}"


def change_text(path: Path, chance: random.Random) -> str:
    """A line of YAML less, twice, or with another value."""
    lines = path.read_text(errors="replace").splitlines()
    at = chance.randrange(len(lines))
    key, colon, _ = lines[at].partition(":")
    odd = [
        "null",
        "true",
        "-1",
        "1e999",
        "[]",
        "{}",
        "x",
        '"\\e[2J"',
        "1" * 400,
        "[[[[[[1]]]]]]",
        "{a: {b: 1}}",
        "&a [*a]",
        "'",
    ]
    kind = chance.choice(("drop", "twice", "odd", "odd", "odd"))
    lines[at : at + 1] = {"drop": [], "twice": [lines[at]] * 2}.get(kind, [f"{key}{colon} {chance.choice(odd)}"])
    path.write_text("\n".join(lines) + "\n")
    return f"{path.name}: {kind} {key.strip()[:60]}"


CHANGES: dict[str, Sequence[Callable[[Path, random.Random], str]]] = {
    ".json": (change_json_file,) * 8 + (change_bytes, change_kind),
    ".yaml": (change_text,) * 4 + (change_bytes, change_kind),
    ".parquet": (change_table,) * 4 + (change_bytes, change_kind),
    ".safetensors": (change_weights,) * 4 + (change_bytes, change_kind),
}


def changed(folder: Path, chance: random.Random) -> list[str]:
    """Change a record in a few places, and mostly sign it again."""
    told = MANIFEST if (folder / MANIFEST).exists() else PROGRESS
    names = sorted(path.name for path in folder.iterdir() if path.name != told)
    weights = [6 if name == "results.json" else 2 if name == "encoders.json" else 1 for name in names]
    changes = []
    for name in dict.fromkeys(chance.choices(names, weights, k=chance.choice([1, 1, 1, 2, 3]))):
        path = folder / name
        changes.append(chance.choice(CHANGES[path.suffix])(path, chance))
    if told == MANIFEST and chance.random() < 0.95:
        sign(folder, names)
    if chance.random() < (0.15 if told == MANIFEST else 0.8):
        changes.append(_change_signed(folder / told, chance))
    return changes


def sign(folder: Path, names: Sequence[str] = ()) -> None:
    """A manifest that vouches for these files as they are now, or for all."""
    listed = names or sorted(path.name for path in folder.iterdir() if path.name != MANIFEST)
    (folder / MANIFEST).write_bytes(manifest_of({name: _content(folder / name) for name in listed}, {}))


def _content(path: Path) -> bytes:
    known = path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 26
    return path.read_bytes() if known else b""


def _change_signed(path: Path, chance: random.Random) -> str:
    """What vouches for itself: changed, and mostly signed again."""
    if chance.random() < 0.1:
        return chance.choice((change_bytes, change_kind))(path, chance)
    document, what = change_json(json.loads(path.read_bytes()), chance)
    if isinstance(document, dict) and chance.random() < 0.95:
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            document["sha256"] = checksum(document)
    with contextlib.suppress(RecursionError):
        path.write_text(json.dumps(document), encoding="utf-8", errors="surrogatepass")
    return f"{path.name}: {what}"


@cache
def unfinished() -> Path:
    """A comparison that was stopped after a few epochs, beside the table that it is of."""
    place = Path(APART.name)
    (place / "t.csv").write_text("a,b,y\n" + "".join(f"{row / 7:.3f},{row * 37 % 11},{row % 2}\n" for row in range(60)))
    text = (
        "task: binary\ndata: {source: csv, path: t.csv, target: y}\nloss: [bce-logits, focal]\nmodel: {hidden: [4]}\n"
    )
    (place / "s.yaml").write_text(text + "train: {epochs: 9}\nseeds: 1\n")
    pipeline.run([load_spec(place / "s.yaml")], out=place / "runs", stop=_Soon())
    (folder,) = (path for path in (place / "runs").iterdir() if (path / PROGRESS).exists())
    return folder


class _Soon(Stop):
    """Asks to stop once it was polled a few times."""

    def __init__(self) -> None:
        self.listening, self.polls = False, 0

    @property
    def requested(self) -> bool:  # type: ignore[override]
        self.polls += 1
        return self.polls > 6


def commands(whole: str) -> list[list[str]]:
    """Every command that reads a record."""
    return [
        ["runs", "ls"],
        ["runs", "show", NAME],
        ["runs", "show", NAME, "--format", "json"],
        ["runs", "verify", NAME],
        ["runs", "diff", whole, NAME],
        ["runs", "export", NAME, "--to", "record.zip", "--force"],
        ["report", NAME, "--to", "report.html", "--force"],
        ["report", NAME, "--format", "md"],
        ["gate", NAME, "--baseline", whole],
        ["predict", NAME, "rows.csv"],
        ["predict", NAME, "rows.csv", "--seed", "mean", "--entry", "focal"],
        ["export", NAME, "--dir", "model", "--force"],
        ["diagnose", f"runs/{NAME}"],
        ["suspects", NAME],
        ["resume", NAME],
    ]


@kind("records")
def records(chance: random.Random, work: Path) -> Case:
    """A changed record among the records here, and two of the commands; the list is always asked for, and always comes."""
    (whole,) = (VERSIONS / "2").iterdir()
    stopped = chance.randrange(3) >= WHOLE
    source = unfinished() if stopped else whole
    shutil.copytree(source, work / "runs" / NAME)
    (work / "rows.csv").write_text("x1,x2\n0.5,1\n-1,2\n")
    if stopped:
        shutil.copy(source.parent.parent / "t.csv", work / "runs" / "t.csv")
    changes = changed(work / "runs" / NAME, chance)
    first, *rest = commands(str(whole))
    again = [["resume", NAME]] if stopped else []
    return Case([*(["unfinished"] if stopped else []), *changes], [first, *chance.sample(rest, 2), *again])
