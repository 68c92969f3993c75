"""The cheapest output for many true distributions at once, also where the expected cost has corners, flats and dips.

A coarse lattice over all outputs, then a compass search from its best point: every neighbour one step away in any
direction is tried, and the step shrinks where none is better. No slope is needed, so hinges and steps are no exception.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product

import torch
from torch import Tensor

# Raw outputs to start from: close together near zero for losses with a scale of 30, as far out as float64 tells
# probabilities from 1. Zero is one of them: ties are corners of many expected costs.
AXIS = (0.0, *(sign * at for at in (0.03, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0) for sign in (-1, 1)))
FINEST = 2.0**-16
FARTHEST = 32.0  # a loss whose best output is infinite gets cheaper for ever: far enough
ROUNDS = 120
SHRINK = 3.0

Cost = Callable[[Tensor], Tensor]  # raw outputs [..., D] -> the cost of each outcome [..., Y]
Barred = Callable[[Tensor], Tensor]  # raw outputs [..., D] -> whether they are barred for each outcome, bool [..., Y]


@lru_cache(maxsize=4)
def lattice(width: int) -> Tensor:
    """All combinations of starting points, [G, D]."""
    return torch.tensor(list(product(AXIS, repeat=width)), dtype=torch.float64)


@lru_cache(maxsize=4)
def directions(width: int) -> Tensor:
    """The neighbours one step away, and no step: [N, D]."""
    return torch.tensor(list(product((-1.0, 0.0, 1.0), repeat=width)), dtype=torch.float64)


class Search:
    """Outputs that minimise the expected cost under each row of `truth` [P, Y]."""

    def __init__(self, cost: Cost, truth: Tensor, width: int):
        self.cost, self.truth = cost, truth
        self.lattice = lattice(width)
        self.risk = truth @ cost(self.lattice).T  # [P, G]

    def cheapest(self, barred: Barred | None = None, outcome: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The best output [P, D] and its expected cost [P]; none that is `barred` for that row's `outcome` [P].

        >>> squares = lambda x: torch.cat([x.square(), (x - 1).square()], -1)
        >>> best, least = Search(squares, torch.tensor([[0.25, 0.75]], dtype=torch.float64), 1).cheapest()
        >>> round(best.item(), 3), round(least.item(), 4)
        (0.75, 0.1875)
        """
        risk = self.risk
        if barred is not None and outcome is not None:
            risk = risk.masked_fill(barred(self.lattice)[:, outcome].T, float("inf"))
        least, at = risk.min(-1)
        best = self.lattice[at]
        step = best.abs().amax(-1).clamp(min=0.25) / 4  # [P]: as far as the lattice is wide there
        for _ in range(ROUNDS):
            if bool((step <= FINEST).all()):
                break
            tried = best.unsqueeze(1) + directions(best.shape[-1]) * step[:, None, None]  # [P, N, D]
            tried = tried.clamp(-FARTHEST, FARTHEST)
            risk = (self.cost(tried) * self.truth.unsqueeze(1)).sum(-1)  # [P, N]
            if barred is not None and outcome is not None:
                closed = barred(tried).gather(-1, outcome[:, None, None].expand(*risk.shape, 1)).squeeze(-1)
                risk = risk.masked_fill(closed, float("inf"))
            lower, at = risk.min(-1)
            better = lower < least - 1e-12 * least.abs()
            best = torch.where(better[:, None], tried[torch.arange(len(at)), at], best)
            least = torch.where(better, lower, least)
            step = torch.where(better, step, step / SHRINK)
        return best, least
