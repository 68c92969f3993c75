"""`losscli train`: one loss, from a spec, from flags, or both."""

from __future__ import annotations

from pathlib import Path

from typer import Exit

from losscli.cli import flags
from losscli.cli.commands import command
from losscli.executors.execution import LOCAL, TIMEOUT


@command("train")
def train(
    spec: flags.Spec = None,
    task: flags.Task = None,
    loss: flags.Loss = None,
    data: flags.Data = None,
    target: flags.Target = None,
    drop: flags.Drop = None,
    epochs: flags.Epochs = None,
    batch_size: flags.BatchSize = None,
    lr: flags.Lr = None,
    seeds: flags.Seeds = None,
    metric: flags.Metric = None,
    tune: flags.Tune = None,
    yardstick: flags.Yardstick = None,
    device: flags.Device = None,
    sets: flags.Set = None,
    by_class: flags.ByClass = False,
    smoke: flags.Smoke = False,
    workers: flags.Workers = "auto",
    timeout: flags.Timeout = TIMEOUT,
    executor: flags.Executor = LOCAL,
    address: flags.Address = None,
    out: flags.Out = Path("runs"),
    no_record: flags.NoRecord = False,
    form: flags.AsTable = "text",
    quiet: flags.Quiet = False,
) -> None:
    """Train one loss.

    Shows its curves, its metrics beside the baseline, and what was noticed.

    losscli train --task binary --loss bce-logits

    losscli train spec.yaml --epochs 50 --set train.clip=1
    """
    from losscli.cli import outcome
    from losscli.errors import SpecError

    given = flags.overrides(
        task, loss, data, target, drop, epochs, batch_size, lr, seeds, metric, device, sets, tune, yardstick
    )
    specs = outcome.load([spec] if spec else [], given, quiet)
    if len(specs[0].loss) > 1:
        message = f"train runs one loss, and the spec has {len(specs[0].loss)}"
        raise SpecError(message, cure=f"losscli compare {spec}, or choose one with --loss")
    raise Exit(
        outcome.run(
            specs,
            outcome.DisplayOptions(
                None if no_record else out, smoke, form, quiet, flags.view(None, None, None, by_class)
            ),
            flags.execution(workers, timeout, executor, address),
        )
    )
