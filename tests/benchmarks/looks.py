"""How often `--seeds auto` is wrong on boards whose truth is known, over all looks and all entries, and what it takes.

Run:  python tests/benchmarks/looks.py [--boards 2000] [--out tests/benchmarks/LOOKS.md]

Boards are simulated (`boards.py`) and judged by `build_arena` at every look, as `--seeds auto` does, until nothing is open. Half
an hour on two cores. Nothing here fails on time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from boards import CLAIMS, RESAMPLED, SKEWED, SYMMETRIC, arena, growing, usual_looks, verdicts
from rich.console import Console
from scipy.special import stdtr
from verdicts import Section, percent

from losscli.looks import Looks

Work = Callable[[Callable[..., Any], Iterable[Any]], Iterable[Any]]
PARTS = 8  # of the boards of a line, so that all cores are busy
EQUAL = (
    ("normal", 1),
    ("normal", 5),
    ("heavy tails (t, 2 df)", 1),
    ("skewed alike (exponential)", 5),
    ("accuracy, 30 rows", 5),
    ("one-sided, exponential", 1),
    ("collapse in a tenth of the seeds", 1),
)
RESAMPLED_EQUAL = tuple((kind, comparisons) for kind in RESAMPLED for comparisons in (1, 5))
SIZES = (12, 24, 40)  # of the fixed numbers of seeds beside which power is shown


def equal(work: Work, count: int) -> Section:
    """Wrong claims, where all entries are equal."""
    lines = [(kind, comparisons, False) for kind, comparisons in EQUAL]
    lines += [(kind, comparisons, True) for kind, comparisons in RESAMPLED_EQUAL]
    parts = [(*line, count // PARTS, part) for line in lines for part in range(PARTS)]
    rates = _by_line(work(_wrong, parts))
    rows = [
        [kind, "resampled" if resampled else "fixed", str(comparisons), *map(percent, rate[:2]), f"{rate[2]:.1f}"]
        for (kind, comparisons, resampled), rate in zip(lines, rates, strict=True)
    ]
    return Section(
        "Better or worse, though equal: seeds in stages",
        f"Percent of {count} boards with at least one such verdict, margin zero, looks as those of `--seeds auto`: when it "
        "ends, and at any look on the way. The promise is 5 for both, of differences that are symmetric about zero; the last two "
        f"of the fixed ones are not. The standard error of 5 % is {100 * (0.05 * 0.95 / count) ** 0.5:.1f}.",
        ["scores", "split", "comparisons", "at the end", "at any look", "seeds, mean"],
        rows,
    )


def _wrong(part: tuple[str, int, bool, int, int]) -> tuple[float, float, float]:
    kind, comparisons, resampled, count, number = part
    draw = (RESAMPLED if resampled else {**SYMMETRIC, **SKEWED})[kind]
    chance, looks = np.random.default_rng([20261126, number]), usual_looks(comparisons, resampled)
    wrong = np.empty((count, 3))
    for board in range(count):
        told = list(growing(draw(chance, comparisons + 1, looks.most), looks, resampled))
        claims = [any(verdict in CLAIMS for verdict in at_look) for _, at_look in told]
        wrong[board] = claims[-1], any(claims), told[-1][0]
    return tuple(wrong.mean(0))


def by_p(work: Work, count: int) -> Section:
    """Wrong p-values on very many boards; no interval, which would only lower the rates."""
    cells = [
        (kind, comparisons, resampled, 5 * count)
        for kind in KINDS
        for comparisons in (1, 5)
        for resampled in (False, True)
    ]
    rows = [
        [kind, "resampled" if resampled else "fixed", str(comparisons), *map(percent, rate)]
        for (kind, comparisons, resampled, _), rate in zip(cells, work(_wrong_by_p, cells), strict=True)
    ]
    return Section(
        "p below 0.05 at any look, though equal",
        f"Percent of {5 * count} boards with p_holm < 0.05 at any look, for any entry. Fixed: sign-flip test by 4,095 flips; "
        "resampled: the corrected t-test, seeds correlated as Nadeau and Bengio assume. "
        "(Of heavy tails it errs by itself, at 40 seeds at once even more: what seeds have in common is drawn with the spread of "
        "all boards, and a board knows its own only.) "
        f"The standard error of 5 % is {100 * (0.05 * 0.95 / 5 / count) ** 0.5:.2f}.",
        ["noise of each entry", "split", "comparisons", "at any look", "40 seeds at once"],
        rows,
    )


KINDS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda chance, shape: chance.normal(size=shape),
    "heavy tails (t, 3 df)": lambda chance, shape: chance.standard_t(3, shape),
    "skewed alike (exponential)": lambda chance, shape: chance.exponential(size=shape),
}


def _wrong_by_p(cell: tuple[str, int, bool, int]) -> tuple[float, float]:
    kind, comparisons, resampled, count = cell
    chance, looks, ratio = np.random.default_rng(20261129), usual_looks(comparisons, resampled), 15 / 70
    wrong = np.zeros(2)
    for _ in range(count // 100):
        scores = KINDS[kind](chance, (100, comparisons + 1, looks.most))
        if resampled:
            scores = scores + np.sqrt(ratio) * scores.std() * chance.normal(size=(100, comparisons + 1, 1))
        differences = scores[:, 1:] - scores[:, :1]
        ps = [
            _ps(differences[..., :size], ratio if resampled else 0.0, chance) / share
            for size, share in zip(looks.sizes, looks.shares, strict=True)
        ]
        # Holm declares any if and only if it declares the smallest.
        smallest = np.min(ps, axis=(0, 2)), (ps[-1] * looks.shares[-1]).min(1)
        wrong += [(least * comparisons < 0.05).sum() for least in smallest]
    return tuple(wrong / (100 * (count // 100)))


def _ps(differences: np.ndarray, ratio: float, chance: np.random.Generator) -> np.ndarray:
    """Two-sided p [B, E] of differences [B, E, S]."""
    n = differences.shape[-1]
    if ratio:
        t = np.abs(differences.mean(-1)) / (differences.std(-1, ddof=1) * np.sqrt(1 / n + ratio))
        return 2 * stdtr(n - 1, -t)
    flips = 1 - 2.0 * chance.integers(0, 2, (4095, n))
    sums = np.abs(differences @ flips.T)  # [B, E, flips]
    return (1 + (sums >= np.abs(differences.sum(-1))[..., None] * (1 - 1e-12)).sum(-1)) / 4096


def equivalent(work: Work, count: int) -> Section:
    """Wrong equivalences, where the difference is a little beyond the margin."""
    cells = [(spread, looks_of) for spread in (0.5, 1.0, 2.0) for looks_of in (False, True)]
    parts = [(*cell, count // PARTS, part) for cell in cells for part in range(PARTS)]
    rates = _by_line(work(_equivalent, parts))
    rows = [
        [f"{spread} margins", "resampled" if resampled else "fixed", percent(rate[0]), f"{rate[1]:.1f}"]
        for (spread, resampled), rate in zip(cells, rates, strict=True)
    ]
    return Section(
        "Equivalent, though beyond the margin: seeds in stages",
        f"Percent of {count} boards of two entries whose difference is 1.02 times the margin, normal with such an sd; under "
        "resampled splits the seeds are correlated as Nadeau and Bengio assume. The promise is 2.5.",
        ["sd of the differences", "split", "equivalent", "seeds, mean"],
        rows,
    )


def _equivalent(part: tuple[float, bool, int, int]) -> tuple[float, float]:
    spread, resampled, count, number = part
    chance, looks = np.random.default_rng([20261127, number]), usual_looks(1, resampled)
    told = np.empty((count, 2))
    for board in range(count):
        scores = normal(chance, 1.02, spread, looks.most, resampled)
        seeds, (verdict,) = list(growing(scores, looks, resampled, margin=1.0))[-1]
        told[board] = verdict == "equivalent", seeds
    return tuple(told.mean(0))


def normal(chance: np.random.Generator, effect: float, spread: float, seeds: int, resampled: bool) -> np.ndarray:
    """Scores [2, S] whose differences have such a mean and sd; resampled ones have a part in common, so that the variance of
    their mean is spread**2 (1 / n + 15 / 70)."""
    common = chance.normal(0, spread * np.sqrt(15 / 70)) if resampled else 0.0
    reference = chance.normal(0, 1, seeds)
    return np.stack([reference, reference + effect + common + chance.normal(0, spread, seeds)])


def power(work: Work, count: int) -> Section:
    """Right claims, beside those of fixed numbers of seeds."""
    cells = [(effect, False) for effect in (0.5, 0.75, 1.0, 1.5, 2.0)] + [
        (effect, True) for effect in (1.0, 1.5, 2.0, 3.0)
    ]
    parts = [(*cell, count // PARTS, part) for cell in cells for part in range(PARTS)]
    rates = _by_line(work(_found, parts))
    rows = [
        [
            f"{effect} sd",
            "resampled" if resampled else "fixed",
            percent(rate[0]),
            f"{rate[1]:.1f}",
            *map(percent, rate[2:]),
        ]
        for (effect, resampled), rate in zip(cells, rates, strict=True)
    ]
    return Section(
        "Better, and better it is: seeds in stages, and a fixed number",
        f"Percent of {count} boards of two entries; normal differences, margin zero. A fixed number of seeds spends all "
        "5 % at once.",
        ["difference", "split", "auto", "its seeds, mean", *(f"{size} seeds" for size in SIZES)],
        rows,
    )


def _found(part: tuple[float, bool, int, int]) -> tuple[float, ...]:
    effect, resampled, count, number = part
    chance, looks = np.random.default_rng([20261128, number]), usual_looks(1, resampled)
    told = np.empty((count, 2 + len(SIZES)))
    for board in range(count):
        scores = normal(chance, effect, 1.0, looks.most, resampled)
        seeds, last = list(growing(scores, looks, resampled))[-1]
        fixed = [verdicts(arena({"score": scores[:, :size]}, resampled)) == ["better"] for size in SIZES]
        told[board] = last == ["better"], seeds, *fixed
    return tuple(told.mean(0))


def _by_line(parts: Iterable[Sequence[float]]) -> list[list[float]]:
    """The mean over the parts of each line."""
    table = np.array(list(parts))
    return table.reshape(-1, PARTS, table.shape[1]).mean(1).tolist()


SECTIONS = (by_p, equal, equivalent, power)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boards", type=int, default=2000)
    parser.add_argument("--only", choices=[section.__name__ for section in SECTIONS], action="append")
    parser.add_argument("--out", type=Path, help="a Markdown file for the tables")
    options = parser.parse_args()
    console, done = Console(), []
    with ProcessPoolExecutor() as pool:
        for section in SECTIONS:
            if options.only and section.__name__ not in options.only:
                continue
            began = time.perf_counter()
            done.append(section(pool.map, options.boards if section in (by_p, equal) else options.boards // 2))
            console.print(done[-1].table())
            console.print(f"{time.perf_counter() - began:.0f} s\n")
    if options.out:
        looks = [usual_looks(1, resampled) for resampled in (True, False)]
        sizes = " and ".join(_sizes(schedule) for schedule in looks)
        head = (
            "# How often `--seeds auto` is wrong\n\n"
            f"`python tests/benchmarks/looks.py --boards {options.boards} --out ...` wrote this page. Looks are at {sizes}.\n"
        )
        options.out.write_text("\n".join([head, *(section.markdown() for section in done)]))


def _sizes(looks: Looks) -> str:
    return f"{', '.join(map(str, looks.sizes))} seeds"


if __name__ == "__main__":
    main()
