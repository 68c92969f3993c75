"""Demonstrations that the engine trains: a right entry and a wrong one of a spec, as one comparison on a small set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from statistics import fmean
from typing import TYPE_CHECKING, Any

from losscli.demonstrations import Cost, Demonstration, demonstrations
from losscli.rules import rules

if TYPE_CHECKING:
    from losscli.compare.result import Arena
    from losscli.experiment import Experiment
    from losscli.spec.model import Spec
    from losscli.stack.watch import Watch

SEEDS = 6  # the fewest with which a fixed split gives a verdict
# All steps of a short budget, as in the loop of a tutorial: a run that stops by itself hides a part of what a mistake costs.
PLAIN = ("train.optimizer=adam", "train.lr=1e-3", "train.patience=null")

Floor = tuple[str, Callable[[Sequence[float]], float]]  # its formula, and its height by the classes' shares


@dataclass(frozen=True)
class Compared(Demonstration):
    """Two entries of a spec; `data` is a built-in set or a generator, `settings` are as `--set` takes them."""

    code: str
    task: str
    data: str
    right: str
    wrong: str
    metric: str
    epochs: int = 8
    settings: tuple[str, ...] = ()
    floor: Floor | None = None
    trains = True

    def spec(self) -> Spec:
        """The whole spec."""
        from losscli.spec.load import build_spec
        from losscli.spec.overrides import Overrides

        sets = (f"loss=[{self.right}, {self.wrong}]", "data.split={seed: 0}", *PLAIN, *self.settings)
        named = {"task": self.task, "data": self.data, "metrics": [self.metric]}
        return build_spec(Overrides(**named, epochs=self.epochs, seeds=SEEDS, sets=sets))  # type: ignore[arg-type]

    def cost(self, watch: Watch) -> Cost:
        """Train both."""
        from losscli.experiment import load
        from losscli.pipeline import run

        spec = self.spec()
        arena = run([spec], out=None, watch=watch).arenas[0]
        right, wrong = arena.entries
        return Cost(
            self.code,
            arena.data,
            SEEDS,
            "train loss",
            _curve(arena, right.entry),
            _curve(arena, wrong.entry),
            self.metric,
            arena.directions[self.metric],
            right.score(self.metric).mean,
            wrong.score(self.metric).mean,
            self._floors(load(spec)),
            wrong.verdict,
        )

    def _floors(self, experiment: Experiment) -> dict[str, float]:
        if self.floor is None:
            return {}
        from losscli.losses.weights import class_shares

        formula, height = self.floor
        target = experiment.different[0].parts["train"].counted_target
        return {formula: height(class_shares(target, self.task))}


def _curve(arena: Arena, entry: str) -> tuple[float, ...]:
    """The mean loss of the runs, epoch by epoch."""
    by_epoch: dict[int, list[float]] = {}
    for run in arena.runs_of(entry):
        for point in run.history:
            if (point.split, point.metric) == ("train", "loss"):
                by_epoch.setdefault(point.epoch, []).append(point.value)
    return tuple(fmean(values) if all(map(isfinite, values)) else nan for _, values in sorted(by_epoch.items()))


def compared(name: str, task: str, data: str, right: str, wrong: str, metric: str, **more: Any) -> None:
    """Put a comparison on the shelf as the demonstration of a rule, by the rule's name."""
    code = rules.get(name).code
    demonstrations.put(code, Compared(code, task, data, right, wrong, metric, **more))
