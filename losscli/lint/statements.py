"""Statements: what each kind does to the state. Branches merge where they agree; a loop is followed for one turn."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from losscli.lint.containers import extend, items_of
from losscli.lint.expressions import evaluate, iterated, loop_items, truth
from losscli.lint.loss_rules import overwritten
from losscli.lint.machine import Exhausted, Loop, Machine
from losscli.lint.objects import assign_attribute, assign_item
from losscli.lint.operators import binary
from losscli.lint.optimizers import accumulated, events_of
from losscli.lint.values import (
    MISSING,
    UNKNOWN,
    Class,
    Function,
    Items,
    Lazy,
    Name,
    Scope,
    Tensor,
    Unknown,
    Value,
    merged,
    same,
)
from losscli.lint.vocabulary import NO_GRAD


def run(m: Machine, body: Sequence[ast.stmt]) -> None:
    """A block, up to where it returns, raises, breaks or continues."""
    outer, m.block = m.block, id(body)
    for statement in body:
        if m.frame.done:
            return
        m.left -= 1
        m.total -= 1
        if m.left < 0:
            raise Exhausted
        action = STATEMENTS.get(type(statement))
        if action is not None:
            action(m, statement)
            m.block = id(body)
    m.block = outer


def _import(m: Machine, node: ast.Import) -> None:
    for item in node.names:
        name = item.asname or item.name.partition(".")[0]
        dotted = item.name if item.asname else name
        path = m.world.find(m.scope.source, dotted)
        m.write(m.scope.names, name, Lazy(path) if path else Name(dotted))


def _import_from(m: Machine, node: ast.ImportFrom) -> None:
    module = node.module or ""
    path = m.world.find(m.scope.source, module, node.level)
    for item in node.names:
        name = item.asname or item.name
        if item.name == "*":
            _star(m, module, path)
            continue
        inner = m.world.find(m.scope.source, f"{module}.{item.name}" if module else item.name, node.level)
        if inner:
            m.write(m.scope.names, name, Lazy(inner))
        elif path:
            m.write(m.scope.names, name, Lazy(path, item.name))
        elif not node.level:
            m.write(m.scope.names, name, Name(f"{module}.{item.name}"))
        else:
            m.write(m.scope.names, name, Unknown(name))


def _star(m: Machine, module: str, path: Any) -> None:
    if path:
        scope = m.world.names(path)
        for name in scope.names if scope else ():
            m.write(m.scope.names, name, Lazy(path, name))
    elif module.startswith("torch"):
        m.write(m.scope.names, "*", Name(module))


def _function(m: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    m.write(m.scope.names, node.name, Function(node, m.scope))


def _class(m: Machine, node: ast.ClassDef) -> None:
    bases = tuple(evaluate(m, base) for base in node.bases)
    scope = Scope({}, m.scope.source, m.scope)
    kind = Class(node, m.scope, bases, scope.names)
    with m.inside(scope):
        run(m, node.body)
    for value in scope.names.values():
        if isinstance(value, Function) and value.owner is None:
            value.owner, value.scope = kind, m.scope
    m.write(m.scope.names, node.name, kind)


def _assign(m: Machine, node: ast.Assign) -> None:
    value = evaluate(m, node.value)
    if isinstance(value, Tensor) and value.op == "loss":
        overwritten(m, node, value)
    if isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.Add):
        _added(m, node)
    for target in node.targets:
        bind(m, target, value, node.value)


def _added(m: Machine, node: ast.Assign) -> None:
    """`total = total + loss` adds up as `total += loss` does."""
    target, parts = node.targets[0], node.value
    if not (isinstance(parts, ast.BinOp) and isinstance(target, ast.Name)):
        return
    for total, added in ((parts.left, parts.right), (parts.right, parts.left)):
        if isinstance(total, ast.Name) and total.id == target.id and isinstance(added, ast.Name):
            accumulated(m, evaluate(m, total), evaluate(m, added), node)


def _annotated(m: Machine, node: ast.AnnAssign) -> None:
    if node.value is not None:
        bind(m, node.target, evaluate(m, node.value), node.value)


def bind(m: Machine, target: ast.expr, value: Value, made: ast.expr | None = None) -> None:
    """Give a target its value; a tuple takes the items apart."""
    if isinstance(target, ast.Name):
        if isinstance(value, Unknown) and not value.key:
            value = Unknown(target.id, value.data)  # its own, so that it can be told from others
        m.write(m.scope.names, target.id, value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for place, inner in enumerate(target.elts):
            if isinstance(inner, ast.Starred):
                bind(m, inner.value, UNKNOWN)
                value = UNKNOWN
            else:
                bind(m, inner, item_of(value, place, inner))
    elif isinstance(target, ast.Attribute):
        assign_attribute(m, evaluate(m, target.value), target, value, made)
    elif isinstance(target, ast.Subscript):
        assign_item(m, evaluate(m, target.value), target, value)


def item_of(value: Value, place: int, target: ast.expr) -> Value:
    """The item of a tuple at a place; of what is not known, an unknown with the target's name."""
    items = items_of(value)
    if items is not None and place < len(items):
        return items[place]
    data = isinstance(value, Unknown) and value.data
    return Unknown(target.id if isinstance(target, ast.Name) else "", data)


