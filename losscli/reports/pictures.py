"""The figures of a report as PNG or SVG files: the same page, looked at by a headless Chromium, without what one can press."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from urllib.parse import unquote_to_bytes

from losscli.outfile import atomic, free, refusal, require_name
from losscli.pages.chromium import Chromium
from losscli.reports.html import html_of
from losscli.reports.recall import ComparisonRecord

WIDTH, HEIGHT = 1100, 900
SHARPNESS = 2.0  # pixels of a picture per pixel of the page
DRAWN = "document.querySelector({0!r}).dataset.drawn !== undefined"
VECTORS = """(() => {{ const figure = document.getElementById({0!r});
const words = [figure.querySelector("h3").textContent, figure.querySelector(".measure").textContent];
return exported(figure.querySelector(".plot"), "svg", ...words); }})()"""

Ending = Literal["png", "svg"]


def _pixels(browser: Chromium, figure: str) -> bytes:
    """A figure with its title and what is said below it."""
    return browser.screenshot(f"#{figure}", SHARPNESS)


def _vectors(browser: Chromium, figure: str) -> bytes:
    """A chart with its title and measure, as lines and text that can be edited."""
    address: str = browser.value(VECTORS.format(figure))
    return unquote_to_bytes(address.split(",", 1)[1])


TAKEN: dict[Ending, Callable[[Chromium, str], bytes]] = {"png": _pixels, "svg": _vectors}


def write_pictures(
    record: ComparisonRecord, folder: Path, dark: bool = False, force: bool = False, ending: Ending = "png"
) -> list[Path]:
    """Write every figure of every arena, as `<figure>.png` or `<arena>-<figure>.png`; returns the paths."""
    require_name(folder)
    with TemporaryDirectory(prefix="losscli-") as home, Chromium(WIDTH, HEIGHT, dark) as browser:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise refusal(folder, error) from error
        page = Path(home) / "report.html"
        page.write_text(html_of(record), encoding="utf-8")
        browser.open(page, "pictures")
        browser.wait_for("document.documentElement.dataset.ready === 'true'")
        names = browser.value("[...document.querySelectorAll('figure')].map((figure) => figure.id)")
        paths = {name: folder / f"{_file_stem(name, len(record.comparison.arenas))}.{ending}" for name in names}
        _unclaimed(list(paths.values()), force)
        for name, path in paths.items():
            browser.value(f"document.getElementById({name!r}).scrollIntoView()")
            browser.wait_for(DRAWN.format(f"#{name} .plot"))
            picture = TAKEN[ending](browser, name)
            with atomic(path) as draft:
                draft.write(picture)
    return list(paths.values())


def _file_stem(name: str, arenas: int) -> str:
    """`figure-0-roc` is called `roc`; with several arenas, `1-roc`.

    >>> _file_stem("figure-0-roc", 1), _file_stem("figure-0-roc", 2)
    ('roc', '1-roc')
    """
    _, place, figure = name.split("-", 2)
    return figure if arenas == 1 else f"{int(place) + 1}-{figure}"


def _unclaimed(paths: list[Path], force: bool) -> None:
    for path in paths:
        free(path, force)
