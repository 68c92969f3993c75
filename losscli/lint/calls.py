"""Calls: who is called, with what, and what comes back. Functions and methods of the given files are followed."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from losscli.lint.machine import DEEPEST_CALL, Machine
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
    Lazy,
    Method,
    Name,
    Parameters,
    Scope,
    Super,
    Table,
    Tensor,
    Unknown,
    Value,
    merged,
)
from losscli.lint.vocabulary import NO_GRAD

MAY_RESET = (
    "zero",
    "reset",
    "clear",
    "optim",
    "clean",
    "_grad",
    "on_before",
    "on_after",
    "on_train",
    "hook",
    "closure",
)


@dataclass(eq=False)
class Arguments:
    """What a call is given; `open` says that a star hides some of it."""

    positional: list[Value] = field(default_factory=list)
    named: dict[str, Value] = field(default_factory=dict)
    open: bool = False

    def get(self, place: int, name: str = "") -> Value | None:
        """An argument by its place or its name; None if it is not given."""
        if place < len(self.positional) and place >= 0:
            return self.positional[place]
        return self.named.get(name)

    @property
    def all(self) -> list[Value]:
        return [*self.positional, *self.named.values()]


def call_node(m: Machine, node: ast.Call) -> Value:
    """A call as it stands in the text."""
    from losscli.lint.builtins import BUILTINS
    from losscli.lint.expressions import evaluate
    from losscli.lint.methods import call_method

    if isinstance(node.func, ast.Attribute):
        receiver = evaluate(m, node.func.value)
        if not isinstance(receiver, (Name, Lazy, Class)):
            return call_method(m, receiver, node.func.attr, arguments(m, node), node)
        return call(m, get_attribute(m, receiver, node.func), arguments(m, node), node)
    called = evaluate(m, node.func)
    if isinstance(called, Unknown) and isinstance(node.func, ast.Name) and node.func.id in BUILTINS:
        return BUILTINS[node.func.id](m, arguments(m, node), node)
    return call(m, called, arguments(m, node), node)


def arguments(m: Machine, node: ast.Call) -> Arguments:
    """The arguments, with known lists and dicts behind stars taken apart."""
    from losscli.lint.containers import items_of
    from losscli.lint.expressions import evaluate

    given = Arguments()
    for inner in node.args:
        if isinstance(inner, ast.Starred):
            value = evaluate(m, inner.value)
            items = items_of(value)
            given.positional += items if items is not None else (value if isinstance(value, Parameters) else UNKNOWN,)
            given.open = given.open or items is None
        else:
            given.positional.append(evaluate(m, inner))
    for keyword in node.keywords:
        value = evaluate(m, keyword.value)
        if keyword.arg is not None:
            given.named[keyword.arg] = value
        elif isinstance(value, Table) and None not in value.slots:
            given.named |= {str(name): item for name, item in value.slots.items()}
        else:
            given.open = True
    return given


def call(m: Machine, called: Value, given: Arguments, node: ast.Call) -> Value:
    """Call a value."""
    from losscli.lint.loss_calls import criterion_call
    from losscli.lint.methods import call_method
    from losscli.lint.objects import call_instance, call_layer, instantiate
    from losscli.lint.torch_calls import call_name

    match called:
        case Function():
            return follow(m, called, given, node)
        case Class():
            return instantiate(m, called, given, node)
        case Instance():
            return call_instance(m, called, given, node)
        case Layer():
            return call_layer(m, called, given, node)
        case Criterion():
            return criterion_call(m, called, given, node)
        case Name():
            return call_name(m, called, given, node)
        case Method():
            return call_method(m, called.receiver, called.name, given, node)
    return unknown_call(m, called, given, node)


def unknown_call(m: Machine, called: Value, given: Arguments, node: ast.Call) -> Value:
    """A call of what is not known: it may have reset gradients, if it could get at them."""
    name = called.key if isinstance(called, Unknown) else ""
    last = name.rpartition(".")[2].lower()
    reaches = any(may_hold_optimizer(value) for value in given.all)
    if reaches or any(word in last for word in MAY_RESET):
        m.event("maybe", called, node)
    return UNKNOWN


def may_hold_optimizer(value: Value) -> bool:
    """Whether a value is an optimizer, or might be one."""
    from losscli.lint.values import Optimizer

    if isinstance(value, Unknown):
        return "opt" in value.key.rpartition(".")[2].lower() or value.key in ("self", "trainer", "state", "engine")
    if isinstance(value, Instance):
        return any(isinstance(inner, Optimizer) for inner in value.slots.values())
    return isinstance(value, Optimizer)


def follow(m: Machine, function: Function, given: Arguments, node: ast.AST) -> Value:
    """Run a function of the given files with these arguments, and give what its returns agree on."""
    inner = function.node
    if len(m.stack) >= DEEPEST_CALL or sum(site.node is inner for site in m.stack) or m.active.count(id(inner)) > 1:
        return UNKNOWN
    if not isinstance(inner, ast.Lambda) and _unfollowable(inner):
        return UNKNOWN
    m.executed.add(id(inner))
    scope = Scope({}, function.scope.source, function.scope)
    quiet = _is_quiet(m, inner)
    m.stack.append(m.site(node))
    m.active.append(id(inner))
    m.owners.append(function.owner)
    m.untracked += quiet
    try:
        with m.inside(scope) as frame:
            _bind_parameters(m, function, given)
            return _body(m, inner, frame)
    finally:
        m.untracked -= quiet
        m.active.pop()
        m.owners.pop()
        m.stack.pop()


def _body(m: Machine, inner: Any, frame: Any) -> Value:
    from losscli.lint.expressions import evaluate
    from losscli.lint.statements import run

    if isinstance(inner, ast.Lambda):
        return evaluate(m, inner.body)
    run(m, inner.body)
    if not frame.returns:
        return Const(None)
    value: Any = frame.returns[0]
    for other in frame.returns[1:]:
        value = merged(value, other)
    return value  # type: ignore[no-any-return]


def _unfollowable(inner: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Generators, and functions that a decorator may turn into something else; looked at once, as it takes a walk."""
    answer: bool | None = getattr(inner, "unfollowable", None)
    if answer is None:
        answer = _is_generator(inner)
        inner.unfollowable = answer  # type: ignore[union-attr]
    return answer


