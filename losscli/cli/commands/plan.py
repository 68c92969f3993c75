"""`losscli plan`: what a comparison can tell and what it costs, before anything is spent."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command
from losscli.executors.execution import TIMEOUT

Like = Annotated[
    str | None,
    Option("--like", metavar="RECORD", help="An earlier comparison that tells the spread.", show_default=False),
]


@command("plan", Panel.prove)
def plan(
    specs: flags.Specs = None,
    like: Like = None,
    *,
    given: flags.SpecFlags,
    out: flags.Records = flags.RUNS,
    timeout: flags.Timeout = TIMEOUT,
    form: flags.As = flags.Format.text,
    quiet: flags.Quiet = False,
) -> None:
    """Say what a comparison would take, and what it could tell.

    The fewest seeds for a verdict, what the seeds can see, and the time, measured on a few steps.

    losscli plan spec.yaml --loss bce-logits --loss focal --seeds 10

    losscli plan spec.yaml --seeds 20 --like 0007
    """
    from losscli.cli import outcome, planning

    planning.run(outcome.load(specs or [], given.overrides(), quiet), like, out, form)
