"""Training a stack: one loop serves all runs; each run may stop, diverge or keep its best weights by itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from losscli.losses.surroundings import Surroundings
from losscli.stack import device as machine
from losscli.stack.chance import generator
from losscli.stack.counted import may_miss
from losscli.stack.evaluate import Evaluator
from losscli.stack.job import Job, epochs_of, steps_of
from losscli.stack.layers import ForwardContext
from losscli.stack.moments import DOTS, frames, lattice_of, moments
from losscli.stack.networks import Networks, costs_of
from losscli.stack.objective import MeanLosses, Objective, Tally
from losscli.stack.penalty import Penalties
from losscli.stack.probe import Probe
from losscli.stack.recording import SMALL, Playback, Results
from losscli.stack.rows import Rows, Run
from losscli.stack.run_state import EpochLoss, RunState
from losscli.stack.samplers import samplers
from losscli.stack.schedule import SCHEDULES
from losscli.stack.train_state import put
from losscli.tasks.phases import Batch, Phase, Standing

# Called after each epoch of a stack with epoch, epochs and states; True ends the training, and what there is is kept.
Report = Callable[[int, int, list[RunState]], bool]


class Keeper:
    """Where a training begins, when it ends early, and where its state goes. This one begins at the start and keeps nothing."""

    def load(self, training: Training) -> None:
        """Asked once, before the first step: load what is to be gone on from."""

    def stopping(self) -> bool:
        """Asked before every step: whether to end there."""
        return False

    def save(self, state: Callable[[], dict[str, Any]], *, stopped: bool) -> None:
        """Asked after every epoch, and where the training was `stopped` before its end."""


UNKEPT = Keeper()


def train(runs: Sequence[Run], job: Job, report: Report = lambda *_: False, keeper: Keeper = UNKEPT) -> list[RunState]:
    """Train the runs as one stack, and judge them on all splits. Equal runs give equal results in any stack."""
    machine.keep_freed_memory()
    # One thread from the first line: a training notes how torch is set, and what is set otherwise later, code of the user's did.
    with (
        machine.out_of_memory_explained(job.plan.batch_size),
        machine.exact(job.device),
        machine.one_thread(job.device),
    ):
        training = Training(runs, job)
        keeper.load(training)
        training.run(report, keeper)
        training.finish()
    for state in training.states:
        state.seconds = training.seconds / len(runs)
    return training.states


def is_recorded(runs: Sequence[Run], job: Job) -> bool:
    """Whether the steps of such a stack are recorded, if its losses let them: those that are small, on a CPU."""
    small = len(runs) * costs_of(runs, job) <= SMALL
    ours = all(run.loss.is_in_package for run in runs)  # others may have a state, or do something else each time
    return ours and small and job.device.type == "cpu" and job.plan.precision == "float32"


class Training:
    """R runs on their way: the state of each network, and which runs still move."""

    def __init__(self, runs: Sequence[Run], job: Job):
        self.began, self.before = time.perf_counter(), 0.0  # seconds that it took before it was stopped
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
        self.playbacks = {phase.kernel: self._playback(phase) for phase in self.phases}
        self.resting: Tensor | None = None  # [R, 1] once a run rests
        self.epochs = epochs_of(self.plan, self.rows.count("train"))
        self.patience = self.plan.patience_for(self.epochs)
        self.tolerance = self.plan.tolerance_for(self.rows.count("valid"))
        self.step, self.steps = 0, steps_of(self.plan, self.rows.count("train"), self.epochs)
        self.epoch, self.taken = 0, 0  # epochs that are done, and steps of the next
        self._calibrate()  # the level of an interval is known, and patience asks for it
        self.started_at = [torch.full((len(runs),), torch.nan, device=job.device) for _ in self.phases]
        # Known beforehand, so that no step waits for the device, and none is slower where every batch has rows that count.
        self.may_miss = any(may_miss(run) for run in runs)
        self.surroundings = Surroundings(everywhere=True) if self.objective.own else None
        self.probe = Probe(self.rows, self.evaluator, task, self.epochs) if job.probe else None
        self.lattice = lattice_of(self.rows, job.pictured_seed, task)

    def _playback(self, phase: Phase) -> Playback | None:
        """Where the passes of a phase are recorded: if they are small, and nothing but tensors is changed by them."""
        penalised = self.penalties[phase.kernel].members  # which note what was largest
        return Playback() if is_recorded(self.rows.runs, self.job) and not penalised else None

    def run(self, report: Report, keeper: Keeper = UNKEPT) -> None:
        """All epochs, or as many as any run still needs."""
        stopped = False
        if self.epoch == self.taken == 0:
            self._probe(0)
        while self.going and not stopped:
            with machine.products_of(self.plan.precision):
                tallies = self._epoch(keeper.stopping)
            stopped = not tallies
            if not stopped:
                self._look(self.epoch, tallies)
                self._probe(self.epoch)
                stopped = report(self.epoch, self.epochs, self.states) and self.going
            # Before its runs are marked as stopped: who goes on from here must not know that it ever was.
            keeper.save(self.state, stopped=stopped)
        for state in self.states if stopped else ():
            state.stop()

    @property
    def going(self) -> bool:
        """Whether any run needs another epoch."""
        return self.epoch < self.epochs and any(state.moving for state in self.states)

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return self.before + time.perf_counter() - self.began

    def _epoch(self, stopping: Callable[[], bool] = UNKEPT.stopping) -> list[Tally]:
        """One epoch of steps, or what is left of one, and the training loss of each phase on the way; none if it stopped
        before its end. Nothing waits for the device.
        """
        if self.taken == 0:
            self.order = self.sampler.state()
            self.tallies = [Tally(len(self.states), self.job.device) for _ in self.phases]
        batches = self.sampler.epoch()
        for _ in range(self.taken * self.sampler.draws):
            next(batches)  # those of the steps before a stop, which its streams must give once more
        for _ in range(min(self.sampler.steps - self.taken, self.steps - self.step)):
            if stopping():
                return []
            for place, phase in enumerate(self.phases):
                for _ in range(phase.times):
                    batch = next(batches)
                    losses = self._descend(phase, batch)
                    self.tallies[place].add(losses, rows=next(iter(batch.values())).shape[1])
                    if self.step == 0 or self.may_miss:  # the first loss there is
                        begun = self.started_at[place]
                        self.started_at[place] = torch.where(begun.isnan(), losses.mean, begun)
            self.step, self.taken = self.step + 1, self.taken + 1
        self.epoch, self.taken = self.epoch + 1, 0
        return self.tallies

    def _descend(self, phase: Phase, batch: Batch) -> MeanLosses:
        """The losses of one phase. A run in whose batch no row counts leaves the step out: weights, statistics, moments."""
        networks = [self.networks[name] for name in phase.updates]
        guarded = self.surroundings is not None
        before = [state.statistics.clone() for state in networks] if self.may_miss or guarded else []
        noise = [chance.get_state() for chance in self.context.noise] if guarded else []
        try:
            playback, forth_and_back = self.playbacks[phase.kernel], partial(self._forth_and_back, phase)
            results = forth_and_back(batch) if playback is None else playback(forth_and_back, batch)
        except BaseException as error:  # whatever code of the user's raises on the way back
            if not self.objective.blame(error):
                raise
            for state, old in zip(networks, before, strict=True):
                state.statistics.copy_(old)
            for chance, place in zip(self.context.noise, noise, strict=True):
                chance.set_state(place)
            return self._descend(phase, batch)  # the same step for all others
        mean, total, counts, *gradients = results
        losses = MeanLosses(mean, total, counts)
        missing = None if losses.counts is None or not self.may_miss else (losses.counts == 0)[:, None]
        if missing is not None:
            for state, old in zip(networks, before, strict=True):
                torch.where(missing, old, state.statistics, out=state.statistics)
        factor = SCHEDULES[self.plan.schedule](self.step, self.steps)
        self.networks.descend(phase.updates, gradients, factor, self.resting, missing)
        self.objective.project(phase.kernel, networks[0].weights, self.resting)
        return losses

    def _forth_and_back(self, phase: Phase, batch: Batch) -> Results:
        """The three parts of the losses of a phase, and their gradients."""
        inputs = phase.forward(self.networks, batch)
        losses = self.objective.judge(inputs, phase.kernel)
        if self.penalties[phase.kernel].members:
            penalty = self.penalties[phase.kernel](inputs.points, self.networks[phase.updates[0]])
            losses = losses._replace(mean=losses.mean + penalty)
        # A sum: a mean would make a run's step depend on how many others there are. (With `grad_outputs` instead of a sum,
        # torch imports sympy, a second of every command.)
        gradients = self.networks.gradients(phase.updates, losses.mean.sum())
        return [*(None if part is None else part.detach() for part in losses), *gradients]

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
        failed = self._failed()
        for row, state in enumerate(self.states):
            if not state.moving:
                continue
            is_sound, *values = (line[row] for line in table)
            losses = {
                phase.kernel: EpochLoss(*values[3 * place : 3 * place + 3]) for place, phase in enumerate(self.phases)
            }
            named = dict(zip(valid, values[3 * len(self.phases) :], strict=True))
            state.advance(epoch, losses, named, bool(is_sound))
            if row in failed:
                state.fail(failed[row])
            if state.moving:
                improved[row] = state.judge(self.job.metrics[0], named, self.patience, self.tolerance)
        self._keep(improved)

    def _picture(self, epoch: int, output: Tensor) -> None:
        """Keep a little of what the runs of the first seed put out, at some moments: as it is, or of a lattice of features."""
        regions = self.lattice is not None and epoch in frames(self.epochs)
        if not regions and not (self.job.task.pictured and epoch in moments(self.epochs)):
            return
        seed = self.job.pictured_seed
        places = [row for row, state in enumerate(self.states) if state.run.seed == seed and state.moving]
        if not places:
            return
        seen = self._regions(places) if regions else output[places, :DOTS]
        for row, numbers in self.evaluator.numbers(seen, places).items():
            self.states[row].moments.append((epoch, numbers))

    @torch.no_grad()
    def _regions(self, places: Sequence[int]) -> Tensor:
        """The raw outputs [r, G, O] of the runs at `places`, over the lattice."""
        assert self.lattice is not None
        networks = self.networks.inference_of(torch.tensor(places, device=self.job.device))
        return self.job.task.infer(networks, {"inputs": self.lattice.expand(len(places), -1, -1)})

    def state(self) -> dict[str, Any]:
        """What the training is between two steps: `load` goes on from there, bit for bit, in a training of the same runs."""
        return {
            "networks": self.networks.state(),
            "sampler": self.order if self.taken else self.sampler.state(),
            "tallies": [tally.state() for tally in self.tallies] if self.taken else [],
            "noise": [chance.get_state() for chance in self.context.noise],
            "states": [state.state() for state in self.states],
            "snapshots": [] if self.probe is None else self.probe.state(),
            "started_at": list(self.started_at),
            "penalties": {name: penalty.largest for name, penalty in self.penalties.items()},
            "failures": {str(place): reason for place, reason in self.objective.failures.items()},
            **{name: getattr(self, name) for name in ("resting", "step", "epoch", "taken", "seconds")},
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`, of tensors or arrays. Raises `ValueError` for one of other runs."""
        self.networks.load(state["networks"])
        self.sampler.load(state["sampler"])
        self.order = state["sampler"]
        self.tallies = [Tally.of(tally, self.job.device) for tally in state["tallies"]]
        for chance, place in zip(self.context.noise, state["noise"], strict=True):
            chance.set_state(torch.as_tensor(place))
        for own, part in zip(self.states, state["states"], strict=True):
            own.load(part)
        if self.probe is not None:
            self.probe.load(state["snapshots"])
        for begun, value in zip(self.started_at, state["started_at"], strict=True):
            put(value, into=begun)
        for name, penalty in self.penalties.items():
            largest = state["penalties"][name]
            penalty.largest = None if largest is None else torch.as_tensor(largest, device=self.job.device)
        self.objective.failures = {int(place): str(reason) for place, reason in state["failures"].items()}
        resting = state["resting"]
        self.resting = None if resting is None else torch.as_tensor(resting, device=self.job.device)
        self.step, self.epoch, self.taken = (int(state[name]) for name in ("step", "epoch", "taken"))
        self.before = float(state["seconds"])

    def _probe(self, epoch: int) -> None:
        if self.probe is not None:
            self.probe.snapshot(epoch, lambda x: self.job.task.infer(self.networks.inference, {"inputs": x}))

    def _failed(self) -> dict[int, str]:
        """Why losses of the user's gave up, by row. What they have left behind is put back, and runs that were done are none."""
        failed = self.objective.failed()
        for row, reason in failed.items():
            state = self.states[row]
            if state.status == "stopped" or (state.scores and not state.lost):
                state.fail(reason)
                state.predictions = state.fingerprint = None
                state.scores = {split: dict.fromkeys(scores, math.nan) for split, scores in state.scores.items()}
        self._tidy()
        return failed

    def _tidy(self, everywhere: bool = False) -> None:
        """Put back what code of the user's has changed in the process."""
        for code in self.objective.own if self.surroundings is not None else ():
            code.tidy(self.surroundings, everywhere)

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
        self._tidy(everywhere=True)  # metrics are not what the code may have made of them
        for learned in self.networks.learned:
            learned.restore()
        all_metrics = list({metric.name: metric for metric in (*self.job.metrics, *self.job.evaluation)}.values())
        for split in ("valid", "test", "train"):  # the valid split first: thresholds and temperatures are chosen on it
            output = self._outputs(split)
            measured = self.evaluator(output, split, self.job.metrics if split == "train" else all_metrics)
            scores = {name: values.tolist() for name, values in measured.items()}
            for row, state in enumerate(self.states):
                lost = state.lost
                state.scores[split] = {name: math.nan if lost else values[row] for name, values in scores.items()}
            if split == "test":
                self._hand_out(output)
                crossed = self.evaluator.crossed(output)
        self._calibrate(crossed)
        self._failed()
        self._stand()
        named = self.networks.named()
        for row, state in enumerate(self.states):
            if not state.lost:
                state.weights = named[row]
                state.snapshots = [] if self.probe is None else self.probe.snapshots[row]
        self._tidy(everywhere=True)

    def _stand(self) -> None:
        """Note how runs stand, on one more batch."""
        if not self.job.task.examined:
            return
        batch, pulls, said, alike = next(self.sampler.epoch()), {}, {}, {}
        for phase in self.phases:
            inputs = phase.forward(self.networks.inference, batch)
            outputs = tuple(output.detach().requires_grad_() for output in inputs.outputs)
            losses = self.objective.judge(inputs._replace(outputs=outputs), phase.kernel).mean
            slopes = torch.autograd.grad(losses.sum(), outputs, allow_unused=True)
            means = tuple(output.detach().mean(1, keepdim=True).expand_as(output) for output in outputs)
            said[phase.kernel] = losses.tolist()
            alike[phase.kernel] = self.objective.judge(inputs._replace(outputs=means), phase.kernel).mean.tolist()
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
        for row, choice in self.evaluator.choices().items():
            share = crossed[row] if crossed else 0.0
            self.states[row].calibration = {**choice, "crossed": share} if share > 0 else choice

    def _hand_out(self, output: Tensor) -> None:
        """What the runs predict: in short, and whole where it is to be kept."""
        for row, print_ in self.evaluator.fingerprints(output).items():
            self.states[row].fingerprint = None if self.states[row].lost else print_
        rows = {
            row
            for row, state in enumerate(self.states)
            if not state.lost and state.run.seed in self.job.prediction_seeds
        }
        for row, predictions in self.evaluator.predictions(output, rows).items():
            self.states[row].predictions = predictions
