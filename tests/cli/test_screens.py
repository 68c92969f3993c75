"""Whole screens at 60, 80 and 120 columns: the sentence first, then table, curves, prose and findings; nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from rich.cells import cell_len

from losscli.cli import show
from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.errors import Finding
from losscli.words.answer import answer
from losscli.words.paragraph import brief, paragraph
from losscli.words.view import View

MakeArena = Callable[..., Arena]
Make = Callable[..., Comparison]
LONG = (
    "one seed lies far from the others in the differences of gce: such differences are told apart by chance more often"
)
FINDINGS = [
    Finding(
        "odd-seed",
        "info",
        f"{LONG} than five of a hundred times, which is what a verdict allows for",
        f"look at {LONG}",
    ),
    Finding("diverged", "warning", "2 of 8 runs diverged", "a lower learning rate"),
]
BASE = [0.80, 0.81, 0.82, 0.83, 0.84, 0.85, 0.86, 0.87]
SCORES = {
    "cross-entropy": BASE,
    "cross-entropy label_smoothing=0.1": [value + 0.05 for value in BASE],
    "focal alpha=0.25 gamma=2": [value - 0.05 for value in BASE],
    "generalised-cross-entropy": BASE,
}
WIDTHS = [60, 80, 120]


@pytest.fixture
def screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, comparison_of: Make
) -> Callable[..., str]:
    for name in ("NO_COLOR", "FORCE_COLOR", "LC_ALL", "LC_CTYPE", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")

    def make(*arenas: Arena, width: int, view: View | None = None) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        show.outcome(comparison_of(*arenas), view=view)
        return capsys.readouterr().out

    return make


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[^\s⠀-⣿]+", text))


def arena(arena_of: MakeArena, **facts: object) -> Arena:
    return arena_of(SCORES, resampled=False, findings=FINDINGS, **facts)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("verbose", [False, True])
def test_a_screen_has_its_order_and_fits(
    arena_of: MakeArena, screen: Callable[..., str], width: int, verbose: bool
) -> None:
    shown = arena(arena_of)
    text = screen(shown, width=width, view=View(verbose=verbose))
    assert max(cell_len(line) for line in text.splitlines()) <= width
    flat = " ".join(text.split())
    assert flat.startswith(answer(shown))
    prose = paragraph(shown) if verbose else brief(shown)
    places = [flat.index(part) for part in ("entry verdict", "valid auroc, mean", prose, "warning 2 of 8 runs")]
    assert places == sorted(places)
    assert words_of(prose) | {word for name in SCORES for word in name.split()} <= words_of(text)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_verdict_stands_beside_the_name(arena_of: MakeArena, screen: Callable[..., str], width: int) -> None:
    lines = screen(arena(arena_of), width=width).splitlines()
    heading = next(line for line in lines if line.startswith("entry"))
    assert heading.split()[:2] == ["entry", "verdict"]
    assert any(re.match(r"focal .*worse", line) for line in lines)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_finding_takes_two_lines_and_all_of_them_with_v(
    arena_of: MakeArena, screen: Callable[..., str], width: int
) -> None:
    text = screen(arena(arena_of), width=width)
    notes = text[text.index("warning 2 of 8") :].strip().splitlines()
    assert [line.split()[0] for line in notes] == ["warning", "try:", "info", "try:", "-v"]
    assert all(line.endswith(" ...") for line in notes[2:4])
    assert LONG not in " ".join(text.split())
    assert " ".join(screen(arena(arena_of), width=width, view=View(verbose=True)).split()).count(LONG) == 2


@pytest.mark.parametrize("width", WIDTHS)
def test_of_several_arenas_a_line_each_comes_first(arena_of: MakeArena, screen: Callable[..., str], width: int) -> None:
    arenas = [arena(arena_of, data=f"data{place}") for place in range(20)]
    text = screen(*arenas, width=width)
    flat = " ".join(text.split())
    places = [flat.index(answer(one)) for one in arenas]
    assert places == sorted(places)
    assert len(text.splitlines()) < (150 if width > 60 else 190)
    assert "entry verdict" not in flat  # so many tables are for -v
    assert "20 warnings and 20 notes; -v shows" in flat
    few = screen(*arenas[:3], width=width)
    assert " ".join(few.split()).count("entry verdict") == 3
    assert "valid auroc" not in few
    assert screen(*arenas[:3], width=width, view=View(verbose=True)).count("valid auroc") == 3


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_without_colours_the_same_is_said(
    arena_of: MakeArena, screen: Callable[..., str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = arena(arena_of)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    text = screen(shown, width=80)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", text)
    assert "better" in text
    assert " ".join(re.sub(r"\x1b\[[0-9;]*m", "", text).split()).startswith(answer(shown))


@pytest.mark.parametrize("width", WIDTHS)
def test_one_entry_and_no_entry_left(arena_of: MakeArena, screen: Callable[..., str], width: int) -> None:
    alone, dead = arena_of({"focal": BASE}), arena_of({"a": BASE, "b": BASE}, {"a": range(8), "b": range(8)})
    for shown in (alone, dead):
        text = screen(shown, width=width)
        assert " ".join(text.split()).startswith(answer(shown))
        assert max(cell_len(line) for line in text.splitlines()) <= width
    assert text.index("entry") > text.index("Nothing can be compared")
