"""Demonstrations: what a mistake costs, measured. Each trains one rule's mistake beside its right form.

What a spec can do wrong is trained by the engine when a page asks for it, as one comparison (compared.py). Mistakes in loops,
optimizers, graphs and targets are plain PyTorch; their curves were measured once and are kept in curves.json (stored.py):
`python -m losscli.demonstrations` measures them anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from losscli.compare.result import finite
from losscli.direction import BETTER, Direction
from losscli.shelf import Shelf
from losscli.words.numbers import number

if TYPE_CHECKING:
    from losscli.stack.watch import Watch


@dataclass(frozen=True)
class Cost:
    """What a mistake did: both curves over the epochs (means of the seeds), and where both ended.

    `floors` are heights that the wrong curve cannot go below, by their formulas. `verdict` is that of the comparison, where
    the engine made one.
    """

    code: str
    data: str
    seeds: int
    shows: str  # what the curves are
    right: tuple[float, ...]
    wrong: tuple[float, ...]
    metric: str
    direction: Direction
    right_value: float
    wrong_value: float
    floors: Mapping[str, float] = field(default_factory=dict)
    verdict: str | None = None

    @property
    def sentence(self) -> str:
        """What it cost, in a sentence."""
        subject = f"{self.metric[:1].upper()}{self.metric[1:]} is"
        if self.verdict == "same" or self.right_value == self.wrong_value:
            return f"{subject} {_said(self.right_value)} with the mistake and without it: it costs nothing here."
        verdict = f": {IN_WORDS[self.verdict]}" if self.verdict else ""
        values = f"{_said(self.wrong_value)} with the mistake and {_said(self.right_value)} without it"
        return f"{subject} {values}{verdict} ({self.seeds} seeds; {BETTER[self.direction]} is better)."

    def to_json(self) -> dict[str, Any]:
        """As the machine output has it: null for what is not finite."""
        return {
            "data": self.data,
            "seeds": self.seeds,
            "curve": self.shows,
            "right": [finite(value) for value in self.right],
            "wrong": [finite(value) for value in self.wrong],
            "floors": dict(self.floors),
            "metric": self.metric,
            "direction": self.direction,
            "right_value": finite(self.right_value),
            "wrong_value": finite(self.wrong_value),
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


IN_WORDS: Mapping[str, str] = {
    "worse": "worse, beyond chance",
    "better": "better here, beyond chance",
    "equivalent": "no practical difference here",
    "inconclusive": "these seeds do not tell them apart",
    "undefined": "nothing can be said of the difference",
}


def _said(value: float) -> str:
    return number(value) if finite(value) is not None else "not a number"


class Demonstration(ABC):
    """How the mistake of a rule is shown."""

    code: str
    trains: bool  # whether `cost` trains, which takes seconds; else it reads what was measured before

    @abstractmethod
    def cost(self, watch: Watch) -> Cost:
        """What the mistake costs."""


demonstrations: Shelf[Demonstration] = Shelf(__name__, "demonstration")
