"""Which rows train a model, which choose when to stop, and which judge it.

Rows drawn at random make splits whose sizes, and whose rows of each class, depend on the table and the shares only, never
on the seed: the seed picks the rows. Groups, folds and columns make splits whose sizes may differ between seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from losscli.data.dataset import SPLITS, Table
from losscli.data.keys import codes_of, groups_to_folds, groups_to_splits, split_named, split_of_time
from losscli.data.pairs import both, halved
from losscli.data.sources import Split
from losscli.errors import DataError, Finding, choose_from, counted, setting, shown
from losscli.tasks import Column, Origin, Target

LEAST_ROWS = 2  # a split of one row has no spread, no ranking and no batch statistics
FOLDS = 0xF01D  # keeps the folds of division 0 apart from what seed 0 draws elsewhere

Rows = dict[str, np.ndarray]  # sorted indices of each split by its name; disjoint, together all rows


def set_apart(table: Table, split: Split) -> Table:
    """The table with the columns that split it among its keys, and not among its features unless `split.feature` says so.

    Raises `DataError` if there is no such column, or if a row has no value in it.
    """
    keys = {name: table.keys.get(name) or _column(table, name) for name in split.columns}
    for name, column in keys.items():
        _refuse_missing(name, column)
    features = table.features
    if not split.feature:
        features = {name: column for name, column in features.items() if name not in keys}
    return replace(table, features=features, keys=keys) if keys else table


def _column(table: Table, name: str) -> Column:
    if name not in table.features:
        what = "is the target, which cannot split the rows" if name in table.targets else "is no column of the data"
        raise DataError(f"data.split: {shown(name)} {what}", cure=choose_from(name, table.features))
    return table.features[name]


def _refuse_missing(name: str, column: Column) -> None:
    from losscli.tasks.labels import place_of

    rows = np.flatnonzero(column.missing)
    if len(rows):
        places = [place for row in rows[:5] if (place := place_of(column, int(row)))]
        at = f" (first at {', '.join(map(str, places))})" if places else ""
        raise DataError(
            f"the column {shown(name)}, which splits the rows, is missing in {len(rows)} of "
            f"{counted(len(column.values), 'row')}{at}",
            place=places[0] if places else None,
            cure="fill it in, or take these rows out",
        )


def divide(
    table: Table, target: Target, split: Split, seed: int, stratify: bool
) -> tuple[dict[str, np.ndarray], list[Finding]]:
    """The rows of each split as `split` says, for a run of `seed`, and what was noticed. `set_apart` comes first.

    Raises `DataError` where the column that splits cannot, or where a split gets fewer than 2 rows.
    """
    if target.paired:  # both halves of a pair go the same way
        rows, findings = divide(*halved(table, target), split, seed, stratify)
        return {name: both(part) for name, part in rows.items()}, findings
    seed = split.seed_of(seed)
    findings = []
    if split.kind == "random":
        origin = next(iter(table.targets.values())).origin
        return split_rows(target.classes, split, seed, stratify, target.labels, origin), []
    if split.kind == "time":
        rows, findings = split_of_time(split.time or "", table.keys[split.time or ""], split.valid, split.test)
    elif split.kind == "column":
        rows, findings = split_named(split, table.keys[split.column or ""], seed)
    elif split.kind == "group":
        groups = codes_of(table.keys[split.group or ""])
        sizes = {"valid": round(table.rows * split.valid), "test": round(table.rows * split.test)}
        rows = groups_to_splits(split.group or "", groups, sizes, np.random.default_rng(seed))
    elif split.kind == "classes":
        rows = _new_classes(target, split, seed)
    else:
        rows = _folds(table, target, split, seed, stratify)
    _refuse_small({name: len(part) for name, part in rows.items()}, table.rows)
    return {name: np.sort(rows[name]) for name in SPLITS}, findings


def _new_classes(target: Target, split: Split, seed: int) -> Rows:
    """Some classes for the test split, all their rows; of each other class a share of the rows for the valid split."""
    rng = np.random.default_rng(seed)
    classes, codes = np.unique(target.classes, return_inverse=True)
    count = max(1, round(len(classes) * (split.classes or 0.0)))
    takes = f"data.split.classes takes {count} of {len(classes)} classes for the test split"
    if len(classes) - count < 2:
        raise DataError(f"{takes}, and at least two must be left", cure="a smaller share, or a target of more classes")
    if count < 2:  # among rows of one class, every neighbour is of the class
        raise DataError(
            f"{takes}, and it takes two to tell them apart", cure="a larger share, or a target of more classes"
        )
    new = np.isin(codes, rng.permutation(len(classes))[:count])
    rest = np.flatnonzero(~new)
    inner = _valid_of(rest, codes, round(len(codes) * split.valid), rng)
    return {"test": np.flatnonzero(new), **inner}


def _valid_of(rest: np.ndarray, codes: np.ndarray, size: int, rng: np.random.Generator) -> Rows:
    """So many of the rows `rest` for the valid split, of each class its share, by codes [N]; the others to train on."""
    counts = np.bincount(codes[rest])
    valid_counts = _largest_remainder(counts, size, counts)
    order = rng.permutation(rest)
    order = order[np.argsort(codes[order], kind="stable")]
    rank = np.arange(len(order)) - (np.cumsum(counts) - counts)[codes[order]]
    is_valid = rank < valid_counts[codes[order]]
    return {"train": order[~is_valid], "valid": order[is_valid]}


def _folds(table: Table, target: Target, split: Split, seed: int, stratify: bool) -> Rows:
    """Seed s is fold s % folds of division s // folds; what is not tested on is divided into train and valid."""
    division, fold = divmod(seed, split.folds or 1)
    rng = np.random.default_rng([division, FOLDS])
    valid = round(table.rows * split.valid)
    again = np.random.default_rng([seed, FOLDS, 1])
    if split.group is not None:
        groups = codes_of(table.keys[split.group])
        test = groups_to_folds(split.group, groups, split.folds or 1, rng) == fold
        rest = np.flatnonzero(~test)
        inner = groups_to_splits(split.group, groups[rest], {"valid": valid}, again)
        return {"test": np.flatnonzero(test), **{name: rest[part] for name, part in inner.items()}}
    classes = np.unique(target.classes, return_inverse=True)[1] if stratify else np.zeros(table.rows, dtype=np.int64)
    shuffled = rng.permutation(table.rows)
    # Dealt out class by class: of no class does a fold get two rows more.
    fold_of = np.empty(table.rows, dtype=np.int64)
    fold_of[shuffled[np.argsort(classes[shuffled], kind="stable")]] = np.arange(table.rows) % (split.folds or 1)
    rest = np.flatnonzero(fold_of != fold)
    return {**_valid_of(rest, classes, valid, again), "test": np.flatnonzero(fold_of == fold)}


