"""The abstract interpreter's state: names, what was written when (so that branches can be tried and merged), and the trace.

The trace is what a training loop is judged by: events (zero_grad, backward, step, eval, train) in the order in which they
happen, with the loops and branches that they stand in. Calls are followed, so a helper's events stand where it is called.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from losscli.lint.files import Source
from losscli.lint.values import (
    MISSING,
    UNKNOWN,
    Class,
    Function,
    Lazy,
    Name,
    Scope,
    Site,
    Tensor,
    Unknown,
    Value,
    merged,
)
from losscli.lint.vocabulary import USUAL, is_word
from losscli.lint.world import World
from losscli.rules import rules
from losscli.rules.finding import CodeFinding, Related

BUDGET = 6_000  # statements of one run; what takes more is not followed to its end
PER_LINE = 20  # statements of all runs of a file, for each of its lines
DEEPEST_CALL = 10


class Exhausted(Exception):
    """A run took too long; what it saw so far stands."""


@dataclass(eq=False)
class Event:
    """Something that a training loop does: to what, where, and through which calls."""

    kind: str
    target: Value
    site: Site
    stack: tuple[Site, ...]
    value: Value = UNKNOWN


@dataclass(eq=False)
class Loop:
    """A loop and the events in one turn of it; `depth` is the number of calls around it."""

    node: ast.AST
    body: list[Any]
    depth: int


@dataclass(eq=False)
class Branch:
    """Alternatives; `every_few` says that the condition counts turns, as `(i + 1) % 4 == 0` does."""

    arms: list[list[Any]]
    every_few: bool


@dataclass(eq=False)
class Frame:
    """One call that is being followed; `done` says why its block ended early."""

    returns: list[Value] = field(default_factory=list)
    done: str = ""


@dataclass(eq=False)
class Report:
    """Findings of all files, each once, and the edits that mend them."""

    findings: dict[tuple[Any, ...], CodeFinding] = field(default_factory=dict)
    edits: dict[tuple[Any, ...], Any] = field(default_factory=dict)


class Machine:
    """Follows one file."""

    def __init__(self, source: Source, world: World, report: Report | None = None):
        self.source, self.world = source, world
        self.report = report or Report()
        self.silent = report is None
        self.scope = Scope({"__name__": MISSING}, source)
        self.scope.names.clear()
        self.frame = Frame()
        self.stack: list[Site] = []
        self.trace: list[Any] = []
        self.executed: set[int] = set()
        self.untracked = 0
        self.left = BUDGET
        self.total = BUDGET + PER_LINE * len(source.lines)
        self.active: list[int] = []  # the functions that are being followed
        self.owners: list[Class | None] = []  # and the classes whose methods they are
        self.made: list[Any] = []  # optimizers and parts of models of this run
        self.criteria: list[Any] = []  # losses of all runs of this file
        self.block = 0  # the block whose statements run
        self._log: list[tuple[dict[Any, Any], Any, Any]] = []

    # ------------------------------------------------------------------ names

    def write(self, names: dict[Any, Any], key: Any, value: Any) -> None:
        """Set a name so that it can be taken back."""
        self._log.append((names, key, names.get(key, MISSING)))
        names[key] = value

    def look_up(self, name: str) -> Value:
        """What a name stands for here; nothing is known of one that nobody set."""
        scope: Scope | None = self.scope
        while scope is not None:
            value = scope.names.get(name, MISSING)
            if value is not MISSING:
                if isinstance(value, Tensor) and value.op == "loss":
                    value.facts["read"] = True
                return self.settled(value)
            if (star := scope.names.get("*")) is not None and is_word(name):
                return Name(f"{star.dotted}.{name}")
            scope = scope.parent
        return _usual(name)

    def settled(self, value: Value) -> Value:
        """A name of another given file, looked up."""
        if isinstance(value, Lazy) and value.attribute is not None:
            return self.world.member(value.path, value.attribute)
        return value

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[Frame]:
        """Run in another scope, in a frame of its own."""
        outer_scope, outer_frame = self.scope, self.frame
        self.scope, self.frame = scope, Frame()
        try:
            yield self.frame
        finally:
            self.scope, self.frame = outer_scope, outer_frame

    # --------------------------------------------------------------- branches

    def branches(self, arms: list[Callable[[], None]], every_few: bool = False) -> None:
        """Try each alternative from the same state, then go on with what they agree on."""
        outer, endings, changes = self.trace, [], []
        traces: list[list[Any]] = []
        for arm in arms:
            mark, self.trace, self.frame.done = len(self._log), [], ""
            arm()
            endings.append(self.frame.done)
            traces.append(self.trace)
            changes.append(self._taken_back(mark))
        self.trace, self.frame.done = outer, ""
        if any(traces):
            outer.append(Branch(traces, every_few))
        alive = [change for change, ending in zip(changes, endings, strict=True) if not ending]
        if not alive:
            self.frame.done = endings[0]
            return
        self._agree(alive)

    def _taken_back(self, mark: int) -> dict[tuple[int, Any], tuple[dict[Any, Any], Any, Any]]:
        """What was written since, undone."""
        changes = {}
        for names, key, _ in self._log[mark:]:
            changes[id(names), key] = (names, key, names.get(key, MISSING))
        for names, key, old in reversed(self._log[mark:]):
            if old is MISSING:
                names.pop(key, None)
            else:
                names[key] = old
        del self._log[mark:]
        return changes

    def _agree(self, alive: list[dict[tuple[int, Any], tuple[dict[Any, Any], Any, Any]]]) -> None:
        for place, (names, key, _) in {place: item for change in alive for place, item in change.items()}.items():
            current = names.get(key, MISSING)
            values = [change[place][2] if place in change else current for change in alive]
            value = values[0]
            for other in values[1:]:
                value = merged(value, other)
            if value is not MISSING:
                self.write(names, key, value)

    def mark(self) -> int:
        """A point to which `changed_since` looks back."""
        return len(self._log)

    def changed_since(self, mark: int) -> Iterator[tuple[dict[Any, Any], Any, Any]]:
        """What was written since a mark, with the value before, each name once."""
        seen = set()
        for names, key, old in self._log[mark:]:
            if (id(names), key) not in seen:
                seen.add((id(names), key))
                yield names, key, old

    # ------------------------------------------------------------------ words

    def site(self, node: ast.AST) -> Site:
        """A place in the file whose code runs now."""
        return Site(self.scope.source, node)

    def event(self, kind: str, target: Value, node: ast.AST, value: Value = UNKNOWN) -> None:
        """Note what a training loop is judged by."""
        self.trace.append(Event(kind, target, self.site(node), tuple(self.stack), value))

    def tensor(self, op: str, node: ast.AST, *inputs: Value, shape: Any = None, **facts: Any) -> Tensor:
        """A tensor that an operation makes here."""
        return Tensor(op, self.site(node), inputs, shape, not self.untracked, facts)

    def emit(
        self,
        name: str,
        site: Site,
        detail: str = "",
        related: list[tuple[Site, str]] | None = None,
        severity: str | None = None,
        edit: Any = None,
    ) -> None:
        """Report a rule broken at a place, unless a comment there allows it."""
        rule = rules.get(name)
        last = getattr(site.node, "end_lineno", None) or site.line
        if self.silent or not site.source.allows(rule.code, site.line, last):
            return
        cell, line = site.source.place(site.line)
        message = f"{rule.what}{f' ({detail})' if detail else ''}"
        others = tuple(
            Related(other.source.name, other.source.place(other.line)[1], text) for other, text in related or ()
        )
        key = (site.source.name, cell, line, rule.code)
        if key not in self.report.findings:
            self.report.findings[key] = CodeFinding(
                rule.code,
                severity or rule.severity,
                site.source.name,
                line,
                site.source.character(site.line, site.column),
                message,
                tuple(dict.fromkeys(others)),
                cell,
                site.source.lines[site.line - 1].strip(),
            )
        if edit is not None:
            self.report.edits[key] = edit

    def owner(self) -> Class | None:
        """The class in whose body the running method stands."""
        return self.owners[-1] if self.owners else None

    # ------------------------------------------------------------------- runs

    def run_module(self) -> None:
        """The file's top level, as if it was run as a script."""
        from losscli.lint.statements import run

        self.left = BUDGET if not self.silent else BUDGET // 10
        with suppress(Exhausted, RecursionError):
            run(self, self.source.tree.body)

    def fresh(self) -> None:
        """Forget the trace of the last run, and start to count anew."""
        self.trace, self.frame, self.stack, self.untracked = [], Frame(), [], 0
        self.left, self.made, self.active, self.owners = min(BUDGET, self.total), [], [], []
        self._log.clear()

    def functions(self) -> Iterator[tuple[Function, Class | None]]:
        """Every function and method that the file's top level names, those of functions in functions left out."""
        for value in list(self.scope.names.values()):
            if isinstance(value, Function) and value.scope.source is self.source:
                yield value, None
            elif isinstance(value, Class) and value.scope.source is self.source:
                inherited = {
                    name: inner for ancestor in list(value.lineage())[::-1] for name, inner in ancestor.names.items()
                }
                for inner in inherited.values():
                    if isinstance(inner, Function):
                        yield inner, value


def _usual(name: str) -> Value:
    return Name(USUAL[name]) if name in USUAL else Unknown(name)
