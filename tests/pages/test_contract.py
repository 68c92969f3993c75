"""One contract for every kind of page: on a phone and on a desk, light and dark, in silence, legible, and by keyboard.

A new kind of page is tested by a line in `KINDS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from losscli.cli.app import app, run
from losscli.cli.manual import manual
from losscli.explain.catalogue import named
from losscli.explain.dials import families
from losscli.explain.html import write_page
from losscli.explain.page import page as explained
from losscli.losses import losses
from losscli.losses import own as own_losses
from losscli.pages.chromium import Chromium
from losscli.site import build as building
from losscli.site.chapters import Chapter, chapters
from losscli.site.topics import Topic

WIDTHS = {"phone": (390, 844), "desk": (1280, 900)}
LOUD = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
QUICK = ("--epochs", "4", "--quiet", "--set", "model.hidden=[8]")


def _report(folder: Path, *words: str) -> Path:
    assert run([*words, *QUICK, "--out", str(folder)]) == 0
    assert run(["report", "0001", "--out", str(folder), "--to", str(folder / "page.html")]) == 0
    return folder / "page.html"


def report(folder: Path) -> Path:
    """Long names, more entries than are drawn at once, findings, several metrics."""
    losses = ("cross-entropy", "gce", "mae", "sce", "focal", "brier", "poly1")
    entries = [word for loss in losses for word in ("--loss", loss)]
    return _report(folder, "compare", "--task", "multiclass", "--data", "iris", *entries, "--seeds", "6")


def single(folder: Path) -> Path:
    return _report(folder, "train", "--task", "binary", "--data", "moons", "--loss", "focal")


def stress(folder: Path) -> Path:
    damage = ("--loss", "mse", "--loss", "huber", "--outliers", "0.2")
    return _report(folder, "stress", "--task", "regression", *damage, "--seeds", "3")


def explain(folder: Path) -> Path:
    path = folder / "page.html"
    assert run(["explain", "focal", "hinge", "--set", "gamma=0,2", "--html", str(path)]) == 0  # names with wide letters
    return path


def own(folder: Path) -> Path:
    """A loss of one's own beside losses with numbers, words and two lines; each with dials."""
    path, file = folder / "page.html", folder / "my loss.py"
    file.write_text(
        "def capped(prediction, target):\n    return ((1 - 2 * target) * prediction).exp().log1p().clamp(max=2.0)\n"
    )
    names = (f"{file}:capped", "bce-logits", "asymmetric", "auc-pairwise")
    with (
        pytest.MonkeyPatch.context() as patch
    ):  # this page is made for a module, and the shelf is put back for each test
        patch.setattr(losses, "_items", dict(losses._items))
        patch.setattr(own_losses, "_adopted", {})
        assert run(["explain", *names, "--task", "binary", "--html", str(path)]) == 0
    return path


def many(folder: Path) -> Path:
    """More losses than there are colours, as the site shows those of a task."""
    names = ("mse", "mae", "rmse", "huber", "quantile", "tukey-biweight", "mape", "poisson-nll", "multi-quantile")
    items = named(names, "regression")
    options: list[list[dict[str, Any]]] = [[{}] for _ in items]
    pages = [explained(item) for item in items]
    drawn = families(pages, items, options)
    path = folder / "page.html"
    write_page(path, [page.to_json() for page in pages], [family.to_json() for family in drawn])
    return path


def play(folder: Path) -> Path:
    path = folder / "page.html"
    assert run(["play", "blobs", "--to", str(path)]) == 0
    return path


def _site(folder: Path, name: str) -> Path:
    """The start page and a few topics of each chapter, of which the one that is called `name` is looked at."""
    few = [replace(chapter, topics=partial(_first_two, chapter)) for chapter in chapters if chapter.title != "Findings"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "chapters", few)
        patch.setattr(building, "_curves", list)
        for address, text in building.pages(manual(app, lambda arguments: print("printed:", *arguments) or 0)):
            (folder / address).write_text(text, encoding="utf-8")
    return next(folder.glob(name))


