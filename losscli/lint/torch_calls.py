"""Functions and classes of torch and its neighbours: what each makes."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from losscli.lint.builtins import first_of
from losscli.lint.calls import Arguments, unknown_call
from losscli.lint.containers import items_of
from losscli.lint.loss_calls import function_call, make_criterion
from losscli.lint.machine import Machine
from losscli.lint.operators import arithmetic
from losscli.lint.optimizers import make_optimizer
from losscli.lint.values import (
    UNKNOWN,
    Const,
    Items,
    Layer,
    Name,
    Parameters,
    Shape,
    Table,
    Tensor,
    Unknown,
    Value,
    number,
)
from losscli.lint.vocabulary import (
    BINARY,
    CREATIONS,
    NO_GRAD,
    OPERATIONS,
    OTHER_ACTIVATIONS,
    VIEWS,
    WRAPPERS,
    is_optimizer,
    is_torch,
    loss_class,
    loss_function,
)

FIRST_NAMES = {"Linear": ("in_features", "out_features"), "Softmax": ("dim",), "LogSoftmax": ("dim",)}


def call_name(m: Machine, called: Name, given: Arguments, node: ast.Call) -> Value:
    """Call something imported."""
    dotted, last = called.dotted, called.last
    if is_optimizer(dotted):
        return make_optimizer(m, given, node)
    if dotted.startswith("skorch") and last.startswith("NeuralNet"):
        from losscli.lint.frameworks import skorch

        return skorch(m, last, given, node)
    if last in WRAPPERS and (is_torch(dotted) or dotted.startswith("accelerate")):
        return given.get(0, "module") or UNKNOWN
    if last in ("parameters", "named_parameters") and loss_or_layer(dotted) and not given.positional:
        m.emit("optimizer-unbound-parameters", m.site(node))
    if is_torch(dotted):
        return _of_torch(m, dotted, last, given, node)
    if dotted.startswith(("torchvision.models.", "timm.create_model", "timm.models.")):
        return Layer("zoo", {}, m.site(node))
    if dotted == "collections.OrderedDict" and given.positional:
        return _ordered(given.positional[0])
    if last in ("tqdm", "trange", "track") and given.positional:
        return first_of(m, given, node)
    if dotted == "collections.namedtuple":
        return _namedtuple(m, given, node)
    if dotted == "functools.partial" and given.positional:
        fixed = Items({"items": tuple(given.positional[1:])})
        return Layer("partial", given.named, m.site(node), {"called": given.positional[0], "fixed": fixed})
    if dotted == "itertools.chain":
        parts = [value for value in given.positional if isinstance(value, Parameters)]
        of = tuple(module for part in parts for module in part.of)
        return Parameters(of, len(parts) == len(given.positional) and all(part.whole for part in parts))
    if dotted.startswith("math.") and isinstance(given.get(0), Tensor):
        return m.tensor("item", node, *given.positional[:1])
    return unknown_call(m, Unknown(dotted), given, node)


def loss_or_layer(dotted: str) -> bool:
    """Whether a method's full name is that of a class of torch.nn: `torch.nn.Linear.parameters`."""
    owner = dotted.rpartition(".")[0]
    return owner.startswith("torch.nn.") and owner.rpartition(".")[2][:1].isupper()


def _namedtuple(m: Machine, given: Arguments, node: ast.Call) -> Value:
    """namedtuple("Out", "probs value"), or with a list of names."""
    names = given.get(1, "field_names")
    if isinstance(names, Const) and isinstance(names.value, str):
        fields = names.value.replace(",", " ").split()
    else:
        items = items_of(names) if names is not None else None
        fields = [str(item.value) for item in items or () if isinstance(item, Const)]
    return Layer("namedtuple", {}, m.site(node), dict.fromkeys(fields, UNKNOWN))


def _ordered(value: Value) -> Value:
    pairs = [items_of(item) for item in items_of(value) or ()]
    slots: dict[Any, Any] = {}
    for pair in pairs:
        if pair is None or len(pair) != 2 or not isinstance(pair[0], Const):
            return UNKNOWN
        slots[pair[0].value] = pair[1]
    return Table(slots)


def _of_torch(m: Machine, dotted: str, last: str, given: Arguments, node: ast.Call) -> Value:
    if kind := loss_class(dotted):
        return make_criterion(m, kind, given, node)
    if loss_function(dotted):
        return function_call(m, last, given, node)
    if dotted in NO_GRAD:
        return Name(f"{dotted}()")
    if last in SPECIAL:
        return SPECIAL[last](m, given, node)
    if dotted.startswith("torch.nn.") and last[:1].isupper() and "functional" not in dotted:
        return make_layer(m, last, given, node)
    made = operation(m, last, given, node) if given.positional or given.named else UNKNOWN
    if isinstance(made, Tensor) and made.op in ("softmax", "log-softmax", "sigmoid"):
        made.facts["dotted"] = dotted
    return made


