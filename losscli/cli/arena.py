"""What the terminal shows of an arena below its answer: tables, what tuning chose, curves, and a few sentences."""

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
from losscli.words.paragraph import brief, paragraph
from losscli.words.phrases import corrections, tuned_options
from losscli.words.view import View, in_words, select

MOST_BANDS = 2  # of more entries only the reference gets its band: the others would be hidden behind it
WIDEST_PROSE = 100  # columns that an eye follows from line to line
SETTLING = 0.1  # of the epochs, in which all curves are steep


def pieces(arena: Arena, view: View, width: int, plain: bool) -> Iterator[RenderableType]:
    """The arena as a view shows it, for so many columns; a `plain` terminal, which has only ASCII, gets no shading."""
    shown = select(arena, view)
    if len(arena.entries) == 1:
        yield from _single(shown, plain)
    else:
        yield from table(arena, view, width)
        yield from _tuned(shown)
        if not arena.foreign:
            yield Text()
            yield _headline(shown, len(arena.seeds), plain)
        yield from _pictures(shown)
    prose = paragraph(arena) if view.verbose else brief(arena)
    if prose:
        yield Text()
        yield Constrain(Text(visible(prose, 20_000)), WIDEST_PROSE)


def table(arena: Arena, view: View, width: int) -> Iterator[RenderableType]:
    """The leaderboard, and what must be said of it."""
    shown = select(arena, view)
    for at, part in enumerate(leaderboards(shown, width, view.verbose)):
        if at:
            yield Text()
        yield part
    if arena.foreign:
        yield Text()
        yield Forest(shown)
    if ordered := in_words(arena, view):
        yield Text(ordered, "dim")
    for caption in _captions(shown) if view.verbose else _captions(shown)[:1]:
        yield Text(caption, "dim")


def _single(arena: Arena, plain: bool) -> Iterator[RenderableType]:
    (entry,) = arena.entries
    seeds = len(arena.runs)
    yield score_table(arena, entry)
    if arena.foreign:
        return
    yield Text(f"{seeds} run{'s' if seeds > 1 else ''} in {duration(entry.seconds)}", "dim")
    yield from _tuned(arena)
    yield Text()
    splits, kernels = ("train", "valid"), arena.kernels
    named = (
        {split: (split, "loss") for split in splits}
        if kernels == ["loss"]
        else {name: ("train", name) for name in kernels}
    )
    curves = {name: mean_curve(arena.runs, *of) for name, of in named.items()}
    bands = {} if plain else {name: band(arena.runs, *of) for name, of in named.items()}
    yield Curves(f"{visible(entry.entry)}: loss{_averaged(seeds, bool(bands))}", curves, bands=bands)
    yield from _pictures(arena)


def _captions(arena: Arena) -> list[str]:
    """What the numbers of a leaderboard are, the most needed first."""
    seeds, ways = len(arena.seeds), set(arena.directions.values())
    several = f", mean ± sd of {seeds} seeds, 95 % interval of the paired difference" if seeds > 1 else ""
    captions = [f"test split{several}; reference: {visible(arena.reference)}"]
    if arena.yardsticks:
        captions.append(
            "below the baseline: plain models of scikit-learn on the same splits, no part of the comparison"
        )
    if seeds > 1 and (corrected := corrections(arena)):
        captions.append(corrected)
    if looks := looks_caption(arena):
        captions.append(looks)
    captions.append("↑ higher is better, ↓ lower is better")
    if "target" in ways:
        captions.append("→ closer to the interval's own level is better; differences are of that distance")
    if seeds > 1 and len(arena.entries) > 1:
        captions.append("by seed: the difference of each seed, the lowest first; ▄ is none")
    if not arena.foreign:
        tuned = "; it counts every candidate of tuning" if any(entry.tuned for entry in arena.entries) else ""
        captions.append(f"time share: of its stack's time an even share, so it does not tell losses apart{tuned}")
    return captions


def _pictures(arena: Arena) -> Iterator[RenderableType]:
    """What outputs look like, where that is a picture."""
    from losscli.cli.regions import regions

    drawn = [*scatters(arena), *maps(arena), *regions(arena)]
    if drawn:
        yield Text()
    yield from drawn


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