def _is_generator(inner: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = [
        ast.unparse(item.func if isinstance(item, ast.Call) else item).rpartition(".")[2]
        for item in inner.decorator_list
    ]
    return bool({"contextmanager", "fixture", "overload", "abstractmethod"} & set(names)) or any(
        isinstance(item, (ast.Yield, ast.YieldFrom)) for statement in inner.body for item in ast.walk(statement)
    )


def _is_quiet(m: Machine, inner: ast.AST) -> int:
    from losscli.lint.expressions import evaluate

    for item in getattr(inner, "decorator_list", ()):
        value = evaluate(m, item)
        if isinstance(value, Name) and value.dotted.removesuffix("()") in NO_GRAD:
            return 1
    return 0


def _bind_parameters(m: Machine, function: Function, given: Arguments) -> None:
    """Give each parameter its argument, or its default."""
    from losscli.lint.expressions import evaluate

    spec = function.node.args
    names = [item.arg for item in (*spec.posonlyargs, *spec.args)]
    receivers = [function.receiver] if function.receiver is not None else []
    positional = [*receivers, *given.positional]
    defaults = dict(zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True))
    defaults |= {item.arg: default for item, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if default}
    for place, name in enumerate([*names, *(item.arg for item in spec.kwonlyargs)]):
        if place < len(names) and place < len(positional):
            value: Value = positional[place]
        elif name in given.named:
            value = given.named[name]
        elif name in defaults and (not given.open or isinstance(evaluate(m, defaults[name]), Criterion)):
            value = evaluate(m, defaults[name])
        else:
            value = Unknown(name)
        m.write(m.scope.names, name, value)
    if spec.vararg:
        rest = tuple(positional[len(names) :])
        m.write(m.scope.names, spec.vararg.arg, Items({"items": None if given.open else rest}))
    if spec.kwarg:
        m.write(m.scope.names, spec.kwarg.arg, Unknown(spec.kwarg.arg))


def get_attribute(m: Machine, value: Value, node: ast.Attribute) -> Value:
    """`value.name`."""
    name = node.attr
    match value:
        case Name():
            full = Name(f"{value.dotted}.{name}")
            return full if value.dotted.startswith("torch") else m.world.get(m.scope.source, full)
        case Lazy():
            return m.settled(Lazy(value.path, name))
        case Instance():
            return member(m, value, name, node)
        case Super():
            return _of_super(m, value, name)
        case Class():
            for ancestor in value.lineage():
                if name in ancestor.names:
                    return ancestor.names[name]  # type: ignore[no-any-return]
            return Method(value, name)
        case Layer():
            return _of_layer(m, value, name, node)
        case Tensor():
            return _of_tensor(m, value, name, node)
        case Unknown():
            return Unknown(f"{value.key}.{name}" if value.key else name)
    return Method(value, name)


def member(m: Machine, instance: Instance, name: str, node: ast.AST) -> Value:
    """An attribute of an object: its own, or its class's."""
    value = instance.slots.get(name, MISSING)
    if value is not MISSING:
        return value  # type: ignore[no-any-return]
    for ancestor in instance.kind.lineage():
        value = ancestor.names.get(name, MISSING)
        if isinstance(value, Function):
            return _bound(m, value, instance, node)
        if value is not MISSING:
            return value  # type: ignore[no-any-return]
    return Unknown(f"self.{name}")


def _bound(m: Machine, function: Function, instance: Value, node: ast.AST) -> Value:
    names = [ast.unparse(item) for item in getattr(function.node, "decorator_list", ())]
    if "staticmethod" in names:
        return function
    bound = Function(function.node, function.scope, function.owner, instance)
    if "property" in names or "cached_property" in names or "functools.cached_property" in names:
        return follow(m, bound, Arguments(), node)
    return bound


def _of_super(m: Machine, value: Super, name: str) -> Value:
    for base in value.owner.bases:
        for ancestor in base.lineage() if isinstance(base, Class) else ():
            function = ancestor.names.get(name)
            if isinstance(function, Function):
                return _bound(m, function, value.instance, ancestor.node)
    return Method(value, name)


def _of_layer(m: Machine, value: Layer, name: str, node: ast.AST) -> Value:
    if name in value.slots:
        return value.slots[name]  # type: ignore[no-any-return]
    if name in ("weight", "bias"):
        return m.tensor("parameter", node, layer=value)
    return Method(value, name)


def _of_tensor(m: Machine, value: Tensor, name: str, node: ast.Attribute) -> Value:
    if name == "data":
        return m.tensor("detach", node, value, shape=value.shape)
    if name in ("T", "mT", "H", "mH", "real", "values"):
        shape = tuple(reversed(value.shape)) if value.shape and name == "T" else None
        return m.tensor("view", node, value, shape=shape)
    if name == "grad":
        return Unknown("grad")
    if name == "shape":
        return Items({"items": None})
    if name in ("indices", "device", "dtype", "requires_grad", "ndim", "is_cuda"):
        return UNKNOWN
    return Method(value, name)
