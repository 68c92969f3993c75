"""THE LINE: specs -> arenas -> datasets -> stacks -> comparison -> record. Read this first."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from losscli.check import Wiring, look
from losscli.compare.breakdown import breakdowns
from losscli.compare.expect import unmet
from losscli.compare.leaderboard import build_arena
from losscli.compare.result import Arena, Comparison, Point, RunResult
from losscli.compare.tuning import best, with_choices
from losscli.compare.why import Studied, why
from losscli.data.columns import in_short
from losscli.data.dataset import Dataset
from losscli.data.leaks import leaks
from losscli.data.prepare import prepare_all, size_ratios
from losscli.data.split import set_apart
from losscli.errors import DataError, Finding, counted
from losscli.losses import find as find_loss
from losscli.losses.domain import check_target, ranked
from losscli.losses.weights import class_shares
from losscli.metrics import Metric, yardsticks
from losscli.record import writer
from losscli.record.predictions import MOST_NUMBERS
from losscli.reports.json import to_json
from losscli.spec.arenas import merge
from losscli.spec.costs import refuse_other_classes
from losscli.spec.dump import to_yaml
from losscli.spec.entries import entries
from losscli.spec.model import Entry, Spec
from losscli.spec.tune import candidates, grids_of, may_be
from losscli.stack import device as machine
from losscli.stack.baseline import baseline
from losscli.stack.course import Course, mean_of
from losscli.stack.objective import resolve
from losscli.stack.rows import Run, spans
from losscli.stack.study import edges
from losscli.stack.train import Job, Report, epochs_of, stacks, train
from losscli.stack.watch import Stop, Tick, Watch, unwatched
from losscli.tasks import tasks

SMOKE_SEEDS, SMOKE_STEPS = 2, 40


@dataclass(frozen=True)
class Contest:
    """One arena before it is trained: a spec with all that it names, found and loaded."""

    spec: Spec
    job: Job
    entries: Sequence[Entry]
    datasets: Mapping[int, Dataset]  # by the run's seed
    findings: Sequence[Finding]

    @property
    def rows(self) -> dict[str, int]:
        return {split: part.rows for split, part in next(iter(self.datasets.values())).parts.items()}

    @property
    def headline(self) -> Metric:
        return self.job.metrics[0]

    def epochs(self, run: Run) -> int:
        """The epochs of a run: where none are named, they depend on its training rows."""
        return epochs_of(self.spec.train, run.dataset.parts["train"].rows)

    def runs(self) -> list[Run]:
        """All runs, candidates of tuning among them, entry by entry, so that rows of one loss lie next to each other."""
        tried = [candidate for entry in self.entries for candidate in candidates(self.spec, entry)]
        return [self._run(candidate, seed) for candidate in tried for seed in self.spec.seeds]

    def first(self, entry: Entry) -> list[Run]:
        """The entry's run with the first seed; where it is tuned, that of each candidate."""
        return [self._run(candidate, self.spec.seeds[0]) for candidate in candidates(self.spec, entry)]

    def _run(self, entry: Entry, seed: int) -> Run:
        loss = find_loss(entry.loss, self.spec.task)
        data = self.datasets[seed]
        return Run(entry.name, seed, loss, entry.options, entry.output, entry.lr, data, entry.weight, entry.tuned)


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
    if out is not None:
        contests = [remembering(contest, MOST_NUMBERS // len(contests)) for contest in contests]
    loaded = time.perf_counter()
    trained = _train(contests, watch, stop or Stop())
    seconds = time.perf_counter() - loaded
    chosen = [choose(contest, courses) for contest, courses in zip(contests, trained, strict=True)]
    arenas = [conclude(_as_it_ended(contest), courses) for contest, courses in zip(contests, chosen, strict=True)]
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


def smaller(spec: Spec) -> Spec:
    """The spec of a smoke run: the same line from end to end, about a second of training."""
    steps = min(SMOKE_STEPS, spec.train.max_steps or SMOKE_STEPS)
    plan = spec.train.model_copy(update={"max_steps": steps})
    return spec.model_copy(update={"train": plan, "seeds": spec.seeds[:SMOKE_SEEDS], "expect": {}})


def load(spec: Spec) -> Contest:
    """Everything that a spec names, before anything is trained; whatever is wrong is told now."""
    task = tasks.get(spec.task)
    measured = yardsticks(spec.task, spec.costs)
    metrics = [measured[name] for name in spec.metrics]
    found = entries(spec)
    device = machine.choose(spec.train.device)
    job = Job(task, spec.model, spec.train, metrics, device, list(measured.values()), study=len(found) > 1)
    used = [find_loss(entry.loss, spec.task) for entry in found]
    table = set_apart(spec.data.read(Path(spec.folder)), spec.data.split)
    target = task.decode(table.targets, spec.data.reading())
    refuse_other_classes(spec.costs, target.labels)
    refused = [wrong for loss in used for wrong in check_target(loss, spec.task, target, table.targets)]
    if refused:
        raise DataError(list(dict.fromkeys(refused)))
    datasets, noticed = prepare_all(table, target, task, spec.data, spec.seeds)
    noticed += in_short(table.columns)
    noticed += leaks(table, target, list({id(each): each for each in datasets.values()}.values()), task.has_classes)
    contest = Contest(spec, job, found, datasets, ())
    said = [finding for entry in found for finding in _looked(contest.first(entry), spec.task)]
    said += [finding for loss in used for finding in ranked(loss, target)]
    if table.weight is not None:
        said += [_unweighted(entry.name) for entry, loss in zip(found, used, strict=True) if loss.over_batch]
    return replace(contest, findings=list(dict.fromkeys([*spec.notes, *said, *noticed])))


def remembering(contest: Contest, most: int) -> Contest:
    """The contest, keeping what its runs predict: at most so many numbers, of the first seeds, and of one at least."""
    seeds = contest.spec.seeds
    of_seed = contest.rows["test"] * contest.job.task.outputs(contest.datasets[seeds[0]].target) * len(contest.entries)
    kept = seeds[: max(1, most // of_seed)]
    job = replace(contest.job, kept=frozenset(kept))
    if len(kept) == len(seeds):
        return replace(contest, job=job)
    message = f"the record keeps the predictions of {counted(len(kept), 'seed')} of {len(seeds)}: all would be too many"
    told = Finding("predictions-cut", "info", message, "every score, history and weight of all seeds is kept")
    return replace(contest, job=job, findings=[*contest.findings, told])


def _looked(runs: Sequence[Run], task: str) -> list[Finding]:
    """What the rules notice of an entry: of its candidates, each kind once."""
    found, *others = [look(_wired(run, task)) for run in runs]
    for finding in (finding for each in others for finding in each):
        if finding.code not in {said.code for said in found}:
            found.append(finding)
    return found


def _wired(run: Run, task: str) -> Wiring:
    """What the rules look at: of an entry's first run, whose training split stands for those of the others."""
    settings = {name: resolve(value, name, run.loss, run.dataset) for name, value in run.settings.items()}
    shares = class_shares(run.dataset.parts["train"].target, task)
    return Wiring(run.entry, task, run.loss, run.output, settings, shares)


def _unweighted(entry: str) -> Finding:
    message = f"{entry}: the loss is defined over a whole batch, so the weights of single rows do not count in it"
    return Finding("weights-unused", "warning", message, "use a loss per sample, or leave data.weight out")


def _train(contests: Sequence[Contest], watch: Watch, stop: Stop) -> list[list[Course]]:
    """Every contest's courses; after a stop was asked for, those that there are."""
    total = sum(contest.epochs(run) for contest in contests for run in contest.runs())
    done = 0
    trained: list[list[Course]] = [[] for _ in contests]
    with stop.heard():
        for contest, courses in zip(contests, trained, strict=True):
            for runs in stacks(contest.runs(), contest.job):
                if stop.requested:
                    return trained
                courses += train(runs, contest.job, _report(contest, done, total, watch, stop))
                forget(contest, courses)
                done += sum(map(contest.epochs, runs))
    return trained


def _report(contest: Contest, before: int, total: int, watch: Watch, stop: Stop) -> Report:
    def report(epoch: int, epochs: int, courses: list[Course]) -> bool:
        watch(_tick(contest, epoch, epochs, before + epoch * len(courses), total, courses))
        return stop.requested

    return report


def _tick(contest: Contest, epoch: int, epochs: int, done: int, total: int, courses: list[Course]) -> Tick:
    headline = contest.job.metrics[0].name
    last = [{(split, name): value for _, split, name, value in course.last()} for course in courses]
    loss = mean_of([values["train", "loss"] for values in last])
    value = mean_of([values["valid", headline] for values in last])
    return Tick(contest.spec.name, epoch, epochs, done, total, loss, headline, value)


def choose(contest: Contest, courses: Sequence[Course]) -> list[Course]:
    """Of the candidates of every entry and seed the one that tuning takes; its time is that of all of them."""
    found = []
    for tried in _tried(courses):
        winner = best(tried, contest.headline.name, contest.headline.direction)
        winner.seconds = math.fsum(course.seconds for course in tried)
        found.append(winner)
    return found


def forget(contest: Contest, courses: Sequence[Course]) -> None:
    """Let go of what only the winner is asked for, so that memory holds one candidate of each run."""
    for tried in _tried(courses):
        winner = best(tried, contest.headline.name, contest.headline.direction)
        for course in tried:
            if course is not winner:
                course.weights, course.predictions = {}, None


def _tried(courses: Sequence[Course]) -> Iterable[list[Course]]:
    """The courses, by entry and seed."""
    groups: dict[tuple[str, int], list[Course]] = {}
    for course in courses:
        groups.setdefault((course.run.entry, course.run.seed), []).append(course)
    return groups.values()


def conclude(contest: Contest, courses: Sequence[Course]) -> Arena:
    """The arena's leaderboard from its finished runs."""
    spec, metrics = contest.spec, contest.job.metrics
    datasets = list({id(dataset): dataset for dataset in contest.datasets.values()}.values())
    arena = build_arena(
        contest.entries,
        [_result(course) for course in courses],
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
        ratios=size_ratios(datasets),
        corrupt=spec.data.corrupt.active(),
    )
    studied = [Studied(course.run.entry, course.run.seed, course.predictions, course.looks) for course in courses]
    arena = replace(arena, why=why(arena, studied, edges(contest.job.task)))
    grids = {entry.name: grids_of(spec, entry) for entry in contest.entries}
    return with_choices(arena, grids, lambda name, value: may_be(spec, name, value))


def _result(course: Course) -> RunResult:
    history = [Point(*point) for point in course.history]
    run = course.run
    return RunResult(
        run.entry,
        run.seed,
        course.status,
        course.epochs,
        course.best_epoch,
        course.scores,
        history,
        course.seconds,
        course.calibration,
        run.tuned,
    )


def _timing(
    contests: Sequence[Contest], trained: Sequence[Sequence[Course]], load_seconds: float, train_seconds: float
) -> dict[str, float]:
    steps, samples = 0, 0
    for contest, courses in zip(contests, trained, strict=True):
        plan = contest.spec.train
        for course in courses:
            rows = course.run.dataset.parts["train"].rows
            per_epoch = len(spans(rows, plan.batch_size))
            taken = min(course.epochs * per_epoch, plan.max_steps or course.epochs * per_epoch)
            steps += taken
            samples += taken * rows // per_epoch
    rate = samples / train_seconds if train_seconds > 0 else 0.0
    return {
        "load_seconds": load_seconds,
        "train_seconds": train_seconds,
        "steps": steps,
        "run_samples_per_second": rate,
    }


def keep(comparison: Comparison, contests: Sequence[Contest], trained: Sequence[list[Course]], out: Path) -> Comparison:
    """Write the record, and return the comparison that knows where it is."""
    weights: dict[str, Any] = {}
    encoders: dict[str, Any] = {}
    for number, (contest, courses) in enumerate(zip(contests, trained, strict=True)):
        for course in courses:
            prefix = f"{number}/{course.run.entry}/{course.run.seed}"
            weights |= {f"{prefix}/{name}": tensor for name, tensor in course.weights.items()}
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
            (number, course.run.entry, course.run.seed, course.predictions)
            for number, courses in enumerate(trained)
            for course in courses
            if course.predictions is not None
        ],
    )
    return replace(comparison, record=folder.as_posix())
