"""An experiment: one arena before it is trained, with everything that its spec names found, loaded and looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from losscli.data.columns import in_short
from losscli.data.dataset import Dataset
from losscli.data.leaks import leaks
from losscli.data.pairs import in_pairs
from losscli.data.prepare import prepare_all, size_ratios
from losscli.data.split import set_apart
from losscli.errors import DataError, Finding, counted, within
from losscli.losses import find as find_loss
from losscli.losses.domain import check_exposure, check_target, ranked
from losscli.losses.weights import class_shares
from losscli.metrics import Metric, evaluation_metrics
from losscli.spec.costs import table_of
from losscli.spec.entries import entries
from losscli.spec.model import Entry, Spec
from losscli.spec.tune import candidates
from losscli.stack import device as machine
from losscli.stack.counted import uncounted
from losscli.stack.job import Job, epochs_of
from losscli.stack.networks import judging_of
from losscli.stack.objective import resolve
from losscli.stack.plan import Plan
from losscli.stack.rows import Run
from losscli.tasks import tasks
from losscli.wiring import LossCall, look

SMOKE_SEEDS, SMOKE_STEPS = 2, 40


@dataclass(frozen=True)
class Experiment:
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
    def different(self) -> list[Dataset]:
        """Each dataset once: seeds that split alike have the same."""
        return list({id(dataset): dataset for dataset in self.datasets.values()}.values())

    @property
    def ratios(self) -> dict[str, float]:
        """For each split its rows per training row, the mean over the datasets."""
        return size_ratios(self.different)

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


def smaller(spec: Spec) -> Spec:
    """The spec of a smoke run: the same line from end to end, about a second of training."""
    steps = min(SMOKE_STEPS, spec.train.max_steps or SMOKE_STEPS)
    plan = spec.train.model_copy(update={"max_steps": steps})
    changes: dict[str, Any] = {"seeds": spec.seeds[:SMOKE_SEEDS], "adaptive": None, "looks": None, "expect": {}}
    changes["origins"] = {**spec.origins, "train.max_steps": "--smoke", "seeds": "--smoke"}
    return spec.model_copy(update={"train": plan, **changes})


def load(spec: Spec) -> Experiment:
    """Everything that a spec names, before anything is trained; whatever is wrong is told now."""
    task = tasks.get(spec.task)
    arena_entries = entries(spec)
    device = machine.choose(spec.train.device, spec.train.precision)
    used = [find_loss(entry.loss, spec.task) for entry in arena_entries]
    read = spec.data.read(Path(spec.folder))
    with within(read.place):
        rows = read if spec.data.pairs is None else in_pairs(read, spec.data.pairs)
        table = set_apart(rows.for_task(task), spec.data.split)
        target = task.decode(table.targets, spec.data.target_options())
        measured = evaluation_metrics(
            spec.task, costs=table_of(spec.costs, target.labels), mixture=table.mixture, pairs=spec.data.pairs
        )
        refused = [wrong for loss in used for wrong in check_target(loss, spec.task, target, table.targets)]
        if table.exposure is not None:
            pairs = zip(arena_entries, used, strict=True)
            refused += [
                wrong
                for entry, loss in pairs
                for wrong in check_exposure(loss, spec.task, table.exposure.name, entry.output)
            ]
        if refused:
            raise DataError(list(dict.fromkeys(refused)))
        datasets, noticed = prepare_all(table, target, task, spec.data, spec.seeds)
    noticed += in_short(table.columns)
    metrics = [measured[name] for name in spec.metrics]
    probe = task.probed and len(arena_entries) > 1
    job = Job(task, spec.model, spec.train, metrics, device, list(measured.values()), probe=probe)
    experiment = Experiment(spec, job, arena_entries, datasets, ())
    noticed += leaks(table, target, experiment.different, task.has_classes)
    findings = [finding for entry in arena_entries for finding in _findings(experiment.first(entry), spec.task)]
    findings += [finding for loss in used for finding in ranked(loss, target)]
    for entry, loss in zip(arena_entries, used, strict=True):
        findings += task.wiring(entry.name, loss, entry.output)
    findings += [*task.batching(spec.train, target), *_of_sizes(experiment)]
    if table.weight is not None:
        findings += [
            _unweighted(entry.name) for entry, loss in zip(arena_entries, used, strict=True) if loss.over_batch
        ]
    findings += uncounted(experiment.runs())
    return replace(experiment, findings=list(dict.fromkeys([*spec.notes, *findings, *noticed])))


def remembering(experiment: Experiment, most: int) -> Experiment:
    """The experiment, keeping what its runs predict: at most so many numbers, of the first seeds, and of one at least.

    Pictures are kept of the first seed.
    """
    seeds = experiment.spec.seeds
    of_seed = (
        experiment.rows["test"]
        * experiment.job.task.outputs(experiment.datasets[seeds[0]].target)
        * len(experiment.entries)
    )
    prediction_seeds = seeds[: max(1, most // of_seed)]
    job = replace(experiment.job, prediction_seeds=frozenset(prediction_seeds), pictured_seed=seeds[0])
    if len(prediction_seeds) == len(seeds):
        return replace(experiment, job=job)
    message = (
        f"the predictions of {counted(len(prediction_seeds), 'seed')} of {len(seeds)} are kept: all would be too many"
    )
    finding = Finding("predictions-cut", "info", message, "every score, history and weight of all seeds is kept")
    return replace(experiment, job=job, findings=[*experiment.findings, finding])


def _findings(runs: Sequence[Run], task: str) -> list[Finding]:
    """What the rules notice of an entry: of its candidates, each kind once."""
    findings, *others = [look(_loss_call(run, task)) for run in runs]
    for finding in (finding for candidate in others for finding in candidate):
        if finding.code not in {earlier.code for earlier in findings}:
            findings.append(finding)
    return findings


def _loss_call(run: Run, task: str) -> LossCall:
    """What the rules look at: of an entry's first run, whose training split stands for those of the others."""
    settings = {name: resolve(value, name, run.loss, run.dataset) for name, value in run.settings.items()}
    shares = class_shares(run.dataset.parts["train"].counted_target, task)
    return LossCall(run.entry, task, run.loss, run.output, settings, shares)


def _of_sizes(experiment: Experiment) -> list[Finding]:
    return [
        *_full_batch(experiment.spec.train, experiment.rows["train"]),
        *judging_of(experiment.runs()[0], experiment.job).findings(),
    ]


def _full_batch(plan: Plan, rows: int) -> list[Finding]:
    """What is said where somebody asks for larger batches than there are rows; the default is no one's wish."""
    default = type(plan).model_fields["batch_size"].default
    if plan.batch_size <= max(rows, default):
        return []
    message = f"train.batch_size {plan.batch_size} is more than the {counted(rows, 'training row')}: each step takes all of them"
    return [Finding("full-batch", "warning", message, f"set train.batch_size to {rows} or less")]


def _unweighted(entry: str) -> Finding:
    message = f"{entry}: the loss is defined over a whole batch, so the weights of single rows do not count in it"
    return Finding("weights-unused", "warning", message, "use a loss per sample, or leave data.weight out")
