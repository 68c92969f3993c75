"""What the terminal shows of an arena class by class: a table of all entries, and confusion matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from losscli.cli.tables import plain_table
from losscli.compare.by_class import EntryByClass, decides, worst
from losscli.compare.result import Arena
from losscli.errors import counted, visible
from losscli.tasks import tasks
from losscli.words.numbers import spread

MOST_CLASSES = 10  # of more, the worst ones are shown, and the pairs that are most often confused
MOST_PAIRS = 10
MOST_MATRICES = 3  # the reference first, then the best


def pieces(arena: Arena, entries: Sequence[EntryByClass], width: int) -> Iterator[RenderableType]:
    """Tables for so many columns."""
    if not entries:
        yield Text(f"there is nothing class by class: {_why(arena)}", "dim")
        return
    places = worst(entries, MOST_CLASSES)
    total = len(entries[0].classes)
    yield Text(f"class by class{_of(places, total)}, test split{_seeds(arena, entries)}", "bold")
    yield _scores(entries, places)
    yield Text()
    drawn = [entry for entry in _first(arena, entries) if entry.counts is not None]
    for entry in drawn[:MOST_MATRICES]:
        name = f"{visible(entry.entry, 40)}: " if len(entries) > 1 else ""
        drafts = [_matrix(entry, places, between) for between in " \n"] if total <= MOST_CLASSES else []
        matrix = next((draft for draft in drafts if _fits(draft, width)), None)
        if matrix is not None:
            yield Text(
                f"{name}rows are the truth, columns what was said; share of the row and rows, all seeds together", "dim"
            )
            yield matrix
        else:
            yield Text(f"{name}what is taken for what most often, all seeds together", "dim")
            yield _pairs(entry)
        yield Text()
    if len(drawn) > MOST_MATRICES:
        yield Text(f"{len(drawn) - MOST_MATRICES} more confusion matrices: --format json", "dim")


def _why(arena: Arena) -> str:
    return "no predictions are kept" if decides(tasks.get(arena.task)) else "the target is no class"


def _of(places: Sequence[int], total: int) -> str:
    return f": the {len(places)} worst of {total}" if len(places) < total else ""


def _seeds(arena: Arena, entries: Sequence[EntryByClass]) -> str:
    kept, seeds = max(entry.seeds for entry in entries), len(arena.seeds)
    said = f", mean ± sd of {counted(kept, 'seed')}" if kept > 1 else ""
    return f"{said} (predictions of {kept} of {counted(seeds, 'seed')} are kept)" if kept < seeds else said


def _first(arena: Arena, entries: Sequence[EntryByClass]) -> list[EntryByClass]:
    """The reference, then the others from the best by the headline."""
    order = {one.entry: -arena.goodness(one, arena.headline) for one in arena.entries}
    return sorted(entries, key=lambda entry: (entry.entry != arena.reference, order.get(entry.entry, 0.0)))


def _scores(entries: Sequence[EntryByClass], places: Sequence[int]) -> RenderableType:
    several = len(entries) > 1
    table = plain_table("class", "rows", *(["entry"] if several else []), "precision", "recall", "F1", gap=1)
    for place in places:
        for number, entry in enumerate(entries):
            one = entry.classes[place]
            lead = [visible(one.label, 24), f"{one.rows:.4g}"] if number == 0 else ["", ""]
            names = [visible(entry.entry, 24)] if several else []
            scores = [spread(score, 3) for score in (one.precision, one.recall, one.f1)]
            table.add_row(*map(Text, (*lead, *names, *scores)))
    return table


def _matrix(entry: EntryByClass, places: Sequence[int], between: str) -> RenderableType:
    """Shares and counts, `between` them a blank or the end of a line."""
    assert entry.counts is not None
    names = [visible(entry.classes[place].label, 16) for place in places]
    table = plain_table("truth", *names, gap=1)
    for name, true in zip(names, places, strict=True):
        cells = [(entry.shares[true, said], entry.counts[true, said]) for said in places]
        table.add_row(
            Text(name), *(Text(f"{100 * share:.0f} %{between}({count})" if count else "") for share, count in cells)
        )
    return table


def _fits(table: RenderableType, width: int) -> bool:
    from rich.console import Console
    from rich.measure import Measurement

    console = Console(width=10_000)
    return Measurement.get(console, console.options, table).maximum <= width


def _pairs(entry: EntryByClass) -> RenderableType:
    table = plain_table("truth", "taken for", "of the truth's rows", "rows", gap=2)
    for true, said in entry.confusions()[:MOST_PAIRS]:
        assert entry.counts is not None
        labels = [visible(entry.classes[place].label, 40) for place in (true, said)]
        table.add_row(*map(Text, (*labels, f"{100 * entry.shares[true, said]:.1f} %", str(entry.counts[true, said]))))
    return table
