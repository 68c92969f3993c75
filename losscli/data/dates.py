"""Dates as numbers that a model can use: year, month, day, weekday, hour, and days since a fixed epoch.

The epoch is 1970-01-01; `days` has a fraction where there is a time of day, `hour` too. Weekdays count from Monday = 0. Days
and hours are as they are written; times that name a time zone are in UTC, so that those of training and of new rows agree.
A year of two digits is within 1969 to 2068, as POSIX has it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np

from losscli.data.levels import Levels
from losscli.data.sentinels import mended
from losscli.errors import DataError, dropped, setting, shown

EPOCH = date(1970, 1, 1).toordinal()
PARTS = ("year", "month", "day", "weekday", "days", "hour")
LEAST_DATES, MOST_DATES = 10, 73_414  # rows; days from 1900 to 2100
PIVOT = 69  # 69 to 99 are years of the last century, 00 to 68 of this one
ZONE = r"(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)"
TIME = rf"(?:[T ]\s*(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::(?P<second>\d{{2}}(?:[.,]\d+)?))?\s*{ZONE}?)?"
YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.]|(?=\d{4}(?:\D|$)))(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + TIME
)
YEAR_LAST = re.compile(r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})" + TIME)


def parts_of(
    texts: Levels, day_first: bool | None, hours: bool = False
) -> tuple[dict[str, np.ndarray], str, bool | None]:
    """float64 [N] each, NaN where missing: year, month, day, weekday, days, and hour if any time of day is written or `hours`.

    With them what there is to say of how the texts were read, to follow a message. `day_first` says which of 03/04/2024 is
    the day; None to find out from all rows, which points (03.04.2024) tell, too. What was found comes last, None where no date
    has such an order. Raises `DataError` with places for what is
    no date, no day that there is, or cannot be told.
    """
    candidates = [YEAR_FIRST.fullmatch(text) or YEAR_LAST.fullmatch(text) for text in texts.texts]
    otherwise = f"; or leave it out with {dropped(texts.name)}"
    wrong = [match is None for match in candidates]
    _refuse(texts, wrong, "must be a date such as 2024-01-31 or 2024-01-31T12:00", otherwise)
    matches = [match for match in candidates if match is not None]
    first = _day_comes_first(texts, matches, day_first)
    moments = [_moment(match, first) for match in matches]
    if None in moments:
        other, wrong = _other_order(matches, first), [moment is None for moment in moments]
        _refuse(texts, wrong, "is no day that there is", otherwise, other)
    present = [moment for moment in moments if moment is not None]
    zones = sorted({match["zone"] for match in matches if match["zone"]})
    rows = [_numbers(moment) for moment in present]
    table = np.array([*rows, (np.nan,) * 6])[texts.codes]  # code -1: the last
    parts = dict(zip(PARTS, table.T.copy(), strict=True))
    if not hours and not any(match["hour"] for match in matches):
        del parts["hour"]
    how = _zones_text(zones, any(not match["zone"] for match in matches)) + _years_text(matches, present)
    return parts, how, first if any(match.re is YEAR_LAST for match in matches) else day_first


def are_whole_dates(values: np.ndarray) -> bool:
    """Whether numbers [N] are dates written without marks: 20240131, of 1900 to 2100, and enough of them to tell.

    >>> days = np.array([20240131.0, 20240201.0, 20231231.0])
    >>> are_whole_dates(np.tile(days, 5)), are_whole_dates(np.tile(days + 50, 5))
    (True, False)
    """
    first = values[:1]
    if len(values) < LEAST_DATES or not ((first >= 19000101) & (first <= 21001231) | np.isnan(first)).all():
        return False
    present = np.unique(values[~np.isnan(values)])
    if not len(present) > 1 or present[0] < 19000101 or present[-1] > 21001231 or (present % 1).any():
        return False
    texts = [str(int(value)) for value in present.tolist()] if len(present) <= MOST_DATES else []
    return bool(texts) and all((match := YEAR_FIRST.fullmatch(text)) and _moment(match, False) for text in texts)


def _zones_text(zones: list[str], bare: bool) -> str:
    if not zones:
        return ""
    several = f"zones {zones[0]} to {zones[-1]}" if len(zones) > 1 else f"zone {zones[0]}"
    return f", in UTC (written in the time {several}{', and without one: taken for UTC' if bare else ''})"


def _years_text(matches: list[re.Match[str]], moments: list[datetime]) -> str:
    for match, moment in zip(matches, moments, strict=True):
        if len(match["year"]) == 2:
            return f"; years of two digits are within 1969 to 2068: {shown(match[0])} is {moment:%Y-%m-%d}"
    return ""


def _refuse(texts: Levels, wrong: list[bool], must: str, otherwise: str, cure: str | None = None) -> None:
    levels = np.array(wrong, dtype=bool)
    if levels.any():
        texts.refuse(levels, must, cure or mended(texts, levels, otherwise))


def _other_order(matches: list[re.Match[str]], day_first: bool) -> str | None:
    """The cure where it is the order of day and month that makes no day of a text."""
    order = "the day" if day_first else "the month"
    if not any(_moment(match, day_first) is None and _moment(match, not day_first) for match in matches):
        return None
    if all(_moment(match, not day_first) for match in matches):
        return f"{order} is read first: set {setting('day_first', 'false' if day_first else 'true')}"
    return f"{order} is read first, and some rows need the other order: write all dates as 2024-01-31"


def _day_comes_first(texts: Levels, matches: list[re.Match[str]], day_first: bool | None) -> bool:
    last = [match for match in matches if match.re is YEAR_LAST]
    if day_first is not None or not last:
        return bool(day_first)
    if all(match["mark"] == "." for match in last) or any(int(match["one"]) > 12 for match in last):
        return True
    if any(int(match["two"]) > 12 for match in last):
        return False
    row = int(texts.rows_of(np.array([match is last[0] for match in matches]))[0])
    raise DataError(
        f"day and month of {shown(texts.name)} cannot be told apart: {shown(last[0][0])} could be both",
        place=texts.raw.origin.place(row),
        cure=f"set {setting('day_first', 'true')} or false",
    )


def _moment(match: re.Match[str], day_first: bool) -> datetime | None:
    """When that is, in UTC if it names a time zone; None if there is no such day or time."""
    if match.re is YEAR_FIRST:
        month, day = int(match["month"]), int(match["day"])
    else:
        day, month = (int(match[part]) for part in (("one", "two") if day_first else ("two", "one")))
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += 1900 if year >= PIVOT else 2000
    second = float((match["second"] or "0").replace(",", "."))
    try:
        when = datetime(
            year, month, day, int(match["hour"] or 0), int(match["minute"] or 0), tzinfo=_zone(match["zone"])
        )
        return _in_utc(when + timedelta(seconds=second)) if second < 61 else None  # 60 is a leap second
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone | None:
    if text is None or text in ("Z", "UTC"):
        return None if text is None else UTC
    # +05, +0530 or +05:30
    minutes = 60 * int(text[1:3]) + int(text[-2:] if len(text) > 3 else 0)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _in_utc(moment: datetime) -> datetime:
    """What names no zone is taken for UTC."""
    return moment.astimezone(UTC) if moment.tzinfo else moment


def _numbers(when: datetime) -> tuple[float, ...]:
    """Year, month, day, weekday, days since 1970, hour."""
    hours = when.hour + when.minute / 60 + (when.second + when.microsecond / 1e6) / 3600
    return when.year, when.month, when.day, when.weekday(), when.toordinal() - EPOCH + hours / 24, hours
