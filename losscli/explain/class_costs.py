"""For which error a loss decides rightly: one where a mistake counts by the weight of its class.

A loss with weights, margins or a prior of its own is made for other costs than the share of errors (Elkan 2001, The
Foundations of Cost-Sensitive Learning; Scott 2012, Calibrated Asymmetric Surrogate Losses; Menon et al. 2020, Long-tail
Learning via Logit Adjustment). The weights are measured: between two classes, at which odds does the cheapest output turn
from one to the other?
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from losscli.explain.search import Search
from losscli.explain.trial import Counts, Trial, counts_of

WIDEST = 45.0  # logarithm of the odds up to which a turn is looked for
POINTS = 129
ROUNDS = 3  # each 128 times as fine
THIRD = 1e-25  # what the class that is not asked about holds
ALIKE = 1e-3  # relative difference of weights that are called the same


@dataclass(frozen=True)
class ClassCosts:
    """An error that counts by class: `weights` [K], the least of them 1; `balanced` if each is one over the class's rows."""

    weights: tuple[float, ...]
    balanced: bool = False

    @property
    def description(self) -> str:
        """The costs in words.

        >>> ClassCosts((1.0, 3.0)).description
        'an error in which a missed yes counts 3 times a false one: yes above 0.25'
        >>> ClassCosts((1.0, 2.0, 6.0), balanced=True).description
        'the balanced error, in which every class counts the same'
        """
        if self.balanced:
            return "the balanced error, in which every class counts the same"
        if len(self.weights) == 2:
            no, yes = self.weights
            above = f"yes above {no / (no + yes):.3g}"
            return f"an error in which a missed yes counts {yes / no:.3g} times a false one: {above}"
        return f"an error in which the classes count {' : '.join(f'{weight:.3g}' for weight in self.weights)}"


def turning(trial: Trial, counts: Counts = ()) -> ClassCosts | None:
    """The weights at which decisions turn, from each class against the first; None where none turns once and for good.

    With `counts`, the rows of each class, weights that are one over them are told as such.
    """
    if not trial.task.rows_have_one_class:
        return None
    classes = len(trial.outcomes)
    others = torch.arange(1, classes)
    low, high = torch.full((len(others),), -WIDEST).double(), torch.full((len(others),), WIDEST).double()
    for finer in range(ROUNDS):
        odds = low[:, None] + (high - low)[:, None] * torch.linspace(0, 1, POINTS).double()  # [C - 1, T]
        first = _decides(trial, odds, others)
        at = (
            (~first).sum(-1).clamp(1, POINTS - 1)
        )  # the first odds that decide otherwise, but for the search's last digits
        if not finer and not bool((first == (torch.arange(POINTS) >= at[:, None])).all()):
            return None
        low, high = (odds.gather(-1, (at - back)[:, None]).squeeze(-1) for back in (1, 0))
    weights = torch.cat([torch.ones(1).double(), ((low + high) / 2).exp()])
    weights = weights / weights.min()
    return _against(weights, counts_of(trial.task, counts)) if counts else ClassCosts(tuple(weights.tolist()))


def _against(weights: Tensor, counts: Counts) -> ClassCosts:
    rows = torch.tensor(counts, dtype=torch.float64)
    inverse = rows.max() / rows
    balanced = bool(torch.allclose(weights, inverse, rtol=ALIKE)) and bool(inverse.max() > 1)
    return ClassCosts(tuple((inverse if balanced else weights).tolist()), balanced)


def _decides(trial: Trial, odds: Tensor, others: Tensor) -> Tensor:
    """Whether the cheapest output decides for the first class, at each logarithm of its odds against another: [C - 1, T]."""
    classes = len(trial.outcomes)
    truth = torch.full((*odds.shape, classes), THIRD, dtype=torch.float64)
    truth[..., 0] = torch.sigmoid(odds)
    truth.scatter_(-1, others[:, None, None].expand(*odds.shape, 1), torch.sigmoid(-odds)[..., None])
    truth = truth.flatten(0, 1)
    kind = torch.zeros(len(truth), dtype=torch.long) if trial.shifts else None
    best, _ = Search(trial.cost, truth, trial.width, kind).cheapest()
    return (trial.leads(best)[..., 0] > 0).view(odds.shape)
