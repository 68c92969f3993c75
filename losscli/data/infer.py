"""What kind of column a list of texts is: numbers, a category, a date, or a mistake to be told with its place.

All rows are looked at, never a sample of the first ones. A column that is nearly all numbers is a column of numbers
with mistakes in it; dates, hexadecimal numbers, amounts of money and the like are refused by name, not taken for text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from losscli.data.amounts import Amounts, amounts_in
from losscli.data.dataset import ColumnStory
from losscli.data.dates import are_whole_dates, parts_of
from losscli.data.delimited import MOST_PLACES, NUMBER
from losscli.data.gather import EXACT, Raw
from losscli.data.levels import Levels
from losscli.data.sentinels import mended, noticed_sentinels, without
from losscli.data.spelling import Spelling, alike, meaning_of, spelling_of
from losscli.data.totals import noticed_total
from losscli.errors import DataError, Finding, counted, dropped, listed, setting, shown
from losscli.tasks import Column
from losscli.tasks.labels import label_of, same_words

Kind = Literal["number", "category", "boolean", "date", "text", "ignore"]
SOME = 0.2  # share of numbers from which texts among them are worth a word
MOSTLY = 0.9  # from this share on, a column of numbers with some text in it is a column of numbers with mistakes
FIRST_TEXTS = 3  # of those that stand among numbers
SAMPLE = 1000  # levels that are compared with the patterns below
WORDS_OF_PROSE = 4  # words per text, from which on texts that are mostly different are prose and no category
FEW_ROWS = 100_000  # up to which numbers are counted one by one
ISO = re.compile(r"\d{4}([-/])\d{1,2}\1\d{1,2}(\D|$)")
ENDLESS = r"(?i)^[+-]?(inf|infinity|nan)$"
MONTH = "(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)"
DAY = r"\d{1,2}(st|nd|rd|th)?[-., /]+"
NOT_PLAIN = {  # kinds of values that look like text and are not meant as such, with what to do about them
    "dates": (
        r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([T ].*)?",
        "",
    ),
    "dates with the month as a word": (
        rf"(?i)([a-z]{{3,9}},? )?({DAY}(of )?)?{MONTH}\.?[-, /]+({DAY})?\d{{4}}([T ,].*)?|{DAY}{MONTH}[-. /]+'?\d{{2}}",
        "write them as 2024-01-31",
    ),
    "times of day": (r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?", "turn them into numbers"),
    "hexadecimal numbers": (r"[+-]?0[xX][0-9a-fA-F]+", "write them as decimal numbers"),
    "numbers with underscores": (r"[+-]?\d{1,3}(_\d{3})+(\.\d+)?", "write them without"),
}


@dataclass(frozen=True)
class ColumnOptions:
    """What the spec says about a column, and what its values mean.

    `kind` is None to find out; a category of more than `most_levels` levels is left out (None: however many). `thousands`
    is what groups digits, `parts` whether a date may become several columns. `spelling` says which texts of a category are
    one value (None: its texts tell), `hours` that a date has an hour even where no time is written.
    """

    kind: Kind | None = None
    most_levels: int | None = None
    decimal: str = "."
    thousands: str | None = None
    parts: bool = True
    missing: Sequence[str] = ()
    day_first: bool | None = None
    spelling: Spelling | None = None
    hours: bool = False


@dataclass(frozen=True)
class ColumnInference:
    """What a raw column became: columns by name (none if it was left out), its story, and what there is to say.

    `padded` counts values that had blanks around them, which were taken off; `example` is the first such text.
    """

    columns: Mapping[str, Column]
    story: ColumnStory
    findings: tuple[Finding, ...] = ()
    padded: int = 0
    example: str | None = None


def infer(raw: Raw, options: ColumnOptions) -> ColumnInference:
    """The column as numbers, as a category or as the parts of a date; or left out, with a finding that says why.

    Raises `DataError` with the first five places of values that do not belong.
    """
    if raw.numbers is not None:
        return replace(_plain_numbers(raw, options), padded=raw.padded)
    texts = Levels.of(raw, options.missing)
    inferred = _of_texts(texts, options)
    findings = (*inferred.findings, *noticed_total(texts))
    return replace(inferred, findings=findings, padded=texts.padded, example=texts.example)


def _of_texts(texts: Levels, options: ColumnOptions) -> ColumnInference:
    raw = texts.raw
    if not len(texts.levels) and options.kind is None:
        column = Column(np.full(len(texts.codes), np.nan), None, raw.origin)
        return ColumnInference({raw.name: column}, texts.story("empty", "no value in any row"))
    by_kind = {"category": _category, "boolean": _boolean, "date": _date, "text": _text}
    if options.kind in by_kind:
        return by_kind[options.kind](texts, options)
    if options.kind is None and options.parts and (dates := _iso_dates(texts, options)):
        return dates
    if raw.typed == "text" and options.kind is None:
        return _typed_text(texts, options)
    point = _with_point(texts.levels, options.decimal)
    numeric, endless = _matches(point, NUMBER), _matches(point, ENDLESS)
    if len(numeric) and (numeric | endless).all():
        return _numbers(texts, point, options)
    if options.kind is None and spelling_of(texts.texts) == "boolean":
        return _category(texts, options)
    dated = options.kind != "number" and (_costume(texts, numeric) or ("",))[0] == "dates"  # 31.12.2024 has points, too
    if not dated and (amounts := amounts_in(texts, numeric, options.kind, options.decimal, options.thousands)):
        return _of_amounts(texts, amounts, options)
    findings = _mixed(texts, numeric, options)
    category = _category(texts, options)
    return ColumnInference(category.columns, category.story, (*findings, *category.findings))


def _of_amounts(texts: Levels, amounts: Amounts, options: ColumnOptions) -> ColumnInference:
    """Amounts as numbers; what is said of the column shows them as they stand in the file."""
    import pyarrow as pa

    plain = pa.array(amounts.numbers, pa.string())
    inferred = _numbers(replace(texts, levels=plain, _kept={}), plain, options)
    story = texts.story("number", "all values are numbers, once their signs and marks are off")
    story = replace(story, unit=amounts.unit or None)
    return replace(inferred, story=story, findings=(*amounts.findings, *inferred.findings))


def _iso_dates(texts: Levels, options: ColumnOptions) -> ColumnInference | None:
    """A column whose texts are all dates with the year first, which nobody reads in two ways."""
    sample = texts.texts[:SAMPLE]
    iso = sum(bool(ISO.match(text)) for text in sample)
    if not sample or iso < MOSTLY * len(sample):
        return None
    inferred = _date(texts, options)
    cure = f"{setting('types', 'category', texts.name)} or {dropped(texts.name)}, if its parts say nothing"
    findings = tuple(replace(finding, cure=cure) for finding in inferred.findings)
    story = replace(inferred.story, why="its texts are dates with the year first")
    return replace(inferred, story=story, findings=findings)


def _with_point(texts: Any, decimal: str) -> Any:
    import pyarrow.compute as pc

    if decimal == ".":
        return texts
    unread = pc.replace_substring(texts, ".", "'")  # 1.234 beside 1,5 may be thousands: no number, then
    return pc.replace_substring(unread, decimal, ".")


def _matches(texts: Any, pattern: str) -> np.ndarray:
    import pyarrow.compute as pc

    return np.asarray(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False), dtype=bool)


def _plain_numbers(raw: Raw, options: ColumnOptions) -> ColumnInference:
    """Numbers that were read as such. What the spec would have otherwise was read as text, but for Parquet's numbers."""
    values = raw.numbers
    assert values is not None
    values = without(values, options.missing)
    if options.kind is None and options.parts and are_whole_dates(values):
        return _whole_dates(raw, values, options)
    missing = int(np.isnan(values).sum())
    present = values[~np.isnan(values)][:1] if missing else values[:1]
    # `unique` takes all NaN for one value, which is none.
    distinct = len(np.unique(values)) - bool(missing and len(values)) if len(values) <= FEW_ROWS else None
    example = label_of(float(present[0])) if len(present) else None
    kind, why = ("number", "all values are numbers") if len(present) else ("empty", "no value in any row")
    why = f"its type is {raw.typed}" if raw.typed else why
    story = ColumnStory(raw.name, kind, "feature", why, distinct, missing, example)
    findings = noticed_sentinels(raw.name, values) if options.kind is None else ()
    return ColumnInference({raw.name: Column(values, None, raw.origin)}, story, findings)


