"""Python's own functions, as far as values of this interpreter pass through them."""

from __future__ import annotations

import ast
from collections.abc import Callable

from losscli.lint.calls import Arguments, call, get_attribute
from losscli.lint.containers import items_of
from losscli.lint.machine import Machine
from losscli.lint.values import (
    UNKNOWN,
    Const,
    Function,
    Instance,
    Items,
    Layer,
    Length,
    Name,
    Parameters,
    Super,
    Tensor,
    Unknown,
    Value,
)

DATASETS = ("dataset", "data_set", "_ds", "trainset", "testset", "train_set", "test_set", "valset", "val_set")


def _len(m: Machine, given: Arguments, node: ast.Call) -> Value:
    value = given.get(0)
    items = items_of(value) if value is not None else None
    if isinstance(value, Items) and items is not None and not value.slots.get("repeated"):
        return Const(len(items))
    if isinstance(value, Layer) and value.kind in ("TensorDataset", "DataLoader"):
        return Length("dataset" if value.kind == "TensorDataset" else "loader")
    written = ast.unparse(node.args[0]).lower() if node.args else ""
    if written == "ds" or any(written.endswith(name) for name in DATASETS):
        return Length("dataset")
    return Length("loader") if "loader" in written else UNKNOWN


def _list(m: Machine, given: Arguments, node: ast.Call) -> Value:
    value = given.get(0)
    if value is None:
        return Items({"items": ()}, True, m.site(node))
    if isinstance(value, Parameters):
        return value
    return Items({"items": items_of(value)}, True, m.site(node))


def _enumerate(m: Machine, given: Arguments, node: ast.Call) -> Value:
    from losscli.lint.expressions import loop_items

    value = given.get(0) or UNKNOWN
    items = loop_items(value)
    if items is not None:
        pairs = tuple(Items({"items": (Const(place), item)}) for place, item in enumerate(items))
        return Items({"items": pairs})
    return Layer("enumerate", {}, m.site(node), {"over": value})


def _zip(m: Machine, given: Arguments, node: ast.Call) -> Value:
    rows = [items_of(value) for value in given.positional]
    if any(row is None for row in rows) or given.open:
        return UNKNOWN
    pairs = zip(*(row for row in rows if row is not None), strict=False)
    return Items({"items": tuple(Items({"items": pair}) for pair in pairs)})


def _sum(m: Machine, given: Arguments, node: ast.Call) -> Value:
    items = items_of(given.get(0) or UNKNOWN)
    if not items:
        return UNKNOWN
    value: Value = items[0]
    for other in items[1:]:
        value = (
            m.tensor("add", node, value, other) if isinstance(value, Tensor) or isinstance(other, Tensor) else UNKNOWN
        )
    return value


def _super(m: Machine, given: Arguments, node: ast.Call) -> Value:
    """super() in a method: the object, and the class in whose body the method stands."""
    scope = m.scope
    instance = next((value for value in scope.names.values() if isinstance(value, Instance)), None)
    owner = m.owner()
    return Super(instance, owner) if instance is not None and owner is not None else UNKNOWN


def _number(m: Machine, given: Arguments, node: ast.Call) -> Value:
    value = given.get(0)
    if isinstance(value, Tensor):
        return m.tensor("item", node, value, shape=())
    return value if isinstance(value, Const) and isinstance(value.value, (int, float)) else UNKNOWN


def _getattr(m: Machine, given: Arguments, node: ast.Call) -> Value:
    owner, name = given.get(0), given.get(1)
    if isinstance(owner, (Name, Instance)) and isinstance(name, Const) and isinstance(name.value, str):
        inner = ast.copy_location(ast.Attribute(node.args[0], name.value, ast.Load()), node)
        return get_attribute(m, owner, inner)
    return UNKNOWN


def _filter(m: Machine, given: Arguments, node: ast.Call) -> Value:
    value = given.get(1) or UNKNOWN
    return Parameters(value.of, whole=False) if isinstance(value, Parameters) else UNKNOWN


def _map(m: Machine, given: Arguments, node: ast.Call) -> Value:
    function, items = given.get(0), items_of(given.get(1) or UNKNOWN)
    if isinstance(function, (Function, Name)) and items is not None:
        return Items({"items": tuple(call(m, function, Arguments([item]), node) for item in items)})
    return UNKNOWN


def first_of(m: Machine, given: Arguments, node: ast.Call) -> Value:
    """next(), iter() and progress bars: one turn of a loader, or the thing itself."""
    value = given.get(0) or UNKNOWN
    if isinstance(value, Layer) and value.kind == "DataLoader":
        from losscli.lint.expressions import iterated

        return iterated(m, value, node)
    return value if isinstance(value, (Layer, Parameters)) else UNKNOWN


def _silent(m: Machine, given: Arguments, node: ast.Call) -> Value:
    return Unknown("")


BUILTINS: dict[str, Callable[[Machine, Arguments, ast.Call], Value]] = {
    "len": _len,
    "list": _list,
    "tuple": _list,
    "enumerate": _enumerate,
    "zip": _zip,
    "sum": _sum,
    "super": _super,
    "float": _number,
    "int": _number,
    "getattr": _getattr,
    "filter": _filter,
    "map": _map,
    "next": first_of,
    "iter": first_of,
    "tqdm": first_of,
    "print": _silent,
    "isinstance": _silent,
    "hasattr": _silent,
    "range": _silent,
    "str": _silent,
    "type": _silent,
}
