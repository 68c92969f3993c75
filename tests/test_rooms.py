"""The house rules that a machine can keep: imports point one way, and shelves have no second list."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import losscli

PACKAGE = Path(losscli.__file__).parent

# A room may import from itself and from every row above its own.
ROWS = (
    {"errors"},
    {"shelf", "options", "outfile", "direction"},
    {"rules"},
    {"tasks", "lint", "check"},
    {"losses", "metrics"},
    {"data"},
    {"stack"},
    {"spec"},
    {"record", "compare"},
    {"reports", "wiring"},
    {"explain", "verify"},
    {"experiment", "advice", "deploy"},
    {"pipeline"},
    {"cli"},
)
LEVEL = {room: level for level, rooms in enumerate(ROWS) for room in rooms}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The rooms that a file imports, wherever in it; names for type checkers only do not count."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    modules = []
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            alone = node.module == "losscli"
            modules += [f"losscli.{name.name}" for name in node.names] if alone else [node.module]
        elif isinstance(node, ast.Import):
            modules += [name.name for name in node.names]
    return {module.split(".")[1] for module in modules if module.startswith("losscli.")}


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or room(path) in LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    own = room(path)
    assert own in LEVEL, f"the room {own} has no place in the table"
    for other in imported(path):
        assert other == own or LEVEL[other] < LEVEL[own], f"{own} imports {other}"


def test_the_table_sees_imports() -> None:
    assert {"losses", "stack", "cli"} <= {room(path) for path in FILES}
    assert {"stack", "spec", "record", "compare", "experiment"} <= imported(PACKAGE / "pipeline.py")
    assert {"stack", "spec", "losses", "wiring"} <= imported(PACKAGE / "experiment.py")


def test_no_room_is_called_after_nothing() -> None:
    names = {path.stem for path in PACKAGE.rglob("*")}
    assert names.isdisjoint({"utils", "util", "helpers", "common", "manager", "base", "misc"})


def test_no_function_is_longer_than_a_screen() -> None:
    """A body of more than 40 lines tells that there are two ideas in it; 30 is the aim."""
    long = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
                if lines > 40:
                    long.append(f"{path.relative_to(PACKAGE)}:{node.name} ({lines})")
    assert long == []


TASKS = {"binary", "multiclass", "multilabel", "regression"}
NAMES_ELSEWHERE = PACKAGE / "losses" / "foreign.py"  # for each task, what serves in place of another library's loss


def by_name(tree: ast.AST) -> list[int]:
    """The lines that ask for a task by its name: comparisons, cases of a match, and tables with a value for each task."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            asked = [side for side in (node.left, *node.comparators) if names_in(side)]
        elif isinstance(node, ast.match_case):
            asked = [value for value in ast.walk(node.pattern) if isinstance(value, ast.MatchValue) and names_in(value)]
        elif isinstance(node, ast.Dict):
            keys = [key for key in node.keys if key is not None and names_in(key)]
            asked = keys if len(keys) > 1 else []
        else:
            asked = []
        lines += [asked[0].lineno] if asked else []
    return lines


def names_in(side: ast.AST) -> set[str]:
    """The tasks that one side of a comparison names: itself, or as members of what is written out; not what a call is given."""
    if isinstance(side, ast.Constant):
        return TASKS & {side.value} if isinstance(side.value, str) else set()
    if isinstance(side, ast.MatchValue):
        return names_in(side.value)
    if isinstance(side, (ast.Tuple, ast.List, ast.Set)):
        return {name for member in side.elts for name in names_in(member)}
    return set()


def test_questions_by_name_are_seen() -> None:
    asked = {
        'if task == "binary": ...': 1,
        'if "binary" != task.name: ...': 1,
        'if task in ("binary", "multiclass"): ...': 1,
        'if (task, loss) == ("binary", "focal"): ...': 1,
        'if "multiclass" in item.tasks: ...': 1,
        'match task:\n    case "binary" | "multilabel": ...': 1,
        'WORDS = {"binary": 1, "multiclass": 2}': 1,
        'task = tasks.get("binary")': 0,
        '@metric("binary", reads="scores")\ndef auroc(): ...': 0,
        'MADE_FOR = {"moons": "binary"}': 0,
        'if tasks.get("binary").outputs(target) == 1: ...': 0,
    }
    assert {code: len(by_name(ast.parse(code))) for code in asked} == asked


def test_no_room_asks_for_a_task_by_name() -> None:
    """What a task is, the task says (`losscli/tasks/`): so that a new one is one file."""
    places = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if room(path) != "tasks" and path != NAMES_ELSEWHERE
        for line in by_name(ast.parse(path.read_text()))
    ]
    assert places == []
