"""What the terminal shows of a recommendation: what was measured, the losses for it, and whose advice it is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from losscli.advice.heuristics import Advice
from losscli.advice.recommend import Recommendation
from losscli.errors import Finding, by_gravity, visible
from losscli.severities import SEVERITIES
from losscli.spec.model import Spec
from losscli.spec.overrides import Overrides
from losscli.tasks import tasks

NAME = 32  # columns of the longest name that is not folded


def _standing(recommendation: Recommendation) -> str:
    default = tasks.get(recommendation.task).default_loss
    first = recommendation.losses[0].pick.loss
    if first == default:
        return f"the default of {recommendation.task}"
    of_counts = any(answer.reference for answer in recommendation.advice.values())
    return f"the plainest loss {'of counts' if of_counts else 'that takes an exposure'}"


def advice(spec: Spec, recommendation: Recommendation) -> Iterator[RenderableType]:
    """The reference first, then each heuristic with its losses; a loss that stood above is named again, and no more."""
    count = "1 loss" if len(recommendation.losses) == 1 else f"{len(recommendation.losses)} losses"
    yield Text.assemble((visible(spec.data.title()), "bold"), f" · {recommendation.task} · {count}")
    if recommendation.metrics:
        needs = "".join(f" · {key} {getattr(spec.train, key)}" for key in recommendation.train)
        yield Text(f"judged by {', '.join(spec.metrics)}{needs}", "dim")  # as advised, unless it was asked otherwise
    yield Text()
    losses = {loss.pick.entry_name(): loss for loss in recommendation.losses}
    reference = recommendation.losses[0]
    yield Text.assemble(("reference", "bold"), f": {_standing(recommendation)}, which the others have to beat")
    yield _losses({reference.pick.entry_name(): (reference.summary, reference.source)})
    above = {reference.pick.loss}
    for answer in recommendation.advice.values():
        yield Text()
        yield from _reason(answer)
        names = [pick.entry_name() for pick in answer.picks if pick.entry_name() in losses]
        yield _losses(
            {name: _of(losses[name].summary, losses[name].source, losses[name].pick.loss in above) for name in names}
        )
        above.update(losses[name].pick.loss for name in names)
        if answer.note:
            yield _indented(answer.note, "dim")
    if not recommendation.advice:
        yield Text("\nnothing stands out: there is no measured reason for another loss", "dim")
    if recommendation.left_out:
        more = "1 loss" if recommendation.left_out == 1 else f"{recommendation.left_out} losses"
        yield Text(f"\n{more} more that were named are left out", "dim")
    yield Text(f"\ntake one home, as a module that needs torch alone: {_home(recommendation)}", "dim")
    yield from noticed(recommendation.findings)


def _home(recommendation: Recommendation) -> str:
    """The command that prints the first loss that was measured for, or the reference, as a module."""
    measured = [pick.loss for answer in recommendation.advice.values() for pick in answer.picks]
    name = next(iter(measured), recommendation.losses[0].pick.loss)
    return f"losscli explain {name} --task {recommendation.task} --torch"


def _of(summary: str, source: str, again: bool) -> tuple[str, str]:
    return ("(above)", "") if again else (summary, source)


def _reason(answer: Advice) -> Iterator[RenderableType]:
    yield Text(visible(answer.reason, 500), "bold")
    if answer.source:
        yield _indented(f"after {answer.source}", "dim")


def _losses(named: dict[str, tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=2)
    grid.add_column(max_width=NAME, overflow="fold")
    grid.add_column(overflow="fold")
    for name, (summary, source) in named.items():
        cell = Text(visible(summary, 300))
        if source:
            cell.append(f"\n{visible(source, 200)}", "dim")
        grid.add_row("", Text(visible(name, 200), "cyan"), cell)
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
    for finding in by_gravity(findings):
        text = Text(visible(finding.message, 600))
        if finding.cure:
            text.append(f"\ntry: {visible(finding.cure, 300)}", "dim")
        grid.add_row(Text(finding.severity, SEVERITIES[finding.severity].terminal), text)
    yield grid


def again(data: str, overrides: Overrides) -> str:
    """The data and what was said of them, as they were typed.

    >>> again("my table.csv", Overrides(target=["y"], drop=["id"], sets=["data.decimal=,"]))
    "'my table.csv' --target y --drop id --set data.decimal=,"
    """
    task = [("--task", overrides.task)] if overrides.task else []
    several = [
        (flag, text) for flag, texts in (("--target", overrides.target), ("--drop", overrides.drop)) for text in texts
    ]
    typed = [*task, *several, *(("--set", text) for text in overrides.sets)]
    return shlex.quote(data) + "".join(f" {flag} {shlex.quote(text)}" for flag, text in typed)
