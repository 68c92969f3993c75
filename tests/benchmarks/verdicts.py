"""How often a verdict is wrong on boards whose truth is known, how often one is given, and how long the statistics take.

Run:  python tests/benchmarks/verdicts.py [--boards 1000] [--out tests/benchmarks/VERDICTS.md]

Every figure names its conditions. Boards are simulated (`boards.py`) and judged by `build_arena`; `aa.py` does the same with
entries that the product itself has trained. About four minutes on two cores. Nothing here fails on time.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aa
import boards
import numpy as np
from boards import RESAMPLED, SKEWED, SYMMETRIC, arena, error_rates, families, verdicts
from rich.console import Console
from rich.table import Table

from losscli.compare.power import power
from losscli.compare.statistics import delta

SEEDS = (5, 6, 8, 10, 20, 30)
FIXED = {**SYMMETRIC, **SKEWED}
MARGIN = 0.005
ABOUT = (
    "The rates are those of simulated boards whose truth is known, judged by `build_arena`, and at the end those of equal losses "
    "that the product has trained. One in twenty is the promise for entries whose paired differences are symmetric about zero. "
    "The standard error of a rate of 5 % is 0.7 in 1000 boards, 1.1 in 400, 1.5 in 200."
)
Work = Callable[[Callable[..., Any], Iterable[Any]], Iterable[Any]]  # as `map` does


@dataclass(frozen=True)
class Section:
    """One table, and under which conditions its figures hold."""

    title: str
    conditions: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"## {self.title}\n\n{self.conditions}\n\n{table}\n"

    def table(self) -> Table:
        table = Table(*self.head, title=self.title, caption=self.conditions)
        for row in self.rows:
            table.add_row(*row)
        return table


def percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f}"


def fixed(work: Work, count: int) -> Section:
    cells = [(kind, 1, seeds, count if seeds < 20 else count // 2, False) for kind in FIXED for seeds in SEEDS]
    found = dict(zip([cell[:3] for cell in cells], work(_errors, cells), strict=True))
    return Section(
        "Better or worse, though equal: a fixed split, one comparison",
        f"Percent of {count} boards of two entries whose scores have the same true mean ({count // 2} with 20 and 30 seeds); "
        "margin zero. The promise is 5, and holds for differences that are symmetric about zero: one-sided ones and a "
        "collapse (one entry much worse in a tenth of the seeds, a little better in the others) break it.",
        ["scores", *(f"{seeds} seeds" for seeds in SEEDS)],
        [[kind, *(percent(found[kind, 1, seeds][0]) for seeds in SEEDS)] for kind in FIXED],
    )


def several(work: Work, count: int) -> Section:
    count //= 2
    symmetric = [("normal", comparisons, 10, count, False) for comparisons in (4, 5, 9)]
    others = ("accuracy, 30 rows", "accuracy, 270 rows", "one-sided, exponential", "collapse in a tenth of the seeds")
    cells = [*symmetric, *((kind, 5, 10, count, False) for kind in others)]
    cells += [(kind, comparisons, 10, count, True) for kind in RESAMPLED for comparisons in (5, 9)]
    rows = [
        [cell[0], "resampled" if cell[4] else "fixed", str(cell[1]), *map(percent, found)]
        for cell, found in zip(cells, work(_errors, cells), strict=True)
    ]
    return Section(
        "Better or worse, though equal: several comparisons, the headline",
        f"Percent of comparisons and of {count} boards with at least one; 10 seeds, Holm over the comparisons of the board.",
        ["scores", "split", "comparisons", "per comparison", "per board"],
        rows,
    )


def resampled(work: Work, count: int) -> Section:
    cells = [(kind, 1, seeds, count, True) for kind in RESAMPLED for seeds in SEEDS]
    found = dict(zip([cell[:3] for cell in cells], work(_errors, cells), strict=True))
    return Section(
        "Better or worse, though equal: resampled splits, one comparison",
        f"Percent of {count} boards. Each board is one table of 200 rows that every seed divides anew (70/15/15), and two "
        "learners of the same expected performance: on features of their own, or on halves of the training rows.",
        ["learners", *(f"{seeds} seeds" for seeds in SEEDS)],
        [[kind, *(percent(found[kind, 1, seeds][0]) for seeds in SEEDS)] for kind in RESAMPLED],
    )


def _errors(cell: tuple[str, int, int, int, bool]) -> tuple[float, float]:
    kind, comparisons, seeds, count, resampled = cell
    draw = (RESAMPLED if resampled else FIXED)[kind]
    return error_rates(list(families(draw, comparisons, seeds, count, resampled)))


def whole_board(work: Work, count: int) -> Section:
    count //= 2
    cells = [(False, seeds, count) for seeds in (8, 10)] + [(True, seeds, count) for seeds in (6, 10, 20)]
    rows = [
        ["resampled" if cell[0] else "fixed", str(cell[1]), *map(percent, found)]
        for cell, found in zip(cells, work(_board, cells), strict=True)
    ]
    return Section(
        "Better or worse, though equal: the whole board",
        f"Percent of {count} boards of 5 alternatives x 4 metrics without any difference. Fixed: normal metrics of correlation "
        "0.5. Resampled: log-loss, Brier score, accuracy and AUROC of logistic regressions on features of their own.",
        ["split", "seeds", "headline", "other metrics", "anywhere"],
        rows,
    )


def _board(cell: tuple[bool, int, int]) -> tuple[float, float, float]:
    """How often the headline, the other metrics, and either have a false claim."""
    resampled, seeds, count = cell
    draw = boards.decisions() if resampled else boards.together(SYMMETRIC["normal"])
    chance = np.random.default_rng(20261121)
    wrong = np.empty((count, 2), bool)
    for board in range(count):
        wrong[board] = boards.claims(arena(draw(chance, 6, seeds), resampled))
    return float(wrong[:, 0].mean()), float(wrong[:, 1].mean()), float(wrong.any(1).mean())


def equivalent(work: Work, count: int) -> Section:
    count //= 2
    sizes = [(rows, seeds) for rows in (30, 100, 270) for seeds in (6, 10, 20)]
    cells = [
        (rows, seeds, truth, own, count) for rows, seeds in sizes for truth in (0.0051, 0.0067) for own in (0.0, 0.1)
    ]
    cells += [(rows, seeds, 0.0, 0.02, count) for rows, seeds in sizes]
    found = dict(zip(cells, work(_equivalent, cells), strict=True))
    rows = [
        [
            str(rows),
            str(seeds),
            *(percent(found[rows, seeds, truth, own, count]) for truth in (0.0051, 0.0067) for own in (0.0, 0.1)),
            percent(found[rows, seeds, 0.0, 0.02, count]),
        ]
        for rows, seeds in sizes
    ]
    return Section(
        "Equivalent, though beyond the margin: accuracy on few rows, a fixed split",
        f"Percent of {count} boards called equivalent with a margin of 0.005; the promise is at most 2.5 where the truth is "
        "beyond it. The entry is right on more rows than the reference by the true difference, and in the columns '+ 10 %' "
        "the two differ on a tenth of the rows besides. The last column has no difference, and 2 % of rows of disagreement.",
        ["rows", "seeds", "0.0051", "0.0051 + 10 %", "0.0067", "0.0067 + 10 %", "none"],
        rows,
    )


def _equivalent(cell: tuple[int, int, float, float, int]) -> float:
    rows, seeds, truth, own, count = cell
    chance = np.random.default_rng(20261122)
    told = 0
    for _ in range(count):
        gained = chance.multinomial(rows, [truth + own / 2, own / 2, 1 - truth - own], size=seeds)
        base = np.round(0.8 * rows) * np.ones(seeds)
        scores = np.stack([base, base + gained[:, 0] - gained[:, 1]]) / rows
        found = arena({"score": scores}, equivalence={"score": MARGIN}, steps={"score": 1 / rows})
        told += verdicts(found)[0] in ("equivalent", "same")
    return told / count


def coverage(work: Work, count: int) -> Section:
    kinds = ("normal", "heavy tails (t, 2 df)", *SKEWED)
    cells = [(kind, seeds, 4 * count if kind == "normal" else count, False) for kind in kinds for seeds in SEEDS]
    cells += [(kind, seeds, count, True) for kind in RESAMPLED for seeds in SEEDS]
    found = dict(zip([cell[:2] for cell in cells], work(_coverage, cells), strict=True))
    return Section(
        "The 95 % interval of a difference holds the true one",
        f"Percent of {count} boards of two entries, of {4 * count} where normal. A fixed split has Student's t "
        "with five seeds and BCa from six on; the "
        "last rows are resampled splits (70/15/15 of 200 rows), whose corrected interval is wide on purpose.",
        ["scores", *(f"{seeds} seeds" for seeds in SEEDS)],
        [[kind, *(percent(found[kind, seeds]) for seeds in SEEDS)] for kind in (*kinds, *RESAMPLED)],
    )


def _coverage(cell: tuple[str, int, int, bool]) -> float:
    kind, seeds, count, resampled = cell
    draw, ratio = (RESAMPLED if resampled else FIXED)[kind], 0.15 / 0.7 if resampled else 0.0
    chance = np.random.default_rng(20261123)
    held = 0
    for _ in range(count):
        reference, entry = draw(chance, 2, seeds)
        found = delta("score", dict(enumerate(entry)), dict(enumerate(reference)), ratio)
        low, high = found.ci95  # type: ignore[union-attr, misc]
        held += low <= 0 <= high
    return held / count


def power_of(work: Work, count: int) -> Section:
    effects, sizes = (0.5, 1.0, 1.5, 2.0), (6, 10, 20, 30)
    cells = [(effect, seeds, count // 2) for effect in effects for seeds in sizes]
    found = dict(zip([cell[:2] for cell in cells], work(_power, cells), strict=True))
    return Section(
        "Better, and better it is: a fixed split, one comparison",
        f"Percent of {count // 2} boards; the true difference in standard deviations of the paired differences, which are "
        "normal; margin zero. In brackets what `losscli plan` reckons.",
        ["difference", *(f"{seeds} seeds" for seeds in sizes)],
        [
            [f"{effect} sd", *(f"{percent(found[effect, n])} ({percent(power(n, effect, 1.0))})" for n in sizes)]
            for effect in effects
        ],
    )


def _power(cell: tuple[float, int, int]) -> float:
    effect, seeds, count = cell
    chance = np.random.default_rng(20261124)
    told = 0
    for _ in range(count):
        reference = chance.normal(0, 1, seeds)
        told += verdicts(arena({"score": np.stack([reference, reference + chance.normal(effect, 1, seeds)])})) == [
            "better"
        ]
    return told / count


def trained(work: Work, count: int) -> Section:
    tables = max(1, count // 100)
    cells = [(task, fixed, number) for task in aa.TASKS for fixed in (False, True) for number in range(tables)]
    found = list(work(aa.table, cells))
    rows = []
    for task in aa.TASKS:
        for fixed in (False, True):
            group = [each for cell, each in zip(cells, found, strict=True) if cell[:2] == (task, fixed)]
            rows += aa.rows(task, fixed, group)
    return Section(
        "Better or worse, though equal: entries that the product has trained",
        f"{aa.CONDITIONS} {tables} tables for each line: {18 * tables} boards of two, {6 * tables} of six.",
        aa.HEAD,
        rows,
    )


def speed(console: Console) -> None:
    entries, seeds = 40, 30
    scores = SYMMETRIC["normal"](np.random.default_rng(0), entries, seeds)
    for resampled in (False, True):
        began = time.perf_counter()
        arena({"score": scores}, resampled)
        split = "resampled splits" if resampled else "a fixed split"
        console.print(f"{entries} entries x {seeds} seeds, {split}: {time.perf_counter() - began:.2f} s")


SECTIONS = (fixed, resampled, several, whole_board, equivalent, coverage, power_of, trained)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boards", type=int, default=1000, help="of the simplest tables; larger ones have fewer")
    parser.add_argument("--only", choices=[section.__name__ for section in SECTIONS], action="append")
    parser.add_argument("--out", type=Path, help="a Markdown file for the tables")
    options = parser.parse_args()
    console = Console()
    speed(console)
    done = []
    with ProcessPoolExecutor() as pool:
        for section in SECTIONS:
            if options.only and section.__name__ not in options.only:
                continue
            began = time.perf_counter()
            done.append(section(pool.map, options.boards))
            console.print(done[-1].table())
            console.print(f"{time.perf_counter() - began:.0f} s\n")
    if options.out:
        made = f"`python tests/benchmarks/verdicts.py --boards {options.boards} --out ...` wrote this page."
        head = f"# How often verdicts are wrong\n\n{made} {ABOUT}\n"
        options.out.write_text("\n".join([head, *(section.markdown() for section in done)]))


if __name__ == "__main__":
    main()
