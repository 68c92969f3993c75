"""Training a stack: one loop serves all runs; each run may stop, diverge or keep its best weights by itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from losscli.data.dataset import Layout
from losscli.stack import device as machine
from losscli.stack.chance import generator
from losscli.stack.counted import may_miss
from losscli.stack.evaluate import Evaluator
from losscli.stack.job import Job, epochs_of, steps_of
from losscli.stack.layers import ForwardContext
from losscli.stack.networks import Networks, cost_of, specs_of
from losscli.stack.objective import MeanLosses, Objective, Tally
from losscli.stack.penalty import Penalties
from losscli.stack.probe import Probe
from losscli.stack.rows import Rows, Run
from losscli.stack.run_state import EpochLoss, RunState
from losscli.stack.samplers import samplers
from losscli.stack.schedule import SCHEDULES
from losscli.tasks.phases import Batch, NetworkSpec, Phase, Standing

DOTS = 250  # rows of a picture
MOMENTS = (0.05, 0.15, 0.35, 0.65, 1.0)  # of the epochs


def moments(epochs: int) -> list[int]:
    """The epochs at whose ends a picture is kept.

    >>> moments(100), moments(3)
    ([5, 15, 35, 65, 100], [1, 2, 3])
    """
    return sorted({max(1, round(share * epochs)) for share in MOMENTS})


# Called after each epoch of a stack with epoch, epochs and states; True ends the training, and what there is is kept.
Report = Callable[[int, int, list[RunState]], bool]


def stacks(runs: Sequence[Run], job: Job) -> Iterator[list[Run]]:
    """The runs, divided into stacks: equal outputs and equal sizes of splits together, as many as fit the device."""
    by_shape: dict[object, list[Run]] = {}
    for run in runs:
        sizes = tuple(part.rows for part in run.dataset.parts.values())
        by_shape.setdefault((_shape(run, job), sizes), []).append(run)
    for alike_runs in by_shape.values():
        layout = Layout.widest(run.dataset.layout for run in alike_runs)
        cost = cost_of(specs_of(alike_runs[0], job, layout), job)
        machine.refuse_if_too_large(cost, job.device)
        for start, stop in machine.chunks(len(alike_runs), machine.width(cost, job.device)):
            yield alike_runs[start:stop]


def _shape(run: Run, job: Job) -> tuple[NetworkSpec, ...]:
    """What runs must share of their networks; features are padded to those of the widest."""
    specs = specs_of(run, job)
    return tuple(spec if isinstance(spec.inputs, int) else replace(spec, inputs=0) for spec in specs)


def train(runs: Sequence[Run], job: Job, report: Report = lambda *_: False) -> list[RunState]:
    """Train the runs as one stack, and judge them on all splits. Equal runs give equal results in any stack."""
    began = time.perf_counter()
    with machine.out_of_memory_explained(job.plan.batch_size), machine.exact(job.device):
        training = Training(runs, job)
        with machine.threads(training.networks.cost, job.device):
            training.run(report)
            training.finish()
    for state in training.states:
        state.seconds = (time.perf_counter() - began) / len(runs)
    return training.states


class Training:
    """R runs on their way: the state of each network, and which runs still move."""

    def __init__(self, runs: Sequence[Run], job: Job):
        self.job, self.plan, task = job, job.plan, job.task
        self.rows = Rows(runs, job.device)
        self.states = [RunState(run) for run in runs]
        noise = [generator(seed, "dropout", device=job.device) for seed in self.rows.seeds]
        self.context = ForwardContext(training=True, noise=noise, seed_of_run=self.rows.seed_of_run)
        self.networks = Networks(self.rows, job, self.context)
        own = self.networks.own
        self.objective = Objective(runs, task, job.device, None if own is None else own.by_group)
        self.phases = task.phases(self.plan)
        self.penalties = {phase.kernel: Penalties(self.objective, phase.kernel) for phase in self.phases}
        sampling, draws = task.sampling(self.plan), sum(phase.times for phase in self.phases)
        self.sampler = samplers.get(sampling.name)(self.rows, self.plan.batch_size, draws, **sampling.options)
        self.evaluator = Evaluator(self.rows, task, self.objective, job.metrics)
        self.resting: Tensor | None = None  # [R, 1] once a run rests
        self.epochs = epochs_of(self.plan, self.rows.count("train"))
        self.step, self.steps = 0, steps_of(self.plan, self.rows.count("train"), self.epochs)
        self._calibrate()  # the level of an interval is known, and patience asks for it
        self.started_at = [torch.full((len(runs),), torch.nan, device=job.device) for _ in self.phases]
        # Known beforehand, so that no step waits for the device, and none is slower where every batch has rows that count.
        self.may_miss = any(may_miss(run) for run in runs)
        self.probe = Probe(self.rows, self.evaluator, task, self.epochs) if job.probe else None

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

    def _epoch(self) -> list[Tally]:
        """One epoch of steps, and the training loss of each phase on the way. Nothing waits for the device."""
        tallies = [Tally(len(self.states), self.job.device) for _ in self.phases]
        batches = self.sampler.epoch()
        for _ in range(min(self.sampler.steps, self.steps - self.step)):
            for place, phase in enumerate(self.phases):
                for _ in range(phase.times):
                    losses, rows = self._descend(phase, next(batches))
                    tallies[place].add(losses, rows)
                    if self.step == 0 or self.may_miss:  # the first loss there is
                        begun = self.started_at[place]
                        self.started_at[place] = torch.where(begun.isnan(), losses.mean.detach(), begun)
            self.step += 1
        return tallies

    def _descend(self, phase: Phase, batch: Batch) -> tuple[MeanLosses, int]:
        """The losses of one phase, and of how many rows. A run in whose batch no row counts leaves the step out: weights,
        statistics, moments.
        """
        networks = [self.networks[name] for name in phase.updates]
        before = [state.statistics.clone() for state in networks] if self.may_miss else []
        judged = phase.forward(self.networks, batch)
        losses = self.objective.judge(judged, phase.kernel)
        if self.penalties[phase.kernel].members:
            penalty = self.penalties[phase.kernel](judged.points, networks[0])
            losses = losses._replace(mean=losses.mean + penalty)
        missing = None if losses.counts is None or not self.may_miss else (losses.counts == 0)[:, None]
        if missing is not None:
            for state, kept in zip(networks, before, strict=True):
                torch.where(missing, kept, state.statistics, out=state.statistics)
        # A sum: a mean would make a run's step depend on how many others there are. (With `grad_outputs` instead of a sum,
        # torch imports sympy, a second of every command.)
        factor = SCHEDULES[self.plan.schedule](self.step, self.steps)
        self.networks.descend(phase.updates, losses.mean.sum(), factor, self.resting, missing)
        self.objective.project(phase.kernel, networks[0].weights, self.resting)
        return losses, judged.outputs[0].shape[1]

    def _look(self, epoch: int, tallies: Sequence[Tally]) -> None:
        """Evaluate the epoch on the valid split; note who diverged, who improved, who rests from now on."""
        output = self._outputs("valid")
        valid = self.evaluator(output, "valid")
        self._picture(epoch, output)
        kind = self.started_at[0].dtype
        trained = [
            line
            for tally, begun in zip(tallies, self.started_at, strict=True)
            for line in (tally.mean, begun, tally.counted.to(kind))
        ]
        table = torch.stack([self.networks.finite.to(kind), *trained, *valid.values()]).tolist()  # the one wait
        improved = [False] * len(self.states)
        for row, state in enumerate(self.states):
            if not state.moving:
                continue
            is_sound, *values = (line[row] for line in table)
            losses = {
                phase.kernel: EpochLoss(*values[3 * place : 3 * place + 3]) for place, phase in enumerate(self.phases)
            }
            named = dict(zip(valid, values[3 * len(self.phases) :], strict=True))
            state.advance(epoch, losses, named, bool(is_sound))
            if state.moving:
                improved[row] = state.judge(self.job.metrics[0], named, self.plan.patience)
        self._keep(improved)

    def _picture(self, epoch: int, output: Tensor) -> None:
        """Keep a little of what the runs of the first seed put out, at some moments."""
        if not self.job.task.pictured or epoch not in moments(self.epochs):
            return
        first = self.rows.runs[0].seed
        places = {row for row, state in enumerate(self.states) if state.run.seed == first and state.moving}
        for row, numbers in self.evaluator.numbers(output, places, DOTS).items():
            self.states[row].moments.append((epoch, numbers))

    def state(self) -> dict[str, Any]:
        """What the training is at the end of an epoch: `load` goes on from there, bit for bit, in a training of the same runs."""
        histories = [replace(state, history=list(state.history)) for state in self.states]
        return {
            "networks": self.networks.state(),
            "sampler": self.sampler.state(),
            "noise": [chance.get_state() for chance in self.context.noise],
            "states": histories,
            **{name: getattr(self, name) for name in ("step", "resting", "started_at")},
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self.networks.load(state["networks"])
        self.sampler.load(state["sampler"])
        for chance, place in zip(self.context.noise, state["noise"], strict=True):
            chance.set_state(place)
        self.states = list(state["states"])
        self.step, self.resting, self.started_at = state["step"], state["resting"], list(state["started_at"])

    def _probe(self, epoch: int) -> None:
        if self.probe is not None:
            self.probe.snapshot(epoch, lambda x: self.job.task.infer(self.networks.inference, {"inputs": x}))

    def _keep(self, improved: list[bool]) -> None:
        if any(improved):
            better = torch.tensor(improved, device=self.job.device)[:, None]
            for state in self.networks.learned:
                state.keep(better)
        if not all(state.moving for state in self.states):
            self.resting = torch.tensor([[not state.moving] for state in self.states], device=self.job.device)

    def _outputs(self, split: str) -> Tensor:
        return self.evaluator.outputs(self._infer, split, self.networks.units)

    def _infer(self, split: str, start: int, stop: int) -> Tensor:
        return self.job.task.infer(self.networks.inference, self.sampler.split(split, start, stop))

    def finish(self) -> None:
        """Put the best weights back if they were kept, judge all splits, and hand out each run's weights."""
        for learned in self.networks.learned:
            learned.restore()
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
        self._stand()
        named = self.networks.named()
        for row, state in enumerate(self.states):
            if state.status != "diverged":
                state.weights = named[row]
                state.snapshots = [] if self.probe is None else self.probe.snapshots[row]

    def _stand(self) -> None:
        """Note how runs stand, on one more batch."""
        if not self.job.task.examined:
            return
        batch, pulls, said, alike = next(self.sampler.epoch()), {}, {}, {}
        for phase in self.phases:
            judged = phase.forward(self.networks.inference, batch)
            outputs = tuple(output.detach().requires_grad_() for output in judged.outputs)
            losses = self.objective.judge(judged._replace(outputs=outputs), phase.kernel).mean
            slopes = torch.autograd.grad(losses.sum(), outputs, allow_unused=True)
            means = tuple(output.detach().mean(1, keepdim=True).expand_as(output) for output in outputs)
            said[phase.kernel] = losses.tolist()
            alike[phase.kernel] = self.objective.judge(judged._replace(outputs=means), phase.kernel).mean.tolist()
            # The mean over the batch divides each row's slope by B: the sum over rows is the mean slope of one.
            sizes = [losses.detach() * 0 if slope is None else slope.abs().flatten(1).sum(1) for slope in slopes]
            pulls[phase.kernel] = torch.stack(sizes, dim=1).tolist()  # [R, outputs]
        largest = {name: penalty.largest for name, penalty in self.penalties.items() if penalty.largest is not None}
        penalties = {name: values.tolist() for name, values in largest.items()}
        for row, state in enumerate(self.states):
            own = {name for name in penalties if any(part.kernel == name for part in state.run.loss.penalties)}
            state.standing = Standing(
                {name: rows[row] for name, rows in pulls.items()},
                {name: penalties[name][row] for name in own},
                state.scores["test"],
                {metric.name: metric.high for metric in self.job.evaluation},
                {name: values[row] for name, values in said.items()},
                {name: values[row] for name, values in alike.items()},
            )

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