def make_layer(m: Machine, kind: str, given: Arguments, node: ast.Call) -> Value:
    """A layer of torch.nn."""
    from losscli.lint.objects import sequential

    if kind == "Sequential":
        return sequential(m, given, node)
    if kind in ("ModuleList", "ModuleDict"):
        value = given.get(0, "modules") or Items({"items": ()})
        if isinstance(value, Table):
            return Layer(kind, {}, m.site(node), dict(value.slots))
        items = items_of(value)
        slots: dict[Any, Any] = {str(place): item for place, item in enumerate(items or ())}
        return Layer(kind, {}, m.site(node), slots if items is not None else {None: UNKNOWN})
    names = FIRST_NAMES.get(kind, ())
    options = dict(zip(names, given.positional, strict=False)) | given.named
    return Layer(kind, options, m.site(node))


def operation(m: Machine, name: str, given: Arguments, node: ast.AST, receiver: Value | None = None) -> Value:
    """A function of torch on tensors, or with a receiver the method of the same name; the unknown stays unknown."""
    rest = Arguments([receiver, *given.positional], given.named, given.open) if receiver is not None else given
    first = rest.get(0, "input") or UNKNOWN
    if name in CREATIONS and receiver is None:
        return _creation(m, name, given, node)
    if name in BINARY and len(rest.all) > 1:
        other = rest.get(1, "other") or rest.get(1, "exponent") or UNKNOWN
        return arithmetic(m, BINARY[name], first, other, node)
    if name in VIEWS:
        from losscli.lint.shapes import viewed

        return viewed(m, name, first, rest, node)
    if name in OPERATIONS:
        return _operation(m, OPERATIONS[name], name, first, rest, node)
    if name in OTHER_ACTIVATIONS:
        return m.tensor("other", node, first)
    return UNKNOWN


def _operation(m: Machine, op: str, name: str, first: Value, rest: Arguments, node: ast.AST) -> Value:
    from losscli.lint.loss_rules import logarithm, over_one
    from losscli.lint.shapes import reduced

    shape = first.shape if isinstance(first, Tensor) else None
    facts: dict[str, Any] = {}
    if op in ("softmax", "log-softmax"):
        facts = {"dim": rest.get(1, "dim") or rest.get(1, "axis")}
    if op == "step" and name in ("long", "int", "bool", "byte", "round"):
        facts["cast"] = True
    if op in ("mean", "sum", "norm") or name in ("argmax", "argmin"):
        return reduced(m, op, first, rest, node)
    if op == "clamp" and name in ("clamp", "clip", "clamp_min", "clamp_"):
        low, high = rest.get(1, "min"), rest.get(2, "max")
        facts = {"low": number(low), "high": number(high)}
    if isinstance(first, Tensor) and "last" in first.facts:
        facts.setdefault("last", first.facts["last"])
    made = m.tensor(op, node, first, shape=() if op == "item" else shape, **facts)
    if op == "square":
        made.op, made.inputs = "pow", (first, Const(2))
    if op == "log":
        logarithm(m, made)
    if op in ("softmax", "log-softmax"):
        over_one(m, made)
    return made


def _creation(m: Machine, name: str, given: Arguments, node: ast.AST) -> Tensor:
    """A tensor made of nothing but numbers: its shape, its values as far as they matter, whether it is a leaf."""
    facts: dict[str, Any] = {"made": name}
    leaf = given.named.get("requires_grad")
    if isinstance(leaf, Const) and leaf.value is True:
        facts["leaf"] = True
    first = given.get(0)
    if name in ("tensor", "as_tensor", "from_numpy"):
        if isinstance(first, Tensor):
            from losscli.lint.loss_rules import copied

            return copied(m, first, bool(facts.get("leaf")), node)
        return m.tensor("input", node, shape=_literal_shape(first), domain=_literal(first), **facts)
    sizes = list(given.positional)
    if name.endswith("_like"):
        return m.tensor("input", node, shape=first.shape if isinstance(first, Tensor) else None, **facts)
    if name == "randint":
        low, high = (sizes[0], sizes[1]) if len(sizes) > 2 else (Const(0), sizes[0] if sizes else UNKNOWN)
        facts["range"] = (number(low), number(given.named.get("high", high)))
        sizes = sizes[2:] if len(sizes) > 2 else sizes[1:]
    elif name == "full":
        sizes = sizes[:1]
    elif name in ("arange", "linspace", "eye", "bernoulli", "normal", "randperm"):
        return m.tensor("input", node, **facts)
    size = given.named.get("size")
    return m.tensor("input", node, shape=sizes_of([size] if size is not None else sizes), **facts)