def split_rows(
    target: np.ndarray,
    shares: Split,
    seed: int,
    stratify: bool,
    labels: Sequence[str] = (),
    origin: Origin | None = None,
) -> dict[str, np.ndarray]:
    """The rows of each split by its name: sorted indices, disjoint, together all of `target` [N, ...].

    With `stratify`, `target` [N] holds classes, and each class is divided as the whole table is, by largest remainder:
    its count in `valid` and in `test` is within 1 of its share. Otherwise (and for multilabel targets, which have no
    one class per row) the rows are drawn at random. Raises `DataError` if a split gets fewer than 2 rows or if a class
    has fewer than 2; `labels` names the classes in that message, `origin` the place of its row.

    >>> rows = split_rows(np.array([0, 1] * 10), Split(valid=0.2, test=0.2), seed=0, stratify=True)
    >>> {name: len(part) for name, part in rows.items()}
    {'train': 12, 'valid': 4, 'test': 4}
    """
    sizes = _sizes(len(target), shares)
    shuffled = np.random.default_rng(seed).permutation(len(target))
    if not stratify:
        edges = np.cumsum([sizes["valid"], sizes["test"]])
        valid, test, train = np.split(shuffled, edges)
    else:
        valid, test, train = _stratified(shuffled, target, sizes, labels, origin)
    drawn = {"train": train, "valid": valid, "test": test}
    return {name: np.sort(drawn[name]) for name in SPLITS}


def _sizes(rows: int, shares: Split) -> dict[str, int]:
    valid, test = round(rows * shares.valid), round(rows * shares.test)
    sizes = {"train": rows - valid - test, "valid": valid, "test": test}
    _refuse_small(sizes, rows)
    return sizes


def _refuse_small(sizes: dict[str, int], rows: int) -> None:
    short = [name for name in SPLITS if sizes[name] < LEAST_ROWS]
    if short:
        parts = ", ".join(f"{name} {max(sizes[name], 0)}" for name in SPLITS)
        raise DataError(
            f"every split needs at least {LEAST_ROWS} rows, and {counted(rows, 'row')} would make {parts}",
            cure="more rows, or other shares in data.split",
        )


def _stratified(
    shuffled: np.ndarray, target: np.ndarray, sizes: dict[str, int], labels: Sequence[str], origin: Origin | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    classes, codes, counts = np.unique(target, return_inverse=True, return_counts=True)
    if counts.min() < LEAST_ROWS:
        rare = classes[counts.argmin()]
        raise _rare(labels[int(rare)] if labels else str(rare), labels, np.flatnonzero(target == rare), origin)
    valid = _largest_remainder(counts, sizes["valid"], counts)
    test = _largest_remainder(counts, sizes["test"], counts - valid)
    order = shuffled[np.argsort(codes[shuffled], kind="stable")]  # by class, shuffled within
    class_of = codes[order]
    rank = np.arange(len(order)) - (np.cumsum(counts) - counts)[class_of]
    in_valid = rank < valid[class_of]
    in_test = ~in_valid & (rank < (valid + test)[class_of])
    return order[in_valid], order[in_test], order[~in_valid & ~in_test]


def _rare(name: str, labels: Sequence[str], rows: np.ndarray, origin: Origin | None) -> DataError:
    """A class of too few rows, which may be another's name misspelled."""
    twins = [label for label in labels if label != name and label.casefold().split() == name.casefold().split()]
    alike = f"write it as {shown(twins[0])} if it is the same, " if twins else ""
    return DataError(
        f"the class {shown(name)} has {counted(len(rows), 'row')}, and a stratified split needs at least {LEAST_ROWS}",
        place=origin.place(int(rows[0])) if origin else None,
        cure=f"{alike}drop that class, add rows of it, or set {setting('split.stratify', 'false')}",
    )


def _largest_remainder(counts: np.ndarray, size: int, left: np.ndarray) -> np.ndarray:
    """How many of `size` rows each class gets; the last that is `left` of a class is taken only for want of others."""
    quota = counts * (size / counts.sum())
    per_class: np.ndarray = np.minimum(np.floor(quota).astype(np.int64), left)
    # A class with one row left to give, or none, comes last.
    remainder = np.where(left - per_class <= 1, -1.0, quota - per_class)
    first = np.argsort(-remainder, kind="stable")
    per_class[first[: size - per_class.sum()]] += 1
    return per_class
