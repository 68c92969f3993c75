"""`losscli report`: a record as a page, as Markdown, or as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command

To = Annotated[
    Path | None,
    Option(
        "--to",
        parser=flags.file_name,
        metavar="FILE",
        help="Write the report here. The page's default is <id>.html, in this folder.",
        show_default=False,
    ),
]
Png = Annotated[
    Path | None,
    Option(
        "--png",
        parser=flags.file_name,
        metavar="DIR",
        help="Write the figures here as pictures; needs Chromium or Google Chrome.",
        show_default=False,
    ),
]
Svg = Annotated[
    Path | None,
    Option(
        "--svg",
        parser=flags.file_name,
        metavar="DIR",
        help="Write the figures here as SVG, for print and slides; needs the same.",
        show_default=False,
    ),
]
Dark = Annotated[bool, Option("--dark", help="Pictures for a dark ground.")]
Force = Annotated[bool, Option("--force", help="Replace files that are not losscli's own.")]


@command("report", Panel.records)
def report(
    record: flags.Record,
    to: To = None,
    form: flags.AsReport = "html",
    png: Png = None,
    svg: Svg = None,
    dark: Dark = False,
    force: Force = False,
    out: flags.Records = flags.RUNS,
) -> None:
    """Make a report of a record: one self-contained HTML file.

    losscli report 0007

    losscli report runs/0007-20260131-154210-titanic --to titanic.html

    losscli report 0007 --format md

    losscli report 0007 --png figures
    """
    from losscli.cli import reporting

    reporting.run(record, reporting.ReportOptions(out, to, form, png, svg, dark, force))
