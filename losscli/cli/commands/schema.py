"""`losscli schema`: the JSON Schema of a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command
from losscli.cli.commands.recommend import Force

Write = Annotated[
    Path | None,
    Option("--write", parser=flags.file_name, metavar="FILE", help="Write it to a file.", show_default=False),
]


@command("schema", Panel.reference)
def schema(write: Write = None, force: Force = False) -> None:
    """Print the JSON Schema of a spec (draft 2020-12).

    An editor that knows it completes keys and names, and marks mistakes; name it in the first line of a spec:
    # yaml-language-server: $schema=losscli.schema.json

    losscli schema --write losscli.schema.json
    """
    from losscli.cli import papers, show

    if write is None:
        show.paper(papers.schema_text())
        return
    papers.save(write, papers.schema_text(), force)
    show.notice(f"the schema is in {write}")
