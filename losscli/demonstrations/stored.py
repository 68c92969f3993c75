"""Demonstrations in plain PyTorch, whose curves were measured once and are kept beside this file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losscli.compare.result import finite
from losscli.demonstrations import Cost, Demonstration, demonstrations
from losscli.demonstrations.ground import Ground, mean
from losscli.direction import Direction
from losscli.rules import rules

if TYPE_CHECKING:
    from losscli.stack.watch import Watch

FILE = Path(__file__).with_name("curves.json")
SEEDS = 3

# One training, right or wrong: after each epoch the loss that is drawn, and the metric.
Training = Callable[[Ground, bool], Iterator[tuple[float, float]]]
Floor = Callable[[Ground], tuple[str, float]]  # its formula, and its height


@dataclass(frozen=True)
class Stored(Demonstration):
    """A training that was measured; `shows` says what its curves are."""

    code: str
    training: Training
    metric: str
    direction: Direction
    shows: str
    floor: Floor | None
    trains = False

    def cost(self, watch: Watch) -> Cost:
        """What the file says.

        >>> curve = demonstrations.get("LC020").cost(print)
        >>> curve.wrong_value < curve.right_value
        True
        """
        entry = _kept()[self.code]
        return Cost(
            self.code,
            "small drawn data",
            SEEDS,
            self.shows,
            tuple(map(_number, entry["right"])),
            tuple(map(_number, entry["wrong"])),
            self.metric,
            self.direction,
            _number(entry["right_value"]),
            _number(entry["wrong_value"]),
            entry["floors"],
        )

    def measured(self) -> dict[str, Any]:
        """What the file should say: trained right and wrong with every seed."""
        numbers: dict[str, Any] = {}
        for side in ("right", "wrong"):
            runs = [list(self.training(Ground(seed), side == "wrong")) for seed in range(SEEDS)]
            losses, values = zip(*(zip(*run, strict=True) for run in runs), strict=True)
            numbers[side] = [mean(epoch) for epoch in zip(*losses, strict=True)]
            numbers[f"{side}_value"] = mean(value[-1] for value in values)
        return numbers | {"floors": self._floors()}

    def _floors(self) -> dict[str, float]:
        if self.floor is None:
            return {}
        names, heights = zip(*(self.floor(Ground(seed)) for seed in range(SEEDS)), strict=True)
        return {names[0]: mean(heights)}


def stored(
    name: str,
    metric: str = "accuracy",
    direction: Direction = "up",
    *,
    shows: str = "loss of the training rows",
    floor: Floor | None = None,
) -> Callable[[Training], Training]:
    """Put the decorated training on the shelf as the demonstration of a rule, by the rule's name."""

    def register(training: Training) -> Training:
        code = rules.get(name).code
        demonstrations.put(code, Stored(code, training, metric, direction, shows, floor))
        return training

    return register


@cache
def _kept() -> dict[str, Any]:
    return json.loads(FILE.read_text("utf-8"))


def _number(value: float | None) -> float:
    return nan if value is None else value


def written(items: Iterable[Stored]) -> str:
    """The text of the file: a line per rule, four digits, null for what is no number."""
    lines = [f"{json.dumps(item.code)}: {json.dumps(_rounded(item.measured()))}" for item in items]
    return "{\n" + ",\n".join(sorted(lines)) + "\n}\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.4g}") if finite(value) is not None else None
