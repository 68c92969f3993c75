"""Numbers in a costume: money, percentages, thousands in groups. Read where one reading is left, else refused with both."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from losscli.data.levels import Levels
from losscli.errors import DataError, Finding, listed, setting, shown, sign

LONGEST = 48  # characters of a number with its marks
SAMPLE, MOSTLY = 1000, 0.9  # texts that are looked at first, and the share of them that must be numbers in a costume
SAME = str.maketrans(dict.fromkeys("\u00a0\u2007\u2009\u202f", " ") | {"\u2019": "'", "\u2212": "-"})
GROUPING = (",", ".", " ", "'", "_")
WHOLE = re.compile(
    r"(?P<sign>[+-]?) ?(?P<before>[^\d.,+()_' -]{0,4}\.?)? ?(?P<minus>[+-]?) ?"
    r"(?P<number>\d[\d.,' _]*|[.,]\d+) ?(?P<after>[^\d,+()_' -]{0,4}\.?)"
)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


CODES = _set(
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KRW MXN MYR NGN NOK NZD PEN"
    " PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR"
)
LOCAL = _set("kr kr. zł Kč Ft Fr Fr. Rs Rs. руб руб.")
POINTED = _set("$ US$ A$ NZ$ HK$ S$ £ ¥ ₹ USD GBP JPY INR AUD NZD HKD SGD CNY")  # written 1,234.50
PERCENT = "%"


@dataclass(frozen=True)
class Amount:
    """A text taken apart: its minus, the currency or percent sign, and the digits with the marks between them."""

    negative: bool
    mark: str
    digits: str


@dataclass(frozen=True)
class Reading:
    """Which mark groups thousands (None: none does) and which begins the decimals."""

    thousands: str | None
    decimal: str


def amount_of(text: str) -> Amount | None:
    """The text as an amount; None where it is none.

    >>> amount_of("-$1,234.50"), amount_of("(12 %)")
    (Amount(negative=True, mark='$', digits='1,234.50'), Amount(negative=True, mark='%', digits='12'))
    """
    if len(text) > LONGEST:
        return None
    text = text.translate(SAME)
    bracketed = text.startswith("(") and text.endswith(")")
    match = WHOLE.fullmatch(text[1:-1].strip() if bracketed else text)
    if match is None or (match["before"] and match["after"]) or (match["sign"] and match["minus"]):
        return None
    mark = match["before"] or match["after"] or ""
    if (bracketed and (match["sign"] or match["minus"])) or not (not mark or mark == PERCENT or _is_currency(mark)):
        return None
    return Amount(bracketed or "-" in (match["sign"], match["minus"]), mark, match["number"].strip())


def _is_currency(mark: str) -> bool:
    return (
        mark in CODES or mark in LOCAL or (len(mark) <= 3 and any(unicodedata.category(char) == "Sc" for char in mark))
    )


def number_of(digits: str, reading: Reading) -> str | None:
    """The digits as a plain number, read so; None where they are not written so.

    >>> number_of("1.234,50", Reading(".", ",")), number_of("12,34,567", Reading(",", ".")), number_of("1,23", Reading(",", "."))
    ('1234.50', '1234567', None)
    """
    whole, point, fraction = digits.partition(reading.decimal)
    if point and not (fraction.isascii() and fraction.isdigit()):
        return None
    if reading.thousands and reading.thousands in whole:
        first, *groups = whole.split(reading.thousands)
        if not (0 < len(first) <= 3 and first[0] != "0" and _are_groups(groups, first, reading.thousands)):
            return None
        whole = first + "".join(groups)
    if not (whole or fraction) or (whole and not (whole.isascii() and whole.isdigit())):
        return None
    return f"{whole or 0}.{fraction}" if point else whole


def _are_groups(groups: Sequence[str], first: str, mark: str) -> bool:
    """Threes; with commas also India's twos before the last three."""
    if all(len(group) == 3 for group in groups):
        return True
    *middle, last = groups
    return mark == "," and len(first) <= 2 and len(last) == 3 and all(len(group) == 2 for group in middle)


