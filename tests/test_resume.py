"""A command that was stopped, gone on with: the bits of one that nobody stopped. And what there is of it in between."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from same_bits import MOONS, SPECS, bits, spec_of

from losscli import pipeline
from losscli.cli import app
from losscli.comparison import Comparison
from losscli.errors import CodeError, DataError, MachineError, SpecError
from losscli.executors import local
from losscli.record import checkpoint, disk
from losscli.record.find import in_the_making, records
from losscli.record.reader import contents
from losscli.spec.load import load_spec
from losscli.stack.watch import Stop
from losscli.tasks import tasks
from losscli.training import TrainingDesk

Write = Callable[..., Any]


class Crash(BaseException):
    """The process is gone."""


class After(Stop):
    """Asks to stop once it was polled so often, and counts."""

    def __init__(self, polls: float = math.inf):
        self.listening, self.polls, self.most = False, 0, polls

    @property
    def requested(self) -> bool:  # type: ignore[override]
        self.polls += 1
        return self.polls > self.most


@pytest.fixture
def spec(tmp_path: Path) -> Write:
    def make(text: str, name: str = "spec.yaml") -> Any:
        more = "" if "model:" in text else "model: {kind: mlp, hidden: [6]}\n"
        (tmp_path / name).write_text(text + more + ("" if "seeds:" in text else "seeds: 2\n"))
        return load_spec(tmp_path / name)

    return make


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """States are saved after every epoch."""
    monkeypatch.setattr(checkpoint, "PAUSE", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", math.inf)


def crashing(number: int) -> Callable[[Any], None]:
    """A watcher that is the end of the process at so manieth an epoch."""
    ticks = iter(range(10_000))

    def watch(tick: Any) -> None:
        if next(ticks) == number:
            raise Crash

    return watch


@pytest.mark.usefixtures("_often")
@pytest.mark.parametrize("kind", dict.fromkeys([*SPECS, *tasks.names()]))
def test_whoever_is_stopped_ends_with_the_same_bits(spec: Write, tmp_path: Path, kind: str) -> None:
    """Killed at an epoch, then stopped within one, and then gone on with to the end."""
    counting = After()
    whole = pipeline.run([spec(spec_of(kind))], out=tmp_path / "whole", stop=counting)
    with pytest.raises(Crash):
        pipeline.run([spec(spec_of(kind))], out=tmp_path / "runs", watch=crashing(2))
    (folder,) = records(tmp_path / "runs", unfinished=True)
    assert in_the_making(folder)
    begun = (folder / "spec.yaml").read_bytes()
    partial = pipeline.resume(folder, stop=After(counting.polls // 8))
    assert partial.partial
    assert in_the_making(folder)
    ended = pipeline.resume(folder)
    assert not ended.partial
    assert bits(ended) == bits(whole)
    assert (
        folder / "spec.yaml"
    ).read_bytes() == begun  # or who is killed while it is written could not be gone on with
    assert {path.name for path in folder.iterdir()} == {*contents(folder)}


def test_a_stop_within_the_first_epoch_has_nothing_to_show_and_is_gone_on_with(spec: Write, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="nothing to show"):
        pipeline.run([spec(SPECS["binary"])], out=tmp_path / "runs", stop=After(3))
    (folder,) = records(tmp_path / "runs", unfinished=True)
    whole = pipeline.run([spec(SPECS["binary"])], out=tmp_path / "whole")
    assert bits(pipeline.resume(folder)) == bits(whole)


@pytest.mark.usefixtures("_often")
def test_data_that_have_changed_are_not_gone_on_with(spec: Write, tmp_path: Path) -> None:
    rows = [f"{x % 7},{'yes' if x % 3 else 'no'}" for x in range(60)]
    table = tmp_path / "t.csv"
    table.write_text("x,y\n" + "\n".join(rows))
    text = "data: {source: csv, path: t.csv, target: y}\nloss: bce-logits\ntrain: {epochs: 4}\ntask: binary\n"
    with pytest.raises(Crash):
        pipeline.run([spec(text)], out=tmp_path / "runs", watch=crashing(1))
    (folder,) = records(tmp_path / "runs", unfinished=True)
    before = table.read_text()
    table.write_text(before.replace("3,no", "4,no", 1))
    with pytest.raises(DataError, match="not what they were"):
        pipeline.resume(folder)
    table.write_text(before)
    assert not pipeline.resume(folder).partial


def crashed_with(named: str, spec: Write, tmp_path: Path) -> Path:
    """The folder that is left of a comparison with a loss of one's own that crashed."""
    from losscli.spec.overrides import Overrides

    spec(MOONS + "loss: bce-logits\ntrain: {epochs: 4}\n")
    loaded = load_spec(tmp_path / "spec.yaml", Overrides(losses=[named]))
    with pytest.raises(Crash):
        pipeline.run([loaded], out=tmp_path / "runs", watch=crashing(1))
    (folder,) = records(tmp_path / "runs", unfinished=True)
    return folder


