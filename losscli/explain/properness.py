"""May predictions be read as probabilities? Found numerically, from the kernel, for any options.

For true probabilities all over their range: which output makes the expected loss smallest, and what does it say when it is
read the way losscli reads it? *Strictly proper*: the true probabilities, and nothing else is as cheap. *Classification-
calibrated*: the outputs that decide otherwise than the Bayes decision have a larger infimum, though it be at infinity
(Bartlett, Jordan and McAuliffe 2006, Convexity, Classification, and Risk Bounds; for several classes Tewari and Bartlett
2007). *Cost-calibrated*: the same for an error that counts by class (class_costs.py). *Neither*: the cheapest output may decide
wrongly. The Bayes decision is the most probable class, or for labels each label that is more probable than not; several
classes are three.

A loss that is not proper as it is read may be so through a *link* of its own: where the cheapest output is unique and
another for every true distribution, it can be turned back into probabilities (Reid and Williamson 2010, Composite Binary
Losses; Charoenphakdee et al. 2021, On Focal Loss for Class-Posterior Probability Estimation, https://arxiv.org/abs/2011.09172).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from losscli.explain.class_costs import ClassCosts, turning
from losscli.explain.search import END, Search, Sides
from losscli.explain.trial import Counts, Trial, counts_tried, settings_of
from losscli.losses import Loss
from losscli.stack.device import one_thread
from losscli.tasks import tasks
from losscli.tasks.truths import Truths

Verdict = Literal["strictly proper", "classification-calibrated", "cost-calibrated", "neither", "not decided"]

MEANS: dict[Verdict, str] = {
    "strictly proper": "predictions may be read as probabilities",
    "classification-calibrated": "the decision is right",
    "cost-calibrated": "the decision is right",
    "neither": "even the decision may be wrong",
    "not decided": "defined over a batch: what one row should say depends on the others",
}
CITED = "(Reid and Williamson 2010; Charoenphakdee 2021)"
CLOSE = 1e-5  # how far a probability may be off: the search leaves 2e-6
DEARER = 1e-7  # what a wrong decision must cost more, relative to the cost and to the square of what is at stake
HEAVIEST = 1e7  # weight of a class beyond which float64 does not see what a wrong decision for the others costs
BLUR = 1e-12  # relative cost that float64 cannot tell from none
NEAR = 0.05  # a lead below this is nearly a tie
SLOPE = 1e-3  # how far outputs must be apart, beside the distributions that they are cheapest for


@dataclass(frozen=True)
class Properness:
    """What was found. `curve` holds pairs (true probability, what the cheapest prediction says); empty without probabilities.

    `ranks`: the cheapest output grows strictly with the true probability, so scores rank rightly. `link`: it can be turned
    back into the true probabilities. `costs`: the error that a cost-calibrated loss decides rightly for. `counts`: the
    rows of each class for which this was found, where the loss needs them. `read_as`: the link that losscli reads it by.
    """

    verdict: Verdict
    curve: tuple[tuple[float, float], ...] = ()
    ranks: bool = False
    link: bool = False
    costs: ClassCosts | None = None
    counts: Counts = ()
    read_as: str = ""

    @property
    def meaning(self) -> str:
        """The verdict in words, and whether there are probabilities all the same."""
        text = MEANS[self.verdict]
        if self.ranks and self.verdict in ("classification-calibrated", "cost-calibrated"):
            text = "decisions and ranking are right"
        if self.costs is not None:
            text += f" for {self.costs.description}"
        if self.counts and (self.costs is None or not self.costs.balanced):
            text += f" (with {', '.join(f'{count:.0f}' for count in self.counts)} rows of the classes)"
        if self.verdict in ("strictly proper", "not decided"):
            return text
        if self.link:
            return f"{text}; probabilities: not through the {self.read_as}; through its own link {CITED}"
        return f"{text}, but predictions are no probabilities"


def properness(item: Loss, options: Mapping[str, Any] | None = None) -> Properness | None:
    """What the minimiser of a classification loss says; None for a loss of numbers.

    A loss that goes by the rows of each class is asked with a few and with many for each of the rarest: the worse counts.

    >>> from losscli.losses import find
    >>> properness(find("bce-logits", "binary")).verdict, properness(find("hinge", "binary")).verdict
    ('strictly proper', 'classification-calibrated')
    """
    truth = tasks.get(item.task).truths()
    if truth is None:
        return None
    if item.over_batch:
        return Properness("not decided")
    kinds = counts_tried(item, options)
    # small tensors: more threads than one would only wait for each other, on a busy machine for minutes
    with torch.no_grad(), one_thread(torch.device("cpu")):
        if not kinds:
            return _properness_of(truth, Trial(item, settings_of(item, options)))
        trials = [Trial(item, settings_of(item, options, counts)) for counts in kinds]
        results = [_properness_of(truth, trial, counts) for trial, counts in zip(trials, kinds, strict=True)]
    order = get_args(Verdict)
    decided = [result for result in results if result.verdict != "not decided"] or results
    return max(decided, key=lambda result: order.index(result.verdict))


def _properness_of(truth: Truths, trial: Trial, counts: Counts = ()) -> Properness:
    minimisers = _Minimisers(trial, truth)
    read_as = trial.task.links["probabilities"] if trial.item.point is None else "link that it is read by"
    link, ranks = _has_link(minimisers), _rises(minimisers)
    facts = Properness("neither", _curve(truth, minimisers.read), ranks, link, None, counts, read_as or "")
    if minimisers.calibrated:
        return replace(facts, verdict="strictly proper" if _is_proper(minimisers) else "classification-calibrated")
    costs = turning(trial, counts)
    if costs is not None and max(costs.weights) > HEAVIEST:
        return replace(facts, verdict="not decided")
    if costs is not None:
        weights = torch.tensor(costs.weights, dtype=torch.float64)
        if _Minimisers(trial, truth.weighted(weights)).calibrated:
            return replace(facts, verdict="cost-calibrated", costs=costs)
    return facts


class _Minimisers:
    """The cheapest outputs under true distributions, among those that decide rightly and among the others."""

    def __init__(self, trial: Trial, truth: Truths):
        self.trial, self.truth = trial, truth
        twice = torch.cat([truth.outcomes, truth.outcomes])
        outcome = torch.cat([truth.right, truth.right])
        wins = torch.arange(len(twice)) < len(truth.right)
        self.search = Search(trial.cost, twice, trial.width, outcome if trial.shifts else None)
        outputs, costs = self.search.cheapest(Sides(trial.leads, outcome, wins))
        (right, wrong), (self.rightly, self.wrongly) = outputs.chunk(2), costs.chunk(2)
        self.best = torch.where((self.rightly <= self.wrongly)[:, None], right, wrong)  # [P, D]
        self.least = torch.minimum(self.rightly, self.wrongly)  # [P]
        # What knowing nothing costs under each distribution: differences are judged against it.
        nothing = trial.cost(torch.zeros(trial.width, dtype=torch.float64)).abs()
        self.size = (truth.outcomes @ nothing).clamp(min=1e-300)
        self.read = trial.probabilities(self.best)
        self.reached = self.best.abs().amax(-1) < 0.9 * END

    @property
    def calibrated(self) -> bool:
        """Whether deciding wrongly costs more, and so much more that it is not a matter of rounding."""
        more = (self.wrongly - self.rightly) / self.size
        dear = more > DEARER * self.truth.lead.square() * self.truth.least
        close = (self.truth.lead < NEAR) & (more > -BLUR)  # so near a tie that float64 need not see it
        return bool((dear | close)[self.truth.lead > 0].all())

    @property
    def lattice(self) -> Tensor:
        """The points that the search started from, for each distribution: [P or 1, G, D]."""
        kinds = self.search.lattice
        return kinds if len(kinds) == 1 else kinds[self.truth.right]

    @property
    def excess(self) -> Tensor:
        """What these points cost more than the cheapest output, [P, G]."""
        return self.search.risk[: len(self.least)] - self.least[:, None]


def _is_proper(minimisers: _Minimisers) -> bool:
    """Whether the cheapest output says the truth, and every starting point that says something else costs more.

    Where it lies beyond what float64 can try, the others must do.
    """
    if minimisers.read is None or minimisers.reached.float().mean() < 0.5:
        return False
    if not bool(((minimisers.read - minimisers.truth.marginals).abs() < CLOSE)[minimisers.reached].all()):
        return False
    claims = minimisers.trial.probabilities(minimisers.lattice)
    assert claims is not None
    other = (claims - minimisers.truth.marginals.unsqueeze(1)).abs().amax(-1) > 0.05  # [P, G]
    return bool((minimisers.excess > BLUR * minimisers.size[:, None])[other].all())


def _has_link(minimisers: _Minimisers) -> bool:
    """Whether the cheapest output is unique, and another one for each true distribution."""
    if not bool(minimisers.reached.all()):
        return False
    best, points, true = (
        _essential(minimisers.trial, minimisers.best),
        _essential(minimisers.trial, minimisers.lattice),
        minimisers.truth.marginals,
    )
    apart, truly = (torch.cdist(part, part, p=float("inf")) for part in (best, true))
    away = (points - best[:, None]).abs().amax(-1)  # [P, G]
    other = away > 0.05 * (1 + best.abs().amax(-1, keepdim=True))
    alone = (minimisers.excess > BLUR * minimisers.size[:, None])[other].all()
    return bool((apart >= SLOPE * truly).all() & alone)


def _essential(trial: Trial, raw: Tensor) -> Tensor:
    """What of raw outputs [..., D] a loss knows: the differences only, where it knows no more."""
    return raw - raw.mean(-1, keepdim=True) if trial.shifts else raw


def _curve(truth: Truths, read: Tensor | None) -> tuple[tuple[float, float], ...]:
    if read is None:
        return ()
    true, claims = truth.marginals[: truth.line, 0], read[: truth.line, 0]
    return tuple(zip(true.tolist(), claims.tolist(), strict=True))


def _rises(minimisers: _Minimisers) -> bool:
    """Whether the cheapest output grows with the true probability: for several classes, against the other ones."""
    trial = minimisers.trial
    outputs = (
        trial.probabilities(minimisers.best) if trial.item.point is not None else trial.prediction(minimisers.best)
    )
    assert outputs is not None
    first = outputs if outputs.ndim == 1 else outputs[:, 0]
    if trial.task.outputs_compete:
        first = first - outputs[:, 1:].mean(-1)
    return bool((first[: minimisers.truth.line].diff() > 1e-4).all())
