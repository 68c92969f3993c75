"""Objects: models of the given files and layers of torch.nn, how they are made, called, and changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from losscli.lint.calls import Arguments, follow, unknown_call
from losscli.lint.containers import SEQUENTIAL, items_of
from losscli.lint.machine import Machine
from losscli.lint.operators import shape_of
from losscli.lint.values import (
    MISSING,
    UNKNOWN,
    Class,
    Const,
    Criterion,
    Function,
    Instance,
    Items,
    Layer,
    Site,
    Table,
    Tensor,
    Unknown,
    Value,
    number,
)
from losscli.lint.vocabulary import CONTAINERS, HEADS, LAYERS, PARAMETRIC


def instantiate(m: Machine, kind: Class, given: Arguments, node: ast.AST) -> Value:
    """Make an object, following __init__."""
    instance = Instance(kind, {}, m.site(node))
    function = next(
        (inner for ancestor in kind.lineage() if isinstance(inner := ancestor.names.get("__init__"), Function)), None
    )
    if function is not None:
        follow(m, Function(function.node, function.scope, function.owner, instance), given, node)
    elif kind.foreign_bases:
        adopt(m, instance, given, node)
    if function is None:
        _fields(m, instance, given)
    return instance


def _fields(m: Machine, instance: Instance, given: Arguments) -> None:
    """The fields of a dataclass, a NamedTuple or their like, in the order in which the class names them."""
    lineage = list(instance.kind.lineage())[::-1]
    lines = [line for ancestor in lineage for line in ancestor.node.body if isinstance(line, ast.AnnAssign)]
    names = [line.target.id for line in lines if isinstance(line.target, ast.Name)]
    for name, value in [*zip(names, given.positional, strict=False), *given.named.items()]:
        m.write(instance.slots, name, value)


def adopt(m: Machine, instance: Instance, given: Arguments, node: ast.AST) -> None:
    """What a foreign base's __init__ does: Sequential keeps its layers, a loss its options."""
    from losscli.lint.loss_calls import make_criterion
    from losscli.lint.vocabulary import loss_class

    for base in instance.kind.foreign_bases:
        if base.endswith(".Sequential"):
            m.write(instance.slots, SEQUENTIAL, sequential(m, given, node))
        elif loss_class(base):
            m.write(instance.slots, SEQUENTIAL, make_criterion(m, loss_class(base), given, node))


def sequential(m: Machine, given: Arguments, node: ast.AST) -> Layer:
    """nn.Sequential of layers, or of an OrderedDict of them."""
    parts: dict[Any, Any] = {str(place): part for place, part in enumerate(given.positional)}
    if len(given.positional) == 1 and isinstance(only := given.positional[0], Table):
        parts = dict(only.slots)
    if given.open:
        parts = (
            {None: UNKNOWN, **parts} if given.positional and given.positional[-1] is not UNKNOWN else {None: UNKNOWN}
        )
    return Layer("Sequential", {}, m.site(node), parts)


def call_instance(m: Machine, instance: Instance, given: Arguments, node: ast.Call) -> Value:
    """Call an object: its forward, or its __call__."""
    for name in ("__call__", "forward"):
        function = next((ancestor.names[name] for ancestor in instance.kind.lineage() if name in ancestor.names), None)
        if isinstance(function, Function):
            return follow(m, Function(function.node, function.scope, function.owner, instance), given, node)
    inner = instance.slots.get(SEQUENTIAL)
    if isinstance(inner, Layer):
        return call_layer(m, inner, given, node)
    if isinstance(inner, Criterion):
        from losscli.lint.loss_calls import criterion_call

        return criterion_call(m, inner, given, node)
    return unknown_call(m, Unknown(instance.kind.node.name), given, node)


def call_layer(m: Machine, layer: Layer, given: Arguments, node: ast.AST) -> Value:
    """Apply a layer to its first argument; a partial function to what is fixed and what is new."""
    if layer.kind == "namedtuple":
        fields: dict[Any, Any] = dict(zip(layer.slots, given.positional, strict=False)) | given.named
        return Layer("record", {}, m.site(node), fields)
    if layer.kind == "partial":
        from losscli.lint.calls import call

        fixed = items_of(layer.slots["fixed"]) or ()
        both = Arguments([*fixed, *given.positional], layer.options | given.named, given.open)
        return call(m, layer.slots["called"], both, node)  # type: ignore[arg-type]
    return apply(m, layer, given.get(0, "input") or UNKNOWN, m.site(node))


