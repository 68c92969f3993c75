"""The one place that prints. Results go to stdout; errors, notices and progress to stderr.

Nothing foreign is ever markup: everything is a `rich.text.Text` or passes `visible`. Colours, width and characters
follow the terminal (NO_COLOR, FORCE_COLOR, TERM, COLUMNS, the locale); without UTF-8 everything falls back to ASCII.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Console, RenderableType
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from losscli.errors import Finding, Problem, by_gravity, counted, joined, listed, visible
from losscli.severities import SEVERITIES

if TYPE_CHECKING:  # most commands show no comparison, and do without what that imports
    from losscli.compare.result import Arena
    from losscli.comparison import Comparison
    from losscli.words.view import View

IN_THE_HEADER = ("target-mapped",)  # findings that the header's line of labels tells already
GRAVEST = next(iter(SEVERITIES))
RED = SEVERITIES[GRAVEST].terminal
BLANK_END = re.compile(r"(?<! ) +((?:\x1b\[[0-9;]*m)*)$", re.M)
NEIGHBOURS = str.maketrans("↑↓·→└─┤│╌━▁▂▃▄▅▆▇█▏▎▍▌▋▊▉░▒▓▀•", '^v|>+-||-=...::###...####.:#"o')
MOST_ROWS = 40  # of the tables of several arenas together
EMPTY_CELL = 0x2800  # the braille cell without dots; its lower 8 bits are the dots
UPPER_DOTS = 0b00011011  # of a cell's 4 x 2 dots, those in its upper half


class TextFilter:
    """A stream that changes all text on its way out, so that Rich may draw what it likes."""

    encoding = "utf-8"

    def __init__(self, stream: IO[str], change: Callable[[str], str]):
        self._stream, self._change = stream, change

    def write(self, text: str) -> int:
        return self._stream.write(self._change(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def screen(stream: IO[str]) -> Console:
    """A console on `stream`. LC_ALL=C is believed: Python makes the stream UTF-8 then, but the terminal may not be."""
    file = stream if stream.isatty() else cast(IO[str], TextFilter(stream, trimmed))  # a file keeps no padding
    if is_plain(stream):
        file = cast(IO[str], TextFilter(file, in_ascii))
    return Console(file=file, markup=False, highlight=False, emoji=False)


def is_plain(stream: IO[str]) -> bool:
    """Whether a stream takes nothing but ASCII."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    utf8 = (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")
    return not utf8 or locale in ("C", "POSIX")


def in_ascii(text: str) -> str:
    r"""The same text for a terminal without UTF-8, each sign of ours as wide as before, and what is foreign escaped.

    >>> in_ascii("0.84 ± 0.02 ↑"), in_ascii("é")
    ('0.84 +-0.02 ^', '\\xe9')
    """
    if text.isascii():
        return text
    plain = "".join(map(_cell, text.replace("± ", "+-"))).translate(NEIGHBOURS)
    return plain.encode("ascii", "backslashreplace").decode()


def _cell(char: str) -> str:
    dots = ord(char) - EMPTY_CELL
    if not 0 <= dots <= 0xFF:
        return char
    upper, lower = dots & UPPER_DOTS, dots & ~UPPER_DOTS
    return ":" if upper and lower else "'" if upper else "." if lower else " "


def trimmed(text: str) -> str:
    r"""Lines without blanks at their ends; what sets colours stays.

    >>> trimmed("a  \nb \x1b[0m\n")
    'a\nb\x1b[0m\n'
    """
    return BLANK_END.sub(r"\1", text)


def outcome(comparison: Comparison, next_command: str = "", view: View | None = None) -> None:
    """A comparison that is whole: all of it, and where it ended."""
    board(comparison, view)
    ending(comparison, next_command)


def board(comparison: Comparison, view: View | None = None) -> None:
    """All that a command found: the answers, then arena by arena what they rest on; then what was unmet."""
    from losscli.cli.arena import WIDEST_PROSE
    from losscli.words.answer import answers
    from losscli.words.view import View

    console, view = screen(sys.stdout), view or View()
    sentences = answers(comparison.arenas, comparison.breakdowns)
    listing = Table.grid(padding=(0, 1))
    for sentence in sentences:
        listing.add_row(*(["·"] if sentences[1:] else []), Text(sentence, "bold"))
    console.print(Constrain(listing, WIDEST_PROSE))
    console.print()
    stressed = {at for breakdown in comparison.breakdowns for at in breakdown.arenas}
    alone = [at for at in range(len(comparison.arenas)) if at not in stressed]
    parts = len(comparison.breakdowns) + len(alone)
    if parts > 1 and not view.verbose:
        _in_short(console, comparison, alone, view)
    else:
        _at_length(console, comparison, alone, view)
    unmet(comparison.unmet, sys.stdout)


