"""Lists, tuples, dicts and containers of layers: what is in them, and what is put into them."""

from __future__ import annotations

import ast
from typing import Any

from losscli.lint.machine import Machine
from losscli.lint.values import (
    UNKNOWN,
    Class,
    Const,
    Instance,
    Items,
    Layer,
    Parameters,
    Shape,
    Table,
    Tensor,
    Unknown,
    Value,
)
from losscli.lint.vocabulary import CONTAINERS

SEQUENTIAL = "*"  # where an object of a subclass of Sequential keeps its layers


def items_of(value: Value) -> tuple[Value, ...] | None:
    """The items of a list, a tuple or a container of layers; None where they are not known."""
    if isinstance(value, Items):
        return value.items
    if isinstance(value, Layer) and value.kind in (*CONTAINERS, "record"):
        return tuple(value.slots.values()) if None not in value.slots else None
    if isinstance(value, Table):
        return None
    return None


def extend(m: Machine, target: Items, value: Value) -> None:
    """Put the items of a value at a list's end."""
    new = items_of(value)
    constant = target.items is not None and new is not None
    m.write(target.slots, "items", (*(target.items or ()), *(new or ())) if constant else None)


def append(m: Machine, target: Items, value: Value, node: ast.AST) -> None:
    """Put one value at a list's end."""
    m.write(target.slots, "items", (*target.items, value) if target.items is not None else None)
    if isinstance(value, Tensor):
        m.event("added", target, node, value)


def position(m: Machine, node: ast.expr) -> Any:
    """A constant index, a slice of constants, or None."""
    from losscli.lint.expressions import evaluate

    if isinstance(node, ast.Slice):
        parts = [evaluate(m, part) if part is not None else Const(None) for part in (node.lower, node.upper, node.step)]
        if all(isinstance(part, Const) and isinstance(part.value, (int, type(None))) for part in parts):
            return slice(*(part.value for part in parts if isinstance(part, Const)))
        return None
    value = evaluate(m, node)
    return value.value if isinstance(value, Const) and isinstance(value.value, (int, str)) else None


def index(m: Machine, value: Value, node: ast.Subscript) -> Value:
    """`value[...]`."""
    if isinstance(value, Tensor):
        return _of_tensor(m, value, node)
    at = position(m, node.slice)
    if isinstance(value, Instance) and SEQUENTIAL in value.slots:
        value = value.slots[SEQUENTIAL]
    if isinstance(value, Table):
        return value.slots.get(at, UNKNOWN) if at is not None else UNKNOWN
    if isinstance(value, Layer) and isinstance(at, str):
        return value.slots.get(at, UNKNOWN)  # type: ignore[no-any-return]
    items = items_of(value)
    if items is not None and isinstance(at, (int, slice)) and not isinstance(at, bool):
        return _picked(value, items, at)
    if isinstance(value, Unknown):
        return Unknown(f"{value.key}[]" if value.key else "", value.data)
    return value if isinstance(value, Class) else UNKNOWN  # Generic[T]


def _picked(value: Value, items: tuple[Value, ...], at: int | slice) -> Value:
    if isinstance(at, slice):
        part = items[at]
        if isinstance(value, Layer):
            return Layer(value.kind, {}, value.site, {str(place): item for place, item in enumerate(part)})
        return Items({"items": part})
    return items[at] if -len(items) <= at < len(items) else UNKNOWN


def _of_tensor(m: Machine, value: Tensor, node: ast.Subscript) -> Value:
    from losscli.lint.expressions import evaluate

    if not isinstance(node.slice, (ast.Slice, ast.Constant, ast.UnaryOp)):
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for part in parts:
            if not isinstance(part, ast.Slice):
                evaluate(m, part)
    return m.tensor("view", node, value, shape=indexed(value.shape, node.slice))


def indexed(shape: Shape | None, node: ast.expr) -> Shape | None:
    """The shape after indexing with plain indices, whole slices and None."""
    if shape is None:
        return None
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    sizes, left = [], list(shape)
    for part in parts:
        if isinstance(part, ast.Constant) and part.value is None:
            sizes.append(1)
        elif (isinstance(part, ast.Constant) and part.value is Ellipsis) or not left:
            return None
        elif isinstance(part, ast.Slice):
            whole = part.lower is None and part.upper is None and part.step is None
            size = left.pop(0)
            sizes.append(size if whole else None)  # type: ignore[arg-type]
        elif isinstance(part, (ast.Constant, ast.UnaryOp)):
            left.pop(0)
        else:
            return None
    return (*sizes, *left)


def parameters_in(value: Value) -> Parameters | None:
    """The parameters that an optimizer's first argument holds; None where it says nothing."""
    if isinstance(value, Parameters):
        return value
    if isinstance(value, Table) and "params" in value.slots:
        return parameters_in(value.slots["params"])
    if isinstance(value, Tensor):
        layer = value.facts.get("layer")
        return Parameters((layer,), whole=False) if layer is not None else Parameters((value,))
    items = items_of(value)
    if items is None:
        return None
    parts = [parameters_in(item) for item in items]
    of = tuple(module for part in parts if part is not None for module in part.of)
    return Parameters(of, all(part is not None and part.whole for part in parts))
