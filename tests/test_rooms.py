"""The house rules that a machine can keep: imports point one way, and shelves have no second list."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Mapping
from pathlib import Path

import pytest

import losscli
from losscli.tasks import tasks

PACKAGE = Path(losscli.__file__).parent

# A room may import from itself and from every row above its own.
ROWS = (
    {"severities", "stdout"},
    {"errors"},
    {"shelf", "options", "outfile", "direction", "activations", "lazy", "looks"},
    {"rules", "forked", "pages"},
    {"tasks", "lint"},
    {"losses", "metrics", "check"},
    {"data"},
    {"stack"},
    {"spec"},
    {"compare"},
    {"words"},
    {"comparison"},
    {"record"},
    {"reports", "wiring"},
    {"explain", "verify", "diagnose"},
    {"experiment", "advice", "deploy", "judge", "executors"},
    {"training", "suspects", "conclusion"},
    {"unfinished"},
    {"pipeline"},
    {"demonstrations", "play", "site"},
    {"cli"},
)
LEVEL = {room: level for level, rooms in enumerate(ROWS) for room in rooms}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(source: str) -> set[str]:
    """What a file imports from the package, wherever in it: `losscli.room.file`, or `losscli.room.file.name`.

    What stands under `if TYPE_CHECKING` is never run, and does not count.
    """
    tree = ast.parse(source)
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for part in node.body
        for inner in ast.walk(part)
    }
    names = []
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names += [f"{node.module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Import):
            names += [name.name for name in node.names]
    return {name for name in names if name.startswith("losscli.")}


def imported(path: Path) -> set[str]:
    """The rooms that a file imports."""
    return {name.split(".")[1] for name in imports(path.read_text())}


def cycle(sources: Mapping[str, str]) -> list[str]:
    """Modules that import each other in a ring, the first again at its end; empty where there are none."""

    def module(name: str) -> str:
        """The module that an imported name is, or stands in."""
        return name if name in sources else name.rpartition(".")[0]

    graph = {
        name: {module(other) for other in imports(source)} & {*sources} - {name} for name, source in sources.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


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


def test_a_ring_of_imports_is_seen() -> None:
    """At the top of a file or in a function, from a package or from its files; a name for type checkers makes none."""
    top, lazy = "from losscli.b.two import name", "def use():\n    from losscli.a import one"
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from losscli.a.one import name"
    assert cycle({"losscli.a.one": top, "losscli.b.two": lazy}) == ["losscli.a.one", "losscli.b.two", "losscli.a.one"]
    assert len(cycle({"losscli.a": "import losscli.a.one", "losscli.a.one": "from losscli.a import shelf"})) == 3
    assert cycle({"losscli.a.one": top, "losscli.b.two": "import losscli.c"}) == []
    assert cycle({"losscli.a.one": top, "losscli.b.two": typed}) == []


def test_no_files_import_each_other() -> None:
    sources = {
        ".".join(("losscli", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path.read_text()
        for path in PACKAGE.rglob("*.py")
        if path.parent != PACKAGE or path.stem != "__init__"  # the package itself only names what its rooms answer for
        if room(path) != "lint"  # an interpreter: a call runs statements, and a statement evaluates calls
    }
    assert len(sources) > 250
    assert cycle(sources) == []


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


TASKS = set(tasks.names())
NAMES_ELSEWHERE = PACKAGE / "losses" / "foreign.py"  # for each task, what serves in place of another library's loss


def by_name(tree: ast.AST) -> list[int]:
    """The lines that ask for a task by its name: comparisons, cases of a match, tables with a value for each task, and lists
    of nothing but tasks.
    """
    lines: dict[int, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            asked = [side for side in (node.left, *node.comparators) if names_in(side)]
        elif isinstance(node, ast.match_case):
            asked = [value for value in ast.walk(node.pattern) if isinstance(value, ast.MatchValue) and names_in(value)]
        elif isinstance(node, ast.Dict):
            keys = [key for key in node.keys if key is not None and names_in(key)]
            asked = keys if len(keys) > 1 else []
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):  # a set of tasks under a name, to be asked elsewhere
            members = [member for member in node.elts if isinstance(member, ast.Constant) and names_in(member)]
            asked = members if len(members) == len(node.elts) > 1 else []
        else:
            asked = []
        lines |= {asked[0].lineno: None} if asked else {}
    return list(lines)


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
        'SOME = frozenset(("binary", "distribution"))': 1,
        'EXAMPLE = ("binary", "focal")': 0,
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
