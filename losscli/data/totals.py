"""The row of a total below the others, as spreadsheets have it: no row like them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from losscli.data.levels import Levels
from losscli.errors import Finding, shown

NAMES = re.compile(
    r"(?i)(grand |sub)?totals?|sums?|summe|gesamt(summe)?|insgesamt|total g[ée]n[ée]ral|somme|suma|average|mean|moyenne"
)
LEAST_ROWS = 5


def are_totals(texts: Sequence[str]) -> bool:
    """Whether all texts are names of totals.

    >>> are_totals(["Total:"]), are_totals(["Total", "Totality"])
    (True, False)
    """
    return all(NAMES.fullmatch(text.strip(" :")) for text in texts)


def noticed_total(texts: Levels) -> tuple[Finding, ...]:
    """A finding where the last row, and no other, is called a total."""
    if len(texts.codes) < LEAST_ROWS or texts.codes[-1] < 0:
        return ()
    name = texts.text(len(texts.codes) - 1)
    if not are_totals([name]) or np.count_nonzero(texts.codes == texts.codes[-1]) > 1:
        return ()
    place = texts.raw.origin.place(len(texts.codes) - 1)
    message = f"the last row is called {shown(name)} in {shown(texts.name)} ({place}), and is learned from as any other"
    return (Finding("total", "warning", message, "take it out of the file, if it sums up the others"),)
