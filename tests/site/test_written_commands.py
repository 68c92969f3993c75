"""Commands that pages tell people to type can be typed: every word of theirs is an option, an argument or a spec."""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from losscli.cli.app import app, run
from losscli.site.chapters.guides import guides

ROOT = Path(__file__).parents[2]
START = html.unescape((ROOT / "losscli/pages/templates/site.html.jinja").read_text()).replace("<code>", "<code>\n")
PAGES = {
    "README": (ROOT / "README.md").read_text(),
    "start": START.replace("</code>", "\n"),
    "guides": "\n".join(block.rows[0][0] for topic in guides() for block in topic.blocks if block.kind == "code"),
}
COMMAND = re.compile(r"^(?:\$ )?losscli ([a-z][^\n]*)$", re.M)


def written(page: str) -> list[list[str]]:
    """The commands that stand on lines of their own, a list of words each, without what a shell does with them."""
    return [shlex.split(line.partition(" > ")[0], comments=True) for line in COMMAND.findall(PAGES[page])]


@pytest.mark.parametrize("page", PAGES)
def test_they_can_be_typed(page: str) -> None:
    group: Any = typer.main.get_command(app)
    lines = written(page)
    assert lines
    for words in lines:
        command, rest = group.commands[words[0]], words[1:]
        if words[0] == "runs":
            command, rest = command.commands[rest[0]], rest[1:]
        context = command.make_context(words[0], list(rest))  # raises for what is no option
        specs = context.params.get("specs") or context.params.get("spec") or []
        for spec in [specs] if isinstance(specs, str) else specs:
            assert Path(spec).suffix == ".yaml", words
        assert not context.args, words


@pytest.mark.parametrize("data", ["mine.csv", "mine.parquet", "moons", "titanic"])
@pytest.mark.parametrize("command", ["train", "compare", "plan", "stress"])
def test_data_in_the_place_of_a_spec_are_told_where_they_go(
    command: str, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n")
    (tmp_path / "mine.parquet").write_bytes(b"PAR1\xff\x00")
    assert run([command, data, "--loss", "mae"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    if data == "titanic":  # no data set of that name
        assert "cannot read the spec" in said
    else:
        assert f"'{data}' is data, not a spec" in said
        assert f"try: name it with --data: --data {data}" in said
