"""What judging runs of many classes takes of memory: measured in a process of its own, and held against what is reckoned."""

import subprocess
import sys

import pytest

from losscli.errors import SpecError
from losscli.metrics import ranking
from losscli.stack import device as machine
from losscli.stack.judging import Judging

MEASURE = """
import sys
import numpy as np
from losscli.data.dataset import Table
from losscli.data.prepare import prepare
from losscli.data.sources import Split
from losscli.losses import find
from losscli.metrics import evaluation_metrics
from losscli.stack.job import Job
from losscli.stack.baseline import baseline, limits
from losscli.stack.device import CPU
from losscli.stack.models import models
from losscli.stack.networks import judging_of
from losscli.stack.plan import Plan
from losscli.stack.rows import Run
from losscli.stack.train import train
from losscli.tasks import Column, TargetOptions, tasks

def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) << 10

def judged(rows, classes, count, valid, test):
    labels = np.arange(rows) % classes
    codes = Column(labels.astype(np.int32), tuple(f"c{label:05}" for label in range(classes)))
    table = Table("many", {"x": Column(labels + 0.5)}, {"y": codes})
    task = tasks.get("multiclass")
    data = prepare(table, task.decode(table.targets, TargetOptions()), task, Split(valid=valid, test=test, stratify=False), 0)
    metrics = list(evaluation_metrics("multiclass", costs=None, mixture=None, pairs=None).values())
    job = Job(task, models.get("linear")(), Plan(epochs=1, max_steps=1), metrics[:1], CPU, metrics)
    cross_entropy = find("cross-entropy", "multiclass")
    runs = [Run(f"a{place}", 0, cross_entropy, {}, (), 1e-3, data) for place in range(count)]
    train(runs, job)
    baseline([data], task, metrics[:1], metrics)
    limits({0: data}, task, metrics)
    return judging_of(runs[0], job).peak(count)

judged(100, 5, 1, 0.2, 0.2)
before = peak()
reckoned = judged(*map(eval, sys.argv[1:]))
print(reckoned, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(
    ("rows", "classes", "runs", "valid", "test"),
    [
        (3000, 1000, 1, 0.2, 0.2),  # the probes take most
        (3000, 3000, 1, 0.2, 0.2),
        (20_000, 100, 1, 0.2, 0.2),  # ranked by order, not by pairs
        (20_000, 1000, 4, 0.2, 0.2),  # the rows that are learned from take most
        (4000, 4000, 2, 0.8, 0.1),  # and here those that a temperature is chosen on
    ],
)
def test_judging_many_classes_takes_what_is_reckoned(
    rows: int, classes: int, runs: int, valid: float, test: float
) -> None:
    sizes = [str(size) for size in (rows, classes, runs, valid, test)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *sizes], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    reckoned, measured = map(int, done.stdout.split())
    assert reckoned / 2.5 <= measured <= reckoned, (measured, reckoned)


def test_a_warning_has_the_figure_from_a_gigabyte_on() -> None:
    assert Judging(1000, 300, 300, 10).findings() == []
    (finding,) = Judging(42_000, 9000, 9000, 10_000).findings()
    assert "7.0 GB" in finding.message
    assert "10000 numbers for each of 42000 rows" in finding.message


def test_probes_are_reckoned_with_where_they_are_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    few_to_learn_from = Judging(10, 10, 10_000, 1000)
    monkeypatch.setattr(machine, "memory", lambda: 500 << 20)
    with pytest.raises(SpecError, match="1000 numbers for each of 10000 rows need about"):
        few_to_learn_from.refuse_if_too_large(machine.CPU)


def test_so_many_workers_as_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory", lambda: 10 << 30)
    assert machine.room_for(3 << 30, machine.CPU) == 2
    assert machine.room_for(9 << 30, machine.CPU) == 1  # one run alone: whether it fits is told where stacks are made


@pytest.mark.parametrize("name", ["auroc_of_classes", "auprc_of_classes", "mean_average_precision"])
def test_ranks_a_few_classes_at_a_time_are_the_same_to_the_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    chance = torch.Generator().manual_seed(0)
    scores = torch.rand(2, 400, 9, generator=chance)
    truth = torch.randint(9, (2, 400), generator=chance)
    if name == "mean_average_precision":
        truth = torch.randint(2, (2, 400, 9), generator=chance).double()
    at_once = getattr(ranking, name)(scores, truth)
    monkeypatch.setattr(ranking, "BLOCK", 2 * 400 * 2)
    assert torch.equal(getattr(ranking, name)(scores, truth), at_once)
