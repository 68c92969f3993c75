"""What `plan` does: load what would be compared, try a few steps, and say what it takes and what it could tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
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
from losscli.losses.own import judged
from losscli.record.find import find
from losscli.reports.recall import recall
from losscli.spec.arenas import merge
from losscli.spec.model import Spec
from losscli.spec.stages import first_stage
from losscli.stack.cost import Cost, estimate_cost
from losscli.words.looks import percent
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
    outlook: Outlook  # of the last look, where there are several
    looks: list[LookPlan] = field(default_factory=list)


@dataclass(frozen=True)
class LookPlan:
    """One look of several: its level, the expected seconds up to it, and the smallest difference that it settles four times in
    five, in units of the sd of the paired differences."""

    seeds: int
    level: float
    seconds: float
    visible_sd: float | None


def run(specs: Sequence[Spec], like: str | None, out: Path, form: Format) -> None:
    """Plan every arena, and show it."""
    earlier = recall(find(out, like, outside=True)).comparison.arenas if like else ()
    plans = [_plan(load(first_stage(spec)), earlier) for spec in merge(specs)]
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
    cost = judged([runs[0].loss], lambda: estimate_cost(runs, experiment.job))  # its stack is the one that is tried
    most = spec.most_seeds
    comparisons, share = len(experiment.entries) - 1, spec.looks.shares[-1] if spec.looks else 1.0
    return ArenaPlan(
        data=title,
        task=spec.task,
        headline=experiment.headline.name,
        entries=[entry.name for entry in experiment.entries],
        candidates=len(runs) // len(spec.seeds),
        runs=len(runs) * most // len(spec.seeds),
        resampled=resampled,
        cost=replace(cost, seconds=cost.seconds * most / len(spec.seeds)),
        outlook=outlook(most, comparisons, ratio, limit, sd, share),
        looks=_looks(spec, comparisons, ratio, cost.seconds / len(spec.seeds)),
    )


def _looks(spec: Spec, comparisons: int, ratio: float, seconds: float) -> list[LookPlan]:
    """Each look, where there are several; `seconds` is what one seed takes."""
    looks = spec.looks
    if looks is None or len(looks.sizes) == 1:
        return []
    return [
        LookPlan(
            size, looks.levels[at], seconds * size, outlook(size, comparisons, ratio, share=looks.shares[at]).visible_sd
        )
        for at, size in enumerate(looks.sizes)
    ]


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
    stacks = (
        "" if plan.looks else f", in {counted(cost.stacks, 'stack')}"
    )  # of the first look, whose stacks are a part of all
    split = "a split of its own for each" if plan.resampled else "one split for all"
    rows = {
        "entries": f"{len(plan.entries)}: {names}",
        "tuning": _tuning(plan),
        "seeds": f"{'at most ' if plan.looks else ''}{prospects.seeds}, {split}",
        "looks": _in_words(plan.looks, prospects.sd),
        "runs": f"{plan.runs} of {counted(cost.steps, 'step')} each{stacks}",
        "comparisons": f"{prospects.comparisons}, each with {visible(plan.entries[0], 40)}",
        "for a verdict": _verdict(prospects),
        "can see": _sees(prospects),
        "power": _power(prospects, plan.resampled),
        "time": _time(plan),
        "memory": f"about {cost.bytes / 1e6:.0f} MB at once, beside the program's own",
    }
    for name, text in rows.items():
        if text:
            table.add_row(Text(name, "dim"), Text(text))
    return table


def _in_words(looks: Sequence[LookPlan], sd: float | None) -> str:
    """Each look on a line of its own: its seeds, its level, and what it settles."""
    lines = []
    for look in looks:
        sees = f"{look.visible_sd:.2g} sd" if look.visible_sd is not None else "nothing"
        size = f", {look.visible_sd * sd:.2g}" if sd and look.visible_sd is not None else ""
        after = f"after {look.seeds} seeds, about {duration(look.seconds)}, at {percent(look.level)}"
        lines.append(f"{after}: settles differences of {sees}{size} or more, four times in five")
    return "\n".join(lines)


def _time(plan: ArenaPlan) -> str:
    most = f"at most about {duration(plan.cost.seconds)}, if an entry stays open to the last look;"
    return f"{most if plan.looks else f'about {duration(plan.cost.seconds)},'} measured on a few steps"


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
