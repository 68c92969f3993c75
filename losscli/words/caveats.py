"""What qualifies a verdict: other metrics that say the opposite, entries no better than no model, the learning rate.

A verdict is on the headline alone. Who ranks better may well have the worse probabilities, and the better of two models that
are no better than none is good for nothing.
"""

from __future__ import annotations

import math

from losscli.compare.generalise import overfitted, worse_than_none
from losscli.compare.result import CLAIMS, Arena, Delta, EntryResult
from losscli.direction import goodness
from losscli.errors import counted, joined, visible
from losscli.tasks import tasks
from losscli.words.phrases import between, by, scored

# By verdict on the headline: which verdicts on another metric a reader must know of.
CONTRARY = {
    "better": ("worse",),
    "worse": ("better",),
    "equivalent": CLAIMS,
    "inconclusive": CLAIMS,
    "undefined": CLAIMS,
}
IN_WORDS = {"equivalent": "no different", "inconclusive": "open", "undefined": "without a verdict"}
SCALED = "-scaled"  # the end of the name of a metric after a temperature


def contrary(entry: EntryResult) -> list[Delta]:
    """The differences on other metrics that are shown, and that say something else than the verdict on the headline."""
    headline = entry.delta.metric if entry.delta else None
    return [
        delta
        for metric, delta in entry.deltas.items()
        if metric != headline and delta.verdict in CONTRARY.get(entry.verdict, ())
    ]


def elsewhere(arena: Arena) -> list[str]:
    """A sentence for the entries whose verdict would be another one on another metric."""
    clauses = []
    for entry in arena.entries:
        opposite = {delta.metric: delta for delta in contrary(entry)}
        if opposite:
            words = [
                _contrary(arena, entry, delta)
                for metric, delta in opposite.items()
                # after a temperature only by itself: the words of the plain metric say that too
                if metric.removesuffix(SCALED) not in opposite or not metric.endswith(SCALED)
            ]
            verdict = IN_WORDS.get(entry.verdict, entry.verdict)
            clauses.append(f"{visible(entry.entry)}, {verdict} on {arena.headline}, is {joined(words)}")
    if not clauses:
        return []
    others = sum(metric != arena.headline for entry in arena.entries for metric in entry.deltas)
    corrected = f" (corrected for {others} comparisons)" if others > 1 else ""
    return [f"Other measures say otherwise{corrected}: {joined(clauses)}."]


def _contrary(arena: Arena, entry: EntryResult, delta: Delta) -> str:
    """`worse on log-loss (0.0245 higher; after a temperature still worse, 0.0101 higher)`."""
    scaled = entry.deltas.get(f"{delta.metric}{SCALED}")
    score, none = entry.score(delta.metric).mean, arena.without_model(delta.metric)
    useless = delta.verdict == "worse" and math.isfinite(none) and not _beats(score, none, arena, delta.metric)
    notes = [f"{by(delta)}, and worse than the {none:.4g} without any model" if useless else by(delta)]
    if scaled is not None:
        notes.append(f"after a temperature {_after(scaled, str(delta.verdict))}")
    return f"{delta.verdict} on {delta.metric} ({'; '.join(notes)})"


def _after(scaled: Delta, before: str) -> str:
    if scaled.verdict in CLAIMS:
        return f"{'still ' if scaled.verdict == before else ''}{scaled.verdict}, {by(scaled)}"
    return "no different" if scaled.verdict == "equivalent" else f"that is open, {by(scaled)}"


def useless(arena: Arena) -> list[str]:
    """The entries that are not clearly better than the baseline, where there is one."""
    none = arena.without_model(arena.headline)
    if not math.isfinite(none):
        return []
    names = []
    for entry in arena.entries:
        if (estimate := scored(arena, entry)) is not None:
            bounds = (estimate.mean,) if estimate.ci95 is None else estimate.ci95
            if not all(_beats(bound, none, arena, arena.headline) for bound in bounds):
                names.append(entry.entry)
    return names


def no_better_than_none(arena: Arena) -> list[str]:
    """A sentence where entries that were compared are not clearly better than the baseline."""
    names = useless(arena)
    if not names:
        return []
    clearly = "clearly " if len(arena.seeds) > 1 else ""
    base, none = tasks.get(arena.task).without_model, arena.without_model(arena.headline)
    beyond = f"{clearly}better than {base}, which gets {arena.headline} {none:.4g}"
    if len(names) == sum(scored(arena, entry) is not None for entry in arena.entries):
        return [f"But none of them is {beyond}: which of them is better says little until one is."]
    return [f"Not {beyond}: {joined(list(map(visible, names)))}."]


def not_general(arena: Arena) -> list[str]:
    """Sentences where training promises what test rows do not hold, or where no model at all has the better numbers."""
    sentences = []
    if gaps := overfitted(arena):
        worst = gaps[0]
        names = joined([visible(gap.entry) for gap in gaps])
        verb = "learns" if len(gaps) == 1 else "learn"
        figures = f"{worst.metric} {worst.train:.3g} on them, {worst.test:.3g} on test rows"
        sentences.append(
            f"{names} {verb} the training rows by heart: {figures}{'' if len(gaps) == 1 else ' for the first'}."
        )
    others = [gap for gap in worse_than_none(arena) if gap.metric != arena.headline]
    if others:
        names = joined(list(dict.fromkeys(f"{visible(gap.entry)} ({gap.metric} {gap.test:.3g})" for gap in others)))
        none = {gap.metric: gap.none for gap in others}
        constant = joined([f"{metric} {value:.3g}" for metric, value in none.items()])
        sentences.append(f"Worse than a constant, which gets {constant}: {names}.")
    return sentences


def learning_rate(arena: Arena) -> list[str]:
    """How the learning rate was chosen, as a loss may win by that alone; nothing where entries name their own."""
    if "lr" in arena.spec.get("tune", {}):
        return ["Each entry used the learning rate that did best on the valid rows of each seed."]
    rate = arena.spec.get("train", {}).get("lr")
    if rate is None or any("lr" in entry.options for entry in arena.entries):
        return []
    return [
        f"All used the same learning rate, {rate:g}, which suits some losses better than others:"
        " --tune lr gives each its own, and may change the outcome."
    ]


def _beats(score: float, other: float, arena: Arena, metric: str) -> bool:
    return goodness(score, arena.directions[metric]) > goodness(other, arena.directions[metric])


def beaten(arena: Arena) -> list[str]:
    """Which plain models beat every network, where the paired differences say so of each of them: by how much the best."""
    clauses = []
    for plain in arena.yardsticks:
        if plain.beats:
            lead = min(plain.leads.items(), key=lambda item: abs(item[1].mean))
            beside = f"than {visible(lead[0])}, " if len(plain.leads) > 1 else ""
            clauses.append(f"{plain.name} ({by(lead[1])} {beside}plausibly {between(lead[1])})")
    if not clauses:
        return []
    seeds = counted(len(arena.seeds), "seed")
    subject = "A plain model beats" if len(clauses) == 1 else "Plain models beat"
    networks = "the network" if len(arena.entries) == 1 else "every network here"
    return [f"{subject} {networks} on {arena.headline} ({seeds}): {joined(clauses)}."]
