"""Numbers in a costume: money, percentages, units, millions, thousands in groups. Read where one reading is left, else refused
with both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from losscli.data.levels import Levels
from losscli.data.sentinels import mended
from losscli.data.units import MILLION_OR_METRE, PERCENT, POINTED, is_common, is_unit, mark_of
from losscli.errors import DataError, Finding, dropped, listed, setting, shown, sign

LONGEST = 48  # characters of a number with its marks
SAMPLE, MOSTLY = 1000, 0.9  # texts that are looked at first, and the share of them that must be numbers in a costume
SAME = str.maketrans(dict.fromkeys("\u00a0\u2007\u2009\u202f", " ") | {"\u2019": "'", "\u2212": "-"})
FEW_POWERS = 3  # levels such as 2B, which beside plain numbers are names rather than billions
GROUPING = (",", ".", " ", "'", "_")
WHOLE = re.compile(
    r"(?P<sign>[+-]?) ?(?P<before>[^\d.,+()_' -]{1,4}\.?)? ?(?P<minus>[+-]?) ?"
    r"(?P<number>\d[\d.,' _]*+|[.,]\d++)(?P<behind>-(?=$| ))? ?+(?P<after>[^\d,+()_'-]*+[23]?)(?P<last>-?)"
)


@dataclass(frozen=True)
class Amount:
    """A text taken apart: its minus, the currency, percent sign or unit, the digits with the marks between them, and the power
    of ten that k, million or bn stands for.
    """

    negative: bool
    mark: str
    digits: str
    power: int = 0
    bracketed: bool = False


@dataclass(frozen=True)
class Reading:
    """Which mark groups thousands (None: none does) and which begins the decimals."""

    thousands: str | None
    decimal: str


def amount_of(text: str) -> Amount | None:
    """The text as an amount; None where it is none.

    >>> amount_of("-$1,234.50"), amount_of("(12 %)").mark, amount_of("4.5M").power
    (Amount(negative=True, mark='$', digits='1,234.50', power=0, bracketed=False), '%', 6)
    """
    if len(text) > LONGEST:
        return None
    text = text.translate(SAME)
    bracketed = text.startswith("(") and text.endswith(")")
    match = WHOLE.fullmatch(text[1:-1].strip() if bracketed else text)
    if match is None:
        return None
    signs = [match[part] for part in ("sign", "minus", "behind", "last") if match[part]] + ["-"] * bracketed
    marked = mark_of(match["before"] or "", match["after"].strip(), attached=not match["number"].endswith(" "))
    if len(signs) > 1 or marked is None:
        return None
    return Amount("-" in signs, marked[0], match["number"].strip(), marked[1], bracketed)


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


def _shifted(number: str, power: int) -> str:
    """The number times a power of ten, exactly."""
    if not power:
        return number
    whole, _, fraction = number.partition(".")
    digits = fraction.ljust(power, "0")
    return f"{(whole + digits[:power]).lstrip('0') or 0}.{digits[power:]}".rstrip(".")


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
                number = _shifted(number, amount.power)
                numbers.append(f"-{number}" if amount.negative else number)
            else:
                plain = tuple(number.rstrip(".") for number in numbers)
                ways.setdefault(plain, Reading(group, point))
    return ways


@dataclass(frozen=True)
class Amounts:
    """The levels of a column as plain numbers, and what there is to say of the signs that were taken off."""

    numbers: list[str]
    unit: str  # "" where digits stand alone
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
    parts = _of_millions([amount_of(text) for text in texts.texts])
    if kind != "number" and _are_names(parts, plain):
        return None
    given = [amount for amount in parts if amount is not None]
    marks = list(dict.fromkeys(amount.mark for amount in given if amount.mark or amount.digits.strip("0.,"))) or [""]
    _refuse_strangers(texts, parts, marks, plain)
    alone = len(marks) == 1 and marks[0]
    as_told = kind == "number" and len({*marks, ""}) == 2  # 7 beside $5 is money, if the spec says that all are numbers
    if not (alone or as_told) and marks != [""]:
        raise _several_signs(texts, marks, parts)
    mark = next((mark for mark in marks if mark), "")
    ways = _ways(given, mark, thousands, decimal)
    if len(ways) != 1:
        other = ways or readings(given, None, None)
        raise _undecided(texts, given, plain, other, decimal, mark)
    numbers = list(next(iter(ways)))
    return Amounts(numbers, mark, _noticed(texts, mark, given, numbers))


def _of_millions(parts: Sequence[Amount | None]) -> list[Amount | None]:
    """The same; beside thousands and billions, m is a million and no metre."""
    if not any(amount and amount.power for amount in parts):
        return list(parts)
    return [
        replace(amount, mark="", power=6) if amount and amount.mark == MILLION_OR_METRE else amount for amount in parts
    ]


def _are_names(parts: Sequence[Amount | None], plain: np.ndarray) -> bool:
    """Whether the levels only look like amounts: 2 and 2B, 3 rooms and 4 doors, a column of footnotes (1), (2)."""
    given = [amount for amount, bare in zip(parts, plain, strict=True) if amount and not bare]
    words = [amount.mark for amount in given if is_unit(amount.mark) and not is_common(amount.mark)]
    if len(words) > (1 - MOSTLY) * len(given) and (plain.any() or len({amount.mark for amount in given}) > 1):
        return True
    if any(amount.mark for amount in given):
        return False
    powers = [amount for amount in given if amount.power]
    if plain.any() and 0 < len(powers) < FEW_POWERS and not any("." in amount.digits for amount in powers):
        return True
    return all(amount.bracketed for amount in given) and len(given) == len(parts)


def _mostly_amounts(texts: Levels, plain: np.ndarray) -> bool:
    """Of the levels that are no plain numbers, or of the rows that hold them."""
    sample = np.flatnonzero(~plain[:SAMPLE]).tolist()
    dressed = np.array([amount_of(texts.texts[at]) is not None for at in sample], dtype=bool)
    if not dressed.any():
        return False
    rows = np.bincount(texts.codes[texts.codes >= 0], minlength=len(plain))[sample]
    return max(float(dressed.mean()), float(rows[dressed].sum() / rows.sum())) >= MOSTLY


def _ways(given: Sequence[Amount], mark: str, thousands: str | None, decimal: str) -> dict[tuple[str, ...], Reading]:
    """Without a word of the spec's, digits without marks are read as elsewhere, and a sign that is written with points, and
    commas in groups, decides.
    """
    if thousands or (mark and decimal == ","):
        return readings(given, thousands, decimal)
    ways = readings(given, None, None)
    if not mark:
        own = {numbers: way for numbers, way in ways.items() if way == Reading(None, decimal)}
        return own or (ways if len(ways) != 1 else {})  # where marks group digits, the spec must say so
    pointed = mark in POINTED and not any("." in amount.digits for amount in given)
    plain = mark == PERCENT or is_unit(mark) or any(amount.power for amount in given)
    if len(ways) > 1 and (pointed or (plain and not any("," in amount.digits for amount in given))):
        return {numbers: way for numbers, way in ways.items() if way.decimal == "."}
    return ways


def _noticed(texts: Levels, mark: str, given: Sequence[Amount], numbers: Sequence[str]) -> tuple[Finding, ...]:
    """What was taken off, at the first level that shows it: of thousands and millions one that has them, else the first."""
    signs = [
        amount.power or (amount.negative and not texts.texts[at].startswith("-")) for at, amount in enumerate(given)
    ]
    if not mark and not any(signs):  # only what the spec has named was taken off
        return ()
    at = next(
        (at for at, amount in enumerate(given) if amount.power), 0 if mark else list(map(bool, signs)).index(True)
    )
    example = f"{shown(texts.texts[at])} is {numbers[at]}"
    what = "in percent" if mark == PERCENT else f"in {shown(mark)}" if is_unit(mark) else "an amount of money"
    off = ", which was taken off:" if is_unit(mark) else f": {shown(mark)} was taken off,"
    message = f"{shown(texts.name)} is {what}{off} {example}"
    if not mark:
        message = f"{shown(texts.name)} is read as numbers: {example}"
    cure = f"{setting('types', 'category', texts.name)} if it is a name"
    return (Finding("amounts", "info", message, cure),)


def _refuse_strangers(texts: Levels, parts: Sequence[Amount | None], marks: Sequence[str], plain: np.ndarray) -> None:
    wrong = np.array([amount is None for amount in parts], dtype=bool)
    if wrong.any():
        first = next(text for text, amount, bare in zip(texts.texts, parts, plain, strict=True) if amount and not bare)
        texts.refuse(wrong, f"must be a number as {shown(first)} is", _cure(texts, mended(texts, wrong, "")))


def _cure(texts: Levels, first: str) -> str:
    category = setting("types", "category", texts.name)
    return f"{first}, or set {category}, or leave it out with {dropped(texts.name)}"


def _row_of(texts: Levels, level: int) -> int:
    return int(np.flatnonzero(texts.codes == level)[0])


def _several_signs(texts: Levels, marks: Sequence[str], parts: Sequence[Amount | None]) -> DataError:
    signs = [mark for mark in marks if mark]
    what = "percentages" if signs == [PERCENT] else "amounts of money"
    unit = "unit" if all(map(is_unit, signs)) else "sign"
    what = "numbers" if unit == "unit" and len(signs) > 1 else "units" if unit == "unit" else what
    firsts = [next(at for at, amount in enumerate(parts) if amount and amount.mark == mark) for mark in marks]
    examples = listed([shown(texts.texts[at]) for at in firsts])
    message = f"{shown(texts.name)} holds {what} and numbers without a {unit}: {examples}"
    first = f"set {setting('types', 'number', texts.name)} if all are meant alike"
    if len(signs) > 1:
        message, first = (
            f"{shown(texts.name)} holds {what} with several {unit}s: {examples}",
            f"write them in one {'unit' if unit == 'unit' else 'currency'}",
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
