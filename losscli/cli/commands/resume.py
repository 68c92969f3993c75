"""`losscli resume`: go on with what was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit

from losscli.cli import flags
from losscli.cli.commands import command
from losscli.executors.execution import LOCAL, TIMEOUT

Record = Annotated[
    str | None,
    Argument(
        metavar="RECORD", help="Its id, or how it begins; default is the last that was stopped.", show_default=False
    ),
]


@command("resume")
def resume(
    record: Record = None,
    loss: flags.OwnLosses = None,
    workers: flags.Workers = "auto",
    timeout: flags.Timeout = TIMEOUT,
    executor: flags.Executor = LOCAL,
    address: flags.Address = None,
    out: flags.Records = Path("runs"),
    form: flags.AsTable = "text",
    sort: flags.Sort = None,
    metrics: flags.Shown = None,
    top: flags.Top = None,
    quiet: flags.Quiet = False,
) -> None:
    """Go on with a comparison that was stopped.

    It ends with the numbers of one that was never stopped. Of a record that is whole, shows the board.

    losscli resume

    losscli resume 7 --format json
    """
    from losscli.cli import resuming
    from losscli.cli.outcome import DisplayOptions

    display = DisplayOptions(out, False, form, quiet, flags.view(sort, metrics, top))
    raise Exit(resuming.run(record, loss or [], display, flags.execution(workers, timeout, executor, address)))
