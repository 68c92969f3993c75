"""What the terminal shows of an arena beyond the table itself: verdicts in colour, order, what tuning chose, bands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from losscli.cli import show
from losscli.cli.arena import pieces
from losscli.cli.curves import Curves, band
from losscli.compare.result import Arena, Point, RunResult
from losscli.comparison import Comparison
from losscli.words.paragraph import brief, paragraph
from losscli.words.view import View

MakeArena = Callable[..., Arena]
SCORES = {"bce-logits": [0.80, 0.82, 0.84], "focal gamma=2": [0.81, 0.84, 0.84], "hinge": [0.7, 0.7, 0.7]}
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
GREEN, RED = "\x1b[32m", "\x1b[31m"


def told(arena: Arena, view: View | None = None, width: int = 120, plain: bool = False, colors: bool = False) -> str:
    console = Console(width=width, color_system="standard" if colors else None, force_terminal=colors)
    with console.capture() as capture:
        for piece in pieces(arena, view or View(), width, plain):
            console.print(piece)
    return capture.get()


def rows(text: str) -> list[str]:
    """The first words of the lines of the first table."""
    table = text[text.index("entry ") :].split("\n\n")[0].splitlines()[2:]
    table = table[: 1 + max(at for at, line in enumerate(table) if line.startswith("baseline"))]
    return [line.split("  ")[0].strip() for line in table if line.strip()]


def with_verdicts(arena: Arena, *verdicts: str) -> Arena:
    entries = [replace(entry, verdict=verdict) for entry, verdict in zip(arena.entries, verdicts, strict=True)]
    return replace(arena, entries=entries)


def test_only_a_verdict_gives_an_entry_a_colour(arena_of: MakeArena) -> None:
    arena = with_verdicts(arena_of(SCORES), "reference", "better", "worse")
    text = told(arena, View(verbose=True), colors=True)
    table = text[text.index("vs reference") : text.index("higher is better")]
    assert [cell.strip() for cell in re.findall(rf"{re.escape(GREEN)}([^\x1b]*)", table)] == ["better"]
    assert [cell.strip() for cell in re.findall(rf"{re.escape(RED)}([^\x1b]*)", table)] == ["worse"]
    others = told(
        with_verdicts(arena_of(SCORES), "reference", "equivalent", "inconclusive"), View(verbose=True), colors=True
    )
    assert others.index("vs reference") < others.index("higher is better")
    assert GREEN not in others[others.index("vs reference") : others.index("higher is better")]


def test_the_paragraph_stands_below_and_is_no_wider_than_an_eye_follows(arena_of: MakeArena) -> None:
    arena = arena_of(SCORES)
    text = told(arena, View(verbose=True), width=200)
    assert " ".join(text.split()).endswith(" ".join(paragraph(arena).split()))
    prose = text[text.rindex("\n\n") :].splitlines()
    assert len(prose) > 3
    assert max(map(cell_len, prose)) <= 100
    assert " ".join(told(arena).split()).endswith(brief(arena))


@pytest.mark.parametrize("seeds", [1, 3, 12])
@pytest.mark.parametrize("shifts", [(0.0,), (0.0, 0.1), (0.0, -0.1, 0.1, 0.0, 0.001), (0.0, 0.0)])
def test_what_is_said_at_first_is_at_most_half_as_long(
    arena_of: MakeArena, seeds: int, shifts: tuple[float, ...]
) -> None:
    for baseline in (0.5, 0.95):
        scores = {f"l{at}": [0.8 + by + seed / 1000 for seed in range(seeds)] for at, by in enumerate(shifts)}
        arena = arena_of(scores, resampled=False, baseline={"test": {"auroc": baseline}})
        assert len(brief(arena)) <= len(paragraph(arena)) / 2
        assert brief(arena) == "" or all(part in paragraph(arena) for part in brief(arena).split(". ")[1:])


def test_arrows_are_explained_and_time_is_honest(arena_of: MakeArena) -> None:
    text = told(arena_of(SCORES), View(verbose=True))
    assert "↑ higher is better, ↓ lower is better" in text
    assert "time share: of its stack's time an even share, so it does not tell losses apart\n" in text
    assert "higher is better" not in told(arena_of(SCORES))


def test_order_and_cut_are_said_and_rank_nothing(arena_of: MakeArena) -> None:
    arena = arena_of({"a": [0.7], "b": [0.9], "c": [0.8]})
    assert rows(told(arena)) == ["a", "b", "c", "baseline"]
    text = told(arena, View(sort="auroc", top=1))
    assert rows(text) == ["b", "a", "baseline"]
    assert "2 of 3 entries shown, sorted by auroc, which is no ranking" in text
    assert "1." not in text[text.index("entry") : text.index("test split")]


def test_only_the_metrics_that_were_asked_for_are_shown(arena_of: MakeArena) -> None:
    text = told(arena_of(SCORES), View(metrics=("accuracy",)))
    assert "accuracy ↑" in text
    assert "auroc ↑" in text
    assert "log-loss" not in text


def test_what_tuning_chose_is_told(arena_of: MakeArena) -> None:
    arena = arena_of(SCORES)
    counts = {"lr": {"0.001": 2, "0.01": 1}, "gamma": {"1": 0, "2": 3}}
    tuned = replace(arena, entries=[replace(arena.entries[0], tuned=counts), *arena.entries[1:]])
    text = told(tuned, View(verbose=True))
    assert "bce-logits  lr: 0.001 in 2 of 3 seeds, 0.01 in 1; gamma: 2 in 3 of 3 seeds" in text
    assert "it counts every candidate of tuning" in text
    assert "tuned" not in told(arena)
    alone = replace(tuned, entries=tuned.entries[:1], runs=[run for run in tuned.runs if run.entry == "bce-logits"])
    assert "lr: 0.001 in 2 of 3 seeds" in told(alone)


@pytest.mark.parametrize("width", [80, 120])
def test_forty_entries_with_long_names_fit(arena_of: MakeArena, width: int) -> None:
    scores = {f"asymmetric gamma_neg={n} gamma_pos=1 clip=0.05": [0.8 + n / 1000] * 3 for n in range(40)}
    text = told(arena_of(scores), width=width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert len(set(re.findall(r"gamma_neg=(\d+)", text))) == 40
    assert "(8 of 40 drawn)" in text


def test_the_leaderboard_of_nothing_but_diverged_runs_is_whole(arena_of: MakeArena) -> None:
    text = told(arena_of({"a": [0.8] * 3, "b": [0.7] * 3}, diverged={"a": [0, 1, 2], "b": [0, 1, 2]}))
    assert "every run diverged" in text
    assert text.count("0 of 3") == 2


def test_a_view_reaches_the_terminal(
    arena_of: MakeArena, comparison_of: Callable[..., Comparison], capsys: pytest.CaptureFixture[str]
) -> None:
    show.outcome(comparison_of(arena_of(SCORES)), view=View(top=1))
    assert "1 of 3 entries shown" in capsys.readouterr().out


# Bands


def run_of(seed: int, values: list[float]) -> RunResult:
    points = [Point(epoch, "valid", "auroc", value) for epoch, value in enumerate(values, start=1)]
    return RunResult("a", seed, "ok", len(values), 1, {}, points, 0.0)


def test_a_band_is_one_standard_deviation_by_hand() -> None:
    assert band([run_of(0, [1.0, 5.0, 1.0]), run_of(1, [3.0, 5.0])], "valid", "auroc") == [
        (1, pytest.approx(2 - 2**0.5), pytest.approx(2 + 2**0.5)),
        (2, 5.0, 5.0),
    ]  # the third epoch has one run only


def dots(lines: list[str]) -> int:
    return sum(bin(ord(char) - 0x2800).count("1") for line in lines for char in line if "\u2800" <= char <= "\u28ff")


def drawn(**facts: object) -> list[str]:
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(Curves("auroc", {"a": [(1, 0.0), (40, 1.0)]}, **facts))  # type: ignore[arg-type]
    return capture.get().splitlines()


def test_a_band_is_shaded_lightly_and_where_it_is() -> None:
    bare, shaded = drawn(), drawn(bands={"a": [(1, 0.5, 1.0), (40, 0.5, 1.0)]})  # the upper half
    assert len(bare) == len(shaded) == 13
    added = [dots([line]) - dots([empty]) for empty, line in zip(bare[1:11], shaded[1:11], strict=True)]
    assert all(20 <= more <= 8 * 84 / 8 for more in added[1:4])  # at most every eighth dot of the 84 cells
    assert added[6:] == [0, 0, 0, 0]


def test_without_utf8_there_is_no_shading(arena_of: MakeArena) -> None:
    arena = arena_of({"bce-logits": [0.80, 0.82, 0.84], "hinge": [0.7, 0.8, 0.9]})
    assert "(dotted: ± sd)" in told(arena)
    assert "dotted" not in told(arena, plain=True)
    assert "(dotted: ± sd of bce-logits)" in told(arena_of(SCORES))
    assert dots(told(arena).splitlines()) > dots(told(arena, plain=True).splitlines())


def test_a_steep_beginning_leaves_room_for_what_tells_curves_apart() -> None:
    steep = [(1, 0.0), *((epoch, 0.9 + epoch / 1000) for epoch in range(2, 41))]
    console = Console(width=100, color_system=None)
    for settling, lowest in ((0.0, "0.0000"), (0.1, "0.90")):
        with console.capture() as capture:
            console.print(Curves("auroc", {"a": steep}, settling=settling))
        assert capture.get().splitlines()[10].split()[0].startswith(lowest)


@pytest.mark.parametrize("names", [SCORES, {f"focal alpha=0.25 gamma={n}": [0.8, 0.82, 0.79] for n in range(20)}])
def test_at_80_columns_a_verdict_is_a_word_beside_its_difference(
    arena_of: MakeArena, names: dict[str, list[float]]
) -> None:
    text = told(arena_of(names), width=80)
    table = text.split("\n\n")[0]
    assert "vs reference" in table
    assert table.count("too few seeds") == len(names) - 1
    assert "more" not in table
    wide = told(arena_of(SCORES), width=120)
    assert wide.count("too few seeds, 7 more") == 2


def test_a_verdict_on_another_metric_stands_beside_it(arena_of: MakeArena) -> None:
    scores = [0.80, 0.82, 0.79, 0.84, 0.81, 0.83]
    arena = arena_of({"a": scores, "b": [score + 0.05 for score in scores]}, resampled=False)
    line = next(line for line in told(arena, width=160).splitlines() if line.startswith("b "))
    assert re.search(r"0\.7650 ± 0\.0187 better", line)  # accuracy
    assert not re.search(r"0\.8650 ± 0\.0187 better", line)  # the headline has a column for its verdict
