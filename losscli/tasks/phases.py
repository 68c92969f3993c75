"""How a task trains: its networks, the phases of a step, where its batches come from. What is here says so; the engine does it.

A step is every phase once, each as often as it says. Supervised training is one network, one phase, shuffled rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from losscli.lazy import Tensor

if TYPE_CHECKING:
    from losscli.data.dataset import Layout
    from losscli.losses import Loss

Batch = Mapping[str, Tensor]  # what a sampler drew, by name: [R, B, ...] each
Networks = Mapping[str, Callable[[Tensor], Tensor]]  # by name: inputs [R, B, F] -> raw outputs [R, B, O]


@dataclass(frozen=True)
class UpdateRule:
    """Where a network, or the weights of a loss, move otherwise than the plan says; None is as the plan says.

    `lr` is a learning rate for all runs, in place of the entry's own.
    """

    lr: float | None = None
    betas: tuple[float, float] | None = None
    optimizer: str | None = None
    weight_decay: float | None = None


@dataclass(frozen=True)
class NetworkSpec:
    """One network of a task: what goes in (columns as they are laid out, or so many plain numbers) and how many numbers come
    out. What lies between is the spec's `model:`.

    Without `bias` the last layer has none: where it cancels in the loss (of differences), its gradient is rounding noise,
    which an optimizer that normalises gradients blows up to full steps. Every `heads` outputs are of one target, the first a
    log-rate, where the inputs have an offset to add to it.
    """

    name: str
    inputs: Layout | int
    outputs: int
    bias: bool = True
    rule: UpdateRule = UpdateRule()
    heads: int = 1


@dataclass(frozen=True)
class Sizes:
    """What a run asks of its networks: the layout of its features, the outputs that its target and its loss need, how many of
    them each target has.
    """

    layout: Layout
    outputs: int
    loss: Loss
    heads: int = 1


class LossInputs(NamedTuple):
    """What the kernel of a phase judges.

    `outputs` are raw, [R, B, O] each, and go through the run's chain of activations; `target` [R, B, ...] and `weight` [R, B]
    are there if rows have them; `points` are what the penalties of a loss take their points from, [R, B, ...] each.
    """

    outputs: tuple[Tensor, ...]
    target: Tensor | None = None
    weight: Tensor | None = None
    points: Mapping[str, Tensor] = {}


@dataclass(frozen=True)
class Phase:
    """A part of a step: the networks of `updates` move against what the `kernel` of the loss says of `forward`.

    It comes `times` in each step, each time with a batch of its own. The history calls its loss as the kernel is called.
    """

    kernel: str
    updates: tuple[str, ...]
    forward: Callable[[Networks, Batch], LossInputs]
    times: int = 1


@dataclass(frozen=True)
class Sampling:
    """Which sampler of the shelf (`stack/samplers`) draws the batches, and what it is told."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """How one run stands when it has ended, on one more batch (`Task.examined`).

    `pulls` holds, for each phase, how strongly its kernel pulls at each of what it judges: the mean size of the slope by one
    output of one row. `losses` are what the kernels say of a batch, `alike` what they would if all rows of it had the same
    outputs. `penalties` are the largest penalty of each phase that has one, over all steps. `scores` are those of
    the test split, by metric, `best` the most that each metric can be, `baseline`
    what is scored without a model.
    """

    pulls: Mapping[str, Sequence[float]]
    penalties: Mapping[str, float]
    scores: Mapping[str, float]
    best: Mapping[str, float]
    losses: Mapping[str, float] = field(default_factory=dict)
    alike: Mapping[str, float] = field(default_factory=dict)
    baseline: Mapping[str, float] = field(default_factory=dict)


def supervised(networks: Networks, batch: Batch) -> LossInputs:
    """Rows through the model, and their targets."""
    return LossInputs((networks["model"](batch["inputs"]),), batch["target"], batch.get("weight"))
