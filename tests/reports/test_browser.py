"""The report in a real browser: it opens alone, draws, sorts and toggles, and nothing foreign in it runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from losscli.cli.app import run
from losscli.pages.chromium import Chromium, find
from losscli.reports.html import html_of
from losscli.reports.recall import recall

pytestmark = pytest.mark.skipif(
    find() is None, reason="NO CHROMIUM on this machine: the report was not seen in a browser"
)

EVIL = "</script><img src=x onerror=window.pwned=1>"
NAMES = (EVIL, "[/bold]<b>b</b>&lt;i&gt;", "user\u202etxt.exe", "' onmouseover='window.pwned=1", "\u2028%{y} {{ 7*7 }}")
LOUD = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")


class Page:
    """A document that was opened, and what one does with it."""

    def __init__(self, browser: Chromium, path: Path):
        self.browser, self.path = browser, path
        self.value, self.wait_for = browser.value, browser.wait_for
        self.before = len(browser.events)
        browser.open(path)
        self.wait_for("document.documentElement.dataset.ready === 'true'")
        self.value("document.querySelectorAll('details').forEach((details) => { details.open = true; })")

    def draw_all(self) -> int:
        """Scroll through the page until every chart is there; how many there are."""
        count: int = self.value("document.querySelectorAll('.plot').length")
        for number in range(count):
            self.value(f"document.querySelectorAll('.plot')[{number}].scrollIntoView()")
            self.wait_for(f"document.querySelectorAll('.plot')[{number}].dataset.drawn > 0")
        return count

    def faults(self) -> list[dict[str, Any]]:
        return [event for event in self.browser.events[self.before :] if event["method"] in LOUD]

    def requests(self) -> list[str]:
        events = self.browser.events[self.before :]
        sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if url != self.path.as_uri() and not url.startswith(("data:", "blob:"))]


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as chromium:
        yield chromium


Shown = Callable[[Path], Page]
MakeRecord = Callable[..., Path]


def written(record: Path, folder: Path) -> Path:
    path = folder / "report.html"
    path.write_text(html_of(recall(record)), encoding="utf-8")
    return path


@pytest.fixture
def shown(browser: Chromium, tmp_path: Path) -> Shown:
    return lambda record: Page(browser, written(record, tmp_path))


@pytest.fixture(scope="module")
def path(record_of: MakeRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    record = record_of(
        entries=("bce-logits", *(f"focal gamma={n}" for n in range(7)), "focal alpha=0.25 gamma=2.5 reduction=none")
    )
    return written(record, tmp_path_factory.mktemp("pages"))


@pytest.fixture
def page(browser: Chromium, path: Path) -> Page:
    return Page(browser, path)


@pytest.mark.parametrize(
    ("task", "charts"),
    [
        ("binary", "forest seeds learning roc pr reliability histogram confusion threshold"),
        ("multiclass", "forest seeds learning roc pr reliability histogram classes"),
        ("multilabel", "forest seeds learning roc pr reliability labels"),
        ("regression", "forest seeds learning truth residuals errors intervals"),
    ],
)
def test_every_figure_is_drawn_in_silence(shown: Shown, record_of: MakeRecord, task: str, charts: str) -> None:
    page = shown(record_of(tasks=(task,), labels=("a", "b", "c") if task.startswith("multi") else ("a", "b")))
    assert page.draw_all() == len(charts.split())
    assert set(page.value("[...document.querySelectorAll('figure')].map((each) => each.dataset.figure)")) == set(
        charts.split()
    )
    assert page.value("[...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('svg.main-svg'))")
    assert page.faults() == []
    assert page.requests() == []


def test_charts_that_are_not_in_view_are_not_drawn_yet(page: Page) -> None:
    page.value("document.querySelector('[data-figure=forest] .plot').scrollIntoView()")
    page.wait_for("document.querySelector('[data-figure=forest] .plot').dataset.drawn > 0")
    page.value("new Promise((done) => setTimeout(done, 500))")  # long enough for all, were they to be drawn
    assert page.value("document.querySelector('[data-figure=threshold] .plot').dataset.drawn") is None


def test_a_page_without_predictions_has_the_rest(shown: Shown, record_of: MakeRecord) -> None:
    page = shown(record_of(keep=False))
    assert page.draw_all() == 3
    assert page.faults() == []


def test_a_click_and_a_key_sort_the_table(page: Page) -> None:
    column = "[...document.querySelectorAll('.board tbody tr')].map((row) => Number(row.children[2].dataset.value))"
    state = "document.querySelectorAll('.board thead th')[2].ariaSort"
    values = page.value(column)
    page.value("document.querySelectorAll('.board thead button')[2].click()")
    assert page.value(column) == sorted(values, reverse=True)
    assert page.value(state) == "descending"
    page.value("document.querySelectorAll('.board thead button')[2].focus()")
    for kind in ("keyDown", "keyUp"):
        key = {"type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        page.browser.tell("Input.dispatchKeyEvent", key)
    assert page.value(column) == sorted(values)
    assert page.value(state) == "ascending"
    others = page.value("[...document.querySelectorAll('.board thead th')].map((head) => head.ariaSort)")
    assert [order for order in others if order != "none"] == ["ascending"]


def test_the_reference_has_no_difference_and_sorts_last(page: Page) -> None:
    for _ in range(2):
        page.value("document.querySelectorAll('.board thead button')[3].click()")
        last = page.value("[...document.querySelectorAll('.board tbody tr')].at(-1).children[0].textContent.trim()")
        assert last == "bce-logits"


def test_entries_are_toggled_in_all_charts(page: Page) -> None:
    page.draw_all()
    page.value("document.querySelector('[data-figure=roc] .plot').scrollIntoView()")
    names = "document.querySelector('[data-figure=roc] .plot').data.filter((trace) => trace.name).map((trace) => trace.name)"
    pressed = "[...document.querySelectorAll('.chip')].filter((chip) => chip.ariaPressed === 'true').length"
    assert page.value(pressed) == len(page.value(names)) == 6  # nine lines at once would be too many to begin with
    page.value("document.querySelector('.chip').click()")
    page.wait_for(f"{names}.length === 5")
    assert "bce-logits" not in page.value(names)
    page.value("document.querySelector('[data-all]').click()")
    page.wait_for(f"{names}.length === 9")
    page.value("document.querySelector('[data-all]').click()")
    page.wait_for(f"{names}.length === 6")


def test_curves_have_a_log_scale_and_bands(page: Page) -> None:
    figure = "document.querySelector('[data-figure=learning]')"
    page.value(f"{figure}.scrollIntoView()")
    page.wait_for(f"{figure}.querySelector('.plot').dataset.drawn > 0")
    assert page.value(f"{figure}.querySelector('.plot').data.filter((trace) => trace.fill === 'toself').length") == 6
    page.value(f"{figure}.querySelector('.log').click()")
    page.wait_for(f"{figure}.querySelector('.plot').layout.yaxis.type === 'log'")
    page.value(f"{figure}.querySelector('.log').click()")
    page.wait_for(f"{figure}.querySelector('.plot').layout.yaxis.type !== 'log'")


def test_a_view_is_chosen(page: Page) -> None:
    figure = "document.querySelector('[data-figure=confusion]')"
    page.value(f"{figure}.scrollIntoView()")
    page.wait_for(f"{figure}.querySelector('.plot').dataset.drawn > 0")
    options = page.value(f"[...{figure}.querySelectorAll('option')].map((each) => each.textContent)")
    assert len(options) == 9 + 8  # every entry, and every other than the reference minus the reference
    before = page.value(f"JSON.stringify({figure}.querySelector('.plot').data[0].z)")
    page.value(
        f"{figure}.querySelector('select').value = 16, {figure}.querySelector('select').dispatchEvent(new Event('change'))"
    )
    page.wait_for(f"JSON.stringify({figure}.querySelector('.plot').data[0].z) !== {before!r}")


def test_light_and_dark(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    chart = "document.querySelector('[data-figure=forest] .plot')"
    page.value(f"{chart}.scrollIntoView()")
    page.wait_for(f"{chart}.dataset.drawn > 0")
    colors = {}
    for dark in (False, True):
        page.browser.resize(1280, 900, dark)
        page.wait_for(f"document.documentElement.hasAttribute('data-dark') === {str(dark).lower()}")
        colors[dark] = page.value(ground), page.value(f"{chart}.layout.font.color")
    assert colors[False] != colors[True]
    page.value("document.getElementById('theme').click()")
    assert (page.value(ground), page.value(f"{chart}.layout.font.color")) == colors[False]
    page.browser.resize(1280, 900, False)


def test_what_is_compared_is_all_there_whatever_is_drawn(page: Page) -> None:
    """Hiding an entry must not hide that it lost."""
    page.draw_all()
    assert page.value("document.querySelectorAll('.chip[aria-pressed=false]').length") == 3
    assert page.value("document.querySelector('[data-figure=forest] .plot').data.length") == 8 + 8  # means and seeds


def test_how_many_entries_are_drawn_is_said(page: Page) -> None:
    page.draw_all()
    page.value("document.querySelector('[data-figure=roc]').scrollIntoView()")
    caption = "document.querySelector('[data-figure=roc] figcaption').textContent"
    assert "6 of 9 entries are drawn" in page.value(caption)
    page.value("document.querySelector('[data-all]').click()")
    page.wait_for(f"!{caption}.includes('of 9 entries')")
    assert "without bands" in page.value(caption)
    forest = "document.querySelector('[data-figure=forest] figcaption').textContent"
    assert "entries are drawn" not in page.value(forest)  # all of them, always


def test_a_table_that_is_cut_says_so(page: Page) -> None:
    hint = "getComputedStyle(document.querySelector('.wider')).display"
    assert page.value(hint) == "none"
    page.browser.resize(400, 900, False)
    page.wait_for(f"{hint} === 'inline'")
    page.value("document.querySelector('.scroll').scrollLeft = 9999")
    page.wait_for(f"{hint} === 'none'")
    page.browser.resize(1280, 900, False)


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_sticks_out(page: Page, width: int) -> None:
    page.browser.resize(width, 900, False)
    page.draw_all()
    assert page.value("document.documentElement.scrollWidth") == width
    page.browser.resize(1280, 900, False)


def test_paper_shows_every_chart_in_light(page: Page) -> None:
    page.value("document.getElementById('theme').click()")
    page.value("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for("[...document.querySelectorAll('.plot')].every((plot) => plot.dataset.drawn > 0)")
    assert page.value("document.documentElement.hasAttribute('data-dark')") is False
    page.value("window.dispatchEvent(new Event('afterprint'))")
    assert page.value("document.documentElement.hasAttribute('data-dark')") is True


def test_nothing_foreign_runs(shown: Shown, record_of: MakeRecord) -> None:
    page = shown(
        record_of(
            tasks=("binary", "multiclass"),
            entries=NAMES,
            labels=(EVIL, EVIL + "2", NAMES[1]),
            data=EVIL,
            finding=EVIL,
            spec=f"metrics: [accuracy]\nname: {EVIL!r}\n",
        )
    )
    page.draw_all()
    page.value(
        "document.querySelectorAll('select').forEach((select) => { for (const option of select.options) {"
        " select.value = option.value; select.dispatchEvent(new Event('change')); } })"
    )
    page.value("document.querySelectorAll('.board th button, .chip').forEach((button) => button.click())")
    time.sleep(0.3)
    assert page.value("window.pwned") is None
    assert page.value("document.querySelectorAll('main img, main script, main b, .svg-container a').length") == 0
    assert page.value("document.querySelector('.kicker').textContent") == EVIL
    assert EVIL[:20] in page.value("document.querySelector('h1').textContent")  # a sentence cuts long names
    shown_names = page.value("[...document.querySelectorAll('.board .name')].map((each) => each.textContent)")
    assert {EVIL, NAMES[1], "user\\u202etxt.exe"} <= set(shown_names)
    options = page.value(
        "[...document.querySelectorAll('[data-figure=histogram] option')].map((each) => each.textContent)"
    )
    assert options[:3] == [EVIL, NAMES[1], "user\\u202etxt.exe"]
    assert page.faults() == []
    assert page.requests() == []


def test_the_policy_stops_what_would_run(page: Page) -> None:
    """The net below: were something foreign to reach the page as markup, it would still not run."""
    page.value("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.pwned = 1\">')")
    page.value("{ const script = document.createElement('script'); script.textContent = 'window.pwned = 2';"
                " document.body.append(script); }")  # fmt: skip
    assert page.value("fetch('https://example.invalid/').then(() => 'sent', () => 'stopped')") == "stopped"
    time.sleep(0.2)
    assert page.value("window.pwned") is None
    assert len(page.faults()) >= 3


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with decision regions of two entries."""
    folder = tmp_path_factory.mktemp("plane")
    losses = ("--loss", "bce-logits", "--loss", "hinge", "--epochs", "6", "--seeds", "2", "--quiet")
    assert run(["compare", "--task", "binary", "--data", "moons", *losses, "--out", str(folder / "runs")]) == 0
    (record,) = (folder / "runs").iterdir()
    return written(record, folder)


