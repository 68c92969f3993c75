"""The table of YAML: what a text means, by YAML 1.2 and by the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from losscli.errors import SpecError
from losscli.spec.reader import read_spec

BOMB = "\n".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MEANS: dict[str, tuple[str, Any]] = {
    "yaml 1 lr: 1e-3": ("v: 1e-3", 0.001),
    "yaml 1 lr: 1E3": ("v: 1E3", 1000.0),
    "yaml 2 x: no": ("v: no", "no"),
    "yaml 2 x: Off": ("v: Off", "Off"),
    "yaml 3 010": ("v: 010", 10),
    "yaml 3 1:30": ("v: 1:30", "1:30"),
    "yaml 6 a date": ("v: 2024-01-01", "2024-01-01"),
    "yaml 11 a byte order mark": ("\ufeffv: 1", 1),
}
REFUSED: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "yaml 3 1_000": ("v: 1_000\n", ("s.yaml:1:4", "no underscores", "write 1000")),
    "yaml 4 a key twice": ("a: 1\nb: 2\na: 3\n", ("s.yaml:3:1", "there twice, at lines 1 and 3", "remove one")),
    "yaml 5 .nan": ("v: .nan\n", ("s.yaml:1:4", "expected a finite number, got .nan")),
    "yaml 5 .inf": ("v: -.Inf\n", ("s.yaml:1:4", "expected a finite number, got -.Inf")),
    "yaml 7 an integer of 5000 digits": ("v: " + "9" * 5000, ("s.yaml:1:4", "at most 100 digits, got one of 5000")),
    "yaml 8 2000 brackets": ("[" * 2000, ("s.yaml:1:33", "at most 32 levels deep")),
    "yaml 8 2000 brackets in a value": ("v: " + "[" * 2000, ("at most 32 levels deep",)),
    "yaml 9 a list as a key": ("{[1,2]: b}", ("s.yaml:1:2", "a key must be text", "plain text before the colon")),
    "yaml 9 a key without a name": ("? {a: 1}\n: b\n", ("a key must be text",)),
    "yaml 10 an anchor in itself": ("&a [*a]", ("anchors are not allowed: &a", "aliases are not allowed: *a")),
    "yaml 10 a bomb of aliases": (f"a: &a [1]\n{BOMB}\n", ("s.yaml:1:4", "anchors are not allowed")),
    "yaml 11 UTF-16": ("task: binary\n".encode("utf-16"), ("this is UTF-16", "save it as UTF-8")),
    "yaml 12 an empty file": (b"", ("the spec is empty", "begin with two lines")),
    "yaml 12 a list": ("- 1\n", ("must be a mapping",)),
    "yaml 12 two documents": ("a: 1\n---\nb: 2\n", ("s.yaml:2:1", "the second begins at line 2", "its own file")),
}


@pytest.mark.parametrize("row", MEANS)
def test_what_a_scalar_means(row: str, tmp_path: Path) -> None:
    text, value = MEANS[row]
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    data = read_spec(tmp_path / "s.yaml").data
    assert data == {"v": value}
    assert type(data["v"]) is type(value)


@pytest.mark.parametrize("row", REFUSED)
def test_what_is_refused(row: str, tmp_path: Path, call: Any) -> None:
    text, parts = REFUSED[row]
    (tmp_path / "s.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SpecError):
        read_spec(tmp_path / "s.yaml")
    call("validate s.yaml").says(2, "s.yaml", *parts)


STRICT: dict[str, tuple[str, str]] = {
    "yaml 2 a hint where true or false is due": ("yardstick: no", "expected true or false, got the text 'no'"),
    "yaml 13 true is no number": ("train: {epochs: true}", "expected a whole number or auto, got true"),
    "yaml 13 a text is no number": ('train: {lr: "1e-3"}', "got the text '1e-3' try: write it without quotes: 1e-3"),
    "yaml 13 the place of a loss's option": ("loss: {name: focal, gamma: x}", "s.yaml:2:28"),
}


@pytest.mark.parametrize("row", STRICT)
def test_types_are_strict(row: str, tmp_path: Path, call: Any) -> None:
    text, part = STRICT[row]
    (tmp_path / "s.yaml").write_text(f"task: binary\n{text}\n")
    call("validate s.yaml").says(2, "s.yaml:2:", part)


def test_yaml_13_one_is_a_number(tmp_path: Path, call: Any) -> None:
    (tmp_path / "s.yaml").write_text("task: binary\ntrain: {lr: 1}\n")
    call("validate s.yaml").says(0)
