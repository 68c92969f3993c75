"""On the machines of a Ray cluster: a task for each stack, and the data put there once for all of them.

| who       | where it runs            | does                                                                        |
|-----------|--------------------------|-----------------------------------------------------------------------------|
| `cluster` | in this process          | submits works, and again where a worker or its machine is gone              |
| `task`    | on any machine           | performs one work                                                           |
| `Mailbox` | on this machine          | holds what tasks have to say until it is asked, and tells them when to stop |

A task trains with one thread, as everywhere, so its numbers are those of this machine if its processor is of the same kind;
`Outcome.machine` says which it was.
"""

from __future__ import annotations

import math
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import Any

from losscli.data.store import StoredColumn
from losscli.errors import MachineError, Place, shown
from losscli.executors import Desk, Outcome, Progress, Tree, UnfitState, Work, executors
from losscli.executors.execution import PATIENCE, Execution
from losscli.tasks import Column

ANSWER = 30.0  # seconds in which a cluster must answer
START = 120.0  # seconds in which one must have started here: on a busy machine it takes more than half a minute
PAUSE = 0.5  # seconds between two letters of a task
LOOK = 0.2  # seconds between two looks into the mailbox
DEATHS = 3  # of workers that may have a work in hand before it has been saved anew; then it is its own fault
CURE = "`ray start --head` on one machine prints the address, HOST:PORT, that --address takes"


@executors.register("ray")
def cluster(desk: Desk, execution: Execution) -> None:
    """Many works at a time, one for each core or GPU of a cluster, or as many as workers are asked for.

    Without an address the cluster is one that lives as long as this.
    """
    with _connected(execution.address) as ray:
        _Cluster(ray, desk, execution).work()


@dataclass
class _Task:
    """A work that has been submitted."""

    work: Work
    deaths: int = 0  # since its state was saved
    heard: float = math.inf  # when it last said anything, on the clock of this process
    longest: float = 0.0  # seconds between two things that it said
    machines: dict[str, None] = field(default_factory=dict)  # on which it has been


