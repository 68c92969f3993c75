"""Splits that a column decides: groups that stay together, a time that training rows precede, a split named outright.

A key is a category column; whatever its kind, its texts are read here as what they are to be.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np

from losscli.data.dataset import SPLITS
from losscli.data.sources import Split
from losscli.errors import DataError, Finding, counted, listed, shown
from losscli.tasks import Column
from losscli.tasks.labels import label_of, place_of

SPELLINGS = {  # of the splits, in any case; `data.split.labels` takes others
    "train": ("train", "training", "tr"),
    "valid": ("valid", "validation", "val", "dev", "eval"),
    "test": ("test", "testing", "holdout", "heldout"),
}
MOST_LISTED = 5
MONTH = re.compile(r"\d{4}-\d{2}")


def codes_of(column: Column) -> np.ndarray:
    """Codes 0..k of the values that occur, [N]: of a category or of numbers."""
    codes: np.ndarray = np.unique(column.values, return_inverse=True)[1]
    return codes


def groups_to_splits(
    name: str, groups: np.ndarray, sizes: dict[str, int], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Rows by split, no group in two, from group codes [N]: `sizes` as near as whole groups allow, the rest is train.

    The groups are gone through in random order; one is taken if its split is nearer to its size with it than without.
    (scikit-learn's `GroupShuffleSplit` takes a share of the groups, whatever their rows: of 100 groups its test split misses
    its share by 2 % of the table in the mean and by 18 % at worst, this by 0.05 % and 3 %.)

    >>> drawn = groups_to_splits("id", np.array([0, 0, 1, 1, 2, 2, 3, 3]), {"test": 2}, np.random.default_rng(0))
    >>> {split: len(rows) for split, rows in drawn.items()}
    {'test': 2, 'train': 6}
    """
    counts = np.bincount(groups)
    if len(counts) <= len(sizes):
        raise DataError(
            f"the column {shown(name)} has {counted(len(counts), 'group')} to divide among {len(sizes) + 1} splits",
            cure="choose another data.split.group, or split at random",
        )
    splits = [*reversed(sizes), "train"]  # the test split first: it has the first choice
    taken = np.full(len(counts), len(splits) - 1)
    left = rng.permutation(len(counts))
    for number, split in enumerate(splits[:-1]):
        later = len(splits) - 1 - number  # as many groups must be left over
        mask = _nearest(counts[left], sizes[split], len(left) - later)
        taken[left[mask]] = number
        left = left[~mask]
    return {split: np.flatnonzero(taken[groups] == number) for number, split in enumerate(splits)}


def _nearest(counts: np.ndarray, size: int, most: int) -> np.ndarray:
    """Which groups of these `counts`, bool, together come near `size`: at least one of them, and at most `most`."""
    mask = np.zeros(len(counts), dtype=bool)
    total = number = 0
    for place, count in enumerate(counts.tolist()):
        if number < most and abs(total + count - size) < abs(total - size):
            mask[place] = True
            total, number = total + count, number + 1
    if not number:
        mask[np.abs(counts - size).argmin()] = True
    while (better := _exchange(counts, mask, size)) is not None:
        mask[list(better)] ^= True
    return mask


def _exchange(counts: np.ndarray, mask: np.ndarray, size: int) -> tuple[int, int] | None:
    """A chosen group and one to take in its place, if that brings the chosen ones nearer to `size`."""
    gap = size - int(counts[mask].sum())
    inside, outside = np.unique(counts[mask]), np.unique(counts[~mask])
    if not gap or not len(outside):
        return None
    misses = np.abs(gap - (outside[None, :] - inside[:, None]))
    out, into = np.unravel_index(misses.argmin(), misses.shape)
    if misses[out, into] >= abs(gap):
        return None
    leaves = np.flatnonzero(mask & (counts == inside[out]))[0]
    enters = np.flatnonzero(~mask & (counts == outside[into]))[0]
    return int(leaves), int(enters)


