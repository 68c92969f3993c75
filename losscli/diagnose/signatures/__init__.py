"""Signatures: what curves of mistakes look like. Each is one block: cause, cure, look-alikes, and a function that looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from losscli.diagnose.case import Case
from losscli.shelf import Shelf

Confidence = Literal["certain", "likely", "possible"]
CONFIDENCES: Sequence[Confidence] = ("certain", "likely", "possible")


@dataclass(frozen=True)
class Sighting:
    """What a signature sees in a case: how sure it is, the evidence in words and numbers, the floors that belong to it.

    Among equally sure ones the one with the higher `weight` comes first.
    """

    confidence: Confidence
    evidence: str
    floors: Mapping[str, float] = field(default_factory=dict)
    weight: float = 0.0


@dataclass(frozen=True)
class Signature:
    """A cause and how it is recognised. `explains` are causes that it makes superfluous; `rule` is the kind of a rule.

    `judges` says what losses it is of (classes, values, pairs; None: of all), `needs` which options make it surer.
    """

    cause: str
    title: str
    look: Callable[[Case], Sighting | None]
    cure: str
    alike: str
    rule: str | None
    judges: str | None
    needs: tuple[str, ...]
    explains: tuple[str, ...]


signatures: Shelf[Signature] = Shelf(__name__, "signature")


def signature(
    cause: str,
    *,
    title: str,
    cure: str,
    alike: str,
    rule: str | None = None,
    judges: str | None = None,
    needs: tuple[str, ...] = (),
    explains: tuple[str, ...] = (),
) -> Callable[[Callable[[Case], Sighting | None]], Callable[[Case], Sighting | None]]:
    """Put the decorated function on the shelf as the signature of a cause."""

    def register(look: Callable[[Case], Sighting | None]) -> Callable[[Case], Sighting | None]:
        signatures.put(cause, Signature(cause, title, look, cure, alike, rule, judges, needs, explains))
        return look

    return register
