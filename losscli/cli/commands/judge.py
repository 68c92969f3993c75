"""`losscli judge`: verdicts for numbers that others produced."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command


class Splits(StrEnum):
    """What divides the rows of the runs."""

    fixed = "fixed"
    resampled = "resampled"


Scores = Annotated[
    str, Argument(metavar="SCORES", help="A table: entry, seed, and a column per metric.", show_default=False)
]
Metric = Annotated[
    str | None, Option("--metric", metavar="NAME", help="The headline; the first column.", show_default=False)
]
Reference = Annotated[
    str | None,
    Option("--reference", metavar="ENTRY", help="What the others are compared with; the first.", show_default=False),
]
Better = Annotated[
    list[str] | None,
    Option("--better", metavar="WAY", help="higher or lower, or METRIC=lower; repeatable.", show_default=False),
]
Division = Annotated[
    Splits | None,
    Option("--splits", help="fixed: one split for all seeds; resampled: each seed its own.", show_default=False),
]
Share = Annotated[
    float | None,
    Option("--train-share", metavar="SHARE", help="Of resampled splits, the share that trained.", show_default=False),
]
Equivalence = Annotated[
    list[str] | None,
    Option(
        "--equivalence",
        metavar="SIZE",
        help="A difference that does not matter: 0.01, 2%, METRIC=0.01.",
        show_default=False,
    ),
]
Common = Annotated[bool, Option("--common-seeds", help="Leave out seeds that some entry lacks.")]


@command("judge", Panel.prove)
def judge(
    scores: Scores,
    metric: Metric = None,
    reference: Reference = None,
    better: Better = None,
    splits: Division = None,
    train_share: Share = None,
    equivalence: Equivalence = None,
    common_seeds: Common = False,
    out: flags.Out = flags.RUNS,
    no_record: flags.NoRecord = False,
    form: flags.AsTable = "text",
    verbose: flags.Verbose = False,
    quiet: flags.Quiet = False,
) -> None:
    """Judge scores that other tools produced: the same board, verdicts and words as for losscli's own.

    The table has a row for each entry and seed (or fold) and a column per metric; or entry, seed, metric, value; or seed and a
    column per entry.

    losscli judge scores.csv --reference baseline --better rmse=lower

    losscli judge folds.csv --splits resampled --train-share 0.9 --equivalence 0.01
    """
    from losscli.cli import outcome
    from losscli.judge import flags as parsed
    from losscli.judge.arena import Terms, common, judged
    from losscli.judge.record import keep
    from losscli.judge.scores import read_scores
    from losscli.words.view import View

    path = Path(scores)
    table = read_scores(path, metric)
    resampled = None if splits is None else splits is Splits.resampled
    terms = Terms(metric, reference, parsed.ways(better), resampled, train_share, parsed.margins(equivalence))
    comparison = judged(common(table) if common_seeds else table, terms, path)
    if not no_record:
        comparison = keep(comparison, out)
    outcome.tell(
        comparison, outcome.DisplayOptions(None if no_record else out, False, form, quiet, View(verbose=verbose))
    )
