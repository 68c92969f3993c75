"""Calls of torch's losses: what is given is held against the contract, the same that a spec and source text are held against."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from torch import Tensor

from losscli.check.graph import CALL, Chain, Node, before, chain, facts, is_layer, kind, made_by, operation, shape, stem
from losscli.check.report import Report
from losscli.check.sites import Site
from losscli.check.targets import wrong_targets
from losscli.rules.contract import SQUASHING, TorchLoss, misuses

TURNS = ("Transpose", "T", "Permute", "Movedim", "AsStrided")
MOST = 3  # calls that are looked at closely at each line: batches differ, wiring does not


@dataclass(eq=False)
class LossCall:
    """One call: which loss, where, how it is reduced, of how many targets."""

    loss: TorchLoss
    site: Site
    reduction: str
    rows: int


class LossCalls:
    """Looks at each call before it is made, so that what torch refuses is explained, too."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.number = 0
        self._times: Counter[Site] = Counter()

    def look(self, loss: TorchLoss, function: Callable[..., Any], site: Site, given: tuple[Any, Any]) -> LossCall:
        """Judge one call, of which the positional and the named arguments are `given`."""
        self.number += 1
        self._times[site] += 1
        arguments = bound(function, *given) if self._times[site] <= MOST else {}
        target = arguments.get("target")
        rows = target.numel() if isinstance(target, Tensor) else 0
        call = LossCall(loss, site, str(arguments.get("reduction", "")), rows)
        if arguments:
            self._judge(call, arguments)
        return call

    def _judge(self, call: LossCall, given: Mapping[str, Any]) -> None:
        for name, particulars, severity in wrong_targets(call.loss, given):
            self.report.emit(name, call.site, particulars, severity=severity)
        if call.loss.takes == "divergence" and call.reduction == "mean":
            self.report.emit("kldiv-mean", call.site)
        first = given.get(call.loss.tensors[0])
        if not isinstance(first, Tensor):
            return
        if call.loss.takes == "classes" and first.dim() > 1 and first.shape[1] == 1:
            self.report.emit("cross-entropy-over-one", call.site, f"the input has shape {tuple(first.shape)}")
        if made_by(first) is not None:
            self._wiring(call, first)

    def _wiring(self, call: LossCall, first: Tensor) -> None:
        """The chain before the loss."""
        found = chain(made_by(first))
        for name, severity in misuses(call.loss.takes, found.names):
            if name == "logits-into-bce" and not is_layer(found.nodes[-1]) and _in_unit(first):
                continue  # what is scaled or mixed into 0 to 1 may be a probability
            self._misuse(call, name, severity, found)
        _axis(self.report, call, found, first)

    def _misuse(self, call: LossCall, name: str, severity: str | None, found: Chain) -> None:
        """Report where it belongs: at the loss, or at the activation that another one spoils."""
        wrong = found.nodes[-1]
        if name == "log-softmax-before-cross-entropy" and axis_of(wrong) != 1:
            return
        if name == "relu-before-logits" and found.names[-1] in SQUASHING:
            relu = found.made("relu")
            squash = found.nodes[found.nodes.index(relu) + 1] if relu in found.nodes else wrong
            place = made_at(squash) or call.site
            related = [(made_at(relu), "the ReLU is applied here"), (call.site, f"{call.loss.kind} is here")]
            self.report.emit(name, place, related=related)
            return
        what = (
            "the raw scores are made here" if found.names[-1] == "linear" else f"the {found.names[-1]} is applied here"
        )
        self.report.emit(name, call.site, related=[(made_at(wrong), what)], severity=severity)


def made_at(node: Node | None) -> Site | None:
    """The line where a node was made: for a layer, that where the layer was."""
    noted = operation(node)
    return None if noted is None else noted.made or noted.site


def axis_of(node: Node) -> int | None:
    """The axis of a softmax, counted from the first; None where that is not said."""
    axis = getattr(node, "_saved_dim", None)
    if not isinstance(axis, int):
        return None
    axis -= (1 << 64) * (axis >= 1 << 63)  # torch gives it as a number without sign
    return axis if axis >= 0 else axis + len(shape(node))


def _axis(report: Report, call: LossCall, found: Chain, first: Tensor) -> None:
    """A softmax over the rows, or over a single output; for classes, over any axis but theirs."""
    squash = next((node for node in reversed(found.nodes) if kind(node) in ("softmax", "log-softmax")), None)
    axis = None if squash is None else axis_of(squash)
    if axis is None or call.loss.takes == "values" or squash is None:
        return
    sizes, related = shape(squash), [(call.site, f"{call.loss.kind} is here")]
    place = made_at(squash) or call.site
    if len(sizes) > axis and sizes[axis] == 1:
        report.emit("softmax-over-one", place, f"its input has shape {sizes}", related)
    elif len(sizes) > 1 and not _turned(first, squash) and _is_wrong(call, axis):
        report.emit("softmax-wrong-dim", place, f"dim {axis} of {sizes}", related)


def _is_wrong(call: LossCall, axis: int) -> bool:
    return axis != 1 if call.loss.target == "classes" else axis == 0


def _turned(first: Tensor, squash: Node) -> bool:
    """Whether axes may have changed places between the softmax and the loss."""
    node = made_by(first)
    while node is not None and node is not squash:
        if stem(node.name()) in TURNS:
            return True
        node = before(node)
    return node is None or shape(squash) != tuple(first.shape)


def _in_unit(values: Tensor) -> bool:
    """Whether all values lie in 0 to 1."""
    return bool(((values.detach() >= 0) & (values.detach() <= 1)).all())


def mark(output: Any, call: LossCall) -> None:
    """Note in the graph which call made a value."""
    node = getattr(output, "grad_fn", None)
    if node is not None:
        facts(node)[CALL] = call


@cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def bound(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name, with defaults; none for a call that torch will refuse.

    >>> import torch.nn.functional as F
    >>> bound(F.l1_loss, (1, 2), {})["reduction"]
    'mean'
    """
    try:
        arguments = _signature(function).bind(*positional, **named)
    except TypeError:
        return {}
    arguments.apply_defaults()
    given = dict(arguments.arguments)
    return given | _old_reduction(given)


def _old_reduction(given: Mapping[str, Any]) -> dict[str, str]:
    """What `size_average` and `reduce`, which torch still takes, mean."""
    if given.get("reduce") is False:
        return {"reduction": "none"}
    if given.get("size_average") is False:
        return {"reduction": "sum"}
    return {}
