"""The answer to "which loss is better here?" in one sentence, which stands first wherever a comparison is shown.

It repeats the verdicts and adds none: who is said to beat the reference is `better`, who is said to be worse is `worse`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from losscli.compare.breakdown import LOST, Breakdown, Line
from losscli.compare.result import CLAIMS, Arena, EntryResult, Verdict
from losscli.compare.verdict import seeds_wanted
from losscli.errors import counted, joined, visible
from losscli.tasks import tasks
from losscli.words.caveats import contrary, useless
from losscli.words.columns import described, how_lost
from losscli.words.damage import DAMAGE, damaged, percent
from losscli.words.phrases import magnitude, scored

NAMED = 3  # entries that one clause names
SETTLED = (*CLAIMS, "equivalent", "same")  # verdicts that a reader may act on


def answer(arena: Arena) -> str:
    """One sentence; names of the user's are shown with everything invisible in them written out."""
    if len(arena.entries) == 1:
        clauses = [_alone(arena)]
    elif arena.runs and all(run.lost for run in arena.runs):
        return f"Nothing can be compared on {_where(arena)}: every run {how_lost(arena)}."
    else:
        clauses = _verdicts(arena)
    return "; ".join(clauses) + "".join(_but(arena)) + "."


def _verdicts(arena: Arena) -> list[str]:
    """What is said of the group that matters most, and a few words on each of the others."""
    groups: dict[Verdict, list[EntryResult]] = {}
    for entry in sorted(arena.entries, key=lambda entry: -abs(entry.delta.mean) if entry.delta else 0.0):
        groups.setdefault("equivalent" if entry.verdict == "same" else entry.verdict, []).append(entry)
    leads = {
        "better": _better,
        "worse": _worse,
        "equivalent": _equal,
        "inconclusive": _open,
        "too-few-seeds": _too_few,
        "undefined": _undefined,
    }
    first = next(verdict for verdict in leads if verdict in groups)
    rest = [_rest(arena, verdict, groups[verdict]) for verdict in leads if verdict in groups and verdict != first]
    return [leads[first](arena, groups[first]), *rest]


def _better(arena: Arena, entries: Sequence[EntryResult]) -> str:
    verb = "beats" if len(entries) == 1 else "beat"
    return f"{_names(entries)} {verb} {visible(arena.reference, 40)} on {_where(arena)} ({_size(arena, entries)})"


def _worse(arena: Arena, entries: Sequence[EntryResult]) -> str:
    be = f"{_are(entries)} worse than {visible(arena.reference, 40)}"
    return f"{_names(entries)} {be} on {_where(arena)} ({_size(arena, entries)})"


def _equal(arena: Arena, entries: Sequence[EntryResult]) -> str:
    reference, where = visible(arena.reference, 40), _where(arena)
    if all(entry.verdict == "same" for entry in entries):
        verb = "predicts" if len(entries) == 1 else "predict"
        return f"{_names(entries)} {verb} the same as {reference} on {where}, with every seed"
    margin = next(entry.delta.margin for entry in entries if entry.delta and entry.delta.margin is not None)
    by = f"by {visible(arena.headline, 40)} (within {magnitude(margin, margin)}, {_seeds(arena)})"
    return f"{_names(entries)} {_are(entries)} as good as {reference} on {where} {by}"


def _open(arena: Arena, entries: Sequence[EntryResult]) -> str:
    subject = f"No difference from {visible(arena.reference, 40)} is proven on {_where(arena)} for {_names(entries)}"
    return f"{subject} ({visible(arena.headline, 40)}, {_seeds(arena)}{_until(entries, arena)})"


def _until(entries: Sequence[EntryResult], arena: Arena) -> str:
    """What would settle them."""
    if any(arena.lost_runs(name) for name in (arena.reference, *(entry.entry for entry in entries))):
        return f"; some runs {how_lost(arena)}"
    if arena.whole_seeds < len(arena.seeds):
        return "; the training was stopped"
    more = [entry.delta.seeds_needed if entry.delta else None for entry in entries]
    needed = [count for count in more if count is not None]
    if not needed:
        return "; a verdict takes more rows"
    which = "would tell" if len(needed) == len(entries) else f"would settle {len(needed)} of {len(entries)}"
    return f"; about {max(needed)} more {which}"


def _too_few(arena: Arena, entries: Sequence[EntryResult]) -> str:
    told = f"{_names(entries)} from {visible(arena.reference, 40)} on {_where(arena)}"
    wanted = seeds_wanted(arena)
    advised = f"; {wanted} seeds are advised" if wanted else ""
    if len(arena.seeds) == 1:
        return f"One run each cannot tell {told}{advised}"
    return f"{counted(len(arena.seeds), 'seed')} are too few to tell {told}{advised}"


