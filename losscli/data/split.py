"""Which rows train a model, which choose when to stop, and which judge it.

The sizes of the three splits, and the number of rows of each class in them, depend on the table and the shares only,
never on the seed: the runs of different seeds must fit into one rectangular stack. The seed picks the rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from losscli.data.dataset import SPLITS
from losscli.data.sources import Split
from losscli.errors import DataError, counted, shown

LEAST_ROWS = 2  # a split of one row has no spread, no ranking and no batch statistics


def split_rows(
    target: np.ndarray, shares: Split, seed: int, stratify: bool, labels: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """The rows of each split by its name: sorted indices, disjoint, together all of `target` [N, ...].

    With `stratify`, `target` [N] holds classes, and each class is divided as the whole table is, by largest remainder:
    its count in `valid` and in `test` is within 1 of its share. Otherwise (and for multilabel targets, which have no
    one class per row) the rows are drawn at random. Raises `DataError` if a split gets fewer than 2 rows or if a class
    has fewer than 2; `labels` names the classes in that message.

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
        valid, test, train = _stratified(shuffled, target, sizes, labels)
    drawn = {"train": train, "valid": valid, "test": test}
    return {name: np.sort(drawn[name]) for name in SPLITS}


def _sizes(rows: int, shares: Split) -> dict[str, int]:
    valid, test = round(rows * shares.valid), round(rows * shares.test)
    sizes = {"train": rows - valid - test, "valid": valid, "test": test}
    short = [name for name in SPLITS if sizes[name] < LEAST_ROWS]
    if short:
        parts = ", ".join(f"{name} {max(sizes[name], 0)}" for name in SPLITS)
        raise DataError(
            f"every split needs at least {LEAST_ROWS} rows, and {counted(rows, 'row')} would make {parts}",
            cure="more rows, or other shares in data.split",
        )
    return sizes


def _stratified(
    shuffled: np.ndarray, target: np.ndarray, sizes: dict[str, int], labels: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    classes, codes, counts = np.unique(target, return_inverse=True, return_counts=True)
    if counts.min() < LEAST_ROWS:
        rare = classes[counts.argmin()]
        name = labels[int(rare)] if labels else rare
        raise DataError(
            f"the class {shown(name)} has {counts.min()} row, and a stratified split needs at least {LEAST_ROWS}",
            cure="drop that class, add rows of it, or set data.split.stratify: false",
        )
    valid = _largest_remainder(counts, sizes["valid"], counts)
    test = _largest_remainder(counts, sizes["test"], counts - valid)
    order = shuffled[np.argsort(codes[shuffled], kind="stable")]  # by class, shuffled within
    of = codes[order]
    rank = np.arange(len(order)) - (np.cumsum(counts) - counts)[of]
    in_valid = rank < valid[of]
    in_test = ~in_valid & (rank < (valid + test)[of])
    return order[in_valid], order[in_test], order[~in_valid & ~in_test]


def _largest_remainder(counts: np.ndarray, size: int, left: np.ndarray) -> np.ndarray:
    """How many of `size` rows each class gets; the last that is `left` of a class is taken only for want of others."""
    quota = counts * (size / counts.sum())
    whole: np.ndarray = np.minimum(np.floor(quota).astype(np.int64), left)
    remainder = np.where(left - whole <= 1, -1.0, quota - whole)
    first = np.argsort(-remainder, kind="stable")
    whole[first[: size - whole.sum()]] += 1
    return whole
