"""Training a stack: one loop serves all runs; each run may stop, diverge or keep its best weights by itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass

import torch
from torch import Tensor

from losscli.data.dataset import Layout
from losscli.metrics import Metric
from losscli.stack import device as machine
from losscli.stack.chance import generator
from losscli.stack.counted import may_miss
from losscli.stack.evaluate import Evaluator
from losscli.stack.head import outputs_of
from losscli.stack.layers import ForwardContext
from losscli.stack.models import Model
from losscli.stack.network import Network, gather
from losscli.stack.objective import Objective, Tally
from losscli.stack.optimizer import OPTIMIZERS
from losscli.stack.plan import Plan
from losscli.stack.probe import Probe
from losscli.stack.rows import Rows, Run, spans
from losscli.stack.run_state import RunState
from losscli.stack.schedule import SCHEDULES
from losscli.tasks import Task

# Without `epochs`, a run gets as many as this many steps need, within these bounds.
DEFAULT_STEPS, FEWEST_EPOCHS, MOST_EPOCHS = 300, 20, 100


@dataclass(frozen=True)
class Job:
    """What all stacks of an arena share."""

    task: Task
    model: Model
    plan: Plan
    metrics: Sequence[Metric]  # the first is the headline
    device: torch.device
    evaluation: Sequence[Metric] = ()  # what test and valid are judged by at the end, beside `metrics`
    kept: Set[int] = frozenset()  # the seeds whose runs hand out what they predict of the test split
    probe: bool = False  # whether to look at what losses attend to


# Called after each epoch of a stack with epoch, epochs and states; True ends the training, and what there is is kept.
Report = Callable[[int, int, list[RunState]], bool]


def stacks(runs: Sequence[Run], job: Job) -> Iterator[list[Run]]:
    """The runs, divided into stacks: equal outputs and equal sizes of splits together, as many as fit the device."""
    by_shape: dict[tuple[int, tuple[int, ...]], list[Run]] = {}
    for run in runs:
        sizes = tuple(part.rows for part in run.dataset.parts.values())
        by_shape.setdefault((outputs_of(run, job.task), sizes), []).append(run)
    for (outputs, _), alike in by_shape.items():
        layout = Layout.widest(run.dataset.layout for run in alike)
        cost = Network(job.model.layers_for(layout, outputs)).cost(job.plan.batch_size)
        machine.refuse_if_too_large(cost, job.device)
        for start, stop in machine.chunks(len(alike), machine.width(cost, job.device)):
            yield alike[start:stop]


def train(runs: Sequence[Run], job: Job, report: Report = lambda *_: False) -> list[RunState]:
    """Train the runs as one stack, and judge them on all splits. Equal runs give equal results in any stack."""
    began = time.perf_counter()
    with machine.out_of_memory_explained(job.plan.batch_size), machine.exact(job.device):
        training = Training(runs, job)
        with machine.threads(training.network.cost(job.plan.batch_size) * len(runs), job.device):
            training.run(report)
            training.finish()
    for state in training.states:
        state.seconds = (time.perf_counter() - began) / len(runs)
    return training.states


def epochs_of(plan: Plan, rows: int) -> int:
    """How many epochs the plan means for so many training rows.

    >>> epochs_of(Plan(), 400), epochs_of(Plan(epochs=3), 400), epochs_of(Plan(epochs=9, max_steps=5), 400)
    (75, 3, 2)
    """
    steps = len(spans(rows, plan.batch_size))
    epochs = plan.epochs or min(MOST_EPOCHS, max(FEWEST_EPOCHS, math.ceil(DEFAULT_STEPS / steps)))
    return epochs if plan.max_steps is None else min(epochs, math.ceil(plan.max_steps / steps))


def steps_of(plan: Plan, rows: int, epochs: int) -> int:
    """The optimizer steps of so many epochs over so many training rows.

    >>> steps_of(Plan(batch_size=32), 100, 10), steps_of(Plan(batch_size=32, max_steps=7), 100, 10)
    (40, 7)
    """
    steps = epochs * len(spans(rows, plan.batch_size))
    return min(steps, plan.max_steps or steps)


class Training:
    """R runs on their way: weights [R, P], statistics [R, Q], and which rows still move."""

    def __init__(self, runs: Sequence[Run], job: Job):
        self.job, self.plan = job, job.plan
        self.rows = Rows(runs, job.device)
        self.states = [RunState(run) for run in runs]
        self.outputs = outputs_of(runs[0], job.task)
        self.network = Network(job.model.layers_for(self.rows.layout, self.outputs))
        self.objective = Objective(runs, job.task, job.device)
        self.evaluator = Evaluator(self.rows, job.task, self.objective, job.metrics)
        self.weights = torch.stack([self._draw(run) for run in runs]).to(job.device)
        self.statistics = self.network.rest(len(runs)).to(job.device)
        self.best = (self.weights.clone(), self.statistics.clone()) if self.plan.patience else None
        self.optimizer = OPTIMIZERS[self.plan.optimizer](self.plan, self.weights)
        self.gradients = torch.empty_like(self.weights)
        self.rates = torch.tensor([[run.lr] for run in runs], device=job.device)  # [R, 1]
        self.resting: Tensor | None = None  # [R, 1] once a run rests
        self.forward = self.network.bind(self.weights, self.statistics)
        noise = [generator(seed, "dropout", device=job.device) for seed in self.rows.seeds]
        self.context = ForwardContext(training=True, noise=noise, seed_of_run=self.rows.seed_of_run)
        self.epochs = epochs_of(self.plan, self.rows.count("train"))
        per_epoch = len(spans(self.rows.count("train"), self.plan.batch_size))
        self.steps = min(self.epochs * per_epoch, self.plan.max_steps or self.epochs * per_epoch)
        self._calibrate()  # the level of an interval is known, and patience asks for it
        self.started_at = torch.full((len(runs),), torch.nan, device=job.device)
        # Known beforehand, so that no step waits for the device, and none is slower where every batch has rows that count.
        self.may_miss = any(may_miss(run) for run in runs)
        self.tally = Tally(len(runs), job.device)
        self.probe = Probe(self.rows, self.evaluator, job.task, self.epochs) if job.probe else None

    def _draw(self, run: Run) -> Tensor:
        """The initial weights [P] of a run: drawn for its own number of features, then widened to the stack's."""
        own = Network(self.job.model.layers_for(run.dataset.layout, self.outputs))
        return self.network.widen(own.draw(run.seed), own)

    def run(self, report: Report) -> None:
        """All epochs, or as many as any run still needs."""
        self._probe(0)
        for epoch in range(1, self.epochs + 1):
            self._look(epoch, self._epoch())
            self._probe(epoch)
            if report(epoch, self.epochs, self.states):
                for state in self.states:
                    state.stop()
            if not any(state.moving for state in self.states):
                break

    def _epoch(self) -> Tally:
        """One epoch of steps, and the training loss on the way. Nothing waits for the device."""
        self.tally = Tally(len(self.states), self.job.device)
        for inputs, targets, weights in self.rows.batches(self.plan.batch_size):
            if self.optimizer.steps == self.steps:
                break
            losses = self._step(inputs, targets, weights)
            if self.optimizer.steps == 1 or self.may_miss:  # the first loss there is
                self.started_at = torch.where(self.started_at.isnan(), losses, self.started_at)
        return self.tally

    def _step(self, inputs: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
        """The losses [R] of one step. A run in whose batch no row counts leaves it out: weights, statistics, moments."""
        before = self.statistics.clone() if self.may_miss else None
        losses = self.objective.judge(self.forward(inputs, self.context), targets, weights)
        # A sum: a mean would make a run's step depend on how many others there are. (With `grad_outputs` instead of a sum,
        # torch imports sympy, a second of every command.)
        gather(torch.autograd.grad(losses.mean.sum(), self.forward.leaves), out=self.gradients)
        missing = None
        if before is not None and losses.counts is not None:
            missing = (losses.counts == 0)[:, None]
            torch.where(missing, before, self.statistics, out=self.statistics)
        factor = SCHEDULES[self.plan.schedule](self.optimizer.steps, self.steps)
        rates = self.rates if factor == 1 else self.rates * factor
        self.optimizer.step(self.gradients, rates, self.resting, missing)
        self.tally.add(losses, inputs.shape[1])
        return losses.mean.detach()

    def _look(self, epoch: int, tally: Tally) -> None:
        """Evaluate the epoch on the valid split; note who diverged, who improved, who rests from now on."""
        valid = self.evaluator(self._outputs("valid"), "valid")
        sound = torch.isfinite(self.weights).all(dim=1)
        flags = [flag.to(self.weights.dtype) for flag in (sound, tally.counted)]
        table = torch.stack([tally.mean, self.started_at, *flags, *valid.values()]).tolist()  # the one wait
        improved = [False] * len(self.states)
        for row, state in enumerate(self.states):
            if not state.moving:
                continue
            train_loss, started_at, is_sound, any_counted, *values = (line[row] for line in table)
            named = dict(zip(valid, values, strict=True))
            state.advance(epoch, train_loss, started_at, named, bool(is_sound), bool(any_counted))
            if state.moving:
                improved[row] = state.judge(self.job.metrics[0], named, self.plan.patience)
        self._keep(improved)

    def _probe(self, epoch: int) -> None:
        if self.probe is not None:
            self.probe.snapshot(epoch, lambda x: self.forward(x, ForwardContext(training=False)))

    def _keep(self, improved: list[bool]) -> None:
        if self.best is not None and any(improved):
            better = torch.tensor(improved, device=self.job.device)[:, None]
            for kept, now in zip(self.best, (self.weights, self.statistics), strict=True):
                kept.copy_(torch.where(better, now, kept))
        if not all(state.moving for state in self.states):
            self.resting = torch.tensor([[not state.moving] for state in self.states], device=self.job.device)

    def _outputs(self, split: str) -> Tensor:
        units = sum(layer.units() for layer in self.network.layers)
        context = ForwardContext(training=False)
        return self.evaluator.outputs(lambda x: self.forward(x, context), split, units)

    def finish(self) -> None:
        """Put the best weights back if they were kept, judge all splits, and hand out each run's weights."""
        if self.best is not None:
            self.weights.copy_(self.best[0])
            self.statistics.copy_(self.best[1])
        all_metrics = list({metric.name: metric for metric in (*self.job.metrics, *self.job.evaluation)}.values())
        for split in ("valid", "test", "train"):  # the valid split first: thresholds and temperatures are chosen on it
            output = self._outputs(split)
            measured = self.evaluator(output, split, self.job.metrics if split == "train" else all_metrics)
            scores = {name: values.tolist() for name, values in measured.items()}
            for row, state in enumerate(self.states):
                lost = state.status == "diverged"
                state.scores[split] = {name: math.nan if lost else values[row] for name, values in scores.items()}
            if split == "test":
                self._hand_out(output)
                crossed = self.evaluator.crossed(output)
        self._calibrate(crossed)
        weights, statistics = self.weights.cpu(), self.statistics.cpu()
        for row, state in enumerate(self.states):
            if state.status != "diverged":
                state.weights = self.network.named(weights[row], statistics[row])
                state.snapshots = [] if self.probe is None else self.probe.snapshots[row]

    def _calibrate(self, crossed: Sequence[float] = ()) -> None:
        """Note what was chosen for each run, and on which share of the test rows its quantiles crossed, where they did."""
        for row, chosen in self.evaluator.chosen().items():
            share = crossed[row] if crossed else 0.0
            self.states[row].calibration = {**chosen, "crossed": share} if share > 0 else chosen

    def _hand_out(self, output: Tensor) -> None:
        """What the runs predict: in short, and whole where it is to be kept."""
        for row, print_ in self.evaluator.fingerprints(output).items():
            self.states[row].fingerprint = None if self.states[row].status == "diverged" else print_
        kept = {
            row
            for row, state in enumerate(self.states)
            if state.status != "diverged" and state.run.seed in self.job.kept
        }
        for row, predictions in self.evaluator.predictions(output, kept).items():
            self.states[row].predictions = predictions
