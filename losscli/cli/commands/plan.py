"""`losscli plan`: what a comparison can tell and what it costs, before anything is spent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from losscli.cli import flags
from losscli.cli.commands import command

Like = Annotated[
    str | None,
    Option("--like", metavar="RECORD", help="An earlier comparison that tells the spread.", show_default=False),
]


@command("plan")
def plan(
    specs: flags.Specs = None,
    like: Like = None,
    task: flags.Task = None,
    loss: flags.Losses = None,
    data: flags.Data = None,
    target: flags.Target = None,
    drop: flags.Drop = None,
    epochs: flags.Epochs = None,
    batch_size: flags.BatchSize = None,
    lr: flags.Lrs = None,
    seeds: flags.Seeds = None,
    metric: flags.Metric = None,
    tune: flags.Tune = None,
    device: flags.Device = None,
    sets: flags.Set = None,
    out: flags.Records = Path("runs"),
    form: flags.As = flags.Format.text,
    quiet: flags.Quiet = False,
) -> None:
    """Say what a comparison would take, and what it could tell.

    The fewest seeds for a verdict, what the seeds can see, and the time, measured on a few steps.

    losscli plan spec.yaml --loss bce-logits --loss focal --seeds 10

    losscli plan spec.yaml --seeds 20 --like 0007
    """
    from losscli.cli import outcome, planning

    given = flags.overrides(task, loss, data, target, drop, epochs, batch_size, lr, seeds, metric, device, sets, tune)
    planning.run(outcome.load(specs or [], given, quiet), like, out, form)
