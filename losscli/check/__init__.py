"""Misuse of losses, recognised: each rule is one block with its own page (what, why, use instead) and its own examples.

A rule looks at the call of one entry: task, loss, the activations between the last layer and the loss, and the numbers of
the loss's options beside how often each class occurs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from losscli.activations import ACTIVATIONS, NONE, Activation
from losscli.errors import Finding
from losscli.losses import Loss
from losscli.shelf import Shelf

# Task, loss, output chain; and what else of the call is known.
Example = tuple[str, str, tuple[str, ...]] | tuple[str, str, tuple[str, ...], Mapping[str, Any]]


@dataclass(frozen=True)
class LossCall:
    """How one entry is wired: what the loss expects, and what it gets.

    `settings` are the options with their defaults, class weights as numbers. `shares` are the classes' shares of the training
    split: of no and yes where the target says so (over all labels), none for numbers.
    """

    entry: str
    task: str
    loss: Loss
    chain: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    shares: Sequence[float] = ()

    @property
    def last(self) -> Activation:
        return ACTIVATIONS[self.chain[-1]] if self.chain else NONE

    @property
    def takes_raw_scores(self) -> bool:
        return self.loss.expects in ("logits", "scores")

    def before(self, first: str, then: Callable[[Activation], bool]) -> bool:
        """Whether `first` stands somewhere before one of the activations that `then` holds of."""
        later = self.chain[self.chain.index(first) + 1 :] if first in self.chain else ()
        return any(then(ACTIVATIONS[name]) for name in later)


Condition = Callable[[LossCall], bool | str]


@dataclass(frozen=True)
class Rule:
    """A rule: when it applies, what it says and advises; `bad` and `good` are examples, and its tests.

    A condition that holds may answer with the particulars, which are said too.
    """

    code: str
    severity: str
    applies: Condition
    says: str
    cure: str
    bad: tuple[Example, ...]
    good: tuple[Example, ...]

    def look(self, call: LossCall) -> Finding | None:
        condition = self.applies(call)
        if not condition:
            return None
        particulars = f" ({condition})" if isinstance(condition, str) else ""
        return Finding(self.code, self.severity, f"{call.entry}: {self.says}{particulars}", self.cure)


rules: Shelf[Rule] = Shelf(__name__, "rule")


def rule(
    code: str,
    severity: str,
    *,
    says: str,
    cure: str,
    bad: tuple[Example, ...],
    good: tuple[Example, ...],
) -> Callable[[Condition], Condition]:
    """Put the decorated condition on the shelf as a rule."""

    def register(applies: Condition) -> Condition:
        rules.put(code, Rule(code, severity, applies, says, cure, bad, good))
        return applies

    return register


def look(call: LossCall) -> list[Finding]:
    """What the rules say of one entry, and what was noticed when its loss was made."""
    findings = [item.look(call) for item in rules]
    return [*call.loss.findings, *(finding for finding in findings if finding is not None)]
