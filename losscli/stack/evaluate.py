"""Judging every run of a stack on a split: its own loss, and the metrics that all runs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from losscli.metrics import Metric
from losscli.stack.objective import Objective
from losscli.stack.output import meaning, through
from losscli.stack.rows import Rows, spans
from losscli.tasks import TargetScale, Task

CHUNK = 1 << 22  # numbers of activations at a time: 16 MB


class Judge:
    """Evaluates raw outputs of all runs; rows whose outputs are read in the same way share one call of each metric."""

    def __init__(self, rows: Rows, task: Task, objective: Objective, metrics: Sequence[Metric]):
        self.rows, self.task, self.objective, self.metrics = rows, task, objective, list(metrics)
        self.scale = _scale(rows)
        readings: dict[tuple[tuple[str, ...], str], list[int]] = {}
        for row, run in enumerate(rows.runs):
            readings.setdefault((run.output, meaning(run.output, run.loss.expects)), []).append(row)
        self.readings = readings

    @torch.no_grad()
    def __call__(self, forward: Callable[[Tensor], Tensor], split: str, units: int) -> dict[str, Tensor]:
        """The mean loss and each metric on a split: name -> [R]."""
        outputs = []
        size = max(2, CHUNK // (len(self.rows.runs) * max(units, 1)))
        for start, stop in spans(self.rows.count(split), size):
            outputs.append(forward(self.rows.part(split, start, stop)[0]))
        output = torch.cat(outputs, dim=1)  # [R, N, O]
        _, target = self.rows.part(split, 0, output.shape[1])
        found = {"loss": self.objective(output, target)}
        return found | self._score(self.task.shape(output), target)

    def _score(self, raw: Tensor, target: Tensor) -> dict[str, Tensor]:
        found = {metric.name: raw.new_full((len(raw),), float("nan")) for metric in self.metrics}
        for (chain, read_as), chosen in self.readings.items():
            everyone = len(chosen) == len(raw)
            rows = slice(None) if everyone else torch.tensor(chosen, device=raw.device)
            scale = None if self.scale is None else TargetScale(self.scale.center[chosen], self.scale.scale[chosen])
            truth = target[rows]
            if scale is not None:
                truth = scale.in_units(truth)
            predictions = self.task.read(through(chain, raw[rows]), read_as, scale)
            for metric in self.metrics:
                judged = getattr(predictions, metric.reads)
                if judged is not None:
                    found[metric.name][rows] = metric.function(judged, truth).to(raw.dtype)
        return found


def _scale(rows: Rows) -> TargetScale | None:
    """Center and scale of each run's target, so that both broadcast over its rows: [R, 1] or [R, 1, O]."""
    scales = [run.dataset.scale for run in rows.runs if run.dataset.scale is not None]
    if not scales:
        return None
    single = rows.targets["train"].ndim == 2
    found = []
    for name in ("center", "scale"):
        stacked = torch.tensor(np.stack([getattr(scale, name) for scale in scales]), dtype=torch.float32)  # [R, O]
        found.append((stacked if single else stacked[:, None, :]).to(rows.device))
    return TargetScale(found[0], found[1])