def apply(m: Machine, layer: Value, value: Value, site: Site) -> Value:
    """A layer's output; in a Sequential each layer's is made where that layer stands in the text."""
    if isinstance(layer, (Instance, Criterion, Function)):
        from losscli.lint.calls import call

        return call(m, layer, Arguments([value]), site.node)  # type: ignore[arg-type]
    if not isinstance(layer, Layer):
        return UNKNOWN
    if layer.kind == "Sequential":
        for part in layer.slots.values():
            value = apply(m, part, value, part.site if isinstance(part, Layer) else site)
        return value
    if layer.kind == "zoo":
        return _of_zoo(m, layer, site)
    return _of_kind(m, layer, value, site)


def _of_zoo(m: Machine, network: Layer, site: Site) -> Value:
    """The output of a network from a model zoo: that of its head, if the text sets one."""
    head = next((network.slots[name] for name in HEADS if name in network.slots), None)
    if isinstance(head, Layer) and head.kind == "zoo":
        last = [part for part in head.slots.values() if isinstance(part, Layer)]
        head = last[-1] if last else None
    return apply(m, head, UNKNOWN, head.site if isinstance(head, Layer) else site) if head is not None else UNKNOWN


def _of_kind(m: Machine, layer: Layer, value: Value, site: Site) -> Value:
    op = LAYERS.get(layer.kind, "")
    if not op:
        return Unknown(layer.kind)
    shape = shape_of(value) if isinstance(value, Tensor) else None
    facts: dict[str, Any] = {"layer": layer} if layer.kind in PARAMETRIC else {}
    if op == "linear" and layer.kind in ("Linear", "LazyLinear"):
        out = number(layer.options.get("out_features"))
        size = int(out) if out is not None else None
        shape = (*shape[:-1], size) if shape else None
        facts["last"] = size
    elif layer.kind in ("Flatten", "Unflatten") or op in ("linear", "other"):
        shape = None
    if op in ("softmax", "log-softmax"):
        facts["dim"] = layer.options.get("dim")
    if op not in ("linear", "other") and isinstance(value, Tensor) and layer.kind not in ("Flatten", "Unflatten"):
        facts.setdefault("last", value.facts.get("last"))
    made = Tensor(op, site, (value,), shape, not m.untracked, facts)
    if op in ("softmax", "log-softmax"):
        from losscli.lint.loss_rules import over_one

        over_one(m, made)
    return made


def leaves(value: Any, seen: set[int] | None = None) -> Iterator[Value]:
    """The layers with parameters in a model, and what is unknown of it."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Instance):
        for inner in value.slots.values():
            yield from leaves(inner, seen)
    elif isinstance(value, Layer):
        if value.kind in PARAMETRIC:
            yield value
        elif value.kind in CONTAINERS or value.kind == "zoo":
            for inner in value.slots.values():
                yield from leaves(inner, seen)
            if value.kind == "zoo":
                yield Unknown("zoo")
        elif value.kind not in LAYERS:
            yield Unknown(value.kind)
    elif isinstance(value, Items):
        for inner in items_of(value) or ():
            yield from leaves(inner, seen)
    elif isinstance(value, (Unknown, Tensor)):
        yield value


def is_model(value: Value) -> bool:
    """Whether a value has parameters that an optimizer could hold."""
    return isinstance(value, Layer) or (isinstance(value, Instance) and value.kind.is_module)


def assign_attribute(m: Machine, owner: Value, target: ast.Attribute, value: Value, made: ast.expr | None) -> None:
    """`owner.name = value`."""
    from losscli.lint.loss_rules import forced
    from losscli.lint.optimizers import replaced

    name = target.attr
    if name == "requires_grad" and isinstance(value, Const) and value.value is True:
        forced(m, owner, target)
    if name == "grad":
        m.event("zero", owner, target)
    if isinstance(owner, (Instance, Layer)):
        old = owner.slots.get(name, MISSING)
        replaced(m, owner, old, value, target)
        m.write(owner.slots, name, value)
    elif isinstance(owner, Class):
        m.write(owner.names, name, value)


def assign_item(m: Machine, owner: Value, target: ast.Subscript, value: Value) -> None:
    """`owner[at] = value`."""
    from losscli.lint.containers import position
    from losscli.lint.optimizers import replaced

    at = position(m, target.slice)
    if isinstance(owner, Layer):
        keys = list(owner.slots)
        if isinstance(at, int) and owner.kind in CONTAINERS and -len(keys) <= at < len(keys):
            at = keys[at]
        replaced(m, owner, owner.slots.get(at, MISSING), value, target)
        m.write(owner.slots, at if at is None else str(at), value)
    elif isinstance(owner, Table):
        m.write(owner.slots, at, value)
    elif isinstance(owner, Items):
        items = owner.items
        if items is not None and isinstance(at, int) and -len(items) <= at < len(items):
            place = at % len(items)
            m.write(owner.slots, "items", (*items[:place], value, *items[place + 1 :]))
        else:
            m.write(owner.slots, "items", None)