class _Cluster:
    """The works that are on the cluster, by what will be their outcome."""

    def __init__(self, ray: Any, desk: Desk, execution: Execution):
        self.ray, self.desk, self.execution = ray, desk, execution
        self.tasks: dict[Any, _Task] = {}
        self.asked_at = math.inf  # when the mailbox was told of a stop
        self.put: dict[int, tuple[Any, Any]] = {}  # what has been put into the object store, by its id
        # A table on disk is mapped from an open file, which no other machine has; the datasets of all seeds share its columns.
        ray.util.register_serializer(StoredColumn, serializer=self._column, deserializer=ray.get)
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(_node(ray), soft=True)
        options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1, "scheduling_strategy": here}
        self.mailbox = ray.remote(Mailbox).options(**options).remote()

    def work(self) -> None:
        """All works of the desk, until it has none."""
        while self._submit() or self.tasks:
            done, _ = self.ray.wait(list(self.tasks), timeout=LOOK)
            # Letters first: a task that is done has said before what it had to say.
            stopping = self.desk.stopping
            self._read(self.ray.get(self.mailbox.take.remote(stopping)))
            if stopping and self.asked_at == math.inf:
                self.asked_at = time.monotonic()
            for ref in done:
                self._conclude(self.tasks.pop(ref), ref)
            self._end_hung()

    def _submit(self) -> int:
        """Hand out as many works as workers are asked for; else as there are places, twice: one is ready where another ends.

        How many.
        """
        before, most = len(self.tasks), self.execution.workers or 0
        while len(self.tasks) < (most := most or 2 * self._places()) and (work := self.desk.take()) is not None:
            self._begin(_Task(work))
        return len(self.tasks) - before

    def _end_hung(self) -> None:
        """End the tasks whose code of the user's takes longer for one step than it may; they speak before every step.

        Those that have spoken after a stop have heard of it.
        """
        now, timeout, way = time.monotonic(), self.execution.timeout, PAUSE + LOOK
        for ref, task in list(self.tasks.items()):
            hung = now - task.heard > timeout + way
            patience = max(PATIENCE, 2 * task.longest)
            stuck = task.heard < self.asked_at < now - patience - way
            if task.work.own and (hung or stuck):
                self.ray.cancel(ref, force=True)
                del self.tasks[ref]
                if hung:
                    self.desk.hung(task.work, timeout)
                else:
                    self.desk.stuck(task.work, patience)

    def _places(self) -> int:
        """How many tasks run at the same time, as far as processors go: machines come and go."""
        return max(1, int(self.ray.cluster_resources().get("CPU", 1)))

    def _begin(self, task: _Task) -> None:
        work, task.heard = task.work, math.inf  # it has yet to begin
        gpus = int(work.job.device.type == "cuda")
        if gpus and not self.ray.cluster_resources().get("GPU"):
            raise MachineError("the cluster has no GPU", cure="start a machine that has one, or use --device cpu")
        _carry([run.loss.function for run in work.runs] if work.own else [])
        datasets = list({id(run.dataset): run.dataset for run in work.runs}.values())
        places = {id(dataset): place for place, dataset in enumerate(datasets)}
        runs: list[Any] = [replace(run, dataset=places[id(run.dataset)]) for run in work.runs]  # type: ignore[arg-type]
        light = replace(work, runs=runs, job=None, kept=True)  # type: ignore[arg-type]
        # What code of the user's changes in its process ends with it: Ray would have the next task there.
        alone = {"max_calls": 1} if work.own else {}
        remote = self.ray.remote(**alone)(perform_task) if alone else self.ray.remote(perform_task)
        remote = remote.options(num_cpus=1, num_gpus=gpus, max_retries=0)
        refs = [self._once(dataset) for dataset in datasets]
        self.tasks[remote.remote(light, self._once(work.job), self.mailbox, *refs)] = task

    def _column(self, column: StoredColumn) -> Any:
        """What stands for a column of a table on disk: where memory is short, the object store lies on disk, too."""
        if id(column) not in self.put:
            held = Column(column.values, column.levels, column.origin)
            self.put[id(column)] = (self.ray.put(held), column)
        return self.put[id(column)][0]

    def _once(self, thing: Any) -> Any:
        """What stands for it on the cluster, where it is put at the first time."""
        if id(thing) not in self.put:
            self.put[id(thing)] = (self.ray.put(thing), thing)  # as long as it is held, nothing else has its id
        return self.put[id(thing)][0]

    def _read(self, letters: Mapping[tuple[Any, str], Any]) -> None:
        by_key = {task.work.key: task for task in self.tasks.values()}
        for (key, kind), content in letters.items():
            task = by_key.get(key)
            if task is None:  # the last words of one that was given up
                continue
            now = time.monotonic()
            task.longest, task.heard = max(task.longest, now - task.heard), now
            if kind == "machine":
                task.machines[content] = None
            elif kind == "progress":
                self.desk.progress(task.work, content)
            elif kind == "state":
                state = _unpacked(content)
                self.desk.save(task.work, lambda state=state: state)  # type: ignore[misc]
                task.work, task.deaths = replace(task.work, state=state), 0

    def _conclude(self, task: _Task, ref: Any) -> None:
        """A work has come to an end, or its worker has."""
        try:
            outcome = Outcome(**_unpacked(self.ray.get(ref)))
        except self.ray.exceptions.RayTaskError as error:
            raise self._explained(task.work, error.cause) from error
        except self.ray.exceptions.RayError as error:
            task.deaths += 1
            if task.work.state is None:
                task.machines.clear()  # nothing of it is left
            if task.deaths < DEATHS:
                self._begin(task)
            else:
                how = f"{type(error).__name__}: {str(error).splitlines()[0]}"
                self.desk.died(replace(task.work, tries=task.deaths), how)
        else:
            # One that went on elsewhere was on both.
            machines = dict.fromkeys([*task.machines, outcome.machine])
            self.desk.finish(task.work, replace(outcome, machine=", then ".join(machines)))

    def _explained(self, work: Work, error: Exception) -> Exception:
        if isinstance(error, UnfitState):
            return self.desk.unfit(work, error)
        if isinstance(error, ImportError):
            cure = "install the same on every machine: pip install 'losscli[ray]', and what your losses import"
            return MachineError(f"a machine of the cluster lacks something: {error}", cure=cure)
        return error


class Mailbox:
    """An actor: what tasks have said since it was last asked, of each kind the last."""

    def __init__(self) -> None:
        self.letters: dict[tuple[Any, str], Any] = {}
        self.stopping = False

    def send(self, key: Any, letters: Mapping[str, Any]) -> bool:
        """Leave letters of the work `key`; whether it should stop."""
        self.letters |= {(key, kind): content for kind, content in letters.items()}
        return self.stopping

    def take(self, stopping: bool) -> dict[tuple[Any, str], Any]:
        """All letters, which it then has no more."""
        letters, self.letters, self.stopping = self.letters, {}, stopping
        return letters


