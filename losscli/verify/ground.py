"""What every other property stands on: one number per sample, the same twice, and hands off the inputs."""

from __future__ import annotations

import torch
from torch import Tensor

from losscli.verify import Case, Sample, must
from losscli.verify.draw import ordinary


@must(
    "one-number-per-sample",
    "for predictions of R runs with B samples each it returns [R, B]; over a batch, [R]",
    why="a [B, 1] against a [B] is broadcast to [B, B] without a word, and every sample is compared with every other",
    draws=ordinary,
    ground=True,
)
def one_number_per_sample(case: Case, sample: Sample) -> str | None:
    """The shape of the result, which must be a tensor of the prediction's number type."""
    values = case.value(sample)
    runs, batch = sample.raw.shape[:2]
    expected = [runs] if case.loss.over_batch else [runs, batch]
    if not isinstance(values, Tensor):
        return f"it returns a {type(values).__name__}, not a tensor"
    if list(values.shape) != expected:
        return f"{runs} run(s) of {batch} sample(s) give the shape {list(values.shape)}, not {expected}"
    return None if values.is_floating_point() else f"it returns {values.dtype}, not floating-point numbers"


@must(
    "inputs-unchanged",
    "predictions and targets are what they were before the call",
    why="an operation in place (clamp_, sub_) changes what the next loss or metric sees, or breaks the gradient",
    draws=ordinary,
    ground=True,
)
def inputs_unchanged(case: Case, sample: Sample) -> str | None:
    """Bit for bit."""
    prediction, target = case.prediction(sample.raw).clone(), sample.target_as(torch.float64).clone()
    copies = prediction.clone(), target.clone()
    case.judge(prediction, target)
    for what, now, before in (("prediction", prediction, copies[0]), ("target", target, copies[1])):
        if not torch.equal(now, before):
            return f"the call changes the {what}"
    return None


@must(
    "same-twice",
    "two calls with the same inputs give the same numbers, and the global random numbers stay where they were",
    why="randomness inside a loss makes runs that cannot be repeated; chance belongs to the run, which hands it in",
    draws=ordinary,
    ground=True,
)
def same_twice(case: Case, sample: Sample) -> str | None:
    """Bit for bit; a NaN is as good as a NaN."""
    before = torch.get_rng_state()
    first, second = case.value(sample), case.value(sample)
    if not torch.equal(torch.get_rng_state(), before):
        torch.set_rng_state(before)
        return "the call draws random numbers from torch's global generator"
    if torch.allclose(first, second, rtol=0, atol=0, equal_nan=True):
        return None
    return f"two calls differ by up to {float((first - second).abs().max()):.3g}"
