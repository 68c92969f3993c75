"""How often a difference is declared where there is none, and found where there is one: simulated, through `build_arena`.

An A/A comparison has entries that are equal by construction, so every `better` or `worse` is an error. Per comparison at most
5 % may be, and per family (an arena), too, for that is what Holm's correction is for; 1 % more is left to the simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from losscli.compare.leaderboard import build_arena
from losscli.compare.result import RunResult

COMPARISONS, MOST_ERRORS = 2_000, 0.06
Draw = Callable[[np.random.Generator, int, int], np.ndarray]  # entries, seeds -> scores [E, S]


def noise(kind: str) -> Draw:
    """Scores of entries that share what a seed brings, and differ by noise of one kind."""
    kinds: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
        "normal": lambda chance, shape: chance.normal(0, 0.02, shape),
        "skewed": lambda chance, shape: -chance.exponential(0.02, shape),
        "heavy tails": lambda chance, shape: 0.01 * chance.standard_t(2, shape),
        "ties": lambda chance, shape: np.round(chance.normal(0, 0.02, shape), 2),
    }

    def draw(chance: np.random.Generator, entries: int, seeds: int) -> np.ndarray:
        return 0.8 + chance.normal(0, 0.05, seeds) + kinds[kind](chance, (entries, seeds))

    return draw


def overlapping(rows: int = 200, share: float = 0.15) -> Draw:
    """Mean squared errors of ridge regressions, each on features of its own that are worth as much as those of the others.

    Seeds divide the same rows again and again, so their scores hang together, as those of real resampled splits do.
    """

    def draw(chance: np.random.Generator, entries: int, seeds: int) -> np.ndarray:
        features = chance.normal(size=(rows, entries, 3))
        target = features.sum((1, 2)) + chance.normal(size=rows)
        scores = np.empty((entries, seeds))
        for seed in range(seeds):
            order = chance.permutation(rows)
            test, train = order[: int(share * rows)], order[int(2 * share * rows) :]  # the rest is the valid split
            inputs = features[train].transpose(1, 0, 2)  # [E, N, F]
            gram = inputs.transpose(0, 2, 1) @ inputs + np.eye(3)
            weights = np.linalg.solve(gram, inputs.transpose(0, 2, 1) @ target[train][:, None])  # [E, F, 1]
            errors = target[test] - (features[test].transpose(1, 0, 2) @ weights)[..., 0]
            scores[:, seed] = (errors**2).mean(1)
        return scores

    return draw


def verdicts(scores: np.ndarray, resampled: bool, share: float = 0.15) -> list[str]:
    """The verdicts of one arena with a margin of zero, so that `equivalent` hides no error; the reference has none."""
    names = [f"entry {number}" for number in range(len(scores))]
    runs = [
        RunResult(name, seed, "ok", 1, 1, {"test": {"score": float(value)}}, [], 0.0)
        for name, line in zip(names, scores, strict=True)
        for seed, value in enumerate(line)
    ]
    arena = build_arena(
        [SimpleNamespace(name=name, loss=name, options={}, beside={}) for name in names],  # type: ignore[arg-type]
        runs,
        task="regression",
        data="simulated",
        headline="score",
        directions={"score": "up"},
        baseline={},
        rows={"train": round(1000 * (1 - 2 * share)), "test": round(1000 * share)},
        resampled=resampled,
        equivalence={"score": 0.0},
    )
    return [entry.verdict for entry in arena.entries[1:]]


def families(draw: Draw, entries: int, seeds: int, resampled: bool) -> Iterator[list[str]]:
    chance = np.random.default_rng(20261120)
    for _ in range(COMPARISONS // entries):
        yield verdicts(draw(chance, entries + 1, seeds), resampled)


def rates(found: list[list[str]]) -> tuple[float, float]:
    """Errors per comparison and per family."""
    wrong = [[verdict in ("better", "worse") for verdict in family] for family in found]
    return float(np.mean(wrong)), float(np.mean([any(family) for family in wrong]))


@pytest.mark.parametrize(
    ("kind", "entries", "seeds"), [("normal", 1, 6), ("skewed", 1, 10), ("heavy tails", 1, 20), ("ties", 5, 10)]
)
def test_equal_entries_on_a_fixed_split_are_told_apart_at_most_once_in_twenty(
    kind: str, entries: int, seeds: int
) -> None:
    found = list(families(noise(kind), entries, seeds, resampled=False))
    assert sum(map(len, found)) == COMPARISONS
    assert max(rates(found)) <= MOST_ERRORS


@pytest.mark.parametrize(("entries", "seeds"), [(1, 10), (5, 10)])
def test_equal_entries_on_resampled_splits_are_told_apart_at_most_once_in_twenty(entries: int, seeds: int) -> None:
    found = list(families(overlapping(), entries, seeds, resampled=True))
    assert sum(map(len, found)) == COMPARISONS
    assert max(rates(found)) <= MOST_ERRORS
