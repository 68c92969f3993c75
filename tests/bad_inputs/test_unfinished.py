"""Records in the making: what was edited, damaged or mixed there is told, and every command knows them."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from losscli import pipeline
from losscli.record import checkpoint, disk, remains
from losscli.record.find import find
from losscli.record.manifest import checksum
from losscli.record.remains import share
from losscli.record.tree import pack, unpack
from losscli.spec.load import load_spec

NAME = "0001-20260131-154210-two-arenas"
MOONS = "task: binary\ndata: {source: synthetic, name: moons, n_samples: 120}\nloss: [bce-logits, focal]\nseeds: 2\n"
IRIS = "task: multiclass\ndata: {source: builtin, name: iris}\nseeds: 2\nloss: cross-entropy\n"
REST = "model: {kind: mlp, hidden: [4]}\ntrain: {epochs: 5, lr: 0.002}\n"
FINISHED, RUNNING = "finished-0-0.safetensors", "running-1-0.safetensors"
FILES = ("progress.json", "spec.yaml", "spec2.yaml", FINISHED, RUNNING)
CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[: len(data) // 2],
    "changed": lambda data: data.replace(b"5", b"6", 1) if data[:1] in b"{s" else data[:-9] + b"\1" + data[-8:],
    "empty": lambda data: b"",
}


class Crash(BaseException):
    """The process is gone."""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder of a comparison that was killed when its first arena was whole, and its second after three epochs."""

    def make(*texts: str) -> Path:
        place = tmp_path_factory.mktemp("killed")
        for number, text in enumerate(texts):
            (place / f"{number}.yaml").write_text(text)

        def watch(tick: Any) -> None:
            if tick.number == len(texts) - 1 and tick.epoch == 3:
                raise Crash

        specs = [load_spec(path) for path in sorted(place.glob("*.yaml"))]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(checkpoint, "PAUSE", 0.0)
            patch.setattr(checkpoint, "SHARE", math.inf)
            with pytest.raises(Crash):
                pipeline.run(specs, out=place / "runs", watch=watch)
        (folder,) = (path for path in (place / "runs").iterdir() if path.is_dir())
        return folder

    return make


@pytest.fixture(scope="module")
def source(killed: Callable[..., Path]) -> Path:
    return killed(MOONS + REST, IRIS + REST)


@pytest.fixture
def folder(source: Path, tmp_path: Path) -> Path:
    """The same, in `fs`."""
    copy = tmp_path / "fs" / NAME
    shutil.copytree(source, copy)
    assert {path.name for path in copy.iterdir()} == {*FILES}
    return copy


def signed(folder: Path, **changes: Any) -> None:
    """Change what the progress says, as only losscli would."""
    facts = json.loads((folder / "progress.json").read_bytes())
    facts = {key: value for key, value in {**facts, **changes}.items() if value is not None}
    (folder / "progress.json").write_text(json.dumps({**facts, "sha256": checksum(facts)}))


# What was edited or mixed


@pytest.mark.parametrize("name", ["spec.yaml", "spec2.yaml"])
@pytest.mark.parametrize(
    ("before", "after"), [("lr: 0.002", "lr: 0.02"), ("epochs: 5", "epochs: 7"), ("seeds: 2", "seeds: 3")]
)
def test_a_spec_that_was_edited_is_not_gone_on_with(
    folder: Path, call: Any, name: str, before: str, after: str
) -> None:
    whole = (folder / name).read_text()
    assert before in whole
    (folder / name).write_text(whole.replace(before, after))
    told = f"the spec is not what it was when '{NAME}' was begun"
    for line in ("resume 1", "runs show 1", "report 1 --format md"):
        anew = f"put it back; or begin anew: losscli compare fs/{NAME}/spec*.yaml --out fs"
        call(f"{line} --out fs").says(2, told, anew, f"fs/{NAME}/{name}")
    call("runs verify --out fs").says(5, told)
    (folder / name).write_text(whole)
    call("resume 1 --quiet --out fs").says(0)


