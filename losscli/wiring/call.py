"""How an entry of a spec calls its loss, and which rule that breaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from losscli.activations import ACTIVATIONS, NONE, Activation
from losscli.losses import Loss


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


@dataclass(frozen=True)
class Misuse:
    """A rule that an entry breaks, with the particulars if there are any, and a severity where it is not the rule's own."""

    rule: str
    particulars: str = ""
    severity: str | None = None
