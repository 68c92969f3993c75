"""Titles say what is drawn, and no more than that."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from losscli.compare.regions import _bytes
from losscli.compare.result import Point
from losscli.reports.contents import ReportContents, Sample
from losscli.reports.figures import Chart, View, figures, tells
from losscli.reports.html import contents_of, html_of, in_rows
from losscli.reports.recall import recall
from losscli.reports.titles import extreme

MakeRecord = Callable[..., Path]


@pytest.fixture(scope="module")
def contents(record_of: MakeRecord) -> ReportContents:
    """bce-logits (the reference), focal gamma=2, hinge."""
    return contents_of(recall(record_of()))[0]


@pytest.mark.parametrize(
    ("values", "adjective", "title"),
    [
        ({"bce-logits": 0.9, "hinge": 0.95}, "largest", "hinge has the largest area, 0.95; bce-logits has 0.9"),
        ({"bce-logits": 0.9, "hinge": 0.95}, "smallest", "bce-logits has the smallest area, 0.9"),
        ({"bce-logits": 0.9, "hinge": 0.902}, "largest", "The area is about 0.902 for all"),
        ({"focal gamma=2": 0.5, "hinge": math.nan}, "largest", "The area is 0.5"),
        ({"focal gamma=2": 0.5, "hinge": 0.7}, "largest", "hinge has the largest area, 0.7"),
        ({"hinge": math.nan}, "largest", ""),
    ],
)
def test_the_extreme_is_named_beside_the_reference(
    contents: ReportContents, values: dict[str, float], adjective: str, title: str
) -> None:
    assert extreme(contents, values, "area", adjective) == title


def test_a_name_is_text_in_a_title(contents: ReportContents) -> None:
    """Titles reach the page as text: what Plotly would read as HTML must not be written for it."""
    evil = "<b>&\u202e"
    entries = [replace(entry, entry=evil) if entry.entry == "hinge" else entry for entry in contents.arena.entries]
    renamed = replace(contents, arena=replace(contents.arena, entries=entries))
    assert extreme(renamed, {evil: 1.0, "bce-logits": 0.0}, "x").startswith("<b>&\\u202e has")


CURVES = {
    "hinge is best by epoch 2, and worse later": {"hinge": [0.5, 0.9, 0.8, 0.7, 0.6]},
    "hinge and focal gamma=2 had not levelled off at the end": {
        "hinge": [0.5, 0.6, 0.7, 0.8, 0.9],
        "focal gamma=2": [0.1, 0.2, 0.3, 0.5, 0.9],
    },
    "All have levelled off": {},
}


@pytest.mark.parametrize("title", CURVES)
def test_learning_curves_say_who_passed_a_peak(contents: ReportContents, title: str) -> None:
    level = [0.5, 0.8, 0.9, 0.9, 0.9]
    runs = [
        replace(
            run,
            history=[
                Point(n, "valid", "accuracy", value) for n, value in enumerate(CURVES[title].get(run.entry, level), 1)
            ],
        )
        for run in contents.arena.runs
    ]
    chart = figures.get("learning").draw(replace(contents, arena=replace(contents.arena, runs=runs)))
    assert chart is not None
    words = chart.views["accuracy"].title
    assert sorted(words.replace(",", "").split()) == sorted(title.replace(",", "").split())  # in the order of the arena
    assert chart.views["accuracy"].measure == "accuracy on the valid split, mean over 3 seeds"


def test_the_commonest_mistake_is_said(contents: ReportContents) -> None:
    """Of 4 rows of class a, 1 is taken for b; of 10 rows of class b, 2 for a: a share of 25 % is more than 20 %."""
    truth = np.array([0] * 4 + [1] * 10)
    decided = np.where(np.isin(np.arange(14), [0, 5, 6]), 1 - truth, truth)
    sample = Sample(0, np.arange(14), truth[:, None].astype(float), decided[:, None] * 0.8 + 0.1, "probabilities")
    arena = replace(contents.arena, labels=["a", "b"])
    chart = figures.get("confusion").draw(replace(contents, arena=arena, samples={"hinge": [sample]}))
    assert chart is not None
    assert chart.first.title == "The commonest mistake: b instead of a, in 25 % of its rows"
    right = replace(sample, prediction=sample.truth * 0.8 + 0.1)
    assert figures.get("confusion").draw(replace(contents, arena=arena, samples={"hinge": [right]})) is None


def test_bars_that_an_eye_cannot_tell_apart_are_left_out() -> None:
    bars = [{"type": "bar", "entry": entry, "x": ["a", "b"], "y": [1.0, 0.5 + 0.01 * entry]} for entry in range(2)]
    assert not tells(Chart({"": View(bars)}))
    assert tells(Chart({"": View([bars[0], {**bars[1], "y": [1.0, 0.6]}])}))
    assert tells(Chart({"": View(bars[:1])}))
    assert tells(Chart({"": View([{"type": "heatmap", "z": [[1]]}])}))
    assert not tells(Chart({}))


def test_no_row_of_figures_is_half_empty() -> None:
    """Two narrow ones to a row, as high as each other; one that would stand alone is wide."""
    narrow, wide, high = Chart({}), Chart({}, wide=True), Chart({}, height=900)
    rows = in_rows({"a": narrow, "b": high, "c": narrow, "d": wide, "e": narrow})
    assert {name: (chart.wide, chart.height) for name, chart in rows.items()} == {
        "a": (False, 900), "b": (False, 900), "c": (True, 400), "d": (True, 400), "e": (True, 400),
    }  # fmt: skip


def test_the_first_screen_is_the_sentence_the_differences_and_the_board(record_of: MakeRecord) -> None:
    text = html_of(recall(record_of()))
    marks = ["<h1>", 'data-figure="forest"', '<table class="board"', "<details>", 'data-figure="learning"']
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert text.index('<th scope="row">') < text.index('class="verdict') < text.index("data-value")  # beside the name
    alone = html_of(recall(record_of(entries=("focal",))))
    assert "Leaderboard" not in alone
    assert '<th scope="col" class="number">without a model</th>' in alone
    assert alone.index('data-figure="learning"') < alone.index("<details>")


def regions_title(contents: ReportContents, **frames: list[tuple[list[int], list[int]]]) -> str:
    """Of frames over a lattice of four points: (classes, strengths) of each epoch."""
    encoded = {
        name.replace("_", "-"): [
            {"classes": _bytes(np.array(classes)), "strength": _bytes(np.array(strength))} for classes, strength in of
        ]
        for name, of in frames.items()
    }
    epochs = list(range(1, 1 + max(map(len, encoded.values()))))
    kept = {"columns": ["a", "b"], "box": [[0, 1], [0, 1]], "side": 2, "range": [10.0, 20.0], "epochs": epochs,
            "entries": encoded, "rows": [[0.5, 0.5, 1.0]]}  # fmt: skip
    chart = figures.get("regions").draw(replace(contents, arena=replace(contents.arena, why={"regions": kept})))
    assert chart is not None
    assert list(chart.steps) == [f"epoch {epoch}" for epoch in epochs]
    return chart.first.title


def test_regions_say_where_entries_agree(contents: ReportContents) -> None:
    sure = [255] * 4
    both = {"bce_logits": [([0, 0, 0, 0], sure), ([0, 1, 1, 1], sure)], "hinge": [([1, 1, 1, 1], sure)]}
    assert regions_title(contents, **both) == "At the end they decide the same on 75 % of the plane"
    moved = [([0, 0, 0, 0], sure), ([1, 1, 1, 1], sure), ([0, 1, 1, 1], sure), ([0, 1, 1, 1], sure)]
    assert regions_title(contents, hinge=moved) == "From epoch 3 on the border moves little"


def test_regions_of_numbers_say_how_far_they_are_apart(contents: ReportContents) -> None:
    """Bytes 0 and 255 are 10 and 20: apart by 10 on one of four points, by 2 on another."""
    pair = {"bce_logits": [([], [0, 0, 51, 255])], "hinge": [([], [0, 255, 0, 255])]}
    assert regions_title(contents, **pair) == "At the end predictions are 3 apart on average"
    assert regions_title(contents, hinge=[([], [51, 102, 204, 102])]) == "At the end predictions go from 12 to 18"
