"""Optimizers over the matrix of all runs, with a learning rate per run.

They are written here because a stack needs what torch's own lack: a rate per row, rows that stand still bit by bit, and
clipping within a row. (They also spare the second that building the first `torch.optim` object takes.) Each equals its
namesake in `torch.optim` with the same settings; the tests hold them against it.

An optimizer is one class here, and the plan knows it by its name: so torch is not loaded before there is something to move.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import sqrt
from typing import TYPE_CHECKING, TypeVar

from losscli.lazy import Tensor, torch

if TYPE_CHECKING:
    from losscli.stack.plan import Plan


class Optimizer(ABC):
    """`step` moves the weights [R, P] in place, against the gradients [R, P], by rates [R, 1]."""

    def __init__(self, plan: Plan, weights: Tensor):
        self.plan = plan
        self.weights = weights
        self.steps = 0
        self.missed: Tensor | int = 0  # [R, 1]: how many of the steps each run has left out
        self.update = weights.new_empty(weights.shape)
        self.state: list[Tensor] = []  # what one step hands on to the next

    def moment(self) -> Tensor:
        """A matrix [R, P] of zeros that is part of the state."""
        self.state.append(self.weights.new_zeros(self.weights.shape))
        return self.state[-1]

    def step(
        self, gradients: Tensor, rates: Tensor, resting: Tensor | None = None, missing: Tensor | None = None
    ) -> None:
        """One step. Rows of `resting` [R, 1] (bool) stay bit-equal, whatever their gradients are, from now on.

        Rows of `missing` [R, 1] (bool) leave out this step alone: for them, moments too, it has never been.
        """
        self.steps += 1
        before = []
        if missing is not None:
            self.missed = self.missed + missing.double()
            before = [moment.clone() for moment in self.state]
        if self.plan.clip is not None:
            norms = torch.linalg.vector_norm(gradients, dim=1, keepdim=True)  # [R, 1]: each run by itself
            gradients.mul_((self.plan.clip / (norms + 1e-6)).clamp_(max=1.0))  # 1e-6 as in clip_grad_norm_ of torch
        self.direct(gradients)
        if missing is not None:
            for moment, previous in zip(self.state, before, strict=True):
                torch.where(missing, previous, moment, out=moment)
        for still in (resting, missing):
            if still is not None:
                self.update.masked_fill_(still, 0.0)
        self.weights.addcmul_(self.update, rates, value=-1)

    @abstractmethod
    def direct(self, gradients: Tensor) -> None:
        """Put the direction of descent, for a learning rate of 1, into `self.update`. May change `gradients`."""

    def decay(self, gradients: Tensor) -> Tensor:
        """The gradients with the L2 penalty of `weight_decay` added (not for AdamW, whose decay is decoupled)."""
        return gradients.add_(self.weights, alpha=self.plan.decay) if self.plan.decay else gradients


OPTIMIZERS: dict[str, type[Optimizer]] = {}
Kind = TypeVar("Kind", bound=type[Optimizer])


def optimizer(name: str) -> Callable[[Kind], Kind]:
    """Enter the decorated class under that name."""

    def register(kind: Kind) -> Kind:
        OPTIMIZERS[name] = kind
        return kind

    return register


@optimizer("adam")
class Adam(Optimizer):
    """Kingma and Ba 2014 (arXiv 1412.6980), with the betas of the plan and epsilon 1e-8."""

    eps = 1e-8

    def __init__(self, plan: Plan, weights: Tensor):
        super().__init__(plan, weights)
        self.beta1, self.beta2 = plan.betas
        self.mean, self.square = self.moment(), self.moment()

    def direct(self, gradients: Tensor) -> None:
        self.moments(self.decay(gradients))

    def moments(self, gradients: Tensor) -> None:
        """The bias-corrected ratio of the moments, into `self.update`."""
        self.mean.lerp_(gradients, 1 - self.beta1)
        self.square.mul_(self.beta2).addcmul_(gradients, gradients, value=1 - self.beta2)
        ratio, eps = self.corrections()
        # Plain: (m / c1) / (sqrt(v) / c2 + eps). The same with fewer passes over the matrix:
        torch.sqrt(self.square, out=self.update).mul_(ratio).add_(eps)
        torch.div(self.mean, self.update, out=self.update)

    def corrections(self) -> tuple[float | Tensor, float | Tensor]:
        """c1 / c2 and c1 eps of the bias corrections c1 = 1 - beta1^t and c2 = sqrt(1 - beta2^t), t a run's own steps."""
        if isinstance(self.missed, int):
            own = 1 - self.beta1**self.steps
            return own / sqrt(1 - self.beta2**self.steps), self.eps * own
        taken = (
            self.steps - self.missed
        )  # [R, 1] float64, as Python's own numbers; a run that took none yet misses this one
        first, second = 1 - self.beta1**taken, (1 - self.beta2**taken).sqrt()
        return (first / second).to(self.weights.dtype), (self.eps * first).to(self.weights.dtype)


@optimizer("adamw")
class AdamW(Adam):
    """Loshchilov and Hutter 2017 (arXiv 1711.05101): Adam with the decay taken from the weights, not the gradients."""

    def direct(self, gradients: Tensor) -> None:
        self.moments(gradients)
        self.update.add_(self.weights, alpha=self.plan.decay)


@optimizer("sgd")
class Sgd(Optimizer):
    """Stochastic gradient descent, with heavy-ball momentum if the plan asks for it."""

    def __init__(self, plan: Plan, weights: Tensor):
        super().__init__(plan, weights)
        self.velocity = self.moment() if plan.momentum else None

    def direct(self, gradients: Tensor) -> None:
        gradients = self.decay(gradients)
        if self.velocity is not None:
            gradients = self.velocity.mul_(self.plan.momentum).add_(gradients)
        self.update.copy_(gradients)


@optimizer("rmsprop")
class RmsProp(Optimizer):
    """Tieleman and Hinton 2012, smoothing 0.99, epsilon 1e-8, with momentum if the plan asks for it."""

    smoothing, eps = 0.99, 1e-8

    def __init__(self, plan: Plan, weights: Tensor):
        super().__init__(plan, weights)
        self.square = self.moment()
        self.velocity = self.moment() if plan.momentum else None

    def direct(self, gradients: Tensor) -> None:
        gradients = self.decay(gradients)
        self.square.mul_(self.smoothing).addcmul_(gradients, gradients, value=1 - self.smoothing)
        torch.sqrt(self.square, out=self.update)
        torch.div(gradients, self.update.add_(self.eps), out=self.update)  # eps outside the root, as torch has it
        if self.velocity is not None:
            self.update.copy_(self.velocity.mul_(self.plan.momentum).add_(self.update))
