"""A comparison in plain language: one paragraph that a person can paste into a mail. No markup, no words of statistics.

It says what was compared on what, what came out and how sure that is, what one may not conclude, and what to do next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from losscli.compare.result import Arena, Delta, EntryResult
from losscli.compare.shape import not_excluded
from losscli.compare.verdict import seeds_wanted
from losscli.errors import counted, joined, visible
from losscli.looks import LEVEL, minimum_seeds
from losscli.tasks import tasks
from losscli.words import looks
from losscli.words.caveats import beaten, contrary, elsewhere, learning_rate, no_better_than_none, not_general
from losscli.words.columns import described
from losscli.words.phrases import better, between, by, magnitude, scored, some_of

EntryDelta = tuple[EntryResult, Delta]


def paragraph(arena: Arena) -> str:
    """The comparison in a few sentences; names of the user's are shown with everything invisible in them written out."""
    if len(arena.entries) == 1:
        sentences = _alone(arena)
    elif arena.runs and all(run.lost for run in arena.runs):
        sentences = [
            f"On {_data(arena)}, the training of every entry blew up with every seed: there is nothing to compare."
        ]
    elif len(arena.seeds) == 1 and seeds_wanted(arena):
        sentences = _anecdote(arena)
    else:
        sentences = [
            *_setting(arena),
            *_outcome(arena),
            *looks.sentences(arena),
            *elsewhere(arena),
            *no_better_than_none(arena),
            *not_general(arena),
            *beaten(arena),
            *_limits(arena),
            *_next(arena),
        ]
    return " ".join(sentences)


def brief(arena: Arena) -> str:
    """What a reader of the answer and the table must know besides, in at most half the length of the paragraph.

    The gravest comes first: what makes a winner worthless, what other measures say; then what to do next.
    """
    if len(arena.entries) == 1:
        sentences = _alone(arena)[1:]
    elif arena.runs and all(run.lost for run in arena.runs):
        sentences = []
    elif len(arena.seeds) == 1 and seeds_wanted(arena):
        another = "With another seed the same comparison may come out the other way round."
        sentences = [another, *no_better_than_none(arena), *not_general(arena)]
    else:
        cautions = [*no_better_than_none(arena), *elsewhere(arena), *not_general(arena), *beaten(arena)]
        sentences = [*cautions, *_next(arena), *looks.sentences(arena)[:1], *learning_rate(arena), *_collapse(arena)]
    room, chosen = len(paragraph(arena)) // 2, []
    for sentence in sentences:
        if len(sentence) <= room:
            chosen.append(sentence)
            room -= len(sentence) + 1
    return " ".join(chosen)


def _alone(arena: Arena) -> list[str]:
    """One entry: what it reached; nothing was compared."""
    (entry,) = arena.entries
    name, seeds = visible(entry.entry), len(arena.seeds)
    score = scored(arena, entry)
    if score is None:
        reached = f"{name} was trained, but has no {arena.headline} on the test rows."
    else:
        base = arena.without_model(arena.headline)
        beside = f"; {tasks.get(arena.task).without_model} gets {base:.4g}" if math.isfinite(base) else ""
        finite = [value for value in score.values if math.isfinite(value)]
        spread = f" on average, from {min(finite):.4g} to {max(finite):.4g}" if len(finite) > 1 else ""
        times = f" with {seeds} random seeds" if seeds > 1 else " once"
        spread += some_of(score)
        reached = (
            f"{name} was trained{times} and reached {arena.headline} {score.mean:.4g}{spread} on the test rows{beside}."
        )
    anecdote = ["One run is an anecdote: the next seed may tell another story."] if seeds == 1 else []
    return [
        f"On {_data(arena)}, {reached}",
        *anecdote,
        *not_general(arena),
        *beaten(arena),
        "Nothing was compared, so this does not say whether another loss would do better;"
        f" training one more loss with the same seeds, {seeds_wanted(arena)} of them, would."
        if not arena.foreign
        else "Nothing was compared: a second entry with the same seeds, in the same table, would be.",
    ]


def _anecdote(arena: Arena) -> list[str]:
    """One seed: the scores, and that they decide nothing."""
    scores = {visible(entry.entry): scored(arena, entry) for entry in arena.entries}
    outcomes = [f"{name} gets {'no value' if score is None else f'{score.mean:.4g}'}" for name, score in scores.items()]
    return [
        f"On {_data(arena)}, {joined(outcomes, 6)}, as {arena.headline} on the test rows; {better(arena)} is better.",
        "Each was trained once, with a single random seed, so this is an anecdote:"
        " the same comparison with another seed may come out the other way round, and no winner may be read from it.",
        *no_better_than_none(arena),
        *not_general(arena),
        f"To compare them, train them with {seeds_wanted(arena)} seeds.",
    ]


