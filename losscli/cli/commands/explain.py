"""`losscli explain`: all that is known of a loss, or several drawn over each other; and the page of a rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from losscli.cli import completion, flags
from losscli.cli.commands import Panel, command
from losscli.errors import Place, SpecError
from losscli.executors.execution import TIMEOUT

CODE = re.compile(r"LC\d+", re.I)

Names = Annotated[
    list[str] | None,
    Argument(
        metavar="LOSS...",
        help="One loss, or several of one task; or a rule.",
        show_default=False,
        autocompletion=completion.explained,
    ),
]
Values = Annotated[list[str] | None, Option("--set", metavar="OPTION=VALUES", help="As gamma=0,2,5; repeatable.")]
Torch = Annotated[bool, Option("--torch", help="Print the loss as one nn.Module that needs torch alone.")]
NoCost = Annotated[bool, Option("--no-cost", help="Of a rule: leave out what the mistake costs.")]
Html = Annotated[
    Path | None, Option("--html", parser=flags.file_name, metavar="FILE", help="Write an interactive page as well.")
]


Site = Annotated[
    Path | None,
    Option("--site", parser=flags.file_name, metavar="DIR", help="Write the whole reference as a site instead."),
]
Force = Annotated[bool, Option("--force", help="Replace a file that is not losscli's own.")]


@command("explain", Panel.pick)
def explain(
    names: Names = None,
    task: flags.Task = None,
    sets: Values = None,
    html: Html = None,
    site: Site = None,
    force: Force = False,
    torch: Torch = False,
    no_cost: NoCost = False,
    timeout: flags.Timeout = TIMEOUT,
    form: flags.As = flags.Format.text,
) -> None:
    """Explain a loss: its curve, its slope, its options, and how predictions may be read; or the rule of a finding.

    A rule's page shows what its mistake costs: what a spec can do wrong is trained then and there, in a few seconds.

    losscli explain focal --set gamma=0,2,5

    losscli explain focal bce-logits hinge --html losses.html

    losscli explain focal --set gamma=2 --torch > focal.py

    losscli explain LC001

    losscli explain --site reference
    """
    if site is not None or not names:
        _site(site, [word for word in (*(names or ()), task, html, *(sets or ())) if word], force)
        return
    from losscli.cli import show
    from losscli.rules import rules

    if len(names) == 1 and (names[0] in rules or CODE.fullmatch(names[0])):
        if torch or html is not None or sets or task:
            message = f"{names[0]} is a rule, and --torch, --html, --set and --task are for losses"
            raise SpecError(message, place=Place("explain"), cure=f"losscli explain {names[0]}")
        _rule(names[0], form, not no_cost)
        return
    from losscli.explain.catalogue import named, settings
    from losscli.explain.page import page
    from losscli.losses.own import judged

    items = list({item.name: item for item in named(names, task)}.values())
    values = flags.option_values(sets or [])
    option_sets = settings(items, values)
    if torch:
        from losscli.explain.module import taken_home

        show.paper(taken_home(items, [{name: of[name] for name in of if name in values} for of in option_sets[0]]))
        return
    pairs = list(zip(items, option_sets, strict=True))
    pages = judged(items, lambda: [page(item, options) for item, options in pairs])
    if html is not None:
        from losscli.explain.dials import families
        from losscli.reports.catalogue import write_page

        drawn = families(pages, items, option_sets)
        write_page(html, [page.to_json() for page in pages], [family.to_json() for family in drawn], force)
    if form is flags.Format.json:
        show.machine({"schema_version": 1, "pages": [page.to_json() for page in pages]})
        return
    from losscli.cli.catalogue import explained

    show.pieces(explained(pages))
    if html is not None:
        show.notice(f"the page is in {html}")


def _site(folder: Path | None, others: Sequence[object], force: bool) -> None:
    """The reference, in a folder."""
    if folder is None:
        raise SpecError("no loss is named", cure="losscli explain focal; losscli losses lists them")
    if others:
        raise SpecError(
            "--site writes everything, and takes nothing but --force", cure=f"losscli explain --site {folder}"
        )
    from losscli.cli import app, show
    from losscli.cli.manual import manual
    from losscli.site.build import START, build

    show.notice("the examples of every command are run for it, which takes half a minute")
    count = build(folder, manual(app.app, app.run), force)
    show.notice(f"{count} pages; begin with {folder / START}")
    show.paths([folder / START])


def _rule(name: str, form: flags.Format, with_cost: bool) -> None:
    from losscli.cli import costs, show
    from losscli.cli.rules import rule_page
    from losscli.rules import rules

    rule = rules.get(name.upper() if CODE.fullmatch(name) else name)
    if form is flags.Format.json:
        cost = costs.of(rule) if with_cost else None
        show.machine({"schema_version": 1, "rules": [rule.to_json() | {"cost": cost and cost.to_json()}]})
        return
    show.pieces(rule_page(rule))
    if with_cost and (cost := costs.of(rule)):
        show.pieces(costs.drawn(cost))