def test_a_slider_moves_through_the_epochs(browser: Chromium, plane: Path) -> None:
    """By keys, and by the button that plays them; each panel has a picture of its own below the same dots."""
    page = Page(browser, plane)
    figure = "document.querySelector('[data-figure=regions]')"
    plot, slider = f"{figure}.querySelector('.plot')", f"{figure}.querySelector('input')"
    page.value(f"{plot}.scrollIntoView()")
    page.wait_for(f"{plot}.dataset.drawn > 0")
    pictures = f"{plot}.layout.images.map((image) => image.source)"
    last = page.value(pictures)
    assert len(set(last)) == 2
    assert page.value(f"{plot}.querySelectorAll('.imagelayer image, .layer-below image').length") == 2
    assert page.value(f"{slider}.ariaValueText") == "epoch 6"
    page.value(f"{slider}.focus()")
    key = {"key": "Home", "code": "Home", "windowsVirtualKeyCode": 36}
    for kind in ("keyDown", "keyUp"):
        page.browser.tell("Input.dispatchKeyEvent", {"type": kind, **key})
    page.wait_for(f"{slider}.ariaValueText === 'epoch 1'")
    page.wait_for(f"{pictures}[0] !== {json.dumps(last[0])}")
    page.value(f"{figure}.querySelector('.play').click()")
    page.wait_for(f"{slider}.ariaValueText === 'epoch 6'")
    page.wait_for(f"JSON.stringify({pictures}) === {json.dumps(json.dumps(last, separators=(',', ':')))}")
    page.wait_for(f"{figure}.querySelector('.play').ariaLabel === 'Play'")
    assert page.faults() == []


