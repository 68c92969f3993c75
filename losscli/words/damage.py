"""What damage on purpose is called: on an axis, in a sentence, and in the note that says what a level counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from losscli.errors import joined, visible


@dataclass(frozen=True)
class Damage:
    """One kind of it: `axis` stands at a curve, `meaning` says what a level counts, `level` is a level in a sentence."""

    axis: str
    meaning: str
    level: str  # with a place for the number
    share: bool = True  # whether a level is a share, written as a percentage

    def of(self, level: float) -> str:
        """A level in words.

        >>> DAMAGE["labels"].of(0.4), DAMAGE["feature_noise"].of(0.5)
        ('40 % wrong labels', 'feature noise of 0.5 sd')
        """
        return self.level.format(percent(level) if self.share else f"{level:.2g}")


def percent(share: float) -> str:
    """A share in whole hundredths.

    >>> percent(0.209), percent(0.005), percent(1.0)
    ('21 %', '0.5 %', '100 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.01 or share == 0 else f"{100 * share:.2g} %"


DAMAGE: Mapping[str, Damage] = {
    "labels": Damage("label noise", "share of the training labels that were changed", "{} wrong labels"),
    "imbalance": Damage(
        "rare class lost",
        "share of the rarest class's training rows that were taken away",
        "{} of the rarest class gone",
    ),
    "target_outliers": Damage("outliers", "share of the training targets that were moved", "{} outliers"),
    "feature_noise": Damage(
        "feature noise", "noise on the training features, in units of their sd", "feature noise of {} sd", share=False
    ),
    "missing": Damage("cells missing", "share of the training cells that were emptied", "{} of the cells missing"),
    "votes": Damage("votes", "votes that each training target was drawn from", "targets of {} votes", share=False),
}


def damaged(corrupt: Mapping[str, Any]) -> str:
    """What was done to training rows, as the end of a noun; empty where nothing was.

    >>> damaged({"labels": 0.4, "missing": 0.1}), damaged({})
    (' with 40 % wrong labels and 10 % of the cells missing', '')
    """
    levels = [_level(kind, level) for kind, level in corrupt.items()]
    return f" with {joined(levels)}" if levels else ""


def _level(kind: str, level: Any) -> str:
    """A level that is no number says how much of which class became which: too long for a sentence."""
    number = isinstance(level, (int, float)) and not isinstance(level, bool)
    if kind in DAMAGE and number:
        return DAMAGE[kind].of(level)
    return f"{DAMAGE[kind].axis}" if kind in DAMAGE else visible(f"{kind} {level}", 40)