def _at_length(console: Console, comparison: Comparison, alone: Sequence[int], view: View) -> None:
    """Tables, curves, prose and findings of each breakdown, then of each arena that is in none."""
    from losscli.cli.arena import pieces as arena_pieces
    from losscli.cli.breakdown import pieces as breakdown_pieces
    from losscli.cli.by_class import pieces as class_pieces

    for breakdown in comparison.breakdowns:
        _header(console, comparison.arenas[breakdown.arenas[0]], comparison.device)
        for piece in breakdown_pieces(breakdown, console.width):
            console.print(piece)
        _findings(console, _of_levels([comparison.arenas[at] for at in breakdown.arenas]), view.verbose)
        console.print()
    for at in alone:
        arena = comparison.arenas[at]
        _header(console, arena, comparison.device)
        for piece in arena_pieces(arena, view, console.width, is_plain(sys.stdout)):
            console.print(piece)
        if view.by_class:
            console.print()
            for piece in class_pieces(arena, comparison.by_class(at), console.width):
                console.print(piece)
        _findings(console, [item for item in arena.findings if item.code not in IN_THE_HEADER], view.verbose)
        console.print()


def _in_short(console: Console, comparison: Comparison, alone: Sequence[int], view: View) -> None:
    """The table of each arena where all of them together are short, and how much there is to see of it with -v."""
    from losscli.cli.arena import table
    from losscli.words.view import select

    if sum(len(select(comparison.arenas[at], view).entries) for at in alone) <= MOST_ROWS:
        for at in alone:
            _header(console, comparison.arenas[at], comparison.device)
            for piece in table(comparison.arenas[at], view, console.width):
                console.print(piece)
            console.print()
    findings = [item for arena in comparison.arenas for item in arena.findings if item.code not in IN_THE_HEADER]
    _findings(console, list(dict.fromkeys(item for item in findings if item.severity == GRAVEST)), verbose=False)
    counts = [(sum(item.severity == name for item in findings), name) for name in SEVERITIES]
    noticed = joined([counted(count, name if name != "info" else "note") for count, name in counts if count])
    console.print(Text(f"{noticed + '; ' if noticed else ''}-v shows boards, curves and findings of each", "dim"))
    console.print()


def ending(comparison: Comparison, next_command: str = "") -> None:
    """What it took, where the record is, and what to do next."""
    console = screen(sys.stdout)
    if cost := _cost(comparison):
        console.print(Text.assemble(("cost     ", "bold"), cost), soft_wrap=True)
    if comparison.record:
        console.print(Text.assemble(("record   ", "bold"), visible(comparison.record, 400)), soft_wrap=True)
    if next_command:
        console.print(Text.assemble(("next     ", "bold"), visible(next_command, 400)), soft_wrap=True)


def _cost(comparison: Comparison) -> str:
    """The time of training, which workers may share, and the memory of the largest process."""
    from losscli.words.numbers import duration

    seconds, peak = (comparison.timing.get(name) for name in ("train_seconds", "peak_memory_bytes"))
    if seconds is None or peak is None or not math.isfinite(seconds + peak) or not seconds:
        return ""
    where = "of the GPU" if comparison.device.startswith("cuda") else "a process"
    return f"{duration(seconds)} of training in all; at most {peak / 1e6:.0f} MB {where}"


def trained_on(machines: Mapping[str, int]) -> None:
    """What trained it: numbers are the same to the last bit on machines of one kind."""
    kinds = [f"{visible(kind, 100)} ({counted(count, 'stack')})" for kind, count in machines.items()]
    if kinds:
        screen(sys.stdout).print(Text.assemble(("machine  ", "bold"), ", ".join(kinds)), soft_wrap=True)


def pieces(renderables: Iterable[RenderableType]) -> None:
    """Tables, texts and curves that a command put together, on stdout."""
    console = screen(sys.stdout)
    for piece in renderables:
        console.print(piece)


def lines(texts: Iterable[Text]) -> None:
    """Texts on stdout, a line each, however long it is."""
    console = screen(sys.stdout)
    for text in texts:
        console.print(text, soft_wrap=True)


def paths(files: Iterable[Path]) -> None:
    """Where what was asked for is, on stdout, a line each."""
    lines(Text(visible(path.as_posix(), 400)) for path in files)


def next_step(command: str) -> None:
    """What to type next, on one line whatever the width, to be copied."""
    screen(sys.stdout).print(Text.assemble(("\nnext     ", "bold"), visible(command, 1000)), soft_wrap=True)


