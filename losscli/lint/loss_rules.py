"""Rules that look at one operation: logarithms, roots and powers; what is forced, wrapped or divided wrongly."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from losscli.lint.calls import Arguments
from losscli.lint.machine import Machine
from losscli.lint.targets import clash, written
from losscli.lint.values import UNKNOWN, Const, Length, Tensor, Unknown, Value, number

COSTS = ("loss", "cost", "criterion")


def logarithm(m: Machine, made: Tensor) -> None:
    """log(softmax(x)), log(sigmoid(x)), log(1 - sigmoid(x))."""
    if m.untracked:
        return
    value = made.inputs[0]
    while isinstance(value, Tensor) and value.op == "view":
        value = value.inputs[0]
    complement = isinstance(value, Tensor) and value.op == "sub" and number(value.inputs[0]) == 1
    inner = value.inputs[1] if isinstance(value, Tensor) and complement else value
    while isinstance(inner, Tensor) and inner.op == "view":
        inner = inner.inputs[0]
    if not isinstance(inner, Tensor) or inner.op not in ("softmax", "sigmoid"):
        return
    name = "log-of-softmax" if inner.op == "softmax" else "log-of-sigmoid"
    edit = None if complement or made.inputs[0] is not inner else ("log", made.site, inner)
    m.emit(name, made.site, related=[(inner.site, f"the {inner.op} is taken here")], edit=edit)


def over_one(m: Machine, made: Tensor) -> None:
    """A softmax over the last axis, of which the last layer makes one output."""
    at = made.facts.get("dim")
    axis = at.value if isinstance(at, Const) else None
    first = made.inputs[0]
    if not isinstance(first, Tensor) or not isinstance(axis, int):
        return
    if first.shape is not None:
        if -len(first.shape) <= axis < len(first.shape) and first.shape[axis] == 1:
            m.emit("softmax-over-one", made.site)
    elif axis == -1 and first.facts.get("last") == 1:
        m.emit("softmax-over-one", made.site)


def is_mean_loss(value: Value) -> bool:
    """Whether a value is a loss of torch, averaged over the batch."""
    return isinstance(value, Tensor) and value.op == "loss" and value.facts["reduction"] == "mean"


def focused(m: Machine, made: Tensor) -> None:
    """(1 - exp(-mean loss)) ** gamma."""
    base = made.inputs[0]
    if not (isinstance(base, Tensor) and base.op == "sub" and number(base.inputs[0]) == 1):
        return
    p = base.inputs[1]
    if not (isinstance(p, Tensor) and p.op == "exp"):
        return
    turned = p.inputs[0]
    inner = turned.inputs[0] if isinstance(turned, Tensor) and turned.op == "neg" else None
    if isinstance(inner, Tensor) and is_mean_loss(inner):
        m.emit("focal-on-mean", made.site, related=[(inner.site, "the loss is averaged here")])


def penalised(m: Machine, made: Tensor) -> None:
    """(norm of all gradients - 1) ** 2."""
    base = made.inputs[0]
    if not (isinstance(base, Tensor) and base.op == "sub" and number(made.inputs[1]) == 2):
        return
    norm = base.inputs[0]
    if not (isinstance(norm, Tensor) and norm.op == "norm" and norm.facts["whole"]):
        return
    value = norm.inputs[0]
    while isinstance(value, Tensor) and value.op == "view":
        value = value.inputs[0]
    if isinstance(value, Tensor) and value.op == "gradient":
        m.emit("gradient-penalty-norm", made.site, related=[(norm.site, "the norm is taken here")])


def averaged(m: Machine, made: Tensor) -> None:
    """A sum of the batches' mean losses over the number of rows."""
    total, count = made.inputs
    if not (isinstance(count, Length) and count.of == "dataset"):
        return
    parts = list(_addends(total))
    losses = [part for part in parts if isinstance(part, Tensor)]
    if losses and all(is_mean_loss(_number_of(part)) for part in losses):
        m.emit("mean-loss-divided-by-dataset", made.site, related=[(losses[-1].site, "a batch's mean is added here")])


def _addends(value: Value) -> Iterator[Value]:
    """The parts of a sum that was added up; constants left out."""
    if isinstance(value, Tensor) and value.op == "add":
        for part in value.inputs:
            yield from _addends(part)
    elif number(value) is None:
        yield value


def _number_of(value: Value) -> Value:
    """The tensor whose number was taken."""
    while isinstance(value, Tensor) and value.op in ("item", "detach", "view"):
        value = value.inputs[0]
    return value


