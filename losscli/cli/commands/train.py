"""`losscli train`: one loss, from a spec, from flags, or both."""

from __future__ import annotations

from typer import Exit

from losscli.cli import flags
from losscli.cli.commands import Panel, command


@command("train", Panel.prove)
def train(
    spec: flags.Spec = None,
    *,
    given: flags.OneLossFlags,
    details: flags.DetailFlags,
    training: flags.TrainingFlags,
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

    specs = outcome.load([spec] if spec else [], given.overrides(), quiet)
    if len(specs[0].loss) > 1:
        message = f"train runs one loss, and the spec has {len(specs[0].loss)}"
        raise SpecError(message, cure=f"losscli compare {spec}, or choose one with --loss")
    display = training.display(form, quiet, details.view())
    raise Exit(outcome.run(specs, display, training.where.execution()))
