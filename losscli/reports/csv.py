"""A comparison as CSV: one line per entry, with column names that stay the same. Numbers are as exact as they are.

A cell that a spreadsheet would take for a formula gets an apostrophe before it
(https://owasp.org/www-community/attacks/CSV_Injection); numbers stay numbers, also below zero.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from typing import Any

from losscli.comparison import Comparison
from losscli.errors import visible
from losscli.words.table import table_columns, table_rows
from losscli.words.view import View, select

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run, where it begins a text
LONGEST = 2000  # characters of a foreign cell


def to_csv(comparison: Comparison, view: View | None = None) -> str:
    """All arenas in one table, as `words/table.py` makes it. Entries are in a view's order and never cut, as programs are not to
    miss any.
    """
    uncut = replace(view or View(), top=None)  # a program gets every entry, as in JSON
    arenas = [select(arena, uncut) for arena in comparison.arenas]
    text = io.StringIO()
    table = csv.DictWriter(text, table_columns(arenas), restval="", lineterminator="\n")
    table.writeheader()
    table.writerows({name: cell(value) for name, value in row.items()} for row in table_rows(arenas))
    return text.getvalue()


def cell(value: Any) -> Any:
    """A value as a cell holds it.

    >>> cell("=1+1"), cell("@SUM"), cell("focal"), cell(-0.5), cell(float("nan"))
    ("'=1+1", "'@SUM", 'focal', -0.5, '')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if not isinstance(value, str):
        return value
    return harmless(visible(value, LONGEST))


def harmless(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula.

    >>> harmless("=1+1"), harmless("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if text.startswith(FORMULA) else text
