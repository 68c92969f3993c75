"""`losscli inspect`: what a table holds, before anything is trained on it."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command

Data = Annotated[
    str,
    Argument(
        metavar="DATA", help="A table, a folder of tables, a data set, a generator or a spec.", show_default=False
    ),
]
All = Annotated[bool, Option("--all", help="Every column of a wide table.")]


@command("inspect", Panel.pick)
def inspect(
    data: Data,
    target: flags.Target = None,
    task: flags.Task = None,
    drop: flags.Drop = None,
    sets: flags.Set = None,
    every: All = False,
    form: flags.As = flags.Format.text,
) -> None:
    """Look at data before training: columns, target, and what stands out.

    Without a target it says which columns might be one.

    losscli inspect titanic.csv --target survived

    losscli inspect export.tsv --set data.decimal=","
    """
    from losscli.advice.reading import looked_at
    from losscli.cli import show
    from losscli.spec.overrides import Overrides

    given = Overrides(task=task, target=target or [], drop=drop or [], sets=sets or [])
    inspection = looked_at(data, given)
    if form is flags.Format.json:
        show.machine({"schema_version": 1, **inspection.to_json()})
        return
    from losscli.cli.inspection import inspected, next_command

    show.pieces(inspected(inspection, every))
    show.next_step(next_command(inspection, data, given))
