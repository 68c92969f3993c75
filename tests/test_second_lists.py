"""A thing that registers itself is listed nowhere else: no literal in the package writes out several of one kind side by side.

Prose, examples and what one line says of one thing are no lists. What must name several says here why.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

import losscli
from losscli.activations import ACTIVATIONS
from losscli.cli import formats
from losscli.data.sources import all_endings, named, sources
from losscli.deploy.formats import exporters
from losscli.severities import SEVERITIES
from losscli.stack.models import models
from losscli.stack.optimizer import OPTIMIZERS
from losscli.stack.schedule import SCHEDULES

PACKAGE = Path(losscli.__file__).parent
TREES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
OF_TORCH = {  # these speak of functions of torch, which are called the same
    *(f"check/{stem}.py" for stem in ("graph", "loss_calls", "patterns", "trace")),
    *(
        f"lint/{stem}.py"
        for stem in ("chains", "gradient", "loss_calls", "loss_rules", "methods", "objects", "torch_calls")
    ),
    *(f"{stem}.py" for stem in ("lint/vocabulary", "rules/contract", "rules/wiring")),
}
REGISTRIES: dict[str, Collection[str]] = {
    "activations": ACTIVATIONS.keys() - {"none"},
    "sources": sources.names(),
    "data sets": named().keys(),
    "endings": all_endings(),
    "severities": SEVERITIES.keys(),
    "formats of a comparison": formats.comparisons.keys(),
    "formats of rows": formats.rows.keys(),
    "formats of models": exporters.names(),
    "models": models.names(),
    "optimizers": OPTIMIZERS.keys(),
    "schedules": SCHEDULES.keys(),
}
# The file that a registry is, or where a class says of itself what it is called; and files that name some for their own reasons.
HOME = {
    "activations": OF_TORCH,
    "data sets": {
        "data/sources/builtin.py",
        *(path for path in TREES if path.startswith("tasks/")),
    },  # each names its own
    "schedules": {"lint/loss_rules.py"},  # operations that its graph has
    "endings": {"data/sources/csv.py", "data/sources/parquet.py", "data/sources/sqlite.py"},
}


def literals(tree: ast.AST) -> Iterator[tuple[int, set[str]]]:
    """The line of every list, tuple, set, Literal and dictionary, and the texts that stand side by side in it."""
    for node in ast.walk(tree):
        members = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", ())
        texts = {member.value for member in members if isinstance(member, ast.Constant) and type(member.value) is str}
        if len(texts) > 1:
            yield node.lineno, texts  # type: ignore[attr-defined]


LITERALS = [(path, line, texts) for path, tree in TREES.items() for line, texts in literals(tree)]


def test_a_second_list_is_seen() -> None:
    written = [
        'Literal["relu", "tanh"]',
        '{"relu": 1, "tanh": 2}',
        'call.last in ("sigmoid", "softmax")',
        '{"softmax", "log-softmax"} & chain',
    ]
    assert all(len(texts & ACTIVATIONS.keys()) > 1 for text in written for _, texts in literals(ast.parse(text)))
    assert [len(list(literals(ast.parse(text)))) for text in written] == [1] * len(written)
    assert list(literals(ast.parse('("sigmoid", 1); "relu" in x'))) == []


@pytest.mark.parametrize("kind", REGISTRIES)
def test_there_is_no_second_list(kind: str) -> None:
    names, home = set(REGISTRIES[kind]), HOME.get(kind, ())
    places = [f"{path}:{line}" for path, line, texts in LITERALS if len(texts & names) > 1 and path not in home]
    assert places == []


@pytest.mark.parametrize("kind", HOME)
def test_no_file_is_left_out_without_need(kind: str) -> None:
    needed = {path for path, _, texts in LITERALS if len(texts & set(REGISTRIES[kind])) > 1}
    assert {path for path in HOME[kind] - needed if not path.startswith("tasks/")} == set()


def test_every_finding_is_of_a_severity() -> None:
    """The argument that says it, wherever one is written out."""
    said = {
        node.args[place].value
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (place := {"Finding": 1, "rule": 2}.get(ast.unparse(node.func)))
        if len(node.args) > place and isinstance(node.args[place], ast.Constant)
    }
    assert said == SEVERITIES.keys()
