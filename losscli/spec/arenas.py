"""Which specs may be compared: those that share task, data, split, model and budget become one spec, one arena.

Losses, what stands before them, and learning rates may differ: that is what a comparison compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from losscli.spec import origins
from losscli.spec.model import LossChoice, Spec


def merge(specs: Sequence[Spec]) -> list[Spec]:
    """One spec per arena, in the order of the first of each; its losses are those of all that share it, each once."""
    arenas: dict[str, list[Spec]] = {}
    for level in (level for spec in specs for level in by_level(spec)):
        arenas.setdefault(_shared(level), []).append(level)
    return [_one(group) for group in arenas.values()]


def by_level(spec: Spec) -> list[Spec]:
    """One spec for each level of `data.corrupt`, from none up; what is expected is expected of the first."""
    levels = spec.data.corrupt.levels()
    of_level = [spec.model_copy(update={"data": spec.data.model_copy(update={"corrupt": level})}) for level in levels]
    return [of_level[0], *(level.model_copy(update={"expect": {}}) for level in of_level[1:])]


def _shared(spec: Spec) -> str:
    """What specs of one arena have in common, as text."""
    path = getattr(spec.data, "path", None)
    rest = {"model": {"output"}, "train": {"lr", "device"}, "data": {"path"}}
    shared = {"task", "data", "model", "train", "seeds", "tune", "costs"}
    paths = [] if path is None else [path] if isinstance(path, str) else path
    where = "".join(str((Path(spec.folder) / part).resolve()) for part in paths)
    stages = spec.adaptive.model_dump_json() if spec.adaptive else ""
    seeds = [] if spec.adaptive else spec.seeds  # how many there are at first depends on what is compared
    alike = spec.model_copy(update={"loss": [], "seeds": seeds})
    return where + stages + alike.model_dump_json(include=shared, exclude=rest)


def _one(specs: Sequence[Spec]) -> Spec:
    first = specs[0]
    if len(specs) == 1:
        return first
    choices: dict[str, LossChoice] = {}
    for spec in specs:
        for choice in _as_under(first, spec):
            choices.setdefault(choice.model_dump_json(), choice)
    # Reversed, because the last writer of a key wins: the first spec that names it.
    expect = {key: condition for spec in reversed(specs) for key, condition in spec.expect.items()}
    expected_metrics = [key.partition(".")[2] for key in expect]
    metrics = list(dict.fromkeys([*first.metrics, *expected_metrics]))
    margins = {metric: margin for spec in reversed(specs) for metric, margin in spec.equivalence.items()}
    merged: dict[str, Any] = {"expect": expect, "metrics": metrics, "equivalence": margins}
    merged["yardstick"] = any(spec.yardstick for spec in specs)
    merged["origins"] = origins.merged([spec.origins for spec in specs])
    return first.model_copy(update={"loss": list(choices.values()), **merged})


def _as_under(base: Spec, spec: Spec) -> list[LossChoice]:
    """The losses of a spec, saying for themselves what the base spec would say otherwise: output and learning rate."""
    choices = []
    for choice in spec.loss:
        output = (
            spec.model.output if choice.output is None and spec.model.output != base.model.output else choice.output
        )
        same = choice.lr is not None or spec.train.lr == base.train.lr or "lr" in spec.tune
        rates = [choice.lr] if same else as_list(spec.train.lr)
        choices += [choice.model_copy(update={"output": output, "lr": rate}) for rate in rates]
    return choices


def as_list(rate: float | list[float]) -> list[float]:
    """One rate or several, as several."""
    return rate if isinstance(rate, list) else [rate]
