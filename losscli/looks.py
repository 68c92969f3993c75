"""Looks: at how many seeds a comparison that grows is judged, and how much of the 5 % each time may err.

All looks are fixed before the first, and share the 5 % among them: look k gets what the spending function a(t) = 0.05 t of Lan
and DeMets (1983, "Discrete Sequential Boundaries for Clinical Trials", Biometrika 70) gives out between the seeds of the look
before and its own, t being the share of the most seeds. Lan and DeMets turn that into boundaries by the joint distribution of
all looks, which nobody knows of a few seeds, of differences that are not normal, and of training sets that overlap. Here each
look is tested at what it was given (Bonferroni over the looks), which holds whatever that distribution is, and whenever one
stops; tests/benchmarks/VERDICTS.md has the rates, and what it costs. As p < 0.05 s and p / s < 0.05 say the same, p-values of
a look whose share is s are divided by s, and its intervals leave out s times as much: repeated p-values and intervals
(Jennison and Turnbull 1989, "Interim Analyses: the Repeated Confidence Interval Approach", JRSS B 51).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LEVEL = 0.05  # of a family of comparisons
FEWEST_FOR_T = 5  # of fewer, the observed spread may be off by a factor of four either way, and no skew can be seen
FIRST, MOST = 6, 40  # seeds at the first and at the last look, where nobody says otherwise
GROWTH = 2  # from one look to the next: more looks would leave each of them too little of the 5 %
LAST_STEP = 1.5  # that the last look has more seeds than the one before, at least


def minimum_seeds(comparisons: int, test_ratio: float = 0.0, share: float = 1.0) -> int:
    """The fewest pairs that can give a verdict, by the test in use, at a look with such a `share` of the 5 %.

    On a fixed split (`test_ratio` 0) the exact sign-flip test must be able to reach p < 0.05 after Holm:
    2 / 2**n < 0.05 share / comparisons. The t-test on resampled splits has no such floor: five, so that it knows the spread.

    >>> [minimum_seeds(comparisons) for comparisons in (1, 5, 10)], minimum_seeds(10, test_ratio=0.2)
    ([6, 8, 9], 5)
    >>> minimum_seeds(5, share=0.3)
    10
    """
    return FEWEST_FOR_T if test_ratio else math.floor(math.log2(2 * max(1, comparisons) / (LEVEL * share))) + 1


@dataclass(frozen=True)
class Looks:
    """The seeds at each look, how many looks were taken, and which entries were open at the last of them.

    >>> looks = Looks.between(6, 40)
    >>> looks.sizes, [round(share, 3) for share in looks.shares], looks.number(12), looks.after(12)
    ((6, 12, 24, 40), [0.15, 0.15, 0.3, 0.4], 2, 24)
    """

    sizes: tuple[int, ...]
    done: int = 0
    open: tuple[str, ...] = ()

    @classmethod
    def between(cls, start: int, most: int) -> Looks:
        """Looks from `start` seeds to `most`, each with twice the seeds of the one before."""
        sizes = [start]
        while GROWTH * sizes[-1] * LAST_STEP <= most:
            sizes.append(GROWTH * sizes[-1])
        return cls(tuple(dict.fromkeys([*sizes, most])))

    @property
    def most(self) -> int:
        """The seeds at the last look."""
        return self.sizes[-1]

    @property
    def shares(self) -> tuple[float, ...]:
        """Which share of the 5 % each look may spend; together 1."""
        before = (0, *self.sizes)
        return tuple((size - less) / self.most for less, size in zip(before, self.sizes, strict=False))

    @property
    def levels(self) -> tuple[float, ...]:
        """The level of each look; together 5 %."""
        return tuple(LEVEL * share for share in self.shares)

    @property
    def ended(self) -> str:
        """Why there was no further look: settled | limit | stopped."""
        if self.done and not self.open:
            return "settled"
        return "limit" if self.done == len(self.sizes) else "stopped"

    def number(self, seeds: int) -> int:
        """Which look it is that has so many seeds, from 1 on."""
        return self.sizes.index(seeds) + 1

    def share(self, seeds: int) -> float:
        """The share of the look that so many seeds are for."""
        return next((share for size, share in zip(self.sizes, self.shares, strict=True) if size >= seeds), 1.0)

    def after(self, seeds: int) -> int | None:
        """The seeds of the look after the one with `seeds`; None after the last."""
        return next((size for size in self.sizes if size > seeds), None)


def first_possible(comparisons: int, resampled: bool, most: int) -> int:
    """The fewest seeds whose first look could settle anything, of `most` at the most; more than `most` where none can.

    >>> first_possible(1, False, 40), first_possible(5, False, 40), first_possible(5, True, 40), first_possible(5, False, 6)
    (8, 10, 5, 7)
    """
    possible = (size for size in range(1, most + 1) if size >= minimum_seeds(comparisons, resampled, size / most))
    return next(possible, most + 1)


def default_start(comparisons: int, resampled: bool, most: int) -> int:
    """The seeds of the first look where nobody names them: 6, or 12, 24, ... where fewer could settle nothing.

    >>> default_start(5, True, 40), default_start(5, False, 40), default_start(5, True, 5)
    (6, 12, 5)
    """
    least, start = first_possible(comparisons, resampled, most), FIRST
    while start < least:
        start *= GROWTH
    return min(start, most)


def block_of(place: int) -> int:
    """In which block of seeds one lies, by its place among them: those up to 6, to 12, to 24, and so on.

    Where stacks end at the same seeds whatever the number of seeds, those of an earlier look need not be trained again.

    >>> [block_of(place) for place in (0, 5, 6, 11, 12, 23, 24)]
    [0, 0, 1, 1, 2, 2, 3]
    """
    return 0 if place < FIRST else math.floor(math.log2(place / FIRST)) + 1
