"""The graph of autograd read as words: which node is which operation, and the chain of activations that ends in a tensor.

Sources of the nodes' names: derivatives.yaml of torch. A node that is in no table is unknown, and nothing is claimed behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from torch import Tensor

from losscli.check.sites import Site

Node = Any  # torch.autograd.graph.Node, whose wrappers say little to a type checker
OPERATION = "losscli-operation"  # where the metadata of a node say which operation of the user's made it
CALL = "losscli-call"  # and which call of a loss
DONE = "losscli-backward"  # that backward() began there
TOTAL = "losscli-total"  # the line that added losses up to it
TINY = 1e-2  # what is added to a probability below this only keeps its logarithm finite


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


ACTIVATIONS = {
    "Softmax": "softmax",
    "LogSoftmax": "log-softmax",
    "Sigmoid": "sigmoid",
    "LogSigmoid": "log-sigmoid",
    "Relu": "relu",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Exp": "exp",
}
# What changes neither values nor what they mean.
VIEWS = words(
    "View UnsafeView Reshape ReshapeAlias Squeeze Unsqueeze Transpose T Permute Slice Select Index IndexSelect Gather Clone "
    "ToCopy Expand Alias NativeDropout Unbind Split SplitWithSizes Narrow AsStrided Contiguous MaskedFill MaskedSelect "
    "MaskedScatter Diagonal Movedim Chunk Unfold Repeat Flip"
)
LINEAR = words(
    "Addmm Addbmm Addmv Convolution MkldnnConvolution CudnnConvolution NativeBatchNorm CudnnBatchNorm MiopenBatchNorm "
    "BatchNorm NativeLayerNorm LayerNorm NativeGroupNorm Linear MkldnnLinear FusedRmsNorm"
)
PRODUCTS = words("Mm Bmm Mv Dot Baddbmm")  # linear, too, unless what is mixed are probabilities
SCALES = words("Add Sub Rsub Mul Div Neg Mean Sum")
STEPS = words("Round Floor Ceil Trunc Sign FloorDivide Heaviside")  # flat: their gradient is zero
LEAF = "torch::autograd::AccumulateGrad"


@cache
def stem(name: str) -> str:
    """The operation in the name of a node.

    >>> stem("LogSoftmaxBackward0"), stem("ClampBackward1")
    ('LogSoftmax', 'Clamp')
    """
    return re.sub(r"Backward\d*$", "", name)


@cache
def kind_of(name: str) -> str:
    """What a node of that name does, in one word."""
    word = stem(name)
    if word in ACTIVATIONS:
        return ACTIVATIONS[word]
    for kind, names in (("view", VIEWS), ("linear", LINEAR), ("product", PRODUCTS), ("scale", SCALES), ("step", STEPS)):
        if word in names:
            return kind
    return {"Log": "log", "Clamp": "clamp", "ClampMin": "clamp", "Hardtanh": "clamp", LEAF: "leaf"}.get(word, word)


def kind(node: Node) -> str:
    """What a node does, in one word."""
    return kind_of(node.name())


def made_by(value: Tensor) -> Node | None:
    """The node that made a tensor; none for a view of what was written over since, which torch refuses to trace."""
    try:
        return value.grad_fn
    except RuntimeError:
        return None


def facts(node: Node) -> dict[str, Any]:
    """What is noted of a node, which torch keeps as long as it keeps the node."""
    return node.metadata  # type: ignore[no-any-return]


def inputs(node: Node) -> list[Node]:
    """The nodes that a gradient goes on to."""
    return [item for item, _ in node.next_functions if item is not None]


def before(node: Node) -> Node | None:
    """The one node before a node; None if there is none, or several."""
    found = inputs(node)
    return found[0] if len(found) == 1 else None


def through_views(node: Node | None) -> Node | None:
    """The nearest node that is no view."""
    while node is not None and kind(node) == "view":
        node = before(node)
    return node


@dataclass(frozen=True)
class Operation:
    """What the trace saw: the function's name, the line; a number among the arguments; for layers, where they were made."""

    name: str
    site: Site
    number: float | None = None
    made: Site | None = None
    shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None  # of a difference
    learned: tuple[bool, bool] = (False, False)