def spread(m: Machine, made: Tensor) -> None:
    """The mean or sum of an expression in which (N, 1) met (N,)."""
    if m.untracked:
        return
    value = made.inputs[0]
    while isinstance(value, Tensor) and value.op in ("view", "pow", "abs", "mul", "neg", "div"):
        value = value.inputs[0]
    if not (isinstance(value, Tensor) and value.op == "sub"):
        return
    one, other = value.inputs
    if isinstance(one, Tensor) and isinstance(other, Tensor) and clash(one.shape, other.shape) and _learned(one, other):
        m.emit("broadcast-n1-n", value.site, f"{written(one.shape)} and {written(other.shape)}")


def _learned(*values: Tensor) -> bool:
    """Whether one of them, but not all, comes from a layer."""
    made = [any(tensor.op == "linear" for tensor in ancestors(value)) for value in values]
    return any(made) and not all(made)


def ancestors(value: Value) -> Iterator[Tensor]:
    """A tensor and all that it was made of."""
    left, seen = [value], set()
    while left:
        item = left.pop()
        if isinstance(item, Tensor) and id(item) not in seen:
            seen.add(id(item))
            yield item
            left += item.inputs


def forced(m: Machine, owner: Value, node: ast.AST) -> None:
    """requires_grad set on a tensor: on a loss it is a mistake, on data it makes a leaf."""
    if isinstance(owner, Tensor):
        if _is_loss(owner):
            m.emit("requires-grad-forced", m.site(node), related=[(owner.site, "the loss is made here")])
        owner.facts["leaf"] = True
    elif isinstance(owner, Unknown) and _called_loss(owner.key):
        m.emit("requires-grad-forced", m.site(node))


def _called_loss(key: str) -> bool:
    last = key.rpartition(".")[2].lower()
    return last in COSTS or last.endswith("_loss") or last.startswith("loss_")


def _is_loss(value: Tensor) -> bool:
    """Whether a tensor is one number that was computed: a loss, the mean or sum of what a model made, or a sum of such."""
    if value.op == "loss":
        return bool(value.facts["reduction"] != "none")
    if value.op in ("mean", "sum"):
        return bool(value.facts.get("whole")) and any(_of_model(item) for item in ancestors(value))
    if value.op in ("view", "detach", "item", "neg", "add", "sub", "mul", "div", "sqrt"):
        return any(isinstance(item, Tensor) and _is_loss(item) for item in value.inputs)
    return False


def _of_model(value: Tensor) -> bool:
    return value.op in ("linear", "step") or any(isinstance(item, Unknown) for item in value.inputs)


def wrapped(m: Machine, given: Arguments, node: ast.Call) -> Value:
    """Variable(x): the same tensor, unless it is to require a gradient of its own."""
    value = given.get(0, "data") or UNKNOWN
    leaf = given.get(1, "requires_grad")
    if not (isinstance(leaf, Const) and leaf.value is True):
        return value
    if isinstance(value, Tensor) and _is_loss(value):
        m.emit("requires-grad-forced", m.site(node), related=[(value.site, "the loss is made here")])
        return m.tensor("detach", node, value, leaf=True)
    if isinstance(value, Unknown) and _called_loss(value.key):
        m.emit("requires-grad-forced", m.site(node))
    return m.tensor("input", node, leaf=True)


def copied(m: Machine, value: Tensor, leaf: bool, node: ast.AST) -> Tensor:
    """torch.tensor(x) of a tensor: a number without a graph."""
    if leaf and _is_loss(value):
        m.emit("requires-grad-forced", m.site(node), related=[(value.site, "the loss is made here")])
    return m.tensor("item", node, value, shape=value.shape, **({"leaf": True} if leaf else {}))


def overwritten(m: Machine, node: ast.Assign, value: Tensor) -> None:
    """A loss that takes the name of another, in the same block, before anything read that one."""
    value.facts["block"] = m.block
    target = node.targets[0]
    old = m.scope.names.get(target.id) if isinstance(target, ast.Name) else None
    if isinstance(old, Tensor) and old.op == "loss" and old.facts.get("block") == m.block and _unread(old, value):
        m.emit("loss-overwritten", m.site(node), related=[(old.site, "this loss is lost")])


def _unread(old: Tensor, new: Tensor) -> bool:
    return "read" not in old.facts and old.site.line != new.site.line