def _undefined(arena: Arena, entries: Sequence[EntryResult]) -> str:
    return f"There is no verdict by {visible(arena.headline, 40)} on {_where(arena)} for {_names(entries)}{_why(arena, entries)}"


def _rest(arena: Arena, verdict: Verdict, entries: Sequence[EntryResult]) -> str:
    """A clause that follows a sentence on the same reference and data."""
    if verdict == "undefined":
        return f"{_names(entries)} {'has' if len(entries) == 1 else 'have'} no verdict{_why(arena, entries)}"
    words = {"worse": "worse", "equivalent": "no different", "inconclusive": "still open", "too-few-seeds": "undecided"}
    return f"{_names(entries)} {_are(entries)} {words[verdict]}"


def _why(arena: Arena, entries: Sequence[EntryResult]) -> str:
    """Why there is no verdict, where it is the same for all of them."""
    reasons = {described(entry, arena).removeprefix("no verdict, ") for entry in entries}
    return f" ({visible(reasons.pop(), 200)})" if len(reasons) == 1 else ""


def _but(arena: Arena) -> list[str]:
    """What a reader of the verdicts on one metric must know: other metrics, no model at all, a plain model."""
    said = [_elsewhere(arena)] if any(map(contrary, arena.entries)) else []
    several = len(arena.entries) > 1
    settled = any(entry.verdict in SETTLED for entry in arena.entries)
    if several and settled and (names := useless(arena)):
        everyone = len(names) == sum(scored(arena, entry) is not None for entry in arena.entries)
        winners = [entry.entry for entry in arena.entries if entry.verdict == "better" and entry.entry in names]
        if everyone:
            said.append(f", but none is clearly better than {tasks.get(arena.task).without_model}")
        elif winners:
            said.append(f", but {joined(list(map(visible, winners)), NAMED)} {_not_clearly(arena, len(winners))}")
    plain = [one.name for one in arena.yardsticks if one.beats]
    if plain:
        verb, whom = "beats" if len(plain) == 1 else "beat", "all of them" if several else "it"
        said.append(f"; {joined(plain, NAMED)} {verb} {whom}")
    return said


def _not_clearly(arena: Arena, count: int) -> str:
    return f"{'is' if count == 1 else 'are'} not clearly better than {tasks.get(arena.task).without_model}"


def _elsewhere(arena: Arena) -> str:
    """Entries that another metric says something else of: a single one with what it says."""
    others = {entry.entry: contrary(entry) for entry in arena.entries if contrary(entry)}
    metrics = list(dict.fromkeys(delta.metric for deltas in others.values() for delta in deltas))
    verdicts = {delta.verdict for deltas in others.values() for delta in deltas}
    names = joined([visible(name, 40) for name in others], NAMED)
    if len(verdicts) == 1 and (len(metrics) == 1 or len(others) == 1):
        verb = "is" if len(others) == 1 else "are"
        return f", but {names} {verb} {verdicts.pop()} on {joined([visible(metric, 40) for metric in metrics], NAMED)}"
    return f", but other metrics say otherwise of {names}"


def _alone(arena: Arena) -> str:
    """One entry: what it reached, beside what no model does."""
    (entry,) = arena.entries
    name, metric, score = visible(entry.entry, 40), visible(arena.headline, 40), scored(arena, entry)
    lost = arena.lost_runs(entry.entry)
    if score is None:
        why = f"every run {how_lost(arena)}" if lost == len(arena.runs) and lost else "no run has a value"
        return f"{name} has no {metric} on {_where(arena)}: {why}"
    none, base = arena.without_model(arena.headline), tasks.get(arena.task).without_model
    count = _seeds(arena) + (f", {counted(lost, 'run')} {how_lost(arena)}" if lost else "")
    if useless(arena):
        clearly = "clearly " if len(arena.seeds) > 1 else ""
        against = f"{metric} {score.mean:.4g} against {none:.4g}"
        return f"{name} is not {clearly}better than {base} on {_where(arena)} ({against}, {count})"
    beside = f", where {base} gets {none:.4g}" if math.isfinite(none) else ""
    return f"{name} reaches {metric} {score.mean:.4g} on {_where(arena)}{beside} ({count})"


def _size(arena: Arena, entries: Sequence[EntryResult]) -> str:
    """`by about 0.10 accuracy, 10 seeds`."""
    deltas = [entry.delta for entry in entries if entry.delta is not None]
    means = [abs(delta.mean) for delta in deltas]
    smallest, largest = (roughly(mean, max(means)) for mean in (min(means), max(means)))
    sizes = f"about {largest}" if smallest == largest else f"{smallest} to {largest}"
    metric, targets = visible(arena.headline, 40), {delta.target for delta in deltas}
    by = f"by {sizes} {metric}"
    if targets != {None}:
        levels = f"its {100 * min(filter(None, targets)):g} %" if len(targets) == 1 else "its level"
        far = "closer to" if deltas[0].mean < 0 else "farther from"
        by = f"{metric} {sizes} {far} {levels}"
    small = (
        ", perhaps too little to matter" if all(abs(delta.mean) <= (delta.margin or 0.0) for delta in deltas) else ""
    )
    return f"{by}{small}, {_seeds(arena)}"