def operation(node: Node | None) -> Operation | None:
    """What the trace noted of a node."""
    return None if node is None else facts(node).get(OPERATION)


def shape(node: Node) -> tuple[int, ...]:
    """The shape of what a node made."""
    return tuple(node._input_metadata[0].shape)


@dataclass
class Chain:
    """Names of activations from the last layer on, and the nodes that made them."""

    names: list[str] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    def made(self, name: str) -> Node | None:
        """The node of the last activation of that name."""
        return next((node for word, node in zip(self.names[::-1], self.nodes[::-1], strict=True) if word == name), None)


def chain(node: Node | None) -> Chain:
    """The chain that ends in a node; empty where nothing is known.

    >>> import torch
    >>> chain(torch.nn.Linear(2, 3)(torch.zeros(1, 2)).softmax(1)[:, 0].grad_fn).names
    ['linear', 'softmax']
    """
    links = list(_links(node))[::-1]
    return Chain([name for name, _ in links], [made for _, made in links])


def _links(node: Node | None) -> Iterator[tuple[str, Node]]:
    """From the loss backwards."""
    while node is not None:
        word = kind(node)
        if word == "view" or _is_guard(node):
            node = before(node)
        elif is_raw(node):
            yield "linear", node
            return
        elif word == "log":
            yield from _of_log(node)
            return
        elif word == "exp" and (inner := through_views(before(node))) is not None and kind(inner) == "log-softmax":
            yield "softmax", node
            node = before(inner)
        elif word == "clamp" or word in ACTIVATIONS.values():
            yield "relu" if word == "clamp" and _is_relu(node) else word, node
            node = before(node)
        else:
            return


def _limits(node: Node) -> tuple[float | None, float | None]:
    """Between which numbers a clamp keeps its values."""
    names = ("min_val", "max_val") if stem(node.name()) == "Hardtanh" else ("min", "max")
    low, high = (getattr(node, f"_saved_{name}", None) for name in names)
    return tuple(item if isinstance(item, (int, float)) else None for item in (low, high))  # type: ignore[return-value]


def _is_relu(node: Node) -> bool:
    """A clamp at 0 with no upper end, or that of ReLU6."""
    low, high = _limits(node)
    return low == 0 and (high is None or high > 1)


def _is_guard(node: Node) -> bool:
    """Whether a node only keeps a probability away from 0 and 1, or adds next to nothing."""
    word = kind(node)
    if word == "clamp":
        return last_squash(before(node)) is not None
    if stem(node.name()) != "Add":
        return False
    noted = operation(node)
    small = noted is not None and noted.number is not None and 0 < abs(noted.number) < TINY
    return small and last_squash(before(node)) is not None


def last_squash(node: Node | None) -> Node | None:
    """The sigmoid or softmax that a value is, through views, clamps and what little is added."""
    while node is not None:
        word = kind(node)
        if word in ("sigmoid", "softmax"):
            return node
        if word not in ("view", "clamp") and stem(node.name()) != "Add":
            return None
        node = before(node)
    return None


def _of_log(node: Node) -> Iterator[tuple[str, Node]]:
    """The logarithm of a softmax is a log-softmax, however it is written; that of anything else is a logarithm."""
    squash = last_squash(before(node))
    if squash is None:
        yield "log", node
        return
    yield ("log-softmax" if kind(squash) == "softmax" else "log-sigmoid"), node
    yield from _links(before(squash))


def is_layer(node: Node) -> bool:
    """Whether a node is itself a layer that mixes its inputs, or an activation."""
    return kind(node) not in ("product", "scale")


def is_raw(node: Node, depth: int = 0) -> bool:
    """Whether a value is that of a layer which mixes its inputs, perhaps scaled, shifted, turned round or averaged."""
    word = kind(node)
    if word == "linear":
        return True
    others = [item for item in inputs(node) if kind(item) != "leaf"]
    if word == "product":
        return not any(last_squash(item) is not None for item in others)
    if depth > 8 or word not in ("scale", "view") or not others:
        return False
    mixes = stem(node.name()) in ("Add", "Sub", "Rsub")
    return (mixes or len(others) == 1) and all(is_raw(item, depth + 1) for item in others)
