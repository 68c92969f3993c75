"""The cheapest output for many true distributions at once, also where the expected cost has corners, flats and dips.

A lattice over all outputs, out to where float64 can just tell a margin of 1, then a compass search from its best point:
every neighbour one step away in any direction is tried, and the step shrinks where none is better. No slope is needed, so
hinges and steps are no exception; and an infimum that lies at infinity is seen to be shared, or not, from so far out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import torch
from torch import Tensor

# Raw outputs to start from: close together near zero for losses with a scale of 30, and out to where float64 no longer
# tells probabilities from 1. Zero is one of them: ties are corners of many expected costs.
SIZES = (0.03, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
BETWEEN = (3.0, 6.0, 12.0, 22.0, 30.0)  # where there are few outputs, so that their combinations are
END = 2.0**50  # beyond 2^53 float64 loses whole numbers, and with them margins
FAR = (0.25, 2.0, 16.0, 1e3, 1e6, 1e10, END)
FARTHEST = math.asinh(END)
FINEST = 2.0**-20
ROUNDS = 200
WALKS = 2  # one that ended in a bent valley goes on from there with long steps
LONGEST = 0.5
SHRINK, GROW, LEAP = 4.0, 2.0, 8.0

Cost = Callable[[Tensor], Tensor]  # raw outputs [..., D] -> the cost of each outcome [..., Y]


@lru_cache(maxsize=4)
def lattice(width: int) -> Tensor:
    """All combinations of starting points, [G, D]."""
    near = SIZES if width > 2 else (*SIZES, *BETWEEN)
    axes = [[0.0, *(sign * at for at in sizes for sign in (-1, 1))] for sizes in (near, FAR)]
    points = [point for axis in axes for point in product(axis, repeat=width)]
    return torch.tensor(list(dict.fromkeys(points)), dtype=torch.float64)


@lru_cache(maxsize=4)
def directions(width: int) -> Tensor:
    """The neighbours one step away, and no step: [N, D]."""
    return torch.tensor(list(product((-1.0, 0.0, 1.0), repeat=width)), dtype=torch.float64)


class Search:
    """Outputs that minimise the expected cost under each row of `truth` [P, Y].

    It walks in asinh(output): steps are plain near zero and multiples far out, so that no scale is out of reach. `kind` [P]
    names an output for each row that stays 0, for costs that know differences of outputs only.
    """

    def __init__(self, cost: Cost, truth: Tensor, width: int, kind: Tensor | None = None):
        self.cost, self.truth = cost, truth
        every = torch.eye(width, dtype=torch.float64)
        if kind is None:
            self.kinds, self.kind = every[None], torch.zeros(len(truth), dtype=torch.long)
        else:
            self.kinds, self.kind = torch.stack([every[torch.arange(width) != at] for at in range(width)]), kind
        self.start = lattice(self.kinds.shape[1])  # [G, d]
        self.lattice = self.start @ self.kinds  # [kinds, G, D]
        self.risk = _number((cost(self.lattice)[self.kind] @ truth[:, :, None]).squeeze(-1))  # [P, G]

    def cheapest(self, sides: Sides | None = None) -> tuple[Tensor, Tensor]:
        """The best output [P, D] and its expected cost [P]; with `sides`, of the outputs on that side of the decision.

        >>> squares = lambda x: torch.cat([x.square(), (x - 1).square()], -1)
        >>> best, least = Search(squares, torch.tensor([[0.25, 0.75]], dtype=torch.float64), 1).cheapest()
        >>> round(best.item(), 3), round(least.item(), 4)
        (0.75, 0.1875)
        """
        every = torch.arange(len(self.truth))
        risk = self.risk
        if sides is not None:
            risk = sides.keep(risk, sides.leads(self.lattice)[self.kind], every)
        least, at = risk.min(-1)
        best = self.start[at].asinh()
        for _ in range(WALKS):
            self._walk(best, least, sides)
        return self._outputs(best[:, None], every).squeeze(1), least

    def _walk(self, best: Tensor, least: Tensor, sides: Sides | None) -> None:
        """Go down from `best` [P, d], which costs `least` [P], until steps are small; both are changed in place."""
        moves, fit = directions(best.shape[-1]), parabola(best.shape[-1])
        step, aim = torch.full_like(least, LONGEST), best.clone()
        for _ in range(ROUNDS):
            rows = torch.nonzero(step > FINEST).squeeze(-1)
            if not len(rows):
                break
            tried = torch.cat([best[rows, None] + moves * step[rows, None, None], aim[rows, None]], 1)
            tried = tried.clamp(-FARTHEST, FARTHEST)
            outputs = self._outputs(tried, rows)
            risk = _number((self.cost(outputs) @ self.truth[rows, :, None]).squeeze(-1))  # [P, N + 1]
            aim[rows] = best[rows] + fit.bottom(risk[:, :-1]) * step[rows, None]
            if sides is not None:
                risk = sides.keep(risk, sides.leads(outputs), rows)
            lower, at = risk.min(-1)
            better = lower < least[rows] - 1e-15 * least[rows].abs()
            best[rows] = torch.where(better[:, None], tried[torch.arange(len(at)), at], best[rows])
            least[rows] = torch.where(better, lower, least[rows])
            # a leap to the parabola's bottom keeps the step: a long flat valley takes several of them
            step[rows] *= torch.where(better, torch.where(at < len(moves), GROW, 1.0), 1 / SHRINK)

    def _outputs(self, at: Tensor, rows: Tensor) -> Tensor:
        """Raw outputs of points of the walk: [P, N, d] -> [P, N, D]."""
        return at.sinh() @ self.kinds[self.kind[rows]]


@dataclass(frozen=True)
class Sides:
    """On which side of a decision to search: outputs that decide for `outcome` [P] where it `wins` [P], else the others.

    `leads`: raw outputs [..., D] -> by how much they decide for each outcome [..., Y].
    """

    leads: Callable[[Tensor], Tensor]
    outcome: Tensor
    wins: Tensor

    def keep(self, risk: Tensor, leads: Tensor, rows: Tensor) -> Tensor:
        """The risk [P, N] of these rows where their leads [P, N, Y] are on the row's side, infinity elsewhere."""
        lead = leads.gather(-1, self.outcome[rows, None, None].expand(*leads.shape[:2], 1)).squeeze(-1)
        return risk.masked_fill((lead > 0) != self.wins[rows, None], math.inf)


