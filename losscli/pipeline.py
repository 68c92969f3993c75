"""THE LINE: specs -> arenas -> datasets -> stacks -> comparison -> record. Read this first, then `experiment.py`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from losscli.compare.breakdown import breakdowns
from losscli.compare.expect import unmet
from losscli.compare.leaderboard import build_arena
from losscli.compare.maps import maps_of
from losscli.compare.moments import moments_of
from losscli.compare.result import Arena, Point, RunResult, TestRows
from losscli.compare.tuning import choose, forget, with_choices
from losscli.compare.why import ProbedRun, why
from losscli.comparison import Comparison
from losscli.errors import Finding
from losscli.experiment import Experiment, load, remembering, smaller
from losscli.metrics import Metric
from losscli.record import writer
from losscli.record.predictions import MOST_NUMBERS
from losscli.reports.json import to_json
from losscli.spec.arenas import merge
from losscli.spec.dump import to_yaml
from losscli.spec.model import Spec
from losscli.spec.tune import grids_of, may_be
from losscli.stack.baseline import baseline, ideal
from losscli.stack.job import steps_of
from losscli.stack.resolution import limits
from losscli.stack.rows import spans
from losscli.stack.run_state import RunState, mean_of
from losscli.stack.train import DOTS, Report, stacks, train
from losscli.stack.watch import Stop, Tick, Watch, unwatched

SMALL_TEST = 5_000  # test rows up to which every metric is asked for its limits


def run(
    specs: Sequence[Spec],
    *,
    out: Path | None = Path("runs"),
    smoke: bool = False,
    watch: Watch = unwatched,
    stop: Stop | None = None,
) -> Comparison:
    """Train every entry of every spec on every seed, compare within arenas, and leave a record under `out`.

    With `smoke`, at most two seeds and forty steps each: enough to see that everything runs.
    """
    began = time.perf_counter()
    experiments = [load(spec) for spec in merge([smaller(spec) if smoke else spec for spec in specs])]
    experiments = [remembering(experiment, MOST_NUMBERS // len(experiments)) for experiment in experiments]
    loaded = time.perf_counter()
    trained = _train(experiments, watch, stop or Stop())
    seconds = time.perf_counter() - loaded
    chosen = [choose(states, experiment.headline) for experiment, states in zip(experiments, trained, strict=True)]
    arenas = [
        conclude(_as_it_ended(experiment), states) for experiment, states in zip(experiments, chosen, strict=True)
    ]
    comparison = Comparison(
        arenas=arenas,
        device=", ".join(dict.fromkeys(str(experiment.job.device) for experiment in experiments)),
        record=None,
        timing=_timing(experiments, trained, loaded - began, seconds),
        unmet=[
            expectation
            for experiment, arena in zip(experiments, arenas, strict=True)
            for expectation in unmet(experiment.spec.expect, arena)
        ],
        breakdowns=breakdowns(arenas),
    )
    return comparison if out is None else keep(comparison, experiments, chosen, out)


def _as_it_ended(experiment: Experiment) -> Experiment:
    """The experiment with what has become of its data while it was trained."""
    return replace(experiment, findings=[*experiment.findings, *experiment.spec.data.changes()])


def _train(experiments: Sequence[Experiment], watch: Watch, stop: Stop) -> list[list[RunState]]:
    """Every experiment's states; after a stop was asked for, those that there are."""
    total = sum(experiment.epochs(run) for experiment in experiments for run in experiment.runs())
    done = 0
    trained: list[list[RunState]] = [[] for _ in experiments]
    with stop.heard():
        for experiment, states in zip(experiments, trained, strict=True):
            for runs in stacks(experiment.runs(), experiment.job):
                if stop.requested:
                    return trained
                states += train(runs, experiment.job, _report(experiment, done, total, watch, stop))
                forget(states, experiment.headline)
                done += sum(map(experiment.epochs, runs))
    return trained


def _report(experiment: Experiment, before: int, total: int, watch: Watch, stop: Stop) -> Report:
    def report(epoch: int, epochs: int, states: list[RunState]) -> bool:
        watch(_tick(experiment, epoch, epochs, before + epoch * len(states), total, states))
        return stop.requested

    return report


def _tick(experiment: Experiment, epoch: int, epochs: int, done: int, total: int, states: list[RunState]) -> Tick:
    headline = experiment.job.metrics[0].name
    last = [{(split, name): value for _, split, name, value in state.last()} for state in states]
    first = experiment.job.task.phases(experiment.job.plan)[0].kernel
    loss = mean_of([values["train", first] for values in last])
    value = mean_of([values["valid", headline] for values in last])
    return Tick(experiment.spec.name, epoch, epochs, done, total, loss, headline, value)


