"""`losscli check`: misuse of losses, seen while the user's own code runs."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Exit, Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command

Codes = list[str] | None
Target = Annotated[str, Argument(metavar="TARGET", help="A script, MODULE:FUNCTION, or a record.", show_default=False)]
Arguments = Annotated[
    list[str] | None, Argument(metavar="[-- ARGUMENTS]", help="What the script is given.", show_default=False)
]


@command("check", Panel.catch)
def check(
    target: Target,
    arguments: Arguments = None,
    steps: Annotated[int, Option("--steps", min=1, metavar="N", help="Steps of each optimizer to watch.")] = 3,
    seconds: Annotated[
        float, Option("--timeout", min=0.1, metavar="SECONDS", help="End a script that takes longer.")
    ] = 600.0,
    form: flags.AsCode = flags.CodeFormat.text,
    select: Annotated[Codes, Option("--select", metavar="CODES", help="Only these rules; repeatable.")] = None,
    ignore: Annotated[Codes, Option("--ignore", metavar="CODES", help="Not these rules; repeatable.")] = None,
    everything: Annotated[bool, Option("--all", help="Show infos, too.")] = False,
    out: flags.Records = flags.RUNS,
) -> None:
    """Find misuse of losses by running code: this command runs YOUR code.

    A script runs as it would, a few steps long, and what it prints goes to stderr. A function returns model, loss and
    batch. A record is not run: its specs are looked at. The exit code is 1 where something is found, 2 for wrong usage or code
    that fails. losscli lint looks at source text, and runs nothing.

    losscli check train.py -- --epochs 1

    losscli check train.py --steps 20 --format json

    losscli check mypackage.train:parts

    losscli check 0007
    """
    from losscli.cli import checking

    limits = checking.Limits(steps, seconds, out)
    outcome = checking.look(target, arguments or [], limits)
    raise Exit(checking.show(outcome, form.value, checking.Choice(select or [], ignore or [], everything)))