def _whole_dates(raw: Raw, values: np.ndarray, options: ColumnOptions) -> ColumnInference:
    """Numbers such as 20240131 as dates."""
    import pyarrow as pa

    texts = pa.chunked_array(
        [pa.array(values, from_pandas=True).cast(pa.int64()).cast(pa.string()).dictionary_encode()]
    )
    inferred = _date(Levels.of(Raw(raw.name, raw.origin, texts=texts), ()), options)
    cure = f"{setting('types', 'number', raw.name)} if they are no dates"
    findings = tuple(replace(finding, cure=cure) for finding in inferred.findings)
    return replace(
        inferred, story=replace(inferred.story, why="its numbers are dates, as 20240131 is"), findings=findings
    )


def _numbers(texts: Levels, point: Any, options: ColumnOptions) -> ColumnInference:
    """Texts that are all numbers, checked: finite, exact."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = pc.cast(point, pa.float64()).to_numpy(zero_copy_only=False)
    endless = ~np.isfinite(values)
    texts.refuse(endless, "must be a finite number", mended(texts, endless, ""))
    vanished = values == 0
    vanished[vanished] = [_is_not_zero(texts.texts[at]) for at in np.flatnonzero(vanished).tolist()]
    texts.refuse(
        vanished, "is closer to 0 than numbers here can be, and would be read as 0", "write 0, or use a larger unit"
    )
    large = np.abs(values) >= EXACT
    rounded = np.zeros_like(large)
    rounded[large] = [_is_rounded(texts.texts[at]) for at in np.flatnonzero(large).tolist()]
    cure = f"set {setting('types', 'category', texts.name)}, or leave it out with {dropped(texts.name)}"
    texts.refuse(rounded, "is a whole number beyond 2^53 and would lose precision", cure)
    column = Column(np.append(without(values, options.missing), np.nan)[texts.codes], None, texts.raw.origin)
    findings = (*_leading_zeros(texts, values), *noticed_sentinels(texts.name, column.values))
    return ColumnInference({texts.name: column}, texts.story("number", "all values are numbers"), findings)


def _is_not_zero(text: str) -> bool:
    """Whether this text of a number that was read as 0 has another digit before its exponent."""
    return any(digit in text.casefold().partition("e")[0] for digit in "123456789")


def _is_rounded(text: str) -> bool:
    """Whether this text of a number of at least 2^53 is a whole number beyond it."""
    match = re.fullmatch(r"[+-]?0*+(\d++)(?:[.,]0*+)?", text.strip())
    return match is not None and match[1] != f"{EXACT:.0f}"


def _leading_zeros(texts: Levels, values: np.ndarray) -> tuple[Finding, ...]:
    padded = _matches(texts.levels, r"^0\d") & (values != 0) & (values == np.floor(values))
    rows = texts.rows_of(padded)
    if not len(rows):
        return ()
    first = int(rows[0])
    place = texts.raw.origin.place(first)
    message = f"{shown(texts.name)} has leading zeros, such as {shown(texts.text(first))} at {place}: is it an id?"
    cure = f"{setting('types', 'category', texts.name)}, or {dropped(texts.name)}; now it is read as a number"
    return (Finding("leading-zeros", "warning", message, cure),)


def _mixed(texts: Levels, numeric: np.ndarray, options: ColumnOptions) -> list[Finding]:
    """Refuse texts among numbers and numbers in a costume; a finding where a category only happens to hold numbers."""
    present = texts.codes[texts.codes >= 0]
    of_rows = float(numeric[present].mean()) if len(present) else 0.0
    share = max(of_rows, float(numeric.mean())) if of_rows >= SOME / 2 else of_rows
    as_category = setting("types", "category", texts.name)
    if costume := _costume(texts, numeric):
        what, cure = costume
        row = int(texts.rows_of(~numeric)[0])
        message = f"{shown(texts.name)} holds {what}, such as {shown(texts.text(row))}"
        as_date = f"set {setting('types', 'date', texts.name)}: numbers are made of them"
        ways = [
            cure,
            as_date if what == "dates" and options.parts else "",
            f"or set {as_category}, or leave it out with {dropped(texts.name)}",
        ]
        raise DataError(message, place=texts.raw.origin.place(row), cure="; ".join(filter(None, ways)))
    if options.kind == "number" or share >= MOSTLY:
        texts.refuse(~numeric, "must be a number", mended(texts, ~numeric, f"; or set {as_category}"))
    if share < SOME:  # texts, a few of which happen to be numbers
        return []
    odd = np.flatnonzero(~numeric)
    first = ", ".join(shown(texts.texts[at]) for at in odd[:FIRST_TEXTS]) + (" ..." if len(odd) > FIRST_TEXTS else "")
    rows = texts.rows_of(~numeric)
    place = texts.raw.origin.place(int(rows[0]))
    message = (
        f"{shown(texts.name)} holds numbers and, in {counted(len(rows), 'row')}, texts ({first}; the first at {place}): "
        "it is read as a category"
    )
    cure = mended(texts, ~numeric, f"; {as_category} if it is meant so")
    return [Finding("numbers-and-texts", "warning", message, cure)]


def _costume(texts: Levels, numeric: np.ndarray) -> tuple[str, str] | None:
    sample = [text for text, plain in zip(texts.texts[:SAMPLE], numeric, strict=False) if not plain]
    for what, (pattern, cure) in NOT_PLAIN.items():
        if sample and sum(bool(re.fullmatch(pattern, text)) for text in sample) >= MOSTLY * len(sample):
            return what, cure
    return None


def _typed_text(texts: Levels, options: ColumnOptions) -> ColumnInference:
    """Text whose file says that it is text stays text, whatever it looks like."""
    numeric = _matches(texts.levels, NUMBER)
    if numeric.all():
        message = f"{shown(texts.name)} has the type text, and all its texts are numbers: it is read as a category"
        cure = f"{setting('types', 'number', texts.name)} to read it as numbers"
        category = _category(texts, options)
        return ColumnInference(
            category.columns,
            category.story,
            (Finding("texts-of-numbers", "warning", message, cure), *category.findings),
        )
    if amounts := amounts_in(texts, np.zeros_like(numeric), None, options.decimal, options.thousands):
        return _of_amounts(texts, amounts, options)
    _mixed(texts, np.zeros_like(numeric), options)
    return _category(texts, options)


def _category(texts: Levels, options: ColumnOptions) -> ColumnInference:
    rows, count = len(texts.codes), len(texts.levels)
    most = options.most_levels
    if options.kind is None and most is not None and _is_prose(texts):
        return _text(texts, options)
    if most is not None and count > most:
        why = f"{count} different texts in {rows} rows: an id or a name"
        name = shown(texts.name)[1:-1]
        embedded = f"embed it with {setting('encode.embedding.columns', f'[{name}]')}"
        cure = (
            f"an id, a name or free text: {dropped(texts.name)}, {embedded}, "
            f"or set {setting('types', 'category', texts.name)}"
        )
        if count < int((texts.codes >= 0).sum()):
            cure += f"; if rows of one of them belong together, {setting('split.group', name)}"
        message = f"{shown(texts.name)} was left out: it has {count} different texts in {rows} rows"
        finding = Finding("too-many-levels", "warning", message, cure)
        return ColumnInference({}, texts.story("category", why, "left out"), (finding,))
    texts, findings = _united(texts, options)
    count = len(texts.levels)
    order = sorted(range(count), key=texts.texts.__getitem__)
    place = np.full(count + 1, -1, dtype=np.int32)  # the last one is read by code -1: missing
    place[order] = np.arange(count, dtype=np.int32)
    names = tuple(texts.texts[index] for index in order)
    truth = {name.casefold() for name in names} <= {"true", "false"}
    findings = (*findings, *(_same_but_for_case(texts) if options.parts else ()))  # of a target, its task tells
    story = texts.story("boolean", "true and false") if truth else texts.story("category", _different(count))
    return ColumnInference({texts.name: Column(place[texts.codes], names, texts.raw.origin)}, story, findings)


def _united(texts: Levels, options: ColumnOptions) -> tuple[Levels, tuple[Finding, ...]]:
    """The same with one level for each value, and what there is to say of those that are written in several ways.

    A level is called by its most frequent spelling, a number by its shortest.
    """
    import pyarrow as pa

    point = texts.texts if options.decimal == "." else _with_point(texts.levels, options.decimal).to_pylist()
    spelling = options.spelling or spelling_of(point)
    names = point if spelling == "number" else texts.texts
    groups = alike(names, spelling)
    if len(groups) == len(names):
        return texts if names is texts.texts else replace(texts, levels=pa.array(names), _kept={}), ()
    counts = np.bincount(texts.codes[texts.codes >= 0], minlength=len(names))
    merged = np.full(len(names) + 1, -1, dtype=np.int32)
    levels, descriptions = [], []
    for value, group in enumerate(groups):
        merged[group] = value
        first, *others = sorted(
            group, key=lambda at: (len(names[at]) if spelling == "number" else -counts[at], names[at])
        )
        levels.append(names[first])
        if others:
            descriptions.append(f"{listed([shown(names[at]) for at in others])} counts as {shown(names[first])}")
    ways = "value of {} is" if len(descriptions) == 1 else "values of {} are"
    message = f"{len(descriptions)} {ways.format(shown(texts.name))} written in several ways: {listed(descriptions)}"
    united = replace(texts, levels=pa.array(levels, pa.string()), codes=merged[texts.codes], _kept={})
    return united, (Finding("spellings", "info", message),)


def _same_but_for_case(texts: Levels) -> tuple[Finding, ...]:
    """A finding where several levels are one but for their case and the blanks in them."""
    several = [listed(sorted(shown(texts.texts[at]) for at in places)) for places in same_words(texts.texts)]
    if not several:
        return ()
    differ = "values that differ in case or blanks only, and are different ones"
    message = f"{shown(texts.name)} holds {differ}: {'; '.join(several[:3])}"
    cure = "write them alike in the file, if they mean the same"
    return (Finding("alike", "warning", f"{message}{'; ...' if len(several) > 3 else ''}", cure),)


def _different(count: int) -> str:
    return f"{count} different texts" if count > 1 else "one text only"


def _is_prose(texts: Levels) -> bool:
    """Whether most rows hold a text of their own, of several words."""
    present = int((texts.codes >= 0).sum())
    sample = texts.texts[:SAMPLE]
    words = sum(len(text.split()) for text in sample) / max(len(sample), 1)
    return words >= WORDS_OF_PROSE and 2 * len(texts.levels) > present > MOST_PLACES


def _text(texts: Levels, options: ColumnOptions) -> ColumnInference:
    why = "data.types says text" if options.kind == "text" else "free text, mostly different in each row"
    message = f"{shown(texts.name)} was left out: {'data.types says that it is' if options.kind else 'it is'} text"
    cure = "" if options.kind else f"{setting('types', 'category', texts.name)} if its texts are names of classes"
    return ColumnInference({}, texts.story("text", why, "left out"), (Finding("text-column", "info", message, cure),))


def _boolean(texts: Levels, options: ColumnOptions) -> ColumnInference:
    """False and true, however they are spelled: codes 0 and 1."""
    values = [meaning_of(text, "boolean") for text in texts.texts]
    stray = np.array([not isinstance(value, bool) for value in values], dtype=bool)
    texts.refuse(stray, "must be true or false (yes/no, t/f, y/n, 1/0)", mended(texts, stray, ""))
    codes = np.array([*values, -1], dtype=np.int32)
    story = texts.story("boolean", "data.types says boolean")
    return ColumnInference({texts.name: Column(codes[texts.codes], ("False", "True"), texts.raw.origin)}, story)


def _date(texts: Levels, options: ColumnOptions) -> ColumnInference:
    parts, how, day_first = parts_of(texts, options.day_first, options.hours)
    columns = {f"{texts.name}.{part}": Column(values, None, texts.raw.origin) for part, values in parts.items()}
    message = f"{shown(texts.name)} is a date, and became {', '.join(parts)}{how}"
    finding = Finding("date-parts", "info", message)
    story = texts.story("date", "data.types says date", parts=tuple(columns))
    return ColumnInference(columns, replace(story, day_first=day_first), (finding,))
