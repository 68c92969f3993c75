"""Misuse of losses, recognised: each rule is one block with its own page (what, why, use instead) and its own examples.

A rule looks at the wiring of one entry: task, loss, and the activations between the last layer and the loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from losscli.errors import Finding
from losscli.losses import Loss
from losscli.shelf import Shelf

Severity = Literal["error", "warning", "info"]
Example = tuple[str, str, tuple[str, ...]]  # task, loss, output chain


@dataclass(frozen=True)
class Wiring:
    """How one entry is wired: what the loss expects, and what it gets."""

    entry: str
    task: str
    loss: Loss
    chain: tuple[str, ...]

    @property
    def last(self) -> str:
        return self.chain[-1] if self.chain else "none"

    def before(self, first: str, then: tuple[str, ...]) -> bool:
        """Whether `first` stands somewhere before one of `then` in the chain."""
        return any(name in then for name in self.chain[self.chain.index(first) + 1 :]) if first in self.chain else False


@dataclass(frozen=True)
class Rule:
    """A rule: when it applies, what it says and advises; `bad` and `good` are examples, and its tests."""

    code: str
    severity: Severity
    applies: Callable[[Wiring], bool]
    says: str
    cure: str
    bad: tuple[Example, ...]
    good: tuple[Example, ...]


rules: Shelf[Rule] = Shelf(__name__, "rule")


def rule(
    code: str,
    severity: Severity,
    *,
    says: str,
    cure: str,
    bad: tuple[Example, ...],
    good: tuple[Example, ...],
) -> Callable[[Callable[[Wiring], bool]], Callable[[Wiring], bool]]:
    """Put the decorated condition on the shelf as a rule."""

    def register(applies: Callable[[Wiring], bool]) -> Callable[[Wiring], bool]:
        rules.put(code, Rule(code, severity, applies, says, cure, bad, good))
        return applies

    return register


def look(wiring: Wiring) -> list[Finding]:
    """What the rules say of one entry, and what was noticed when its loss was made."""
    return [
        *wiring.loss.findings,
        *(
            Finding(found.code, found.severity, f"{wiring.entry}: {found.says}", found.cure)
            for found in rules
            if found.applies(wiring)
        ),
    ]
