"""What `plan` does: load what would be compared, try a few steps, and say what it takes and what it could tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from losscli.cli import show
from losscli.cli.flags import Format
from losscli.compare.power import Outlook, experience, outlook
from losscli.compare.result import Arena
from losscli.compare.samedata import of_these
from losscli.compare.verdict import margin
from losscli.errors import SpecError, counted, listed, shown, visible
from losscli.experiment import Experiment, load
from losscli.record.find import find
from losscli.reports.recall import recall
from losscli.spec.arenas import merge
from losscli.spec.model import Spec
from losscli.stack.cost import Cost, estimate_cost
from losscli.words.numbers import duration


@dataclass(frozen=True)
class ArenaPlan:
    """One arena: what would be trained, what it costs, what it could tell."""

    data: str
    task: str
    headline: str
    entries: list[str]
    candidates: int  # of tuning, with each seed; as many as entries where nothing is tuned
    runs: int
    resampled: bool
    cost: Cost
    outlook: Outlook


def run(specs: Sequence[Spec], like: str | None, out: Path, form: Format) -> None:
    """Plan every arena, and show it."""
    earlier = recall(find(out, like, outside=True)).comparison.arenas if like else ()
    plans = [_plan(load(spec), earlier) for spec in merge(specs)]
    if like and all(plan.outlook.sd is None for plan in plans):
        message = (
            f"--like: {shown(like)} compares nothing on these data, by this headline metric, with two seeds or more"
        )
        raise SpecError(message, cure="give the record of a comparison like the one that is planned")
    if form is Format.json:
        show.machine({"schema_version": 1, "arenas": [_plain(plan) for plan in plans]})
    else:
        show.pieces([piece for plan in plans for piece in (_head(plan), _table(plan), Text(""))])


def _plan(experiment: Experiment, earlier: Sequence[Arena]) -> ArenaPlan:
    spec, runs = experiment.spec, experiment.runs()
    resampled = spec.data.split.resampled
    ratio = experiment.ratios["test"] if resampled else 0.0
    title = next(iter(experiment.datasets.values())).name
    alike = of_these(spec.task, title, spec.data.model_dump(mode="json"), earlier)
    sd, mean = experience(alike, spec.task, experiment.headline.name) or (None, None)
    equivalence = spec.equivalence.get(experiment.headline.name)
    absolute = mean is not None or experiment.headline.direction != "down" or isinstance(equivalence, (int, float))
    limit = (
        margin(experiment.headline.direction, mean or 0.0, equivalence)
        if absolute and not _share(equivalence, mean)
        else None
    )
    return ArenaPlan(
        data=title,
        task=spec.task,
        headline=experiment.headline.name,
        entries=[entry.name for entry in experiment.entries],
        candidates=len(runs) // len(spec.seeds),
        runs=len(runs),
        resampled=resampled,
        cost=estimate_cost(runs, experiment.job),
        outlook=outlook(len(spec.seeds), len(experiment.entries) - 1, ratio, limit, sd),
    )


def _share(equivalence: float | str | None, mean: float | None) -> bool:
    """Whether the margin is a share of a mean that nobody knows yet."""
    return isinstance(equivalence, str) and mean is None


def _plain(plan: ArenaPlan) -> dict[str, Any]:
    return asdict(plan)


def _head(plan: ArenaPlan) -> Text:
    return Text.assemble((visible(plan.data), "bold"), f" · {plan.task} · {plan.headline}")


def _table(plan: ArenaPlan) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    prospects, cost = plan.outlook, plan.cost
    names = listed([visible(name, 40) for name in plan.entries], 8)
    split = "a split of its own for each" if plan.resampled else "one split for all"
    rows = {
        "entries": f"{len(plan.entries)}: {names}",
        "tuning": _tuning(plan),
        "seeds": f"{prospects.seeds}, {split}",
        "runs": f"{plan.runs} of {counted(cost.steps, 'step')} each, in {counted(cost.stacks, 'stack')}",
        "comparisons": f"{prospects.comparisons}, each with {visible(plan.entries[0], 40)}",
        "for a verdict": _verdict(prospects),
        "can see": _sees(prospects),
        "power": _power(prospects, plan.resampled),
        "time": f"about {duration(cost.seconds)}, measured on a few steps",
        "memory": f"about {cost.bytes / 1e6:.0f} MB at once, beside the program's own",
    }
    for name, text in rows.items():
        if text:
            table.add_row(Text(name, "dim"), Text(text))
    return table


def _tuning(plan: ArenaPlan) -> str:
    if plan.candidates == len(plan.entries):
        return ""
    return f"{plan.candidates} candidates with each seed, of which each entry keeps the best by the valid split"


def _verdict(prospects: Outlook) -> str:
    if not prospects.comparisons:
        return "nothing is compared: add a loss"
    few = (
        f"; {prospects.seeds} {'is' if prospects.seeds == 1 else 'are'} too few for any"
        if prospects.seeds < prospects.minimum_seeds
        else ""
    )
    return f"{prospects.advised_seeds} seeds are advised, {prospects.minimum_seeds} the fewest{few}"


def _sees(prospects: Outlook) -> str:
    if prospects.visible_sd is None:
        return ""
    text = f"differences of {prospects.visible_sd:.2g} sd (of the paired differences) or more, four times in five"
    return f"{text}; that is {prospects.visible_sd * prospects.sd:.2g}" if prospects.sd else text


def _power(prospects: Outlook, resampled: bool) -> str:
    """How likely a difference that matters is found, and how many seeds would find it."""
    if prospects.comparisons and prospects.sd == 0:
        return "unknown: in that record every score equals the reference's"
    if not prospects.comparisons or prospects.power is None:
        return "" if not prospects.comparisons else "unknown without the spread of an earlier comparison: --like RECORD"
    difference = f"a difference of {prospects.margin:.2g}, the least that matters, at an sd of {prospects.sd:.2g}"
    likely = f"{prospects.power:.0%} for {difference}"
    if prospects.seeds_for_power is not None:
        return f"{likely}; 80 % takes {prospects.seeds_for_power} seeds"
    why = ": the same rows are split again and again; more rows would help, or a fixed split (data.split.seed)"
    return f"{likely}; no number of seeds makes it 80 %{why if resampled else ''}"
