"""Operators: arithmetic of numbers and tensors, comparisons; and what may broadcast, take a root or a power wrongly."""

from __future__ import annotations

import ast
import operator
from typing import Any

from losscli.lint.machine import Machine
from losscli.lint.values import (
    UNKNOWN,
    Const,
    Items,
    Length,
    Name,
    Parameters,
    Shape,
    Tensor,
    Unknown,
    Value,
    number,
)

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.FloorDiv: "step",
    ast.Mod: "mod",
}
PLAIN = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "step": operator.floordiv,
    "mod": operator.mod,
}
COMPARED: dict[type[ast.cmpop], Any] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.GtE: operator.ge,
}


def binary(m: Machine, op: ast.operator, one: Value, other: Value, node: ast.AST) -> Value:
    """One value of two by an operator of Python."""
    name = OPERATORS.get(type(op), "other")
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return arithmetic(m, name, one, other, node)
    if name == "sub" and isinstance(one, Unknown) and isinstance(other, Unknown):
        return arithmetic(m, name, one, other, node)  # what is squared and averaged later was a tensor
    a, b = number(one), number(other)
    if a is not None and b is not None:
        return _plain(name, a, b)
    if isinstance(one, Parameters) and isinstance(other, Parameters):
        return Parameters((*one.of, *other.of), one.whole and other.whole)
    if name == "add" and isinstance(one, Items) and isinstance(other, Items):
        constant = one.items is not None and other.items is not None
        return Items({"items": (*(one.items or ()), *(other.items or ())) if constant else None}, one.mutable, one.site)
    if isinstance(one, Length) and isinstance(other, Length):
        return UNKNOWN
    return UNKNOWN


def _plain(name: str, a: float, b: float) -> Value:
    action = PLAIN.get(name)
    try:
        if action is None or max(abs(a), abs(b)) > 1e12:
            return UNKNOWN
        return Const(action(a, b))
    except (ArithmeticError, TypeError, ValueError):
        return UNKNOWN


def arithmetic(m: Machine, name: str, one: Value, other: Value, node: ast.AST) -> Tensor:
    """A tensor of two operands, of which one is a tensor at least."""
    from losscli.lint.loss_rules import averaged, focused, penalised

    made = m.tensor(name, node, one, other, shape=_shape(name, one, other))
    if name == "div":
        averaged(m, made)
    if name == "pow":
        focused(m, made)
        penalised(m, made)
    return made


def _shape(name: str, one: Value, other: Value) -> Shape | None:
    a, b = shape_of(one), shape_of(other)
    if a is None or b is None:
        return None
    if name == "matmul":
        if not a or not b:
            return None
        return (*a[:-1], b[-1]) if len(b) > 1 else a[:-1]
    return broadcast(a, b)


def shape_of(value: Value) -> Shape | None:
    """The shape of a value, that of a number being ()."""
    if isinstance(value, Tensor):
        return value.shape
    return () if number(value) is not None or isinstance(value, Length) else None


def broadcast(a: Shape, b: Shape) -> Shape | None:
    """The shape of two together; None where it is not known.

    >>> broadcast((32, 1), (32,)), broadcast(("n", 3), ())
    ((32, 32), ('n', 3))
    """
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    shorter = (1,) * (len(longer) - len(shorter)) + shorter
    sizes: list[int | str | None] = []
    for x, y in zip(longer, shorter, strict=True):
        if x is None or y is None:
            sizes.append(None)
        elif x == y or y == 1:
            sizes.append(x)
        elif x == 1:
            sizes.append(y)
        else:
            return None
    return tuple(sizes)


def unary(m: Machine, op: ast.unaryop, value: Value, node: ast.AST) -> Value:
    """Minus, plus and inversion."""
    if isinstance(value, Tensor):
        name = "neg" if isinstance(op, ast.USub) else "view" if isinstance(op, ast.UAdd) else "step"
        return m.tensor(name, node, value, shape=value.shape)
    constant = number(value)
    if constant is None:
        return UNKNOWN
    return Const(-constant) if isinstance(op, ast.USub) else Const(constant)


def compare(m: Machine, node: ast.Compare, values: list[Value]) -> Value:
    """A comparison: of tensors a tensor of 0 and 1, of constants what Python says."""
    if len(values) != 2:
        return UNKNOWN
    (one, other), op = values, node.ops[0]
    if isinstance(op, (ast.Is, ast.IsNot)):
        return _identity(one, other, isinstance(op, ast.Is))
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        shape = _shape("eq", one, other)
        return m.tensor("step", node, one, other, shape=shape, domain=frozenset((0, 1)))
    if isinstance(one, Const) and isinstance(other, Const) and type(op) in COMPARED:
        try:
            return Const(bool(COMPARED[type(op)](one.value, other.value)))
        except TypeError:
            return UNKNOWN
    return UNKNOWN


def _identity(one: Value, other: Value, positive: bool) -> Value:
    """`is None` and `is not None`."""
    if not (isinstance(other, Const) and other.value is None) or isinstance(one, (Unknown, Name)):
        return UNKNOWN
    return Const((isinstance(one, Const) and one.value is None) == positive)
