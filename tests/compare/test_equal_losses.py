"""A/A comparisons of real trainings: the same loss twice under other seeds, and two losses that are one in other words."""

from __future__ import annotations

import numpy as np
import pytest

from losscli import pipeline
from losscli.compare.result import Arena
from losscli.compare.statistics import delta
from losscli.spec.load import build_spec
from losscli.spec.overrides import Overrides

SEEDS, PAIRS, COMPARISONS = 60, 10, 2_000


def trained(losses: list[str], seeds: int, *sets: str) -> Arena:
    small = ["data.n_samples=240", "model.hidden=[8]", "train.epochs=2", "train.lr=0.02", *sets]
    spec = build_spec(Overrides(task="binary", losses=losses, data="moons", seeds=str(seeds), sets=small))
    return pipeline.run([spec], out=None).arenas[0]


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    """The log-loss of one loss, trained with 60 seeds on one split; no two are equal."""
    found = np.array(trained(["bce-logits"], SEEDS, "data.split.seed=0").entries[0].scores["test"]["log-loss"].values)
    assert len(np.unique(found)) == SEEDS
    return found


def test_one_loss_under_other_seeds_is_told_apart_at_most_once_in_twenty(scores: np.ndarray) -> None:
    chance = np.random.default_rng(7)
    wrong = 0
    for _ in range(COMPARISONS):
        drawn = chance.permutation(SEEDS)[: 2 * PAIRS]
        one, other = (dict(enumerate(scores[half])) for half in (drawn[:PAIRS], drawn[PAIRS:]))
        found = delta("log-loss", one, other)
        assert found is not None
        low, high = found.ci95 or (0.0, 0.0)
        wrong += bool(found.p is not None and found.p < 0.05 and not low <= 0 <= high)
    assert wrong / COMPARISONS <= 0.06


@pytest.mark.parametrize("sets", [("data.split.seed=0",), ()])
def test_soft_margin_is_bce_in_other_words_and_comes_out_the_same(sets: tuple[str, ...]) -> None:
    arena = trained(["bce-logits", "soft-margin"], 6, *sets)
    assert [entry.verdict for entry in arena.entries] == ["reference", "same"]
    assert trained(["bce-logits", "focal"], 2, *sets).entries[1].verdict == "too-few-seeds"
