"""`losscli compare`: many losses, options, rates or specs, on the same seeds."""

from __future__ import annotations

from typer import Exit

from losscli.cli import flags
from losscli.cli.commands import Panel, command


@command("compare", Panel.prove)
def compare(
    specs: flags.Specs = None,
    *,
    given: flags.BoardFlags,
    training: flags.TrainingFlags,
    form: flags.AsTable = "text",
    view: flags.ViewFlags,
    quiet: flags.Quiet = False,
) -> None:
    """Compare losses on the same seeds.

    Shows one leaderboard for each arena: same task, data, split, model and budget.

    losscli compare configs/*.yaml

    losscli compare spec.yaml --loss bce-logits --loss focal --seeds 10

    losscli compare spec.yaml --tune lr --tune gamma=0.5,1,2
    """
    from losscli.cli import outcome

    overrides, chosen = given.overrides(), view.view()
    loaded = outcome.load(specs or [], overrides, quiet)
    raise Exit(outcome.run(loaded, training.display(form, quiet, chosen), training.where.execution()))