class Parabola:
    """The least-squares parabola through the neighbours of a point: where is its bottom, in steps?"""

    def __init__(self, width: int):
        at = directions(width)  # [N, D]
        self.pairs = [(i, j) for i in range(width) for j in range(i, width)]
        design = torch.cat([torch.ones(len(at), 1), at, *(at[:, [i]] * at[:, [j]] for i, j in self.pairs)], -1)
        self.solve = torch.linalg.pinv(design.double())  # [1 + D + pairs, N]
        self.width = width

    def bottom(self, risk: Tensor) -> Tensor:
        """[P, N] -> [P, D], at most `LEAP` steps away; 0 where the neighbours know no bottom."""
        finite = risk.isfinite().all(-1)
        coefficients = torch.where(finite[:, None], risk, 0.0) @ self.solve.T
        gradient, hessian = coefficients[:, 1 : 1 + self.width], risk.new_zeros(len(risk), self.width, self.width)
        for (i, j), value in zip(self.pairs, coefficients[:, 1 + self.width :].T, strict=True):
            hessian[:, i, j] += value
            hessian[:, j, i] += value
        values, axes = torch.linalg.eigh(hessian)
        along = (axes.mT @ gradient[:, :, None]).squeeze(-1)
        curved = values > 1e-9 * values.abs().amax(-1, keepdim=True).clamp(min=1e-300)
        leap = torch.where(curved, -along / torch.where(curved, values, 1.0), 0.0)
        # axis by axis: cut off coordinate by coordinate, the leap would leave the valley that it is to follow
        offset: Tensor = (axes @ leap.clamp(-LEAP, LEAP)[:, :, None]).squeeze(-1)
        return offset


parabola = lru_cache(maxsize=4)(Parabola)


def _number(risk: Tensor) -> Tensor:
    """A cost that is not a number is no bargain."""
    return risk.nan_to_num(nan=float("inf"), posinf=float("inf"))
