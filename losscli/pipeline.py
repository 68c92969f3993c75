"""THE LINE: specs -> arenas -> datasets -> stacks -> comparison -> record. Read this first, then `experiment.py`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from losscli.compare.breakdown import breakdowns
from losscli.compare.expect import unmet
from losscli.compare.tuning import choose
from losscli.comparison import Comparison
from losscli.conclusion import board, conclude
from losscli.data.rowkeys import RowKeys
from losscli.data.tabular import Tabular
from losscli.errors import Finding, MachineError, counted, shown
from losscli.executors.execution import Execution
from losscli.experiment import Experiment, load, remembering, smaller
from losscli.losses import find as find_loss
from losscli.losses.own import leftovers
from losscli.record import MANIFEST, PROGRESS, writer
from losscli.record.checkpoint import Checkpoint
from losscli.record.predictions import MOST_NUMBERS
from losscli.reports.json import to_json
from losscli.spec.arenas import merge
from losscli.spec.dump import to_yaml
from losscli.spec.model import Spec
from losscli.spec.stages import first_stage, next_specs
from losscli.stack.device import one_thread, peak_memory
from losscli.stack.job import Job, steps_of
from losscli.stack.rows import spans
from losscli.stack.run_state import RunState
from losscli.stack.watch import Stop, Watch, comparing, unwatched
from losscli.tasks.predictions import Predictions
from losscli.training import Trained, train_all, with_earlier
from losscli.unfinished import describe, grown, reopen, with_seeds

Show = Callable[[Comparison], None]


def run(
    specs: Sequence[Spec],
    *,
    out: Path | None = Path("runs"),
    smoke: bool = False,
    watch: Watch = unwatched,
    stop: Stop | None = None,
    show: Show | None = None,
    execution: Execution | None = None,
) -> Comparison:
    """Train every entry of every spec on every seed, compare within arenas, and leave a record under `out`.

    With `smoke`, at most two seeds and forty steps each: enough to see that everything runs. `show` gets the comparison
    before the record is written, which may fail. What is trained is kept under `out` on the way, for `resume`. `execution`
    says where and by how many workers; numbers do not depend on it.
    """
    began = time.perf_counter()
    experiments = [load(first_stage(spec)) for spec in merge([smaller(spec) if smoke else spec for spec in specs])]
    seconds = time.perf_counter() - began
    name = "-".join(dict.fromkeys(experiment.spec.name for experiment in experiments))
    checkpoint = None if out is None else Checkpoint(out, name, lambda: describe(experiments, out, seconds))
    return _from(experiments, checkpoint, seconds, watch, stop or Stop(), show, execution)


def resume(
    folder: Path,
    *,
    own: Sequence[str] = (),
    watch: Watch = unwatched,
    stop: Stop | None = None,
    show: Show | None = None,
    execution: Execution | None = None,
) -> Comparison:
    """Go on with a record in the making; it ends as if it had never been stopped.

    `own` are the files of losses of the user's own, as `FILE.py:NAME`. Raises `MachineError` where another process works on
    it, `DataError` where the data have changed.
    """
    checkpoint = Checkpoint.open(folder)
    try:
        experiments, seconds = reopen(folder, checkpoint.facts, own), float(checkpoint.facts["load_seconds"])
        return _from(experiments, checkpoint, seconds, watch, stop or Stop(), show, execution)
    finally:
        checkpoint.close()


@contextmanager
def at_hand(folder: Path) -> Iterator[Path]:
    """A record as it is; or one of what there is of a record in the making, for as long as the block lasts."""
    if (folder / MANIFEST).exists() or not (folder / PROGRESS).exists():
        yield folder
        return
    checkpoint = Checkpoint.open(folder, alone=False)
    experiments, trained = _trained(reopen(folder, checkpoint.facts), checkpoint, unwatched, Stop(requested=True))
    comparison = _compared(experiments, trained, float(checkpoint.facts["load_seconds"]), checkpoint.going_on)
    with TemporaryDirectory() as place:
        whole = Path(place) / folder.name
        whole.mkdir()
        writer.fill(whole, replace(comparison, record=folder.as_posix()), **_parts(experiments, trained, folder.parent))
        yield whole


def _from(
    experiments: Sequence[Experiment],
    checkpoint: Checkpoint | None,
    load_seconds: float,
    watch: Watch,
    stop: Stop,
    show: Show | None,
    execution: Execution | None,
) -> Comparison:
    """Everything after loading. A stop is heard to the very end: who is stopped while statistics are made has its board."""
    with stop.heard(lambda: checkpoint.folder if checkpoint else None):
        try:
            experiments, trained = _trained(experiments, checkpoint, watch, stop, execution)
            comparing(watch)
            going_on = checkpoint.going_on if checkpoint is not None else ""
            comparison = _compared(experiments, trained, load_seconds, going_on)
            if checkpoint is not None and checkpoint.folder is not None:
                comparison = replace(comparison, record=checkpoint.folder.as_posix())
            with _shown(comparison, show):
                if checkpoint is not None and not comparison.partial:
                    comparison = _written(comparison, experiments, trained, checkpoint)
            return comparison
        finally:
            if checkpoint is not None:
                checkpoint.close()


def _trained(
    experiments: Sequence[Experiment],
    checkpoint: Checkpoint | None,
    watch: Watch,
    stop: Stop,
    execution: Execution | None = None,
) -> tuple[list[Experiment], Trained]:
    """All runs; where there are looks, those of more seeds as long as an entry is open, and the experiments with these seeds."""
    earlier: Trained | None = None
    while True:
        experiments = _remembering(experiments)
        trained = train_all(experiments, watch, stop, checkpoint, execution, earlier)
        if trained.stopped:
            return experiments, trained if earlier is None else with_earlier(trained, earlier)
        specs = next_specs([(one.spec, _at_look(one, of)) for one, of in zip(experiments, trained.states, strict=True)])
        if not any(specs):
            return experiments, trained
        going_on = checkpoint.going_on if checkpoint is not None else ""
        later = zip(experiments, specs, strict=True)
        experiments = [one if spec is None else grown(one, spec, going_on) for one, spec in later]
        earlier = trained
        if checkpoint is not None:
            checkpoint.facts |= {"arenas": with_seeds(checkpoint.facts.get("arenas", ()), experiments)}


@one_thread()
def _at_look(experiment: Experiment, states: Sequence[RunState]) -> bool:
    """Whether an entry is open, so that more seeds may be worth their time."""
    if experiment.spec.looks is None:
        return False
    states = [copy(state) for state in states]  # as what is chosen has all the time
    chosen = choose(states, experiment.headline)
    looks = board(experiment, chosen).looks
    return looks is not None and bool(looks.open)


@contextmanager
def _shown(comparison: Comparison, show: Show | None) -> Iterator[None]:
    """Show it before what the block does; where nobody can see it, the block is done all the same."""
    unseen: BaseException | None = None
    try:
        if show is not None:
            show(comparison)
    except (Exception, SystemExit) as error:  # a closed pipe, a terminal that is gone
        unseen = error
    yield
    if unseen is not None:
        raise unseen


def _remembering(experiments: Sequence[Experiment]) -> list[Experiment]:
    return [remembering(experiment, MOST_NUMBERS // len(experiments)) for experiment in experiments]


@one_thread()
def _compared(
    experiments: Sequence[Experiment], trained: Trained, load_seconds: float, going_on: str = ""
) -> Comparison:
    """The comparison of what was trained; `MachineError` where that is nothing. `going_on` is the command for the rest."""
    if not any(trained.states):
        cure = f"{going_on} goes on" if going_on else "give it more time"
        raise MachineError("no run has finished an epoch yet, so there is nothing to show", cure=cure)
    timing = _timing(experiments, trained.states, load_seconds)  # first, as a choice has the time of all candidates
    experiments = [_after_looks(one, len(of)) for one, of in zip(experiments, trained.states, strict=True)]
    trained.states[:] = [
        choose(states, experiment.headline) for experiment, states in zip(experiments, trained.states, strict=True)
    ]
    pairs = [(experiment, states) for experiment, states in zip(experiments, trained.states, strict=True) if states]
    arenas = [conclude(_as_it_ended(experiment, states, trained, going_on), states) for experiment, states in pairs]
    return Comparison(
        arenas=arenas,
        device=", ".join(dict.fromkeys(_device(experiment.job) for experiment in experiments)),
        record=None,
        timing=timing,
        unmet=[
            expectation
            for (experiment, _), arena in zip(pairs, arenas, strict=True)
            for expectation in ([] if trained.stopped else unmet(experiment.spec.expect, arena))
        ],
        breakdowns=breakdowns(arenas),
        partial=trained.stopped,
        predictions=_predictions([states for _, states in pairs]),
        machines=trained.machines,
    )


def _device(job: Job) -> str:
    """What trained it, and in which precision, where that is not the plain one."""
    rounded = "" if job.plan.precision == "float32" else f" ({job.plan.precision})"
    return f"{job.device}{rounded}"


def _after_looks(experiment: Experiment, trained: int) -> Experiment:
    """The experiment, which knows how many looks were taken: without the last where not all of its runs are trained."""
    spec = experiment.spec
    if spec.looks is None:
        return experiment
    done = spec.looks.number(len(spec.seeds)) - (trained < len(experiment.runs()))
    return replace(experiment, spec=spec.model_copy(update={"looks": replace(spec.looks, done=done)}))


def _predictions(states_of: Sequence[Sequence[RunState]]) -> dict[tuple[int, str], dict[int, Predictions]]:
    """What is kept of what the runs say, arena by arena and entry by entry."""
    kept: dict[tuple[int, str], dict[int, Predictions]] = {}
    for place, states in enumerate(states_of):
        for state in states:
            if state.predictions is not None:
                kept.setdefault((place, state.run.entry), {})[state.run.seed] = state.predictions
    return kept


def _as_it_ended(
    experiment: Experiment, states: Sequence[RunState], trained: Trained, going_on: str = ""
) -> Experiment:
    """The experiment with what has become of its data while it was trained, and how far it got."""
    used = {entry.loss: find_loss(entry.loss, experiment.spec.task) for entry in experiment.entries}
    findings = [*experiment.findings, *experiment.spec.data.changes()]
    findings += [finding for loss in used.values() for finding in leftovers(loss)]
    findings += _machines(trained)
    if not trained.stopped:
        return replace(experiment, findings=findings)
    message = f"this is a part of what was asked for: {trained.done} of {trained.total} epochs of all runs"
    unfinished = Finding("unfinished", "warning", message, f"{going_on} goes on" if going_on else "")
    spec = experiment.spec.model_copy(update={"yardstick": False})  # who stops it waits for nothing more
    present = {state.run.entry for state in states}
    entries = [entry for entry in experiment.entries if entry.name in present]
    return replace(experiment, spec=spec, findings=[unfinished, *findings], entries=entries)


def _machines(trained: Trained) -> list[Finding]:
    """What to say where stacks were trained on machines of different kinds."""
    kinds = trained.machines
    if len(kinds) < 2:
        return []
    listed = ", ".join(f"{shown(kind)} ({counted(count, 'stack')})" for kind, count in kinds.items())
    message = f"{len(kinds)} kinds of processor trained this: {listed}"
    cure = "numbers may differ in their last digits from those of one kind; for the same bits, use machines of one kind"
    return [Finding("several-machines", "warning", message, cure)]


def _timing(
    experiments: Sequence[Experiment], trained: Sequence[Sequence[RunState]], load_seconds: float
) -> dict[str, float]:
    steps, samples = 0, 0
    for experiment, states in zip(experiments, trained, strict=True):
        plan = experiment.spec.train
        for state in states:
            rows = state.run.dataset.parts["train"].rows
            taken = steps_of(plan, rows, state.epochs)
            steps += taken
            samples += taken * rows // len(spans(rows, plan.batch_size))
    train_seconds = math.fsum(state.seconds for states in trained for state in states)
    rate = samples / train_seconds if train_seconds > 0 else 0.0
    return {
        "load_seconds": load_seconds,
        "train_seconds": train_seconds,
        "steps": steps,
        "run_samples_per_second": rate,
        "peak_memory_bytes": max(peak_memory(experiment.job.device) for experiment in experiments),
    }


def _written(
    comparison: Comparison, experiments: Sequence[Experiment], trained: Trained, checkpoint: Checkpoint
) -> Comparison:
    """The comparison in a whole record; where that cannot be written, what was kept is there to be gone on with."""
    parts = _parts(experiments, trained, checkpoint.root)
    if checkpoint.folder is None:  # the disk has refused all along
        return replace(
            comparison, record=writer.write(checkpoint.root, checkpoint.name, comparison, **parts).as_posix()
        )
    try:
        writer.fill(checkpoint.folder, comparison, **parts)
    except OSError as error:
        raise writer.refusal(checkpoint.folder, error, checkpoint.going_on) from error
    return comparison


def _parts(experiments: Sequence[Experiment], trained: Trained, out: Path) -> dict[str, Any]:
    """What a record holds beside the comparison."""
    places = [(number, state) for number, states in enumerate(trained.states) for state in states]
    return {
        "weights": {
            f"{number}/{state.run.entry}/{state.run.seed}/{name}": tensor
            for number, state in places
            for name, tensor in state.weights.items()
        },
        "encoders": {
            f"{number}/{seed}": dataset.encoder
            for number, experiment in enumerate(experiments)
            for seed, dataset in experiment.datasets.items()
        },
        "rows": {
            f"{number}/{seed}/{name}": array
            for number, experiment in enumerate(experiments)
            if isinstance(experiment.spec.data, Tabular) and experiment.job.task.has_target
            for seed, dataset in experiment.datasets.items()
            for name, array in RowKeys.of(dataset).arrays().items()
        },
        "specs": [to_yaml(experiment.spec, relative_to=out / "record") for experiment in experiments],
        "origins": [experiment.spec.origins for experiment in experiments],
        "results": to_json,
        "predictions": [
            (number, state.run.entry, state.run.seed, state.predictions)
            for number, state in places
            if state.predictions is not None
        ],
    }
