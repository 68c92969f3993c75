"""Scores by entry and seed from a table: a column per metric, per entry or per seed, or a row per metric and value."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from losscli.data.layout import HEAD, Layout, is_text, layout_of, number_in
from losscli.data.opening import opened
from losscli.errors import DataError, Place, Problem, counted, listed, shown

ENTRY = {
    "entry",
    "model",
    "method",
    "algorithm",
    "algo",
    "loss",
    "name",
    "system",
    "classifier",
    "estimator",
    "approach",
}
FOLD = {"fold", "split", "cv", "folds"}
WITHIN = FOLD - {"split"}  # a repeat's own parts; what is called a split beside a seed may be valid and test
SEED = {"seed", "run", "repeat", "repetition", "replicate", "trial", "rep", "randomseed", "seeds", *FOLD}
METRIC, VALUE = {"metric", "measure", "score name"}, {"value", "score", "result"}
MOST_PROBLEMS = 5
MOST_ROWS = 1_000_000
NONE = {"", "na", "n/a", "nan", "none", "null", "-"}


@dataclass(frozen=True)
class Scores:
    """Values by metric, entry and seed: NaN where a cell is empty. `folds` says that the seeds are folds, of `repeats` rounds."""

    values: Mapping[str, Mapping[str, Mapping[str, float]]]
    folds: bool
    notes: Sequence[str] = ()
    repeats: int = 1

    @property
    def entries(self) -> list[str]:
        return list(dict.fromkeys(entry for of in self.values.values() for entry in of))

    @property
    def seeds(self) -> list[str]:
        """All that any entry has: numbers in their order, others as they come."""
        names = list(dict.fromkeys(seed for of in self.values.values() for runs in of.values() for seed in runs))
        return sorted(names, key=int) if all(re.fullmatch(r"\d{1,9}", name) for name in names) else names


@dataclass
class _Cells:
    """Values as they are met, each once."""

    file: str
    values: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    lines: dict[tuple[str, str, str], int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    repeated: int = 0
    repeats: int = 1

    def put(self, metric: str, entry: str, seed: str, text: str, line: int, column: int) -> None:
        """A value; text that is no number, and a second value of another size, are problems with their places."""
        place = Place(self.file, line, column)
        value = math.nan if text.strip().lower() in NONE else number_in(text)
        if value is None or math.isinf(value):
            self.problems.append(Problem(f"{metric} must be a finite number or empty, and is {shown(text)}", place))
            return
        runs = self.values.setdefault(metric, {}).setdefault(entry, {})
        if seed in runs:
            former = self.lines[metric, entry, seed]
            if runs[seed] == value:
                self.repeated += 1
            else:
                what = f"{shown(entry)} has two values of {metric} for {shown(seed)}: lines {former} and {line}"
                self.problems.append(Problem(what, place, "leave one of them out, or number the repeats as seeds"))
            return
        runs[seed], self.lines[metric, entry, seed] = value, line


def read_scores(path: Path, metric: str | None = None) -> Scores:
    """The scores in a file. `metric` names that of a table with a column per entry.

    Raises `DataError` for what is no such table: no column of seeds, text among numbers, two values of one run.
    """
    with opened(path, str(path)) as file:
        head = file.read(HEAD)
    if not head.strip() or not is_text(head):
        what = "empty" if not head.strip() else "no text"
        raise DataError(f"the scores must be a table, and the file is {what}", place=Place(str(path)))
    layout = layout_of(path)
    roles = _roles(layout.names, str(path))
    cells = _Cells(str(path))
    dropped = _fill(cells, path, layout, roles, metric)
    if cells.problems:
        rest = len(cells.problems) - MOST_PROBLEMS
        more = [Problem(f"and {rest} more like these")] if rest > 0 else []
        raise DataError([*cells.problems[:MOST_PROBLEMS], *more])
    if not cells.values:
        raise DataError("the table holds no scores", place=Place(str(path)), cure=_shape())
    notes = [*layout.notes, *dropped]
    if cells.repeated:
        notes.append(f"{counted(cells.repeated, 'value')} stand twice, and were taken once")
    return Scores(cells.values, _words(layout.names[roles.get("fold", roles["seed"])]) in FOLD, notes, cells.repeats)


def _words(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def across(names: Sequence[str]) -> list[int]:
    """The columns of a table that has one for each seed or fold; none of another table.

    >>> across(["model", "seed_0", "seed_1"]), across(["model", "seed", "f1"])
    ([1, 2], [])
    """
    numbered = [at for at, name in enumerate(names) if _words(name) in SEED and re.search(r"\d", name)]
    return numbered if len(numbered) > 1 else []


def _roles(names: Sequence[str], file: str) -> dict[str, int]:
    """Which column holds what: `seed`, `fold` as a part of a repeat, and, of a long table, `entry`, `metric`, `value`."""
    roles: dict[str, int] = {}
    for role, spellings in (("seed", SEED), ("entry", ENTRY), ("metric", METRIC), ("value", VALUE)):
        at = next((at for at, name in enumerate(names) if _words(name) in spellings and at not in roles.values()), None)
        if at is not None:
            roles[role] = at
    if "seed" not in roles:
        message = f"no column says the seed or fold: {listed([shown(name) for name in names])}"
        raise DataError(message, place=Place(file, 1), cure=_shape())
    inner = (at for at, name in enumerate(names) if _words(name) in WITHIN and _words(names[roles["seed"]]) not in FOLD)
    if (fold := next(inner, None)) is not None and not across(names):
        roles["fold"] = fold
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise DataError(f"two columns are called {shown(twice)}", place=Place(file, 1), cure="rename one of them")
    return roles


def _shape() -> str:
    return "entry,seed,accuracy as a header, a row for each run; or seed and a column for each entry"


def _fill(cells: _Cells, path: Path, layout: Layout, roles: Mapping[str, int], metric: str | None) -> list[str]:
    """All rows into the cells; the columns that hold text only, as notes."""
    rows = list(_rows(path, layout))
    if (columns := across(layout.names)) and "entry" in roles:
        for line, row in rows:
            for at in columns:
                cells.put(metric or "score", row[roles["entry"]].strip(), layout.names[at], row[at], line, at + 1)
        return []
    if "fold" in roles:
        cells.repeats = len({row[roles["seed"]].strip() for _, row in rows}) or 1
    long = {"entry", "metric", "value"} <= set(roles)
    others = [
        at for at in range(len(layout.names)) if at not in roles.values() or (at == roles.get("value") and not long)
    ]
    others = [at for at in others if at != roles.get("metric") or not long]
    numeric = [at for at in others if any(number_in(row[at]) is not None for _, row in rows)]
    for line, row in rows:
        keys = [row[roles[role]].strip() for role in ("seed", "fold") if role in roles]
        seed = "/".join(keys)
        if not all(keys):
            cells.problems.append(Problem("a row has no seed", Place(cells.file, line, roles["seed"] + 1)))
        elif long:
            name = row[roles["metric"]].strip()
            cells.put(name, row[roles["entry"]].strip(), seed, row[roles["value"]], line, roles["value"] + 1)
        else:
            for at in numeric:
                name = layout.names[at]
                entry = row[roles["entry"]].strip() if "entry" in roles else name
                cells.put(name if "entry" in roles else metric or "score", entry, seed, row[at], line, at + 1)
    left = [layout.names[at] for at in others if at not in numeric and not long]
    return [f"columns without numbers were left out: {listed([shown(name) for name in left])}"] if left else []


def _rows(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Line and fields of every row. Raises `DataError` for a row of another length, and for what the encoding is not."""
    width = len(layout.names)
    try:
        with path.open(encoding=layout.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=layout.delimiter)
            for count, row in enumerate(reader):
                line = reader.line_num
                if line <= layout.header + 1 or not any(field.strip() for field in row):
                    continue
                if len(row) != width:
                    message = f"the row must have {counted(width, 'field')}, and has {len(row)}"
                    raise DataError(message, place=Place(str(path), line))
                if count > MOST_ROWS:
                    raise DataError(f"scores may have {MOST_ROWS} rows", place=Place(str(path), line))
                yield line, row
    except (UnicodeDecodeError, csv.Error) as failed:
        raise DataError(
            f"the table cannot be read: {failed}", place=Place(str(path)), cure="save it as UTF-8"
        ) from None
