"""What a loss attends to while it trains: how the gradient is shared among easy and hard rows, and which wrong labels are
learned by heart.

Now and then, a sample of the training rows is looked at. A row is as hard as the model finds it at that moment: for classes by
the probability of its true class, for numbers by its distance from the truth, in standard deviations of the target. What a
row weighs is the size of the gradient of the mean loss with respect to the raw outputs of that row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from losscli.stack.evaluate import Evaluator
from losscli.stack.rows import Rows, Run
from losscli.tasks import Prediction, Task

SNAPSHOTS = 9  # at the start, at the end, and evenly between
SAMPLE = 1000  # training rows; where labels were changed on purpose, twice as many


@dataclass(frozen=True)
class Memory:
    """Shares of the rows whose label was changed on purpose that are predicted as changed (learned by heart), and as they
    were before (resisted); and of the other rows that are predicted right.
    """

    memorised: float
    resisted: float
    learned: float


@dataclass(frozen=True)
class Snapshot:
    """One run at the end of one epoch (0: before the first): shares by hardness, from the easiest rows to the hardest."""

    epoch: int
    rows: tuple[float, ...]
    gradient: tuple[float, ...]
    memory: Memory | None = None

    def state(self) -> dict[str, Any]:
        """Its fields in plain words and numbers; `of` makes another of them."""
        return {**vars(self), "memory": None if self.memory is None else dict(vars(self.memory))}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Snapshot:
        """From its fields in plain words and numbers, as `state` and JSON have them."""
        memory = state["memory"]
        rows, gradient = tuple(state["rows"]), tuple(state["gradient"])
        return cls(int(state["epoch"]), rows, gradient, None if memory is None else Memory(**memory))


def epochs_to_probe(epochs: int) -> set[int]:
    """Before the first epoch, after the last, and evenly between.

    >>> sorted(epochs_to_probe(20))
    [0, 2, 5, 8, 10, 12, 15, 18, 20]
    """
    return set(np.linspace(0, epochs, SNAPSHOTS).round().astype(int).tolist())


class Probe:
    """Probes all runs of a stack. `snapshots` has a list for each run."""

    def __init__(self, rows: Rows, evaluator: Evaluator, task: Task, epochs: int):
        self.rows, self.evaluator, self.task = rows, evaluator, task
        self.epochs = epochs_to_probe(epochs)
        self.flipped = _stacked([run.dataset.parts["train"].flipped for run in rows.runs])
        count = rows.count("train")
        size = SAMPLE if self.flipped is None else 2 * SAMPLE
        self.places = torch.linspace(0, count - 1, min(size, count)).round().long()
        self.snapshots: list[list[Snapshot]] = [[] for _ in rows.runs]

    def snapshot(self, epoch: int, forward: Callable[[Tensor], Tensor]) -> None:
        """Note one more epoch, if it is one of those; `forward` gives raw outputs [R, n, O] of rows [R, n, F]."""
        noted = {snapshot.epoch for snapshot in self.snapshots[0]}
        if epoch not in self.epochs or epoch in noted:  # noted before a stop
            return
        inputs, target, weight = self.rows.at("train", self.places)
        with torch.no_grad():
            output = forward(inputs)
        pull = self._pull(output, target, weight)
        for readout in self.evaluator.readouts:
            raw, given = output[readout.rows], target[readout.rows]
            with torch.no_grad():
                prediction = readout.head.predict(raw)
            hardness = self.task.hardness(prediction, readout.head.units(given))
            shares = [table.tolist() for table in _shares(hardness, pull[readout.rows], self.task.hardness_edges)]
            memories = self._memories(prediction, given, readout.places)
            for at, place in enumerate(readout.places):
                rows, gradient = (tuple(table[at]) for table in shares)
                self.snapshots[place].append(Snapshot(epoch, rows, gradient, memories[at]))

    def state(self) -> list[list[dict[str, Any]]]:
        """The snapshots so far, in plain words and numbers."""
        return [[snapshot.state() for snapshot in snapshots] for snapshots in self.snapshots]

    def load(self, state: Sequence[Sequence[Mapping[str, Any]]]) -> None:
        """Go on from there."""
        self.snapshots = [[Snapshot.of(snapshot) for snapshot in snapshots] for snapshots in state]

    def _pull(self, output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """The size of each row's gradient [R, n]; of each label's [R, n, L] where a row has several."""
        leaf = output.detach().requires_grad_()
        losses = self.evaluator.objective(leaf, target, weight)
        try:
            (gradient,) = torch.autograd.grad(losses.sum(), leaf)
        except BaseException as error:  # whatever code of the user's raises on the way back
            if not self.evaluator.objective.blame(error):
                raise
            return self._pull(output, target, weight)
        several = target.ndim == 3 and target.shape == gradient.shape and self.task.yes_or_no
        return gradient.abs() if several else gradient.norm(dim=-1)

    def _memories(self, prediction: Prediction, target: Tensor, places: Sequence[int]) -> list[Memory | None]:
        """What became of the changed labels; None where there are none, or a row has no one label."""
        if self.flipped is None or prediction.labels is None or target.ndim != 2:
            return [None] * len(places)
        decided = prediction.labels.cpu()
        return [
            _memory(decided[at], target[at].cpu(), self.flipped[place][self.places], self._clean(self.rows.runs[place]))
            for at, place in enumerate(places)
        ]

    def _clean(self, run: Run) -> Tensor:
        clean = run.dataset.parts["train"].clean
        assert clean is not None  # it comes with `flipped`
        return torch.from_numpy(clean)[self.places]


def _stacked(flipped: Sequence[np.ndarray | None]) -> list[Tensor] | None:
    """Which training rows were changed, for each run; None where none was in any."""
    if all(mask is None or not mask.any() for mask in flipped):
        return None
    return [torch.from_numpy(mask) if mask is not None else torch.zeros(0, dtype=torch.bool) for mask in flipped]


def _shares(hardness: Tensor, pull: Tensor, limits: Sequence[float]) -> tuple[Tensor, Tensor]:
    """By class of hardness, the share of the rows and of the gradient, [r, B] each; NaN where there is no gradient."""
    hardness, pull = hardness.flatten(1), pull.flatten(1).double()
    kind = torch.bucketize(hardness.contiguous(), hardness.new_tensor(limits))
    member = torch.nn.functional.one_hot(kind, len(limits) + 1).double()  # [r, n, B]
    weighed = (member * pull.unsqueeze(-1)).sum(1)
    return member.mean(1), weighed / pull.sum(1, keepdim=True)


def _memory(decided: Tensor, given: Tensor, flipped: Tensor, clean: Tensor) -> Memory | None:
    """Of one run's sample, [n] each."""
    if not flipped.any():
        return None
    as_given, as_before = (decided == given).double(), (decided == clean.to(decided.dtype)).double()
    return Memory(float(as_given[flipped].mean()), float(as_before[flipped].mean()), float(as_given[~flipped].mean()))
