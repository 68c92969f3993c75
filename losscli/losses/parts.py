"""What a loss may own beside its kernels: penalties on gradients, and weights that are learned with the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from losscli.lazy import Tensor, torch
from losscli.tasks.near_truth import corners


@dataclass(frozen=True)
class Penalty:
    """A function of the gradient of a network's output at some points, which is added to the loss of a kernel.

    `points` makes them, [R, B', F], of what the phase judged (`tasks.phases.LossInputs.points`). `function` takes the gradient
    there, [R, B', F], and options by name, and gives [R, B'], one number for each point: a norm is that of one sample. The
    network is the one that the phase of the kernel moves.
    """

    points: Callable[[Mapping[str, Tensor]], Tensor]
    function: Callable[..., Tensor]
    kernel: str = "discriminator"


def normal(shape: tuple[int, ...], chance: torch.Generator) -> Tensor:
    """Standard normal numbers of that shape."""
    return torch.randn(shape, generator=chance)


@dataclass(frozen=True)
class Weight:
    """A parameter of a loss, such as a proxy or a centre of each class, that is learned in each run's own row.

    `shape` is that of one run, by the number of classes, the outputs of the model and the options; `draw` makes one run's.
    `example` is what it may have become, where a loss is looked at without a model.
    """

    shape: Callable[[int, int, Mapping[str, Any]], tuple[int, ...]]
    draw: Callable[[tuple[int, ...], torch.Generator], Tensor] = normal
    example: Callable[[tuple[int, ...]], Tensor] = corners
