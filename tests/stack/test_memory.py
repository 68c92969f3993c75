"""What judging runs of many classes takes of memory: measured in a process of its own, and held against what is reckoned."""

import subprocess
import sys

import pytest

from losscli.stack import device as machine

MEASURE = """
import sys
import numpy as np
from losscli.data.dataset import Table
from losscli.data.prepare import prepare
from losscli.data.sources import Split
from losscli.losses import find
from losscli.metrics import evaluation_metrics
from losscli.stack.job import Job
from losscli.stack.baseline import limits
from losscli.stack.device import CPU
from losscli.stack.models import models
from losscli.stack.plan import Plan
from losscli.stack.rows import Run
from losscli.stack.train import train
from losscli.tasks import Column, TargetOptions, tasks

def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) << 10

def trained(classes, rows=3000):
    labels = np.arange(rows) % classes
    codes = Column(labels.astype(np.int32), tuple(f"c{label:05}" for label in range(classes)))
    table = Table("many", {"x": Column(labels + 0.5)}, {"y": codes})
    task = tasks.get("multiclass")
    target = task.decode(table.targets, TargetOptions())
    data = prepare(table, target, task, Split(stratify=False), 0)
    metrics = evaluation_metrics("multiclass", costs=None, mixture=None, pairs=None)
    job = Job(task, models.get("linear")(), Plan(epochs=1, max_steps=1), [metrics["accuracy"]], CPU, list(metrics.values()))
    train([Run("a", 0, find("cross-entropy", "multiclass"), {}, (), 1e-3, data)], job)
    limits({0: data}, task, list(metrics.values()))
    return max(part.rows for part in data.parts.values()), task.outputs(target)

trained(5)
before = peak()
for classes in (1000, 3000):
    print(*trained(classes), peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_judging_many_classes_takes_what_is_reckoned() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    lines = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert [outputs for _, outputs, _ in lines] == [1000, 3000]
    for rows, outputs, measured in lines:
        reckoned = machine.judging_peak(rows, outputs)
        assert reckoned / 8 < measured < reckoned, (measured, reckoned)


def test_it_is_told_from_a_gigabyte_on_with_the_figure() -> None:
    assert machine.told_if_many_numbers(1000, 10) == []
    (finding,) = machine.told_if_many_numbers(42_000, 10_000)
    assert "7.3 GB" in finding.message
    assert "10000 numbers for each of 42000 rows" in finding.message


def test_so_many_workers_as_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory", lambda: 10 << 30)
    assert machine.room_for(3 << 30, machine.CPU) == 2
    assert machine.room_for(9 << 30, machine.CPU) == 1  # one run alone: whether it fits is told where stacks are made
