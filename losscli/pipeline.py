"""THE LINE: specs -> arenas -> datasets -> stacks -> comparison -> record. Read this first, then `contest.py`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from losscli.compare.breakdown import breakdowns
from losscli.compare.expect import unmet
from losscli.compare.leaderboard import build_arena
from losscli.compare.result import Arena, Comparison, Point, RunResult, TestRows
from losscli.compare.tuning import choose, forget, with_choices
from losscli.compare.why import ProbedRun, why
from losscli.contest import Contest, load, remembering, smaller
from losscli.record import writer
from losscli.record.predictions import MOST_NUMBERS
from losscli.reports.json import to_json
from losscli.spec.arenas import merge
from losscli.spec.dump import to_yaml
from losscli.spec.model import Spec
from losscli.spec.tune import grids_of, may_be
from losscli.stack.baseline import baseline
from losscli.stack.probe import edges
from losscli.stack.resolution import limits
from losscli.stack.rows import spans
from losscli.stack.run_state import RunState, mean_of
from losscli.stack.train import Report, stacks, steps_of, train
from losscli.stack.watch import Stop, Tick, Watch, unwatched


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
    contests = [load(spec) for spec in merge([smaller(spec) if smoke else spec for spec in specs])]
    contests = [remembering(contest, MOST_NUMBERS // len(contests)) for contest in contests]
    loaded = time.perf_counter()
    trained = _train(contests, watch, stop or Stop())
    seconds = time.perf_counter() - loaded
    chosen = [choose(states, contest.headline) for contest, states in zip(contests, trained, strict=True)]
    arenas = [conclude(_as_it_ended(contest), states) for contest, states in zip(contests, chosen, strict=True)]
    comparison = Comparison(
        arenas=arenas,
        device=", ".join(dict.fromkeys(str(contest.job.device) for contest in contests)),
        record=None,
        timing=_timing(contests, trained, loaded - began, seconds),
        unmet=[
            said for contest, arena in zip(contests, arenas, strict=True) for said in unmet(contest.spec.expect, arena)
        ],
        breakdowns=breakdowns(arenas),
    )
    return comparison if out is None else keep(comparison, contests, chosen, out)


def _as_it_ended(contest: Contest) -> Contest:
    """The contest with what has become of its data while it was trained."""
    return replace(contest, findings=[*contest.findings, *contest.spec.data.changes()])


def _train(contests: Sequence[Contest], watch: Watch, stop: Stop) -> list[list[RunState]]:
    """Every contest's states; after a stop was asked for, those that there are."""
    total = sum(contest.epochs(run) for contest in contests for run in contest.runs())
    done = 0
    trained: list[list[RunState]] = [[] for _ in contests]
    with stop.heard():
        for contest, states in zip(contests, trained, strict=True):
            for runs in stacks(contest.runs(), contest.job):
                if stop.requested:
                    return trained
                states += train(runs, contest.job, _report(contest, done, total, watch, stop))
                forget(states, contest.headline)
                done += sum(map(contest.epochs, runs))
    return trained


def _report(contest: Contest, before: int, total: int, watch: Watch, stop: Stop) -> Report:
    def report(epoch: int, epochs: int, states: list[RunState]) -> bool:
        watch(_tick(contest, epoch, epochs, before + epoch * len(states), total, states))
        return stop.requested

    return report


def _tick(contest: Contest, epoch: int, epochs: int, done: int, total: int, states: list[RunState]) -> Tick:
    headline = contest.job.metrics[0].name
    last = [{(split, name): value for _, split, name, value in state.last()} for state in states]
    loss = mean_of([values["train", "loss"] for values in last])
    value = mean_of([values["valid", headline] for values in last])
    return Tick(contest.spec.name, epoch, epochs, done, total, loss, headline, value)


def conclude(contest: Contest, states: Sequence[RunState]) -> Arena:
    """The arena's leaderboard from its finished runs."""
    spec, metrics = contest.spec, contest.job.metrics
    datasets = contest.different
    arena = build_arena(
        contest.entries,
        [_result(state) for state in states],
        task=spec.task,
        data=datasets[0].name,
        headline=metrics[0].name,
        directions={metric.name: metric.direction for metric in (*metrics, *contest.job.yardsticks)},
        ranges={metric.name: (metric.low, metric.high) for metric in contest.job.yardsticks},
        baseline=baseline(datasets, contest.job.task, metrics, contest.job.yardsticks),
        labels=datasets[0].target.labels,
        findings=contest.findings,
        spec=spec.model_dump(mode="json"),
        rows=contest.rows,
        resampled=spec.data.split.resampled,
        equivalence=spec.equivalence,
        split=spec.data.split.kind,
        ratios=contest.ratios,
        corrupt=spec.data.corrupt.active(),
        test=TestRows(*limits(contest.datasets, contest.job.task, metrics)),
    )
    probed = [ProbedRun(state.run.entry, state.run.seed, state.predictions, state.snapshots) for state in states]
    arena = replace(arena, why=why(arena, probed, edges(contest.job.task)))
    grids = {entry.name: grids_of(spec, entry) for entry in contest.entries}
    return with_choices(arena, grids, lambda name, value: may_be(spec, name, value))


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
    contests: Sequence[Contest], trained: Sequence[Sequence[RunState]], load_seconds: float, train_seconds: float
) -> dict[str, float]:
    steps, samples = 0, 0
    for contest, states in zip(contests, trained, strict=True):
        plan = contest.spec.train
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
    comparison: Comparison, contests: Sequence[Contest], trained: Sequence[list[RunState]], out: Path
) -> Comparison:
    """Write the record, and return the comparison that knows where it is."""
    weights: dict[str, Any] = {}
    encoders: dict[str, Any] = {}
    for number, (contest, states) in enumerate(zip(contests, trained, strict=True)):
        for state in states:
            prefix = f"{number}/{state.run.entry}/{state.run.seed}"
            weights |= {f"{prefix}/{name}": tensor for name, tensor in state.weights.items()}
        encoders |= {f"{number}/{seed}": dataset.encoder for seed, dataset in contest.datasets.items()}
    folder = writer.write(
        out,
        "-".join(dict.fromkeys(contest.spec.name for contest in contests)),
        comparison,
        weights=weights,
        encoders=encoders,
        specs=[to_yaml(contest.spec, relative_to=out / "record") for contest in contests],
        results=to_json,
        predictions=[
            (number, state.run.entry, state.run.seed, state.predictions)
            for number, states in enumerate(trained)
            for state in states
            if state.predictions is not None
        ],
    )
    return replace(comparison, record=folder.as_posix())
