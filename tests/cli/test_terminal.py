"""What the terminal shows: all that matters at any width, foreign text as text, characters that the terminal has."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from rich.console import Console

from losscli.cli import show
from losscli.cli.curves import Curves, band, mean_curve
from losscli.compare.result import Arena, RunResult
from losscli.comparison import Comparison
from losscli.errors import Finding, Place, Problem

MakeArena = Callable[..., Arena]
Shown = Callable[..., str]
SCORES = {"bce-logits": [0.80, 0.82, 0.84], "focal gamma=2": [0.81, 0.84, 0.84], "hinge": [0.7, 0.7, 0.7]}
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "LC_ALL", "LC_CTYPE", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


@pytest.fixture
def shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, comparison_of: Callable[..., Comparison]
) -> Shown:
    def make(*arenas: Arena, width: int = 80, hint: str = "", record: str | None = None, **facts: list[str]) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        show.outcome(comparison_of(*arenas, record=record, **facts), hint)
        return capsys.readouterr().out

    return make


def squeezed(text: str) -> str:
    """The text without line breaks and padding, for what a narrow terminal breaks up."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_leaderboard_holds_everything(arena_of: MakeArena, shown: Shown, width: int) -> None:
    text = shown(arena_of(SCORES), width=width, hint="losscli compare again", record="runs/0001-x")
    for words in (
        "titanic · binary · rows: 70 train, 15 valid, 15 test · mlp 64-32 · cpu",
        "0 = died, 1 = survived",
        "auroc ↑",
        "log-loss ↓",
        "0.8200 ± 0.0200",
        "+0.0100",
        "-0.1200",
        "too few seeds",
        "reference: bce-logits",
        "record   runs/0001-x",
        "next     losscli compare again",
    ):
        assert words in text, words
    baseline = next(line for line in text.splitlines() if line.startswith("baseline"))
    assert "0.5000" in baseline
    assert max(cell_len(line) for line in text.splitlines()) <= width


