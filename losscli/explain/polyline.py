"""A loss and its slope as lines that may be looked at closely: bent where they bend, and broken where they jump.

Between the points of the grid an interval is halved as long as its middle does not lie on its chord. What bends is done after a
few halvings; what jumps never is, and is left with an interval of no width: both its ends are points, and nothing joins them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from losscli.explain.curve import Strand, grid, state

OFF = 0.002  # of the range of a line: what the eye sees of a corner that is cut
NOISE = 1e-6  # of the largest value: what a kernel in float32 leaves
NARROW = 1e-8  # of the axis: an interval without width
APART = 1 / 2500  # of the axis: points nearer than that are one dot on the screen
MOST = 600  # intervals halved at once: with more, it is not the kind of line that can be drawn
PLACES = 6  # decimals of a place on the axis
DUST = 1e-12  # of the largest value
DIGITS = 4  # significant ones, of a loss and a slope


@dataclass(frozen=True)
class Polyline:
    """Points `at` [P] with the loss and the slope there; NaN between the two ends of a jump, where `at` is the same thrice.

    Of a loss that has a corner, only the slope jumps.
    """

    label: str
    at: tuple[float, ...]
    loss: tuple[float, ...]
    slope: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "at": [round(place, PLACES) + 0.0 for place in self.at],  # + 0.0: no negative zero
            "loss": _short(self.loss),
            "slope": _short(self.slope),
        }


def polyline(strand: Strand) -> Polyline:
    """The lines of one strand of a loss.

    >>> from losscli.explain.curve import strands
    >>> from losscli.losses import find
    >>> line = polyline(strands(find("hinge", "binary"))[0])
    >>> jump = [place for place, slope in enumerate(line.slope) if slope != slope]
    >>> [(round(line.at[place], 6), line.slope[place - 1], line.slope[place + 1]) for place in jump]
    [(1.0, -1.0, 0.0)]
    """
    at, values, broken = _halved(strand)
    limits, points = _limits(values), list[tuple[float, ...]]()
    jumps = _jumps(at, broken)
    for place in _kept(at, jumps, grid(strand.item)):
        if place in jumps:
            ends = [place, jumps[place]]
            points += _jump(strand, at[ends], values[:, ends], limits)
        else:
            points.append((float(at[place]), *values[:, place].tolist()))
    places, loss, slope = zip(*points, strict=True)
    return Polyline(strand.label, places, loss, slope)


def apart(one: Strand, other: Strand) -> bool:
    """Whether the eye can tell the lines of two strands from each other."""
    values = [_both(strand, grid(strand.item)) for strand in (one, other)]
    return bool(((values[0] - values[1]).abs().amax(1) > _limits(values[0])).any())


def _halved(strand: Strand) -> tuple[Tensor, Tensor, Tensor]:
    """Places [P], loss and slope there [2, P], and from which of them on to the next there is a jump [P]."""
    at = grid(strand.item)
    values, width = _both(strand, at), NARROW * float(at[-1] - at[0])
    limits = _limits(values).unsqueeze(-1)
    bends = torch.ones(len(at), dtype=torch.bool)  # from a place to the next
    bends[-1] = False
    while True:
        wide = bends & (at.diff(append=at[-1:]) > width)
        left = wide.nonzero().squeeze(-1)
        if not 0 < len(left) <= MOST:
            return at, values, bends & ~wide
        middle = (at[left] + at[left + 1]) / 2
        between = _both(strand, middle)
        off = (((values[:, left] + values[:, left + 1]) / 2 - between).abs() > limits).any(0)  # NaN is not off
        bends[left] = off
        at, order = torch.cat([at, middle[off]]).sort()
        values = torch.cat([values, between[:, off]], 1)[:, order]
        bends = torch.cat([bends, off[off]])[order]  # of a half, the other half is to be looked at as well


def _both(strand: Strand, at: Tensor) -> Tensor:
    return torch.stack(state(strand.item, strand.settings, at, strand.side)) + 0.0  # a slope of -0 is 0


def _limits(values: Tensor) -> Tensor:
    """How far loss and slope [2] may be off before the eye sees it."""
    solid = values.nan_to_num(0, 0, 0)
    size, extent = solid.abs().amax(1), solid.amax(1) - solid.amin(1)
    return torch.maximum(OFF * extent, NOISE * size).clamp(min=1e-9)


def _jumps(at: Tensor, broken: Tensor) -> dict[int, int]:
    """The two ends of each jump. Autograd gives a corner a slope of its own: two jumps that meet there are one."""
    ends: dict[int, int] = {}
    first = -1
    for place in broken.nonzero().flatten().tolist():
        if first in ends and float(at[place] - at[ends[first]]) < 10 * NARROW * float(at[-1] - at[0]):
            ends[first] = place + 1
        else:
            first = place
            ends[first] = place + 1
    return ends


def _kept(at: Tensor, jumps: Mapping[int, int], grid: Tensor) -> Iterator[int]:
    """Places of the grid, jumps by their first end, and so many of the others as can be told apart."""
    own, apart = set(grid.tolist()), APART * float(at[-1] - at[0])
    inside = {place for first, last in jumps.items() for place in range(first + 1, last + 1)}
    edges = [float(at[place]) for place in jumps]
    last = -torch.inf
    for place, value in enumerate(at.tolist()):
        near = value - last < apart or any(abs(value - edge) < apart for edge in edges)
        if place in jumps or (place not in inside and (value in own or not near)):
            yield place
            last = value


def _jump(strand: Strand, ends: Tensor, both: Tensor, limits: Tensor) -> Iterator[tuple[float, ...]]:
    """Both ends [2] of a jump, with what is there [2, 2], and a gap between them; what does not jump is one value."""
    place = torch.round(ends.mean(), decimals=PLACES)
    before, after = both.unbind(1)
    jumps = (after - before).abs() > limits
    there = _both(strand, place.unsqueeze(0)).squeeze(1)
    for value in (before, torch.full_like(there, torch.nan), after):
        yield float(place), *torch.where(jumps, value, there).tolist()


def _short(values: Sequence[float]) -> list[float | None]:
    """Few digits; zero for what a grid that misses its zeros by a rounding leaves of it."""
    dust = DUST * max(map(abs, filter(math.isfinite, values)), default=0.0)
    short = ((0.0 if abs(value) < dust else float(f"{value:.{DIGITS - 1}e}") + 0.0) for value in values)
    return [value if math.isfinite(value) else None for value in short]
