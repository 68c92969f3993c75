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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from losscli import pipeline
from losscli.cli import app
from losscli.comparison import Comparison
from losscli.executors import ray as cluster
from losscli.executors.execution import Execution
from losscli.losses.own import adopt
from losscli.record.find import in_the_making, records
from losscli.record.reader import contents
from losscli.spec.load import load_spec
from losscli.stack.watch import Stop, Tick
from losscli.tasks import tasks

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
ray = pytest.importorskip("ray", reason="pip install losscli[ray]")

pytestmark = [
    pytest.mark.skipif(
        "LOSSCLI_TEST_RAY" not in os.environ, reason="make test-ray: a cluster wants a machine to itself"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves its log files open
    pytest.mark.xdist_group("ray"),  # one cluster for all
]

RAY = Execution("ray", workers=None)
MEMORY = 80 << 20  # bytes of a machine's object store, the least that Ray takes
# Two arenas with a stack each, of some seconds.
LONG = (
    "task: binary\ndata: {source: synthetic, name: moons, n_samples: 400, corrupt: {labels: [0, 0.2]}}\n"
    "loss: [bce-logits, focal]\nmodel: {kind: mlp, hidden: [6], dropout: 0.3, norm: batch}\n"
    "train: {epochs: 40, batch_size: 16}\nseeds: 2\n"
)
OWN = "from near import SCALE\n\ndef loss(prediction, target):\n    return SCALE * (prediction - target).square().mean()\n"


VARIOUS = "LOSSCLI_TEST_VARIOUS"  # names a file: while it is there, each machine of the cluster is of its own kind


def prepare() -> None:
    """A task saves its state after every epoch, so that a death soon after the start finds one; and see `VARIOUS`."""
    from losscli.executors import perform
    from losscli.record import checkpoint
    from losscli.stack import device

    checkpoint.PAUSE, checkpoint.SHARE = 0.0, math.inf
    name_of = device.name_of

    def kind_of(device: Any) -> str:
        if not os.path.exists(os.environ["LOSSCLI_TEST_VARIOUS"]):
            return name_of(device)
        return f"Abacus {ray.get_runtime_context().get_node_id()}"

    device.name_of = perform.name_of = kind_of


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    os.environ[VARIOUS] = str(tmp_path_factory.mktemp("machines") / "various")
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
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers need not find the tests
        hook = {"worker_process_setup_hook": prepare}
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
    from same_bits import SMALL  # workers of the cluster import this file, and know no other of the tests

    (tmp_path / "near.py").write_text("SCALE = 0.5\n")
    (tmp_path / "mine.py").write_text(OWN)
    adopt(str(tmp_path / "mine.py:loss"), "regression")
    specs = []
    for name in tasks.names():
        loss = "[mse, mine.loss]" if name == "regression" else tasks.get(name).default_loss
        text = f"task: {name}\nloss: {loss}\ntrain: {{max_steps: 3, batch_size: 64}}\nseeds: 1\n" + SMALL.get(name, "")
        (tmp_path / f"{name}.yaml").write_text(text)
        specs.append(load_spec(tmp_path / f"{name}.yaml"))
    local = pipeline.run(specs, out=tmp_path / "local")
    remote = pipeline.run(specs, out=tmp_path / "ray", execution=RAY)
    assert repr(scores(remote)) == repr(scores(local))  # NaN where a metric has no value
    assert bits(remote) == bits(local)
    assert [finding.code for arena in remote.arenas for finding in arena.findings] == [
        finding.code for arena in local.arenas for finding in arena.findings
    ]


def test_what_is_stopped_is_gone_on_with_here_and_there(machines: Any, tmp_path: Path) -> None:
    """Begun on the cluster, gone on with here, and ended on the cluster."""
    spec = spec_of(tmp_path, LONG.replace("epochs: 40", "epochs: 30"))

    def stopped(line: Any, epoch: int, **options: Any) -> Comparison:
        stop = Stop()

        def watch(tick: Tick) -> None:
            stop.requested = tick.epoch > epoch

        return line(watch=watch, stop=stop, **options)

    assert stopped(partial(pipeline.run, [spec]), 3, out=tmp_path / "ray", execution=RAY).partial
    (folder,) = records(tmp_path / "ray", unfinished=True)
    assert stopped(partial(pipeline.resume, folder), 10).partial
    assert in_the_making(folder)
    ended = pipeline.resume(folder, execution=RAY)
    assert bits(ended) == bits(pipeline.run([spec], out=tmp_path / "local"))


def test_tuning_damage_and_a_table_on_disk_on_machines_of_two_kinds(machines: Any, tmp_path: Path) -> None:
    """The bits of local; and what trained is said, and kept with each run."""
    a, b = np.random.default_rng(0).normal(size=(2, 3_000))
    parquet.write_table(pa.table({"a": a, "b": b, "y": (a + b > 0).astype(int)}), tmp_path / "table.parquet")
    small = "model: {kind: mlp, hidden: [6]}\ntrain: {epochs: 2, batch_size: 64}\nseeds: 2\nloss: [bce-logits, hinge]\n"
    texts = (
        "task: binary\ndata: {source: synthetic, name: moons, n_samples: 120}\ntune: {lr: [1e-3, 1e-2]}\n",
        "task: binary\ndata: {source: synthetic, name: circles, n_samples: 120, corrupt: {labels: [0, 0.2]}}\n",
        "task: binary\ndata: {source: parquet, path: table.parquet, target: y, memory: 10KB}\n",
    )
    specs = [spec_of(tmp_path, text + small) for text in texts]
    local = pipeline.run(specs, out=tmp_path / "local")
    assert {"on-disk", "streamed"} <= {finding.code for arena in local.arenas for finding in arena.findings}
    Path(os.environ[VARIOUS]).touch()
    try:
        remote = pipeline.run(specs, out=tmp_path / "ray", execution=RAY)
    finally:
        Path(os.environ[VARIOUS]).unlink()
    assert repr(scores(remote)) == repr(scores(local))
    assert bits(remote) == bits(local)
    kinds = {f"Abacus {node.node_id}" for node in machines.worker_nodes}
    assert set(remote.machines) == kinds
    assert {run.machine for arena in remote.arenas for run in arena.runs} == kinds
    assert all("several-machines" in [finding.code for finding in arena.findings] for arena in remote.arenas)


def hanging(tmp_path: Path, name: str, after: int, more: str, first: str = "pass") -> Any:
    """A spec with a loss of the user's own that hangs in C after so many calls, once it has done what comes `first`."""
    code = (
        "import ctypes\ncalls = []\n\ndef loss(prediction, target):\n    calls.append(1)\n"
        f"    if len(calls) > {after}:\n        {first}\n        ctypes.PyDLL(None).sleep(1000)\n"
        "    return (prediction - target) ** 2\n"
    )
    (tmp_path / f"{name}.py").write_text(code)
    adopt(str(tmp_path / f"{name}.py:loss"), "regression")
    task = f"task: regression\ndata: {{source: builtin, name: diabetes}}\nloss: [mse, {name}.loss]\n"
    return spec_of(tmp_path, task + more)


def test_a_loss_that_hangs_on_the_cluster_fails_alone(machines: Any, tmp_path: Path) -> None:
    """In C, where it keeps Python's lock; one worker at a time, as was asked for."""
    spec = hanging(tmp_path, "hanging", after=30, more="train: {epochs: 9, batch_size: 64}\nseeds: 1\n")
    (arena,) = pipeline.run([spec], out=None, execution=Execution("ray", workers=1, timeout=1.0)).arenas
    assert {(run.entry, run.status) for run in arena.runs} == {("mse", "ok"), ("hanging.loss", "failed")}
    (finding,) = [finding for finding in arena.findings if finding.code == "failed"]
    assert "--timeout" in finding.message


def test_a_stop_does_not_wait_for_a_loss_that_hangs_on_the_cluster(
    machines: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    signs = tmp_path / "signs"
    more = "model: {kind: mlp, hidden: [6]}\ntrain: {epochs: 30, batch_size: 16}\nseeds: 2\n"
    spec = hanging(tmp_path, "stuck", after=60, more=more, first=f"open({str(signs)!r}, 'w').close()")

    class AtSigns(Stop):
        @property
        def requested(self) -> bool:  # type: ignore[override]
            return signs.exists()

        @requested.setter
        def requested(self, value: bool) -> None: ...

    execution = Execution("ray", workers=1, timeout=60.0)
    (arena,) = pipeline.run([spec], out=tmp_path / "runs", stop=AtSigns(), execution=execution).arenas
    assert "failed" in {run.status for run in arena.runs if run.entry == "stuck.loss"}
    (finding,) = [finding for finding in arena.findings if finding.code == "failed"]
    assert "after the stop" in finding.message


def ended(
    tmp_path: Path, *flags: str, before: str = "", addresses: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """A process of its own that compares on a cluster, or on one after another, as Ray is in use in this one."""
    code = f"import sys\nfrom losscli.cli import app\n{before}\nline, addresses = sys.argv[1:], {list(addresses)}\n"
    code += "sys.exit(max(app.run([*line, *more]) for more in [['--address', one] for one in addresses] or [[]]))"
    line = ["compare", str(tmp_path / "spec.yaml"), "--out", str(tmp_path / "runs"), "--executor", "ray", *flags]
    return subprocess.run([sys.executable, "-c", code, *line], capture_output=True, text=True, timeout=240)


def test_an_address_that_does_not_answer_is_told_with_the_cure(tmp_path: Path) -> None:
    spec_of(tmp_path, LONG)
    with socket.socket() as silent, socket.socket() as closed:
        for listener in (closed, silent):
            listener.bind(("127.0.0.1", 0))
        silent.listen()
        addresses = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in (closed, silent)]
        before = "from losscli.executors import executors\nexecutors.get('ray')\n"
        before += "sys.modules['losscli.executors.ray'].ANSWER = 2.0"
        end = ended(tmp_path, before=before, addresses=addresses)
    assert end.returncode == 5
    refused, _, silence = end.stderr.partition("ray start --head")
    assert "does not answer: Connection refused" in refused
    assert "has not answered within 2 s" in silence
    assert "ray start --head" in silence
    assert "Traceback" not in end.stderr


def test_a_signal_ends_the_tasks_and_the_board_of_what_there_is_is_all_of_stdout(tmp_path: Path) -> None:
    """On a cluster of its own, without an address. Longer than three seconds after it: Ray would have aborted by then."""
    spec_of(
        tmp_path, LONG.replace("epochs: 40", "epochs: 40000")
    )  # a quick machine must not end before it hears of the stop
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


def test_without_ray_the_cure_is_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec_of(tmp_path, LONG)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert app.run(["compare", str(tmp_path / "spec.yaml"), "--no-record", "--executor", "ray"]) == 5
    assert "pip install 'losscli[ray]'" in capsys.readouterr().err


def test_nothing_of_ray_is_imported_unless_it_is_asked_for(tmp_path: Path) -> None:
    spec_of(tmp_path, LONG.replace("epochs: 40", "epochs: 1"))
    before = "import atexit\natexit.register(lambda: print('ray' in sys.modules, file=sys.stderr))"
    code = f"import sys\nfrom losscli.cli import app\n{before}\nsys.exit(app.run(sys.argv[1:]))"
    line = ["compare", str(tmp_path / "spec.yaml"), "--no-record", "--quiet"]
    end = subprocess.run([sys.executable, "-c", code, *line], capture_output=True, text=True, timeout=120)
    assert (end.returncode, end.stderr.strip()) == (0, "False")
