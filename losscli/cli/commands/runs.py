"""`losscli runs`: the records at hand: list, show, compare, remove, clean up, check, send."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from losscli.cli import completion, flags
from losscli.cli.commands import Command, Group, Panel, commands, panels

runs = typer.Typer(
    add_completion=False,
    cls=Group,
    rich_markup_mode=None,
    help="The records at hand: ls, show, diff, rm, clean, verify, export.",
)
commands.put("runs", runs)
panels["runs"] = Panel.records


@runs.callback(invoke_without_command=True)
def group(context: typer.Context) -> None:
    """What `losscli runs` alone does."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


Yes = Annotated[bool, Option("--yes", "-y", help="Do not ask.")]
Last = Annotated[int | None, Option("--last", metavar="N", min=1, help="The newest N only.", show_default=False)]


def _records(metavar: str, help: str | None = None) -> Any:  # noqa: A002
    return Argument(metavar=metavar, help=help, show_default=False, autocompletion=completion.records)


Records = Annotated[list[str], _records("RECORD...", "Ids, or how they begin.")]
Some = Annotated[list[str] | None, _records("RECORD...", "Ids, or how they begin; default is all.")]
To = Annotated[
    Path | None,
    Option(
        "--to",
        parser=flags.file_name,
        metavar="FILE|tensorboard",
        help="The zip file, default <id>.zip; or a folder of TensorBoard's event files, <id>-tensorboard.",
        show_default=False,
    ),
]
Force = Annotated[bool, Option("--force", help="Replace a file that exists.")]


def _pattern(flag: str, what: str) -> object:
    return Option(flag, metavar="PATTERN", help=f"Only those {what}; * stands for anything.", show_default=False)


@runs.command("ls", cls=Command)
def ls(
    task: Annotated[str | None, _pattern("--task", "of this task")] = None,
    data: Annotated[str | None, _pattern("--data", "of these data")] = None,
    loss: Annotated[str | None, _pattern("--loss", "with this loss")] = None,
    name: Annotated[str | None, _pattern("--name", "with this in their id")] = None,
    last: Last = None,
    root: flags.Records = flags.RUNS,
    form: flags.As = flags.Format.text,
) -> None:
    """List records, the newest last.

    losscli runs ls --task binary --loss "focal*" --last 5
    """
    from losscli.cli import records
    from losscli.record.listing import Filter

    records.ls(root, Filter(task, data, loss, name, last), form is flags.Format.json)


@runs.command("show", cls=Command)
def show(
    record: flags.Record,
    by_class: flags.ByClass = False,
    config: Annotated[bool, Option("--config", help="Show its settings, and where each came from.")] = False,
    verbose: flags.Verbose = False,
    root: flags.Records = flags.RUNS,
    form: flags.As = flags.Format.text,
) -> None:
    """Show a record as it was shown when it was made.

    losscli runs show 7

    losscli runs show 7 --config
    """
    from losscli.cli import records
    from losscli.words.view import View

    if config:
        records.show_config(root, record, form is flags.Format.json)
        return
    records.show_record(root, record, form is flags.Format.json, View(by_class=by_class, verbose=verbose))


@runs.command("diff", cls=Command)
def diff(
    before: Annotated[str, _records("A")],
    after: Annotated[str, _records("B")],
    root: flags.Records = flags.RUNS,
    form: flags.As = flags.Format.text,
) -> None:
    """Compare two records: keys of their specs, scores of their entries.

    losscli runs diff 7 8
    """
    from losscli.cli import records

    records.diff(root, before, after, form is flags.Format.json)


@runs.command("rm", cls=Command)
def rm(ids: Records, yes: Yes = False, root: flags.Records = flags.RUNS) -> None:
    """Remove records, and nothing outside their folder.

    losscli runs rm 7 8 --yes
    """
    from losscli.cli import records

    records.rm(root, ids, yes)


@runs.command("clean", cls=Command)
def clean(yes: Yes = False, root: flags.Records = flags.RUNS) -> None:
    """Remove unfinished records that no process works on.

    losscli runs clean
    """
    from losscli.cli import records

    records.clean(root, yes)


@runs.command("verify", cls=Command)
def verify(ids: Some = None, root: flags.Records = flags.RUNS, form: flags.As = flags.Format.text) -> None:
    """Check that records are as they were written.

    Reads every file against its checksum; without a name, every record. Exit code 5 where one is damaged. Of an unfinished
    one it says how far it is.

    losscli runs verify 7
    """
    from losscli.cli import records

    if records.verify(root, ids or [], form is flags.Format.json):
        raise typer.Exit(5)


@runs.command("export", cls=Command)
def export(record: flags.Record, to: To = None, force: Force = False, root: flags.Records = flags.RUNS) -> None:
    """Write a record to one zip file, or its histories for TensorBoard.

    For a model that other programs run, see losscli export.

    losscli runs export 7 --to titanic.zip

    losscli runs export 7 --to tensorboard
    """
    from losscli.cli import records

    records.export(root, record, to, force)