@pytest.mark.usefixtures("_often")
def test_code_is_named_again_and_must_be_what_it_was(
    spec: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from losscli.losses import losses, own

    code = "import torch.nn.functional as F\ndef mine(x, y): return F.binary_cross_entropy_with_logits(x, y, reduction='none')\n"
    (tmp_path / "mine.py").write_text(code)
    named = f"{tmp_path}/mine.py:mine"
    folder = crashed_with(named, spec, tmp_path)
    monkeypatch.setattr(losses, "_items", {key: item for key, item in losses._items.items() if "mine" not in key})
    monkeypatch.setattr(own, "_adopted", {})
    with pytest.raises(SpecError, match="no record holds code") as refused:
        pipeline.resume(folder)
    assert f"losscli resume {folder.name} --loss mine.py:mine" in (refused.value.problems[0].cure or "")
    (tmp_path / "mine.py").write_text(code + "\n")
    with pytest.raises(CodeError, match="not what it was"):
        pipeline.resume(folder, own=[named])
    (tmp_path / "mine.py").write_text(code)
    assert not pipeline.resume(folder, own=[named]).partial


@pytest.mark.usefixtures("_often")
@pytest.mark.parametrize("file", ["near_to_mine.py", "parts_of_mine/inner.py"])
def test_what_code_imports_from_beside_it_must_be_what_it_was(spec: Write, tmp_path: Path, file: str) -> None:
    """Code in a file that the named one imports, and in one that this imports in turn."""
    inner = "import torch.nn.functional as F\ndef bce(x, y): return F.binary_cross_entropy_with_logits(x, y, reduction='none')\n"
    (tmp_path / "parts_of_mine").mkdir()
    (tmp_path / "parts_of_mine" / "inner.py").write_text(inner)
    (tmp_path / "near_to_mine.py").write_text("from parts_of_mine.inner import bce\n")
    code = "import near_to_mine\n\ndef mine(x, y):\n    return near_to_mine.bce(x, y)\n"
    (tmp_path / "mine_with_parts.py").write_text(code)
    named = f"{tmp_path}/mine_with_parts.py:mine"
    folder = crashed_with(named, spec, tmp_path)
    before = (tmp_path / file).read_text()
    (tmp_path / file).write_text(before + "\n")
    (tmp_path / "mine_with_parts.py").touch()  # or this very process would not read it again
    with pytest.raises(CodeError, match="one beside it that it imports, is not what it was"):
        pipeline.resume(folder, own=[named])
    (tmp_path / file).write_text(before)
    os.utime(tmp_path / "mine_with_parts.py", (1, 1))
    assert not pipeline.resume(folder, own=[named]).partial


@pytest.mark.usefixtures("_often")
def test_what_is_damaged_or_of_other_runs_is_told(spec: Write, tmp_path: Path) -> None:
    with pytest.raises(Crash):
        pipeline.run([spec(SPECS["binary"])], out=tmp_path / "runs", watch=crashing(3))
    (folder,) = records(tmp_path / "runs", unfinished=True)
    (path,) = folder.glob("running-*")
    whole = path.read_bytes()
    for place in (0, 20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(MachineError, match="running-0-0"):
            pipeline.resume(folder)
    path.write_bytes(checkpoint_of_another(tmp_path, spec))
    with pytest.raises(MachineError, match="running-0-0"):
        pipeline.resume(folder)
    path.unlink()  # as the message says: what it held is trained again
    assert not pipeline.resume(folder).partial


def checkpoint_of_another(tmp_path: Path, spec: Write) -> bytes:
    with pytest.raises(Crash):
        pipeline.run([spec(SPECS["regression"], "other.yaml")], out=tmp_path / "other", watch=crashing(3))
    (other,) = (tmp_path / "other").glob("*/running-0-0.safetensors")
    return other.read_bytes()


# Commands


@pytest.mark.usefixtures("_often")
def test_commands_work_on_what_there_is(
    spec: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Crash):
        pipeline.run([spec(SPECS["binary"])], watch=crashing(3))
    (folder,) = records(Path("runs"), unfinished=True)
    assert app.run(["runs", "ls", "--format", "json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["records"]
    assert (listed["id"], listed["unfinished"]["alive"], listed["unfinished"]["total"]) == (folder.name, False, 20)
    assert 0 < listed["unfinished"]["done"] < 20
    for line in ("runs show 1", "runs show 1 --format json", "report 1 --format md"):
        assert app.run(line.split()) == 0
        out = capsys.readouterr().out
        assert "this is a part of what was asked for: 12 of 20 epochs" in " ".join(out.split())
    assert app.run(["report", "1", "--to", "page.html"]) == 0
    assert "12 of 20 epochs" in Path("page.html").read_text()
    lock = disk.Lock(folder)
    for line in ("resume 1", "runs rm 1 --yes"):
        assert app.run(line.split()) == 5
    assert app.run(["runs", "clean", "--yes"]) == 0
    lock.free()
    assert in_the_making(folder)
    capsys.readouterr()
    assert app.run(["resume", "--quiet"]) == 0
    assert "record   runs/0001-" in capsys.readouterr().out
    assert app.run(["resume"]) == 5  # nothing is left to be gone on with
    assert app.run(["resume", "1", "--format", "csv"]) == 0
    assert "focal" in capsys.readouterr().out
    assert app.run(["runs", "verify"]) == 0
    (folder / "results.json").write_text("{}")
    assert app.run(["runs", "verify"]) == 5


def test_what_is_dead_is_removed_after_asking(
    spec: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pipeline.run([spec(SPECS["binary"])])
    with pytest.raises(Crash):
        pipeline.run([spec(SPECS["binary"])], watch=crashing(3))
    (Path("runs") / "0009-20260131-154210-half").mkdir()
    assert app.run(["runs", "clean"]) == 2
    assert "this would remove 2 records" in capsys.readouterr().err
    assert app.run(["runs", "clean", "--yes"]) == 0
    assert len(list(Path("runs").iterdir())) == 1


@pytest.mark.parametrize("form", ["text", "json", "csv", "md"])
def test_a_full_disk_hides_no_result(
    spec: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """Full from the start, and full when the record is written; then it is gone on with."""
    monkeypatch.chdir(tmp_path)
    spec(SPECS["binary"])
    put = disk.put
    for full in (lambda name: True, lambda name: name == "weights.safetensors"):

        def refuse(path: Path, data: bytes, full: Callable[[str], bool] = full) -> None:
            if full(path.name):
                raise OSError(28, os.strerror(28), str(path))
            put(path, data)

        monkeypatch.setattr(disk, "put", refuse)
        assert app.run(["compare", "spec.yaml", "--format", form, "--quiet"]) == 5
        out, err = capsys.readouterr()
        assert "focal" in out
        assert "No space left on device" in err
        assert "free some space" in err
    monkeypatch.setattr(disk, "put", put)
    assert [in_the_making(path) for path in Path("runs").iterdir()] == [True]
    assert app.run(["resume", "--quiet"]) == 0


def test_a_screen_that_is_gone_loses_no_record(spec: Write, tmp_path: Path) -> None:
    def gone(comparison: Comparison) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        pipeline.run([spec(SPECS["binary"])], out=tmp_path / "runs", show=gone)
    assert len(records(tmp_path / "runs")) == 1


# Processes


@pytest.mark.parametrize(("where", "flag"), [("runs", ""), ("else/where", " --out else/where")])
@pytest.mark.parametrize("times", [1, 2])
def test_who_is_stopped_is_told_how_to_go_on(
    spec: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    where: str,
    flag: str,
    times: int,
) -> None:
    """Once within its first epoch, of which there is nothing to show; or twice, after some."""
    code = "import torch.nn.functional as F\ndef mine(x, y): return F.binary_cross_entropy_with_logits(x, y, reduction='none')\n"
    (tmp_path / "mine.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    spec(SPECS["binary"])
    polls = iter(range(10_000))
    monkeypatch.setattr(local, "possible", lambda: False)
    stopping = TrainingDesk.stopping

    def asked(desk: TrainingDesk) -> bool:
        for _ in range(times if next(polls) == {1: 2, 2: 30}[times] else 0):
            signal.raise_signal(signal.SIGTERM)
        return bool(stopping.fget(desk))  # type: ignore[misc]

    monkeypatch.setattr(TrainingDesk, "stopping", property(asked))
    line = f"compare spec.yaml --out {where} --loss bce-logits --loss mine.py:mine --timeout 20"
    assert app.run(line.split()) == 143
    (folder,) = records(Path(where), unfinished=True)
    command = f"losscli resume {folder.name} --loss mine.py:mine{flag}"
    said = "stopped: no run has finished an epoch yet, so there is nothing to show" if times == 1 else "stopped at once"
    err = capsys.readouterr().err
    assert f"error: {said}" in err
    assert command in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_process_that_is_stopped_leaves_what_it_has(spec: Write, tmp_path: Path, number: int, code: int) -> None:
    spec(SPECS["binary"].replace("epochs: 5", "epochs: 100000").replace("patience: 4", "patience: null"))
    command = [sys.executable, "-m", "losscli", "compare", "spec.yaml"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("runs/*/progress.json")):
        assert process.poll() is None
        time.sleep(0.01)
    (folder,) = records(tmp_path / "runs", unfinished=True)
    assert disk.at_work(folder)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert not disk.at_work(folder)
    if number != signal.SIGKILL:
        assert "focal" in out
        assert f"losscli resume {folder.name}" in err
        assert list(folder.glob("running-0-0.safetensors"))
    assert in_the_making(folder)
