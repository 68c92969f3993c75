"""`losscli losses`: the catalogue as a table."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command


@command("losses", Panel.pick)
def losses(
    task: flags.Task = None,
    expects: Annotated[
        str | None, Option("--expects", metavar="WORD", help="logits, probabilities, values ...")
    ] = None,
    search: Annotated[str | None, Option("--search", metavar="TEXT", help="Words in what is said of a loss.")] = None,
    tag: Annotated[str | None, Option("--tag", metavar="TAG", help="proper, robust, imbalanced, ordinal ...")] = None,
    form: flags.As = flags.Format.text,
) -> None:
    """List the losses, with what each is good for.

    The tags are found by asking the losses themselves.

    losscli losses --task binary --tag robust

    losscli losses --search "label smoothing" --format json
    """
    from losscli.cli import show
    from losscli.explain.catalogue import lines

    matches = lines(task, expects, search, tag)
    if form is flags.Format.json:
        show.machine({"schema_version": 1, "losses": [line.to_json() for line in matches]})
    elif matches:
        from losscli.cli.catalogue import loss_table

        show.pieces(loss_table(matches))
    else:
        show.notice(_nothing(search, task))


def _nothing(search: str | None, task: str | None) -> str:
    """What to say where no loss matches; a name that people bring from elsewhere is answered as everywhere."""
    from losscli.losses import unknown
    from losscli.losses.foreign import foreign

    if search is None or foreign(search) is None:
        return "no loss matches all of this; losscli losses lists them all"
    (problem,) = unknown(search, task).problems
    return f"{problem.message}; {problem.cure}"