def machine(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout, for programs."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def paper(text: str) -> None:
    """A file's text on stdout, as it is; on a terminal, with what could move its cursor or turn its text made visible."""
    sys.stdout.write(_harmless(text) if sys.stdout.isatty() else text)


def rows(data: bytes) -> None:
    """A table's bytes on stdout, likewise."""
    if sys.stdout.isatty():
        paper(data.decode())
    else:
        sys.stdout.buffer.write(data)
    sys.stdout.flush()


def _harmless(text: str) -> str:
    """Line ends and tabs stay: they are the text's own."""
    return "".join(part if part in "\n\t" else visible(part, len(part) * 10) for part in re.split("([\n\t])", text))


def problems(errors: Sequence[Problem]) -> None:
    """What is wrong, each with its place, on stderr; a cure is told once, after the last problem that it is for.

    On a terminal, lines are as wide as that is; a log keeps each message on its line, to be searched.
    """
    console = screen(sys.stderr)
    width = console.width if sys.stderr.isatty() else None
    for problem, following in zip(errors, [*errors[1:], None], strict=True):
        message = _hanging(_lines(problem.message), width)
        console.print(Text.assemble(("error: ", RED), message), soft_wrap=True)
        if problem.place:
            console.print(Text(f"  at:  {visible(problem.place, 400)}"), soft_wrap=True)
        if problem.cure and (following is None or problem.cure != following.cure):
            console.print(Text(f"  try: {_hanging(_lines(problem.cure), width)}"), soft_wrap=True)


def _hanging(text: str, width: int | None, indent: int = 7) -> str:
    """Text that follows a word of `indent` columns, its lines below each other; words, and so commands, stay whole."""
    if width is None:
        return text
    room = max(width - indent, 20)
    wrapped = [wrap(line, room, break_long_words=False, break_on_hyphens=False) or [""] for line in text.split("\n")]
    return ("\n" + " " * indent).join(line for lines in wrapped for line in lines)


def notice(text: str) -> None:
    """Something worth knowing that is neither a result nor an error, on stderr."""
    screen(sys.stderr).print(Text(f"notice: {visible(text, 400)}"), soft_wrap=True)


def progress_line(text: str) -> None:
    """How far the training is, for a log, on stderr."""
    screen(sys.stderr).print(Text(visible(text, 400)), soft_wrap=True)


def unmet(expectations: Sequence[str], stream: IO[str] | None = None) -> None:
    """What a spec expected and did not get; on stderr unless another stream is given."""
    console = screen(stream or sys.stderr)
    for expectation in expectations:
        console.print(Text.assemble(("unmet    ", RED), visible(expectation, 200)), soft_wrap=True)


def _header(console: Console, arena: Arena, device: str) -> None:
    from losscli.words.phrases import facts

    line = [fact for fact in (arena.task, *facts(arena), device) if fact]
    console.print(Text.assemble((visible(arena.data), "bold"), " · " + " · ".join(map(visible, line))))
    mapping = _mapping(arena)
    if mapping:
        console.print(Text(mapping, "dim"))
    console.print()


def _mapping(arena: Arena, most: int = 10) -> str:
    """The user's label of each class, or the names of the target columns; nothing where they are 0, 1, 2 anyway."""
    if list(arena.labels) == [str(index) for index in range(len(arena.labels))]:
        return ""
    from losscli.tasks import tasks

    legend = tasks.get(arena.task).legend([visible(label, 40) for label in arena.labels])
    return f"target: {listed(legend, most)}" if legend else ""


def _of_levels(arenas: Sequence[Arena]) -> list[Finding]:
    """What was noticed at any level, once; not what was done on purpose, which the table tells."""
    findings = dict.fromkeys(finding for arena in arenas for finding in arena.findings)
    return [finding for finding in findings if finding.code not in (*IN_THE_HEADER, "corrupted")]


def _findings(console: Console, findings: Sequence[Finding], verbose: bool = True) -> None:
    """The gravest first: the message beside its severity, its cure below; each on a line of its own, if not `verbose`."""
    grid, cut = Table.grid(padding=(0, 1)), False
    room = max(20, console.width - 1 - max((len(finding.severity) for finding in findings), default=0))
    for finding in by_gravity(findings):
        whole = message, cure = _lines(finding.message), _lines(finding.cure and f"try: {finding.cure}")
        if not verbose:
            message, cure = shortened(message, room if cure else 2 * room - 20), shortened(cure, room)
            cut = cut or (message, cure) != whole
        text = Text.assemble(message, (f"\n{cure}" if cure else "", "dim"))
        grid.add_row(Text(finding.severity, SEVERITIES[finding.severity].terminal), text)
    if findings:
        console.print()
        console.print(grid)
    if cut:
        console.print(Text("-v shows them in full", "dim"))


def shortened(text: str, width: int) -> str:
    """As many whole words of a text as a width holds.

    >>> shortened("one two three four", 12), shortened("one two", 12)
    ('one two ...', 'one two')
    """
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    return f"{text[: width - 3].rpartition(' ')[0] or text[: width - 4]} ..."


def _lines(text: str) -> str:
    """A message of losscli: its own line ends stay, anything else invisible in it is foreign and made visible."""
    return "\n".join(visible(line, 2000) for line in text.split("\n"))
