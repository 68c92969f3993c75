"""What the finished runs of one experiment come to: its arena, with verdicts, findings, reasons and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from losscli.compare.leaderboard import build_arena
from losscli.compare.maps import maps_of
from losscli.compare.moments import moments_of
from losscli.compare.regions import regions_of
from losscli.compare.result import Arena, Point, RunResult, TestRows
from losscli.compare.tuning import with_choices
from losscli.compare.why import ProbedRun, why
from losscli.data.dataset import Dataset
from losscli.data.plane import Plane
from losscli.errors import Finding
from losscli.experiment import Experiment
from losscli.metrics import Metric
from losscli.spec.tune import grids_of, may_be
from losscli.stack.baseline import baseline, ideal, limits
from losscli.stack.beside import beside
from losscli.stack.moments import DOTS
from losscli.stack.run_state import RunState

SMALL_TEST = 5_000  # test rows up to which every metric is asked for its limits


def conclude(experiment: Experiment, states: Sequence[RunState]) -> Arena:
    """The arena's leaderboard from its finished runs."""
    spec, task, metrics = experiment.spec, experiment.job.task, experiment.job.metrics
    datasets = experiment.different
    without_model = baseline(datasets, task, metrics, experiment.job.evaluation)
    plain, left_out = _yardsticks(experiment)
    findings = [
        *experiment.findings,
        *left_out,
        *_ideal(experiment),
        *_symptoms(experiment, states, without_model["test"]),
    ]
    arena = board(experiment, states, without_model, findings, plain)
    probed = [ProbedRun(state.run.entry, state.run.seed, state.predictions, state.snapshots) for state in states]
    reasons = {} if datasets[0].target.paired else {**why(arena, probed, task), **_maps(experiment, states)}
    arena = replace(arena, why={**reasons, **_pictures(experiment, states)})
    grids = {entry.name: grids_of(spec, entry) for entry in experiment.entries}
    return with_choices(arena, grids, lambda name, value: may_be(spec, name, value))


def board(
    experiment: Experiment,
    states: Sequence[RunState],
    without_model: Mapping[str, Mapping[str, float]] | None = None,
    findings: Sequence[Finding] = (),
    plain: Sequence[RunResult] = (),
) -> Arena:
    """The entries of the runs with their verdicts."""
    spec, metrics, task = experiment.spec, experiment.job.metrics, experiment.job.task
    labels = experiment.different[0].target.labels
    return build_arena(
        experiment.entries,
        [_result(state) for state in states],
        task=spec.task,
        data=experiment.different[0].name,
        headline=metrics[0].name,
        directions={metric.name: metric.direction for metric in (*metrics, *experiment.job.evaluation)},
        ranges={metric.name: (metric.low, metric.high) for metric in experiment.job.evaluation},
        baseline=without_model or {},
        labels=labels,
        positive=task.positive(labels),
        findings=findings,
        spec=spec.model_dump(mode="json"),
        rows=experiment.rows,
        resampled=spec.data.split.resampled,
        equivalence=spec.equivalence,
        split=spec.data.split.kind,
        ratios=experiment.ratios,
        corrupt=spec.data.corrupt.active(),
        yardsticks=plain,
        test=TestRows(*limits(experiment.datasets, task, _limited(experiment))),
        looks=spec.looks,
    )


def _yardsticks(experiment: Experiment) -> tuple[list[RunResult], list[Finding]]:
    """A run of each yardstick with each seed, where the spec asks for them; and which were left out."""
    if not experiment.spec.yardstick:
        return [], []
    job = experiment.job
    measured = beside(experiment.datasets, job.task, job.metrics, job.evaluation)
    runs = [
        RunResult(name, seed, "ok", 0, 0, scores, (), 0.0)
        for name, by_seed in measured.scores.items()
        for seed, scores in by_seed.items()
    ]
    return runs, list(measured.findings)


def _pictures(experiment: Experiment, states: Sequence[RunState]) -> dict[str, Any]:
    """What the runs of the first seed put out at moments of training: decision regions, or rows beside the real ones."""
    seed = experiment.spec.seeds[0]
    first = [state for state in states if state.moments and state.run.seed == seed]
    if not first:
        return {}
    data, moments = experiment.datasets[seed], {state.run.entry: state.moments for state in first}
    if not experiment.job.task.pictured:
        kinds = {state.run.entry: state.predictions.kind for state in first if state.predictions is not None}
        return _regions(data, {name: (kind, moments[name]) for name, kind in kinds.items()})
    return {"moments": moments_of(moments, data.parts["valid"].truth[:DOTS], data.target.labels)}


def _regions(data: Dataset, entries: Mapping[str, tuple[str, Sequence[tuple[int, np.ndarray]]]]) -> dict[str, Any]:
    """Decision regions, with some training rows beside them, as they were trained on."""
    plane, train = Plane.of(data), data.parts["train"]
    if plane is None or not entries:
        return {}
    features = np.asarray(train.features, np.float64)
    rows = np.column_stack([plane.units(features), train.truth.reshape(len(features), -1)[:, 0]])
    return {"regions": regions_of(entries, plane.names, plane.box(), rows)}


def _maps(experiment: Experiment, states: Sequence[RunState]) -> dict[str, Any]:
    """Where the vectors of the test rows of the first seed lie, in the plane."""
    first = [state for state in states if state.run.seed == experiment.spec.seeds[0] and state.predictions is not None]
    by_entry = {state.run.entry: state.predictions for state in first if state.predictions is not None}
    vectors = {name: predictions for name, predictions in by_entry.items() if predictions.kind == "embeddings"}
    return {"maps": maps_of(vectors)} if vectors else {}


def _ideal(experiment: Experiment) -> list[Finding]:
    """What is right but for chance, beside the baseline, where a table cannot show it by itself."""
    scores = ideal(experiment.different, experiment.job.task, experiment.job.metrics)
    if not scores:
        return []
    listed = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
    message = (
        f"fresh real rows in place of made-up ones score {listed} on the test split: about what perfect ones would"
    )
    return [Finding("real-rows", "info", message, "the baseline is a gaussian fitted to the training rows")]


def _symptoms(experiment: Experiment, states: Sequence[RunState], baseline: Mapping[str, float]) -> list[Finding]:
    """What the task tells by how the runs of each entry stand, those that diverged left out; `baseline` is of the test split."""
    findings: list[Finding] = []
    for entry in experiment.entries:
        own = [state for state in states if state.run.entry == entry.name and not state.lost]
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
        state.reason,
        state.machine,
    )