def perform_task(light: Work, job: Any, mailbox: Any, *datasets: Any) -> bytes:
    """Perform a work on the machine where this runs, and pack its outcome."""
    import torch

    from losscli.executors.perform import perform

    # Arrays lie in memory that all tasks of a machine share, and nothing here writes into data.
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
    torch.set_num_threads(1)  # Ray says so to OpenMP, too late where torch was imported as the worker began
    if job.device.type == "cuda":
        job = replace(job, device=torch.device("cuda:0"))  # the only one that a task sees
    runs = [replace(run, dataset=datasets[run.dataset]) for run in light.runs]  # type: ignore[call-overload]
    work = replace(light, runs=runs, job=job)
    return _packed(dict(vars(perform(work, _Letters(work, mailbox)))))


class _Letters:
    """The link of a task: to the mailbox now and then, as a letter takes a millisecond, and a step may be as short."""

    def __init__(self, work: Work, mailbox: Any):
        from losscli.stack.device import name_of

        self.work, self.mailbox = work, mailbox
        self.waiting: dict[str, Any] = {"machine": name_of(work.job.device)}
        self.sent, self.stop = 0.0, False

    def stopping(self) -> bool:
        if time.monotonic() - self.sent > PAUSE:
            self._send()
        return self.stop

    def progress(self, progress: Progress) -> None:
        earlier = self.waiting.get("progress")
        lines = [*(earlier.lines if earlier else ()), *progress.lines]  # no run's epoch is lost on the way
        self.waiting["progress"] = replace(progress, lines=lines)

    def save(self, state: Callable[[], Tree]) -> None:
        self.waiting["state"] = _packed(state())
        self._send()

    def _send(self) -> None:
        import ray

        self.stop = ray.get(self.mailbox.send.remote(self.work.key, self.waiting))
        self.waiting, self.sent = {"beat": None}, time.monotonic()


def _packed(tree: Tree) -> bytes:
    """As it would be written to disk: a work that begins again does so from what `resume` would read."""
    from losscli.record.tree import pack

    return pack(tree)


def _unpacked(data: bytes) -> Any:
    from losscli.record.tree import unpack

    return unpack(data)


def _carry(kernels: Sequence[Any]) -> None:
    """Send code of the user's own along, and what it imports from beside it: no other machine has these files."""
    from ray import cloudpickle

    for kernel in kernels:
        kernel.carry()
    folders = {os.path.dirname(os.path.realpath(kernel.file)) for kernel in kernels}
    for module in list(sys.modules.values()) if folders else ():
        file = getattr(module, "__file__", None)
        if file and os.path.dirname(os.path.realpath(file)) in folders:
            cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]


def _node(ray: Any) -> str:
    """The machine of this process, as the cluster calls it."""
    return str(ray.get_runtime_context().get_node_id())


@contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    """Ray, connected to a cluster for as long as the block lasts, or to one that is there already."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    try:
        import ray
        import ray.util
        import ray.util.scheduling_strategies
    except ImportError as error:
        raise MachineError("the package ray is missing", cure="pip install 'losscli[ray]'") from error
    if ray.is_initialized():  # of a program that uses losscli as a library
        yield ray
        return
    _refuse_silence(address)
    with redirect_stdout(StringIO()), _connection(ray, address):  # where Ray says of a machine that it is gone
        yield ray


@contextmanager
def _connection(ray: Any, address: str | None) -> Iterator[None]:
    """Ray lives in a thread of its own: there its `init` cannot take over signals, and can be left where it does not end.

    The thread stays until the end, since processes that a thread of Linux has begun may end with it.
    """
    began, leave, failures = threading.Event(), threading.Event(), list[Exception]()
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    options |= {"address": address} if address else {"include_dashboard": False}

    def live() -> None:
        try:
            ray.init(**options)
        except Exception as error:
            failures.append(error)
        began.set()
        if not failures:
            leave.wait()
            ray.shutdown()

    thread = threading.Thread(target=live, name="ray", daemon=True)
    thread.start()
    where = f"the cluster at {shown(address)}" if address else "a cluster on this machine"
    if not began.wait(allowed := ANSWER if address else START):
        raise MachineError(f"{where} has not answered within {allowed:g} s", place=Place("--address"), cure=CURE)
    if failures:
        why = str(failures[0]).strip().partition("\n")[0]
        raise MachineError(f"{where} cannot be used: {why}", place=Place("--address"), cure=CURE) from failures[0]
    if threading.current_thread() is threading.main_thread():
        # Beneath Python Ray has a handler of its own for SIGTERM, which aborts the process after three seconds.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
    try:
        yield
    finally:
        leave.set()
        thread.join(ANSWER)


def _refuse_silence(address: str | None) -> None:
    """`MachineError` at once where nobody listens: Ray would try for minutes."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        message = f"the cluster at {shown(address)} does not answer: {why}"
        raise MachineError(message, place=Place("--address"), cure=CURE) from error
