"""What a page shows of every run of a stack, kept at some epochs while it trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from losscli.stack.train import Keeper, Training


@dataclass(frozen=True)
class Frame:
    """All R runs at the end of one epoch (0: before the first).

    `weights` [R, P] as the network has them in a row; `pull` [R, N] is the size of the gradient of each training row's loss with
    respect to its outputs; `loss` [R] is the mean over the training rows; `train` [R, N] and `valid` [R, M] are what is
    predicted: a class, or a number in the user's units.
    """

    epoch: int
    weights: np.ndarray
    pull: np.ndarray
    loss: np.ndarray
    train: np.ndarray
    valid: np.ndarray


def epochs_shown(epochs: int, frames: int) -> list[int]:
    """The epochs to keep, from 0 to the last: closer together at the beginning, where more happens.

    >>> epochs_shown(400, 6), epochs_shown(2, 6)
    ([0, 16, 64, 144, 256, 400], [0, 1, 2])
    """
    return sorted({round(epochs * (place / (frames - 1)) ** 2) for place in range(frames)})


class Recorder(Keeper):
    """Keeps a frame at each of `epochs`."""

    def __init__(self, epochs: Sequence[int]):
        self.epochs = set(epochs)
        self.frames: list[Frame] = []

    def load(self, training: Training) -> None:
        self.training = training
        self._keep()

    def save(self, state: Callable[[], Mapping[str, Any]], *, stopped: bool) -> None:
        if self.training.epoch in self.epochs:
            self._keep()

    def _keep(self) -> None:
        training = self.training
        output = self._outputs("train")
        losses, pull = self._pull(output)
        self.frames.append(
            Frame(
                training.epoch,
                training.networks["model"].weights.numpy().copy(),
                pull.numpy(),
                losses.numpy(),
                self._said(output).numpy(),
                self._said(self._outputs("valid")).numpy(),
            )
        )

    @torch.no_grad()
    def _outputs(self, split: str) -> Tensor:
        rows, task = self.training.rows, self.training.job.task
        inputs = rows.part(split, 0, rows.count(split))
        return task.infer(self.training.networks.inference, {"inputs": inputs})

    def _pull(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """The mean loss [R], and the gradient of each row [R, N]: that of the mean, times the rows that count in it."""
        target, weight = self.training.rows.truth("train")
        leaf = output.detach().requires_grad_()
        losses = self.training.objective(leaf, target, weight)
        (slope,) = torch.autograd.grad(losses.sum(), leaf)
        counted = float(output.shape[1]) if weight is None else weight.sum(1, keepdim=True)
        return losses.detach(), slope.norm(dim=-1) * counted

    @torch.no_grad()
    def _said(self, output: Tensor) -> Tensor:
        """What raw outputs [R, N, O] predict, [R, N]."""
        said = output.new_empty(output.shape[:2])
        for readout in self.training.evaluator.readouts:
            prediction = readout.head.predict(output[readout.rows])
            numbers = prediction.numbers if prediction.labels is None else prediction.labels
            said[readout.rows] = numbers.to(said.dtype)
        return said
