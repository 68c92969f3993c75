"""Works on a real cluster of two machines (two raylets on this one): the bits of local, whatever dies on the way."""

from __future__ import annotations

import gc
import math
import os
import signal
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from losscli import pipeline
from losscli.comparison import Comparison
from losscli.executors.execution import Execution
from losscli.record.reader import contents
from losscli.spec.load import load_spec
from losscli.stack.watch import Tick

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
ray = pytest.importorskip("ray", reason="pip install losscli[ray]")

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray leaves its log files open

RAY = Execution("ray")
MEMORY = 80 << 20  # bytes of a machine's object store, the least that Ray takes
# Two arenas with a stack each, of some seconds.
LONG = (
    "task: binary\ndata: {source: synthetic, name: moons, n_samples: 400, corrupt: {labels: [0, 0.2]}}\n"
    "loss: [bce-logits, focal]\nmodel: {kind: mlp, hidden: [6], dropout: 0.3, norm: batch}\n"
    "train: {epochs: 120, batch_size: 16}\nseeds: 2\n"
)
OWN = "from near import SCALE\n\ndef loss(prediction, target):\n    return SCALE * (prediction - target).square().mean()\n"


def save_often() -> None:
    """A task saves its state after every epoch, so that a death soon after the start finds one."""
    from losscli.record import checkpoint

    checkpoint.PAUSE, checkpoint.SHARE = 0.0, math.inf


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    quick = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
    sizes = {"num_cpus": 1, "object_store_memory": MEMORY}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        cluster = Cluster(True, head_node_args={**sizes, "include_dashboard": False, "_system_config": quick})
        cluster.add_node(**sizes)
        hook = {"worker_process_setup_hook": save_often}
        ray.init(cluster.address, log_to_driver=False, logging_level="ERROR", runtime_env=hook)
        for number, handler in handlers.items():
            signal.signal(number, handler)  # Ray takes over SIGTERM
    yield cluster
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        ray.shutdown()
        cluster.shutdown()
        gc.collect()


def spec_of(tmp_path: Path, text: str) -> Any:
    (tmp_path / "spec.yaml").write_text(text)
    return load_spec(tmp_path / "spec.yaml")


def bits(comparison: Comparison) -> dict[str, bytes]:
    """Every file of a record in which there is no time."""
    assert comparison.record is not None
    files = contents(Path(comparison.record))
    return {name: data for name, data in files.items() if name not in ("results.json", "manifest.json")}


def scores(comparison: Comparison) -> list[Any]:
    return [(run.entry, run.seed, run.scores, run.history) for arena in comparison.arenas for run in arena.runs]


def tasks_of(node: Any) -> list[int]:
    """The processes that train on a machine."""
    (raylet,) = node.all_processes["raylet"]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == raylet.process.pid and (folder / "cmdline").read_bytes().startswith(b"ray::perform_task"):
                found.append(int(folder.name))
        except OSError:
            continue  # it has just ended
    return found


@dataclass
class Reaper:
    """A watcher that ends a worker on the first machine once some epochs are done, and then the second machine."""

    cluster: Any
    epochs: list[int] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)

    def __call__(self, tick: Tick) -> None:
        self.epochs.append(tick.epoch)
        if self.killed == ["worker", "node"]:
            return
        own = ray.get_runtime_context().get_node_id()  # the machine of the driver, which cannot go
        here, other = sorted(self.cluster.list_all_nodes(), key=lambda node: node.node_id != own)
        if not self.killed and tick.epoch > 5 and (workers := tasks_of(here)):
            os.kill(workers[0], signal.SIGKILL)
            self.killed.append("worker")
        elif self.killed and tick.done > tick.total // 3 and tasks_of(other):
            self.cluster.remove_node(other, allow_graceful=False)
            self.killed.append("node")


def test_a_worker_and_then_a_machine_die_and_the_bits_are_those_of_local(machines: Any, tmp_path: Path) -> None:
    spec = spec_of(tmp_path, LONG)
    local = pipeline.run([spec], out=tmp_path / "local")
    reaper = Reaper(machines)
    try:
        remote = pipeline.run([spec], out=tmp_path / "ray", watch=reaper, execution=RAY)
    finally:
        if len(machines.list_all_nodes()) < 2:
            machines.add_node(num_cpus=1, object_store_memory=MEMORY)
    assert reaper.killed == ["worker", "node"]
    assert reaper.epochs.count(1) <= 2, "a work began again at its start, and had been saved"
    assert scores(remote) == scores(local)
    assert bits(remote) == bits(local)
