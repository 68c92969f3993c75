"""What became of a table's columns, in one line; `losscli inspect` tells each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from losscli.data.dataset import ColumnStory
from losscli.errors import Finding, counted, shown

SPLITS = "splits the rows"  # what a key is for
PLURALS = {"category": "categories", "boolean": "booleans"}


def in_short(columns: Mapping[str, ColumnStory]) -> list[Finding]:
    """One finding that counts the features by kind, and what else is there; none where no file is read.

    >>> story = ColumnStory("x", "number", "feature", "all values are numbers", 3, 0)
    >>> left_out = ColumnStory("name", "text", "left out", "free text", 3, 0)
    >>> in_short({"x": story, "name": left_out})[0].message
    'columns: 1 number as feature; 1 left out (text)'
    >>> weight = ColumnStory("w", "number", "weight", "all values are numbers", 3, 0)
    >>> in_short({"x": story, "w": weight})[0].message
    "columns: 1 number as feature; rows count by the weight 'w'"
    """
    if not columns:
        return []
    used = Counter(story.kind for story in columns.values() if story.role == "feature")
    left_out = Counter(story.kind for story in columns.values() if story.role == "left out")
    kinds = ", ".join(f"{count} {_plural(kind, count)}" for kind, count in used.most_common())
    parts = [f"{kinds} as feature{'s' if used.total() > 1 else ''}"] if used else []
    parts += [f"rows count by the weight {shown(story.name)}" for story in columns.values() if story.role == "weight"]
    parts += [
        f"counts are over the {story.role} {shown(story.name)}"
        for story in columns.values()
        if story.role in ("exposure", "offset")
    ]
    parts += [f"{shown(story.name)} {story.role}" for story in columns.values() if story.role == SPLITS]
    if left_out:
        parts.append(f"{left_out.total()} left out ({', '.join(left_out)})")
    message = f"columns: {'; '.join(parts)}"
    return [Finding("columns", "info", message, "losscli inspect tells what each is and why")]


def _plural(kind: str, count: int) -> str:
    return kind if count == 1 else PLURALS.get(kind) or counted(count, kind).partition(" ")[2]
