"""Edits that keep every value to rounding: log-softmax before cross-entropy taken away, log(softmax(x)) made log_softmax(x).

An edit is made only where the value has a single reader: in one expression, or through a name that is read once.
"""

from __future__ import annotations

import ast
import difflib
import io
import os
import stat
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from losscli.lint.files import Source
from losscli.lint.values import Tensor
from losscli.outfile import atomic


@dataclass(frozen=True, order=True)
class Edit:
    """Replace the text between two places, given as line (from 1) and column (from 0, in characters)."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def edits_of(source: Source, tree: ast.Module, requests: Sequence[tuple[str, Any, Tensor]]) -> list[Edit]:
    """The edits of one file; a notebook is not edited, and what overlaps with an earlier edit waits for the next run."""
    if source.cells:
        return []
    edits: list[Edit] = []
    for kind, site, value in requests:
        outer, inner = site.node, value.site.node
        if site.source is not source or value.site.source is not source or not {"dotted", "method"} & set(value.facts):
            continue
        if not isinstance(outer, ast.Call) or not isinstance(inner, ast.Call) or not _single(tree, outer, inner):
            continue
        new = list(_drop(source, inner, value) if kind == "drop" else _stable(source, outer, inner, value))
        if new and not any(one.start < other.end and other.start < one.end for one in edits for other in new):
            edits += new
    return sorted(edits)


def _single(tree: ast.Module, outer: ast.Call, inner: ast.Call) -> bool:
    """Whether nothing but `outer` reads what `inner` makes: it stands in it, or has a name that is set once and read once."""
    operands = [*outer.args, *([outer.func.value] if isinstance(outer.func, ast.Attribute) else [])]
    if any(node is inner for node in operands):
        return True
    for made in ast.walk(tree):
        if isinstance(made, ast.Assign) and made.value is inner and isinstance(made.targets[0], ast.Name):
            name = made.targets[0].id
            uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
            read = [node for node in operands if isinstance(node, ast.Name) and node.id == name]
            return len(made.targets) == 1 and len(uses) == 2 and len(read) == 1
    return False


def _drop(source: Source, inner: ast.Call, value: Tensor) -> Iterator[Edit]:
    """log_softmax(x, dim=1) becomes x; x.log_softmax(1) becomes x."""
    operand = _operand(inner, "method" in value.facts)
    if operand is not None and "#" not in _slice(source, _start(source, inner), _end(source, inner)):
        yield _replace(source, inner, _text(source, operand))


def _operand(call: ast.Call, method: bool) -> ast.expr | None:
    """What a function, or a method, of torch is applied to."""
    if method:
        return call.func.value if isinstance(call.func, ast.Attribute) else None
    first = call.args[0] if call.args else next((item.value for item in call.keywords if item.arg == "input"), None)
    return None if isinstance(first, ast.Starred) else first


def _stable(source: Source, outer: ast.Call, inner: ast.Call, value: Tensor) -> Iterator[Edit]:
    """log(softmax(x)) becomes log_softmax(x), in one expression or in two; log(sigmoid(x)) becomes logsigmoid(x)."""
    function = inner.func
    if not isinstance(function, ast.Attribute) or outer.keywords:
        return
    renamed = _renamed(_text(source, function.value), value)
    written = _slice(source, _start(source, outer), _end(source, outer))
    if not renamed or "#" in written:
        return
    call = renamed + _slice(source, _end(source, function), _end(source, inner))
    operands = [*outer.args, *([outer.func.value] if isinstance(outer.func, ast.Attribute) else [])]
    if any(node is inner for node in operands):
        yield _replace(source, outer, call)
        return
    names = [node for node in operands if isinstance(node, ast.Name) and node.id not in ("torch",)]
    yield _replace(source, inner, call)
    yield _replace(source, outer, _text(source, next(node for node in names if _is_set(source, node, inner))))


def _is_set(source: Source, name: ast.Name, inner: ast.Call) -> bool:
    """Whether the line of a call sets this name."""
    return source.lines[inner.lineno - 1].lstrip().startswith(name.id)


def _renamed(owner: str, value: Tensor) -> str:
    """The function that takes the logarithm with it; empty where it is not within reach."""
    dotted = value.facts.get("dotted", "")
    if value.op == "softmax":
        return f"{owner}.log_softmax"
    if dotted == "torch.sigmoid":
        return f"{owner}.nn.functional.logsigmoid"
    return f"{owner}.logsigmoid" if dotted == "torch.nn.functional.sigmoid" else ""


def _start(source: Source, node: ast.expr) -> tuple[int, int]:
    return node.lineno, _characters(source, node.lineno, node.col_offset)


def _end(source: Source, node: ast.expr) -> tuple[int, int]:
    line = node.end_lineno or node.lineno
    return line, _characters(source, line, node.end_col_offset or 0)


def _characters(source: Source, line: int, octets: int) -> int:
    """ast counts columns in bytes of UTF-8."""
    return len(source.lines[line - 1].encode()[:octets].decode(errors="ignore"))


def _text(source: Source, node: ast.expr) -> str:
    text = _slice(source, _start(source, node), _end(source, node))
    plain = isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant))
    return text if plain and (isinstance(node, ast.Call) or "\n" not in text) else f"({text})"


def _slice(source: Source, start: tuple[int, int], end: tuple[int, int]) -> str:
    lines = source.lines[start[0] - 1 : end[0]]
    lines[-1] = lines[-1][: end[1]]
    lines[0] = lines[0][start[1] :]
    return "\n".join(lines)


def _replace(source: Source, node: ast.expr, text: str) -> Edit:
    return Edit(_start(source, node), _end(source, node), text)


def apply(text: str, edits: Sequence[Edit]) -> str:
    """A text with its edits made, the last first so that places stay true.

    >>> apply("a = log(p)", [Edit((1, 4), (1, 10), "p")])
    'a = p'
    """
    lines = text.split("\n")
    for edit in sorted(edits, reverse=True):
        (first, start), (last, end) = edit.start, edit.end
        joined = lines[first - 1][:start] + edit.text + lines[last - 1][end:]
        lines[first - 1 : last] = joined.split("\n")
    return "\n".join(lines)


def difference(name: str, before: str, after: str) -> str:
    """What the edits change, as a unified diff."""
    rows = difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, name)
    return "".join(row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows)


def rewrite(name: str, edits: Sequence[Edit]) -> None:
    """Write a file with its edits, in its own encoding, with its own line ends and permissions."""
    path = Path(name)
    raw = path.read_bytes()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    text = raw.decode(encoding)
    newline = "\r\n" if "\r\n" in text else "\n"
    new = apply(text.replace("\r\n", "\n"), edits)
    with atomic(path) as draft:
        draft.write(new.replace("\n", newline).encode(encoding))
        os.fchmod(draft.fileno(), stat.S_IMODE(path.stat().st_mode))
