"""Optimizers: whose parameters they hold, whether those are the trained ones, and what becomes of the rest."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from losscli.lint.calls import Arguments
from losscli.lint.containers import parameters_in
from losscli.lint.machine import Machine
from losscli.lint.values import (
    MISSING,
    UNKNOWN,
    Instance,
    Items,
    Layer,
    Optimizer,
    Parameters,
    Site,
    Table,
    Tensor,
    Unknown,
    Value,
)

MOST_NESTED = 6  # models in models


@dataclass(eq=False)
class Replaced:
    """A part of a model that was replaced by another, after an optimizer was made."""

    owner: Value
    new: Value
    site: Site
    optimizer: Optimizer


def make_optimizer(m: Machine, given: Arguments, node: ast.Call) -> Optimizer:
    """An optimizer of torch.optim."""
    holds = parameters_in(given.get(0, "params") or UNKNOWN) or Parameters((), whole=False)
    first = node.args[0] if node.args else next((item.value for item in node.keywords if item.arg == "params"), None)
    temporary = isinstance(first, ast.Call) and isinstance(first.func, ast.Attribute) and _is_new(m, first.func.value)
    optimizer = Optimizer(holds, m.site(node), temporary)
    m.made.append(optimizer)
    m.event("made", optimizer, node)
    return optimizer


def _is_new(m: Machine, node: ast.expr) -> bool:
    """Whether an expression makes an object that nothing else has a name for: a call of a class, `Model()`."""
    from losscli.lint.expressions import evaluate
    from losscli.lint.values import Class, Name

    if not isinstance(node, ast.Call) or not isinstance(node.func, (ast.Name, ast.Attribute)):
        return False
    if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, (ast.Name, ast.Attribute)):
        return False
    called = evaluate(m, node.func)
    return isinstance(called, Class) or (isinstance(called, Name) and called.dotted.startswith("torch.nn."))


def add_group(m: Machine, optimizer: Optimizer, value: Value) -> None:
    """More parameters for an optimizer."""
    more = parameters_in(value)
    holds = optimizer.holds
    optimizer.holds = Parameters(
        (*holds.of, *(more.of if more else ())), holds.whole and more is not None and more.whole
    )
    m.made.append(optimizer)  # after what was replaced before


def held_leaves(optimizer: Optimizer) -> tuple[set[int], bool]:
    """The layers that an optimizer holds, and whether that is all."""
    from losscli.lint.objects import leaves

    layers, whole = set(), optimizer.holds.whole
    for module in optimizer.holds.of:
        for leaf in leaves(module):
            if isinstance(leaf, (Layer, Tensor)):
                layers.add(id(leaf))
            else:
                whole = False
    return layers, whole


def replaced(m: Machine, owner: Instance | Layer, old: Any, new: Value, node: ast.AST) -> None:
    """Note that a part of a model is replaced while an optimizer holds the model."""
    from losscli.lint.objects import is_model, leaves

    if not is_model(new) or (old is MISSING and not (isinstance(owner, Layer) and owner.kind == "zoo")):
        return
    if old is not MISSING and not is_model(old) and not isinstance(old, (Unknown, Layer)):
        return
    if not any(isinstance(leaf, Layer) for leaf in leaves(new)):
        return
    for item in m.made:
        if isinstance(item, Optimizer) and any(_contains(module, owner) for module in item.holds.of):
            m.made.append(Replaced(owner, new, m.site(node), item))
            return


def _contains(module: Value, part: Value, depth: int = 0) -> bool:
    if module is part:
        return True
    if depth > MOST_NESTED or not isinstance(module, (Instance, Layer)):
        return False
    return any(_contains(inner, part, depth + 1) for inner in module.slots.values())


def _parametric(value: Value) -> bool:
    from losscli.lint.objects import leaves

    return any(isinstance(leaf, Layer) for leaf in leaves(value))


def accumulated(m: Machine, before: Value, value: Value, node: ast.AST) -> None:
    """`total += loss`: noted, for if the loss is one that backward() was called on, the sum is only looked at."""
    if isinstance(value, (Tensor, Unknown)):
        m.event("added", before, node, value)


def judge_made(m: Machine) -> None:
    """At the end of a run: parts that were replaced and never given to an optimizer, layers hidden in lists."""
    for place, item in enumerate(m.made):
        if isinstance(item, Replaced) and not _given_later(m.made[place:], item):
            m.emit(
                "module-replaced-after-optimizer",
                item.site,
                related=[(item.optimizer.site, "the optimizer was made here, with the old layer")],
            )
    for site in hidden(m):
        m.emit("parameters-not-in-optimizer", site, "layers in a plain list or dict are not registered")


def hidden(m: Machine) -> list[Site]:
    """Where models that optimizers hold keep layers in plain lists and dicts, and nowhere else."""
    models = [module for item in m.made if isinstance(item, Optimizer) for module in item.holds.of]
    pairs = [pair for module in models for pair in _hidden(module)]
    return [site for site, items in pairs if not any(_contains(model, item) for model in models for item in items)]


def _given_later(rest: list[Any], item: Replaced) -> bool:
    return any(
        isinstance(later, Optimizer)
        and any(_contains(module, item.owner) or _contains(module, item.new) for module in later.holds.of)
        for later in rest
    )


def _hidden(module: Value, depth: int = 0) -> Iterator[tuple[Site, list[Value]]]:
    """The plain lists and dicts of a model that hold layers: parameters() does not see them."""
    from losscli.lint.objects import is_model

    if depth > MOST_NESTED or not isinstance(module, Instance) or not module.kind.is_module:
        return
    for value in list(module.slots.values()):
        if isinstance(value, (Items, Table)) and value.site is not None:
            inner = value.items or () if isinstance(value, Items) else tuple(value.slots.values())
            layers = [item for item in inner if is_model(item) and _parametric(item)]
            if layers and all(item in layers or isinstance(item, Unknown) for item in inner):
                yield value.site, layers
        else:
            yield from _hidden(value, depth + 1)


def events_of(trace: list[Any]) -> Iterator[Any]:
    """All events of a trace in order, those of loops and branches among them."""
    from losscli.lint.machine import Branch, Loop

    for item in trace:
        if isinstance(item, Loop):
            yield from events_of(item.body)
        elif isinstance(item, Branch):
            for arm in item.arms:
                yield from events_of(arm)
        else:
            yield item
