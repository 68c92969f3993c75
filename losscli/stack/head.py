"""What stands between a model's raw outputs and the loss: their shape, a chain of activations (right or, on purpose, wrong),
the units; and, on the way back, what the outputs predict.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from losscli.activations import ACTIVATIONS
from losscli.data.dataset import Layout
from losscli.losses import Loss
from losscli.stack.network import on_rates
from losscli.stack.rows import Run
from losscli.tasks import Prediction, TargetScale, Task
from losscli.tasks.phases import Sizes


def through(chain: Sequence[str], x: Tensor) -> Tensor:
    """`x` after every activation of the chain.

    >>> through(("relu", "sigmoid"), torch.tensor([-3.0, 0.0])).tolist()
    [0.5, 0.5]
    """
    for name in chain:
        x = ACTIVATIONS[name](x)
    return x


def meaning(chain: Sequence[str], expects: str) -> str:
    """How predictions are read from what the loss receives.

    As the author of the model would read it: after a sigmoid or a softmax they are probabilities, whatever the loss
    makes of them; otherwise they are what the loss expects.

    >>> meaning(("sigmoid",), "logits"), meaning((), "logits")
    ('probabilities', 'logits')
    """
    return (ACTIVATIONS[chain[-1]].gives or expects) if chain else expects


def heads_of(run: Run, task: Task) -> int | None:
    """How many outputs per target the run's loss needs; None where a target is one output, as the task has it."""
    if run.loss.heads is None:
        return None
    return run.loss.heads(task.outputs(run.dataset.target) if task.has_classes else 1, run.settings)


def outputs_of(run: Run, task: Task) -> int:
    """How many numbers per row the run's model puts out."""
    outputs, heads = task.outputs(run.dataset.target), heads_of(run, task)
    if heads is None:
        return outputs
    return heads if task.has_classes else outputs * heads


def sizes_of(run: Run, task: Task, layout: Layout | None = None) -> Sizes:
    """What the run asks of its networks, for its own features or for the `layout` of a whole stack."""
    own = layout or run.dataset.layout
    heads = heads_of(run, task) if own.offset else None
    return Sizes(own, outputs_of(run, task), run.loss, heads or 1)


def constant_of(run: Run, task: Task) -> Tensor | None:
    """Raw outputs [O] that say of every row what the shares of the classes in training say; None where outputs are no logits.

    A last layer that begins there has not to learn how rare a class is before it learns anything else. A class without a row
    counts as half a one. Of labels that do not exclude each other, each has its own share.
    """
    if run.loss.expects != "logits" or run.output or run.loss.heads is not None:
        return None
    part = run.dataset.parts["train"]
    if task.yes_or_no and not task.rows_have_one_class:
        return torch.from_numpy(_of_labels(part.counted_target, 0.5 / part.rows)).float()
    if not task.rows_have_one_class:
        return None
    shares = np.maximum(task.class_shares(part.counted_target), 0.5 / part.rows)
    logits = torch.from_numpy(np.log(shares / shares.sum())).float()
    outputs = task.outputs(run.dataset.target)
    if outputs == 1 and len(logits) == 2:
        return logits[1:] - logits[:1]
    return logits if len(logits) == outputs else None


def _of_labels(target: np.ndarray, least: float) -> np.ndarray:
    """The logit of each label's share [L] in targets [N, L], with at least the share `least` on either side."""
    yes = target.mean(axis=0, dtype=np.float64)
    logits: np.ndarray = np.log(np.maximum(yes, least) / np.maximum(1 - yes, least))
    return logits


def readout_key(run: Run, task: Task) -> tuple[object, ...]:
    """What runs must share for their outputs to be read in one go, whatever their losses are."""
    loss: Loss = run.loss
    settings = repr(sorted((name, str(value)) for name, value in run.settings.items())) if loss.point else ""
    reading = (run.output, meaning(run.output, loss.expects), heads_of(run, task), loss.own_units)
    return *reading, loss.point, loss.forecast, settings


class Head:
    """The way from raw outputs [r, B, O] of runs that are read alike to their loss, and to their predictions."""

    def __init__(self, runs: Sequence[Run], task: Task, device: torch.device):
        self.task, self.loss = task, runs[0].loss
        self.chain, self.settings = runs[0].output, runs[0].settings
        self.heads = heads_of(runs[0], task)
        self.scale = scale_of(runs, device)
        self.own_units = self.loss.own_units and self.scale is not None

    def receive(self, output: Tensor) -> Tensor:
        """What the loss receives: [r, B], [r, B, K] ... as the task says, with heads in a last dimension of their own."""
        if self.heads is None or self.task.has_classes:
            shaped = output if self.heads is not None else self.task.shape(output)
        else:
            shaped = output.unflatten(-1, (-1, self.heads))  # type: ignore[no-untyped-call]  # [r, B, O, m]
            shaped = shaped.squeeze(2) if shaped.shape[2] == 1 else shaped  # [r, B, m] where there is one target
        prediction = through(self.chain, shaped)
        if self.own_units and self.scale is not None:
            if self.loss.takes_exposure:  # so that training starts at the baseline, the mean
                center = torch.as_tensor(self.scale.center)  # 0 where the target is not standardised: nothing to add
                start = torch.where(center > 0, center.clamp(min=1e-8), 1.0).log()
                return prediction + (start if self.heads is None else on_rates(start.unsqueeze(-1), self.heads))
            return self.scale.in_units(prediction)
        return prediction

    def truth(self, target: Tensor) -> Tensor:
        """The target [r, B, ...], scaled or in units, as the loss takes it: in its own units where it says so."""
        if self.scale is None or self.own_units:
            return self.units(target)
        return self.scale.scaled(target) if target.dtype == torch.float64 else target

    def units(self, target: Tensor) -> Tensor:
        """The target [r, B, ...], scaled (float32) or in units (float64), as metrics take it."""
        return target if self.scale is None or target.dtype == torch.float64 else self.scale.in_units(target)

    def predict(self, output: Tensor) -> Prediction:
        """What raw outputs predict."""
        if not self.task.reads_received:
            return self.task.read(output, "outputs", self.scale)
        prediction = self.receive(output)
        if self.task.has_classes:
            if self.loss.point is not None:
                return self.task.read(self.loss.point(prediction, self.settings), "probabilities")
            return self.task.read(prediction, meaning(self.chain, self.loss.expects))
        if self.loss.forecast is not None and self.loss.forecast.order is not None:
            prediction = self.loss.forecast.order(prediction, self.settings)
        values = prediction if self.loss.point is None else self.loss.point(prediction, self.settings)
        return self.task.read(values, "values", None if self.own_units else self.scale)


def scale_of(runs: Sequence[Run], device: torch.device) -> TargetScale | None:
    """What stands in the scale of each run's target, so that it broadcasts over its rows: [r, 1] or [r, 1, O]."""
    scales = [run.dataset.scale for run in runs if run.dataset.scale is not None]
    if not scales:
        return None
    single = runs[0].dataset.parts["train"].target.ndim == 1

    def stacked(name: str) -> Tensor:
        parts = [np.asarray(getattr(one, name), np.float64) for one in scales]
        values = torch.from_numpy(np.stack(parts)).to(device)  # [r, O]
        return values if single else values[:, None, :]

    first = scales[0]  # the transform is that of the source, which all runs share
    limits = () if first.low is None else (stacked("low"), stacked("high"))
    return TargetScale(stacked("center"), stacked("scale"), first.transform, *limits)
