"""Dates as numbers that a model can use: year, month, day, weekday, hour, and days since a fixed epoch.

The epoch is 1970-01-01; `days` has a fraction where there is a time of day, `hour` too. Weekdays count from Monday = 0. Days
and hours are as they are written, in whatever time zone that is.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from losscli.errors import DataError, shown

if TYPE_CHECKING:
    from losscli.data.infer import Levels

EPOCH = date(1970, 1, 1).toordinal()
TIME = r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d+)?))?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?)?"
YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.]|(?=\d{4}(?:\D|$)))(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + TIME
)
YEAR_LAST = re.compile(r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4})" + TIME)
Found = tuple[re.Match[str], bool]  # a text that looks like a date, and whether its year comes first


def parts_of(texts: Levels, day_first: bool | None) -> dict[str, np.ndarray]:
    """float64 [N] each, NaN where missing: year, month, day, weekday, days, and hour if any time of day is written.

    `day_first` says which of 03/04/2024 is the day; None to find out from all rows, which points (03.04.2024) tell, too.
    Raises `DataError` with places for what is no date, no day that there is, or cannot be told.
    """
    found = [YEAR_FIRST.fullmatch(text) or YEAR_LAST.fullmatch(text) for text in texts.texts]
    _refuse(texts, [match is None for match in found], "must be a date such as 2024-01-31 or 2024-01-31T12:00")
    matches = [match for match in found if match is not None]
    first = _day_comes_first(texts, matches, day_first)
    rows = [_numbers(match, first) for match in matches]
    _refuse(texts, [row is None for row in rows], "is no day that there is")
    table = np.array([*(row for row in rows if row is not None), (np.nan,) * 6])[texts.codes]  # code -1: the last
    year, month, day, weekday, days, hour = table.T.copy()
    parts = {"year": year, "month": month, "day": day, "weekday": weekday, "days": days}
    return {**parts, "hour": hour} if any(match["hour"] for match in matches) else parts


def _refuse(texts: Levels, wrong: list[bool], must: str) -> None:
    cure = f"mend it, add it to data.missing, or leave {shown(texts.name)} out with data.drop"
    texts.refuse(np.array(wrong, dtype=bool), must, cure)


def _day_comes_first(texts: Levels, matches: list[re.Match[str]], wanted: bool | None) -> bool:
    last = [match for match in matches if match.re is YEAR_LAST]
    if wanted is not None or not last:
        return bool(wanted)
    if all(match["mark"] == "." for match in last) or any(int(match["one"]) > 12 for match in last):
        return True
    if any(int(match["two"]) > 12 for match in last):
        return False
    row = int(texts.rows_of(np.array([match is last[0] for match in matches]))[0])
    raise DataError(
        f"day and month of {shown(texts.name)} cannot be told apart: {shown(last[0][0])} could be both",
        place=texts.raw.origin.place(row),
        cure="set data.day_first: true or false",
    )


def _numbers(match: re.Match[str], day_first: bool) -> tuple[float, ...] | None:
    """Year, month, day, weekday, days since 1970, hour; None if there is no such day or time."""
    if match.re is YEAR_FIRST:
        month, day = int(match["month"]), int(match["day"])
    else:
        day, month = (int(match[part]) for part in (("one", "two") if day_first else ("two", "one")))
    try:
        when = date(int(match["year"]), month, day)
    except ValueError:
        return None
    hour, minute = int(match["hour"] or 0), int(match["minute"] or 0)
    second = float((match["second"] or "0").replace(",", "."))
    if hour > 23 or minute > 59 or second >= 61:
        return None
    hours = hour + minute / 60 + second / 3600
    return when.year, month, day, when.weekday(), when.toordinal() - EPOCH + hours / 24, hours
