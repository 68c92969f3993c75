"""Simulated boards: the scores of entries whose true difference is known, from a noise model to an arena of `build_arena`.

A draw is a function of a generator, a number of entries and a number of seeds, and returns scores [E, S]; entry 0 is the
reference, and more is better. Every entry of a draw has the same true mean unless the draw says otherwise.

Shape letters: E entries, S seeds, N test rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace

import numpy as np

from losscli.compare.leaderboard import build_arena
from losscli.compare.result import Arena, RunResult, TestRows
from losscli.looks import Looks, default_start

Draw = Callable[[np.random.Generator, int, int], np.ndarray]
Several = Callable[[np.random.Generator, int, int], dict[str, np.ndarray]]  # metric -> scores [E, S]
SPREAD = 0.02  # of an entry's own noise; what a seed brings to all entries alike spreads by 0.05
CLAIMS = ("better", "worse")


# Noise whose differences are symmetric about zero: what the sign-flip test assumes.


def _own(kind: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]) -> Draw:
    """Entries that share what a seed brings, and add noise of one kind, each its own."""

    def draw(chance: np.random.Generator, entries: int, seeds: int) -> np.ndarray:
        return 0.8 + chance.normal(0, 0.05, seeds) + SPREAD * kind(chance, (entries, seeds))

    return draw


def agreeing(rows: int, own: float = 0.1, accuracy: float = 0.8) -> Draw:
    """Accuracies on `rows` test rows of entries that judge all but a share `own` of the rows alike: tied scores."""

    def draw(chance: np.random.Generator, entries: int, seeds: int) -> np.ndarray:
        shared = chance.random((seeds, rows)) < accuracy
        alone = chance.random((entries, seeds, rows)) < own
        return np.where(alone, chance.random((entries, seeds, rows)) < accuracy, shared).mean(-1)

    return draw


def ranking(positives: int = 10, negatives: int = 20, own: float = 0.3) -> Draw:
    """AUROCs of entries whose scores have a part in common: a metric that is bounded, stepped and skewed."""

    def draw(chance: np.random.Generator, entries: int, seeds: int) -> np.ndarray:
        shared = chance.normal(size=(seeds, positives + negatives))
        logits = shared + own * chance.normal(size=(entries, seeds, positives + negatives))
        above = logits[..., :positives, None] + 2 - logits[..., None, positives:]  # [E, S, positives, negatives]
        return (above > 0).mean((-2, -1))

    return draw


# Noise of mean zero that is not symmetric: the entries are equal on average, but not in distribution.


def one_sided(kind: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]) -> Draw:
    """The reference has none of the noise, and the others all of it: their differences are as skewed as the noise is."""

    def draw(chance: np.random.Generator, entries: int, seeds: int) -> np.ndarray:
        scores = np.tile(0.8 + chance.normal(0, 0.05, seeds), (entries, 1))
        scores[1:] += SPREAD * kind(chance, (entries - 1, seeds))
        return scores

    return draw


def _collapse(chance: np.random.Generator, shape: tuple[int, int], share: float = 0.1) -> np.ndarray:
    """A little better in most seeds, and so much worse in a few that the mean is zero; a fifth of the gain is noise."""
    lost = chance.random(shape) < share
    return np.where(lost, share - 1, share) / np.sqrt(share * (1 - share)) + chance.normal(0, share / 2, shape)


SYMMETRIC: Mapping[str, Draw] = {
    "normal": _own(lambda chance, shape: chance.normal(size=shape)),
    "heavy tails (t, 2 df)": _own(lambda chance, shape: chance.standard_t(2, shape) / 2),
    "skewed alike (exponential)": _own(lambda chance, shape: 1 - chance.exponential(size=shape)),
    "rounded to 0.01": _own(lambda chance, shape: np.round(SPREAD * chance.normal(size=shape), 2) / SPREAD),
    "accuracy, 30 rows": agreeing(30),
    "accuracy, 100 rows": agreeing(100),
    "accuracy, 270 rows": agreeing(270),
    "AUROC, 10 and 20 rows": ranking(),
}
SKEWED: Mapping[str, Draw] = {
    "one-sided, chi-square (4 df)": one_sided(lambda chance, shape: (4 - chance.chisquare(4, shape)) / np.sqrt(8)),
    "one-sided, exponential": one_sided(lambda chance, shape: 1 - chance.exponential(size=shape)),
    "one-sided, lognormal": one_sided(
        lambda chance, shape: (np.exp(0.5) - chance.lognormal(size=shape)) / np.sqrt(np.e * (np.e - 1))
    ),
    "collapse in a tenth of the seeds": one_sided(_collapse),
}


# Resampled splits: one table, divided anew for each seed, so that the scores of two seeds hang together as real ones do.


def splits(
    chance: np.random.Generator, rows: int, seeds: int, share: float = 0.15
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The train and test rows of every seed; as much as is tested on is left over, as the valid split."""
    for _ in range(seeds):
        order = chance.permutation(rows)
        yield order[int(2 * share * rows) :], order[: int(share * rows)]


