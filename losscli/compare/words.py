"""A comparison in plain language: one paragraph that a person can paste into a mail. No markup, no words of statistics.

It says what was compared on what, what came out and how sure that is, what one may not conclude, and what to do next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from losscli.compare.power import LEVEL, minimum_seeds
from losscli.compare.result import Arena, Delta, EntryResult, Estimate
from losscli.compare.verdict import described, diverged
from losscli.errors import counted, visible

MOST_NAMED = 3  # entries of one kind that get words of their own

Judged = tuple[EntryResult, Delta]


def paragraph(arena: Arena) -> str:
    """The comparison in a few sentences; names of the user's are shown with everything invisible in them written out."""
    if len(arena.entries) == 1:
        sentences = _alone(arena)
    elif _seeds(arena) == 1:
        sentences = _anecdote(arena)
    else:
        sentences = [*_setting(arena), *_outcome(arena), *_limits(arena), *_next(arena)]
    return " ".join(sentences)


def _alone(arena: Arena) -> list[str]:
    """One entry: what it reached; nothing was compared."""
    (entry,) = arena.entries
    name, seeds = visible(entry.entry), _seeds(arena)
    score = _score(arena, entry)
    if score is None:
        reached = f"{name} was trained, but has no {arena.headline} on the test rows."
    else:
        base = arena.baseline.get("test", {}).get(arena.headline, math.nan)
        beside = f"; a prediction without any model gets {base:.4g}" if math.isfinite(base) else ""
        known = [value for value in score.values if math.isfinite(value)]
        spread = f" on average, from {min(known):.4g} to {max(known):.4g}" if len(known) > 1 else ""
        times = f" with {seeds} random seeds" if seeds > 1 else " once"
        reached = (
            f"{name} was trained{times} and reached {arena.headline} {score.mean:.4g}{spread} on the test rows{beside}."
        )
    anecdote = ["One run is an anecdote: the next seed may tell another story."] if seeds == 1 else []
    return [
        f"On {_data(arena)}, {reached}",
        *anecdote,
        "Nothing was compared, so this does not say whether another loss would do better;"
        f" training one more loss with the same seeds, {minimum_seeds(1)} or more, would.",
    ]


def _anecdote(arena: Arena) -> list[str]:
    """One seed: the scores, and that they decide nothing."""
    scores = {visible(entry.entry): _score(arena, entry) for entry in arena.entries}
    told = [f"{name} gets {'no value' if score is None else f'{score.mean:.4g}'}" for name, score in scores.items()]
    return [
        f"On {_data(arena)}, {_joined(told, 6)}, as {arena.headline} on the test rows; {_better(arena)} is better.",
        "Each was trained once, with a single random seed, so this is an anecdote:"
        " the same comparison with another seed may come out the other way round, and no winner may be read from it.",
        f"To compare them, train them with {minimum_seeds(len(arena.entries) - 1)} seeds or more.",
    ]


def _setting(arena: Arena) -> list[str]:
    others = len(arena.entries) - 1
    names = [visible(entry.entry) for entry in arena.entries if entry.entry != arena.reference]
    whom = f"{names[0]} was" if others == 1 else f"{others} alternatives were"
    shared = "split of the rows, initial weights and order" if arena.resampled else "initial weights and order of rows"
    reference = next(entry for entry in arena.entries if entry.entry == arena.reference)
    score = _score(arena, reference)
    reached = f", and {visible(arena.reference)} gets {score.mean:.4g} on average" if score else ""
    return [
        f"On {_data(arena)}, {whom} compared with {visible(arena.reference)}, all with the same {_seeds(arena)} random seeds;"
        f" one seed gives all the same {shared}.",
        f"The yardstick is {arena.headline} on the test rows: {_better(arena)} is better{reached}.",
    ]


def _outcome(arena: Arena) -> list[str]:
    """What came out, verdict by verdict, the largest difference first."""
    judged = [(entry, entry.delta) for entry in arena.entries if entry.delta is not None]
    judged.sort(key=lambda each: -abs(each[1].mean))
    told: dict[str, Callable[[Judged], str]] = {
        "better": _by_how_much,
        "worse": _by_how_much,
        "equivalent": lambda each: f"({_same(each[1])})",
        "inconclusive": lambda each: f"({_by(each[1])}, {_doubt(each[1])})",
        "too-few-seeds": lambda each: f"({_by(each[1])} so far)",
    }
    sentences = []
    for verdict, words in told.items():
        group = [each for each in judged if each[0].verdict == verdict]
        if group:
            names = _joined([f"{visible(each[0].entry)} {words(each)}" for each in group])
            sentences.append(_said(arena, verdict, names, group))
    missing = [entry for entry in arena.entries if entry.delta is None and entry.entry != arena.reference]
    if missing:
        names = _joined([f"{visible(entry.entry)} ({described(entry, arena)})" for entry in missing])
        sentences.append(f"Not comparable: {names}.")
    return [*sentences, *_blown_up(arena)]


