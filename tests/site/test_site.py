"""The reference: whatever a shelf holds has a page, every link leads somewhere, and what commands printed was printed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from losscli.cli.app import app, run
from losscli.cli.commands import commands
from losscli.cli.manual import STORY, every, manual, play
from losscli.errors import MachineError, SpecError
from losscli.losses import catalogue
from losscli.metrics import metrics
from losscli.rules import in_order
from losscli.site import build as building
from losscli.site.build import build
from losscli.site.chapters.guides import BEGINNINGS
from losscli.site.topics import Topic, address, text
from losscli.tasks import tasks

FAILING = {"lint": 1, "check": 1}  # they find the mistake that is there


def echo(arguments: Sequence[str]) -> int:
    """Instead of running a command: the site is the same, but for what was printed."""
    print("printed:", *arguments)
    return 0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "reference"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            building, "_curves", lambda: [(address("curves", task.name), "<!doctype html>") for task in tasks]
        )
        build(folder, manual(app, echo))
    return folder


class Links(HTMLParser):
    """Where a page leads, and the ids that it has."""

    def __init__(self, html: str):
        super().__init__()
        self.to: list[str] = []
        self.ids: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a" and found.get("href"):
            self.to.append(str(found["href"]))
        if found.get("id"):
            self.ids.add(str(found["id"]))


def test_whatever_there_is_has_a_page(site: Path) -> None:
    from typer.main import get_command

    needed = {
        *(address("loss", item.task, item.name) for item in catalogue() if item.is_in_package),
        *(address("metric", metric.name) for metric in metrics),
        *(address("task", name) for name in tasks.names()),
        *(address("rule", rule.code) for rule in in_order()),
        *(address("command", " ".join(path)) for path, _ in every(get_command(app))),
        *(
            address("guide", name)
            for name in ("choosing a loss", "reading a verdict", "writing a loss of your own", "in ci")
        ),
    }
    assert needed <= {path.name for path in site.iterdir()}


def test_every_link_leads_to_a_page_and_a_place_on_it(site: Path) -> None:
    pages = {path.name: Links(path.read_text()) for path in site.iterdir()}
    for name, page in pages.items():
        for href in page.to:
            file, _, place = href.partition("#")
            assert not file or file in pages, f"{name} leads to {href}"
            assert not place or place in pages[file or name].ids, f"{name} leads to {href}"


def test_every_topic_can_be_reached_from_the_start(site: Path) -> None:
    start = Links((site / "index.html").read_text())
    assert {path.name for path in site.iterdir() if not path.name.startswith("curves")} <= {"index.html", *start.to}


def test_a_page_says_what_the_code_says(site: Path) -> None:
    focal = (site / address("loss", "binary", "focal")).read_text()
    assert "Lin" in focal
    assert "gamma" in focal
    compare = (site / address("command", "compare")).read_text()
    assert "$ losscli compare visits.yaml" in compare
    assert "printed: compare visits.yaml" in compare
    assert "--seeds" in compare


def test_no_page_asks_for_anything_else(site: Path) -> None:
    for path in site.iterdir():
        assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", path.read_text())


def test_every_command_has_an_example_that_was_run() -> None:
    told = {line.split()[0] for line in STORY}
    assert set(commands.names()) - told == {"resume", "play"} & set(
        commands.names()
    )  # nothing is unfinished in the story


def test_the_story_runs_to_its_end() -> None:
    for one in play(run):
        assert one.code == FAILING.get(one.line.split()[0], 0), f"{one.line}\n{one.output}"
        assert one.output.strip(), one.line


def test_what_is_not_a_site_stays(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "index.html").write_text("<p>mine</p>")
    with pytest.raises(SpecError, match="something else"):
        build(mine, manual(app, echo))
    (tmp_path / "link").symlink_to(mine)
    with pytest.raises(MachineError):
        build(tmp_path / "link", manual(app, echo), force=True)
    assert (mine / "index.html").read_text() == "<p>mine</p>"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_what_the_guide_begins_with_exists() -> None:
    names = {item.name for item in catalogue()} | {metric.name for metric in metrics} | {"weight: balanced"}
    told = {name for row in BEGINNINGS[1:] for cell in row for name in re.findall("`(.+?)`", cell)}
    assert told <= {part for name in names for part in (name, *name.split(", "))}


def test_two_topics_never_have_one_address() -> None:
    twins = [Topic(address("loss", name), name, "Losses", "", [text("x")]) for name in ("a b", "a-b")]
    with pytest.raises(ValueError, match="one address"):
        building._refuse_twins(twins)


@pytest.mark.parametrize(("arguments", "word"), [([], "no loss is named"), (["focal", "--site", "x"], "takes nothing")])
def test_the_command_says_what_it_needs(arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", *arguments]) == 2
    assert word in capsys.readouterr().err
