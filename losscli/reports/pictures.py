"""The figures of a report as PNG files: the same page, looked at by a headless Chromium."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from losscli.outfile import atomic, free, refusal, require_name
from losscli.pages.chromium import Chromium
from losscli.reports.html import html_of
from losscli.reports.recall import ComparisonRecord

WIDTH, HEIGHT = 1100, 900
SHARPNESS = 2.0  # pixels of a picture per pixel of the page
DRAWN = "document.querySelector({0!r}).dataset.drawn !== undefined"


def write_pictures(record: ComparisonRecord, folder: Path, dark: bool = False, force: bool = False) -> list[Path]:
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
        paths = {name: folder / f"{_file_stem(name, len(record.comparison.arenas))}.png" for name in names}
        _unclaimed(list(paths.values()), force)
        for name, path in paths.items():
            browser.value(f"document.getElementById({name!r}).scrollIntoView()")
            browser.wait_for(DRAWN.format(f"#{name} .plot"))
            picture = browser.screenshot(f"#{name}", SHARPNESS)
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
