"""Misuse of losses in a spec: the entry's wiring is held against the contract of its loss, its weights against the data.

The rules and their words are on the shelf in `losscli/rules/`; here is what looks at a spec.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from losscli.errors import Finding, Severity
from losscli.losses import Loss
from losscli.rules import rules


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
    def last(self) -> str:
        return self.chain[-1] if self.chain else "linear"


@dataclass(frozen=True)
class Misuse:
    """A rule that an entry breaks, with the particulars if there are any, and a severity where it is not the rule's own."""

    rule: str
    particulars: str = ""
    severity: Severity | None = None


def look(call: LossCall) -> list[Finding]:
    """What the rules say of one entry, and what was noticed when its loss was made."""
    from losscli.wiring.output import wiring
    from losscli.wiring.weights import weighting

    return [*call.loss.findings, *(_finding(call, misuse) for misuse in (*wiring(call), *weighting(call)))]


def _finding(call: LossCall, misuse: Misuse) -> Finding:
    rule = rules.get(misuse.rule)
    particulars = f" ({misuse.particulars})" if misuse.particulars else ""
    return Finding(rule.code, misuse.severity or rule.severity, f"{call.entry}: {rule.what}{particulars}", rule.in_spec)
