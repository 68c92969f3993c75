"""Small data and a way to train a few runs, shared by the tests of the engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from losscli.data.dataset import Dataset
from losscli.data.prepare import prepare
from losscli.data.sources import sources
from losscli.losses import find as find_loss
from losscli.metrics import find as find_metric
from losscli.stack import train as engine
from losscli.stack.job import Job
from losscli.stack.models import models
from losscli.stack.plan import Plan
from losscli.stack.rows import Run
from losscli.tasks import tasks

BLOCKS: dict[str, dict[str, Any]] = {
    "binary": {"name": "moons", "n_samples": 150, "noise": 0.3},
    "multiclass": {"name": "blobs", "n_samples": 150, "centers": 3, "cluster_std": 3.0},
    "multilabel": {"name": "multilabel_classification", "n_samples": 150, "n_features": 8},
    "regression": {"name": "friedman1", "n_samples": 150, "noise": 1.0},
}


@pytest.fixture
def double() -> Iterator[None]:
    """Everything in float64."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def benchmark() -> Iterator[Callable[[str], ModuleType]]:
    """A module of tests/benchmarks by its name."""
    folder = str(Path(__file__).parents[1] / "benchmarks")
    sys.path.insert(0, folder)
    yield import_module
    sys.path.remove(folder)


@pytest.fixture
def standin(benchmark, monkeypatch) -> ModuleType:
    """The device that stands in for a GPU."""
    made = benchmark("standin")
    monkeypatch.setattr(engine, "generator", made.generator)
    monkeypatch.setattr(made.Apart, "waits", 0)
    return made


@pytest.fixture(scope="session")
def dataset() -> Callable[[str, int], Dataset]:
    made: dict[tuple[str, int], Dataset] = {}

    def make(task: str, seed: int) -> Dataset:
        if (task, seed) not in made:
            block = {"source": "synthetic", **BLOCKS[task]}
            source = sources.get("synthetic")(**block)
            table = source.read(Path())
            contract = tasks.get(task)
            made[task, seed] = prepare(table, contract.decode(table.targets), contract, source.split, seed)
        return made[task, seed]

    return make


@pytest.fixture(scope="session")
def run_of(dataset) -> Callable[..., Run]:
    def make(
        loss: str = "bce-logits",
        seed: int = 0,
        task: str = "binary",
        lr: float = 1e-2,
        output: Sequence[str] | None = None,
        **options: Any,
    ) -> Run:
        found = find_loss(loss, task)
        link = tasks.get(task).links[found.expects]
        chain = tuple(output) if output is not None else (link,) if link else ()
        return Run(f"{loss} {options} {lr}", seed, found, options, chain, lr, dataset(task, seed))

    return make


@pytest.fixture(scope="session")
def job_of() -> Callable[..., Job]:
    def make(task: str = "binary", plan: Plan | None = None, metrics: Sequence[str] = (), **model: Any) -> Job:
        contract = tasks.get(task)
        kind = model.pop("kind", "mlp")
        options = {"hidden": [16, 16], **model} if kind == "mlp" else model
        names = metrics or contract.default_metrics
        chosen = plan or Plan(epochs=3, batch_size=32)
        found = [find_metric(name, task) for name in names]
        return Job(contract, models.get(kind)(**options), chosen, found, torch.device("cpu"))

    return make
