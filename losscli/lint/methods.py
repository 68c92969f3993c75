"""Methods of tensors, models, optimizers and containers."""

from __future__ import annotations

import ast

from losscli.lint.builtins import first_of
from losscli.lint.calls import Arguments, call, may_hold_optimizer, member, unknown_call
from losscli.lint.containers import SEQUENTIAL, append, extend, items_of
from losscli.lint.loss_rules import forced
from losscli.lint.machine import Machine
from losscli.lint.objects import adopt, call_layer
from losscli.lint.optimizers import add_group
from losscli.lint.torch_calls import operation
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
    Super,
    Table,
    Tensor,
    Unknown,
    Value,
)
from losscli.lint.vocabulary import SAME_MODULE, words

NOT_OPTIMIZERS = ("sched", "scaler", "prof", "pbar", "bar", "warm", "env", "lr", "engine", "meter")


def call_method(m: Machine, receiver: Value, name: str, given: Arguments, node: ast.Call) -> Value:
    """`receiver.name(...)`."""
    receiver = m.settled(receiver)
    if name in ("zero_grad", "zero_", "zero_grads") and (name != "zero_" or _is_gradient(receiver, node)):
        m.event("zero", receiver, node)
        return UNKNOWN
    if name in ("backward", "manual_backward"):
        return _backward(m, receiver, name, given, node)
    match receiver:
        case Instance():
            return _of_instance(m, receiver, name, given, node)
        case Layer():
            return _of_model(m, receiver, name, given, node)
        case Super():
            return _of_super(m, receiver, name, given, node)
        case Tensor():
            return _of_tensor(m, receiver, name, given, node)
        case Optimizer():
            return _of_optimizer(m, receiver, name, given, node)
        case Items() | Table():
            return _of_container(m, receiver, name, given, node)
        case Criterion():
            return receiver if name in SAME_MODULE else call(m, receiver, given, node) if name == "forward" else UNKNOWN
        case Parameters():
            return UNKNOWN
        case Class():
            return _of_class(m, receiver, name, given, node)
    return _of_unknown(m, receiver, name, given, node)


