"""Workers: the numbers of one, whatever their number, and whatever happens to them."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from same_bits import SPECS, bits, spec_of

from losscli import forked, pipeline
from losscli.cli import app
from losscli.compare.tuning import forget
from losscli.comparison import Comparison
from losscli.errors import MachineError, SpecError
from losscli.executors import Outcome, Progress, Work, cores, local, processes
from losscli.executors import perform as perform_module
from losscli.executors.execution import Execution
from losscli.executors.perform import perform as performed
from losscli.record import checkpoint, disk
from losscli.record.find import in_the_making, records
from losscli.reports.recall import recall
from losscli.spec.load import load_spec
from losscli.spec.overrides import Overrides
from losscli.stack import device
from losscli.stack.watch import Stop
from losscli.tasks import tasks

pytestmark = pytest.mark.skipif(not forked.possible(), reason="no process can be forked here")
MOONS = (
    "task: binary\ndata: {source: synthetic, name: moons, n_samples: 90}\nloss: [bce-logits, focal, hinge]\n"
    "model: {kind: mlp, hidden: [6], dropout: 0.3}\ntrain: {epochs: 4, batch_size: 16}\nseeds: 2\n"
)
OWN = """\
import ctypes, os, torch
import torch.nn.functional as F
calls = 0
def mine(x, y):
    global calls
    calls += 1
    if calls > 25:
        {then}
    return F.binary_cross_entropy_with_logits(x, y, reduction="none")
"""
HANGS_IN_C = "ctypes.PyDLL(None).sleep(1000)"  # PyDLL keeps Python's lock


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stacks of two rows, so that there are several."""
    monkeypatch.setattr(device, "CPU_ROWS", 2)


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PAUSE", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", float("inf"))


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Comparison]:
    def compare(text: str, workers: int, own: str | None = None, timeout: float = 60.0, **options: Any) -> Comparison:
        more = ("" if "model:" in text else "model: {kind: mlp, hidden: [6]}\n") + (
            "" if "seeds:" in text else "seeds: 2\n"
        )
        (tmp_path / "spec.yaml").write_text(text + more)
        (tmp_path / "own.py").write_text(own or "")
        losses = ["bce-logits", f"{tmp_path}/own.py:mine"] if own else []
        spec = load_spec(tmp_path / "spec.yaml", Overrides(losses=losses))
        options = {"out": tmp_path / f"runs{workers}", **options}
        return pipeline.run([spec], execution=Execution(workers=workers, timeout=timeout), **options)

    return compare


