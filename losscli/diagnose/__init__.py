"""What a training curve tells of the mistake behind it: plateaus at floors that can be computed, starts, signs, breaks.

A signature is one block of the shelf `signatures/`: the cause, the cure, what else looks alike, what it needs to know, and a
function that looks at a case and gives the evidence. No torch here: a log is read and judged in a moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from losscli.diagnose.case import Case, Facts
from losscli.diagnose.family import family
from losscli.diagnose.history import History
from losscli.diagnose.signatures import CONFIDENCES, Sighting, Signature, signatures
from losscli.errors import DataError, counted, shown

MOST_CANDIDATES = 2
FEWEST_POINTS = 3
SHARES = ("classes", "priors", "positive_rate")  # facts that floors are computed from


@dataclass(frozen=True)
class Candidate:
    """A cause that fits."""

    signature: Signature
    sighting: Sighting
    code: str | None  # of the rule that has a page on it

    def to_json(self) -> dict[str, Any]:
        """As the machine output has it."""
        return {
            "cause": self.signature.cause,
            "confidence": self.sighting.confidence,
            "evidence": self.sighting.evidence,
            "cure": self.signature.cure,
            "rule": self.code,
        }


@dataclass(frozen=True)
class Diagnosis:
    """What a curve has, the likeliest first; healthy where nothing fits. `unchecked` says what a missing option would tell."""

    case: Case
    candidates: Sequence[Candidate]
    unchecked: Mapping[str, Sequence[str]]  # option -> causes

    @property
    def healthy(self) -> bool:
        return not self.candidates

    def to_json(self) -> dict[str, Any]:
        """The machine output: its first three keys are fixed."""
        return {
            "schema_version": 1,
            "healthy": self.healthy,
            "candidates": [candidate.to_json() for candidate in self.candidates],
            "unchecked": {option: list(causes) for option, causes in self.unchecked.items()},
            "notes": list(self.case.history.notes),
        }


def diagnose(history: History, facts: Facts | None = None) -> Diagnosis:
    """The causes that fit a curve. Raises `DataError` for a log with fewer than three points.

    >>> from losscli.diagnose.history import Series
    >>> curve = Series.of([2.0, 1.0, 0.5, 0.3, 0.2, 0.15, 0.12, 0.11, 0.1, 0.1])
    >>> diagnose(History(curve, curve)).healthy
    True
    """
    points = max(history.train.count, history.valid.count)
    if points < FEWEST_POINTS:
        message = f"a curve needs at least {FEWEST_POINTS} points, and the log has {counted(points, 'point')}"
        raise DataError(message, cure="train longer, or log more often")
    facts = facts or Facts()
    if facts.loss is not None and family(facts.loss) is None:
        note = f"no floors are known of a loss called {shown(facts.loss)}: what holds of any loss was looked for"
        history = replace(history, notes=[*history.notes, note])
    case = Case.of(history, facts)
    return Diagnosis(case, _candidates(case) or _candidates_but_for(case), _unchecked(case))


def _candidates(case: Case) -> list[Candidate]:
    """What fits a case, the likeliest first."""
    fitting = [(item, sighting) for item in signatures if (sighting := item.look(case)) is not None]
    fitting = [pair for pair in fitting if not _explained(pair, fitting)]
    fitting.sort(key=lambda pair: (CONFIDENCES.index(pair[1].confidence), -pair[1].weight))
    return [Candidate(item, sighting, _code(item.rule)) for item, sighting in fitting[:MOST_CANDIDATES]]


def _candidates_but_for(case: Case) -> list[Candidate]:
    """Wrong wiring that would fit, did a fact about the classes not speak against it: the fact may be wrong."""
    names = [name for name in SHARES if getattr(case.facts, name) is not None]
    if not names:
        return []
    options = " and ".join(f"--{name.replace('_', '-')}" for name in names)
    bare = Case.of(case.history, replace(case.facts, **dict.fromkeys(names)))
    return [
        replace(item, sighting=replace(item.sighting, confidence="possible", evidence=_doubted(item, options)))
        for item in _candidates(bare)
        if item.code is not None
    ]


def _doubted(candidate: Candidate, options: str) -> str:
    return f"{candidate.sighting.evidence}; {options} as given speaks against it, and may be wrong"


def _explained(pair: tuple[Signature, Sighting], fitting: Sequence[tuple[Signature, Sighting]]) -> bool:
    """Whether a surer cause, or a certain one, makes this one superfluous."""
    item, sighting = pair
    rank = CONFIDENCES.index(sighting.confidence)
    return any(
        item.cause in other.explains and (CONFIDENCES.index(rival.confidence) < rank or rival.confidence == "certain")
        for other, rival in fitting
    )


def _unchecked(case: Case) -> dict[str, list[str]]:
    """By option that was not given, the causes that it would tell more surely."""
    lacking: dict[str, list[str]] = {}
    for item in signatures:
        open_to = case.judges is None or item.judges in (None, case.judges)
        for option in item.needs if open_to else ():
            if case.lacks(option):
                lacking.setdefault(option, []).append(item.cause)
    return lacking


def _code(kind: str | None) -> str | None:
    """The code of the rule of that kind."""
    from losscli.rules import rules

    return None if kind is None else rules.get(kind).code
