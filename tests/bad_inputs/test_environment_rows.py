"""Rows 69 to 78: the machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import requires
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from losscli import pipeline
from losscli.cli.signals import SIGNALS
from losscli.executors import local
from losscli.record import disk, find
from losscli.stack import device

TRAIN = "train --task binary --smoke"


@pytest.mark.parametrize("row", ["69 cuda", "69 cuda:7", "69 gpu", "69 mps"])
def test_row_69_a_device_that_is_not_here(row: str, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    name = row.removeprefix("69 ")
    call(f"{TRAIN} --device {name}").says(5, f"the device '{name}' is not here; there is: cpu", "use --device cpu")


def test_row_70_memory_of_a_gpu_that_runs_out(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        pytest.raises(Exception, match="not enough for batches of 32 rows") as told,
        device.out_of_memory_explained(32),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
    assert "make train.batch_size, model.hidden or the number of seeds smaller" in str(told.value.problems[0].cure)


def full(number: int) -> Any:
    def refuse(path: Path, *given: Any) -> None:
        raise OSError(number, os.strerror(number), str(path))

    return refuse


@pytest.mark.parametrize(("row", "number"), [("71 full", 28), ("71 quota", 122), ("71 read-only", 30)])
def test_row_71_a_disk_that_takes_nothing(
    row: str, number: int, call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    call(TRAIN).says(0)
    monkeypatch.setattr(disk, "put", full(number))
    call(TRAIN).says(5, os.strerror(number), "auroc")  # the result is shown all the same
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    call("runs verify 1").says(0)


def test_row_71_a_root_that_is_gone_during_the_run(call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is made anew: the record is whole."""
    before = pipeline.train_all

    def meanwhile(*given: Any, **options: Any) -> Any:
        shutil.rmtree(tmp_path / "runs")
        return before(*given, **options)

    monkeypatch.setattr(pipeline, "train_all", meanwhile)
    call(TRAIN).says(0, "auroc")
    call("runs verify 1").says(0)


def test_row_71_a_root_that_is_a_file(call: Any, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    call(TRAIN).says(5, "runs")


def test_row_72_sigterm(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def terminated(*given: Any, **options: Any) -> Any:
        raise SIGNALS[signal.SIGTERM]

    monkeypatch.setattr(pipeline, "train_all", terminated)
    call(TRAIN).says(143, "terminated")


def test_row_72_what_a_process_that_was_killed_held_is_free(tmp_path: Path) -> None:
    hold = "import sys, time; from pathlib import Path; from losscli.record.disk import Lock\n" + (
        "lock = Lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    child.kill()
    child.wait()
    child.stdout.close()
    disk.Lock(tmp_path).free()


def test_row_73_a_package_that_is_missing(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    outcome = call(f"{TRAIN} --executor ray").says(5, "pip install 'losscli[ray]'")
    assert len(outcome.err.strip().splitlines()) <= 3
    from losscli.cli.endings import ending

    code, (problem,) = ending(ModuleNotFoundError("No module named 'numpy'", name="numpy"))
    assert (code, problem.message, problem.cure) == (5, "the package numpy is missing", "pip install numpy")


def test_row_73_a_torch_that_is_too_old_is_not_installed() -> None:
    """pip refuses it: what losscli needs is said where it is installed."""
    assert "torch>=2.10" in (requires("losscli") or [])


def test_row_74_two_processes_at_once(tmp_path: Path) -> None:
    take = "import sys; from pathlib import Path; from losscli.record import disk\n"
    take += "for _ in range(5): print(disk.take(Path(sys.argv[1]), 'x').name)"
    children = [
        subprocess.Popen([sys.executable, "-c", take, str(tmp_path / "runs")], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    names = [name for child in children for name in child.communicate(timeout=60)[0].split()]
    assert sorted(int(name[:4]) for name in names) == list(range(1, 11))


def test_row_75_a_clock_that_was_set_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for zone in ("Antarctica/Troll", "no zone at all", ":/etc/nothing", ""):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        disk.take(tmp_path, "x")
    monkeypatch.undo()
    time.tzset()
    numbers = [path.name[:4] for path in find.records(tmp_path, unfinished=True)] or [
        path.name[:4] for path in sorted(tmp_path.iterdir())
    ]
    assert numbers == sorted(numbers) == ["0001", "0002", "0003", "0004"]


def test_row_76_nothing_is_forked_where_a_gpu_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    forked: list[Any] = []
    monkeypatch.setattr(local, "in_processes", lambda *given: forked.append(given))
    monkeypatch.setattr(local, "_room", lambda works: 2)  # processes that the memory holds
    for kind in ("cuda:0", "cpu"):
        job = SimpleNamespace(device=torch.device(kind))
        works = [SimpleNamespace(job=job, own=True)] * 2
        desk = SimpleNamespace(works=works, take=lambda: None)
        local.local(desk, SimpleNamespace(workers=2, timeout=1.0))  # type: ignore[arg-type]
        assert len(forked) == (kind == "cpu" and sys.platform == "linux")


@pytest.mark.parametrize(
    ("row", "variables"),
    [
        ("77 no thread", {"OMP_NUM_THREADS": "0"}),
        ("77 odd threads, one hash, no home", {"OMP_NUM_THREADS": "abc", "PYTHONHASHSEED": "0", "HOME": ""}),
    ],
)
def test_row_77_odd_variables(row: str, variables: dict[str, str]) -> None:
    command = [sys.executable, "-m", "losscli", *TRAIN.split(), "--no-record", "--quiet", "--format", "csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})
    assert done.returncode == 0
    assert "bce-logits" in done.stdout
    assert "Traceback" not in done.stderr


def test_row_77_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    line = f"mkdir {tmp_path}/gone; cd {tmp_path}/gone; rmdir {tmp_path}/gone; {sys.executable} -m losscli {TRAIN}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert "the folder you are in does not exist any more" in done.stderr
    assert "Traceback" not in done.stderr


def test_row_78_no_worker_shares_memory(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers hand files over, so a small or missing /dev/shm is no matter."""
    import multiprocessing.shared_memory as shared

    def none(*given: Any, **options: Any) -> Any:
        raise OSError(28, os.strerror(28), "/dev/shm")

    monkeypatch.setattr(shared, "SharedMemory", none)
    monkeypatch.setattr(torch.Tensor, "share_memory_", none)
    call(f"{TRAIN} --no-record").says(0)
