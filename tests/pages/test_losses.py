"""The page of losses in hand: what is turned and dragged, and what is said of a point."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from losscli.explain.catalogue import named
from losscli.explain.dials import families
from losscli.explain.html import write_page
from losscli.explain.page import page as explained
from losscli.pages.chromium import Chromium

Options = Mapping[str, Mapping[str, Any]]
PULL = re.compile(
    r"pulls .+ (?P<way>up|down)(?: with (?P<share>[\d.]+) of its (full strength|strength at (?P<end>[−\d.]+)))?"
)


def written(path: Path, task: str, options: Options, rename: Mapping[str, str] | None = None) -> Path:
    items = named(list(options), task)
    sets = [[options[name]] for name in options]
    pages = [explained(item, of) for item, of in zip(items, sets, strict=True)]
    content = json.dumps(
        [[page.to_json() for page in pages], [family.to_json() for family in families(pages, items, sets)]]
    )
    for name, other in (rename or {}).items():
        content = content.replace(json.dumps(name), json.dumps(other))
    write_page(path, *json.loads(content))
    return path


class Hand:
    """A page that is open, and what one does with it."""

    def __init__(self, browser: Chromium, path: Path):
        self.value = browser.value
        self.tell = browser.tell
        browser.resize(1280, 900, False)
        browser.open(path)
        browser.wait_for("document.documentElement.dataset.ready === 'true'")
        self.value("Drawing.finish()")

    def point(self, place: float) -> dict[str, list[str]]:
        """What the table says there: by name, the loss, the slope, and what is felt."""
        self.value(f"point.value = {place}; point.dispatchEvent(new Event('input'))")
        return self.said()

    def said(self) -> dict[str, list[str]]:
        rows = self.value(
            "[...document.querySelectorAll('.felt:not(.titles)')].map((row) => [...row.children].map((part) => part.innerText))"
        )
        return {name.strip(): rest for name, *rest in rows}

    def turn(self, label: str, place: int) -> None:
        self.value(
            f"(() => {{ const dial = document.querySelector(`[aria-label={json.dumps(label)}]`);"
            f" dial.value = {place}; dial.dispatchEvent(new Event('input')); }})()"
        )


@pytest.fixture(scope="module")
def margins_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    options: Options = {"focal": {"gamma": 2.0}, "hinge": {}, "bce-logits": {}}
    return written(tmp_path_factory.mktemp("margins") / "page.html", "binary", options)


@pytest.fixture
def margins(browser: Chromium, margins_page: Path) -> Hand:
    return Hand(browser, margins_page)


def test_a_point_says_what_the_losses_are_there(margins: Hand) -> None:
    said = margins.point(-2)
    assert said["hinge"] == ["3", "−1", "pulls the margin up at full strength, as hard as for any row further left"]
    assert said["bce-logits"][:2] == ["2.13", "−0.881"]  # log(1 + e^2); sigmoid(-2) - 1
    assert said["focal gamma=2"][0] == "1.65"  # sigmoid(2)^2 times the same
    assert margins.point(3)["hinge"] == ["0", "0", "nothing: this row is ignored"]
    corner = margins.point(1)["hinge"]
    assert corner == ["0", "−1 | 0", "a corner: a pull up of 1 just left of it, nothing just right"]


def test_a_dial_moves_the_line_and_its_name(margins: Hand) -> None:
    margins.point(-1)
    margins.turn("gamma of focal", 0)
    said = margins.said()
    assert said["focal gamma=0"][:2] == said["bce-logits"][:2] == ["1.31", "−0.731"]
    margins.value("Drawing.finish()")
    assert margins.value("document.getElementById('loss').data[0].name") == "focal gamma=0"
    drawn = margins.value(
        "['loss', 'slope'].map((id) => document.getElementById(id).data.map((trace) => [trace.x, trace.y]))"
    )
    for part in drawn:
        assert part[0] == part[2]
    margins.turn("gamma of focal", 4)
    assert "focal gamma=2" in margins.said()


def test_the_point_is_dragged_along(margins: Hand) -> None:
    """To where the margin is 0.5, by what the axis says; the page does not select or zoom."""
    margins.point(-2)
    margins.value("scrollTo(0, document.getElementById('loss').getBoundingClientRect().top + scrollY - 100)")
    place = (
        "(() => {{ const plot = document.getElementById('loss'); const box = plot.getBoundingClientRect();"
        " const axis = plot._fullLayout.xaxis; return [box.left + axis._offset + axis.d2p({}), box.top + 90]; }})()"
    )
    for kind, at in (("mousePressed", -2), ("mouseMoved", -1), ("mouseMoved", 0.5), ("mouseReleased", 0.5)):
        x, y = margins.value(place.format(at))
        margins.tell(
            "Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        )
    assert margins.value("point.valueAsNumber") == pytest.approx(0.5)
    assert margins.said()["hinge"][:2] == ["0.5", "−1"]
    assert margins.value("document.getElementById('loss').data.at(-1).x") == [0.5, 0.5, 0.5]
    assert margins.value("document.getElementById('loss').layout.xaxis.range") == [-4, 4]


def test_a_chip_takes_a_loss_out_and_puts_it_back(margins: Hand) -> None:
    chip = "[...document.querySelectorAll('.chip')].find((chip) => chip.textContent === 'hinge')"
    margins.value(f"{chip}.click()")
    assert "hinge" not in margins.said()
    assert margins.value(f"{chip}.getAttribute('aria-pressed')") == "false"
    margins.value(f"{chip}.click()")
    assert "hinge" in margins.said()


@pytest.fixture(scope="module")
def residuals_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    options: Options = {
        "mse": {}, "mae": {}, "quantile": {"tau": 0.9}, "tukey-biweight": {"c": 2.0}, "huber": {}, "gamma-nll": {},
        "cauchy": {}, "rmse": {}, "multi-quantile": {},
    }  # fmt: skip
    return written(tmp_path_factory.mktemp("residuals") / "page.html", "regression", options)


@pytest.fixture
def residuals(browser: Chromium, residuals_page: Path) -> Hand:
    return Hand(browser, residuals_page)


@pytest.mark.parametrize(
    ("name", "place", "sentence"),
    [
        ("mse", 0, "nothing: the loss is lowest here"),
        ("mse", 1, "pulls the prediction down with 0.25 of its strength at −4, and harder beyond"),
        ("mae", -3, "pulls the prediction up at full strength, as hard as for any row further left"),
        ("mae", 0, "a corner: a pull up of 1 just left of it, a pull down of 1 just right"),
        ("quantile", 2, "pulls the prediction down with 0.11 of its full strength, as for any row further right"),
        ("tukey-biweight", 3, "nothing: this row is ignored"),
        ("huber", 0.5, "pulls the prediction down with 0.50 of its full strength"),
        ("cauchy", 1.4, "pulls the prediction down at full strength: nowhere harder"),
        ("gamma-nll", -3, "nothing: such a prediction cannot be"),  # its target is 2, and no prediction is below 0
    ],
)
def test_what_is_felt(residuals: Hand, name: str, place: float, sentence: str) -> None:
    assert sentence_of(residuals, name, place) == sentence


def sentence_of(hand: Hand, name: str, place: float) -> str:
    family = f"(await data()).families.find((family) => family.name === '{name}')"
    data = "const data = async () => JSON.parse(await unpacked('data'));"
    first = "family.lines[family.dials.reduce((sum, dial, at) => sum * dial.labels.length + family.entries[0].places[at], 0)][0]"
    return str(
        hand.value(f"(async () => {{ {data} const family = {family}; return felt({first}, {place}, family); }})()")
    )


@pytest.mark.parametrize("hand", ["margins", "residuals"])
def test_every_sentence_is_true_of_the_numbers(hand: str, request: pytest.FixtureRequest) -> None:
    """At each position of each dial: the direction is against the slope, and the share is that of the largest slope."""
    every = request.getfixturevalue(hand).value(
        "unpacked('data').then((text) => JSON.parse(text).families.flatMap((family) => family.lines.flat().flatMap((line) =>"
        " line.at.filter((_, at) => at % 23 === 0).map((place) => [felt(line, place, family), place, line]))))"
    )
    assert len(every) > 300
    for sentence, place, line in every:
        slopes = [slope for at, slope in zip(line["at"], line["slope"], strict=True) if at == place]
        whole = [slope for slope in line["slope"] if slope is not None]
        peak = max(map(abs, whole))
        if None in slopes:
            assert sentence.startswith("a corner: ")
            continue
        slope = slopes[0]
        if sentence.startswith("nothing"):
            assert slope == 0
            continue
        match = PULL.search(sentence)
        assert match is not None, sentence
        assert match["way"] == ("up" if slope < 0 else "down")
        if match["share"]:
            assert float(match["share"]) == pytest.approx(abs(slope) / peak, abs=0.006)
            if match["end"]:
                end = line["slope"][line["at"].index(float(match["end"].replace("−", "-")))]
                assert abs(end) == pytest.approx(peak, rel=0.006)
        elif "almost" in sentence:
            assert abs(slope) < 0.01 * peak
        else:
            assert abs(slope) == pytest.approx(peak, rel=0.006)
        assert not math.isnan(slope)


def test_there_are_as_many_lines_as_can_be_told_apart(residuals: Hand) -> None:
    """Nine losses are there: the best known are drawn, and with eight the ninth has to wait."""
    names = list(residuals.said())
    assert "mse" in names
    assert len(names) <= 6
    off = "[...document.querySelectorAll('.chip[aria-pressed=false]:not(:disabled)')]"
    for _ in range(9):
        residuals.value(f"{off}[0]?.click()")
    assert len(residuals.said()) == 8
    assert residuals.value("document.querySelectorAll('.chip:disabled').length") == 1


def test_foreign_text_is_text(browser: Chromium, tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=alert(1)><b>"
    renamed = {"hinge": evil, "margin": evil, "the margin": evil, "wrong": evil, "margin s x": evil}
    hand = Hand(browser, written(tmp_path / "page.html", "binary", {"hinge": {}, "brier": {}}, renamed))
    hand.turn(f"{evil} of {evil}", 0)
    hand.value("Drawing.finish()")
    assert list(hand.said()) == [f"{evil} {evil}=0.1", "brier"]
    assert hand.value("document.querySelectorAll('img, main b:not(.felt b)').length") == 0
    assert evil in hand.value("document.querySelector('.axis').textContent")
