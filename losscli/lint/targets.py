"""Targets: which values they have, and whether their shape fits the predictions'."""

from __future__ import annotations

from losscli.lint.machine import Machine
from losscli.lint.values import Shape, Site, Tensor, Value, number
from losscli.rules.contract import TorchLoss

SAME_VALUES = ("view", "detach")


def domain(value: Value) -> frozenset[float] | None:
    """The values that a tensor can have, where they are few and known."""
    if not isinstance(value, Tensor):
        return None
    facts = value.facts
    if value.op in SAME_VALUES or (value.op == "step" and facts.get("cast")):
        inner = domain(value.inputs[0])
        drawn = value.inputs[0]
        if inner is None and value.op == "step" and isinstance(drawn, Tensor) and drawn.facts.get("made") == "rand":
            return frozenset((0, 1))  # rand().round()
        return inner
    if facts.get("domain") is not None:
        return frozenset(facts["domain"])
    if facts.get("range") == (0, 2) or facts.get("made") == "bernoulli":
        return frozenset((0, 1))
    if facts.get("made") in ("zeros", "zeros_like"):
        return frozenset((0,))
    return None


def clash(one: Shape | None, other: Shape | None) -> bool:
    """Whether (N, 1) meets (N,).

    >>> clash((32, 1), (32,)), clash((32, 1), (1,)), clash((32, 3), (3,))
    (True, False, False)
    """
    if one is None or other is None or {len(one), len(other)} != {1, 2}:
        return False
    column, row = (one, other) if len(one) == 2 else (other, one)
    return column[1] == 1 and column[0] == row[0] and row[0] not in (None, 1)


def broadcasting(m: Machine, loss: TorchLoss, first: Value, target: Value, site: Site) -> None:
    """Predictions and targets of a loss that would broadcast in silence."""
    if not (loss.broadcasts and isinstance(first, Tensor) and isinstance(target, Tensor)):
        return
    if clash(first.shape, target.shape):
        m.emit("broadcast-n1-n", site, _shapes(first.shape, target.shape))


def _shapes(one: Shape | None, other: Shape | None) -> str:
    return f"{written(one)} and {written(other)}"


def written(shape: Shape | None) -> str:
    """A shape as Python writes it.

    >>> written((32,)), written(("batch", 1))
    ('(32,)', '(batch, 1)')
    """
    inside = ", ".join(str(size) for size in shape or ())
    return f"({inside},)" if shape is not None and len(shape) == 1 else f"({inside})"


def beyond(m: Machine, loss: TorchLoss, first: Value, target: Value, site: Site) -> None:
    """More classes in the target than outputs."""
    if loss.target != "classes" or not (isinstance(first, Tensor) and isinstance(target, Tensor)):
        return
    outputs = first.shape[1] if first.shape and len(first.shape) == 2 else None
    high = target.facts.get("range", (None, None))[1]
    if isinstance(outputs, int) and high is not None and high > outputs:
        m.emit("targets-beyond-outputs", site, f"{outputs} outputs, {int(high)} classes")


def is_zero(value: Value) -> bool:
    """Whether a value is a zero to which something is added."""
    return number(value) == 0 or domain(value) == frozenset((0,))