def readings(amounts: Sequence[Amount], thousands: str | None, decimal: str | None) -> dict[tuple[str, ...], Reading]:
    """By the numbers that they give, all the ways to read the digits of all amounts; None leaves a mark open."""
    ways: dict[tuple[str, ...], Reading] = {}
    for point in (decimal,) if decimal else (".", ","):
        for group in (thousands,) if thousands else (None, *GROUPING):
            if group == point:
                continue
            numbers = []
            for amount in amounts:
                number = number_of(amount.digits, Reading(group, point))
                if number is None:
                    break
                numbers.append(f"-{number}" if amount.negative else number)
            else:
                plain = tuple(number.rstrip(".") for number in numbers)
                ways.setdefault(plain, Reading(group, point))
    return ways


@dataclass(frozen=True)
class Amounts:
    """The levels of a column as plain numbers, and what there is to say of the signs that were taken off."""

    numbers: list[str]
    findings: tuple[Finding, ...]


def amounts_in(
    texts: Levels, plain: np.ndarray, kind: str | None, decimal: str, thousands: str | None
) -> Amounts | None:
    """The column's levels where they are numbers in a costume; None where they are something else.

    `plain` says which levels are plain numbers. Raises `DataError` with a place where they can be read in two ways, where
    not all rows have the same sign, and where marks group digits that `thousands` has not named.
    """
    if not _mostly_amounts(texts, plain):
        return None
    parts = [amount_of(text) for text in texts.texts]
    given = [amount for amount in parts if amount is not None]
    marks = list(dict.fromkeys(amount.mark for amount in given))
    _refuse_strangers(texts, parts, marks, plain)
    alone = len(marks) == 1 and marks[0]
    as_told = kind == "number" and len({*marks, ""}) == 2  # 7 beside $5 is money, if the spec says that all are numbers
    if not (alone or as_told):
        if marks != [""]:
            raise _several_signs(texts, marks, parts)
        if thousands is None:
            raise _undecided(texts, given, plain, readings(given, None, None), decimal, "")
    mark = next((mark for mark in marks if mark), "")
    ways = _ways(given, mark, thousands, decimal)
    if len(ways) != 1:
        other = ways or readings(given, None, None)
        raise _undecided(texts, given, plain, other, decimal, mark)
    numbers = list(next(iter(ways)))
    return Amounts(numbers, _noticed(texts, mark, numbers) if mark else ())


def _mostly_amounts(texts: Levels, plain: np.ndarray) -> bool:
    """Of the levels that are no plain numbers, or of the rows that hold them."""
    sample = np.flatnonzero(~plain[:SAMPLE]).tolist()
    dressed = np.array([amount_of(texts.texts[at]) is not None for at in sample], dtype=bool)
    if not dressed.any():
        return False
    rows = np.bincount(texts.codes[texts.codes >= 0], minlength=len(plain))[sample]
    return max(float(dressed.mean()), float(rows[dressed].sum() / rows.sum())) >= MOSTLY


def _ways(given: Sequence[Amount], mark: str, thousands: str | None, decimal: str) -> dict[tuple[str, ...], Reading]:
    """Without a word of the spec's, a sign that is written with points, and commas in groups, decides."""
    if thousands or decimal == ",":
        return readings(given, thousands, decimal)
    ways = readings(given, None, None)
    pointed = mark in POINTED and not any("." in amount.digits for amount in given)
    if len(ways) > 1 and (pointed or (mark == PERCENT and not any("," in amount.digits for amount in given))):
        return {numbers: way for numbers, way in ways.items() if way.decimal == "."}
    return ways


def _noticed(texts: Levels, mark: str, numbers: Sequence[str]) -> tuple[Finding, ...]:
    what = "in percent" if mark == PERCENT else "an amount of money"
    example = f"{shown(texts.texts[0])} is {numbers[0]}"
    cure = f"{setting('types', 'category', texts.name)} if it is a name"
    return (Finding("amounts", "info", f"{shown(texts.name)} is {what}: {shown(mark)} was taken off, {example}", cure),)