def _ridge(inputs: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Weights [E, F] of inputs [E, N, F]."""
    gram = inputs.transpose(0, 2, 1) @ inputs + np.eye(inputs.shape[2])
    return np.linalg.solve(gram, inputs.transpose(0, 2, 1) @ target[..., None])[..., 0]


def ridge(rows: int = 200) -> Draw:
    """Mean squared errors, negated, of ridge regressions, each on features of its own that are worth as much as the others'."""

    def draw(chance: np.random.Generator, entries: int, seeds: int) -> np.ndarray:
        features = chance.normal(size=(entries, rows, 3))
        target = features.sum((0, 2)) + chance.normal(size=rows)
        scores = np.empty((entries, seeds))
        for seed, (train, test) in enumerate(splits(chance, rows, seeds)):
            weights = _ridge(features[:, train], np.broadcast_to(target[train], (entries, len(train))))
            scores[:, seed] = -((target[test] - (features[:, test] @ weights[..., None])[..., 0]) ** 2).mean(1)
        return scores

    return draw


def halves(rows: int = 200) -> Draw:
    """The same ridge regression on halves of the training rows that each entry draws anew: noise that is exchangeable."""

    def draw(chance: np.random.Generator, entries: int, seeds: int) -> np.ndarray:
        features = chance.normal(size=(rows, 5))
        target = features.sum(1) + chance.normal(size=rows)
        scores = np.empty((entries, seeds))
        for seed, (train, test) in enumerate(splits(chance, rows, seeds)):
            own = chance.permuted(np.tile(train, (entries, 1)), axis=1)[:, : len(train) // 2]  # [E, N]
            weights = _ridge(features[own], target[own])
            scores[:, seed] = -((target[test] - weights @ features[test].T) ** 2).mean(1)
        return scores

    return draw


def nearest_mean(rows: int = 200) -> Draw:
    """Accuracies of classifiers by the nearer class mean, each on features of its own: tied scores on 15 % of the rows."""

    def draw(chance: np.random.Generator, entries: int, seeds: int) -> np.ndarray:
        label = chance.random(rows) < 0.5
        features = chance.normal(size=(entries, rows, 3)) + 0.5 * label[:, None]
        scores = np.empty((entries, seeds))
        for seed, (train, test) in enumerate(splits(chance, rows, seeds)):
            yes, no = (features[:, train[label[train] == side]].mean(1) for side in (True, False))  # [E, F]
            decided = ((features[:, test] - (yes + no)[:, None] / 2) * (yes - no)[:, None]).sum(-1) > 0
            scores[:, seed] = (decided == label[test]).mean(1)
        return scores

    return draw


def logistic(rows: int = 200, steps: int = 5) -> Draw:
    """Log-losses, negated, of logistic regressions, each on features of its own."""
    several = decisions(rows, steps)
    return lambda chance, entries, seeds: several(chance, entries, seeds)["log-loss"]


def decisions(rows: int = 200, steps: int = 5) -> Several:
    """Log-loss and Brier score, negated, accuracy and AUROC of the same logistic regressions (ridge, Newton's method)."""

    def draw(chance: np.random.Generator, entries: int, seeds: int) -> dict[str, np.ndarray]:
        label = chance.random(rows) < 0.5
        features = chance.normal(size=(entries, rows, 3)) + label[:, None] - 0.5
        scores = [
            _judged(features[:, test] @ _newton(features[:, train], label[train], steps)[..., None], label[test])
            for train, test in splits(chance, rows, seeds)
        ]
        return {metric: np.stack([score[metric] for score in scores], 1) for metric in scores[0]}

    return draw


def _newton(inputs: np.ndarray, label: np.ndarray, steps: int) -> np.ndarray:
    """Weights [E, F] of inputs [E, N, F]."""
    weights = np.zeros((len(inputs), inputs.shape[2]))
    for _ in range(steps):
        share = 1 / (1 + np.exp(-(inputs @ weights[..., None])[..., 0]))  # [E, N]
        slope = ((share - label)[..., None] * inputs).sum(1) + weights
        curve = (inputs * (share * (1 - share))[..., None]).transpose(0, 2, 1) @ inputs + np.eye(inputs.shape[2])
        weights = weights - np.linalg.solve(curve, slope[..., None])[..., 0]
    return weights


def _judged(logits: np.ndarray, label: np.ndarray) -> dict[str, np.ndarray]:
    """Four metrics [E] of logits [E, N, 1]."""
    logits = logits[..., 0]
    above = logits[:, label][:, :, None] > logits[:, ~label][:, None]  # [E, positives, negatives]
    return {
        "log-loss": -np.logaddexp(0, np.where(label, -logits, logits)).mean(1),
        "brier": -((1 / (1 + np.exp(-logits)) - label) ** 2).mean(1),
        "accuracy": ((logits > 0) == label).mean(1),
        "auroc": above.mean((1, 2)),
    }


RESAMPLED: Mapping[str, Draw] = {
    "ridge, own features, MSE": ridge(),
    "ridge, own half of the rows, MSE": halves(),
    "nearest mean, own features, accuracy": nearest_mean(),
    "logistic, own features, log-loss": logistic(),
}


def together(draw: Draw, metrics: int = 4, share: float = 0.5) -> Several:
    """Several metrics that have a part in common: `share` of their variance, and so their correlation."""

    def scores(chance: np.random.Generator, entries: int, seeds: int) -> dict[str, np.ndarray]:
        common = draw(chance, entries, seeds)
        return {
            f"metric {number}": np.sqrt(share) * common + np.sqrt(1 - share) * draw(chance, entries, seeds)
            for number in range(metrics)
        }

    return scores


def arena(
    scores: Mapping[str, np.ndarray],
    resampled: bool = False,
    equivalence: Mapping[str, float] | None = None,
    steps: Mapping[str, float] | None = None,
    looks: Looks | None = None,
) -> Arena:
    """The arena of `scores`, metric -> [E, S], the headline first; resampled splits are 70/15/15.

    The margin is zero unless `equivalence` says otherwise, so that no `equivalent` hides an error; `steps` says by how much one
    row moves a metric; `looks` are those of which so many seeds are one.
    """
    headline, first = next(iter(scores.items()))
    names = [f"entry {number}" for number in range(len(first))]
    runs = [
        RunResult(
            name, seed, "ok", 1, 1, {"test": {metric: float(of[row, seed]) for metric, of in scores.items()}}, [], 0
        )
        for row, name in enumerate(names)
        for seed in range(first.shape[1])
    ]
    return build_arena(
        [SimpleNamespace(name=name, loss=name, options={}, beside={}) for name in names],  # type: ignore[misc]
        runs,
        task="regression",
        data="simulated",
        headline=headline,
        directions=dict.fromkeys(scores, "up"),
        baseline={},
        rows={"train": 70, "test": 15},
        resampled=resampled,
        equivalence=equivalence or dict.fromkeys(scores, 0.0),
        test=TestRows(resolution=steps or {}),
        looks=looks,
    )


def growing(
    scores: np.ndarray, looks: Looks, resampled: bool = False, margin: float = 0.0
) -> Iterator[tuple[int, list[str]]]:
    """The seeds and the verdicts at each look at `scores` [E, S], up to the one at which nothing is open."""
    for size in looks.sizes:
        found = arena({"score": scores[:, :size]}, resampled, {"score": margin}, looks=looks)
        assert found.looks is not None
        yield size, verdicts(found)
        if not found.looks.open:
            return


def verdicts(found: Arena) -> list[str]:
    """The verdicts on the headline; the reference has none."""
    return [entry.verdict for entry in found.entries[1:]]


def claims(found: Arena) -> tuple[bool, bool]:
    """Whether any entry is called better or worse: on the headline, and on another metric."""
    said = [(metric, of.verdict in CLAIMS) for entry in found.entries for metric, of in entry.deltas.items()]
    return tuple(any(claim for metric, claim in said if (metric == found.headline) == first) for first in (True, False))  # type: ignore[return-value]


def usual_looks(comparisons: int, resampled: bool, most: int = 40) -> Looks:
    """Those of `--seeds auto`."""
    return Looks.between(default_start(comparisons, resampled, most), most)


def families(draw: Draw, comparisons: int, seeds: int, boards: int, resampled: bool = False) -> Iterator[list[str]]:
    """The verdicts of so many boards, each of a reference and of `comparisons` entries beside it."""
    chance = np.random.default_rng(20261120)
    for _ in range(boards):
        yield verdicts(arena({"score": draw(chance, comparisons + 1, seeds)}, resampled))


def error_rates(boards: Sequence[Sequence[str]]) -> tuple[float, float]:
    """How often entries that are equal were called better or worse, per comparison and per board."""
    wrong = [[verdict in CLAIMS for verdict in board] for board in boards]
    return float(np.mean(wrong)), float(np.mean([any(board) for board in wrong]))