def _is_gradient(receiver: Value, node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and ".grad" in ast.unparse(node.func.value)


def _backward(m: Machine, receiver: Value, name: str, given: Arguments, node: ast.Call) -> Value:
    """loss.backward(), scaler.scale(loss).backward(), accelerator.backward(loss), self.manual_backward(loss)."""
    from losscli.lint.gradient import examine

    loss = receiver
    if not isinstance(receiver, Tensor) and given.positional and isinstance(given.positional[0], (Tensor, Unknown)):
        loss = given.positional[0]
    m.event("backward", receiver, node, loss)
    examine(m, loss, m.site(node))
    return UNKNOWN


def _of_instance(m: Machine, receiver: Instance, name: str, given: Arguments, node: ast.Call) -> Value:
    attribute = member(m, receiver, name, node)
    if not isinstance(attribute, Unknown):
        return call(m, attribute, given, node)
    if name in MODEL_METHODS or name in SAME_MODULE or SEQUENTIAL in receiver.slots:
        return _of_model(m, receiver, name, given, node)
    if name.startswith("log") or name == "register_buffer":
        return UNKNOWN
    return unknown_call(m, Unknown(f"self.{name}"), given, node)


MODEL_METHODS = words(
    "parameters named_parameters state_dict load_state_dict children modules add_module register_module named_modules "
    "get_submodule"
)


def _of_model(m: Machine, receiver: Instance | Layer, name: str, given: Arguments, node: ast.Call) -> Value:
    """Methods that every nn.Module has."""
    if name == "train" and isinstance(mode := given.get(0, "mode"), Const) and mode.value is False:
        name = "eval"
    if name in ("train", "eval"):
        m.event(name, receiver, node)
    if name == "requires_grad_" and isinstance(flag := given.get(0, "requires_grad"), Const) and flag.value is False:
        m.event("frozen", receiver, node)
    if name == "load_state_dict":
        m.event("loaded", receiver, node)
    if name in SAME_MODULE:
        return receiver
    if name in ("parameters", "named_parameters"):
        return Parameters((receiver,))
    inner = receiver.slots.get(SEQUENTIAL, receiver) if isinstance(receiver, Instance) else receiver
    if isinstance(inner, Layer):
        return _of_layer(m, inner, name, given, node)
    if name in ("add_module", "register_module") and isinstance(key := given.get(0), Const):
        m.write(receiver.slots, key.value, given.get(1) or UNKNOWN)
    return UNKNOWN


def _of_layer(m: Machine, layer: Layer, name: str, given: Arguments, node: ast.Call) -> Value:
    if name == "forward":
        return call_layer(m, layer, given, node)
    if name == "append":
        m.write(layer.slots, str(len(layer.slots)), given.get(0) or UNKNOWN)
    elif name in ("add_module", "register_module") and isinstance(key := given.get(0), Const):
        m.write(layer.slots, key.value, given.get(1) or UNKNOWN)
    elif name == "extend":
        for item in items_of(given.get(0) or UNKNOWN) or (UNKNOWN,):
            m.write(layer.slots, str(len(layer.slots)), item)
    elif name in ("children", "values"):
        return Items({"items": items_of(layer)})
    elif name == "items" and None not in layer.slots:
        return Items({"items": tuple(Items({"items": (Const(key), item)}) for key, item in layer.slots.items())})
    elif layer.kind == "zoo":
        return UNKNOWN
    return layer if name in ("append", "extend") else UNKNOWN


def _of_super(m: Machine, receiver: Super, name: str, given: Arguments, node: ast.Call) -> Value:
    """super().__init__(...) and super().forward(...) of a base that is not among the given files."""
    from losscli.lint.calls import get_attribute

    attribute = get_attribute(m, receiver, ast.copy_location(ast.Attribute(node.func, name, ast.Load()), node))
    if isinstance(attribute, Function):
        return call(m, attribute, given, node)
    if isinstance(receiver.instance, Instance):
        if name == "__init__":
            adopt(m, receiver.instance, given, node)
        inner = receiver.instance.slots.get(SEQUENTIAL)
        if name in ("forward", "__call__") and inner is not None:
            return call(m, inner, given, node)
    return UNKNOWN


def _of_tensor(m: Machine, receiver: Tensor, name: str, given: Arguments, node: ast.Call) -> Value:
    """Methods of tensors: functions of torch with the tensor first; what is unknown of a tensor is unknown."""
    if name == "size":
        return UNKNOWN
    if name == "item" and not isinstance(receiver, Tensor):
        return UNKNOWN
    if name in ("max", "min", "topk", "sort"):
        from losscli.lint.torch_calls import SPECIAL

        return SPECIAL[name](m, Arguments([receiver, *given.positional], given.named), node)
    if name in ("mul_", "add_", "sub_", "div_"):
        name = name[:-1]
    return _by_method(operation(m, name, given, node, receiver))


def _by_method(made: Value) -> Value:
    if isinstance(made, Tensor) and made.op in ("softmax", "log-softmax", "sigmoid"):
        made.facts["method"] = True
    return made


def _of_optimizer(m: Machine, receiver: Optimizer, name: str, given: Arguments, node: ast.Call) -> Value:
    if name == "step":
        _closure(m, given, node)
        m.event("step", receiver, node)
    if name == "add_param_group":
        add_group(m, receiver, given.get(0) or UNKNOWN)
    return receiver if name in SAME_MODULE else UNKNOWN


def _closure(m: Machine, given: Arguments, node: ast.Call) -> None:
    """What opt.step(closure) runs first."""
    closure = given.get(0, "closure")
    if isinstance(closure, Function):
        call(m, closure, Arguments(), node)
    elif closure is not None:
        m.event("maybe", closure, node)


def _of_container(m: Machine, receiver: Items | Table, name: str, given: Arguments, node: ast.Call) -> Value:
    if isinstance(receiver, Items):
        if name == "append" and given.positional:
            append(m, receiver, given.positional[0], node)
        elif name == "extend" and given.positional:
            extend(m, receiver, given.positional[0])
        elif name in ("insert", "pop", "remove", "reverse", "clear"):
            m.write(receiver.slots, "items", None)
        return UNKNOWN
    whole = None not in receiver.slots
    if name == "values" and whole:
        return Items({"items": tuple(receiver.slots.values())})
    if name == "items" and whole:
        return Items({"items": tuple(Items({"items": (Const(key), item)}) for key, item in receiver.slots.items())})
    if name in ("get", "pop") and isinstance(key := given.get(0), Const) and whole:
        return receiver.slots.get(key.value, given.get(1) or UNKNOWN)  # type: ignore[no-any-return]
    if name == "update":
        m.write(receiver.slots, None, UNKNOWN)
    return UNKNOWN


def _of_class(m: Machine, receiver: Class, name: str, given: Arguments, node: ast.Call) -> Value:
    if name in ("parameters", "named_parameters") and receiver.is_module and not given.positional:
        m.emit("optimizer-unbound-parameters", m.site(node))
    return UNKNOWN


def _of_unknown(m: Machine, receiver: Value, name: str, given: Arguments, node: ast.Call) -> Value:
    key = receiver.key if isinstance(receiver, Unknown) else ""
    last = key.rpartition(".")[2].lower()
    if name == "step":
        return _unknown_step(m, receiver, last, given, node)
    if name == "train" and isinstance(mode := given.get(0, "mode"), Const) and mode.value is False:
        name = "eval"
    if name in ("train", "eval") and key:
        m.event(name, receiver, node)
    if (name == "requires_grad_" and not given.all) or (
        name == "requires_grad_" and isinstance(flag := given.get(0), Const) and flag.value is True
    ):
        forced(m, receiver, node)
    if name in SAME_MODULE:
        return receiver
    if name in ("parameters", "named_parameters"):
        return Parameters((receiver,))
    if name == "scale" and given.positional:  # GradScaler.scale(loss) is the loss, larger
        return given.positional[0]
    if isinstance(receiver, Unknown) and not any(may_hold_optimizer(value) for value in given.all):
        made = operation(m, name, given, node, receiver)
        if isinstance(made, Tensor):
            return _by_method(made)
    if name in ("next", "__next__"):
        return first_of(m, Arguments([receiver]), node)
    return unknown_call(m, Unknown(f"{key}.{name}" if key else name), given, node)


def _unknown_step(m: Machine, receiver: Value, last: str, given: Arguments, node: ast.Call) -> Value:
    """A step of what is not known: an optimizer by its name, a GradScaler by what it is given, else nothing."""
    inner = given.get(0)
    if isinstance(inner, Optimizer) or (isinstance(inner, Unknown) and "opt" in inner.key.lower()):
        m.event("step", inner, node)
    elif "opt" in last and not any(word in last for word in NOT_OPTIMIZERS):
        _closure(m, given, node)
        m.event("step", receiver, node)
    return UNKNOWN