def _said(arena: Arena, verdict: str, names: str, group: Sequence[Judged]) -> str:
    reference, margin = visible(arena.reference), group[0][1].margin or 0.0
    if verdict == "equivalent":
        limit = f"up to {_number(margin, margin)} counts as no difference"
        return f"For practical purposes the same as {reference}: {names}; {limit}."
    if verdict == "inconclusive":
        return f"Still open: {names}, which is not the same as no difference."
    if verdict == "too-few-seeds":
        return f"Too few seeds for any verdict: {names}; chance alone could make such differences."
    small = f", perhaps by too little to matter (under {_number(margin, margin)})"
    doubt = small if all(abs(delta.mean) <= margin for _, delta in group) else ""
    even = f", even with {arena.comparisons} comparisons at once" if arena.comparisons > 1 else ""
    return f"{verdict.capitalize()} than {reference}, beyond what chance explains{even}{doubt}: {names}."


def _blown_up(arena: Arena) -> list[str]:
    lost = [(entry.entry, diverged(arena, entry.entry)) for entry in arena.entries]
    told = [f"{counted(count, 'run')} of {visible(name)}" for name, count in lost if count]
    return [f"Left out, because the training blew up: {_joined(told)}."] if told else []


def _limits(arena: Arena) -> list[str]:
    held = "This holds for these data, this model and this amount of training, and says nothing about the losses in general."
    one_split = "All seeds share one split, so it says nothing about other rows either."
    return [held] if arena.resampled else [held, one_split]


def _next(arena: Arena) -> list[str]:
    open_ones = [each for each in arena.entries if each.verdict in ("inconclusive", "too-few-seeds") and each.delta]
    more = [each.delta.seeds_needed for each in open_ones if each.delta and each.delta.seeds_needed]
    stuck = [each for each in open_ones if each.delta and each.delta.seeds_needed is None]
    said = []
    if more:
        few = any(each.verdict == "too-few-seeds" for each in open_ones)
        least = f" (the nearest after about {min(more)})" if min(more) < max(more) and not few else ""
        about, aim = ("at least", "for a verdict") if few else ("about", "to settle what is open")
        said.append(
            f"Next: {about} {counted(max(more), 'more seed')}{least}, {_seeds(arena) + max(more)} in all, {aim}."
        )
    if stuck and not any(diverged(arena, each.entry) for each in arena.entries):
        why = ", because they divide the same rows again and again: it takes more rows" if arena.resampled else ""
        said.append(f"More seeds alone would not settle {_joined([visible(each.entry) for each in stuck])}{why}.")
    if not open_ones and any(each.verdict == "better" for each in arena.entries):
        said.append("Nothing is open; before relying on it, try the better one on data that nobody has looked at yet.")
    return said


def _by_how_much(each: Judged) -> str:
    return f"({_by(each[1])}, plausibly {_between(each[1])})"


def _same(delta: Delta) -> str:
    if delta.ci95 == (0.0, 0.0):
        return "equal in every run"
    real = (delta.p_holm or 0.0) < LEVEL and delta.mean != 0
    return f"{_between(delta)}{', which is real but too little to matter' if real else ''}"


def _doubt(delta: Delta) -> str:
    """Why a question is open: the interval, or the runs that are missing from it."""
    if delta.seeds_needed is None and delta.ci95 is not None and not delta.ci95[0] <= 0 <= delta.ci95[1]:
        return "in the runs that finished, while others did not"
    return f"and anything {_between(delta)} fits"


def _by(delta: Delta) -> str:
    """`0.0131 higher`."""
    return f"{_number(delta.mean, delta.margin)} {'higher' if delta.mean >= 0 else 'lower'}"


def _between(delta: Delta) -> str:
    """The interval: `from 0.0021 lower to 0.0130 higher`."""
    if delta.ci95 is None:
        return "at all"
    low, high = (_number(bound, delta.margin) for bound in delta.ci95)
    if delta.ci95[0] < 0 < delta.ci95[1]:
        return f"from {low} lower to {high} higher"
    if delta.ci95[0] >= 0:
        return f"from {low} to {high} higher"
    return f"from {high} to {low} lower"


def _number(value: float, margin: float | None) -> str:
    """The size of a difference, to a tenth of what matters.

    >>> _number(-0.01312, 0.005), _number(1234.5, 32.0), _number(0.25, None)
    ('0.0131', '1234', '0.25')
    """
    if not margin or not math.isfinite(margin):
        return f"{abs(value):.3g}"
    places = min(12, max(0, 1 - math.floor(math.log10(margin))))
    return f"{abs(value):.{places}f}"


def _data(arena: Arena) -> str:
    rows = [
        f"{arena.rows[split]} {words}"
        for split, words in (("train", "training rows"), ("test", "test rows"))
        if split in arena.rows
    ]
    return visible(arena.data) + (f" ({', '.join(rows)})" if rows else "")


def _score(arena: Arena, entry: EntryResult) -> Estimate | None:
    """The headline on the test rows, where there is one."""
    score = entry.scores.get("test", {}).get(arena.headline)
    return score if score is not None and math.isfinite(score.mean) else None


def _better(arena: Arena) -> str:
    return "higher" if arena.directions[arena.headline] == "up" else "lower"


def _seeds(arena: Arena) -> int:
    return len({run.seed for run in arena.runs})


def _joined(names: Sequence[str], most: int = MOST_NAMED) -> str:
    """
    >>> _joined(["a", "b"]), _joined(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 more')
    """
    shown = list(names) if len(names) <= most else [*names[:most], f"{len(names) - most} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