def _first_two(chapter: Chapter) -> list[Topic]:
    return list(islice(chapter.topics(), 2))


KINDS: dict[str, Callable[[Path], Path]] = {
    "report": report,
    "single": single,
    "stress": stress,
    "explain": explain,
    "own": own,
    "many": many,
    "play": play,
    "site": lambda folder: _site(folder, "index.html"),
    "loss": lambda folder: _site(folder, "loss-*.html"),
    "command": lambda folder: _site(folder, "command-compare.html"),
}


class Seen:
    """A page that is open."""

    def __init__(self, browser: Chromium, path: Path):
        self.browser, self.path, self.value = browser, path, browser.value
        browser.resize(*WIDTHS["desk"], False)
        self.before = len(browser.events)
        browser.open(path)
        browser.wait_for("document.documentElement.dataset.ready === 'true'")

    def unfold(self) -> None:
        self.value("document.querySelectorAll('details').forEach((details) => { details.open = true; })")

    def show(self, width: str, dark: bool) -> None:
        """All of it, drawn, in such a width and theme."""
        self.browser.resize(*WIDTHS[width], dark)
        self.browser.wait_for(f"document.documentElement.hasAttribute('data-dark') === {str(dark).lower()}")
        self.value(
            "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))"
        )  # observers have been called
        self.value("Drawing.finish()")
        assert (
            self.value("[...document.querySelectorAll('.plot')].filter((plot) => !(plot.dataset.drawn > 0)).length")
            == 0
        )

    def faults(self) -> list[dict[str, Any]]:
        return [event for event in self.browser.events[self.before :] if event["method"] in LOUD]

    def requests(self) -> list[str]:
        events = self.browser.events[self.before :]
        sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if url != self.path.as_uri() and not url.startswith(("data:", "blob:"))]

    def press(self, key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            self.browser.tell(
                "Input.dispatchKeyEvent", {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
            )


# Every text that is seen, with what it stands on: elements with words of their own, and words of charts.
TEXTS = """
const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
const own = (element) => [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("").trim();
const texts = [...document.body.querySelectorAll("*")].filter((element) => own(element) && seen(element)
  && !["SCRIPT", "STYLE", "OPTION", "NOSCRIPT"].includes(element.tagName) && element.getBoundingClientRect().width > 0
  && !element.closest(".skip"));
"""

# What is wider than its box, and cannot be scrolled to; words of charts that leave the chart.
CUT = f"""(() => {{ {TEXTS}
const cut = texts.filter((element) => {{
  const chart = element.closest("svg");
  const box = element.getBoundingClientRect();
  if (chart) {{
    const outer = element.closest(".plot").getBoundingClientRect();
    const out = [outer.left - box.left, box.right - outer.right, outer.top - box.top, box.bottom - outer.bottom];
    return Math.max(...out) > 1.5;
  }}
  for (let around = element; around !== document.body; around = around.parentElement) {{
    const {{ overflowX, textOverflow }} = getComputedStyle(around);
    if (["auto", "scroll"].includes(overflowX)) return false;
    if (around.title && textOverflow === "ellipsis") return false;
    if (overflowX !== "visible" && around.scrollWidth > around.clientWidth + 1) return true;
  }}
  return box.right > innerWidth + 1 || box.left < -1;
}});
return cut.map((element) => `${{element.tagName}} ${{element.textContent.slice(0, 60)}}`);
}})()"""

# Texts whose contrast to what they stand on is below 4.5, as WCAG 2.2 computes it; opacity counts.
PALE = f"""(() => {{ {TEXTS}
const parts = (color) => {{
  const all = color.match(/[\\d.]+/g).map(Number);
  return {{ rgb: all.slice(0, 3), alpha: all[3] ?? 1 }};
}};
const over = (top, alpha, below) => top.map((part, at) => alpha * part + (1 - alpha) * below[at]);
const linear = (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
const lightness = (rgb) => rgb.map((part) => linear(part / 255))
  .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
const ground = (element) => {{
  if (!element) return [255, 255, 255];
  const {{ rgb, alpha }} = parts(getComputedStyle(element).backgroundColor);
  return alpha === 1 ? rgb : over(rgb, alpha, ground(element.parentElement));
}};
const faded = (element) => element ? Number(getComputedStyle(element).opacity) * faded(element.parentElement) : 1;
return texts.filter((element) => !element.closest(".heatmaplayer")).map((element) => {{
  const style = getComputedStyle(element);
  const below = ground(element);
  const inChart = element.closest("svg");
  const {{ rgb, alpha }} = parts(inChart ? style.fill : style.color);
  const [light, dark] = [lightness(over(rgb, alpha * faded(element), below)), lightness(below)].sort((a, b) => b - a);
  return [(light + 0.05) / (dark + 0.05), element.textContent.slice(0, 40), inChart ? style.fill : style.color];
}}).filter(([contrast]) => contrast < 4.5);
}})()"""

# What can be operated, numbered in its order.
CONTROLS = """(() => {
const kinds = "a[href], button, select, input, textarea, summary, [role=button], [contenteditable]";
const controls = [...document.querySelectorAll(kinds)].filter((element) => element.checkVisibility() && !element.disabled);
controls.forEach((element, place) => { element.dataset.place = place; });
return controls.length;
})()"""


@pytest.fixture(scope="module", params=KINDS)
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return KINDS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def page(path: Path, browser: Chromium) -> Iterator[Seen]:
    page = Seen(browser, path)
    yield page
    browser.resize(*WIDTHS["desk"], False)


def test_paper_has_everything(page: Seen) -> None:
    """What is folded, and each chart; what was folded is so again after printing."""
    page.value("window.dispatchEvent(new Event('beforeprint'))")
    page.browser.wait_for("[...document.querySelectorAll('.plot')].every((plot) => plot.dataset.drawn > 0)")
    assert page.value("document.querySelectorAll('details:not([open])').length") == 0
    page.value("window.dispatchEvent(new Event('afterprint'))")
    assert page.value("document.querySelectorAll('details[open]').length") == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_silent_legible_and_whole(page: Seen, width: str, dark: bool) -> None:
    page.unfold()
    page.show(width, dark)
    assert page.faults() == []
    assert page.requests() == []
    assert page.value("document.documentElement.scrollWidth") == page.value("innerWidth")
    assert page.value(f"(() => {{ {TEXTS} return texts.length; }})()") > 20  # or what follows looks at nothing
    assert page.value(CUT) == []
    assert page.value(PALE) == []


def test_keys_reach_all_controls(page: Seen) -> None:
    page.browser.resize(*WIDTHS["desk"], False)
    page.unfold()
    count = page.value(CONTROLS)
    assert count > 1
    page.value("scrollTo(0, 0), document.activeElement.blur()")
    reached: set[str] = set()
    for _ in range(2 * count + 20):
        page.press("Tab", 9)
        place = page.value("document.activeElement?.dataset.place ?? ''")
        if place in reached:
            break
        reached |= {place} - {""}
    missed = [place for place in range(count) if str(place) not in reached]
    name = "document.querySelector(`[data-place='${at}']`).outerHTML.slice(0, 90)"
    assert missed == [], page.value(f"{json.dumps(missed)}.map((at) => {name})")


def test_without_scripts_the_words_stand(path: Path, browser: Chromium) -> None:
    """And no empty box where a chart would be."""
    browser.tell("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(path)
        assert len(browser.value("document.querySelector('h1').innerText")) > 5
        assert browser.value("document.querySelectorAll('main tr, main p, main dd').length") > 2
        assert (
            browser.value("[...document.querySelectorAll('.plot')].filter((plot) => plot.checkVisibility()).length")
            == 0
        )
        assert browser.value("document.querySelector('noscript').innerText").strip()
    finally:
        browser.tell("Emulation.setScriptExecutionDisabled", {"value": False})
