"""How long the statistics of a large comparison take, how often equal entries are told apart, and what can be found.

Run:  python tests/benchmarks/verdicts.py [--families 2000]

The error rates are those of tests/compare/test_error_rates.py, at more sizes. Nothing here fails on time.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.append(str(Path(__file__).parents[1] / "compare"))
import test_error_rates as simulated

from losscli.compare.power import power
from losscli.compare.signflip import sign_flip

ENTRIES, SEEDS = 40, 30


def speed(console: Console) -> None:
    scores = simulated.noise("normal")(np.random.default_rng(0), ENTRIES, SEEDS)
    for resampled in (False, True):
        began = time.perf_counter()
        simulated.verdicts(scores, resampled)
        split = "resampled splits" if resampled else "a fixed split"
        console.print(f"{ENTRIES} entries x {SEEDS} seeds, {split}: {time.perf_counter() - began:.2f} s")


def errors(console: Console, families: int) -> None:
    table = Table("scores", "entries", "seeds", "per comparison", "per family", title="told apart, though equal")
    for name in ("normal", "skewed", "heavy tails", "ties", "overlapping splits"):
        for entries, seeds in ((1, 6), (1, 10), (5, 10), (1, 30)):
            simulated.COMPARISONS = families * entries
            overlap = name == "overlapping splits"
            draw = simulated.overlapping() if overlap else simulated.noise(name)
            found = simulated.rates(list(simulated.families(draw, entries, seeds, resampled=overlap)))
            table.add_row(name, str(entries), str(seeds), *(f"{rate:.3f}" for rate in found))
    console.print(table)


def found(console: Console) -> None:
    table = Table("effect in sd", *(f"{seeds} seeds" for seeds in (6, 10, 20, 30)), title="power: simulated (reckoned)")
    chance = np.random.default_rng(0)
    for effect in (0.5, 1.0, 1.5, 2.0):
        cells = []
        for seeds in (6, 10, 20, 30):
            hits = [sign_flip(chance.normal(effect, 1, seeds)) < 0.05 for _ in range(300)]
            cells.append(f"{np.mean(hits):.2f} ({power(seeds, effect, 1.0):.2f})")
        table.add_row(f"{effect}", *cells)
    console.print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", type=int, default=2000)
    options = parser.parse_args()
    console = Console()
    speed(console)
    found(console)
    errors(console, options.families)
