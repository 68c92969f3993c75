"""What can be turned at a loss, and its lines for every position of its dials: all that a page needs to have it in hand.

A dial is an option with a few values, the one it has among them. The lines are those of the kernel itself at every
combination; a page looks them up, and computes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf, isfinite, prod
from typing import Any

from losscli.explain.curve import Strand, alike, axis_of, strands
from losscli.explain.page import Page, called, written
from losscli.explain.polyline import Polyline, apart, polyline
from losscli.explain.properness import properness
from losscli.explain.trial import settings_of
from losscli.losses import Bounds, Choice, Loss, Option, PerClass
from losscli.tasks import tasks

VALUES = 9  # of a dial
COMBINATIONS = 81  # of the dials of one loss, where there are few losses
TOGETHER = 500  # of all losses of a page
FEW = 3  # losses whose probabilities are read at every position of a dial as well: a tenth of a second for each
OFF = "off"
SHARES = (0.25, 0.5, 0.75)  # of the way from a value to the end of what is allowed
STEPS = (0.5, 1.0, 2.0, 4.0)  # where there is no end, or a far one


@dataclass(frozen=True)
class Dial:
    """An option and the values that it can be turned to, rising."""

    option: str
    values: tuple[Any, ...]

    @property
    def labels(self) -> list[str]:
        """The values as they would be written in a spec; None, which is no number, is off."""
        return [OFF if value is None else written(value) for value in self.values]


@dataclass(frozen=True)
class Entry:
    """A loss as it is drawn at first: its name with the options that have no dial, the dials that were set, the place of each."""

    name: str
    set: tuple[str, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class Family:
    """The lines of a loss for each combination of its dials, the last dial turning fastest.

    `entries` are what is drawn at first. `idle` are options that no line goes by.
    `readings` hold, by combination, the probability read for each true one, where it was asked.
    """

    name: str
    axis: str
    ends: tuple[str, str]  # what its left and its right end mean
    note: str  # what the words of the axis mean
    moves: str  # what a step of the optimizer changes: see `Task.moves`
    rows: str  # of whom one point of the axis tells: one row, or a batch
    dials: tuple[Dial, ...]
    idle: tuple[str, ...]
    entries: tuple[Entry, ...]
    lines: tuple[tuple[Polyline, ...], ...]
    readings: Mapping[int, tuple[tuple[float, float], ...]]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "axis": self.axis,
            "ends": list(self.ends),
            "note": self.note,
            "moves": self.moves,
            "rows": self.rows,
            "dials": [{"option": dial.option, "labels": dial.labels} for dial in self.dials],
            "idle": list(self.idle),
            "entries": [
                {"name": entry.name, "set": list(entry.set), "places": list(entry.places)} for entry in self.entries
            ],
            "lines": [[line.to_json() for line in lines] for lines in self.lines],
            "readings": {
                str(place): [[round(number, 4) for number in pair] for pair in curve]
                for place, curve in self.readings.items()
            },
        }


def families(pages: Sequence[Page], items: Sequence[Loss], sets: Sequence[Sequence[Mapping[str, Any]]]) -> list[Family]:
    """The family of each loss of a page, with fewer positions of its dials where there are many losses."""
    most = max(2, min(COMBINATIONS, TOGETHER // len(items)))
    asked = len(items) <= FEW
    return [family(item, options, most, shown, asked) for shown, item, options in zip(pages, items, sets, strict=True)]


def family(
    item: Loss,
    sets: Sequence[Mapping[str, Any]] = ({},),
    most: int = COMBINATIONS,
    shown: Page | None = None,
    asked: bool = False,
) -> Family:
    """All lines of a loss; `sets` are the options of what is drawn at first, `shown` has their readings.

    >>> from losscli.losses import find
    >>> turned = family(find("gce", "binary"))
    >>> turned.dials[0].option, turned.dials[0].labels[0], len(turned.lines)
    ('q', '0.07', 9)
    """
    starts = [_settings(item, options) for options in sets]
    moving, idle = _moving(item, starts)
    dials = _thinned(moving, starts, most)
    combinations = list(product(*(dial.values for dial in dials)))
    first = starts[0]
    options = [
        first | {dial.option: value for dial, value in zip(dials, values, strict=True)} for values in combinations
    ]
    places = [tuple(_place(dial, start) for dial in dials) for start in starts]
    task = tasks.get(item.task)
    return Family(
        item.name, axis_of(item), task.ends, task.axis_note, task.moves, "these rows are" if item.over_batch else "this row is",
        tuple(dials), tuple(idle),
        tuple(_entry(item, options, dials, of) for options, of in zip(sets, places, strict=True)),
        tuple(tuple(_lines(item, of)) for of in options),
        dict(_readings(item, dials, options, places, shown, asked)),
    )  # fmt: skip


def _entry(item: Loss, options: Mapping[str, Any], dials: Sequence[Dial], places: tuple[int, ...]) -> Entry:
    turned = [dial.option for dial in dials if dial.option in options]
    named = tuple(option for option in turned if not item.options[option].required)
    return Entry(called(item, {name: options[name] for name in options if name not in turned}), named, places)


def dial_of(option: Option, starts: Sequence[Any]) -> Dial | None:
    """The dial of an option that has the values `starts` at first; None where it is no number and no choice.

    >>> from losscli.losses import find
    >>> dial_of(find("focal", "binary").options["gamma"], [2.0]).labels
    ['0', '0.5', '1', '1.5', '2', '3', '4', '6', '10']
    >>> dial_of(find("auc-pairwise", "binary").options["surrogate"], ["hinge"]).labels
    ['logistic', 'hinge', 'squared-hinge']
    """
    accepts = option.accepts
    if isinstance(accepts, Choice):
        return Dial(option.name, accepts.names)
    bounds = accepts if isinstance(accepts, Bounds) else accepts.bounds if isinstance(accepts, PerClass) else None
    if bounds is None or not all(value is None or isinstance(value, (int, float)) for value in starts):
        return None
    given = [float(value) for value in starts if value is not None]
    usual = [float(option.default)] if isinstance(option.default, (int, float)) else given
    around = _around(bounds, usual[0] if usual else _inner(bounds))
    room = VALUES - option.optional
    fit = {
        value for value in around if bounds.allow(value) and (value or isinstance(accepts, Bounds))
    }  # no row of weight 0
    numbers = _spread(sorted(fit.union(given)), room, given)
    return Dial(option.name, (*([None] if option.optional else []), *numbers))


def _around(bounds: Bounds, value: float) -> Iterator[float]:
    """Values below and above one, nearer to it the less room there is."""
    below, above = value - bounds.low, bounds.high - value
    unit = below if 0 < below < inf else above if 0 < above < inf else max(abs(value), 0.5)
    if below < inf:
        lowest = 1.0 if bounds.allow(bounds.low) else 0.9
        yield from (_round(value - below * share) for share in (lowest, *SHARES))
    else:
        yield from (_round(value - unit * step) for step in STEPS)
    if above <= 4 * unit:
        highest = 1.0 if bounds.allow(bounds.high) else 0.9
        yield from (_round(value + above * share) for share in (*SHARES, *(() if below else (0.1,)), highest))
    else:
        yield from (_round(value + unit * step) for step in STEPS)


def _inner(bounds: Bounds) -> float:
    """A number to begin with where an option has none."""
    return (bounds.low + bounds.high) / 2 if isfinite(bounds.low) and isfinite(bounds.high) else 1.0


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def _spread(values: Sequence[Any], most: int, kept: Collection[Any]) -> list[Any]:
    """At most so many of rising values, those that are to be kept and the rest evenly."""
    free = [value for value in values if value not in kept]
    room = max(0, min(most - (len(values) - len(free)), len(free)))
    picked = {free[round(place * (len(free) - 1) / max(room - 1, 1))] for place in range(room)}
    return [value for value in values if value in kept or value in picked]


def _settings(item: Loss, options: Mapping[str, Any]) -> dict[str, Any]:
    """Every option as it is given or by default; what must be given has a value at any rate."""
    needed = settings_of(item)
    defaults = {name: needed[name] if option.required else option.default for name, option in item.options.items()}
    return defaults | dict(options)


def _moving(item: Loss, starts: Sequence[Mapping[str, Any]]) -> tuple[list[Dial], list[str]]:
    """The dials that move a line, turned one by one, and the options whose dial moves none."""
    moving, idle = [], []
    for option in item.options.values():
        dial = dial_of(option, [start[option.name] for start in starts])
        if dial is None or len(dial.values) < 2:
            continue
        ends = [
            {**starts[0], option.name: value} for value in (dial.values[0], *dial.values[-2:])
        ]  # the first may be off
        moved = any(apart(one, other) for end in ends[1:] for one, other in _pairs(item, ends[0], end))
        moving += [dial] if moved else []
        idle += [] if moved else [option.name]
    return moving, idle


def _pairs(item: Loss, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[Strand, Strand]]:
    return zip(strands(item, one), strands(item, other), strict=True)


def _thinned(dials: Sequence[Dial], starts: Sequence[Mapping[str, Any]], most: int) -> list[Dial]:
    """As many dials, with as many values, as there may be combinations; what is there at first stays."""
    dials = list(dials)
    while 2 ** len(dials) > most:
        dials.pop()
    room = VALUES
    while dials and prod(len(dial.values) for dial in dials) > most and room > 2:
        room -= 1
        dials = [_narrowed(dial, {start[dial.option] for start in starts}, room) for dial in dials]
    return dials


def _narrowed(dial: Dial, kept: Collection[Any], room: int) -> Dial:
    return Dial(dial.option, tuple(_spread(dial.values, room, kept)))


def _place(dial: Dial, start: Mapping[str, Any]) -> int:
    return dial.values.index(start[dial.option])


def _lines(item: Loss, options: Mapping[str, Any]) -> list[Polyline]:
    lines = [polyline(strand) for strand in strands(item, options)]
    return lines[:1] if not item.sides and alike(lines) else lines


def _readings(
    item: Loss,
    dials: Sequence[Dial],
    options: Sequence[Mapping[str, Any]],
    places: Sequence[tuple[int, ...]],
    shown: Page | None,
    asked: bool,
) -> Iterator[tuple[int, tuple[tuple[float, float], ...]]]:
    """What is read at each start, and, if asked, where one dial is turned from the first."""
    readings = shown.readings if shown else ()
    every = list(product(*(range(len(dial.values)) for dial in dials)))
    for start, reading in zip(places, readings, strict=False):
        if reading.curve:
            yield every.index(start), reading.curve
    if not (asked and readings and readings[0].curve):
        return
    for number, combination in enumerate(every):
        turned = sum(one != other for one, other in zip(combination, places[0], strict=True))
        result = properness(item, options[number]) if turned == 1 and combination not in places else None
        if result is not None and result.curve:
            yield number, result.curve
