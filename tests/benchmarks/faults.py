"""Small faults that can be planted in Python source: one node of its syntax tree replaced, all other text as it was.

    >>> for fault in faults("def far(x, y):\\n    return x - y > 2\\n", "far.py"):
    ...     print(fault)
    far.py:2:11  x - y > 2  ->  (x - y >= 2)
    far.py:2:11  x - y > 2  ->  (x - y <= 2)
    far.py:2:11  x - y  ->  (x + y)
    far.py:2:19  2  ->  3
    far.py:2:19  2  ->  1

Nothing is planted where no test could or should notice: in docstrings, annotations, messages, errors that are raised, imports for
type checkers, `zip(strict=True)`, `device=` and the flags of a dataclass.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
PAIRS = (
    ("min", "max"),
    ("amin", "amax"),
    ("argmin", "argmax"),
    ("minimum", "maximum"),
    ("clamp_min", "clamp_max"),
    ("any", "all"),
    ("sum", "mean"),
    ("nansum", "nanmean"),
    ("floor", "ceil"),
    ("first", "last"),
    ("exp", "expm1"),
    ("log", "log1p"),
)
CALLED = {one: other for pair in PAIRS for one, other in (pair, pair[::-1])}
MESSAGES = (
    "Error",
    "Finding",
    "Problem",
    "TypeVar",
    "warn",
    "dataclass",
)  # calls that say something, or nothing at run time
UNSEEN = ("strict", "device")  # keywords: that of zip says what is so, and a device is seen on a card only (gpu.py)
Node = ast.AST


@dataclass(frozen=True)
class Fault:
    """A replacement of bytes `start` to `end` of a file."""

    path: str
    lines: tuple[int, int]  # first and last of the statement that holds it, of a compound one those of its head
    inside: tuple[int, int] | None  # first and last line of the body that it shapes, where it is reckoned at import
    at_import: bool
    line: int
    column: int
    start: int
    end: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}  {self.before}  ->  {self.after}"

    def planted(self, source: str) -> str:
        """The source with the fault."""
        text = source.encode()
        return (text[: self.start] + self.after.encode() + text[self.end :]).decode()


def faults(source: str, path: str) -> list[Fault]:
    """Every fault that can be planted in a file, in the order of its text."""
    planter = Planter(source, path)
    planter.visit(ast.parse(source))
    return sorted(planter.faults, key=lambda fault: fault.start)


def replacements(node: Node) -> Iterator[Node]:
    """What a node may be replaced by, each a copy that differs in one place."""
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            for other in COMPARED[type(operator)]:
                yield _with(node, ops=[*node.ops[:at], other(), *node.ops[at + 1 :]])
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in RECKONED:
        yield _with(node, op=RECKONED[type(node.op)]())
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield from (ast.Constant(node.value + 1), ast.Constant(node.value - 1))
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)) or isinstance(
        node, ast.Break | ast.Continue
    ):
        yield ast.Pass()


def _calls(node: ast.Call) -> Iterator[Node]:
    """A sibling of the function, and the call without each of its keywords."""
    if isinstance(node.func, ast.Name) and node.func.id in CALLED:
        yield _with(node, func=_with(node.func, id=CALLED[node.func.id]))
    elif isinstance(node.func, ast.Attribute) and node.func.attr in CALLED:
        yield _with(node, func=_with(node.func, attr=CALLED[node.func.attr]))
    for at, keyword in enumerate(node.keywords):
        if keyword.arg not in (None, *UNSEEN):
            yield _with(node, keywords=[*node.keywords[:at], *node.keywords[at + 1 :]])


def _with(node: Node, **fields: object) -> Node:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


class Planter(ast.NodeVisitor):
    """Walks a file and keeps the faults of every node that runs and is no message."""

    def __init__(self, source: str, path: str):
        self.path = path
        self.text = source.encode()
        self.starts = [0]
        for line in self.text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.faults: list[Fault] = []
        self.statement: tuple[int, int] = (1, 1)
        self.shaped: tuple[int, int] | None = None
        self.depth = 0  # of functions

    def visit(self, node: Node) -> None:
        if _silent(node):
            return
        if isinstance(node, ast.stmt):
            self.statement = _head(node)
        for other in replacements(node):
            self._keep(node, other)
        if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Compare | ast.UnaryOp):
            self._keep(node.test, ast.UnaryOp(ast.Not(), node.test))
        if isinstance(node, ast.FunctionDef):
            self._function(node)
            return
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns", "type_comment"):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        self.visit(child)

    def _function(self, node: ast.FunctionDef) -> None:
        """Decorators and defaults run where the function is made, and the body where it is called."""
        outer, self.shaped = self.shaped, (node.body[0].lineno, node.end_lineno or node.lineno)
        for child in (*node.decorator_list, *node.args.defaults, *(given for given in node.args.kw_defaults if given)):
            self.statement = (child.lineno, child.end_lineno or child.lineno)
            self.visit(child)
        self.shaped = outer
        self.depth += 1
        for child in node.body:
            self.visit(child)
        self.depth -= 1

    def _keep(self, node: Node, other: Node) -> None:
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[node.end_lineno - 1] + node.end_col_offset
        after = ast.unparse(ast.fix_missing_locations(other))
        if isinstance(other, ast.BinOp | ast.BoolOp | ast.Compare | ast.UnaryOp):
            after = f"({after})"
        before = self.text[start:end].decode()
        place = node.lineno, node.col_offset
        at_import = self.depth == 0 or self.shaped is not None
        self.faults.append(Fault(self.path, self.statement, self.shaped, at_import, *place, start, end, before, after))


def _silent(node: Node) -> bool:
    """Whether nothing in a node is to be changed."""
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.keyword):
        return node.arg in UNSEEN
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.Assign):  # names of types, such as Value = float | Tensor
        return isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.BitOr) and node.col_offset == 0
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return name.endswith(MESSAGES)
    return False


def _head(node: ast.stmt) -> tuple[int, int]:
    """The lines of a statement without those of its body."""
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
    return node.lineno, max(node.lineno, last)
