"""True distributions that a loss is asked about: all over their range, near ties, and with classes that hardly occur.

Shape letters: Y outcomes, P true distributions, C classes or labels to decide about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations, product

from losscli.lazy import Tensor, torch

CLASSES, LABELS = 3, 2  # the fewest with which a task of several shows what it is
LINE = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
LEADS = (0.08, 0.02, 0.004)  # of the most probable class before the next
NEAR_ENDS = (0.001, 0.01, 0.49, 0.499, 0.501, 0.51, 0.99, 0.999)  # of yes
RARE = (0.001, 0.03, 0.3)  # what the third class holds beside those two


@dataclass(frozen=True)
class Truths:
    """True distributions: over the outcomes [P, Y] and per class or label [P, C].

    `right` is the index of the outcome that the Bayes decision expects [P]; `lead` by how much it is the right one [P], 0
    where another is as good; `least` the smaller probability of the two that compete [P].
    """

    outcomes: Tensor
    marginals: Tensor
    right: Tensor
    lead: Tensor
    least: Tensor
    line: int  # so many of them, the first, move one probability from small to large

    def weighted(self, weights: Tensor) -> Truths:
        """The same experiments where an error counts by the weight [Y] of its class: each p is q / weight, made to sum to 1."""
        shares = self.outcomes / weights
        shares = shares / shares.sum(-1, keepdim=True)
        least = shares.gather(-1, self.outcomes.topk(2, -1).indices).amin(-1)
        return replace(self, outcomes=shares, marginals=shares[:, -self.marginals.shape[-1] :], least=least)


# The arrays are small, and the same for every loss of a task.


@cache
def of_two() -> Truths:
    """Of no and yes."""
    yes = torch.cat([torch.arange(1, 40, dtype=torch.float64) / 40, torch.tensor(NEAR_ENDS, dtype=torch.float64)])
    outcomes = torch.stack([1 - yes, yes], -1)
    return _of_classes(outcomes, outcomes[:, 1:], len(outcomes) - len(NEAR_ENDS))


@cache
def of_three() -> Truths:
    """Of three classes."""
    outcomes = torch.tensor(list(_three()), dtype=torch.float64)
    return _of_classes(outcomes, outcomes, len(LINE))


def _of_classes(outcomes: Tensor, marginals: Tensor, line: int) -> Truths:
    two = outcomes.topk(2, -1).values
    return Truths(outcomes, marginals, outcomes.argmax(-1), _lead(two[:, 0] - two[:, 1]), two[:, 1], line)


def _three() -> Iterator[tuple[float, ...]]:
    yield from ((at, 0.62 * (1 - at), 0.38 * (1 - at)) for at in LINE)
    yield from (tuple(n / 8 for n in part) for part in product(range(1, 7), repeat=CLASSES) if sum(part) == 8)
    for lead, rare in product(LEADS, RARE):
        yield from permutations(((1 - rare + lead) / 2, (1 - rare - lead) / 2, rare))


@cache
def of_labels() -> Truths:
    """Of two labels, hence of four outcomes."""
    states = torch.tensor(list(product((0.0, 1.0), repeat=LABELS)), dtype=torch.float64)  # [Y, L]
    fixed = [(at, 0.3) for at in (0.05, 0.2, 0.35, 0.45, 0.55, 0.65, 0.8, 0.95)]
    square = list(product((0.01, 0.1, 0.4, 0.49, 0.7, 0.9), repeat=LABELS))
    single = torch.tensor([*fixed, *square], dtype=torch.float64)
    alone = (single[:, None] * states + (1 - single[:, None]) * (1 - states)).prod(-1)  # labels that are independent
    parts = [part for part in product(range(1, 6), repeat=len(states)) if sum(part) == 8]
    together = torch.tensor(parts, dtype=torch.float64) / 8  # labels that come together, or keep apart
    outcomes = torch.cat([alone, together])
    marginals = outcomes @ states
    right = (marginals > 0.5).long() @ (2 ** torch.arange(LABELS).flip(0))
    lead = _lead((2 * marginals - 1).abs().amin(-1))
    return Truths(outcomes, marginals, right, lead, outcomes.amin(-1), len(fixed))


def _lead(lead: Tensor) -> Tensor:
    """Without what is left of a tie by rounding."""
    return lead.where(lead > 1e-9, torch.zeros_like(lead))
