"""From where backward() starts, back to the parameters: where is the graph cut, where is it flat, where may it be infinite?"""

from __future__ import annotations

from dataclasses import dataclass, field

from losscli.lint.loss_rules import ancestors
from losscli.lint.machine import Machine
from losscli.lint.targets import is_zero
from losscli.lint.values import Const, Length, Name, Site, Tensor, Unknown, Value, number

CUTS = ("item", "detach")


@dataclass
class Paths:
    """What a gradient reaches: layers, by their id, and whether it may reach what is not known; and what stops it."""

    layers: set[int] = field(default_factory=set)
    unknown: bool = False
    leaves: list[Tensor] = field(default_factory=list)
    cuts: list[Tensor] = field(default_factory=list)
    steps: list[tuple[Tensor, Tensor | None]] = field(default_factory=list)  # with the loss that it is on the way to
    roots: list[Tensor] = field(default_factory=list)
    critics: list[Tensor] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        return bool(self.layers) or self.unknown


def paths(root: Value) -> Paths:
    """Follow the gradient from a loss."""
    reached = Paths()
    left: list[tuple[Value, Tensor | None]] = [(root, None)]
    seen: set[int] = set()
    while left:
        value, loss = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if not isinstance(value, Tensor):
            reached.unknown = reached.unknown or (not isinstance(value, (Const, Length, Name)) and not is_data(value))
        elif not value.tracked:
            continue
        else:
            left += _through(value, loss, reached)
    return reached


def _through(value: Tensor, loss: Tensor | None, reached: Paths) -> list[tuple[Value, Tensor | None]]:
    """Note one tensor, and give what the gradient goes on to."""
    if value.op in CUTS:
        reached.cuts.append(value)
    if value.facts.get("leaf") or value.op == "parameter":
        reached.leaves.append(value)
        reached.unknown = reached.unknown or value.op == "parameter"
        return []
    if value.op in CUTS:
        return []
    if value.op == "step":
        reached.steps.append((value, loss))
        return []
    if value.op == "input":
        return []
    layer = value.facts.get("layer")
    if layer is not None:
        reached.layers.add(id(layer))
    if value.op == "sqrt" or (value.op == "pow" and number(value.inputs[1]) == 0.5):
        reached.roots.append(value)
    if value.op in ("add", "sub"):
        reached.critics.append(value)
    inner = value if value.op == "loss" else loss
    contract = value.facts.get("loss")
    inputs = value.inputs
    if contract is not None and contract.target in ("classes", "signs", "labels"):
        inputs = tuple(item for item, name in zip(inputs, contract.tensors, strict=False) if name != "target")
    return [(item, inner) for item in inputs]


def is_data(value: Value) -> bool:
    """Whether a value is data: what a loop took out of a loader."""
    return isinstance(value, Unknown) and value.data


def examine(m: Machine, root: Value, site: Site) -> None:
    """Report what keeps the gradient of a loss from what is to be trained, or makes it infinite."""
    if not isinstance(root, Tensor) or m.untracked:
        return
    reached = paths(root)
    _infinite(m, reached)
    _critic(m, reached)
    if reached.alive or any(not is_zero(leaf) and leaf.op != "detach" and leaf.op != "item" for leaf in reached.leaves):
        return
    related = [(site, "backward() is called here")]
    steps = [step for step in reached.steps if _from_model(step[0])]
    if steps:
        step, loss = steps[0]
        place = loss.site if loss is not None else step.site
        m.emit("loss-not-differentiable", place, related=[(step.site, "here it becomes a step"), *related])
        return
    cuts = [cut for cut in reached.cuts if _from_model(cut)]
    if cuts and not cuts[0].facts.get("leaf"):
        first = [cut for cut in ancestors(cuts[0]) if cut.op in CUTS and _from_model(cut)][-1]
        m.emit("graph-cut-before-backward", first.site, related=related)


def _from_model(value: Tensor) -> bool:
    """Whether something that could be trained lies behind a tensor: a layer, or what is not known."""
    for item in ancestors(value):
        if item.op == "linear" or item.facts.get("layer") is not None or item.op in ("parameter", "loss"):
            return True
        if any(not isinstance(inner, (Tensor, Const, Length, Name)) for inner in item.inputs):
            return True
    return False


def _infinite(m: Machine, reached: Paths) -> None:
    """Roots of a squared difference, without a small number added."""
    for root in reached.roots:
        value = root.inputs[0]
        while isinstance(value, Tensor) and value.op in ("view", "mean", "sum"):
            value = value.inputs[0]
        if not isinstance(value, Tensor):
            continue
        squared = value.op == "pow" and number(value.inputs[1]) == 2
        difference = squared and isinstance(inner := value.inputs[0], Tensor) and inner.op == "sub"
        error = value.op == "loss" and value.facts["loss"].kind == "MSELoss"
        if (difference and number(value.inputs[0].inputs[1]) is None) or error:  # type: ignore[union-attr]
            m.emit("sqrt-without-eps", root.site, related=[(value.site, "this may become 0")])


def _critic(m: Machine, reached: Paths) -> None:
    """The difference of two means of one model's bounded output."""
    for value in reached.critics:
        signs = [_mean_of_bounded(item) for item in value.inputs]
        if len(signs) != 2 or None in signs:
            continue
        (sign, one), (other_sign, other) = (item for item in signs if item is not None)
        opposite = sign != (other_sign if value.op == "add" else -other_sign)
        if opposite and one.site == other.site:
            m.emit("wgan-critic-bounded", value.site, related=[(one.site, f"the {one.op} is applied here")])


def _mean_of_bounded(value: Value) -> tuple[int, Tensor] | None:
    sign = 1
    mean = False
    while isinstance(value, Tensor) and value.op in ("neg", "mean", "view"):
        sign = -sign if value.op == "neg" else sign
        mean = mean or value.op == "mean"
        value = value.inputs[0]
    return (sign, value) if mean and isinstance(value, Tensor) and value.op in ("sigmoid", "tanh") else None
