"""What the terminal shows of a recommendation: what was measured, the losses for it, and whose advice it is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from losscli.advice.heuristics import Advice
from losscli.advice.recommend import Recommendation
from losscli.cli.text import visible
from losscli.errors import Finding
from losscli.spec.model import Spec
from losscli.spec.overrides import Overrides

SEVERITY = {"error": "bold red", "warning": "yellow", "info": "cyan"}
NAME = 32  # columns of the longest name that is not folded


def advice(spec: Spec, found: Recommendation) -> Iterator[RenderableType]:
    """The reference first, then each heuristic with its losses; a loss that stood above is named again, and no more."""
    count = "1 loss" if len(found.losses) == 1 else f"{len(found.losses)} losses"
    yield Text.assemble((visible(spec.data.title()), "bold"), f" · {found.task} · {count}")
    if found.metrics:
        needs = "".join(f" · {key} {getattr(spec.train, key)}" for key in found.train)
        yield Text(f"judged by {', '.join(spec.metrics)}{needs}", "dim")  # as advised, unless it was asked otherwise
    yield Text()
    told = {each.pick.said(): each for each in found.losses}
    reference = found.losses[0]
    yield Text.assemble(("reference", "bold"), f": the default of {found.task}, which the others have to beat")
    yield _losses({reference.pick.said(): (reference.summary, reference.source)})
    seen = {reference.pick.loss}
    for each in found.advice.values():
        yield Text()
        yield from _ruled(each)
        names = [pick.said() for pick in each.picks if pick.said() in told]
        yield _losses(
            {name: _of(told[name].summary, told[name].source, told[name].pick.loss in seen) for name in names}
        )
        seen.update(told[name].pick.loss for name in names)
        if each.note:
            yield _indented(each.note, "dim")
    if not found.advice:
        yield Text("\nnothing stands out: there is no measured reason for another loss", "dim")
    if found.left_out:
        more = "1 loss" if found.left_out == 1 else f"{found.left_out} losses"
        yield Text(f"\n{more} more that were named are left out", "dim")
    yield from noticed(found.findings)


def _of(summary: str, source: str, again: bool) -> tuple[str, str]:
    return ("(above)", "") if again else (summary, source)


def _ruled(each: Advice) -> Iterator[RenderableType]:
    yield Text(visible(each.reason, 500), "bold")
    if each.source:
        yield _indented(f"after {each.source}", "dim")


def _losses(named: dict[str, tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=2)
    grid.add_column(max_width=NAME, overflow="fold")
    grid.add_column(overflow="fold")
    for name, (summary, source) in named.items():
        said = Text(visible(summary, 300))
        if source:
            said.append(f"\n{visible(source, 200)}", "dim")
        grid.add_row("", Text(visible(name, 200), "cyan"), said)
    return grid


def _indented(text: str, style: str) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=2)
    grid.add_column(overflow="fold")
    grid.add_row("", Text(visible(text, 600), style))
    return grid


def noticed(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    """What was noticed, the gravest first."""
    if not findings:
        return
    yield Text()
    grid = Table.grid(padding=(0, 1))
    for each in sorted(findings, key=lambda found: list(SEVERITY).index(found.severity)):
        told = Text(visible(each.message, 600))
        if each.cure:
            told.append(f"\ntry: {visible(each.cure, 300)}", "dim")
        grid.add_row(Text(each.severity, SEVERITY[each.severity]), told)
    yield grid


def again(data: str, asked: Overrides) -> str:
    """The data and what was said of them, as they were typed.

    >>> again("my table.csv", Overrides(target=["y"], drop=["id"], sets=["data.decimal=,"]))
    "'my table.csv' --target y --drop id --set data.decimal=,"
    """
    task = [("--task", asked.task)] if asked.task else []
    several = [(flag, text) for flag, texts in (("--target", asked.target), ("--drop", asked.drop)) for text in texts]
    typed = [*task, *several, *(("--set", text) for text in asked.sets)]
    return shlex.quote(data) + "".join(f" {flag} {shlex.quote(text)}" for flag, text in typed)
