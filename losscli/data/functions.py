"""A target that is computed from features: their sum, a linear function, a product, a ratio. Whoever has them has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from losscli.errors import shown
from losscli.tasks import Column

MOST_ROWS, MOST_COLUMNS = 4000, 120
ROWS_EACH = 5  # rows for every coefficient, at least
EXACT = 1 - 1e-7  # R2 of what is computed; rounded results are a little below
ALMOST = 0.999
ALMOST_ROUNDED = 0.99999  # R2 of two columns that make the target but for its last place
MATTERS = 1e-3  # of the target's spread, that a column must explain to be named
SURE = 6  # times what chance makes of a weight
ROUNDED = 0.01  # distance from 1 of a weight that rounding moved
MOST_PAIRED = 40  # columns of which each two are looked at
PAIRED = 8  # columns whose products are looked at


@dataclass(frozen=True)
class Computed:
    """From which features a target is computed, how (`a + b`, or half a sentence), and R2 on rows that were not fitted."""

    columns: tuple[str, ...]
    formula: str
    r2: float

    @property
    def how(self) -> str:
        """Half a sentence, to follow the target's name."""
        exact = "is" if self.r2 > EXACT else "is all but"
        return f"{exact} {self.formula}"


def computed(features: Mapping[str, Column], target: np.ndarray) -> Computed | None:
    """How the target [N] is computed from two numerical features or more; None where it is not.

    >>> a, b = np.arange(100.0) % 7, np.arange(100.0) % 11
    >>> computed({"a": Column(a), "b": Column(b)}, a - 2 * b).how
    'is a linear function of a and b'
    >>> computed({"a": Column(a), "b": Column(b)}, a + b).how, computed({"a": Column(a), "b": Column(b)}, a * b).how
    ("is 'a' + 'b'", "is 'a' * 'b'")
    """
    rows = np.arange(0, len(target), max(1, len(target) // MOST_ROWS))
    sampled = {name: column.values[rows] for name, column in features.items() if not column.is_category}
    names = [name for name, values in sampled.items() if _varies(values)][:MOST_COLUMNS]
    if len(names) < 2:
        return None
    values = np.stack([sampled[name].astype(np.float64) for name in names], axis=1)
    given = target[rows].astype(np.float64)
    whole = np.isfinite(values).all(axis=1) & np.isfinite(given)
    values, given = values[whole], given[whole]
    if 2 * len(given) < len(rows):
        return None
    ways = (_linear, _extreme, _power, _of_two, _with_products)
    return next((function for way in ways if (function := way(names, values, given))), None)


def _varies(values: np.ndarray) -> bool:
    present = values[np.isfinite(values)]
    return len(present) > 0 and bool(present.min() < present.max())


def _linear(names: list[str], values: np.ndarray, target: np.ndarray) -> Computed | None:
    fit = _fitted(values, target, ALMOST)
    if fit is None:
        return None
    places, weights, constant, r2 = fit
    if len(places) < 2:
        return None
    spread = target.std()
    units = np.abs(np.abs(weights) - 1) < ROUNDED
    if units.all() and abs(constant) < ROUNDED * spread and (weights > 0).any():
        order = sorted(range(len(places)), key=lambda at: weights[at] < 0)
        signs = [("+ " if weights[at] > 0 else "- ") + shown(names[places[at]]) for at in order]
        return Computed(tuple(names[at] for at in places), " ".join(signs).removeprefix("+ "), r2)
    return Computed(
        tuple(names[at] for at in places), f"a linear function of {_listed([names[at] for at in places])}", r2
    )


def _extreme(names: list[str], values: np.ndarray, target: np.ndarray) -> Computed | None:
    """The largest or the smallest of some columns: of those that are never above it, or never below."""
    for word, sign in (("max", 1.0), ("min", -1.0)):
        signed, given = sign * values, sign * target
        places = np.flatnonzero((signed <= given[:, None]).all(axis=0)).tolist()
        if not places or not np.array_equal(signed[:, places].max(axis=1), given):
            continue
        for place in list(places):  # a column that is nowhere the largest has no part in it
            others = [other for other in places if other != place]
            if others and np.array_equal(signed[:, others].max(axis=1), given):
                places = others
        if len(places) > 1:
            columns = tuple(names[at] for at in places)
            return Computed(columns, f"{word}({', '.join(map(shown, columns))})", 1.0)
    return None


def _of_two(names: list[str], values: np.ndarray, target: np.ndarray) -> Computed | None:
    """A product, a ratio or a distance of two columns of any sign, of which logarithms say nothing."""
    scaled = target / np.abs(target).max()  # or squares of far numbers would overflow
    spread = float(((scaled - scaled.mean()) ** 2).sum())
    for one, other in permutations(range(min(len(names), MOST_PAIRED)), 2):
        a, b = values[:, one], values[:, other]
        with np.errstate(over="ignore", under="ignore"):
            ways = {"{} / {}": np.divide(a, b, out=np.zeros_like(a), where=b != 0)}
            if one < other:
                ways |= {"{} * {}": a * b, "|{} - {}|": np.abs(a - b)}
        for formula, made in ways.items():
            largest = float(np.abs(made).max())
            if not (0 < largest < np.inf):
                continue
            part = made / largest
            weight = float(part @ scaled) / float(part @ part)
            r2 = 1 - float(((scaled - weight * part) ** 2).sum()) / spread if spread else 0.0
            if r2 > ALMOST_ROUNDED:
                text = formula.format(shown(names[one]), shown(names[other]))
                factor = weight * (float(np.abs(target).max()) / largest)
                times = "" if abs(factor - 1) < ROUNDED else "a multiple of "
                return Computed((names[one], names[other]), f"{times}{text}", r2)
    return None


def _power(names: list[str], values: np.ndarray, target: np.ndarray) -> Computed | None:
    """Products, ratios and powers are linear in logarithms."""
    positive = np.flatnonzero((values > 0).all(axis=0)).tolist()
    if len(positive) < 2 or not (target > 0).all():
        return None
    fit = _fitted(np.log(values[:, positive]), np.log(target), ALMOST)
    if fit is None or len(fit[0]) < 2:
        return None
    places, weights, _, r2 = fit
    columns = [names[positive[at]] for at in places]
    if (np.abs(np.abs(weights) - 1) < ROUNDED).all() and (weights > 0).any():
        over = [shown(column) for column, weight in zip(columns, weights, strict=True) if weight < 0]
        product = " * ".join(shown(column) for column, weight in zip(columns, weights, strict=True) if weight > 0)
        return Computed(tuple(columns), f"{product}{''.join(f' / {name}' for name in over)}", r2)
    return Computed(tuple(columns), f"a product of powers of {_listed(columns)}", r2)


def _with_products(names: list[str], values: np.ndarray, target: np.ndarray) -> Computed | None:
    """A sum of products, such as a price times a number, and a fee."""
    if len(names) > PAIRED:
        return None
    pairs = list(combinations(range(len(names)), 2))
    products = np.stack([values[:, one] * values[:, two] for one, two in pairs], axis=1)
    fit = _fitted(np.concatenate([values, products], axis=1), target, EXACT)
    if fit is None:
        return None
    used: list[int] = []
    for place in fit[0]:
        used += [place] if place < len(names) else pairs[place - len(names)]
    columns = [names[at] for at in sorted(set(used))]
    only = len(fit[0]) == 1 and fit[0][0] >= len(names) and abs(fit[1][0] - 1) < 1e-3
    formula = " * ".join(map(shown, columns)) if only else f"computed from {_listed(columns)}"
    return Computed(tuple(columns), formula, fit[3]) if len(columns) > 1 else None


def _fitted(design: np.ndarray, target: np.ndarray, least: float) -> tuple[list[int], np.ndarray, float, float] | None:
    """The columns that matter, their weights, the constant, and R2 on the half of the rows that was not fitted."""
    rows, columns = design.shape
    if rows < 2 * ROWS_EACH * (columns + 1) or not target.std():
        return None
    half = np.random.default_rng(0).permutation(rows) % 2 == 0
    centre, scale = design.mean(axis=0), design.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    scaled = np.concatenate([(design - centre) / scale, np.ones((rows, 1))], axis=1)
    everything = np.linalg.lstsq(scaled[half], target[half], rcond=1e-10)[0]
    if _r2(scaled[~half] @ everything, target[~half]) < least:
        return None
    chance = (target[half] - scaled[half] @ everything).std() / np.sqrt(half.sum())  # of a weight, about
    places = np.flatnonzero(np.abs(everything[:-1]) > max(MATTERS * target.std(), SURE * chance)).tolist()
    chosen = scaled[:, [*places, columns]]
    weights = np.linalg.lstsq(chosen[half], target[half], rcond=1e-10)[0]
    r2 = _r2(chosen[~half] @ weights, target[~half])
    if r2 < least:
        return None
    units = weights[:-1] / scale[places]
    return places, units, float(weights[-1] - (units * centre[places]).sum()), r2


def _r2(fitted: np.ndarray, target: np.ndarray) -> float:
    return 1 - float(((target - fitted) ** 2).sum()) / float(((target - target.mean()) ** 2).sum() or 1.0)


def _listed(names: list[str]) -> str:
    head = ", ".join(names[:-1])
    return f"{head} and {names[-1]}"
