"""Several labels in one cell, `blue|gold`: what joins them, told from labels that come back in other company."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from losscli.errors import Finding, shown, sign

SEPARATORS = ("|", ";", ",", "/", "+", "&", " ")
BRACKETS = {"[": "]", "{": "}", "(": ")"}  # of lists, as Python, JSON, numpy and Postgres write them
LEAST_CELLS = 8  # different ones, from which on blanks may join labels rather than words of a name
SAMPLE = 5000  # different cells that are looked at
LEAST_SHARE = 0.2  # of the cells, that hold several labels
QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
AGAIN = 0.6  # of the labels in such cells, that stand in another cell, too


def separator_of(cells: Sequence[str]) -> str | None:
    """What joins the labels of different cells; None where each cell is one label.

    >>> separator_of(["blue", "gold", "blue|gold", "red"]), separator_of(["Doe, Jane", "Roe, Max", "Poe, Ann"])
    ('|', None)
    """
    lists = all(_is_list(cell) for cell in cells[:SAMPLE])
    for separator in (",", " ") if lists else SEPARATORS:
        parts = [labels_in(cell, separator) for cell in cells[:SAMPLE]]
        joined = [labels for labels in parts if len(labels) > 1]
        if len(joined) < max(1, LEAST_SHARE * len(parts)):
            continue
        where: dict[str, int] = {}
        for labels in parts:
            for label in set(labels):
                where[label] = where.get(label, 0) + 1
        inside = {label for labels in joined for label in labels}
        again = sum(where[label] > 1 for label in inside)
        if again < AGAIN * len(inside) or len(where) >= len(parts) or all(map(_is_number, where)):
            continue
        if separator != " " or _are_sets(parts, where):
            return separator
    return None


def labels_in(cell: str, separator: str) -> list[str]:
    """The labels of one cell, which may be a list as Python, JSON or numpy writes it; none is empty.

    >>> labels_in("blue | gold", "|"), labels_in("['blue', 'dark, gold']", ","), labels_in("[]", ",")
    (['blue', 'gold'], ['blue', 'dark, gold'], [])
    """
    text = cell.strip()
    if not _is_list(text):
        return [label for part in text.split(separator) if (label := part.strip())]
    quoted = QUOTED.findall(text[1:-1])
    if quoted:
        return [label for pair in quoted if (label := "".join(pair).strip())]
    return [label for part in text[1:-1].split(separator) if (label := part.strip().strip("'\""))]


def _is_list(text: str) -> bool:
    return len(text) > 1 and BRACKETS.get(text[0]) == text[-1]


def _are_sets(parts: Sequence[Sequence[str]], where: Mapping[str, int]) -> bool:
    """Whether most words stand at several places of their cells: "dark red" has an order, labels that blanks join have none."""
    places: dict[str, set[int]] = {}
    for labels in parts:
        for place, label in enumerate(labels):
            places.setdefault(label, set()).add(place)
    movable = sum(len(at) > 1 for at in places.values())
    enough = len(parts) >= max(LEAST_CELLS, 1.5 * len(where)) and any(len(labels) > 2 for labels in parts)
    return enough and movable > len(where) / 2


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
    example = next(cell for cell in cells if len(labels_in(cell, separator)) > 1)
    message = f"the target {shown(name)} holds several labels in a cell, such as {shown(example)}: each mixture is a class now"
    return [Finding("joined-labels", "warning", message, as_labels(separator))]
