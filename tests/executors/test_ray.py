"""Works on a real cluster of two machines and a head (raylets on this one): the bits of local, whatever dies on the way."""

from __future__ import annotations

import gc
import json
import math
import os
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from losscli import pipeline
from losscli.comparison import Comparison
from losscli.executors.execution import Execution
from losscli.losses.own import adopt
from losscli.record.find import in_the_making, records
from losscli.record.reader import contents
from losscli.spec.load import load_spec
from losscli.stack.watch import Stop, Tick
from losscli.tasks import tasks

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
ray = pytest.importorskip("ray", reason="pip install losscli[ray]")

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray leaves its log files open

RAY = Execution("ray", workers=None)
MEMORY = 80 << 20  # bytes of a machine's object store, the least that Ray takes
# Two arenas with a stack each, of some seconds.
LONG = (
    "task: binary\ndata: {source: synthetic, name: moons, n_samples: 400, corrupt: {labels: [0, 0.2]}}\n"
    "loss: [bce-logits, focal]\nmodel: {kind: mlp, hidden: [6], dropout: 0.3, norm: batch}\n"
    "train: {epochs: 60, batch_size: 16}\nseeds: 2\n"
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
        cluster = Cluster(
            True, head_node_args={**sizes, "num_cpus": 0, "include_dashboard": False, "_system_config": quick}
        )
        for _ in range(2):
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
    done: list[int] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)

    def __call__(self, tick: Tick) -> None:
        self.done.append(tick.done)
        if self.killed == ["worker", "node"]:
            return
        own = ray.get_runtime_context().get_node_id()  # the machine of the driver, which cannot go
        here, other = sorted(self.cluster.worker_nodes, key=lambda node: node.node_id != own)
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
        if len(machines.worker_nodes) < 2:
            machines.add_node(num_cpus=1, object_store_memory=MEMORY)
    assert reaper.killed == ["worker", "node"]
    assert reaper.done == sorted(reaper.done), "a work began again at its start, and had been saved"
    assert scores(remote) == scores(local)
    assert bits(remote) == bits(local)


def test_every_task_and_code_of_the_users_own_are_the_bits_of_local(machines: Any, tmp_path: Path) -> None:
    """What a loss of one's own imports from beside it goes along: no machine of the cluster has these files."""
    (tmp_path / "near.py").write_text("SCALE = 0.5\n")
    (tmp_path / "mine.py").write_text(OWN)
    adopt(str(tmp_path / "mine.py:loss"), "regression")
    specs = []
    for name in tasks.names():
        loss = "[mse, mine.loss]" if name == "regression" else tasks.get(name).default_loss
        text = f"task: {name}\nloss: {loss}\ntrain: {{max_steps: 3, batch_size: 64}}\nseeds: 1\n"
        (tmp_path / f"{name}.yaml").write_text(text)
        specs.append(load_spec(tmp_path / f"{name}.yaml"))
    local = pipeline.run(specs, out=tmp_path / "local")
    remote = pipeline.run(specs, out=tmp_path / "ray", execution=RAY)
    assert repr(scores(remote)) == repr(scores(local))  # NaN where a metric has no value
    assert bits(remote) == bits(local)
    assert [finding.code for arena in remote.arenas for finding in arena.findings] == [
        finding.code for arena in local.arenas for finding in arena.findings
    ]


def test_what_is_stopped_is_gone_on_with_here_or_there(machines: Any, tmp_path: Path) -> None:
    spec, stop = spec_of(tmp_path, LONG), Stop()

    def watch(tick: Tick) -> None:
        stop.requested = tick.epoch > 3

    partial = pipeline.run([spec], out=tmp_path / "ray", watch=watch, stop=stop, execution=RAY)
    (folder,) = records(tmp_path / "ray", unfinished=True)
    assert partial.partial
    assert in_the_making(folder)
    assert bits(pipeline.resume(folder)) == bits(pipeline.run([spec], out=tmp_path / "local"))


def ended(tmp_path: Path, *flags: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """A process of its own that compares on a cluster, as Ray is in use in this one."""
    code = f"import sys\nfrom losscli.cli import app\n{before}\nsys.exit(app.run(sys.argv[1:]))"
    line = ["compare", str(tmp_path / "spec.yaml"), "--out", str(tmp_path / "runs"), "--executor", "ray", *flags]
    return subprocess.run([sys.executable, "-c", code, *line], capture_output=True, text=True, timeout=120)


def test_an_address_that_does_not_answer_is_told_with_the_cure(tmp_path: Path) -> None:
    spec_of(tmp_path, LONG)
    with socket.socket() as silent, socket.socket() as closed:
        for listener in (silent, closed):
            listener.bind(("127.0.0.1", 0))
        silent.listen()
        addresses = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in (silent, closed)]
        before = "from losscli.executors import executors\nexecutors.get('ray')\n"
        before += "sys.modules['losscli.executors.ray'].ANSWER = 2.0"
        ends = [ended(tmp_path, "--address", address, before=before) for address in addresses]
    assert [end.returncode for end in ends] == [5, 5]
    assert "has not answered within 2 s" in ends[0].stderr
    assert "does not answer: Connection refused" in ends[1].stderr
    assert all("ray start --head" in end.stderr and "Traceback" not in end.stderr for end in ends)


def test_a_signal_ends_the_tasks_and_the_board_of_what_there_is_is_all_of_stdout(tmp_path: Path) -> None:
    """On a cluster of its own, without an address. Longer than three seconds after it: Ray would have aborted by then."""
    spec_of(tmp_path, LONG)
    before = "import os, signal, time\nfrom losscli import training\nwhole = training.TrainingDesk.progress\n"
    before += (
        "def progress(*given): whole(*given); os.kill(os.getpid(), signal.SIGTERM) if not sent else 0; sent.append(1)\n"
    )
    before += "sent, training.TrainingDesk.progress, end = [], progress, training.TrainingDesk.trained\n"
    before += "training.TrainingDesk.trained = lambda desk: (time.sleep(4), end(desk))[1]"
    end = ended(tmp_path, "--format", "json", before=before)
    assert end.returncode == 143
    assert json.loads(end.stdout)["partial"]
    assert "losscli resume" in end.stderr
    assert "Traceback" not in end.stderr


def test_without_ray_the_cure_is_the_extra(tmp_path: Path) -> None:
    spec_of(tmp_path, LONG)
    end = ended(tmp_path, before="sys.modules['ray'] = None")
    assert end.returncode == 5
    assert "pip install 'losscli[ray]'" in end.stderr


def test_nothing_of_ray_is_imported_unless_it_is_asked_for(tmp_path: Path) -> None:
    spec_of(tmp_path, LONG.replace("epochs: 60", "epochs: 1"))
    before = "import atexit\natexit.register(lambda: print('ray' in sys.modules, file=sys.stderr))"
    code = f"import sys\nfrom losscli.cli import app\n{before}\nsys.exit(app.run(sys.argv[1:]))"
    line = ["compare", str(tmp_path / "spec.yaml"), "--no-record", "--quiet"]
    end = subprocess.run([sys.executable, "-c", code, *line], capture_output=True, text=True, timeout=120)
    assert (end.returncode, end.stderr.strip()) == (0, "False")
