"""`losscli resume`: go on with what was stopped."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Exit

from losscli.cli import flags
from losscli.cli.commands import Panel, command

Record = Annotated[
    str | None,
    Argument(
        metavar="RECORD", help="Its id, or how it begins; default is the last that was stopped.", show_default=False
    ),
]


@command("resume", Panel.prove)
def resume(
    record: Record = None,
    loss: flags.OwnLosses = None,
    *,
    where: flags.ExecutionFlags,
    out: flags.Records = flags.RUNS,
    form: flags.AsTable = "text",
    view: flags.ViewFlags,
    quiet: flags.Quiet = False,
) -> None:
    """Go on with a comparison that was stopped.

    It ends with the numbers of one that was never stopped. Of a record that is whole, shows the board.

    losscli resume

    losscli resume 7 --format json
    """
    from losscli.cli import resuming
    from losscli.cli.outcome import DisplayOptions

    display = DisplayOptions(out, False, form, quiet, view.view())
    raise Exit(resuming.run(record, loss or [], display, where.execution()))
