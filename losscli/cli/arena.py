"""What the terminal shows of an arena: curves, tables, what tuning chose, and the whole in plain language."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import RenderableType
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from losscli.cli.curves import Curves, band, mean_curve
from losscli.cli.dots import maps, scatters
from losscli.cli.forest import Forest
from losscli.cli.tables import leaderboards, score_table
from losscli.compare.result import Arena
from losscli.errors import visible
from losscli.words.looks import caption as looks_caption
from losscli.words.numbers import duration
from losscli.words.paragraph import paragraph
from losscli.words.phrases import corrections, tuned_options
from losscli.words.view import View, in_words, select

MOST_BANDS = 2  # of more entries only the reference gets its band: the others would be hidden behind it
SETTLING = 0.1  # of the epochs, in which all curves are steep
WIDEST_PROSE = 100  # columns that an eye follows from line to line


def pieces(arena: Arena, view: View, width: int, plain: bool) -> Iterator[RenderableType]:
    """The arena as a view shows it, for so many columns; a `plain` terminal, which has only ASCII, gets no shading."""
    shown = select(arena, view)
    if len(arena.entries) == 1:
        yield from _single(shown, plain)
    else:
        yield from _several(shown, width, plain)
        ordered = in_words(arena, view)
        if ordered:
            yield Text(ordered, "dim")
    yield from _tuned(shown)
    yield Text()
    yield Constrain(Text(visible(paragraph(arena), 20_000)), WIDEST_PROSE)


def _single(arena: Arena, plain: bool) -> Iterator[RenderableType]:
    (entry,) = arena.entries
    seeds = len(arena.runs)
    if arena.foreign:
        yield score_table(arena, entry)
        return
    splits = ("train", "valid")
    kernels = arena.kernels
    named = (
        {split: (split, "loss") for split in splits}
        if kernels == ["loss"]
        else {name: ("train", name) for name in kernels}
    )
    curves = {name: mean_curve(arena.runs, *of) for name, of in named.items()}
    bands = {} if plain else {name: band(arena.runs, *of) for name, of in named.items()}
    yield Curves(f"{visible(entry.entry)}: loss{_averaged(seeds, bool(bands))}", curves, bands=bands)
    yield Text()
    yield from scatters(arena)
    yield from maps(arena)
    yield score_table(arena, entry)
    yield Text()
    yield Text(f"{seeds} run{'s' if seeds > 1 else ''} in {duration(entry.seconds)}", "dim")


def _several(arena: Arena, width: int, plain: bool) -> Iterator[RenderableType]:
    seeds = len(arena.seeds)
    if not arena.foreign:
        yield _headline(arena, seeds, plain)
        yield Text()
        yield from scatters(arena)
        yield from maps(arena)
    for table in leaderboards(arena, width):
        yield table
        yield Text()
    if arena.foreign:
        yield Forest(arena)
        yield Text()
    several = f", mean ± sd of {seeds} seeds, 95 % interval of the paired difference" if seeds > 1 else ""
    tuned = "; it counts every candidate of tuning" if any(entry.tuned for entry in arena.entries) else ""
    yield Text(f"test split{several}; reference: {visible(arena.reference)}", "dim")
    if arena.yardsticks:
        yield Text(
            "below the baseline: plain models of scikit-learn on the same splits, no part of the comparison", "dim"
        )
    if seeds > 1 and (corrected := corrections(arena)):
        yield Text(corrected, "dim")
    if looks := looks_caption(arena):
        yield Text(looks, "dim")
    yield Text("↑ higher is better, ↓ lower is better", "dim")
    if "target" in arena.directions.values():
        yield Text("→ closer to the interval's own level is better; differences are of that distance", "dim")
    if not arena.foreign:
        yield Text(f"time: that of its stack, shared evenly, so it does not tell losses apart{tuned}", "dim")


def _headline(arena: Arena, seeds: int, plain: bool) -> Curves:
    """The headline metric over the epochs, an entry over the other."""
    runs = {entry.entry: arena.runs_of(entry.entry) for entry in arena.entries}
    curves = {name: mean_curve(of_entry, "valid", arena.headline) for name, of_entry in runs.items()}
    few = len(runs) <= MOST_BANDS
    shaded = [] if plain else [name for name in runs if few or name == arena.reference]
    bands = {name: band(runs[name], "valid", arena.headline) for name in shaded}
    whose = "" if few else f" of {visible(arena.reference, 40)}"
    return Curves(
        f"valid {visible(arena.headline)}{_averaged(seeds, bool(bands), whose, 'up to ' if _has_gaps(arena) else '')}",
        curves,
        bands=bands,
        settling=SETTLING,
    )


def _has_gaps(arena: Arena) -> bool:
    """Whether a finished run has no value of the headline at some epoch, so that a mean there is of fewer seeds."""
    return any(
        (point.split, point.metric) == ("valid", arena.headline) and math.isnan(point.value)
        for run in arena.runs
        if not run.lost
        for point in run.history
    )


def _averaged(seeds: int, shaded: bool, whose: str = "", up_to: str = "") -> str:
    """What a title says of curves that are means."""
    return f", mean of {up_to}{seeds} seeds{f' (dotted: ± sd{whose})' if shaded else ''}" if seeds > 1 else ""


def _tuned(arena: Arena) -> Iterator[RenderableType]:
    """What tuning chose for each entry."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for entry in arena.entries:
        if entry.tuned:
            grid.add_row(Text(visible(entry.entry, 40)), Text(visible(tuned_options(entry), 400)))
    if grid.row_count:
        yield Text()
        yield Text("tuned on the valid split of each seed", "bold")
        yield grid
