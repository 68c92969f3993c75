"""`losscli verify`: does a loss hold what a loss must hold?"""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Exit, Option

from losscli.cli import completion, flags
from losscli.cli.commands import Panel, command
from losscli.executors.execution import TIMEOUT

Name = Annotated[
    str,
    Argument(
        help="A loss of the catalogue, or FILE.py:NAME for one of your own.",
        metavar="LOSS",
        autocompletion=completion.losses,
    ),
]
Task = Annotated[str, Option("--task", help="The task that it serves.", metavar="NAME")]
Expects = Annotated[
    str | None,
    Option("--expects", help="What your own loss wants: logits, probabilities ...", metavar="KIND", show_default=False),
]
Set = Annotated[
    list[str] | None,
    Option("--set", help="An option, as gamma=2; repeatable.", metavar="OPTION=VALUE", show_default=False),
]


@command("verify", Panel.catch)
def verify(
    loss: Name,
    task: Task,
    expects: Expects = None,
    sets: Set = None,
    timeout: flags.Timeout = TIMEOUT,
    form: flags.As = flags.Format.text,
) -> None:
    """Try a loss on everything that a loss must hold.

    Shows each property, and the smallest example where one fails; the exit code is 1 then.

    losscli verify focal --task binary

    losscli verify my_loss.py:MyLoss --task binary
    """
    from losscli.cli import verification

    raise Exit(verification.run(loss, task, expects, sets or [], form))
