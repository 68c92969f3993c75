"""May predictions be read as probabilities? Found numerically, from the kernel, for any options.

For true probabilities all over their range: which output makes the expected loss smallest, and what does it say when it is
read the way losscli reads it? *Strictly proper*: the true probabilities, and nothing else is as cheap. *Classification-
calibrated*: every output that decides otherwise than the Bayes decision costs more (Bartlett, Jordan and McAuliffe 2006,
Convexity, Classification, and Risk Bounds; for several classes Tewari and Bartlett 2007). *Neither*: the cheapest output may
decide wrongly. The Bayes decision is the most probable class, or for labels each label that is more probable than not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Literal

import torch
from torch import Tensor

from losscli.explain.search import Search
from losscli.explain.trial import CLASSES, LABELS, Trial, settings_of
from losscli.losses import Loss

Verdict = Literal["strictly proper", "classification-calibrated", "neither", "not decided"]

MEANS: dict[Verdict, str] = {
    "strictly proper": "predictions may be read as probabilities",
    "classification-calibrated": "the decision is right, but predictions are no probabilities",
    "neither": "even the decision may be wrong",
    "not decided": "defined over a batch: what one row should say depends on the others",
}
CLOSE = 1e-4  # how far a probability may be off: the search ends at steps of 2e-5, flat bottoms blur that
DEARER = 1e-6  # what a different answer must cost more, relative to what the loss costs at all


@dataclass(frozen=True)
class Properness:
    """What was found. `curve` holds pairs (true probability, what the cheapest prediction says); empty without probabilities.

    `ranks`: the cheapest output grows strictly with the true probability, so scores rank rightly.
    """

    verdict: Verdict
    curve: tuple[tuple[float, float], ...] = ()
    ranks: bool = False

    @property
    def meaning(self) -> str:
        if self.verdict == "classification-calibrated" and self.ranks:
            return "decisions and ranking are right, but predictions are no probabilities"
        return MEANS[self.verdict]


def properness(item: Loss, options: Mapping[str, Any] | None = None) -> Properness | None:
    """What the minimiser of a classification loss says; None for a loss of numbers.

    >>> from losscli.losses import find
    >>> properness(find("bce-logits", "binary")).verdict, properness(find("hinge", "binary")).verdict
    ('strictly proper', 'classification-calibrated')
    """
    if item.task == "regression":
        return None
    if item.over_batch:
        return Properness("not decided")
    trial = Trial(item, settings_of(item, options))
    with torch.no_grad():
        return _found(trial)


def _found(trial: Trial) -> Properness:
    truth = truths(trial.kind)
    search = Search(trial.cost, truth.outcomes, trial.width)
    best, least = search.cheapest()
    _, otherwise = search.cheapest(lambda raw: trial.leads(raw) > 0, truth.right)
    dear = DEARER * _size(trial, truth.outcomes)
    calibrated = bool((otherwise - least > dear)[truth.decided].all())
    read = trial.probabilities(best)
    close = read is not None and bool(((read - truth.marginals).abs() < CLOSE).all())
    proper = calibrated and close and _alone(trial, truth, search, least + dear)
    verdict: Verdict = "strictly proper" if proper else "classification-calibrated" if calibrated else "neither"
    return Properness(verdict, _curve(truth, read), _rising(trial, truth, best))


def _alone(trial: Trial, truth: Truths, search: Search, enough: Tensor) -> bool:
    """Whether every starting point that says something else costs more than `enough` [P]."""
    said = trial.probabilities(search.lattice)
    assert said is not None
    other = (said - truth.marginals.unsqueeze(1)).abs().amax(-1) > 0.05  # [P, G]
    return bool((search.risk > enough[:, None])[other].all())


def _size(trial: Trial, outcomes: Tensor) -> Tensor:
    """What knowing nothing costs under each distribution, [P]; differences are judged against it."""
    return (outcomes @ trial.cost(torch.zeros(trial.width, dtype=torch.float64)).abs()).clamp(min=1e-12)


@dataclass(frozen=True)
class Truths:
    """True distributions: over the outcomes [P, Y] and per class or label [P, C].

    `right` is the index of the outcome that the Bayes decision expects [P], `decided` where there is only one.
    """

    outcomes: Tensor
    marginals: Tensor
    right: Tensor
    decided: Tensor
    line: int  # so many of them, the first, move one probability from small to large


@lru_cache(maxsize=3)
def truths(kind: str) -> Truths:
    """True distributions all over their range; the arrays are small, and the same for every loss of a task."""
    if kind == "multiclass":
        return _over_classes()
    single = torch.arange(1, 40, dtype=torch.float64) / 40  # 0.025 to 0.975
    if kind == "binary":
        marginals = single[:, None]
        outcomes = torch.cat([1 - marginals, marginals], -1)
        line = len(single)
    else:
        fixed = torch.tensor([[at, 0.3] for at in (0.05, 0.2, 0.35, 0.45, 0.55, 0.65, 0.8, 0.95)], dtype=torch.float64)
        square = torch.tensor(list(product((0.1, 0.4, 0.7, 0.9), repeat=LABELS)), dtype=torch.float64)
        marginals, line = torch.cat([fixed, square]), len(fixed)
        states = torch.tensor(list(product((0.0, 1.0), repeat=LABELS)), dtype=torch.float64)  # [Y, L]
        each = marginals[:, None] * states + (1 - marginals[:, None]) * (1 - states)
        outcomes = each.prod(-1)  # labels that are independent
    right = (marginals > 0.5).long() @ (2 ** torch.arange(marginals.shape[-1]).flip(0))
    return Truths(outcomes, marginals, right, ((marginals - 0.5).abs() > 1e-9).all(-1), line)


def _over_classes() -> Truths:
    moving = [
        (at, 0.62 * (1 - at), 0.38 * (1 - at)) for at in (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
    ]
    parts = [part for part in product(range(1, 7), repeat=CLASSES) if sum(part) == 8]
    triangle = [tuple(count / 8 for count in part) for part in parts]
    outcomes = torch.tensor([*moving, *triangle], dtype=torch.float64)
    two = outcomes.topk(2, -1).values
    return Truths(outcomes, outcomes, outcomes.argmax(-1), two[:, 0] - two[:, 1] > 1e-9, len(moving))


def _curve(truth: Truths, read: Tensor | None) -> tuple[tuple[float, float], ...]:
    if read is None:
        return ()
    true, said = truth.marginals[: truth.line, 0], read[: truth.line, 0]
    return tuple(zip(true.tolist(), said.tolist(), strict=True))


def _rising(trial: Trial, truth: Truths, best: Tensor) -> bool:
    """Whether the cheapest output grows with the true probability: for several classes, against the other ones."""
    told = trial.probabilities(best) if trial.item.point is not None else trial.received(best)
    assert told is not None
    first = told if told.ndim == 1 else told[:, 0]
    if trial.kind == "multiclass":
        first = first - told[:, 1:].mean(-1)
    return bool((first[: truth.line].diff() > 1e-4).all())
