"""Columns that name rows, or what rows belong to: row numbers, ids, and subjects that come back in several rows.

An id says nothing of a new row, and a network learns it by heart. Its name tells it, or its values: whole numbers, each
there once, where measured values would have met.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from losscli.errors import Finding, listed, setting, shown
from losscli.tasks import Column

FEW_ROWS = 50  # up to which numbers may count the rows, or all differ, by chance or by design
CHANCE_MEETINGS = 10  # pairs of equal values that chance would make of so many whole numbers in their range
LEAST_GROUPS = 5  # values of a subject that comes back
MOST_CODES, LEAST_OF_CODE = (
    20,
    30,
)  # values, and rows of each, by which an id is a code of a few kinds: region_id 1 to 4
SAMPLE = 1000  # rows that are looked at first
LONGEST_NAME = 200  # characters of a heading that are looked at


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ID_WORDS = _set("id ids uuid guid identifier rowid recid pk ssn isbn mrn")
NUMBER_WORDS = _set("no nr num number code key")  # an id after one of the things below: student no
PEOPLE = _set(
    "subject subj student pupil person people patient participant respondent proband customer user client member individual"
    " household family worker employee rater speaker panelist donor voter borrower applicant passenger driver player"
)
THINGS = PEOPLE | _set(
    "item animal mouse rat litter cust emp account acct order transaction session visit product article store shop school"
    " teacher case record sample specimen device sensor machine tree plot site station hospital doctor claim policy loan"
    " contract invoice ticket listing host property house building vehicle flight trip game match movie film song track"
    " artist book author post question document image row entry observation obs"
)
COMES_BACK = PEOPLE | {"item", "animal", "mouse", "rat", "litter"}  # said to be a subject even without "id"
TIMES = _set(
    "time date datetime day week month quarter year yr hour minute second timestamp ts epoch step age period t"
)
INDEX = re.compile(
    r"(?i)unnamed: \d+(_level_\d+)?|__index_level_\d+__|index|level_\d|row[._ ]?(names?|id|num|number|index|no)"
)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Identity:
    """What a column names: the `row` it stands in, an `id` of it, a `group` of rows; with `why`, half a sentence.

    A group that only its name tells is `kept` as a feature.
    """

    kind: Literal["row numbers", "id", "group"]
    why: str
    kept: bool = False


def identity(name: str, column: Column, unnamed: bool = False) -> Identity | None:
    """What a column of numbers or texts names, if it names something; `unnamed` where its file has no name for it.

    >>> identity("PassengerId", Column(np.array([3.0, 1.0, 2.0, 7.0])))
    Identity(kind='id', why='each row has one of its own', kept=False)
    >>> identity("subject_no", Column(np.repeat(np.arange(9.0), 4))).kind, identity("paid", Column(np.arange(9.0)))
    ('group', None)
    """
    index = unnamed or INDEX.fullmatch(name[:LONGEST_NAME]) is not None
    if counts_the_rows(column, 1 if index else FEW_ROWS):
        return Identity("row numbers", "it counts the rows")
    words = words_of(name)
    named, comes_back = _says_id(words), bool(COMES_BACK.intersection(words[-1:]))
    if not (index or named or comes_back) and not _may_be_numbered(column):
        return None
    values = column.values[~column.missing]
    if len(values) < 2 or not (column.is_category or bool((values == np.floor(values)).all())):
        return None
    if len(np.unique(values)) < len(values):
        return _repeated(words, values) if named or comes_back else None
    if index and not column.is_category:
        return Identity("row numbers", "each row has a number of its own")
    if named or (_may_be_numbered(column) and not TIMES.intersection(words) and _numbered(values)):
        return Identity("id", "each row has one of its own")
    return None


def _may_be_numbered(column: Column) -> bool:
    """Whether the first rows hold whole numbers that all differ, which most columns do not; and there are enough of them."""
    if column.is_category or len(column.values) <= FEW_ROWS:
        return False
    head = column.values[:SAMPLE]
    head = head[~np.isnan(head)]
    return bool((head == np.floor(head)).all()) and len(np.unique(head)) == len(head)


def counts_the_rows(column: Column, few: int = FEW_ROWS) -> bool:
    """Whether more than `few` rows hold the numbers n, n + 1, n + 2 ..., as a table's row names are.

    >>> counts_the_rows(Column(np.arange(1.0, 101.0))), counts_the_rows(Column(np.arange(0.0, 200.0, 2.0)))
    (True, False)
    """
    if column.is_category or len(column.values) <= few:
        return False
    if column.values[-1] - column.values[0] != len(column.values) - 1:  # most columns end here
        return False
    return bool((np.diff(column.values) == 1).all())


def words_of(name: str) -> list[str]:
    """The words of a heading, in lower case.

    >>> words_of("CustomerID"), words_of("n_items sold")
    (['customer', 'id'], ['n', 'items', 'sold'])
    """
    return [word for word in re.split(r"[\W_]+", CAMEL.sub(" ", name[:LONGEST_NAME]).casefold()) if word]


def _says_id(words: list[str]) -> bool:
    if not words:
        return False
    last = words[-1]
    if last in ID_WORDS or (words[0] in ID_WORDS and len(words) <= 2):
        return True
    if last in NUMBER_WORDS and len(words) > 1 and words[-2] in THINGS:
        return True
    return any(last.endswith(end) and last.removesuffix(end) in THINGS for end in ID_WORDS | NUMBER_WORDS)


def _numbered(values: np.ndarray) -> bool:
    """Whether whole numbers that all differ were given out: in rising order, or so closely that measured ones would have met."""
    steps = np.diff(values)
    if bool((steps > 0).all()) or bool((steps < 0).all()):
        return len(np.unique(steps)) > 1  # equal steps are a design
    span = float(values.max() - values.min()) + 1
    # Of n numbers drawn from `span` ones at random, n^2 / (2 span) pairs are equal on average (birthday problem).
    return len(values) ** 2 / (2 * span) >= CHANCE_MEETINGS


def _repeated(words: list[str], values: np.ndarray) -> Identity | None:
    """Subjects that come back in other rows."""
    distinct, rows = len(np.unique(values)), len(values)
    people = bool(PEOPLE.intersection(words))
    codes = distinct <= MOST_CODES and rows >= LEAST_OF_CODE * distinct and not people
    if distinct < LEAST_GROUPS or codes or distinct == rows:
        return None
    why = f"{distinct} values in {rows} rows"
    return Identity("group", why, kept=not _says_id(words))


def left_out(name: str, found: Identity, only: bool) -> Finding:
    """What there is to say of a column that names rows; `only` if it is kept, as there is no other."""
    said, numbers = shown(name), setting("types", "number", name)
    if only:
        return Finding("row-numbers", "warning", f"the only feature, {said}, names the rows: {found.why}", numbers)
    if found.kind == "group":
        return _of_group(name, found)
    code = "row-numbers" if found.kind == "row numbers" else "id-column"
    what = found.why if found.kind == "row numbers" else f"it is an id, {found.why}"
    return Finding(code, "warning", f"{said} was left out: {what}", f"set {numbers} if it says something about them")


def shortened(columns: Sequence[tuple[str, Identity, Finding]]) -> list[Finding]:
    """What there is to say of all columns that are left out: of several that name rows one thing, not one for each."""
    rows = [(name, found) for name, found, finding in columns if finding.code in ("row-numbers", "id-column")]
    if len(rows) < 2:
        return [finding for *_, finding in columns]
    said = listed([f"{shown(name)} ({found.why})" for name, found in rows], most=4)
    cure = f"set {setting('types', 'number', rows[0][0])} if one says something about them"
    others = [finding for *_, finding in columns if finding.code not in ("row-numbers", "id-column")]
    return [
        Finding("id-column", "warning", f"{len(rows)} columns were left out, as they name the rows: {said}", cure),
        *others,
    ]


def _of_group(name: str, found: Identity) -> Finding:
    said, group = shown(name), setting("split.group", shown(name)[1:-1])
    what = "comes back" if found.kept else "was left out: it is an id that comes back"
    message = f"{said} {what} ({found.why}): its rows may stand in training and test, and scores then flatter"
    return Finding("repeated-ids", "warning", message, f"set {group} to keep them together")
