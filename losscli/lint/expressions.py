"""Expressions: what each kind is worth. Nothing is executed; numbers are computed only where they are small and plain."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from losscli.lint.calls import call_node, get_attribute
from losscli.lint.containers import index, items_of
from losscli.lint.machine import Machine
from losscli.lint.operators import binary, compare, unary
from losscli.lint.values import (
    UNKNOWN,
    Class,
    Const,
    Criterion,
    Function,
    Instance,
    Items,
    Layer,
    Optimizer,
    Parameters,
    Table,
    Tensor,
    Unknown,
    Value,
    merged,
)

MOST_TURNS = 12  # items of a known list that a loop takes one by one


def evaluate(m: Machine, node: ast.expr | None) -> Value:
    """What an expression is worth."""
    action = EXPRESSIONS.get(type(node))
    return action(m, node) if action is not None else UNKNOWN


def truth(m: Machine, node: ast.expr) -> bool | None:
    """Whether a condition holds; None where that depends on the run."""
    return truth_of(evaluate(m, node))


def truth_of(value: Value) -> bool | None:
    """Whether a value counts as true; None where that is not known."""
    if isinstance(value, Const):
        return bool(value.value)
    if isinstance(value, (Function, Class, Instance, Layer, Criterion, Optimizer)):
        return True
    return None


def loop_items(over: Value) -> tuple[Value, ...] | None:
    """The items that a loop takes one by one, where they are known and few."""
    items = items_of(over)
    if isinstance(over, Items) and over.slots.get("repeated"):
        return None
    return items if items is not None and len(items) <= MOST_TURNS and UNKNOWN not in items else None


def iterated(m: Machine, over: Value, node: ast.AST) -> Value:
    """What one turn of a loop gets of a thing that is not known item by item."""
    if isinstance(over, Layer) and over.kind == "DataLoader":
        return _batch(m, over.slots.get("dataset", UNKNOWN), node)
    if isinstance(over, Layer) and over.kind == "enumerate":
        return Items({"items": (UNKNOWN, iterated(m, over.slots["over"], node))})
    if isinstance(over, Parameters):
        return m.tensor("parameter", node)
    items = items_of(over)
    if items:
        value = items[0]
        for other in items[1:]:
            value = merged(value, other)
        return value
    return Unknown(data=True)


def _batch(m: Machine, dataset: Value, node: ast.AST) -> Value:
    """A batch of a TensorDataset: its tensors, with an unknown number of rows."""
    if not (isinstance(dataset, Layer) and dataset.kind == "TensorDataset"):
        return Unknown(data=True)
    rows = []
    for value in dataset.slots.values():
        shape = value.shape if isinstance(value, Tensor) else None
        facts = value.facts if isinstance(value, Tensor) else {}
        batch = m.tensor("view", node, value, shape=("batch", *shape[1:]) if shape else None)
        batch.facts.update(facts)
        rows.append(batch)
    return Items({"items": tuple(rows)})


def _name(m: Machine, node: ast.Name) -> Value:
    return m.look_up(node.id)


def _constant(m: Machine, node: ast.Constant) -> Value:
    return Const(node.value)


def _attribute(m: Machine, node: ast.Attribute) -> Value:
    return get_attribute(m, evaluate(m, node.value), node)


def _items(m: Machine, node: ast.List | ast.Tuple | ast.Set) -> Value:
    items: list[Value] = []
    for inner in node.elts:
        value = evaluate(m, inner.value if isinstance(inner, ast.Starred) else inner)
        if isinstance(inner, ast.Starred):
            verdict = items_of(value)
            items += [value] if isinstance(value, Parameters) else list(verdict) if verdict is not None else [UNKNOWN]
        else:
            items.append(value)
    return Items({"items": tuple(items)}, isinstance(node, ast.List), m.site(node))


def _dict(m: Machine, node: ast.Dict) -> Value:
    slots: dict[Any, Any] = {}
    for key, inner in zip(node.keys, node.values, strict=True):
        value = evaluate(m, inner)
        name = evaluate(m, key) if key is not None else UNKNOWN
        if isinstance(name, Const) and isinstance(name.value, (str, int, bool)):
            slots[name.value] = value
        elif key is None and isinstance(value, Table):
            slots.update(value.slots)
        else:
            slots[None] = UNKNOWN  # something is in it that is not known
    return Table(slots, m.site(node))


def _binary(m: Machine, node: ast.BinOp) -> Value:
    return binary(m, node.op, evaluate(m, node.left), evaluate(m, node.right), node)


def _unary(m: Machine, node: ast.UnaryOp) -> Value:
    value = evaluate(m, node.operand)
    if isinstance(node.op, ast.Not):
        verdict = truth_of(value)
        return Const(not verdict) if verdict is not None else UNKNOWN
    return unary(m, node.op, value, node)


def _compare(m: Machine, node: ast.Compare) -> Value:
    values = [evaluate(m, node.left), *(evaluate(m, inner) for inner in node.comparators)]
    return compare(m, node, values)


def _boolean(m: Machine, node: ast.BoolOp) -> Value:
    """`and` and `or`, as far as they are known: what decides, or the last."""
    decides = isinstance(node.op, ast.Or)
    values = [evaluate(m, inner) for inner in node.values]
    unknown = False
    for value in values:
        verdict = truth_of(value)
        if verdict is decides and not unknown:
            return value
        unknown = unknown or verdict is None
    return UNKNOWN if unknown else values[-1]


def _if(m: Machine, node: ast.IfExp) -> Value:
    verdict = truth(m, node.test)
    if verdict is not None:
        return evaluate(m, node.body if verdict else node.orelse)
    return merged(evaluate(m, node.body), evaluate(m, node.orelse))  # type: ignore[no-any-return]


def _lambda(m: Machine, node: ast.Lambda) -> Value:
    return Function(node, m.scope)


def _subscript(m: Machine, node: ast.Subscript) -> Value:
    return index(m, evaluate(m, node.value), node)


def _comprehension(m: Machine, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Value:
    """One turn of a comprehension; of a known list, every item."""
    from losscli.lint.statements import bind

    first = node.generators[0]
    over = evaluate(m, first.iter)
    items = loop_items(over) if len(node.generators) == 1 and not first.ifs else None
    before = {name.id: m.scope.names.get(name.id) for name in ast.walk(first.target) if isinstance(name, ast.Name)}
    results = []
    for item in items if items is not None else (iterated(m, over, node),):
        bind(m, first.target, item)
        for other in node.generators[1:]:
            bind(m, other.target, iterated(m, evaluate(m, other.iter), node))
        results.append(evaluate(m, node.elt))
    for name, value in before.items():
        if value is not None:
            m.write(m.scope.names, name, value)
    if isinstance(over, Parameters):
        return Parameters(over.of, whole=False)
    if items is None:
        results = [*results, *results]  # how many there are is not known: more than one
    slots: dict[Any, Any] = {"items": tuple(results)}
    return Items(slots if items is not None else slots | {"repeated": True}, True, m.site(node))


def _walrus(m: Machine, node: ast.NamedExpr) -> Value:
    value = evaluate(m, node.value)
    m.write(m.scope.names, node.target.id, value)
    return value


def _inner(m: Machine, node: Any) -> Value:
    return evaluate(m, node.value)


def _only_looked_at(m: Machine, node: ast.expr) -> Value:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.FormattedValue):
            evaluate(m, inner.value)
    return UNKNOWN


def _dict_comprehension(m: Machine, node: ast.DictComp) -> Value:
    from losscli.lint.statements import bind

    first = node.generators[0]
    over = evaluate(m, first.iter)
    items = loop_items(over)
    if items is None:
        return Unknown()
    slots: dict[Any, Any] = {}
    for item in items:
        bind(m, first.target, item)
        key, value = evaluate(m, node.key), evaluate(m, node.value)
        slots[key.value if isinstance(key, Const) else None] = value
    return Table(slots, m.site(node))


EXPRESSIONS: dict[type[ast.expr] | type[None], Callable[[Machine, Any], Value]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.Call: call_node,
    ast.List: _items,
    ast.Tuple: _items,
    ast.Set: _items,
    ast.Dict: _dict,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _if,
    ast.Lambda: _lambda,
    ast.Subscript: _subscript,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _dict_comprehension,
    ast.NamedExpr: _walrus,
    ast.Await: _inner,
    ast.Starred: _inner,
    ast.Yield: _inner,
    ast.JoinedStr: _only_looked_at,
}
