"""What the terminal shows of a diagnosis: the curve with its floors, what it is and how surely, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from losscli.cli.curves import Curve, Curves
from losscli.diagnose import Candidate, Diagnosis
from losscli.diagnose.guide import guide
from losscli.diagnose.history import Series
from losscli.errors import visible

STYLES = {"certain": "bold red", "likely": "yellow", "possible": "cyan"}
DOTS = 400  # points of a drawn curve
REACH = 0.5  # of the curves' range, by which a floor may lie outside and is still drawn


def diagnosed(diagnosis: Diagnosis, name: str) -> Iterator[RenderableType]:
    """The whole answer, the drawing first."""
    yield _answer(diagnosis, visible(name, 200))
    yield Text(_numbers(diagnosis), "dim")
    yield Text()
    yield _drawing(diagnosis)
    yield Text()
    if not diagnosis.healthy:
        yield _table(diagnosis)
        yield from _guide(diagnosis)
    yield from _rest(diagnosis)


def _answer(diagnosis: Diagnosis, name: str) -> Text:
    if diagnosis.healthy:
        return Text.assemble(f"{name}: ", ("healthy", "green"), ", nothing in this curve looks like a known mistake")
    first = diagnosis.candidates[0]
    sureness = first.sighting.confidence
    return Text.assemble(f"{name}: {first.signature.title} (", (sureness, STYLES[sureness]), ")")


def _numbers(diagnosis: Diagnosis) -> str:
    """How long the log is, and where its curves end."""
    case = diagnosis.case
    points = max(case.history.train.count, case.history.valid.count)
    ends = [f"{name} {curve.last:.5g}" for name, curve in (("train", case.train), ("valid", case.valid)) if curve]
    ends += [] if case.accuracy is None else [f"accuracy {case.accuracy:.3g}"]
    ends += [] if case.r2 is None else [f"R2 {case.r2:.3g}"]
    return f"{points:,} points · {', '.join(ends) or 'no finite loss'}"


def _drawing(diagnosis: Diagnosis) -> Curves:
    history = diagnosis.case.history
    curves = {
        name: _thinned(series) for name, series in (("train", history.train), ("valid", history.valid)) if series.count
    }
    floors = diagnosis.candidates[0].sighting.floors if diagnosis.candidates else {}
    return Curves("loss", {**curves, **_within(floors, curves)}, axis=history.axis, settling=0.05)


def _thinned(series: Series) -> Curve:
    at = np.unique(np.linspace(0, len(series.values) - 1, min(DOTS, len(series.values))).astype(int))
    return [(float(series.steps[index]), float(series.values[index])) for index in at]


def _within(floors: Mapping[str, float], curves: Mapping[str, Curve]) -> dict[str, Curve]:
    """The floors as lines, but for those so far off that the curves would be flat beside them."""
    values = [value for curve in curves.values() for _, value in curve if np.isfinite(value)]
    places = [place for curve in curves.values() for place, _ in curve]
    if not values:
        return {}
    low, high = min(values), max(values)
    room = REACH * (high - low) or 0.2 * abs(high)
    return {
        f"{name} = {height:.4g}": [(min(places), height), (max(places), height)]
        for name, height in floors.items()
        if low - room <= height <= high + room
    }


def _table(diagnosis: Diagnosis) -> Table:
    """A block per candidate, the likeliest first."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for candidate in diagnosis.candidates:
        lines = [f"{candidate.signature.cause}: {candidate.signature.title}", candidate.sighting.evidence]
        lines += [f"try: {candidate.signature.cure}", f"looks alike: {candidate.signature.alike}"]
        lines += _shown_by(candidate)
        text = Text("\n").join(
            Text(visible(line, 1000), "bold" if at == 0 else "" if at < 3 else "dim") for at, line in enumerate(lines)
        )
        sureness = candidate.sighting.confidence
        grid.add_row(Text(sureness, STYLES[sureness]), text)
        grid.add_row()
    return grid


def _shown_by(candidate: Candidate) -> list[str]:
    return [f"see: losscli explain {candidate.code}"] if candidate.code else []


def _guide(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    steps = guide(diagnosis.case)
    if not steps:
        return
    yield Text("does cross-entropy converge?", "bold")
    grid = Table.grid(padding=(0, 2, 0, 0))
    for step in steps:
        grid.add_row(Text(step.question), Text(step.answer), Text(step.meaning, "dim"))
    yield grid


def _rest(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    """What was not checked for want of an option, and what is odd about the log."""
    for option, causes in diagnosis.unchecked.items():
        yield Text(f"not checked without {option}: {', '.join(causes)}", "dim")
    for note in diagnosis.case.history.notes:
        yield Text(f"note: {visible(note, 400)}", "dim")
