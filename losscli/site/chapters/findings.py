"""Every finding that a command may show beside a result, read from the source that makes it: code, severity, words.

Where the words hold a name or a number, an ellipsis stands for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from losscli.severities import SEVERITIES
from losscli.site.chapters import chapter
from losscli.site.topics import Block, Topic, address

HOLE = "..."


@chapter("Findings", 60, "What commands notice beside the result, by severity.")
def finding_topics() -> Iterator[Topic]:
    """A topic for each severity, with all findings that have it."""
    every = sorted(set(found_in(files("losscli"))))
    for severity in SEVERITIES:
        rows = [(f"`{code}`", words) for code, grave, words in every if grave == severity]
        if rows:
            block = Block("table", rows=[("finding", "what it says"), *rows])
            summary = f"{len(rows)} findings of severity {severity}."
            words = " ".join(code.strip("`").replace("-", " ") for code, _ in rows)
            yield Topic(address("findings", severity), severity, "Findings", summary, [block], words)


def found_in(folder: Traversable) -> Iterator[tuple[str, str, str]]:
    """Code, severity and words of each `Finding(...)` in the source below a folder, where code and severity are constants."""
    for item in folder.iterdir():
        if item.is_dir():
            yield from found_in(item)
        elif item.name.endswith(".py") and "Finding(" in (source := item.read_text(encoding="utf-8")):
            yield from _of_source(ast.parse(source))


def _of_source(tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    for function in _functions(tree):
        names = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(function):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Name)
                and call.func.id == "Finding"
                and len(call.args) > 2
            ):
                code, severity, words = call.args[:3]
                if isinstance(code, ast.Constant) and isinstance(severity, ast.Constant):
                    yield str(code.value), str(severity.value), _words(names.get(getattr(words, "id", ""), words))


def _functions(tree: ast.AST) -> Iterable[ast.AST]:
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def _words(node: ast.AST) -> str:
    """Text as far as the source knows it."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part) if isinstance(part, ast.Constant) else HOLE for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _words(node.left) + _words(node.right)
    return HOLE
