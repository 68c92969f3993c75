"""Several labels in one cell, `blue|gold`: what joins them, told from labels that come back in other company."""

from __future__ import annotations

from collections.abc import Sequence

from losscli.errors import Finding, shown, sign

SEPARATORS = ("|", ";", ",", "/", "+", "&")
SAMPLE = 5000  # different cells that are looked at
LEAST_SHARE = 0.2  # of the cells, that hold several labels
AGAIN = 0.6  # of the labels in such cells, that stand in another cell, too


def separator_of(cells: Sequence[str]) -> str | None:
    """What joins the labels of different cells; None where each cell is one label.

    >>> separator_of(["blue", "gold", "blue|gold", "red"]), separator_of(["Doe, Jane", "Roe, Max", "Poe, Ann"])
    ('|', None)
    """
    for separator in SEPARATORS:
        parts = [[part.strip() for part in cell.split(separator)] for cell in cells[:SAMPLE]]
        joined = [labels for labels in parts if len(labels) > 1 and all(labels)]
        if len(joined) < max(1, LEAST_SHARE * len(parts)):
            continue
        where: dict[str, int] = {}
        for labels in parts:
            for label in set(labels):
                where[label] = where.get(label, 0) + 1
        inside = {label for labels in joined for label in labels}
        again = sum(where[label] > 1 for label in inside)
        if again >= AGAIN * len(inside) and len(where) < len(parts) and not all(map(_is_number, where)):
            return separator
    return None


def _is_number(label: str) -> bool:
    return label.isascii() and label.replace(".", "").isdigit()


def as_labels(separator: str) -> str:
    """How to read them as what they are."""
    return f"--task multilabel and {sign('separator', separator)} read them as several"


def noticed_joined(name: str, cells: Sequence[str]) -> list[Finding]:
    """A finding where cells of the target hold several labels."""
    separator = separator_of(cells)
    if separator is None:
        return []
    example = next(cell for cell in cells if separator in cell)
    message = f"the target {shown(name)} holds several labels in a cell, such as {shown(example)}: each mixture is a class now"
    return [Finding("joined-labels", "warning", message, as_labels(separator))]
