"""One contract for every command on the shelf: its help says what it does, and shows examples that could be typed as they are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from losscli.cli import app
from losscli.cli.commands import commands


def every(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The commands and, of a group, those in it."""
    for name, inner in command.commands.items():
        if isinstance(inner, TyperGroup):
            yield from every(inner, *path, name)
        else:
            yield (*path, name), inner


ALL = [pytest.param(path, command, id=" ".join(path)) for path, command in every(typer.main.get_command(app.app))]


def examples(command: Any, path: tuple[str, ...]) -> list[list[str]]:
    begins = " ".join(("losscli", *path))
    lines = [line.strip() for line in command.help.splitlines()]
    return [shlex.split(line)[1 + len(path) :] for line in lines if line == begins or line.startswith(begins + " ")]


def test_none_is_left_out() -> None:
    assert {param.values[0][0] for param in ALL} == set(commands.names())
    assert len(ALL) >= 17


@pytest.mark.parametrize(("path", "command"), ALL)
def test_its_help_says_what_it_does_first(
    path: tuple[str, ...], command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run([*path, "--help"]) == 0
    out = capsys.readouterr().out
    first = command.help.split("\n\n")[0]
    assert first.endswith((".", "?"))
    assert " ".join(first.split()) in " ".join(out.split())
    for parameter in command.params:
        if parameter.param_type_name == "option" and not parameter.hidden:
            assert parameter.opts[0] in out
            assert (parameter.help or "").endswith((".", "?")), parameter.opts


@pytest.mark.parametrize(("path", "command"), ALL)
def test_its_examples_parse(path: tuple[str, ...], command: Any) -> None:
    """Every flag of an example is there, takes what it is given, and what must be given is."""
    shown = examples(command, path)
    assert len(shown) >= 1
    for words in shown:
        typed = words[: words.index(">")] if ">" in words else words  # what the shell takes away
        context = command.make_context(" ".join(path), list(typed), resilient_parsing=False)
        own = typed[: typed.index("--")] if "--" in typed else typed  # what follows is for somebody else's code
        flags = {word.split("=")[0] for word in own if re.match(r"--?[a-z]", word)}
        assert flags <= {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts}
        assert context.args == []
