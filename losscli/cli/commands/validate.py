"""`losscli validate`: are these specs right, and their data? Nothing is trained."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typer import Argument, Exit, Option

from losscli.cli.commands import command

Specs = Annotated[list[str], Argument(metavar="SPECS...", help="YAML specs, or patterns of them.", show_default=False)]


class Form(StrEnum):
    """How the verdicts are written."""

    text = "text"
    json = "json"
    github = "github"


@command("validate")
def validate(
    specs: Specs,
    data: Annotated[bool, Option("--data", help="Read, split and encode their data, too.")] = False,
    form: Annotated[Form, Option("--format", help="text, json, or github annotations.")] = Form.text,
) -> None:
    """Check specs without training.

    The exit code is 0 if all are right, 2 if a spec is wrong, 3 if only data are.

    losscli validate configs/*.yaml --data
    """
    from losscli.cli import show, validation

    verdicts = validation.judged(specs, data)
    if form is Form.json:
        show.machine({"schema_version": 1, "specs": [each.to_json() for each in verdicts]})
    elif form is Form.github:
        show.paper("".join(f"{line}\n" for each in verdicts for line in validation.workflow_lines(each)))
    else:
        show.pieces(piece for each in verdicts for piece in validation.told(each))
    raise Exit(validation.exit_code(verdicts))
