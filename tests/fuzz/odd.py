"""Odd values, and changes of texts, JSON and bytes that every kind of file can have."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from watch import CANARY

ODD: Sequence[Any] = (
    None, True, False, 0, 1, -1, 2, 10**18, 10**30, 10**400, -(10**400), 0.5, -0.0, 1e-300, 1e300, -1e308, float("nan"),
    float("inf"), "", "x", "\x1b[31m", "\n", "\u202e", "\ud800", "../../x", "a" * 100_000, [], {}, [[]], [None], {"": None},
    [1e300] * 3, {"mean": 1}, "bce-logits", "auroc", "nan", f"{CANARY}:loss", f"__import__('{CANARY}')",
)  # fmt: skip
WORDS: Sequence[str] = (
    "", " ", "0", "1", "-1", "1e999", "nan", "inf", "1e-3", "1_000", "0x1F", "1,5", "$1,000", "12 %", "2024-01-31",
    "31/12/2024",
    "NA", "null", "true", "no", "x", "é", "\u202e", "\x1b[2J", "\x00", "\ufeff", "a" * 5000, "9" * 400,
    "0." + "0" * 400 + "1", "=1+1",
    "[/x]", "{x}", "%s", "../../x", "/dev/zero", "/dev/null", "-", "--", "-rf", "a=b", "a,b", "a:b", "[1", "{a: 1}", "&a [*a]",
    "!!python/object/apply:os.system [x]", "http://127.0.0.1:9/x", "file:///etc/passwd", f"{CANARY}.py:loss", f"{CANARY}:loss",
    f"__import__('{CANARY}')", "\ud800", "😀" * 50, "a\nb", "a\rb", '"', "'", "\\", "`", ";", "|", "~", "*", "?", "#", "@",
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a JSON document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from places(part, (*path, key))


def change_json(document: Any, chance: random.Random) -> tuple[Any, str]:
    """One change: dropped, of another type, huge, negative, twice, moved."""
    if not document or not isinstance(document, (dict, list)):
        return chance.choice(ODD), "odd"
    *way, last = chance.choice(list(places(document))[1:])
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
    """One change of a JSON file."""
    document, what = change_json(json.loads(path.read_bytes()), chance)
    path.write_text(json.dumps(document), encoding="utf-8", errors="surrogatepass")
    return f"{path.name}: {what}"


def change_bytes(path: Path, chance: random.Random) -> str:
    """Bits flipped, cut off, more than there should be, or another piece of it again."""
    data = bytearray(path.read_bytes() or b"x")
    kind = chance.choice((*["flip"] * 6, "cut", "grow", "empty", "head", "again"))
    if kind == "flip":
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == "cut":
        del data[chance.randrange(len(data)) :]
    elif kind == "grow":
        data += bytes(chance.randrange(256) for _ in range(64))
    elif kind == "head":
        data[:8] = chance.randbytes(8)
    elif kind == "again":
        begin = chance.randrange(len(data))
        at = chance.randrange(len(data))
        data[at:at] = data[begin : begin + chance.choice([1, 10, 100])] * chance.choice([1, 2, 1000])
    else:
        data.clear()
    path.write_bytes(data)
    return f"{path.name}: {kind}"


def change_line(text: str, chance: random.Random) -> tuple[str, str]:
    """A line less, twice, moved, cut, joined to the next, or with an odd word in it."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    kind = chance.choice(("drop", "twice", "move", "cut", "join", "word", "word", "word"))
    if kind == "drop":
        del lines[at]
    elif kind == "twice":
        lines[at:at] = [lines[at]] * chance.choice([1, 3])
    elif kind == "move":
        lines.insert(chance.randrange(len(lines)), lines.pop(at))
    elif kind == "cut":
        lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
    elif kind == "join":
        lines[at : at + 2] = ["".join(lines[at : at + 2])]
    else:
        begin = chance.randrange(len(lines[at]) + 1)
        end = min(len(lines[at]), begin + chance.choice([0, 1, 5]))
        lines[at] = lines[at][:begin] + chance.choice(WORDS) + lines[at][end:]
    return "\n".join(lines), f"{kind} line {at + 1}"


def change_lines(path: Path, chance: random.Random) -> str:
    """One change of a text file, by lines."""
    text, what = change_line(path.read_bytes().decode(errors="surrogateescape"), chance)
    path.write_bytes(encoded(text))
    return f"{path.name}: {what}"


def encoded(text: str) -> bytes:
    """The bytes of a text that was read with escapes for bytes that are no characters, or has half a character put in."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")
