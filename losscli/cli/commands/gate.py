"""`losscli gate`: a CI job fails only on a drop that chance does not explain."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Exit, Option

from losscli.cli import completion, flags
from losscli.cli.commands import Panel, command

Record = Annotated[
    str,
    Argument(
        metavar="RECORD",
        help="The new record: its folder, or how its id begins.",
        autocompletion=completion.records,
    ),
]
Baseline = Annotated[str, Option("--baseline", metavar="RECORD", help="The old record.", show_default=False)]
Metric = Annotated[
    str | None, Option("--metric", metavar="NAME", help="The headline unless one is named.", show_default=False)
]
MaxDrop = Annotated[float, Option("--max-drop", min=0.0, metavar="SIZE", help="How much worse it may be.")]
Entries = Annotated[
    list[str] | None,
    Option("--entry", metavar="NAME", help="An entry to judge; repeatable. All of the old record.", show_default=False),
]


@command("gate", Panel.prove)
def gate(
    record: Record,
    baseline: Baseline,
    metric: Metric = None,
    max_drop: MaxDrop = 0.0,
    entry: Entries = None,
    out: flags.Records = flags.RUNS,
    job_summary: flags.JobSummary = False,
    form: flags.AsWorkflow = flags.WorkflowFormat.text,
    verbose: flags.Verbose = False,
) -> None:
    """Compare a record with an older one, and exit with 1 if a metric dropped.

    Only a drop of more than --max-drop that chance does not explain counts, or an entry that is gone.

    losscli gate 0012 --baseline 0007 --metric auprc --max-drop 0.01
    """
    from losscli.cli import gating

    options = gating.GateOptions(baseline, metric, max_drop, tuple(entry or ()), out, form, job_summary, verbose)
    raise Exit(gating.run(record, options))
