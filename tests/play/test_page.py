"""The page itself, in a browser: what it computes, what it shows, and that it is whole alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscli.pages.chromium import Chromium, find
from losscli.play.contents import STEPS
from losscli.play.grid import Grid, trained
from losscli.play.page import html_of
from losscli.play.scene import Scene
from losscli.play.scenes import SPLIT, drawn
from losscli.play.stories import stories

pytestmark = pytest.mark.skipif(
    find() is None, reason="NO CHROMIUM on this machine: the page was not seen in a browser"
)

LOUD = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
EVIL = "</script><img src=x onerror=window.pwned=1>"
SMALL = Scene(
    EVIL,
    "multiclass",
    (*drawn("blobs", 90, "centers=3"), SPLIT),
    {"cross-entropy": "cross-entropy", "gce": "gce", "softmax twice": "{name: cross-entropy, output: softmax}"},
    {"labels": (0.0, 0.2), "imbalance": (0.0, 0.8)},
)


@pytest.fixture(scope="module")
def grid() -> Grid:
    return trained(SMALL)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("play") / "page.html"
    path.write_text(html_of(SMALL), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as chromium:
        yield chromium


@pytest.fixture
def page(browser: Chromium, path: Path) -> Chromium:
    browser.resize(1280, 900, dark=False)
    return opened(browser, path)


def opened(browser: Chromium, path: Path, fragment: str = "") -> Chromium:
    browser.tell("Page.navigate", {"url": "about:blank"})
    browser.open(path, fragment)
    browser.wait_for("document.documentElement.dataset.ready === 'true'")
    return browser


def by_hand(grid: Grid, run: int, frame: int, points: np.ndarray) -> np.ndarray:
    """The probabilities at points in the units of the columns, of weights as the page has them, in float64."""
    weights = np.rint(grid.frames[frame].weights[run] * STEPS) / STEPS
    columns = grid.runs[run].dataset.encoder["columns"]
    values = (points - [column["center"] for column in columns]) / [column["scale"] for column in columns]
    begin = 0
    for before, width in ((2, 12), (12, 12), (12, 3)):
        weight = weights[begin : begin + before * width].reshape(before, width)
        bias = weights[begin + before * width : begin + (before + 1) * width]
        begin += (before + 1) * width
        values = values @ weight + bias
        values = values if width == 3 else np.tanh(values)
    shares: np.ndarray = np.exp(values - values.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def test_regions_are_what_the_engine_predicts(page: Chromium, grid: Grid) -> None:
    """Computed on the page from weights that are rounded: to 1e-5 what numpy makes of them, and within 0.02 of the engine."""
    compared = 0
    for run, frame in ((0, 0), (3, 20), (5, 9), (7, 20), (10, 14)):
        part, columns = grid.runs[run].dataset.parts["train"], grid.runs[run].dataset.encoder["columns"]
        assert part.weight is not None
        features = np.asarray(part.features, np.float64)[part.weight > 0]
        points = features * [column["scale"] for column in columns] + [column["center"] for column in columns]
        call = f"playground.scenes[0].predicted({run}, {frame}, point)"
        shares = np.array(page.value(f"{points.tolist()}.map((point) => {call})"))
        np.testing.assert_allclose(shares, by_hand(grid, run, frame, points), atol=1e-5)
        said = grid.frames[frame].train[run][part.weight > 0]
        clear = np.diff(np.sort(shares, axis=1))[:, -1] > 0.02
        assert (shares.argmax(1) == said)[clear].all()
        compared += int(clear.sum())
    assert compared > 150


def test_the_page_shows_each_row_with_its_gradient(page: Chromium, grid: Grid) -> None:
    largest = max(frame.pull.max() for frame in grid.frames)
    for run, row, frame in ((0, 0, 0), (5, 11, 7), (11, 3, 20)):
        pull = page.value(f"playground.scenes[0].pullOf({run}, {row}, {frame})")
        assert np.sqrt(pull / largest) == pytest.approx(np.sqrt(grid.frames[frame].pull[run][row] / largest), abs=0.003)


def test_it_says_what_the_runs_say(page: Chromium, grid: Grid) -> None:
    page.value("playground.changed(20)")
    trace = grid.trace("cross-entropy", {"labels": 0.2})
    numbers = page.value("document.querySelector('.panel dl').innerText").split("\n")
    facts = dict(zip(numbers[::2], numbers[1::2], strict=True))
    assert facts["Training loss"] == f"{trace.loss[20]:.3f}"
    assert facts["Right on clean rows"] == f"{100 * trace.score[20]:.0f}\N{NO-BREAK SPACE}%"
    assert "epoch 400 of 400" in page.value("document.querySelector('.bar output').textContent")
    assert "at epoch 400: Training loss" in page.value("document.querySelector('.panel canvas').ariaLabel")


def test_a_choice_changes_both_panels(page: Chromium) -> None:
    before = page.value("[...document.querySelectorAll('canvas')].map((one) => one.toDataURL())")
    page.value("document.querySelector('.bar select').selectedIndex = 0")
    page.value("document.querySelector('.bar select').dispatchEvent(new Event('change'))")
    after = page.value("[...document.querySelectorAll('canvas')].map((one) => one.toDataURL())")
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, False]
    assert (
        page.value("document.querySelector('.panel dl').innerText").count("\n") == 3
    )  # no wrong rows, no line on them


def test_play_pause_and_step_by_keyboard(page: Chromium) -> None:
    page.value("playground.stepper.place = 0")
    page.value("document.querySelector('.bar .play').focus()")
    key(page, " ")
    page.wait_for("playground.frame > 1")
    key(page, " ")
    frame = page.value("playground.frame")
    page.value("document.querySelector('.bar .stepper button:nth-of-type(2)').focus()")
    key(page, " ")
    assert page.value("playground.frame") == frame + 1
    page.value("document.querySelector('.bar input').focus()")
    key(page, "ArrowRight")
    assert page.value("playground.frame") == frame + 2
    assert page.value("playground.stepper.timer") == 0


def key(page: Chromium, name: str) -> None:
    code = {" ": 32, "ArrowRight": 39}[name]
    for kind in ("keyDown", "keyUp"):
        text = {"text": name} if name == " " and kind == "keyDown" else {}
        page.tell("Input.dispatchKeyEvent", {"type": kind, "key": name, "windowsVirtualKeyCode": code, **text})


@pytest.mark.parametrize("name", stories.names())
def test_every_story_opens_and_leads_to_its_end(browser: Chromium, path: Path, name: str) -> None:
    story, page = stories.get(name), opened(browser, path, name)
    visible = "[...document.querySelectorAll('.story')].filter((one) => !one.hidden).map((one) => one.id)"
    assert page.value(visible) == [name]
    told = []
    for number, step in enumerate(story.steps):
        if number:
            page.value("document.querySelector('.story:not([hidden]) .controls button:last-of-type').click()")
        told.append(
            page.value(
                "[...document.querySelectorAll('.story:not([hidden]) li:not([hidden]) h3')].map((one) => one.textContent)"
            )
        )
        assert page.value("[...document.querySelectorAll('.panel select')].map((one) => one.value)") == list(
            step.losses
        )
    assert told == [[step.title] for step in story.steps]
    assert page.value("document.querySelector('.story:not([hidden]) .controls button:last-of-type').disabled")
    page.value("document.querySelector('[data-story=\"\"]').click()")
    assert page.value(visible) == []


def test_a_step_stops_where_it_says_and_play_goes_on_from_there(browser: Chromium, path: Path) -> None:
    page = opened(browser, path, "wrong-labels")
    page.value("document.querySelector('.story:not([hidden]) .controls button:last-of-type').click()")
    page.value(
        "document.querySelector('.story:not([hidden]) .controls button').click()"
    )  # back to the first, which plays
    page.wait_for("playground.frame === 8 && playground.stepper.timer === 0")
    page.value("document.querySelector('.bar .play').click()")
    page.wait_for("playground.frame > 9")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_it_is_whole_alone_in_silence_and_nothing_sticks_out(
    browser: Chromium, path: Path, width: int, dark: bool
) -> None:
    browser.resize(width, 900, dark)
    before = len(browser.events)
    for fragment in ("", *stories.names()):
        page = opened(browser, path, fragment)
        for chart in ("loss", "score"):
            page.value(f"document.getElementById('{chart}').scrollIntoView()")
            page.wait_for(f"document.getElementById('{chart}').dataset.drawn === '2'")
        assert page.value("document.documentElement.scrollWidth <= innerWidth")
        assert page.value(CUT) == []
        assert page.value(CONTRASTS) == []
    events = browser.events[before:]
    assert [event for event in events if event["method"] in LOUD] == []
    assert requests(events, path) == []
    assert page.value("window.pwned") is None


def requests(events: list[dict[str, Any]], path: Path) -> list[str]:
    sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [url for url in sent if not url.startswith((path.as_uri(), "data:", "blob:", "about:"))]


CUT = """
[...document.querySelectorAll("button, dt, dd, .key span, h2, h3")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline")
  .map((one) => one.textContent)
"""
CONTRASTS = """
(() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const paint = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$/.test(paint)) return paint;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const texts = [...document.querySelectorAll("main *, footer")].filter((one) => !one.closest(".plot, canvas") && !one.disabled
    && one.offsetParent && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return texts.map((one) => {
    const [high, low] = [light(getComputedStyle(one).color), light(ground(one))].sort((x, y) => y - x);
    return [(high + 0.05) / (low + 0.05), one.textContent];
  }).filter(([ratio]) => ratio < 4.5);
})()
"""


def test_nothing_moves_where_motion_is_not_wanted(browser: Chromium, path: Path) -> None:
    browser.tell("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]})
    page = opened(browser, path, "wrong-labels")
    page.value("document.querySelector('.story:not([hidden]) .controls button:last-of-type').click()")
    assert page.value("playground.stepper.timer") == 0
    assert page.value("playground.frame") == 20  # where the step ends
    browser.tell("Emulation.setEmulatedMedia", {"features": []})


def test_without_scripts_the_stories_stand_and_a_sentence_says_why(browser: Chromium, path: Path) -> None:
    browser.tell("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.tell("Page.navigate", {"url": path.as_uri()})
        browser.wait_for("document.readyState === 'complete'")
        text = browser.value("document.body.innerText")
        assert "The pictures move by JavaScript" in text
        for name in stories.names():
            assert all(step.title in text for step in stories.get(name).steps)
        assert browser.value(
            "[...document.querySelectorAll('.bar, .panels, .curves, .tabs')].every((one) => one.offsetParent === null)"
        )
    finally:
        browser.tell("Emulation.setScriptExecutionDisabled", {"value": False})


def test_the_first_picture_does_not_wait_for_the_chart_library(browser: Chromium, path: Path) -> None:
    browser.resize(390, 500, dark=False)
    page = opened(browser, path)
    assert page.value("typeof Plotly") == "undefined"
    ground = "[...playground.panels[0].canvas.getContext('2d').getImageData(0, 0, 100, 100).data]"
    assert page.value(f"new Set({ground}).size") > 20
