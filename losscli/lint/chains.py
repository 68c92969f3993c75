"""What stands before a loss, read off a tensor: the activations back to the last layer that mixes its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from losscli.lint.values import Const, Tensor, Value, number

ACTIVATIONS = frozenset(
    ("relu", "sigmoid", "softmax", "log-softmax", "log-sigmoid", "tanh", "softplus", "exp", "clamp")
)
SQUASHED = ("sigmoid", "softmax")
TINY = 1e-2  # what is added to a probability below this only keeps its logarithm finite


@dataclass
class Chain:
    """Names of activations from the last layer on, and the tensors that they made."""

    names: list[str] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)

    def made(self, name: str) -> Tensor | None:
        """The tensor that the last activation of that name made."""
        return next((tensor for tensor in reversed(self.tensors) if tensor.op == name), None)


def chain(value: Value) -> Chain:
    """The chain that ends in a value; empty where nothing is known."""
    links = list(_links(value))[::-1]
    return Chain([name for name, _ in links], [tensor for _, tensor in links])


def _links(value: Value) -> Iterator[tuple[str, Tensor]]:
    """From the loss backwards."""
    while isinstance(value, Tensor):
        if value.op == "view" or is_guard(value):
            value = value.inputs[0] if not isinstance(value.inputs[0], Const) else value.inputs[1]
        elif value.op == "linear":
            yield "linear", value
            return
        elif value.op == "log":
            yield from _of_log(value)
            return
        elif value.op == "exp" and (logarithm := _log_softmax(value.inputs[0])) is not None:
            yield "softmax", value
            value = logarithm.inputs[0]
        elif value.op in ACTIVATIONS:
            yield value.op, value
            value = value.inputs[0]
        elif (scaled := _scaled(value)) is not None:
            yield "linear", scaled
            return
        else:
            return


def is_guard(value: Tensor) -> bool:
    """Whether an operation only keeps a probability away from 0 and 1, or adds next to nothing."""
    if value.op == "clamp":
        return isinstance(inner := value.inputs[0], Tensor) and last_squash(inner) is not None
    if value.op != "add":
        return False
    added = [constant for item in value.inputs if (constant := number(item)) is not None]
    return len(added) == 1 and 0 < abs(added[0]) < TINY


def last_squash(value: Value) -> Tensor | None:
    """The sigmoid or softmax that a value is, through views and guards."""
    while isinstance(value, Tensor) and (value.op == "view" or (value.op in ("clamp", "add") and is_guard(value))):
        value = value.inputs[0] if not isinstance(value.inputs[0], Const) else value.inputs[1]
    return value if isinstance(value, Tensor) and value.op in SQUASHED else None


def _log_softmax(value: Value) -> Tensor | None:
    """The log-softmax that a value is, through views."""
    while isinstance(value, Tensor) and value.op == "view":
        value = value.inputs[0]
    return value if isinstance(value, Tensor) and value.op == "log-softmax" else None


def _of_log(value: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The logarithm of a softmax is a log-softmax, however it is written; that of anything else is a logarithm."""
    squash = last_squash(value.inputs[0])
    if squash is None:
        yield "log", value
        return
    yield ("log-softmax" if squash.op == "softmax" else "log-sigmoid"), value
    yield from _links(squash.inputs[0])


def _scaled(value: Tensor) -> Tensor | None:
    """The linear layer whose output is only multiplied, shifted, turned round or averaged: raw scores still."""
    while isinstance(value, Tensor):
        if value.op == "linear":
            return value
        if value.op in ("mul", "div", "add", "sub", "neg", "view") and value.inputs:
            tensors = [item for item in value.inputs if isinstance(item, Tensor)]
            others = [item for item in value.inputs if not isinstance(item, Tensor)]
            scale = value.op in ("mul", "div")  # a temperature may come from anywhere
            if len(tensors) != 1 or any(number(item) is None and not scale for item in others):
                return None
            value = tensors[0]
        else:
            return None
    return None
