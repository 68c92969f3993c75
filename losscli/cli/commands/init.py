"""`losscli init`: a spec to begin with, every key of it with a comment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command
from losscli.cli.commands.recommend import Force

What = Annotated[
    str | None,
    Argument(metavar="[TASK|DATA]", help="A task, or data: a table, a data set, a generator.", show_default=False),
]
To = Annotated[Path, Option("--to", parser=flags.file_name, metavar="SPEC", help="Where it goes; - is stdout.")]
STDOUT = Path("-")


@command("init", Panel.pick)
def init(
    what: What = None,
    target: flags.Target = None,
    task: flags.Task = None,
    drop: flags.Drop = None,
    sets: flags.Set = None,
    to: To = Path("spec.yaml"),
    force: Force = False,
) -> None:
    """Write a commented spec for a task, or for data.

    Keys with # in front have their default. Beside it lies the JSON Schema for editors.

    losscli init multiclass

    losscli init titanic.csv --target survived --to titanic.yaml
    """
    from losscli.advice.reading import outlined
    from losscli.cli import show
    from losscli.cli.papers import SCHEMA_FILE, written
    from losscli.spec.overrides import Overrides

    given = Overrides(task=task, target=target or [], drop=drop or [], sets=sets or [])
    outline, noticed = outlined(what or task or "binary", given, None if to == STDOUT else to)
    for sentence in noticed:
        show.notice(sentence)
    if to == STDOUT:
        show.paper(outline(SCHEMA_FILE).text())
    else:
        written(to, lambda schema: outline(schema).text(), force)
