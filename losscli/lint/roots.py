"""Where following begins: the file's top level as a script, then every function that it did not call, on its own."""

from __future__ import annotations

import ast
import re
from contextlib import suppress

from losscli.lint.calls import Arguments, follow
from losscli.lint.files import Source
from losscli.lint.frameworks import TRAINED
from losscli.lint.gradient import examine
from losscli.lint.loops import judge_trace
from losscli.lint.loss_calls import uncalled
from losscli.lint.machine import Exhausted, Machine, Report
from losscli.lint.objects import instantiate
from losscli.lint.optimizers import judge_made
from losscli.lint.values import UNKNOWN, Class, Function, Items, Table, Value
from losscli.lint.world import World

# What a text must speak of to be worth following.
RELEVANT = re.compile(
    r"[lL]oss|criterion|softmax|sigmoid|Softmax|Sigmoid|backward|zero_grad|\.parameters\(|requires_grad|cross_entropy|kl_div|"
    r"optim\.|\.log\(|\.sqrt\(|autograd"
)


def relevant(text: str) -> bool:
    """Whether anything in a text could break a rule."""
    return RELEVANT.search(text) is not None


def follow_file(source: Source, world: World, report: Report) -> None:
    """Follow one file from all its roots."""
    m = Machine(source, world, report)
    m.run_module()
    _judge(m)
    objects: dict[int, tuple[Value, list[object]]] = {}
    for function, owner in list(m.functions()):
        own = owner is None or owner is function.owner
        if (
            (own and id(function.node) in m.executed)
            or function.scope.source is not source
            or not relevant(_text(source, function))
        ):
            continue
        m.fresh()
        with suppress(Exhausted, RecursionError):
            _alone(m, function, owner, objects)
        _judge(m)
    for criterion in uncalled(m):
        if criterion.site.source is source:
            m.emit("kldiv-mean", criterion.site)


def _text(source: Source, function: Function) -> str:
    node = function.node
    return "\n".join(source.lines[node.lineno - 1 : node.end_lineno])


def _judge(m: Machine) -> None:
    """The rules that need a whole run."""
    judge_trace(m)
    judge_made(m)


def _alone(m: Machine, function: Function, owner: Class | None, objects: dict[int, tuple[Value, list[object]]]) -> None:
    """Follow a function with unknown arguments, a method on an object that was made with unknown ones."""
    node = function.node
    if owner is not None:
        receiver, made = objects.get(id(owner), (None, []))
        if receiver is None:
            receiver = instantiate(m, owner, Arguments(open=True), owner.node)
            objects[id(owner)] = (receiver, list(m.made))
            m.trace = []
        else:
            m.made = list(made)
        decorators = [ast.unparse(item) for item in getattr(node, "decorator_list", ())]
        static = "staticmethod" in decorators
        function = Function(node, function.scope, owner, None if static else receiver)
    value = follow(m, function, Arguments(open=True), node)
    if _is_trained(node, owner):
        examine(m, _loss_in(value), m.site(node))


def _is_trained(node: ast.AST, owner: Class | None) -> bool:
    """Whether somebody will call backward() on what a function returns."""
    name = getattr(node, "name", "").lower()
    if owner is None:
        return "loss" in name
    losses = "loss" in owner.node.name.lower() or owner.node.name.lower().startswith("rmse")
    return name in TRAINED or (name == "forward" and losses)


def _loss_in(value: Value) -> Value:
    """The loss in what a training step returns: itself, under its name, or the first of several."""
    if isinstance(value, Table):
        return value.slots.get("loss", UNKNOWN)  # type: ignore[no-any-return]
    if isinstance(value, Items) and value.items:
        return value.items[0]
    return value
