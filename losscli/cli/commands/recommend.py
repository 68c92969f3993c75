"""`losscli recommend`: the losses that a table asks for, each with what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Exit, Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command
from losscli.cli.commands.inspect import Data

Write = Annotated[
    Path | None,
    Option(
        "--write",
        parser=flags.file_name,
        metavar="SPEC",
        help="Write a spec with these losses, and why.",
        show_default=False,
    ),
]
Force = Annotated[bool, Option("--force", help="Overwrite what is there.")]
Run = Annotated[bool, Option("--run", help="Compare them at once.")]


@command("recommend", Panel.pick)
def recommend(
    data: Data,
    target: flags.Target = None,
    task: flags.Task = None,
    drop: flags.Drop = None,
    write: Write = None,
    force: Force = False,
    run: Run = False,
    epochs: flags.Epochs = None,
    seeds: flags.Seeds = None,
    metric: flags.Metric = None,
    yardstick: flags.Yardstick = None,
    device: flags.Device = None,
    sets: flags.Set = None,
    *,
    details: flags.DetailFlags,
    training: flags.TrainingFlags,
    form: flags.As = flags.Format.text,
    quiet: flags.Quiet = False,
) -> None:
    """Recommend losses for data, with the measured reason for each.

    losscli recommend titanic.csv --target survived --write titanic.yaml

    losscli recommend visits.csv --target visits --run
    """
    from losscli.advice.reading import advised
    from losscli.cli import outcome, show

    shows = run if yardstick is None else yardstick
    given = flags.BoardFlags(
        task,
        None,
        None,
        target,
        drop,
        epochs,
        seeds=seeds,
        metric=metric,
        device=device,
        sets=sets,
        yardstick=shows or None,
    ).overrides()
    spec, recommendation = advised(data, given)
    if write is not None:
        from losscli.advice.outline import of_recommendation
        from losscli.cli.papers import written

        written(write, lambda schema: of_recommendation(spec, recommendation, write.parent, schema).text(), force)
    if form is flags.Format.json and not run:
        show.machine({"schema_version": 1, "data": spec.data.title(), **recommendation.to_json()})
    elif form is flags.Format.text:
        from losscli.cli.advice import advice, again

        show.pieces(advice(spec, recommendation))
        if write is None and not run:
            show.next_step(f"losscli recommend {again(data, given)} --run")
    if run:
        display = training.display(form, quiet, details.view())
        raise Exit(outcome.run([spec], display, training.where.execution()))
