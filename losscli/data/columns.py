"""What became of a table's columns, in one line; `losscli inspect` tells each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from losscli.data.dataset import ColumnStory
from losscli.errors import Finding, counted

PLURALS = {"category": "categories", "boolean": "booleans"}


def in_short(columns: Mapping[str, ColumnStory]) -> list[Finding]:
    """One finding that counts the columns by kind; none where the table does not come from a file.

    >>> story = ColumnStory("x", "number", "feature", "all values are numbers", 3, 0)
    >>> left_out = ColumnStory("name", "text", "left out", "free text", 3, 0)
    >>> in_short({"x": story, "name": left_out})[0].message
    'columns: 1 number; 1 left out (text)'
    """
    if not columns:
        return []
    used = Counter(story.kind for story in columns.values() if story.role != "left out")
    left_out = Counter(story.kind for story in columns.values() if story.role == "left out")
    told = [", ".join(f"{count} {_plural(kind, count)}" for kind, count in used.most_common())]
    if left_out:
        told.append(f"{left_out.total()} left out ({', '.join(left_out)})")
    message = f"columns: {'; '.join(filter(None, told))}"
    return [Finding("columns", "info", message, "losscli inspect tells what each is and why")]


def _plural(kind: str, count: int) -> str:
    return kind if count == 1 else PLURALS.get(kind) or counted(count, kind).partition(" ")[2]
