"""What is kept of each loss is what asking it would find, and counts only for the sources it was worked out from."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import losscli
from losscli.explain import catalogue, facts
from losscli.explain.catalogue import computed, lines
from losscli.losses import losses

HOME = Path(losscli.__file__).parent
AGAIN = "facts.json is not of these sources: python -m losscli.explain"
WITHIN = [item for item in losses if item.is_in_package]


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the sources, to change, and what is kept, as if it were of these sources."""
    for source in facts.SOURCES:
        path = HOME / source
        (shutil.copytree if path.is_dir() else _copy)(path, tmp_path / source)
    monkeypatch.setattr(facts, "PACKAGE", tmp_path)
    monkeypatch.setattr(facts, "FILE", tmp_path / "explain" / "facts.json")
    facts.store({key: facts.Facts(tuple(kept["tags"]), kept["verdict"]) for key, kept in _kept().items()})
    facts.stored.cache_clear()
    yield tmp_path
    facts.stored.cache_clear()


def _kept() -> dict[str, Any]:
    return dict(json.loads((HOME / "explain" / "facts.json").read_text("utf-8"))["losses"])


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    shutil.copy(file, to)


def test_facts_are_of_these_sources() -> None:
    assert set(facts.stored()) == {f"{item.task}/{item.name}" for item in WITHIN}, AGAIN


@pytest.mark.parametrize("item", WITHIN, ids=lambda item: f"{item.task}/{item.name}")
def test_facts_are_what_the_loss_itself_says(item: losscli.losses.Loss) -> None:  # type: ignore[name-defined]
    kept = _kept()[f"{item.task}/{item.name}"]
    assert facts.Facts(tuple(kept["tags"]), kept["verdict"]) == computed(item), AGAIN


def test_storing_gives_what_was_stored(apart: Path) -> None:
    known = facts.stored()
    before = facts.FILE.read_text("utf-8")
    facts.store(known)
    assert facts.FILE.read_text("utf-8") == before


@pytest.mark.parametrize(
    "change", ["losses/binary/logistic.py", "losses/tempered.py", "tasks/binary.py", "explain/tags.py"]
)
def test_a_changed_source_leaves_nothing_known(apart: Path, change: str) -> None:
    (apart / change).write_text((apart / change).read_text("utf-8") + "\nOTHER = 1\n", "utf-8")
    assert facts.stored() == {}


def test_a_new_or_renamed_file_leaves_nothing_known(apart: Path) -> None:
    before = facts.state_of_sources()
    (apart / "losses" / "binary" / "another.py").write_text("")
    with_another = facts.state_of_sources()
    (apart / "losses" / "binary" / "another.py").rename(apart / "losses" / "binary" / "other.py")
    assert len({before, with_another, facts.state_of_sources()}) == 3


def test_line_ends_of_a_checkout_do_not_count(apart: Path) -> None:
    source = apart / "losses" / "binary" / "logistic.py"
    source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
    assert facts.stored()


@pytest.mark.parametrize("content", [None, "", "[]", '{"sources": 1}', '{"sources": "SAME", "losses": {"a/b": {}}}'])
def test_what_cannot_be_read_is_not_known(apart: Path, content: str | None) -> None:
    facts.FILE.unlink()
    if content is not None:
        facts.FILE.write_text(content.replace("SAME", facts.state_of_sources()), "utf-8")
    assert facts.stored() == {}


def test_a_loss_of_which_nothing_is_known_is_asked(apart: Path) -> None:
    kept = facts.stored()["binary/brier"]
    facts.FILE.write_text(f'{{"sources": "{facts.state_of_sources()}", "losses": {{}}}}', "utf-8")
    facts.stored.cache_clear()
    (line,) = lines(task="binary", search="brier")
    assert (line.tags, line.verdict) == (kept.tags, kept.verdict)


def test_a_loss_from_elsewhere_is_asked_even_if_one_here_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    here = next(item for item in losses if item.name == "hinge")

    def hinge(prediction, target):  # type: ignore[no-untyped-def]
        """A hinge of a plugin, which is a Brier score."""
        return (prediction.sigmoid() - target).square()

    plugin = type(here)(**{**vars(here), "function": hinge, "expects": "logits", "options": {}})
    assert here.is_in_package
    assert not plugin.is_in_package
    assert catalogue._line(plugin).verdict == "strictly proper"


def test_the_sources_are_all_that_is_asked() -> None:
    """Whatever of losscli runs while a loss is asked decides what is found."""
    chosen = [next(item for item in WITHIN if item.task == task) for task in sorted({item.task for item in WITHIN})]
    for item in chosen:
        computed(item)
    files: set[str] = set()

    def watch(frame: FrameType, event: str, argument: object) -> None:
        files.add(frame.f_code.co_filename)

    sys.setprofile(watch)
    try:
        for item in chosen:
            computed(item)
    finally:
        sys.setprofile(None)
    ran = {Path(file).relative_to(HOME) for file in files if Path(file).is_relative_to(HOME)}
    assert len(ran) > 10
    beside = {Path("lazy.py"), Path("stack/device.py")}  # where it runs, which decides nothing
    known = {Path(source) for source in facts.SOURCES}
    assert [str(file) for file in ran - beside if known.isdisjoint({file, *file.parents})] == []
