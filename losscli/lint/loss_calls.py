"""Calls of losses: what is given is held against the contract of the loss."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from losscli.lint.calls import Arguments
from losscli.lint.chains import Chain, chain
from losscli.lint.machine import Machine
from losscli.lint.targets import beyond, broadcasting, domain
from losscli.lint.values import UNKNOWN, Const, Criterion, Site, Tensor, Unknown, Value
from losscli.rules.contract import BY_CLASS, BY_FUNCTION, SQUASHING, TorchLoss, misuses

TARGETS = ("target", "label", "truth", "gt", "labels", "targets", "y_true")


def make_criterion(m: Machine, kind: str, given: Arguments, node: ast.AST) -> Criterion:
    """An object of a loss class; given tensors, it is a mistake."""
    loss = BY_CLASS[kind]
    tensors = [value for value in given.positional if isinstance(value, Tensor)]
    second = given.get(1)
    named = isinstance(second, Unknown) and second.key.rpartition(".")[2].lower() in (*TARGETS, "y")
    if len(tensors) > loss.weight_first or (isinstance(second, Tensor) or named):
        m.emit("loss-class-called-with-tensors", m.site(node))
    options = dict(zip(loss.setup, given.positional, strict=False)) | given.named
    if given.open:
        options["reduction"] = options.get("reduction", UNKNOWN)
    criterion = Criterion(loss, options, m.site(node))
    m.criteria.append(criterion)
    return criterion


def criterion_call(m: Machine, criterion: Criterion, given: Arguments, node: ast.AST) -> Value:
    """Call a loss object."""
    criterion.called = True
    return judge(m, criterion.loss, criterion.options, given, node, criterion.site)


def function_call(m: Machine, name: str, given: Arguments, node: ast.AST) -> Value:
    """Call a loss function."""
    loss = BY_FUNCTION[name]
    rest = given.positional[len(loss.tensors) :]
    options = dict(zip(loss.setup, rest, strict=False)) | given.named
    if given.open:
        options["reduction"] = options.get("reduction", UNKNOWN)
    return judge(m, loss, options, given, node)


def judge(
    m: Machine,
    loss: TorchLoss,
    options: Mapping[str, Value],
    given: Arguments,
    node: ast.AST,
    made: Site | None = None,
) -> Tensor:
    """Hold one call of a loss against its contract; the value is its result."""
    inputs = [given.get(place, name) or UNKNOWN for place, name in enumerate(loss.tensors)]
    first, target = inputs[0], inputs[loss.tensors.index("target")]
    site = m.site(node)
    reduction = reduction_of(options)
    before = chain(first)
    if loss.takes == "divergence":
        _divergence(m, before, target, options, reduction, site, made)
    for name, severity in misuses(loss.takes, before.names):
        _misuse(m, name, severity, before, loss, site)
    _axis(m, before, loss, site)
    if loss.target == "signs" and (values := domain(target)) is not None and values <= {0, 1} and 0 in values:
        m.emit("target-not-plus-minus-one", site, related=_made_at(target, "the target was made here"))
    broadcasting(m, loss, first, target, site)
    beyond(m, loss, first, target, site)
    return m.tensor(
        "loss", node, *inputs, shape=() if reduction in ("mean", "sum") else None, loss=loss, reduction=reduction
    )


def reduction_of(options: Mapping[str, Value]) -> str:
    """How a loss is reduced: mean, sum, none ...; empty where that is not known."""
    old = [options.get(name) for name in ("size_average", "reduce")]
    if isinstance(old[1], Const) and old[1].value is False:
        return "none"
    if isinstance(old[0], Const) and old[0].value is False:
        return "sum"
    if any(item is not None and not isinstance(item, Const) for item in old):
        return ""
    value = options.get("reduction", Const("mean"))
    return value.value if isinstance(value, Const) and isinstance(value.value, str) else ""


def _made_at(value: Value, message: str) -> list[tuple[Site, str]]:
    return [(value.site, message)] if isinstance(value, Tensor) else []


def _misuse(m: Machine, name: str, severity: Any, before: Chain, loss: TorchLoss, site: Site) -> None:
    """Report what the contract says, where it belongs: at the loss, or at the activation that another one spoils."""
    wrong = before.tensors[-1]
    if name == "relu-before-logits" and before.names[-1] != "relu":
        relu = before.made("relu") or wrong
        squash = next((tensor for tensor in before.tensors if tensor.op in SQUASHING and tensor is not relu), wrong)
        if before.names[-1] in SQUASHING:
            m.emit(name, squash.site, related=[(relu.site, "the ReLU is applied here"), (site, f"{loss.kind} is here")])
            return
    what = f"the {before.names[-1]} is applied here" if before.names[-1] != "linear" else "the raw scores are made here"
    edit = None
    if name == "log-softmax-before-cross-entropy":
        if not _over_classes(wrong):
            return
        edit = ("drop", site, wrong)
    m.emit(name, site, related=[(wrong.site, what)], severity=severity, edit=edit)


def _over_classes(log_softmax: Tensor) -> bool:
    """Whether a log-softmax runs over the axis that cross-entropy takes for the classes."""
    at = log_softmax.facts.get("dim")
    axis = at.value if isinstance(at, Const) else None
    return axis == 1 or (axis == -1 and (log_softmax.shape is None or len(log_softmax.shape) == 2))


def _axis(m: Machine, before: Chain, loss: TorchLoss, site: Site) -> None:
    """A softmax over dim 0 before a loss on classes runs over the batch; one over a single output is always 1."""
    squash = before.tensors[-1] if before.names and before.names[-1] in ("softmax", "log-softmax") else None
    if squash is None or loss.takes == "values":
        return
    at = squash.facts.get("dim")
    axis = at.value if isinstance(at, Const) else None
    flat = squash.shape is not None and len(squash.shape) < 2
    if axis == 0 and not flat and squash.op in ("softmax", "log-softmax"):
        m.emit("softmax-wrong-dim", squash.site, related=[(site, f"{loss.kind} is here")])
    if axis == 1 and squash.facts.get("last") == 1 and squash.shape is None:
        m.emit("softmax-over-one", squash.site, related=[(site, f"{loss.kind} is here")])


def _divergence(
    m: Machine,
    before: Chain,
    target: Value,
    options: Mapping[str, Value],
    reduction: str,
    site: Site,
    made: Site | None,
) -> None:
    """KLDivLoss: the form of its target, and its mean."""
    log_target = options.get("log_target", Const(False))
    goal = chain(target)
    last = goal.names[-1] if goal.names else ""
    logarithmic = last in ("log-softmax", "log-sigmoid", "log")
    if isinstance(log_target, Const) and last:
        wrong = logarithmic if not log_target.value else last in ("softmax", "sigmoid")
        if wrong:
            m.emit("kldiv-log-target", site, related=_made_at(goal.tensors[-1], "the target was made here"))
    if (reduction == "mean" and "reduction" not in options) or _says(options, "mean"):
        m.emit("kldiv-mean", site, related=[(made, "the loss was made here")] if made else None)


def _says(options: Mapping[str, Value], word: str) -> bool:
    value = options.get("reduction")
    return isinstance(value, Const) and value.value == word


def uncalled(m: Machine) -> Iterator[Criterion]:
    """KLDivLosses with a plain mean that nothing here calls: somebody will."""
    called = {item.site.line for item in m.criteria if item.called}
    for item in m.criteria:
        if item.loss.takes == "divergence" and item.site.line not in called and reduction_of(item.options) == "mean":
            yield item
