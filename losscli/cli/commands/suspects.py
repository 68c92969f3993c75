"""`losscli suspects`: the labels of a record that look wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command

To = Annotated[
    Path | None, Option("--to", metavar="FILE", help="Write all labels as CSV, in order.", show_default=False)
]
Force = Annotated[bool, Option("--force", help="Replace a file that exists.")]
Top = Annotated[int, Option("--top", metavar="N", min=1, help="How many to show.")]


@command("suspects", Panel.catch)
def suspects(
    record: flags.Record,
    entry: flags.Entry = None,
    arena: flags.ArenaNumber = None,
    top: Top = 20,
    to: To = None,
    force: Force = False,
    out: flags.Records = flags.RUNS,
    form: flags.As = flags.Format.text,
) -> None:
    """Rank the labels of a record by how confidently runs that did not train on a row contradict its label.

    Says how many labels are estimated wrong for each pair of classes (confident learning), and where the rows stand in
    their file. Numbers are ranked by how far they lie from what was predicted.

    losscli suspects 7

    losscli suspects 7 --to suspects.csv
    """
    from losscli.cli import suspecting

    shows = suspecting.SuspectOptions(arena, entry, top, to, force, form is flags.Format.json)
    suspecting.run(out, record, shows)
