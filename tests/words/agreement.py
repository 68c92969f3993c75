"""A sentence that answers, held against the verdicts by its words alone: whom it names better is better, and so on."""

from __future__ import annotations

import re

from losscli.compare.result import Arena
from losscli.errors import visible

# By verdict: how a clause on these names, beside this reference, may go.
FORMS = {
    "better": (r"<names> beats? <reference> on ",),
    "worse": (r"<names> (?:is|are) worse than <reference> on ", r"; <names> (?:is|are) worse(?=$|;|, but |\.)"),
    "equivalent": (
        r"<names> (?:is|are) as good as <reference> on .+ by ",
        r"<names> predicts? the same as <reference> on ",
        r"; <names> (?:is|are) no different(?=$|;|, but |\.)",
    ),
    "inconclusive": (
        r"No difference from <reference> is proven on .+ for <names> \(",
        r"; <names> (?:is|are) still open(?=$|;|, but |\.)",
    ),
    "too-few-seeds": (
        r"One run each cannot tell <names> from <reference> on ",
        r"\d+ seeds are too few to tell <names> from <reference> on ",
        r"; <names> (?:is|are) undecided(?=$|;|, but |\.)",
    ),
    "undefined": (
        r"There is no verdict by .+ on .+ for <names>(?=$| \(|, but |;|\.)",
        r"; <names> (?:has|have) no verdict",
    ),
}


def listing(names: list[str], most: int = 3) -> str:
    """As a sentence lists them: written again here, so that the sentence is not read by its own code."""
    if len(names) == 1:
        return names[0]
    if len(names) <= most + 1:  # "and 1 more" is no shorter than a name
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def says(sentence: str, verdict: str, names: str, reference: str) -> bool:
    """Whether it gives these names, a pattern, this verdict."""
    return any(
        re.search(form.replace("<names>", names).replace("<reference>", reference), sentence) for form in FORMS[verdict]
    )


def assert_agrees(sentence: str, arena: Arena) -> None:
    """Every verdict is given once, to all who have it, the largest difference first, and no verdict is given that nobody has."""
    assert sentence.endswith(".")
    assert len(sentence) < 900
    others = [entry for entry in arena.entries if entry.entry != arena.reference]
    reference = re.escape(visible(arena.reference, 40))
    groups: dict[str, list[str]] = {}
    if others and not all(run.lost for run in arena.runs):
        for entry in sorted(others, key=lambda entry: -abs(entry.delta.mean) if entry.delta else 0.0):
            groups.setdefault(entry.verdict.replace("same", "equivalent"), []).append(visible(entry.entry, 40))
    for verdict in FORMS:
        if verdict in groups:
            assert says(sentence, verdict, re.escape(listing(groups[verdict])), reference), (verdict, sentence)
        else:
            assert not says(sentence, verdict, ".+", reference), (verdict, sentence)
