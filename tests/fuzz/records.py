"""Records as a stranger might send them: one that is whole is changed in a few places, signed again, and given to every command.

`python tests/fuzz/records.py --count 1000 --seed 0` says which changes end in a traceback, in exit code 70, or take too long;
the suite runs a few. The same seed makes the same changes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from losscli.cli.app import run
from losscli.record.manifest import checksum, manifest_of

VERSIONS = Path(__file__).parent.parent / "record" / "versions"
NAME = "0001-20260131-154210-fuzzed"
SLOWEST = 10.0  # seconds of a call
ENDINGS = (0, 1, 2, 3, 4, 5)
NOTHING: Any = object()

ODD: Sequence[Any] = (
    None, True, False, 0, 1, -1, 2, 10**18, 10**30, 10**400, -(10**400), 0.5, -0.0, 1e-300, 1e300, -1e308, float("nan"),
    float("inf"), "", "x", "\x1b[31m", "\n", "\u202e", "\ud800", "../../x", "a" * 100_000, [], {}, [[]], [None], {"": None},
    [1e300] * 3, {"mean": 1}, "bce-logits", "auroc", "nan",
)  # fmt: skip


@dataclass
class Problem:
    """What a call must not end as."""

    seed: int
    changes: list[str]
    command: list[str]
    what: str


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a JSON document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from places(part, (*path, key))


def change_json(document: Any, chance: random.Random) -> tuple[Any, str]:
    """One change: dropped, of another type, huge, negative, twice, moved."""
    *way, last = chance.choice(list(places(document))[1:] or [(0,)])
    part = document
    for key in way:
        part = part[key]
    kind = chance.choice(("drop", "odd", "odd", "odd", "twice", "swap", "rename", "deep"))
    if kind == "drop":
        del part[last]
    elif kind == "odd":
        part[last] = chance.choice(ODD)
    elif kind == "twice" and isinstance(part, list):
        part.append(part[last])
    elif kind == "swap":
        other = chance.choice(list(part) if isinstance(part, dict) else range(len(part)))
        part[last], part[other] = part[other], part[last]
    elif kind == "rename" and isinstance(part, dict):
        part[chance.choice(["", "x", "auroc", "\x1b[2J"])] = part.pop(last)
    elif kind == "deep":
        deep: Any = part[last]
        for _ in range(chance.choice([2, 50, 500])):
            deep = [deep]
        part[last] = deep
    return document, f"{kind} {'.'.join(map(str, (*way, last)))[:120]}"


def change_json_file(path: Path, chance: random.Random) -> str:
    document, what = json.loads(path.read_bytes()), ""
    document, what = change_json(document, chance)
    path.write_text(json.dumps(document), encoding="utf-8", errors="surrogatepass")
    return f"{path.name}: {what}"


def change_bytes(path: Path, chance: random.Random) -> str:
    """Bits flipped, cut off, or more than there should be."""
    data = bytearray(path.read_bytes() or b"x")
    kind = chance.choice(("flip", "cut", "grow", "empty", "head"))
    if kind == "flip":
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == "cut":
        del data[chance.randrange(len(data)) :]
    elif kind == "grow":
        data += os.urandom(0) + bytes(chance.randrange(256) for _ in range(64))
    elif kind == "head":
        data[:8] = chance.randbytes(8)
    else:
        data.clear()
    path.write_bytes(data)
    return f"{path.name}: {kind}"


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
    names = sorted(path.name for path in folder.iterdir() if path.name != "manifest.json")
    weights = [6 if name == "results.json" else 2 if name == "encoders.json" else 1 for name in names]
    changes = []
    for name in dict.fromkeys(chance.choices(names, weights, k=chance.choice([1, 1, 1, 2, 3]))):
        path = folder / name
        changes.append(chance.choice(CHANGES[path.suffix])(path, chance))
    if chance.random() < 0.95:
        contents = {}
        for name in names:
            path = folder / name
            known = path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 26
            contents[name] = path.read_bytes() if known else b""
        (folder / "manifest.json").write_bytes(manifest_of(contents, {}))
    if chance.random() < 0.15:
        changes.append(_change_manifest(folder / "manifest.json", chance))
    return changes


def _change_manifest(path: Path, chance: random.Random) -> str:
    manifest, what = change_json(json.loads(path.read_bytes()), chance)
    if isinstance(manifest, dict):
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            manifest["sha256"] = checksum(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8", errors="surrogatepass")
    return f"manifest.json: {what}"


def commands(root: Path, whole: Path, work: Path) -> list[list[str]]:
    """Every command that reads a record."""
    out = ["--out", str(root)]
    return [
        ["runs", "ls", *out],
        ["runs", "show", NAME, *out],
        ["runs", "show", NAME, "--format", "json", *out],
        ["runs", "verify", NAME, *out],
        ["runs", "diff", str(whole), NAME, *out],
        ["runs", "export", NAME, "--to", str(work / "record.zip"), "--force", *out],
        ["report", NAME, "--to", str(work / "report.html"), "--force", *out],
        ["report", NAME, "--format", "md", *out],
        ["gate", NAME, "--baseline", str(whole), *out],
        ["predict", NAME, str(work / "rows.csv"), *out],
        ["predict", NAME, str(work / "rows.csv"), "--seed", "mean", "--entry", "focal", *out],
        ["export", NAME, "--dir", str(work / "model"), *out],
        ["diagnose", str(root / NAME)],
        ["resume", NAME, *out],
    ]


def called(command: Sequence[str]) -> tuple[int, str, float]:
    """The exit code, all that was printed, and the seconds."""
    began, out = time.process_time(), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = run(command)
        out.flush()
        text = out.buffer.getvalue().decode(errors="replace")  # type: ignore[attr-defined]
    return code, text, time.process_time() - began


def fuzz(count: int, seed: int, each: int | None = None) -> Iterator[Problem]:
    """Give so many changed records to all commands, or to `each` of them chosen by chance, and tell what ends badly."""
    (whole,) = (VERSIONS / "2").iterdir()
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        (work / "rows.csv").write_text("x1,x2\n0.5,1\n-1,2\n")
        for number in range(seed, seed + count):
            chance = random.Random(number)
            root = work / "runs"
            shutil.copytree(whole, root / NAME)
            changes = changed(root / NAME, chance)
            calls = commands(root, whole, work)
            for command in calls if each is None else chance.sample(calls, each):
                code, text, seconds = called(command)
                if code not in ENDINGS or "Traceback" in text or seconds > SLOWEST:
                    yield Problem(number, changes, list(command), f"{code}, {seconds:.1f} s: {text[-400:]}")
                if command[:2] == ["runs", "ls"] and code != 0:
                    yield Problem(number, changes, list(command), "a record that is bad must be a line of the list")
            shutil.rmtree(root)
            shutil.rmtree(work / "model", ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", type=int, default=None)
    given = parser.parse_args()
    problems = 0
    for problem in fuzz(given.count, given.seed, given.each):
        problems += 1
        print(f"{problem.seed} {problem.changes}\n  {' '.join(problem.command[:3])}: {problem.what}", flush=True)
    sys.exit(f"{problems} calls ended badly" if problems else 0)