def _augmented(m: Machine, node: ast.AugAssign) -> None:
    load: Any = _loaded(node.target)
    before, value = evaluate(m, load), evaluate(m, node.value)
    if isinstance(before, Items) and before.mutable and isinstance(node.op, ast.Add):
        extend(m, before, value)
        return
    if isinstance(node.op, ast.Add):
        accumulated(m, before, value, node)
    bind(m, node.target, binary(m, node.op, before, value, node), node.value)


def _loaded(target: ast.expr) -> ast.expr:
    match target:
        case ast.Name():
            new: ast.expr = ast.Name(target.id, ast.Load())
        case ast.Attribute():
            new = ast.Attribute(target.value, target.attr, ast.Load())
        case ast.Subscript():
            new = ast.Subscript(target.value, target.slice, ast.Load())
        case _:
            return target
    return ast.copy_location(new, target)


def _return(m: Machine, node: ast.Return) -> None:
    m.frame.returns.append(evaluate(m, node.value) if node.value else UNKNOWN)
    m.frame.done = "return"


def _if(m: Machine, node: ast.If) -> None:
    verdict = truth(m, node.test)
    if verdict is not None:
        run(m, node.body if verdict else node.orelse)
        return
    every_few = any(isinstance(inner, ast.Mod) for inner in ast.walk(node.test))
    m.branches([partial(run, m, node.body), partial(run, m, node.orelse)], every_few)


def _for(m: Machine, node: ast.For | ast.AsyncFor) -> None:
    over = evaluate(m, node.iter)
    items = loop_items(over)
    if items is not None:
        _turns(m, node, [partial(bind, m, node.target, item) for item in items], certain=bool(items))
        return
    certain = isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name) and node.iter.func.id == "range"
    _turns(m, node, [partial(bind, m, node.target, iterated(m, over, node))], certain)


def _while(m: Machine, node: ast.While) -> None:
    verdict = truth(m, node.test)
    if verdict is not False:
        _turns(m, node, [lambda: None], certain=verdict is True)


def _turns(
    m: Machine, node: ast.For | ast.AsyncFor | ast.While, starts: list[Callable[[], None]], certain: bool
) -> None:
    """One turn for each start; afterwards only what the turns leave as it was is known, or what they certainly made."""
    mark, outer = m.mark(), m.trace
    turns = []
    for start in starts:
        m.trace = []
        start()
        run(m, node.body)
        turns.append(m.trace)
        ended, m.frame.done = m.frame.done, ""
        if ended:
            break
    m.trace = outer
    alike = (
        len({tuple((event.kind, event.site.node, id(event.target)) for event in events_of(turn)) for turn in turns})
        == 1
    )
    body = turns[0] if alike else [item for turn in turns for item in turn]
    if body:
        outer.append(Loop(node, body, len(m.stack)))
    if not certain:
        for names, key, old in list(m.changed_since(mark)):
            if old is not MISSING:
                m.write(names, key, _after_loop(old, names.get(key, MISSING)))
    run(m, node.orelse)


def _after_loop(old: Any, new: Any) -> Any:
    """A value after a loop that may not have run: what was added up stays a sum, and a list keeps its end."""
    if isinstance(old, tuple) and isinstance(new, tuple):
        return (*old, UNKNOWN, *new[len(old) :]) if new[: len(old)] == old else None
    if isinstance(new, Tensor) and new.op == "add" and any(same(old, item) for item in new.inputs):
        return new
    return merged(old, new)


def _with(m: Machine, node: ast.With | ast.AsyncWith) -> None:
    quiet = 0
    for item in node.items:
        value = evaluate(m, item.context_expr)
        if isinstance(value, Name) and value.dotted.removesuffix("()") in NO_GRAD:
            quiet += 1
        if item.optional_vars is not None:
            bind(m, item.optional_vars, value if isinstance(value, Items) else Unknown(ast.unparse(item.optional_vars)))
    m.untracked += quiet
    run(m, node.body)
    m.untracked -= quiet


def _try(m: Machine, node: ast.Try) -> None:
    run(m, node.body)
    names = {
        inner.id
        for handler in node.handlers
        if handler.type
        for inner in ast.walk(handler.type)
        if isinstance(inner, ast.Name)
    }
    if names & {"ImportError", "ModuleNotFoundError"} and not m.frame.done:
        run(m, node.orelse)
    elif not m.frame.done:
        run(m, node.orelse)
        m.branches([lambda: None, *(partial(run, m, handler.body) for handler in node.handlers)])
    ended, m.frame.done = m.frame.done, ""
    run(m, node.finalbody)
    m.frame.done = m.frame.done or ended


def _match(m: Machine, node: ast.Match) -> None:
    evaluate(m, node.subject)
    m.branches([lambda: None, *(partial(run, m, case.body) for case in node.cases)])


def _end(reason: str, m: Machine, node: ast.stmt) -> None:
    if isinstance(node, ast.Raise) and node.exc is not None:
        evaluate(m, node.exc)
    m.frame.done = reason


def _expression(m: Machine, node: ast.Expr) -> None:
    evaluate(m, node.value)


def _delete(m: Machine, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            m.write(m.scope.names, target.id, Unknown(target.id))


STATEMENTS: dict[type[ast.stmt], Callable[[Machine, Any], None]] = {
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Return: _return,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.Match: _match,
    ast.Raise: partial(_end, "raise"),
    ast.Break: partial(_end, "loop"),
    ast.Continue: partial(_end, "loop"),
    ast.Expr: _expression,
    ast.Delete: _delete,
}