def test_a_record_of_an_older_losscli_is_gone_on_with(folder: Path, call: Any) -> None:
    """It noted no digest of its specs, and its states did not say of what they are."""
    signed(folder, specs=None)
    for name in (FINISHED, RUNNING):
        tree = unpack((folder / name).read_bytes())
        (folder / name).write_bytes(pack(tree["state"]))
    call("runs verify --out fs").says(0, "unfinished: ")
    call("resume 1 --quiet --out fs").says(0)


@pytest.mark.parametrize("name", [FINISHED, RUNNING])
def test_states_of_another_record_are_not_taken(
    folder: Path, call: Any, killed: Callable[..., Path], name: str
) -> None:
    """Of the same entries and seeds, so nothing but what they are of tells them apart."""
    faster = REST.replace("0.002", "0.02")
    shutil.copy(killed(MOONS + faster, IRIS + faster) / name, folder / name)
    call("resume 1 --out fs").says(5, name, "of another record", f"losscli resume {NAME} --out fs")
    call("runs verify 1 --out fs").says(5, name, "of another record")
    (folder / name).unlink()
    call("resume 1 --quiet --out fs").says(0)


# Commands that need a whole record

LINES = (
    "predict {} new.csv", "export {} --to onnx", "gate {} --baseline {}", "runs export {}", "runs diff {} {}", "check {}",
    "diagnose {}", "plan --task binary --like {}",
)  # fmt: skip


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("out", ["fs", "runs"])
def test_a_whole_record_is_needed(folder: Path, call: Any, tmp_path: Path, line: str, out: str) -> None:
    if out == "runs":
        folder.parent.rename(tmp_path / "runs")
    (tmp_path / "new.csv").write_text("x1,x2\n0.5,1\n")
    flag = "" if out == "runs" else " --out fs"
    for text in (NAME, "1", f"{out}/{NAME}"):
        outcome = call(line.replace("{}", text) + flag).says(5, f"'{NAME}' is unfinished (")
        far = share(json.loads((tmp_path / out / NAME / "progress.json").read_bytes()))
        assert f"is unfinished ({far})" in outcome.err
        assert outcome.err.rstrip().endswith(f"try: losscli resume {NAME}{flag}"), outcome.err


