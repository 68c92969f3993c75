"""`losscli compare`: many losses, options, rates or specs, on the same seeds."""

from __future__ import annotations

from pathlib import Path

from typer import Exit

from losscli.cli import flags
from losscli.cli.commands import command
from losscli.executors.execution import LOCAL, TIMEOUT


@command("compare")
def compare(
    specs: flags.Specs = None,
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
    yardstick: flags.Yardstick = None,
    device: flags.Device = None,
    sets: flags.Set = None,
    smoke: flags.Smoke = False,
    workers: flags.Workers = "auto",
    timeout: flags.Timeout = TIMEOUT,
    executor: flags.Executor = LOCAL,
    address: flags.Address = None,
    out: flags.Out = Path("runs"),
    no_record: flags.NoRecord = False,
    form: flags.AsTable = "text",
    sort: flags.Sort = None,
    metrics: flags.Shown = None,
    top: flags.Top = None,
    by_class: flags.ByClass = False,
    quiet: flags.Quiet = False,
) -> None:
    """Compare losses on the same seeds.

    Shows one leaderboard for each arena: same task, data, split, model and budget.

    losscli compare configs/*.yaml

    losscli compare spec.yaml --loss bce-logits --loss focal --seeds 10

    losscli compare spec.yaml --tune lr --tune gamma=0.5,1,2
    """
    from losscli.cli import outcome

    given = flags.overrides(
        task, loss, data, target, drop, epochs, batch_size, lr, seeds, metric, device, sets, tune, yardstick
    )
    view = flags.view(sort, metrics, top, by_class)
    loaded = outcome.load(specs or [], given, quiet)
    raise Exit(
        outcome.run(
            loaded,
            outcome.DisplayOptions(None if no_record else out, smoke, form, quiet, view),
            flags.execution(workers, timeout, executor, address),
        )
    )
