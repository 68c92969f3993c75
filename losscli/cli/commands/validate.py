"""`losscli validate`: are these specs right, and their data? Nothing is trained."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Exit, Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command

Specs = Annotated[list[str], Argument(metavar="SPECS...", help="YAML specs, or patterns of them.", show_default=False)]


@command("validate", Panel.reference)
def validate(
    specs: Specs,
    data: Annotated[bool, Option("--data", help="Read, split and encode their data, too.")] = False,
    form: flags.AsWorkflow = flags.WorkflowFormat.text,
) -> None:
    """Check specs without training.

    The exit code is 0 if all are right, 2 if a spec is wrong, 3 if only data are.

    losscli validate configs/*.yaml --data
    """
    from losscli.cli import show, validation

    results = validation.validate_all(specs, data)
    if form is flags.WorkflowFormat.json:
        show.machine({"schema_version": 1, "specs": [result.to_json() for result in results]})
    elif form is flags.WorkflowFormat.github:
        show.paper("".join(f"{line}\n" for result in results for line in validation.workflow_lines(result)))
    else:
        show.pieces(piece for result in results for piece in validation.lines_of(result))
    raise Exit(validation.exit_code(results))