def groups_to_folds(name: str, groups: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold of each row, [N]: the largest groups first, each to the fold that has the fewest rows.

    These are the folds of scikit-learn's `GroupKFold` for groups in random order; it breaks ties alike on every machine only
    from 1.9 on, and its own `shuffle` no longer looks at the sizes.
    """
    counts = np.bincount(groups)
    if len(counts) < folds:
        raise DataError(
            f"the column {shown(name)} has {counted(len(counts), 'group')} for {folds} folds",
            cure="fewer data.split.folds",
        )
    order = rng.permutation(len(counts))
    order = order[np.argsort(-counts[order], kind="stable")]  # equals in random order
    fold_of, sizes = np.empty(len(counts), dtype=np.int64), np.zeros(folds, dtype=np.int64)
    for group in order:
        fold_of[group] = sizes.argmin()
        sizes[fold_of[group]] += counts[group]
    fold: np.ndarray = rng.permutation(folds)[fold_of][groups]  # or the largest group would always be in fold 0
    return fold


def split_of_time(name: str, column: Column, valid: float, test: float) -> tuple[dict[str, np.ndarray], list[Finding]]:
    """Rows by split in the order of a time column: train before valid before test. Rows of one time stay together."""
    times = times_of(name, column)
    order = np.argsort(times, kind="stable")
    sorted_times = times[order]
    rows = len(times)
    ideal_cuts = [rows - round(rows * valid) - round(rows * test), rows - round(rows * test)]
    cuts = [_between(sorted_times, cut) for cut in ideal_cuts]
    train, middle, last = np.split(order, cuts)
    findings = []
    if cuts != ideal_cuts:
        got = f"train {len(train)}, valid {len(middle)}, test {len(last)}"
        message = f"rows of the same {shown(name)} stay in one split, so the cuts were moved: {got} rows"
        findings.append(Finding("time-ties", "info", message))
    return {"train": train, "valid": middle, "test": last}, findings


def _between(times: np.ndarray, cut: int) -> int:
    """The place nearest to `cut` at which two different times meet; an end of the table counts as one."""
    if cut in (0, len(times)) or times[cut - 1] != times[cut]:
        return cut
    before, after = int(np.searchsorted(times, times[cut], "left")), int(np.searchsorted(times, times[cut], "right"))
    return before if cut - before <= after - cut else after


def times_of(name: str, column: Column) -> np.ndarray:
    """Each row's time as a number [N]: numbers as they are, ISO dates and timestamps as seconds since 1970.

    >>> times_of("day", Column(np.array([1, 0]), ("1970-01-01", "1970-01-02T00:00:01"))).tolist()
    [86401.0, 0.0]
    """
    if column.levels is None:
        return column.values.astype(np.float64)
    present = np.unique(column.values).tolist()
    time_by_code = {}
    read = _number if _number(column.levels[present[0]]) is not None else _seconds
    for code in present:
        time = read(column.levels[code])
        if time is None:
            raise _no_time(name, column, code)
        time_by_code[code] = time
    by_code = np.array([time_by_code.get(code, np.nan) for code in range(len(column.levels))])
    times: np.ndarray = by_code[column.values]
    return times


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _seconds(text: str) -> float | None:
    """Since 1970; what names no time zone is taken for UTC, and a month for its first day."""
    try:
        time = datetime.fromisoformat(f"{text}-01" if MONTH.fullmatch(text) else text)
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _no_time(name: str, column: Column, code: int) -> DataError:
    assert column.levels is not None
    return DataError(
        f"the time {shown(name)} must hold numbers or ISO dates (2024-01-31, 2024-01-31T12:00), all of one kind, and "
        f"{shown(column.levels[code])} does not fit the others",
        place=place_of(column, int(np.flatnonzero(column.values == code)[0])),
        cure="mend it, or split by another column",
    )


def split_named(split: Split, column: Column, seed: int) -> tuple[dict[str, np.ndarray], list[Finding]]:
    """Rows by split as a column tells it. Where it names no valid rows, they are drawn from the training rows."""
    name = split.column or ""
    present, codes = np.unique(column.values, return_inverse=True)
    texts = [label_of(value) if column.levels is None else column.levels[int(value)] for value in present.tolist()]
    spellings = _meanings(split)
    split_of = [next((part for part in SPLITS if _is(text, spellings[part])), None) for text in texts]
    _refuse_unknown(name, column, present, texts, split_of, spellings)
    rows = {
        part: np.flatnonzero(np.isin(codes, [at for at, one in enumerate(split_of) if one == part])) for part in SPLITS
    }
    lacking = [part for part in ("train", "test") if not len(rows[part])]
    if lacking:
        raise DataError(
            f"the column {shown(name)} has no {lacking[0]} row: it holds {listed([shown(text) for text in texts], MOST_LISTED)}",
            cure=f"say with data.split.labels which value means {lacking[0]}",
        )
    if len(rows["valid"]):
        return rows, []
    drawn = np.random.default_rng(seed).permutation(rows["train"])
    count = round(len(drawn) * split.valid)
    message = (
        f"the column {shown(name)} names no valid rows: {count} of the training rows were drawn, the same for all seeds"
    )
    return {**rows, "train": drawn[count:], "valid": drawn[:count]}, [Finding("valid-drawn", "info", message)]


def _meanings(split: Split) -> dict[str, tuple[str, ...]]:
    """What each split is called in the column."""
    return {part: (split.labels[part],) if part in split.labels else SPELLINGS[part] for part in SPLITS}


def _is(text: str, names: tuple[str, ...]) -> bool:
    return text in names or (len(names) > 1 and text.strip().casefold() in names)


def _refuse_unknown(
    name: str,
    column: Column,
    present: np.ndarray,
    texts: list[str],
    split_of: list[str | None],
    spellings: dict[str, tuple[str, ...]],
) -> None:
    unknown = [at for at, split in enumerate(split_of) if split is None]
    if unknown:
        rows = np.flatnonzero(column.values == present[unknown[0]])
        expected = ", ".join(shown(spellings[part][0]) for part in SPLITS)
        content = listed([shown(texts[at]) for at in unknown], MOST_LISTED)
        raise DataError(
            f"the column {shown(name)} must hold {expected}, and it holds {content}",
            place=place_of(column, int(rows[0])),
            cure="say which value means what: data.split.labels: {train: A, test: B} (--set 'data.split.labels={train: A, "
            "test: B}')",
        )