def conclude(experiment: Experiment, states: Sequence[RunState]) -> Arena:
    """The arena's leaderboard from its finished runs."""
    spec, metrics, task = experiment.spec, experiment.job.metrics, experiment.job.task
    datasets = experiment.different
    without_model = baseline(datasets, task, metrics, experiment.job.evaluation)
    arena = build_arena(
        experiment.entries,
        [_result(state) for state in states],
        task=spec.task,
        data=datasets[0].name,
        headline=metrics[0].name,
        directions={metric.name: metric.direction for metric in (*metrics, *experiment.job.evaluation)},
        ranges={metric.name: (metric.low, metric.high) for metric in experiment.job.evaluation},
        baseline=without_model,
        labels=datasets[0].target.labels,
        positive=task.positive(datasets[0].target.labels),
        findings=[*experiment.findings, *_ideal(experiment), *_symptoms(experiment, states, without_model["test"])],
        spec=spec.model_dump(mode="json"),
        rows=experiment.rows,
        resampled=spec.data.split.resampled,
        equivalence=spec.equivalence,
        split=spec.data.split.kind,
        ratios=experiment.ratios,
        corrupt=spec.data.corrupt.active(),
        test=TestRows(*limits(experiment.datasets, task, _limited(experiment))),
    )
    probed = [ProbedRun(state.run.entry, state.run.seed, state.predictions, state.snapshots) for state in states]
    reasons = {} if datasets[0].target.paired else {**why(arena, probed, task), **_maps(experiment, states)}
    arena = replace(arena, why={**reasons, **_pictures(experiment, states)})
    grids = {entry.name: grids_of(spec, entry) for entry in experiment.entries}
    return with_choices(arena, grids, lambda name, value: may_be(spec, name, value))


def _pictures(experiment: Experiment, states: Sequence[RunState]) -> dict[str, Any]:
    """What the runs of the first seed put out at moments of training, beside the real rows of the valid split."""
    kept = {state.run.entry: state.moments for state in states if state.moments}
    if not kept:
        return {}
    data = experiment.datasets[experiment.spec.seeds[0]]
    return {"moments": moments_of(kept, data.parts["valid"].truth[:DOTS], data.target.labels)}


def _maps(experiment: Experiment, states: Sequence[RunState]) -> dict[str, Any]:
    """Where the vectors of the test rows of the first seed lie, in the plane."""
    first = [state for state in states if state.run.seed == experiment.spec.seeds[0] and state.predictions is not None]
    kept = {state.run.entry: state.predictions for state in first if state.predictions is not None}
    vectors = {name: predictions for name, predictions in kept.items() if predictions.kind == "embeddings"}
    return {"maps": maps_of(vectors)} if vectors else {}


def _ideal(experiment: Experiment) -> list[Finding]:
    """What cannot be bettered, beside the baseline, where a table cannot show it by itself."""
    scores = ideal(experiment.different, experiment.job.task, experiment.job.metrics)
    if not scores:
        return []
    listed = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
    message = (
        f"fresh real rows in place of made-up ones score {listed} on the test split: nothing can be better on average"
    )
    return [Finding("real-rows", "info", message, "the baseline is a gaussian fitted to the training rows")]


def _symptoms(experiment: Experiment, states: Sequence[RunState], baseline: Mapping[str, float]) -> list[Finding]:
    """What the task tells by how the runs of each entry stand, those that diverged left out; `baseline` is of the test split."""
    findings: list[Finding] = []
    for entry in experiment.entries:
        own = [state for state in states if state.run.entry == entry.name and state.status != "diverged"]
        standings = [replace(state.standing, baseline=baseline) for state in own if state.standing is not None]
        if standings:
            findings += experiment.job.task.symptoms(entry.name, standings)
    return findings


def _limited(experiment: Experiment) -> Sequence[Metric]:
    """The metrics whose limits are asked for: all on small test splits, which may lack a class; else those that are shown."""
    every = {metric.name: metric for metric in (*experiment.job.metrics, *experiment.job.evaluation)}
    return list(every.values()) if experiment.rows["test"] <= SMALL_TEST else experiment.job.metrics


def _result(state: RunState) -> RunResult:
    history = [Point(*point) for point in state.history]
    run = state.run
    return RunResult(
        run.entry,
        run.seed,
        state.status,
        state.epochs,
        state.best_epoch,
        state.scores,
        history,
        state.seconds,
        state.calibration,
        run.tuned,
        state.fingerprint,
    )


def _timing(
    experiments: Sequence[Experiment], trained: Sequence[Sequence[RunState]], load_seconds: float, train_seconds: float
) -> dict[str, float]:
    steps, samples = 0, 0
    for experiment, states in zip(experiments, trained, strict=True):
        plan = experiment.spec.train
        for state in states:
            rows = state.run.dataset.parts["train"].rows
            taken = steps_of(plan, rows, state.epochs)
            steps += taken
            samples += taken * rows // len(spans(rows, plan.batch_size))
    rate = samples / train_seconds if train_seconds > 0 else 0.0
    return {
        "load_seconds": load_seconds,
        "train_seconds": train_seconds,
        "steps": steps,
        "run_samples_per_second": rate,
    }


def keep(
    comparison: Comparison, experiments: Sequence[Experiment], trained: Sequence[list[RunState]], out: Path
) -> Comparison:
    """Write the record, and return the comparison that knows where it is."""
    weights: dict[str, Any] = {}
    encoders: dict[str, Any] = {}
    for number, (experiment, states) in enumerate(zip(experiments, trained, strict=True)):
        for state in states:
            prefix = f"{number}/{state.run.entry}/{state.run.seed}"
            weights |= {f"{prefix}/{name}": tensor for name, tensor in state.weights.items()}
        encoders |= {f"{number}/{seed}": dataset.encoder for seed, dataset in experiment.datasets.items()}
    folder = writer.write(
        out,
        "-".join(dict.fromkeys(experiment.spec.name for experiment in experiments)),
        comparison,
        weights=weights,
        encoders=encoders,
        specs=[to_yaml(experiment.spec, relative_to=out / "record") for experiment in experiments],
        results=to_json,
        predictions=[
            (number, state.run.entry, state.run.seed, state.predictions)
            for number, states in enumerate(trained)
            for state in states
            if state.predictions is not None
        ],
    )
    return replace(comparison, record=folder.as_posix())