def _refuse_strangers(texts: Levels, parts: Sequence[Amount | None], marks: Sequence[str], plain: np.ndarray) -> None:
    wrong = np.array([amount is None for amount in parts], dtype=bool)
    if wrong.any():
        first = next(text for text, amount, bare in zip(texts.texts, parts, plain, strict=True) if amount and not bare)
        texts.refuse(
            wrong, f"must be a number as {shown(first)} is", _cure(texts, "mend them, add them to data.missing")
        )


def _cure(texts: Levels, first: str) -> str:
    category = setting("types", "category", texts.name)
    return f"{first}, or set {category}, or list it under data.drop"


def _row_of(texts: Levels, level: int) -> int:
    return int(np.flatnonzero(texts.codes == level)[0])


def _several_signs(texts: Levels, marks: Sequence[str], parts: Sequence[Amount | None]) -> DataError:
    signs = [mark for mark in marks if mark]
    what = "percentages" if signs == [PERCENT] else "amounts of money"
    firsts = [next(at for at, amount in enumerate(parts) if amount and amount.mark == mark) for mark in marks]
    examples = listed([shown(texts.texts[at]) for at in firsts])
    message = f"{shown(texts.name)} holds {what} and numbers without a sign: {examples}"
    first = f"set {setting('types', 'number', texts.name)} if all are meant alike"
    if len(signs) > 1:
        message, first = (
            f"{shown(texts.name)} holds {what} with several signs: {examples}",
            "write them in one currency",
        )
    row = min(_row_of(texts, at) for at in firsts if parts[at].mark)  # type: ignore[union-attr]
    return DataError(message, place=texts.raw.origin.place(row), cure=_cure(texts, first))


def _undecided(
    texts: Levels,
    given: Sequence[Amount],
    plain: np.ndarray,
    ways: dict[tuple[str, ...], Reading],
    decimal: str,
    mark: str,
) -> DataError:
    """Which readings there are, each with the flags that choose it."""
    marks = {way.thousands for way in ways.values() if way.thousands} or set(GROUPING)
    dressed = np.flatnonzero(~plain).tolist()  # a bracket alone shows no mark
    level = next((at for at in dressed if not marks.isdisjoint(given[at].digits)), dressed[0] if dressed else 0)
    row, example = _row_of(texts, level), shown(texts.texts[level])
    decimals = f"a decimal {'point' if decimal == ',' else 'comma'}"
    groups = "underscores" if "_" in given[level].digits else "thousands separators"
    brackets = "no marks, and brackets around what is negative"
    otherwise = decimals if any(char in given[level].digits for char in ".,") else brackets
    kinds = [groups if (way.thousands or "?") in given[level].digits else otherwise for way in ways.values()]
    named = " or ".join(dict.fromkeys(kinds))
    what = f"amounts with {named}" if mark else f"numbers with {named or 'marks that do not fit together'}"
    cures = [f"{_flags(way, decimal, len(ways))} reads it as {numbers[level]}" for numbers, way in ways.items()]
    message = f"{shown(texts.name)} holds {what}, such as {example}"
    cure = _cure(texts, "; ".join(cures) or "write them alike")
    present = texts.codes[texts.codes >= 0]
    if not mark and plain[present].mean() >= MOSTLY:
        texts.refuse(~plain, "must be a number", cure)
    return DataError(message, place=texts.raw.origin.place(row), cure=cure)


def _flags(way: Reading, decimal: str, count: int) -> str:
    """What to set for a reading; a mark that groups nothing is named where only that tells the readings apart."""
    thousands = way.thousands or ("," if count > 1 and way.decimal == "." and decimal == "." else None)
    parts = [sign("thousands", thousands)] if thousands else []
    parts += [sign("decimal", way.decimal)] if way.decimal != decimal else []
    return " and ".join(parts)
