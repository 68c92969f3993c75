"""`losscli stress`: how much damage to the training rows each loss bears."""

from __future__ import annotations

from typing import Annotated, Any

from typer import Exit, Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command
from losscli.cli.levels import damage, refuse_no_levels


def _levels(flag: str, of_what: str) -> Any:
    return Option(flag, help=f"Levels, as 0.1,0.2,0.4: {of_what}.", metavar="LEVELS", show_default=False)


@command("stress", Panel.prove)
def stress(
    specs: flags.Specs = None,
    *,
    label_noise: Annotated[str | None, _levels("--label-noise", "share of labels changed to another class")] = None,
    imbalance: Annotated[str | None, _levels("--imbalance", "share of the rarest class taken away")] = None,
    outliers: Annotated[str | None, _levels("--outliers", "share of targets moved by 10 sd")] = None,
    feature_noise: Annotated[str | None, _levels("--feature-noise", "sd of noise, in units of a feature's")] = None,
    missing: Annotated[str | None, _levels("--missing", "share of cells emptied")] = None,
    given: flags.SpecFlags,
    training: flags.TrainingFlags,
    form: flags.As = flags.Format.text,
    verbose: flags.Verbose = False,
    quiet: flags.Quiet = False,
) -> None:
    """Damage the training rows on purpose, level by level.

    Shows the clean test score of each loss at each level, and where it has lost 5 % of its own.

    losscli stress --data digits --loss cross-entropy --loss gce --label-noise 0.1,0.2,0.4

    losscli stress spec.yaml --missing 0.1,0.3 --seeds 5
    """
    from dataclasses import replace

    from losscli.cli import outcome
    from losscli.words.view import View

    levels = {
        "--label-noise": ("labels", label_noise),
        "--imbalance": ("imbalance", imbalance),
        "--outliers": ("target_outliers", outliers),
        "--feature-noise": ("feature_noise", feature_noise),
        "--missing": ("missing", missing),
    }
    loaded = outcome.load(specs or [], replace(given.overrides(), damage=damage(levels)), quiet)
    refuse_no_levels(loaded, list(levels))
    raise Exit(outcome.run(loaded, training.display(form, quiet, View(verbose=verbose)), training.where.execution()))