def _setting(arena: Arena) -> list[str]:
    others = len(arena.entries) - 1
    names = [visible(entry.entry) for entry in arena.entries if entry.entry != arena.reference]
    subject = f"{names[0]} was" if others == 1 else f"{others} alternatives were"
    shared = "split of the rows, initial weights and order" if arena.resampled else "initial weights and order of rows"
    score = scored(arena, arena.reference_entry)
    reached = f", and {visible(arena.reference)} gets {score.mean:.4g} on average{some_of(score)}" if score else ""
    return [
        f"On {_data(arena)}, {subject} compared with {visible(arena.reference)}, all {_repeated(arena)};"
        f" {'runs are paired by their seeds' if arena.foreign else f'one seed gives all the same {shared}'}.",
        f"The measure is {arena.headline} on the test rows: {better(arena)} is better{reached}.",
    ]


def _repeated(arena: Arena) -> str:
    """How often: `with the same 10 random seeds`, of folds `on the same 10 splits (2 rounds of 5 folds)`."""
    count, folds = len(arena.seeds), arena.spec.get("data", {}).get("split", {}).get("folds")
    if count == 1:
        return "with the same random seed"
    if arena.split != "folds" or not folds:
        return f"with the same {count} random seeds"
    rounds, rest = divmod(count, folds)
    # fold = seed % folds: only seeds that fill whole rounds test on every row equally often
    if rest or len({seed // folds for seed in arena.seeds}) != rounds:
        return f"with the same {count} random seeds, each of which tests on one of {folds} folds"
    return f"with the same {count} random seeds, which are {counted(rounds, 'round')} of {folds} folds"


def _outcome(arena: Arena) -> list[str]:
    """What came out, verdict by verdict, the largest difference first."""
    differences = [(entry, entry.delta) for entry in arena.entries if entry.delta is not None]
    differences.sort(key=lambda pair: -abs(pair[1].mean))
    wordings: dict[str, Callable[[EntryDelta], str]] = {
        "better": _by_how_much,
        "worse": _by_how_much,
        "equivalent": lambda pair: f"({_same(pair[1])})",
        "inconclusive": lambda pair: f"({by(pair[1])}, {_doubt(arena, *pair)})",
        "too-few-seeds": lambda pair: f"({by(pair[1])} so far)",
        "undefined": lambda pair: f"({pair[1].reason})",
    }
    sentences = _twins(arena)
    for verdict, words in wordings.items():
        group = [pair for pair in differences if pair[0].verdict == verdict]
        if group:
            names = joined([f"{visible(pair[0].entry)} {words(pair)}" for pair in group])
            sentences.append(_sentence(arena, verdict, names, group))
    missing = [entry for entry in arena.entries if entry.delta is None and entry.verdict == "undefined"]
    if missing:
        names = joined([f"{visible(entry.entry)} ({described(entry, arena)})" for entry in missing])
        sentences.append(f"Not comparable: {names}.")
        possible = set(arena.seeds) - set(arena.impossible.get(arena.headline, ()))
        if possible and scored(arena, arena.reference_entry) is None and not arena.lost_runs(arena.reference):
            sentences.append("Another measure (--metric), or another loss as the first and so the reference, would do.")
    return [*sentences, *_blown_up(arena)]


def _twins(arena: Arena) -> list[str]:
    """Entries that predict what the reference predicts."""
    names = [visible(entry.entry) for entry in arena.entries if entry.verdict == "same"]
    if not names:
        return []
    verb = "predicts" if len(names) == 1 else "predict"
    return [f"{joined(names)} {verb} the same as {visible(arena.reference)} in every run, but for rounding."]


def _sentence(arena: Arena, verdict: str, names: str, group: Sequence[EntryDelta]) -> str:
    reference, margin = visible(arena.reference), group[0][1].margin or 0.0
    if verdict == "equivalent":
        limit = f"up to {magnitude(margin, margin)} counts as no difference"
        return f"For practical purposes the same as {reference}: {names}; {limit}."
    if verdict == "inconclusive":
        return f"Still open: {names}, which is not the same as no difference."
    if verdict == "too-few-seeds":
        return f"Too few seeds for any verdict: {names}; {_floor(arena)}."
    if verdict == "undefined":
        return f"No verdict: {names}."
    small = f", perhaps by too little to matter (under {magnitude(margin, margin)})"
    doubt = small if all(abs(delta.mean) <= margin for _, delta in group) else ""
    even = f", even with {arena.comparisons} comparisons at once" if arena.comparisons > 1 else ""
    return f"{verdict.capitalize()} than {reference}, beyond what chance explains{even}{doubt}: {names}."


def _floor(arena: Arena) -> str:
    """Why so few seeds give no verdict, by the test in use."""
    share = 1.0 if arena.looks is None else arena.looks.share(len(arena.seeds))
    least = minimum_seeds(arena.comparisons, arena.resampled, share)
    if arena.resampled:
        return f"fewer than {least} say too little about how much a difference varies"
    return f"with fewer than {least}, chance alone could make such differences"


def _blown_up(arena: Arena) -> list[str]:
    lost = [(entry.entry, arena.lost_runs(entry.entry)) for entry in arena.entries if not _is_mentioned(entry, arena)]
    counts = [f"{counted(count, 'run')} of {visible(name)}" for name, count in lost if count]
    return [f"Left out, because the training blew up: {joined(counts)}."] if counts else []


def _is_mentioned(entry: EntryResult, arena: Arena) -> bool:
    """Whether it is said already, as what makes the entry not comparable, that none of its runs finished."""
    runs = len(arena.runs_of(entry.entry))
    return entry.delta is None and entry.entry != arena.reference and arena.lost_runs(entry.entry) == runs


def _limits(arena: Arena) -> list[str]:
    scope = "This holds for these data, this model and this amount of training, and says nothing about the losses in general."
    if arena.foreign:
        scope = "This holds for these data and this way of training, which losscli has not seen."
    one_split = "All seeds share one split, so it says nothing about other rows either."
    return [scope, *([] if arena.resampled else [one_split]), *_collapse(arena), *learning_rate(arena)]


def _collapse(arena: Arena) -> list[str]:
    """What seeds that all went well cannot exclude, where somebody might rely on a winner."""
    winners = [entry.delta.seeds for entry in arena.entries if entry.verdict == "better" and entry.delta]
    if not winners:
        return []
    share, seeds = not_excluded(min(winners)), min(winners)
    rate = f"a loss that fails in 1 run of {math.ceil(1 / share)} could look this good by luck"
    return [f"{seeds} seeds cannot rule out rare failures: {rate}."]


def _next(arena: Arena) -> list[str]:
    undecided = [entry for entry in arena.entries if entry.verdict in ("inconclusive", "too-few-seeds") and entry.delta]
    more = [entry.delta.seeds_needed for entry in undecided if entry.delta and entry.delta.seeds_needed]
    stuck = [entry for entry in undecided if entry.delta and entry.delta.seeds_needed is None]
    sentences = []
    if arena.whole_seeds < len(arena.seeds):
        return ["The training was stopped before all seeds were done; losscli resume goes on with it."]
    if more:
        few = any(entry.verdict == "too-few-seeds" for entry in undecided)
        least = f" (the nearest after about {min(more)})" if min(more) < max(more) and not few else ""
        aim = "for a verdict" if few else f"to settle {'the others' if stuck else 'what is open'}"
        about = "" if few else "about "
        sentences.append(f"Next: {about}{counted(max(more), 'more seed')}{least}, {seeds_wanted(arena)} in all, {aim}.")
    if stuck and not any(arena.lost_runs(entry.entry) for entry in arena.entries):
        why = ", because they divide the same rows again and again: it takes more rows" if arena.resampled else ""
        settle = f"More seeds alone would not settle {joined([visible(entry.entry) for entry in stuck])}{why}."
        sentences = [settle, *sentences]
    winners = [entry for entry in arena.entries if entry.verdict == "better"]
    if winners and not undecided and not any(entry.verdict == "undefined" for entry in arena.entries):
        which = visible(winners[0].entry) if len(winners) == 1 else "the one you choose"
        settled = "Every comparison is settled."
        if any(map(contrary, winners)):
            settled = (
                f"On {visible(arena.headline)} every comparison is settled, but which metric counts is yours to choose."
            )
        sentences.append(f"{settled} Before you rely on {which}, try it on data that nobody has looked at yet.")
    return sentences


def _by_how_much(pair: EntryDelta) -> str:
    return f"({by(pair[1])}, plausibly {between(pair[1])})"


def _same(delta: Delta) -> str:
    if delta.ci95 == (0.0, 0.0):
        return "equal in every run"
    real = (delta.p_holm or 0.0) < LEVEL and delta.mean != 0
    return f"{between(delta)}{', which is real but too little to matter' if real else ''}"


def _doubt(arena: Arena, entry: EntryResult, delta: Delta) -> str:
    """Why a question is open: runs that are missing, rows that are too few, chance, or the width of the interval."""
    low, high = delta.ci95 or (-math.inf, math.inf)
    if any(arena.lost_runs(name) for name in (entry.entry, arena.reference)):
        return "in the runs that finished, while others did not"
    if low == high == 0:
        rows = f"{arena.rows['test']} test rows" if "test" in arena.rows else "so few test rows"
        return (
            f"equal in every run, but {rows} cannot show a difference of {magnitude(delta.margin or 0.0, delta.margin)}"
        )
    p = delta.p if delta.p_holm is None else delta.p_holm
    if p is not None and not low <= 0 <= high:
        many = f" with {arena.comparisons} comparisons at once" if arena.comparisons > 1 else ""
        return f"{between(delta)}, which chance may explain{many}, p = {p:.2g}"
    return f"and anything {between(delta)} fits"


def _data(arena: Arena) -> str:
    rows = [
        f"{arena.rows[split]} {words}"
        for split, words in (("train", "training rows"), ("test", "test rows"))
        if split in arena.rows
    ]
    return visible(arena.data) + (f" ({', '.join(rows)})" if rows else "")
