"""Help stands in panels, says everything whole, and colours are as somebody asks."""

from __future__ import annotations

import os
import re

import pytest

from losscli.cli import app
from losscli.cli.commands import Panel, commands, panels

COLORED = re.compile(r"\x1b\[[0-9;]*m")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert app.run(words) == 0
    return capsys.readouterr().out


def sections(text: str) -> dict[str, list[str]]:
    """The first words of the rows of each section."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if re.fullmatch(r"\w[\w ]*:", line):
            found[line[:-1]] = []
        elif found and re.match(r"  \S", line):
            found[list(found)[-1]].append(line.split()[0].rstrip(","))
    return found


def test_commands_stand_under_what_they_are_for(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "--help")
    found = sections(text)
    assert list(found)[:-1] == ["Options", *(str(panel) for panel in Panel)][:-1]
    for name in commands.names():
        assert name in found[panels[name]]
    assert found["Pick a loss"] == ["explain", "inspect", "recommend", "init", "losses", "play"]
    assert "..." not in text.replace("[ARGS]...", "")  # no sentence is cut


@pytest.mark.parametrize("name", ["", *commands.names()])
def test_completion_is_installed_for_losscli_and_not_for_a_command(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ("--install-completion" in said(capsys, *name.split(), "--help")) == (not name)


@pytest.mark.parametrize("name", [name for name in commands.names() if name != "runs"])
def test_flags_stand_under_headings_each_once(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, name, "--help")
    flags = [word for section in sections(text).values() for word in section if word.startswith("-")]
    assert len(flags) == len(set(flags))
    assert "-h" in flags
    for heading in ("What to train", "Where to train", "What is shown"):
        if name in ("compare", "train", "stress"):
            assert sections(text)[heading]


@pytest.mark.parametrize(
    ("words", "environment", "colored"),
    [
        ((), {}, False),
        (("--color", "always"), {}, True),
        (("--color=always",), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        (("--color", "auto"), {"FORCE_COLOR": "1"}, True),
        (("--color=never", "--color=always"), {}, True),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_colours_are_as_somebody_asks_on_every_command(
    words: tuple[str, ...],
    environment: dict[str, str],
    colored: bool,
    first: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    assert app.run([*words, "rules"] if first else ["rules", *words]) == 0
    assert bool(COLORED.search(capsys.readouterr().out)) is colored
    assert app.run([*words, "explain", "LC999"]) == 2
    assert bool(COLORED.search(capsys.readouterr().err)) is colored
    assert dict(os.environ) == before


@pytest.mark.parametrize("words", [("--color", "red", "rules"), ("rules", "--color"), ("rules", "--color=")])
def test_another_word_is_refused_with_those_that_there_are(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(words) == 2
    assert "auto, always" in capsys.readouterr().err
