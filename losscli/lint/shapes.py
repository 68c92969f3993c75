"""Shapes after views and reductions, as far as they are plain."""

from __future__ import annotations

import ast
from typing import Any

from losscli.lint.calls import Arguments
from losscli.lint.machine import Machine
from losscli.lint.values import Const, Shape, Tensor, Value, number
from losscli.lint.vocabulary import words

KEEP = words(
    "contiguous float double half bfloat16 to cuda cpu type type_as clone dropout dropout2d requires_grad_ retain_grad "
    "pin_memory"
)


def viewed(m: Machine, name: str, value: Value, given: Arguments, node: ast.AST) -> Value:
    """The same values in another shape, type or place."""
    shape = view_shape(name, value.shape if isinstance(value, Tensor) else None, given)
    made = m.tensor("view", node, value, shape=shape)
    if name in KEEP and isinstance(value, Tensor):
        made.facts.update({key: value.facts[key] for key in ("last",) if key in value.facts})
    if name == "requires_grad_" and isinstance(value, Tensor):
        from losscli.lint.loss_rules import forced

        off = given.get(1, "requires_grad")
        if not (isinstance(off, Const) and off.value is False):
            forced(m, value, node)
        return value
    return made


def view_shape(name: str, shape: Shape | None, given: Arguments) -> Shape | None:
    """The shape after a view of that name."""
    if shape is None:
        return None
    if name in KEEP:
        return shape
    at = number(given.get(1, "dim"))
    if name == "squeeze":
        if at is None:
            return tuple(size for size in shape if size != 1) if len(given.all) == 1 and None not in shape else None
        return _without(shape, int(at), only_one=True)
    if name == "unsqueeze" and at is not None:
        place = int(at) % (len(shape) + 1)
        return (*shape[:place], 1, *shape[place:])
    if name in ("t",) and len(shape) == 2:
        return shape[::-1]
    if name in ("flatten", "ravel"):
        return (None,) if len(given.all) == 1 and len(shape) != 1 else shape if len(shape) == 1 else None
    if name in ("view", "reshape"):
        from losscli.lint.torch_calls import sizes_of

        sizes = sizes_of(given.positional[1:])
        return tuple(None if size == -1 else size for size in sizes) if sizes is not None else None
    return None


def _without(shape: Shape, at: int, only_one: bool = False) -> Shape | None:
    if not -len(shape) <= at < len(shape):
        return None
    place = at % len(shape)
    if only_one and shape[place] != 1:
        return shape if shape[place] is not None else None
    return (*shape[:place], *shape[place + 1 :])


def reduced(m: Machine, op: str, value: Value, given: Arguments, node: ast.AST) -> Value:
    """A mean, sum, norm or argmax, over an axis or over all."""
    shape = value.shape if isinstance(value, Tensor) else None
    axis = given.get(2, "dim") if op == "norm" else given.get(1, "dim") or given.named.get("axis")
    whole = axis is None or (isinstance(axis, Const) and axis.value is None)
    keep = given.named.get("keepdim", given.get(2 if op != "norm" else 3))
    facts: dict[str, Any] = {"whole": whole}
    size: Shape | None = ()
    if not whole:
        at = number(axis)
        keepdim = isinstance(keep, Const) and bool(keep.value)
        size = None if shape is None or at is None or not -len(shape) <= at < len(shape) else shape
        if size is not None and at is not None:
            place = int(at) % len(size)
            size = (*size[:place], *((1,) if keepdim else ()), *size[place + 1 :])
    made = m.tensor(op, node, value, shape=size, **facts)
    if op in ("mean", "sum") and whole:
        from losscli.lint.loss_rules import spread

        spread(m, made)
    return made