def test_a_figure_is_saved_without_controls(page: Page) -> None:
    """Title, measure and the names of entries are in the file; a button or a choice is not."""
    page.draw_all()
    figure = "document.querySelector('[data-figure=learning]')"
    words = f"{figure}.querySelector('h3').textContent, {figure}.querySelector('.measure').textContent"
    address = page.value(f"exported({figure}.querySelector('.plot'), 'svg', {words})")
    text = unquote(address)
    assert address.startswith("data:image/svg+xml")
    assert "focal gamma=3" in text
    assert page.value(f"{figure}.querySelector('h3').textContent")[:20] in text
    assert "log scale" not in text
    assert page.value(f"exported({figure}.querySelector('.plot'), 'png', 'a', 'b')").startswith(
        "data:image/png;base64,iVBOR"
    )


def test_a_chart_follows_the_width_of_the_page(page: Page) -> None:
    """Names at the ends of lines where there is room, a legend above where there is none."""
    page.draw_all()
    chart = "document.querySelector('[data-figure=learning] .plot')"
    page.value(f"{chart}.scrollIntoView()")
    assert page.value(f"{chart}.layout.showlegend") is False
    assert "focal gamma=3" in page.value(f"{chart}.layout.annotations.map((words) => words.text)")
    page.browser.resize(390, 844, False)
    page.wait_for(f"{chart}.layout.showlegend === true && {chart}._fullLayout.width < 400")
    page.wait_for(f"({chart}.layout.annotations ?? []).length === 0")
    page.browser.resize(1280, 900, False)
    page.wait_for(f"{chart}.layout.showlegend === false")


def test_the_colours_of_entries_are_no_class_s(page: Page) -> None:
    named = "Array.from({ length: 7 }, (_, place) => color(`${prefix}${place}`))"
    entries, classes = (page.value(named.replace("${prefix}", prefix)) for prefix in ("", "class"))
    assert len({*entries, *classes, page.value("color('reference')")}) == 15
    apart = [page.value(f"contrast({json.dumps(color)}, color('paper'))") for color in (*entries, *classes)]
    assert min(apart) >= 3  # lines and dots, as WCAG asks of graphics