def sizes_of(values: list[Value]) -> Shape | None:
    """A shape from sizes or from one tuple of them; a size that is not known has the name it goes by."""
    if len(values) == 1 and isinstance(values[0], Items):
        items = values[0].items
        if items is None:
            return None
        values = list(items)
    sizes: list[int | str | None] = []
    for value in values:
        constant = number(value)
        sizes.append(
            int(constant) if constant is not None else value.key or None if isinstance(value, Unknown) else None
        )
    return tuple(sizes)


def _literal_shape(value: Value | None) -> Shape | None:
    items = items_of(value) if value is not None else None
    if items is None:
        return () if number(value) is not None else None
    inner = _literal_shape(items[0]) if items else None
    return (len(items), *inner) if inner is not None else None


def _literal(value: Value | None) -> frozenset[float] | None:
    items = items_of(value) if value is not None else None
    constant = [number(item) for item in items or ()]
    return frozenset(item for item in constant if item is not None) if constant and None not in constant else None


def _parameter(m: Machine, given: Arguments, node: ast.Call) -> Value:
    first = given.get(0, "data")
    return m.tensor("parameter", node, shape=first.shape if isinstance(first, Tensor) else None)


def _variable(m: Machine, given: Arguments, node: ast.Call) -> Value:
    from losscli.lint.loss_rules import wrapped

    return wrapped(m, given, node)


def _joined(m: Machine, given: Arguments, node: ast.Call) -> Value:
    items = items_of(given.get(0, "tensors") or UNKNOWN)
    return m.tensor("cat", node, *items) if items is not None else UNKNOWN


def _where(m: Machine, given: Arguments, node: ast.Call) -> Value:
    if len(given.positional) < 3:
        return UNKNOWN
    condition, one, other = given.positional[:3]
    values = (number(one), number(other))
    domain = frozenset(values) if None not in values else None
    shape = condition.shape if isinstance(condition, Tensor) else None
    return m.tensor("where", node, one, other, shape=shape, domain=domain)


def _gradients(m: Machine, given: Arguments, node: ast.Call) -> Value:
    """torch.autograd.grad: as many as inputs; any of them is a gradient."""
    inner = m.tensor("gradient", node, *given.positional[:2])
    return Items({"items": (inner,)}) if len(given.all) > 1 else UNKNOWN


def _distance(m: Machine, given: Arguments, node: ast.Call) -> Value:
    return m.tensor("distance", node, *given.positional[:2])


def _dataset(m: Machine, given: Arguments, node: ast.Call) -> Value:
    slots: dict[Any, Any] = {str(place): value for place, value in enumerate(given.positional)}
    return Layer("TensorDataset", {}, m.site(node), {} if given.open else slots)


def _loader(m: Machine, given: Arguments, node: ast.Call) -> Value:
    return Layer("DataLoader", {}, m.site(node), {"dataset": given.get(0, "dataset") or UNKNOWN})


def _set_grad(m: Machine, given: Arguments, node: ast.Call) -> Value:
    off = isinstance(mode := given.get(0, "mode"), Const) and mode.value is False
    return Name("torch.no_grad()") if off else UNKNOWN


def _most(m: Machine, given: Arguments, node: ast.Call) -> Value:
    """torch.max and its kin: values and indices along an axis, or one number."""
    first = given.get(0, "input") or UNKNOWN
    if len(given.all) == 1:
        return m.tensor("mean", node, first, shape=())
    if isinstance(given.get(1), Tensor):
        return m.tensor("other", node, *given.positional[:2])
    return Items({"items": (m.tensor("view", node, first), m.tensor("step", node, first))})


SPECIAL: dict[str, Callable[[Machine, Arguments, ast.Call], Value]] = {
    "Parameter": _parameter,
    "Variable": _variable,
    "cat": _joined,
    "concat": _joined,
    "stack": _joined,
    "hstack": _joined,
    "vstack": _joined,
    "where": _where,
    "grad": _gradients,
    "pairwise_distance": _distance,
    "PairwiseDistance": lambda m, given, node: Unknown("distance"),
    "cosine_similarity": _distance,
    "CosineSimilarity": lambda m, given, node: Unknown("similarity"),
    "cdist": _distance,
    "dist": _distance,
    "TensorDataset": _dataset,
    "DataLoader": _loader,
    "set_grad_enabled": _set_grad,
    "max": _most,
    "min": _most,
    "topk": _most,
    "sort": _most,
}
