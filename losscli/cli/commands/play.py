"""`losscli play`: a page on which small runs can be watched, side by side, over their epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command

Data = Annotated[
    str,
    Argument(metavar="[moons|circles|blobs|spiral|FILE]", help="What to play with: drawn rows, or a table of yours."),
]
To = Annotated[
    Path | None,
    Option(
        "--to",
        parser=flags.file_name,
        metavar="FILE",
        help="Write the page here. The default is play-<data>.html, in this folder.",
        show_default=False,
    ),
]
Target = Annotated[
    str | None, Option("--target", metavar="COLUMN", help="Of a table: the column of classes.", show_default=False)
]
X = Annotated[str | None, Option("--x", metavar="COLUMN", help="Of a table: the numbers across.", show_default=False)]
Y = Annotated[str | None, Option("--y", metavar="COLUMN", help="Of a table: the numbers upwards.", show_default=False)]
Force = Annotated[bool, Option("--force", help="Replace a file that is not losscli's own.")]


@command("play", Panel.pick)
def play(
    data: Data = "moons", to: To = None, target: Target = None, x: X = None, y: Y = None, force: Force = False
) -> None:
    """Make a page to see with your own eyes what losses do: regions, curves and gradients, epoch by epoch.

    Losses, noise, wrong labels and imbalance are chosen on the page; all of them are trained now, in one stack, within seconds.

    losscli play

    losscli play spiral --to spiral.html

    losscli play flowers.csv --target species --x petal_length --y petal_width
    """
    from losscli.cli import playing

    playing.run(data, playing.PlayOptions(to, target, x, y, force))