def test_the_folder_may_be_the_working_directory(folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    call("predict . new.csv").says(5, f"'{NAME}' is unfinished (", f"losscli resume {NAME} --out {folder.parent}")


@pytest.mark.parametrize(("usual", "flag"), [("fs", ""), ("runs", " --out fs")])
def test_the_variable_says_where_commands_look(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch, usual: str, flag: str
) -> None:
    monkeypatch.setenv("LOSSCLI_RUNS", usual)
    outcome = call(f"predict fs/{NAME} new.csv").says(5)
    assert outcome.err.rstrip().endswith(f"try: losscli resume {NAME}{flag}"), outcome.err


def test_a_whole_record_is_meant_where_both_would_fit(folder: Path, call: Any, tmp_path: Path) -> None:
    (whole,) = (Path(__file__).parent.parent / "record" / "versions" / "2").iterdir()
    shutil.copytree(whole, tmp_path / "fs" / "0002-20260131-154210-foreign")
    call("runs diff 0 0 --out fs").says(0)
    call("runs show 0 --out fs").says(2, "fits 2 records")


def test_one_that_runs_is_waited_for(folder: Path, call: Any) -> None:
    lock = disk.Lock(folder)
    process = json.loads((folder / "progress.json").read_bytes())["process"]
    call("predict 1 new.csv --out fs").says(5, f"and process {process} works on it", "losscli runs ls --out fs")
    call("runs verify --out fs").says(0, f"{NAME} running: ")
    call("runs rm 1 --yes --out fs").says(5, "a process works on")
    lock.free()


@pytest.mark.parametrize("text", ["1", "0001", "0001-2026", NAME, f"fs/{NAME}"])
def test_a_short_id_is_enough_to_remove(folder: Path, call: Any, text: str) -> None:
    call(f"runs rm {text} --out fs").says(2, NAME, "add --yes")
    call(f"runs rm {text} --yes --out fs").says(0, f"removed {NAME}")
    assert not folder.exists()


# Damage


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", FILES)
def test_what_is_damaged_is_seen(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch, name: str, change: str
) -> None:
    call("runs verify --out fs").says(0, f"{NAME} unfinished: ", "stopped")
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(CHANGES[change](data))
    assert (folder / name).read_bytes() != data
    monkeypatch.setenv("COLUMNS", "60")
    for line in ("runs verify", "runs verify 1"):
        (verified,) = call(f"{line} --out fs").says(5, NAME).out.splitlines()
        assert "unfinished" not in verified
    record = json.loads(call("runs verify --out fs --format json").says(5).out)["records"][0]
    assert (record["id"], bool(record["damage"]), record["unfinished"]) == (NAME, True, None)
    outcome = call("resume 1 --out fs")
    outcome.says(2 if name.startswith("spec") else 5, name)
    for misfit in ("whole record", "losscli train", "begin with two lines", "check the path"):
        assert misfit not in outcome.err, outcome.err
    assert "--out fs" in outcome.err


def test_a_spec_of_an_older_losscli_that_is_no_yaml(folder: Path, call: Any) -> None:
    signed(folder, specs=None)
    (folder / "spec2.yaml").write_text("task: [binary\nloss: {a: &b 1}\n")
    (line,) = call("runs verify --out fs").says(5, NAME).out.splitlines()
    assert "unfinished" not in line


def test_one_that_becomes_whole_in_between_is_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = remains.progress_of

    def ends(place: Path) -> Any:
        (place / "progress.json").rename(place / "manifest.json")
        return read(place)

    monkeypatch.setattr(remains, "progress_of", ends)
    assert find(folder.parent, "1") == folder


def test_a_state_that_has_gone_in_between_is_no_damage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that ends removes what it was while it ran."""
    read = remains.state_of

    def ends(path: Path, facts: Any) -> Any:
        if path.name == RUNNING:
            path.unlink()
        return read(path, facts)

    monkeypatch.setattr(remains, "state_of", ends)
    assert remains.wrong_in(folder) == ""
    assert not (folder / RUNNING).exists()


def test_a_sound_one_says_how_far_it_is(folder: Path, call: Any) -> None:
    record = json.loads(call("runs verify --out fs --format json").says(0).out)["records"][0]
    facts = json.loads((folder / "progress.json").read_bytes())
    assert record["damage"] == ""
    assert (record["unfinished"]["done"], record["unfinished"]["alive"]) == (facts["done"], False)


@pytest.mark.parametrize("name", ["spec.yaml", "spec2.yaml"])
@pytest.mark.parametrize("older", [False, True])
def test_a_spec_that_is_lost_is_called_that_of_the_record(folder: Path, call: Any, name: str, older: bool) -> None:
    if older:
        signed(folder, specs=None)
    remove = f"losscli runs rm {NAME} --out fs"
    (folder / name).write_text(" \n")
    call("resume 1 --out fs").says(2, f"{name} of '{NAME}', which losscli wrote there, is empty", "put it back", remove)
    (folder / name).unlink()
    for line in ("resume 1", "runs show 1", "runs show 1 --config"):
        call(f"{line} --out fs").says(2, f"{name} of '{NAME}', which losscli wrote there, is missing", remove)
    call("runs verify --out fs").says(5, "is missing")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"schema_version": 2}', b'{"schema_version": true}', b"\0"])
def test_a_damaged_progress_leaves_the_specs_to_begin_anew_with(folder: Path, call: Any, data: bytes) -> None:
    (folder / "progress.json").write_bytes(data)
    for line in ("resume 1", "runs show 1", "predict 1 new.csv"):
        outcome = call(f"{line} --out fs")
        outcome.says(5, "progress.json", f"begin anew: losscli compare fs/{NAME}/spec*.yaml --out fs")
        outcome.says(5, f"losscli runs rm {NAME} --out fs")


def test_a_newer_losscli_is_what_a_newer_progress_needs(folder: Path, call: Any) -> None:
    signed(folder, schema_version=99)
    for line in ("resume 1", "runs show 1", "predict 1 new.csv"):
        outcome = call(f"{line} --out fs").says(5, "99", "try: pip install --upgrade losscli")
        assert "rm" not in outcome.err.split("try:")[1]
    call("runs verify --out fs").says(5, "99")


# Cures


@pytest.mark.parametrize(("number", "first"), [(28, "free some space"), (13, "see that the folder can be written to")])
def test_a_disk_that_refuses_the_record(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch, number: int, first: str
) -> None:
    put = disk.put

    def refuse(path: Path, data: bytes) -> None:
        if path.name == "weights.safetensors":
            raise OSError(number, os.strerror(number), str(path))
        put(path, data)

    monkeypatch.setattr(disk, "put", refuse)
    going_on = f"try: {first}, then losscli resume {NAME} --out fs writes it, of what was kept"
    call("resume 1 --out fs").says(5, os.strerror(number), going_on)
    monkeypatch.setattr(disk, "put", put)
    call("resume 1 --quiet --out fs").says(0)


@pytest.mark.parametrize("name", [FINISHED, RUNNING])
def test_a_state_that_is_no_file_can_be_trained_again(folder: Path, call: Any, name: str) -> None:
    (folder / name).rename(folder.parent / "elsewhere")
    (folder / name).symlink_to(folder.parent / "elsewhere")
    again = f"remove that file, and what it held is trained again: losscli resume {NAME} --out fs"
    call("resume 1 --out fs").says(5, name, again)


def test_what_is_stopped_names_its_folder(folder: Path, call: Any) -> None:
    """The whole command stands where a part of a comparison is shown."""
    call("runs show 1 --out fs --format json").says(0, f"losscli resume {NAME} --out fs goes on")


@pytest.mark.parametrize("line", ["runs ls", "runs verify"])
def test_a_folder_without_records_is_told_as_that(call: Any, tmp_path: Path, line: str) -> None:
    outcome = call(line).says(0, "there is no record in 'runs'")
    (tmp_path / "runs").mkdir()
    assert call(line).err == outcome.err
    assert call("runs ls --task gan").err == outcome.err


def test_a_filter_that_takes_none(folder: Path, call: Any) -> None:
    call("runs ls --task gan --out fs").says(0, "there is no such record in 'fs'")


# The list

NAMES = (
    "0001-20261126-114116-compare-binary-long",
    "0002-20261126-114116-a-name-of-very-many-words-that-no-terminal-has-room-for-at-all",
    "copied",
    "a-folder-of-which-somebody-has-changed-the-name-into-one-that-is-as-long-as-a-line",
)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
@pytest.mark.parametrize("alive", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_list_says_who_is_unfinished_at_every_width(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch, width: int, alive: bool, name: str
) -> None:
    (whole,) = (Path(__file__).parent.parent / "record" / "versions" / "2").iterdir()
    shutil.copytree(whole, folder.parent / "0009-20260131-154210-foreign")
    signed(folder, done=24, total=25)
    folder = folder.rename(folder.parent / name)
    monkeypatch.setenv("COLUMNS", str(width))
    lock = disk.Lock(folder) if alive else None
    _, _, *rows = call("runs ls --out fs").says(0).out.splitlines()
    if lock is not None:
        lock.free()
    state = "running: 96 %, process" if alive else "unfinished: 96 %, stopped"
    text = " ".join(" ".join(rows).split())
    assert text.count(state.partition(",")[0]) == 1, text
    if len(name) < width - len(state) or name[:4].isdigit():
        (row,) = (row for row in rows if state in row)
        assert row.startswith(name.partition("-")[0])
        assert len(row) <= width
    assert all("%" not in row for row in rows if row.startswith("0009"))


def test_a_list_of_whole_records_has_no_state(folder: Path, call: Any) -> None:
    call("resume 1 --quiet --out fs").says(0)
    assert "state" not in call("runs ls --out fs").says(0).out.splitlines()[0]