def test_no_entry_is_crowned(arena_of: MakeArena, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = shown(arena_of(SCORES), width=120)
    lines = [line for line in text.splitlines() if ESCAPE.sub("", line).startswith(("bce-logits ", "focal", "hinge"))]
    assert len(lines) >= 3
    assert not any("\x1b[1m" in line or "*" in line or "★" in line for line in lines)


def test_diverged_runs_are_counted_beside_the_entry(arena_of: MakeArena, shown: Shown) -> None:
    text = shown(arena_of(SCORES, diverged={"hinge": [0, 2]}))
    assert any("1 of 3" in line for line in text.splitlines() if line.startswith("hinge"))
    assert "warning" in text


def test_one_entry_shows_its_splits_beside_the_baseline(arena_of: MakeArena, shown: Shown) -> None:
    text = shown(arena_of({"bce-logits": [0.80, 0.82, 0.84]}))
    heading = next(line for line in text.splitlines() if line.startswith("metric"))
    auroc = next(line for line in text.splitlines() if line.startswith("auroc"))
    assert heading.split() == ["metric", "train", "valid", "test", "baseline"]
    assert re.findall(r"0\.\d{4} ± 0\.\d{4}|0\.5000", auroc) == [
        "0.8400 ± 0.0200",
        "0.8300 ± 0.0200",
        "0.8200 ± 0.0200",
        "0.5000",
    ]
    assert "loss, mean of 3 seeds" in text
    assert " train" in text
    assert " valid" in text


@pytest.mark.parametrize("width", [20, 1])
def test_a_narrow_terminal_loses_nothing(arena_of: MakeArena, shown: Shown, width: int) -> None:
    text = shown(arena_of(SCORES), width=width)
    if width == 20:
        assert squeezed("too few seeds") in squeezed(text.partition("verdict")[2])
        assert squeezed("10 seeds are advised") in squeezed(text.partition("verdict")[0])
        assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "baseline"[0] in text


def test_a_terminal_without_utf8_gets_ascii(arena_of: MakeArena, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    text = shown(arena_of(SCORES, labels=("Ärger", "無")))
    assert text.isascii()
    assert "0.8200 +-0.0200" in text
    assert "auroc ^" in text
    assert r"0 = \xc4rger, 1 = \u7121" in text
    assert ":" in text[text.index("valid auroc") : text.index("epoch 5")]


@pytest.mark.parametrize("foreign", ["[bold]x[/bold]", "[/x]", "[link=file:///]", ":smile:", "{x}", "100%"])
def test_foreign_text_is_never_markup(arena_of: MakeArena, shown: Shown, foreign: str) -> None:
    finding = Finding("f", "warning", f"column {foreign}", f"drop {foreign}")
    text = shown(
        arena_of({foreign: [0.8], "b": [0.7]}, labels=(foreign, "b"), data=foreign, findings=[finding]),
        hint=f"losscli {foreign}",
        record=f"runs/{foreign}",
        unmet=[f"test.{foreign} > 1"],
        width=120,
    )
    for words in (
        f"{foreign} · binary",
        f"0 = {foreign}",
        f"column {foreign}",
        f"drop {foreign}",
        f"runs/{foreign}",
        f"losscli {foreign}",
        f"test.{foreign} > 1",
        f"\n{foreign} ",
        f"reference: {foreign}",
    ):
        assert words in text, words


@pytest.mark.parametrize(
    ("foreign", "visible"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\rb", r"a\rb"),
        ("a\nb", r"a\nb"),
        ("\u202etxt", r"\u202etxt"),
        ("\x9b1m", r"\x9b1m"),
    ],
)
def test_what_could_steer_the_terminal_is_written_out(
    arena_of: MakeArena, shown: Shown, capsys: pytest.CaptureFixture[str], foreign: str, visible: str
) -> None:
    text = shown(arena_of({foreign: [0.8], "b": [0.7]}, labels=(foreign, "b"), data=foreign), width=120)
    assert text.count(visible) >= 4
    assert foreign not in text
    show.problems([Problem(f"bad {foreign.replace(chr(10), '')}", Place(foreign, 3), f"drop {foreign}")])
    show.notice(foreign)
    errors = capsys.readouterr().err
    assert "\x1b" not in errors
    assert "\u202e" not in errors
    assert f"{visible}:3" in errors


@pytest.mark.parametrize(
    ("environment", "colored"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colours_follow_the_environment(
    arena_of: MakeArena, shown: Shown, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], colored: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    finding = Finding("f", "warning", "careful")
    text = shown(arena_of(SCORES, findings=[finding]))
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", text)) is colored


def test_findings_come_gravest_first(arena_of: MakeArena, shown: Shown) -> None:
    findings = [Finding(code, code, f"{code}!") for code in ("info", "warning", "error")]  # type: ignore[arg-type]
    text = shown(arena_of({"a": [0.5]}, findings=findings))
    assert text.index("error!") < text.index("warning!") < text.index("info!")


def test_labels_that_are_numbers_anyway_are_not_listed(arena_of: MakeArena, shown: Shown) -> None:
    assert "target:" not in shown(arena_of({"a": [0.5]}, labels=("0", "1")))
    labels = tuple(f"class {n}" for n in range(26))
    many = shown(arena_of({"a": [0.5]}, task="multiclass", labels=labels), width=300)
    assert "9 = class 9 and 16 more" in many


# Curves


def test_a_curve_has_the_colour_of_its_name_and_is_not_dimmed(
    arena_of: MakeArena, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = shown(arena_of({"bce-logits": [0.8], "hinge": [0.7]}))
    line = next(line for line in text.splitlines() if ESCAPE.sub("", line).endswith(" hinge"))
    assert "\x1b[33m hinge" in line  # yellow, the second colour
    assert re.search(r"\x1b\[33m[\u2801-\u28ff]", text)


def drawn(curves: dict[str, list[tuple[int, float]]], width: int = 60) -> list[str]:
    console = Console(width=width, color_system=None, file=None)
    with console.capture() as capture:
        console.print(Curves("loss", curves))
    return capture.get().splitlines()


@pytest.mark.parametrize(
    "curve",
    [
        [(1, 0.5)],
        [(1, 0.5), (2, 0.5), (3, 0.5)],
        [(1, 0.0), (2, 0.0)],
        [(1, math.nan), (2, 0.5), (3, math.inf), (4, 0.2), (5, -math.inf)],
        [(1, 1e-300), (2, 1e-290)],
        [(1, -1e299), (2, 1e299)],
        [(1, 1e15), (2, 1e15 + 1)],
        [(epoch, 1 / epoch) for epoch in range(1, 20_000)],
    ],
)
def test_every_curve_can_be_drawn(curve: list[tuple[int, float]]) -> None:
    lines = drawn({"train": curve})
    assert len(lines) == 13  # a title, ten rows, an axis, its ends
    assert any("train" in line for line in lines[1:11])
    assert any("\u2801" <= char <= "\u28ff" for line in lines for char in line)
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize("curves", [{}, {"a": []}, {"a": [(1, math.nan)], "b": [(1, math.inf)]}])
def test_nothing_finite_is_said_in_words(curves: dict[str, list[tuple[int, float]]]) -> None:
    assert drawn(curves) == ["loss: no finite value to draw"]


def test_each_curve_has_its_name_at_its_end() -> None:
    lines = drawn({"low": [(1, 1.0), (5, 0.0)], "high": [(1, 0.0), (5, 1.0)], "also high": [(1, 0.5), (5, 0.99)]})
    assert lines[1].split()[-1] == "high"
    assert lines[2].endswith(" also high")
    assert lines[10].split()[-1] == "low"


def test_curves_beyond_the_colours_are_left_out_and_counted() -> None:
    lines = drawn({f"curve {n}": [(1, n), (2, n)] for n in range(12)})
    assert lines[0] == "loss (8 of 12 drawn)"


def test_the_mean_curve_takes_the_runs_that_are_there_and_whole() -> None:
    from losscli.compare.result import Point

    def run(status: str, values: list[float]) -> RunResult:
        points = [Point(epoch, "valid", "auroc", value) for epoch, value in enumerate(values, start=1)]
        return RunResult("a", 0, status, len(values), 1, {}, points, 0.0)  # type: ignore[arg-type]

    runs = [run("ok", [1.0, 2.0, 3.0]), run("stopped", [3.0, math.nan]), run("diverged", [100.0])]
    assert mean_curve(runs, "valid", "auroc") == [(1, 2.0), (2, 2.0), (3, 3.0)]
    assert mean_curve(runs[2:], "valid", "auroc") == [(1, 100.0)]
    assert mean_curve(runs, "train", "auroc") == []


def test_without_colours_each_curve_carries_its_letter() -> None:
    lines = drawn({"low": [(1, 1.0), (9, 0.0)], "high": [(1, 0.0), (9, 1.0)]}, width=80)
    assert lines[1].endswith(" b high")
    assert lines[10].endswith(" a low")
    plot = "".join(line[:60] for line in lines[1:11])
    assert plot.count("a") >= 3
    assert plot.count("b") >= 3


def test_the_axis_stops_at_zero_where_nothing_is_below() -> None:
    lines = drawn({"train": [(1, 1.5), (5, 0.01)]})
    assert lines[10].split()[0] == "0.000"


def test_nothing_that_is_piped_ends_with_a_blank(arena_of: MakeArena, shown: Shown) -> None:
    finding = Finding("f", "warning", "careful " * 30, "mend it")
    for scores in (SCORES, {"a": [0.5]}):
        text = shown(arena_of(scores, findings=[finding]), hint="again", record="runs/x")
        assert len(text.splitlines()) > 10
        assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_the_verdict_stands_beside_the_difference(arena_of: MakeArena, shown: Shown) -> None:
    scores = {"bce-logits": [0.80, 0.82, 0.84], "focal gamma=2 alpha=0.25 output=logits": [0.81, 0.84, 0.84]}
    text = shown(arena_of(scores))
    (heading,) = [line for line in text.splitlines() if "vs reference" in line]
    assert "auroc" in heading
    assert "verdict" in heading


LONG = "set data.types: {when: date} (--set data.types.when=date); or take the column out: list it under data.drop"


def test_one_cure_of_several_problems_is_told_once_after_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    same = [Problem(f"bad {row}", Place("t.csv", row), "mend it") for row in (1, 2)]
    show.problems([*same, Problem("other", None, "else"), Problem("last", None, "mend it")])
    told = capsys.readouterr().err.splitlines()
    wanted = (
        "error: bad 1|  at:  t.csv:1|error: bad 2|  at:  t.csv:2|  try: mend it|error: other|  try: else|error: last"
    )
    assert told == [*wanted.split("|"), "  try: mend it"]


def test_errors_are_as_wide_as_the_terminal_and_commands_stay_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place("a-long-folder/" * 8 + "t.csv", 12, 3)
    show.problems([Problem(LONG, place, LONG)])
    assert len(capsys.readouterr().err.splitlines()) == 3  # a log keeps its lines
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    show.problems([Problem(LONG, place, LONG)])
    lines = [ESCAPE.sub("", line) for line in capsys.readouterr().err.splitlines()]
    assert f"  at:  {place}" in lines
    assert max(len(line) for line in lines if "t.csv" not in line) <= 60
    assert any("data.types.when=date" in line for line in lines)
    assert {line[:7] for line in lines} == {"error: ", "  at:  ", "  try: ", " " * 7}


def test_the_mean_curve_ends_where_fewer_than_half_of_the_runs_go_on() -> None:
    from losscli.compare.result import Point

    def run(length: int, value: float) -> RunResult:
        points = [Point(epoch, "valid", "rmse", value) for epoch in range(1, length + 1)]
        return RunResult("a", 0, "stopped", length, 1, {}, points, 0.0)  # type: ignore[arg-type]

    runs = [run(2, 3.0), run(2, 3.0), run(3, 1.0), run(9, 1.0), run(4, 1.0)]  # the lucky one alone would look best
    assert mean_curve(runs, "valid", "rmse") == [(1, 1.8), (2, 1.8), (3, 1.0)]
    assert [epoch for epoch, _, _ in band(runs, "valid", "rmse")] == [1, 2, 3]