def roughly(value: float, beside: float | None = None) -> str:
    """A size with two digits, or with as many decimals as a larger one `beside` it.

    >>> [roughly(size) for size in (0.1, 0.0312, 33.1, 1234.0, 0.0, 1.5e-7)], roughly(0.0912, 0.11)
    (['0.10', '0.031', '33', '1200', '0', '1.5e-07'], '0.09')
    """
    size = abs(value if beside is None else beside)
    if size == 0 or not 1e-5 <= size < 1e7:
        return f"{value:.2g}"
    places = 1 - math.floor(math.log10(float(f"{size:.1e}")))  # 0.0999 has the places of 0.10
    return f"{round(value, places):.{max(0, places)}f}"


def _seeds(arena: Arena) -> str:
    """How many, and what tuning chose for each entry of its own."""
    tuned = list(dict.fromkeys(name for entry in arena.entries for name in entry.tuned))
    part = f"{arena.whole_seeds} of " if arena.whole_seeds < len(arena.seeds) else ""
    return part + counted(len(arena.seeds), "seed") + (f", {joined(tuned)} tuned" if tuned else "")


def _names(entries: Sequence[EntryResult]) -> str:
    return joined([visible(entry.entry, 40) for entry in entries], NAMED)


def _are(entries: Sequence[EntryResult]) -> str:
    return "is" if len(entries) == 1 else "are"


def _where(arena: Arena) -> str:
    return f"{visible(arena.data, 40)}{damaged(arena.corrupt)}"


def breakdown_answer(breakdown: Breakdown) -> str:
    """How much damage each entry bears, the toughest first. No verdict: nothing is tested there.

    For example `gce bears 34 % wrong labels before it loses 5 % of its accuracy, cross-entropy 15 % (digits, 10 seeds).`
    """
    lines = [line for line in breakdown.lines if line.fall.levels]
    if not lines:
        return f"Nothing can be said of {visible(breakdown.data, 40)}: no seed has a score without damage."
    lines.sort(key=lambda line: -line.fall.median)
    seeds = counted(max(len(line.fall.values) for line in lines), "seed")
    (first, *others), left = lines[: NAMED + 1], lines[NAMED + 1 :]
    damage, metric = DAMAGE[breakdown.kind], visible(breakdown.metric, 40)
    last, whole = breakdown.levels[-1], breakdown.direction == "up"
    loses = f"loses {100 * LOST:g} % of its {metric}" if whole else f"is {100 * LOST:g} % worse in {metric}"
    bears = f"{visible(first.entry, 40)} bears {damage.of(min(first.fall.median, last))}"
    if math.isinf(first.fall.median):
        broke, tried = sum(map(math.isfinite, first.fall.values)), len(first.fall.values)
        ends = f"{loses} with {broke} of {tried} seeds" if broke else f"never {loses}"
        clauses = [f"{bears}, the most that was tried, and {ends}"]
    else:
        clauses = [f"{bears} before it {loses}"]
    rest = [f"{visible(line.entry, 40)} {_borne(line, breakdown)}" for line in others]
    more = [f"{len(left)} more bear at most as much"] if left else []
    unsure = ["the order is another one with some seeds"] if any(_overtakes(line, first) for line in others) else []
    return f"{'; '.join([*clauses, *rest, *more, *unsure])} ({visible(breakdown.data, 40)}, {seeds})."


def _overtakes(line: Line, first: Line) -> bool:
    """Whether it bears more than the first with any seed."""
    return any(own > other for own, other in zip(line.fall.values, first.fall.values, strict=False))


def _borne(line: Line, breakdown: Breakdown) -> str:
    share = DAMAGE[breakdown.kind].share
    level = min(line.fall.median, breakdown.levels[-1])
    words = percent(level) if share else f"{level:.2g}"
    return f"{words} or more" if math.isinf(line.fall.median) else words


def answers(arenas: Sequence[Arena], breakdowns: Sequence[Breakdown] = ()) -> list[str]:
    """The sentence of each breakdown, then of each arena that is in none."""
    levels = {place for breakdown in breakdowns for place in breakdown.arenas}
    alone = [answer(arena) for place, arena in enumerate(arenas) if place not in levels]
    return [*map(breakdown_answer, breakdowns), *alone]
