"""The README's tree has a line for every room and shelf of the package, in the words of its own docstring."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
ORDER = (
    "severities errors direction lazy outfile shelf options activations tasks losses metrics data stack spec record compare "
    "words comparison reports rules lint wiring check diagnose judge explain verify advice deploy experiment pipeline cli"
)
WIDEST = 100


def says(path: Path) -> str:
    """The first sentence of a file's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    first = re.split(r"(?<=\.)\s|\n\n", text, maxsplit=1)[0]
    return " ".join(first.split()).rstrip(".")


def lines(folder: Path, depth: int = 1) -> list[str]:
    """Rooms, the shelves in them, and the files that stand beside the rooms; the files of a room tell their own story."""
    ranks = {name: place for place, name in enumerate(ORDER.split())} if depth == 1 else {}
    found = []
    entries = [path for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    for path in sorted(entries, key=lambda path: (ranks.get(path.stem, -1), path.name)):
        if path.name == "__init__.py" or (depth > 1 and not path.is_dir()):
            continue
        doc = path / "__init__.py" if path.is_dir() else path
        name = f"{'  ' * depth}{path.name}{'/' if path.is_dir() else ''}"
        found.append(textwrap.shorten(says(doc), WIDEST, placeholder=" ..."))
        found[-1] = f"{name:<28}{found[-1]}"
        found += lines(path, depth + 1) if path.is_dir() else []
    return found


def tree() -> str:
    package = ROOT / "losscli"
    return "\n".join(["losscli/", *lines(package)])


def test_the_tree_in_the_readme_is_the_tree() -> None:
    block = re.search(r"```\n(losscli/\n.+?)\n```", (ROOT / "README.md").read_text(), re.S)
    assert block is not None, "the README must hold the tree"
    assert block[1] == tree(), "put this into the README:\n" + tree()