@pytest.mark.parametrize("kind", dict.fromkeys(["binary", "tuned", "stress", "folds", "diverges", *tasks.names()]))
def test_any_number_of_workers_gives_the_same_bits(
    run: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(device, "CPU_ROWS", 2 if kind in SPECS else 1)
    text = spec_of(kind) if kind in SPECS else spec_of(kind).replace("epochs: 3", "epochs: 1")
    first, *others = (bits(run(text, workers)) for workers in ((1, 2, 4) if kind in SPECS else (1, 2)))
    assert all(other == first for other in others)


@pytest.mark.usefixtures("_often")
def test_who_goes_on_with_another_number_of_workers_ends_with_the_same_bits(
    run: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = bits(run(MOONS, 1))
    for before, after in ((2, 1), (1, 4), (4, 2)):
        stop, out = Stop(), tmp_path / f"stopped{before}"

        def perform(work: Work, link: Any) -> Outcome:
            tell = link.progress

            def progress(progress: Progress) -> None:
                tell(progress)
                while progress.epoch >= 2 and not link.stopping():
                    time.sleep(0.01)  # none of them may be done before the stop has come to it

            link.progress = progress
            return performed(work, link)

        def watch(tick: Any, stop: Stop = stop) -> None:
            stop.requested = tick.epoch >= 2

        with monkeypatch.context() as patch:
            patch.setattr(processes, "perform", perform)
            assert run(MOONS, before, stop=stop, watch=watch, out=out).partial
        (folder,) = records(out, unfinished=True)
        assert in_the_making(folder)
        assert bits(pipeline.resume(folder, execution=Execution(workers=after))) == whole


@pytest.mark.parametrize("then", ["while calls: pass", HANGS_IN_C], ids=["python", "c"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_loss_that_hangs_fails_alone(run: Callable[..., Comparison], then: str, workers: int) -> None:
    (arena,) = run(MOONS, workers, OWN.format(then=then), timeout=0.5).arenas
    assert {(run.entry, run.status) for run in arena.runs} == {("bce-logits", "ok"), ("own.mine", "failed")}
    (finding,) = [finding for finding in arena.findings if finding.code == "failed"]
    assert "--timeout" in finding.message


@pytest.mark.usefixtures("_often")
@pytest.mark.parametrize("then", ["while calls: pass", HANGS_IN_C], ids=["python", "c"])
def test_a_stop_does_not_wait_for_a_loss_that_hangs(
    run: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, then: str
) -> None:
    """It has failed on the board, and nowhere else: who goes on does so from what was saved of it."""
    monkeypatch.setattr(processes, "PATIENCE", 0.3)
    stop, text = Stop(), OWN.format(then=f"open(__file__ + '.hangs', 'w').close()\n        {then}")
    silence = processes._Worker.silence

    def silent(worker: Any) -> float:
        stop.requested = stop.requested or (tmp_path / "own.py.hangs").exists()
        return silence(worker)

    monkeypatch.setattr(processes._Worker, "silence", silent)
    comparison = run(MOONS, 2, text, timeout=15.0, stop=stop)
    (arena,) = comparison.arenas
    assert comparison.partial
    assert {run.status for run in arena.runs if run.entry == "own.mine"} == {"failed"}
    (finding,) = [finding for finding in arena.findings if finding.code == "failed"]
    assert "had not ended" in finding.message
    assert "after the stop" in finding.message
    folder = Path(comparison.record or "")
    assert not (folder / "finished-0-1.safetensors").exists()
    (arena,) = pipeline.resume(folder, execution=Execution(timeout=15.0)).arenas  # fewer than 25 calls are left
    assert {run.status for run in arena.runs} == {"ok"}


def test_a_stop_waits_for_a_step_that_takes_as_long_as_others_did(
    run: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0.2)
    stop = Stop()
    silence = processes._Worker.silence

    def silent(worker: Any) -> float:
        stop.requested = stop.requested or (tmp_path / "own.py.slow").exists()
        return silence(worker)

    monkeypatch.setattr(processes._Worker, "silence", silent)
    slow = "import time\n        calls > 28 and open(__file__ + '.slow', 'w').close()\n        time.sleep(0.4)"
    (arena,) = run(MOONS.replace("epochs: 4", "epochs: 400"), 2, OWN.format(then=slow), stop=stop).arenas
    assert {run.status for run in arena.runs if run.entry == "own.mine"} == {"stopped"}


def test_a_stop_waits_for_a_loss_that_has_heard_it(
    run: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """To be gone on with, what it has is saved, which may take longer than a step."""
    monkeypatch.setattr(processes, "PATIENCE", 0.5)
    stop = Stop()

    def perform(work: Work, link: Any) -> Outcome:
        save = link.save

        def slowly(state: Callable[[], Any]) -> None:
            time.sleep(1.2)
            save(state)

        link.save = slowly
        return performed(work, link)

    def watch(tick: Any) -> None:
        stop.requested = stop.requested or "own.mine" in tick.entries

    monkeypatch.setattr(processes, "perform", perform)
    text = OWN.format(then="import time; time.sleep(0.02)")
    (arena,) = run(MOONS.replace("epochs: 4", "epochs: 400"), 2, text, stop=stop, watch=watch).arenas
    assert "failed" not in {run.status for run in arena.runs}


def test_a_loss_that_ends_its_process_fails_alone(run: Callable[..., Comparison]) -> None:
    (arena,) = run(MOONS, 2, OWN.format(then="os._exit(7)")).arenas
    assert {(run.entry, run.status) for run in arena.runs} == {("bce-logits", "ok"), ("own.mine", "failed")}
    (finding,) = [finding for finding in arena.findings if finding.code == "failed"]
    assert "exit code 7" in finding.message


@pytest.mark.usefixtures("_often")
def test_a_worker_that_dies_once_costs_nothing(run: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bits(run(MOONS, 1))
    assert bits(_dying(run, monkeypatch, times=1)) == whole


@pytest.mark.usefixtures("_often")
def test_of_a_worker_that_dies_twice_all_else_is_kept(
    run: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = bits(run(MOONS, 1))
    with pytest.raises(MachineError, match="signal 9"):
        _dying(run, monkeypatch, times=2)
    monkeypatch.undo()
    monkeypatch.setattr(device, "CPU_ROWS", 2)
    (folder,) = records(tmp_path / "runs2", unfinished=True)
    assert bits(pipeline.resume(folder)) == whole


def _dying(run: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch, times: int) -> Comparison:
    """A comparison by two workers, of which the one with the second stack ends so often, in its third epoch."""

    def perform(work: Work, link: Any) -> Outcome:
        tell = link.progress
        assert (work.state is not None) == (work.tries > 0)  # it goes on from where it was

        def progress(progress: Progress) -> None:
            tell(progress)
            if (work.stack, progress.epoch) == (1, 2 + work.tries) and work.tries < times:
                os.kill(os.getpid(), signal.SIGKILL)

        link.progress = progress
        return performed(work, link)

    monkeypatch.setattr(processes, "perform", perform)
    return run(MOONS, 2)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_workers_end_with_their_parent(tmp_path: Path, number: int, code: int) -> None:
    """A signal to the whole group, as a terminal sends it; SIGKILL to the parent alone."""
    text = MOONS.replace("epochs: 4", "epochs: 100000").replace("seeds: 2", "seeds: 12")
    (tmp_path / "spec.yaml").write_text(text)
    command = [sys.executable, "-m", "losscli", "compare", "spec.yaml", "--workers", "2"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not list(tmp_path.glob("runs/*/progress.json")):
        assert process.poll() is None
        time.sleep(0.01)
    workers = children(process.pid)
    assert len(workers) == 2
    (os.kill if number == signal.SIGKILL else os.killpg)(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    while any(alive(worker) for worker in workers):
        time.sleep(0.01)
    (folder,) = records(tmp_path / "runs", unfinished=True)
    assert not disk.at_work(folder)
    if number != signal.SIGKILL:
        assert "focal" in out
        assert f"losscli resume {folder.name}" in err


def children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_has_one_thread_and_starts_no_workers(run: Callable[..., Comparison]) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    wide = torch.ones(600, 600) @ torch.ones(600, 600)  # the pool of the parent is in use
    try:
        seen = "open(__file__ + '.seen', 'w').write(f\"{torch.get_num_threads()} {os.environ['LOSSCLI_WORKERS']}\")"
        comparison = run(MOONS, 2, OWN.format(then=seen))
    finally:
        torch.set_num_threads(before)
    assert wide[0, 0] == 600
    assert (Path(comparison.record or "").parents[1] / "own.py.seen").read_text() == "1 1"


def test_a_loss_of_ones_own_is_not_said_to_have_changed_the_threads(
    run: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this very process, where torch has more than the one with which stacks are trained."""
    monkeypatch.setattr(local, "possible", lambda: False)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        (arena,) = run(MOONS, 1, OWN.format(then="pass")).arenas
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert "own-loss-leftovers" not in [finding.code for finding in arena.findings]


# Machines


def test_the_machine_that_trained_is_kept_with_the_record(
    run: Callable[..., Comparison], capsys: pytest.CaptureFixture[str]
) -> None:
    """By one process and by workers alike; of one kind, no run says it again."""
    name = device.name_of(torch.device("cpu"))
    for workers in (1, 2):
        folder = Path(run(MOONS, workers).record or "")
        assert json.loads((folder / "manifest.json").read_text())["machines"] == {name: 3}
        assert '"machine"' not in (folder / "results.json").read_text()
        assert recall(folder).comparison.machines == {name: 3}
        assert app.run(["runs", "show", str(folder)]) == 0
        assert f"machine  {name} (3 stacks)" in capsys.readouterr().out


@pytest.mark.usefixtures("_often")
def test_where_machines_differ_each_run_says_its_own(
    run: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two stacks on one kind, and after a stop the third on another."""
    stop = Stop()

    def watch(tick: Any) -> None:
        stop.requested = tick.done >= 2 * 2 * 4

    monkeypatch.setattr(perform_module, "name_of", lambda _: "Abacus 1")
    assert run(MOONS, 1, stop=stop, watch=watch).partial
    monkeypatch.setattr(perform_module, "name_of", lambda _: "Abacus 2")
    (folder,) = records(tmp_path / "runs1", unfinished=True)
    (arena,) = pipeline.resume(folder).arenas
    (finding,) = [finding for finding in arena.findings if finding.code == "several-machines"]
    assert "'Abacus 1' (2 stacks), 'Abacus 2' (1 stack)" in finding.message
    runs = json.loads((folder / "results.json").read_text())["arenas"][0]["runs"]
    assert Counter(run["machine"] for run in runs) == {"Abacus 1": 4, "Abacus 2": 2}
    (recalled,) = recall(folder).comparison.arenas
    assert [run.machine for run in recalled.runs] == [run["machine"] for run in runs]


# Cores


def machine(root: Path, threads: dict[int, tuple[int, int]], groups: str = "", **files: str) -> Path:
    """A machine whose hardware threads are on these (package, core)."""
    for number, (package, core) in threads.items():
        folder = root / f"sys/devices/system/cpu/cpu{number}/topology"
        folder.mkdir(parents=True)
        for name, value in (("physical_package_id", package), ("die_id", 0), ("core_id", core)):
            (folder / name).write_text(f"{value}\n")
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_max", ".max").replace("cfs", ".cfs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


EIGHT = {number: (number % 2, number // 4) for number in range(8)}  # two packages of two cores of two threads


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("", {}, 4),
        ("0::/a/b\n", {"a__cpu_max": "200000 100000\n", "a__b__cpu_max": "max 100000\n"}, 2),
        ("0::/outside\n", {"cpu_max": "350000 100000\n"}, 3),
        ("0::/\n", {"cpu_max": "50000 100000\n"}, 1),
        ("3:cpu,cpuacct:/a\n", {"cpu__a__cpucfs_quota_us": "200000\n", "cpu__a__cpucfs_period_us": "100000\n"}, 2),
        ("1:cpu:/\n", {"cpu__cpucfs_quota_us": "-1\n", "cpu__cpucfs_period_us": "100000\n"}, 4),
        ("0::/\n", {"cpu_max": "nonsense"}, 4),
    ],
    ids=["none", "v2-above", "v2-inside", "v2-half", "v1", "v1-none", "broken"],
)
def test_cores_are_counted_once_and_within_the_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: str, files: dict[str, str], expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    root = machine(tmp_path, EIGHT, groups, **files)
    assert cores.cores(root) == expected
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2})  # one core
    assert cores.cores(root) == 1


@pytest.mark.parametrize("text", ["0", "-1", "two", "", "1.5", "²"])
def test_what_is_no_number_of_workers_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="whole number >= 1 or auto"):
        cores.workers(None, {"LOSSCLI_WORKERS": text})


def test_whoever_may_still_win_by_its_loss_is_not_forgotten() -> None:
    """A candidate without the headline comes last, and then the losses decide."""
    from types import SimpleNamespace as Record

    def candidate(accuracy: float, loss: float) -> Any:
        scores = {"valid": {"accuracy": accuracy, "loss": loss}}
        run = Record(entry="a", seed=0)
        return Record(
            run=run, scores=scores, status="ok", calibration={}, weights={"w": 1}, predictions=1, fingerprint=1
        )

    headline: Any = Record(name="accuracy", direction="up")
    by_accuracy, by_loss, neither = candidate(0.9, 0.5), candidate(0.8, 0.4), candidate(0.7, 0.6)
    forget([by_accuracy, by_loss, neither], headline)
    assert (bool(by_accuracy.weights), bool(by_loss.weights), bool(neither.weights)) == (True, True, False)


def test_a_worker_collects_its_garbage_and_leaves_alone_what_is_of_its_parent() -> None:
    """The parent, a command, seldom collects: it has loaded 200,000 objects that are none."""
    before = gc.get_threshold()
    gc.set_threshold(app.MODULES)
    try:
        pid = forked.fork(lambda: int(not (gc.get_threshold()[0] < 10_000 and gc.get_freeze_count() > 10_000)))
        assert forked.how(os.waitpid(pid, 0)[1]) == "exit code 0"
    finally:
        gc.set_threshold(*before)
