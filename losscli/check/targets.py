"""What a loss gets beside its input, held against what it means: values and shapes of targets, and weights.

Shape letters: N rows, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from losscli.rules.contract import TorchLoss

Wrong = tuple[str, str, str | None]  # the rule's name, particulars, a severity that is not the rule's own
ROUNDING = {torch.float64: 1e-6, torch.float32: 1e-3}  # by how much a sum of shares may miss 1; else half precision
COARSE = 3e-2


def wrong_targets(loss: TorchLoss, given: Mapping[str, Any]) -> Iterator[Wrong]:
    """What is wrong with the target of one call; `given` are its arguments by name."""
    first, target = given.get(loss.tensors[0]), given.get("target")
    if not (isinstance(first, Tensor) and isinstance(target, Tensor)) or not target.numel() or _hidden(target):
        return
    if loss.target == "classes":
        yield from _shares_over(first, target, 1) if target.is_floating_point() else _classes(first, target, given)
    elif loss.target == "labels":
        yield from _labels(target)
    elif loss.target == "signs":
        yield from _signs(target)
    elif loss.target == "shares":
        yield from _divergence(first, target, bool(given.get("log_target")))
    if loss.broadcasts:
        yield from _broadcast(first, target)
    yield from _weight(loss, target, given)


def _hidden(target: Tensor) -> bool:
    """Whether the values of a tensor cannot be looked at: it has none, or stands for many."""
    return target.is_meta or torch._C._functorch.is_functorch_wrapped_tensor(target) or target.is_sparse


def _range(values: Tensor) -> tuple[float, float]:
    low, high = torch.aminmax(values.detach())
    return float(low), float(high)


def _classes(first: Tensor, target: Tensor, given: Mapping[str, Any]) -> Iterator[Wrong]:
    """Classes by their index."""
    classes = first.shape[1] if first.dim() > 1 else first.shape[0]
    ignored = given.get("ignore_index", -100)
    values = target[target != ignored]
    if not values.numel():
        yield "targets-all-ignored", f"all {target.numel()} are {ignored}", None
        return
    low, high = _range(values)
    if high >= classes:
        yield "targets-beyond-outputs", f"{classes} outputs, and the target goes up to {high:.0f}", None
    if low < 0:
        yield "target-outside-domain", f"a class is {low:.0f}", None


def _shares_over(first: Tensor, target: Tensor, axis: int) -> Iterator[Wrong]:
    """Classes by their probabilities."""
    if target.shape != first.shape:
        return
    if target.detach().min() < 0:
        yield "target-outside-domain", f"a probability is {float(target.min()):.3g}", None
        return
    sums = target.detach().sum(axis if target.dim() > 1 else 0)
    low, high = _range(sums)
    room = ROUNDING.get(target.dtype, COARSE)
    if max(1 - low, high - 1) > room:
        yield "target-shares-not-one", f"they sum to {_span(low, high)}", None


def _span(low: float, high: float) -> str:
    """A range in words, or the one number that it is.

    >>> _span(0.5, 2.0), _span(2.0, 2.0)
    ('0.5 to 2', '2')
    """
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _labels(target: Tensor) -> Iterator[Wrong]:
    """Yes and no, or shares of them."""
    low, high = _range(target)
    if low < 0 or high > 1:
        yield "target-outside-domain", f"{_span(low, high)}, and the loss means 0 to 1", None


def _signs(target: Tensor) -> Iterator[Wrong]:
    """-1 and 1."""
    values = set(torch.unique(target.detach())[:4].tolist())
    if values <= {0, 1} and 0 in values:
        yield "target-not-plus-minus-one", "", None
    elif not values <= {-1, 1}:
        low, high = _range(target)
        yield "target-outside-domain", f"{_span(low, high)}, and the loss means -1 or 1", None


def _divergence(first: Tensor, target: Tensor, logarithmic: bool) -> Iterator[Wrong]:
    """The target of a divergence: probabilities, or their logarithms where that is said."""
    low, high = _range(target)
    if not logarithmic and high <= 0 and low < 0:
        yield "kldiv-log-target", f"its values are {_span(low, high)}", None
    elif logarithmic and low >= 0 and high <= 1 and high > 0:
        yield "kldiv-log-target", f"its values are {_span(low, high)}, with log_target=True", None
    elif not logarithmic and target.dim() > 1:
        sums = [target.detach().sum(axis) for axis in range(1, target.dim())]
        room = ROUNDING.get(target.dtype, COARSE)
        if low < 0 or all(float((total - 1).abs().max()) > room for total in sums):
            yield "target-shares-not-one", f"they sum to {_span(*_range(sums[-1]))}", None


def _broadcast(first: Tensor, target: Tensor) -> Iterator[Wrong]:
    """Shapes that together make more numbers than either has."""
    if first.shape == target.shape:
        return
    try:
        both = torch.Size(torch.broadcast_shapes(first.shape, target.shape))  # type: ignore[no-untyped-call]
    except RuntimeError:
        return  # torch raises, and says so clearly
    if both.numel() > max(first.numel(), target.numel()):
        yield "broadcast-n1-n", f"{tuple(first.shape)} and {tuple(target.shape)}", None


def _weight(loss: TorchLoss, target: Tensor, given: Mapping[str, Any]) -> Iterator[Wrong]:
    """One weight for all, where the rarer of yes and no was meant to count more."""
    weight = given.get("weight")
    if loss.takes not in ("labels", "probabilities") or not isinstance(weight, Tensor) or weight.numel() != 1:
        return
    share, factor = float(target.detach().float().mean()), float(weight)
    if (factor > 1 and share < 0.5) or (factor < 1 and share > 0.5):
        yield "weight-vs-pos-weight", f"weight={factor:.3g} for every element, {share:.0%} of them positive", None
