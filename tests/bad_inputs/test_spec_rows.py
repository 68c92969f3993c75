"""Rows 1 to 27: specs."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from losscli.spec import reader

BINARY = "task: binary\n"
BOMB = "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)

# What stands in the file: the whole of it, or what follows `task: binary`; and what is said of it.
WHOLE: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "1 empty": ("", ("s.yaml: the spec is empty", "begin with two lines: `task: binary`")),
    "1 comments only": ("# a\n\n# b\n", ("the spec is empty",)),
    "2 a list": ("[1, 2]\n", ("s.yaml:1:1", "must be a mapping of keys to values")),
    "2 a scalar": ("binary\n", ("s.yaml:1:1", "must be a mapping of keys to values, got 'binary'")),
    "3 two documents": (f"{BINARY}---\ntask: binary\n", ("s.yaml:2:1", "the second begins at line 2")),
    "4 a key twice": (f"{BINARY}loss: bce\ntask: binary\n", ("s.yaml:3:1", "at lines 1 and 3")),
    "5 a tab": (f"{BINARY}train:\n\tlr: 1\n", ("s.yaml:3:1", "tabs are not allowed", "indent with spaces")),
    "6 a quote": (f'{BINARY}loss: "bce\nseeds: 3\n', ("s.yaml:2:7", "this quote is never closed")),
    "6 a bracket": (f"{BINARY}loss: [bce, focal\n", ("s.yaml:2:7", "this [ is not closed", "add the ]")),
    "6 a brace": (f"{BINARY}loss: {{name: bce\n", ("s.yaml:2:7", "this { is not closed", "add the }")),
    "18 a bomb of aliases": (f"a: &a [x]\n{BOMB}", ("s.yaml:1:4", "anchors are not allowed: &a")),
    "18 an anchor in itself": ("&a [*a]", ("s.yaml:1:1", "anchors are not allowed: &a")),
    "18 2000 brackets": (f"{BINARY}loss: {'[' * 2000}", ("s.yaml:2:38", "at most 32 levels deep")),
    "18 5000 digits": (f"{BINARY}seeds: {'1' * 5000}", ("s.yaml:2:8", "at most 100 digits, got one of 5000")),
    "21 no UTF-8": (b"task: binary\nname: \xff\n", ("s.yaml:2:7", "byte 19 (0xFF) is not", "save it as UTF-8")),
    "21 UTF-16": (BINARY.encode("utf-16"), ("s.yaml", "this is UTF-16", "save it as UTF-8")),
    "21 a NUL": (b"task: binary\nname: a\0b\n", ("s.yaml:2:8", "this holds a NUL byte", "remove it")),
    "27 a number as a key": ("1: x\n", ("s.yaml:1:1", "a key must be text, got 1", 'put it in quotes: "1"')),
    "27 null as a key": ("~: x\n", ("s.yaml:1:1", "a key must be text, got null")),
    "27 no key": (": x\n", ("s.yaml:1:1", "write a key, a colon, a space and a value")),
}
ADDED: dict[str, tuple[str, tuple[str, ...]]] = {
    "8 shuffle: no": ("yardstick: no", ("s.yaml:2:12", "expected true or false, got the text 'no'")),
    "9 epochs: true": ("train: {epochs: true}", ("s.yaml:2:17", "train.epochs: expected a whole number", "got true")),
    "9 epochs: 1.5": ("train: {epochs: 1.5}", ("s.yaml:2:17", "expected a whole number", "got 1.5")),
    "9 epochs: text": ('train: {epochs: "10"}', ("s.yaml:2:17", "got the text '10'", "without quotes: 10")),
    "10 lr: .nan": ("train: {lr: .nan}", ("s.yaml:2:13", "train.lr: expected a finite number, got .nan")),
    "10 lr: .inf": ("train: {lr: .inf}", ("s.yaml:2:13", "train.lr: expected a finite number, got .inf")),
    "10 lr: -1": ("train: {lr: -1}", ("s.yaml:2:13", "train.lr: expected > 0, got -1")),
    "10 lr: 0": ("train: {lr: 0}", ("s.yaml:2:13", "train.lr: expected > 0, got 0")),
    "10 lr: 1e999": ("train: {lr: 1e999}", ("s.yaml:2:13", "expected a finite number, got 1e999")),
    "11 one unknown key": ("optimzer: adam", ("s.yaml:2:1", "unknown key 'optimzer'", "did you mean train.optimizer?")),
    "11 all unknown keys": (
        "trian: {lr: 1}\nmodel: {hiden: [3]}",
        ("s.yaml:2:1", "did you mean train", "s.yaml:3:9", "did you mean hidden"),
    ),
    "12 an unknown loss": ("loss: bce-logit", ("s.yaml:2:7", "no loss called 'bce-logit'", "did you mean bce-logits")),
    "12 a loss of another task": ("loss: mse", ("s.yaml:2:7", "mse", "binary", "bce-logits")),
    "13 an option of another loss": ("loss: {name: bce, gamma: 2}", ("s.yaml:2:19", "gamma", "bce")),
    "14 label_smoothing: 1.5": ("loss: {name: bce-logits, label_smoothing: 1.5}", ("s.yaml:2:43", "<= 1")),
    "14 label_smoothing: nan": ("loss: {name: bce-logits, label_smoothing: .nan}", ("s.yaml:2:43", "finite")),
    "14 pos_weight: -1": ("loss: {name: bce-logits, pos_weight: -1}", ("s.yaml:2:38", "> 0")),
    "15 seed: -1": ("seeds: [-1]", ("s.yaml:2:9", "expected >= 0, got -1")),
    "15 seed: 2**64": ("seeds: [18446744073709551616]", ("s.yaml:2:9", "expected <= 4294967295")),
    "15 seed: 1.0": ("seeds: [1.0]", ("s.yaml:2:9", "a whole number")),
    "16 batch_size: 0": ("train: {batch_size: 0}", ("s.yaml:2:21", ">= 1", "got 0")),
    "17 hidden: [0]": ("model: {hidden: [0]}", ("s.yaml:2:18", "model.hidden", ">= 1", "got 0")),
    "17 hidden: [-3]": ("model: {hidden: [-3]}", ("s.yaml:2:18", "model.hidden", "got -3")),
    "19 python/object": (
        "loss: !!python/object/apply:os.system ['touch ran']",
        ("s.yaml:2:7", "tags are not allowed: !!python/object/apply:os.system", "only plain values are read"),
    ),
    "19 !!binary": ("loss: !!binary aGk=", ("s.yaml:2:7", "tags are not allowed: !!binary")),
    "19 !!set": ("loss: !!set {a, b}", ("s.yaml:2:7", "tags are not allowed: !!set")),
    "19 a tag of one's own": ("loss: !own x", ("s.yaml:2:7", "tags are not allowed: !own")),
    "20 _target_": ("loss: {_target_: os.system}", ("s.yaml:2:8", "_target_")),
    "20 class_path": ("model: {class_path: os.system}", ("s.yaml:2:9", "class_path")),
    "20 os:system": ("loss: os:system", ("s.yaml:2:7", "os:system", "only registered names are looked up")),
    "24 a URL": (
        "data: {source: csv, path: 'https://example.org/x.csv', target: y}",
        ("s.yaml:2:27", "data.path", "download"),
    ),
    "25 a newer schema": ("schema_version: 2", ("s.yaml:2:17", "needs a newer losscli")),
    "26 a name of 1 MB": (f"name: {'a' * 1_000_000}", ("s.yaml:2:7", "name", "at most")),
}


@pytest.mark.parametrize("row", WHOLE)
def test_a_whole_file(row: str, tmp_path: Path, call: Any) -> None:
    text, parts = WHOLE[row]
    (tmp_path / "s.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    call("validate s.yaml").says(2, *parts)
    call("train s.yaml --no-record").says(2)


@pytest.mark.parametrize("row", ADDED)
def test_what_stands_in_a_spec(row: str, tmp_path: Path, call: Any) -> None:
    text, parts = ADDED[row]
    (tmp_path / "s.yaml").write_text(f"{BINARY}{text}\n")
    call("validate s.yaml").says(2, *parts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.yaml"]


OTHER_TASKS = {
    "12 a loss of binary for multiclass": ("multiclass", "mse", "cross-entropy"),
    "14 delta: 0": ("regression", "{name: huber, delta: 0}", "> 0"),
    "14 quantile: 1.2": ("regression", "{name: quantile, tau: 1.2}", "< 1"),
}


@pytest.mark.parametrize("row", OTHER_TASKS)
def test_losses_of_other_tasks(row: str, tmp_path: Path, call: Any) -> None:
    task, loss, part = OTHER_TASKS[row]
    (tmp_path / "s.yaml").write_text(f"task: {task}\nloss: {loss}\n")
    call("validate s.yaml").says(2, "s.yaml:2:", part)


ACCEPTED = {
    "7 lr: 1e-3": b"task: binary\ntrain: {lr: 1e-3}\n",
    "23 a byte order mark and CRLF": b"\xef\xbb\xbftask: binary\r\nloss: bce\r\n",
}


@pytest.mark.parametrize("row", ACCEPTED)
def test_accepted(row: str, tmp_path: Path, call: Any) -> None:
    (tmp_path / "s.yaml").write_bytes(ACCEPTED[row])
    call("validate s.yaml").says(0)


def test_row_8_a_task_called_no(tmp_path: Path, call: Any) -> None:
    (tmp_path / "s.yaml").write_text("task: no\n")
    call("validate s.yaml").says(2, "s.yaml:1:7", "'no'", "binary")


def test_row_16_a_batch_of_more_than_all_rows(tmp_path: Path, call: Any) -> None:
    line = "train --task binary --batch-size 1000000 --smoke --no-record --quiet"
    call(line).says(0, "auroc")


def test_row_17_a_layer_of_a_billion(call: Any) -> None:
    call("train --task binary --set model.hidden=[1000000000]").says(2, "model.hidden.0: expected <= 65536")
    line = "train --task binary --set model.hidden=[65536,65536,65536] --no-record"
    call(line).says(2, "one run of this model needs about 206.5 GB, and the limit here is", "model.hidden")


def test_row_21_200_mb(tmp_path: Path, call: Any) -> None:
    with (tmp_path / "s.yaml").open("wb") as file:
        file.truncate(200 << 20)
    call("validate s.yaml").says(2, "s.yaml", "at most 1 MiB")


def test_row_22_what_is_no_file(tmp_path: Path, call: Any) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    for name, part in {
        "folder": "a directory", "gone.yaml": "No such file", "fifo": "a FIFO", "loop": "symbolic links"
    }.items():  # fmt: skip
        call(f"validate {name}").says(2, name, part)


def test_row_22_no_permission(tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal is played."""
    (tmp_path / "s.yaml").write_text(BINARY)

    def refused(*given: Any) -> Any:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(reader, "os", SimpleNamespace(open=refused, O_RDONLY=os.O_RDONLY))
    call("validate s.yaml").says(2, "s.yaml", "Permission denied")


def test_row_24_paths_are_those_of_the_spec(tmp_path: Path, call: Any) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "data.csv").write_text("x,y\n" + "".join(f"{row},{row % 2}\n" for row in range(40)))
    (tmp_path / "specs" / "s.yaml").write_text(f"{BINARY}data: {{source: csv, path: ../data.csv, target: y}}\n")
    call("inspect specs/s.yaml").says(0, "40 rows")
    (tmp_path / "specs" / "t.yaml").write_text(f"{BINARY}data: {{source: csv, path: data.csv, target: y}}\n")
    call("inspect specs/t.yaml").says(3, "data.csv")


def test_row_26_20_000_keys(tmp_path: Path, call: Any) -> None:
    (tmp_path / "s.yaml").write_text(BINARY + "".join(f"key{number}: 1\n" for number in range(20_000)))
    call("validate s.yaml").says(2, "s.yaml:2:1", "key0", "more")
