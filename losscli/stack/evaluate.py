"""Judging every run of a stack on a split: its own loss, and the metrics that all runs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from losscli.metrics import Metric
from losscli.stack.objective import Objective
from losscli.stack.output import Outlet, reading_of, scale_of
from losscli.stack.rows import Rows, spans
from losscli.tasks import Task

CHUNK = 1 << 22  # numbers of activations at a time: 16 MB


class Judge:
    """Evaluates raw outputs of all runs; rows whose outputs are read in the same way share one call of each metric."""

    def __init__(self, rows: Rows, task: Task, objective: Objective, metrics: Sequence[Metric]):
        self.rows, self.objective, self.metrics = rows, objective, list(metrics)
        self.scale = scale_of(rows.runs, rows.device)
        alike: dict[object, list[int]] = {}
        for row, run in enumerate(rows.runs):
            alike.setdefault(reading_of(run, task), []).append(row)
        self.readings = [
            (self._slice(chosen), Outlet([rows.runs[row] for row in chosen], task, rows.device))
            for chosen in alike.values()
        ]

    def _slice(self, chosen: list[int]) -> Tensor | slice:
        everyone = len(chosen) == len(self.rows.runs)
        return slice(None) if everyone else torch.tensor(chosen, device=self.rows.device)

    @torch.no_grad()
    def __call__(self, forward: Callable[[Tensor], Tensor], split: str, units: int) -> dict[str, Tensor]:
        """The mean loss and each metric on a split: name -> [R]."""
        outputs = []
        size = max(2, CHUNK // (len(self.rows.runs) * max(units, 1)))
        for start, stop in spans(self.rows.count(split), size):
            outputs.append(forward(self.rows.part(split, start, stop)[0]))
        output = torch.cat(outputs, dim=1)  # [R, N, O]
        _, target, weight = self.rows.part(split, 0, output.shape[1])
        found = {"loss": self.objective(output, target, weight)}
        return found | self._score(output, target if self.scale is None else self.scale.in_units(target))

    def _score(self, output: Tensor, truth: Tensor) -> dict[str, Tensor]:
        found = {metric.name: output.new_full((len(output),), float("nan")) for metric in self.metrics}
        for rows, outlet in self.readings:
            prediction = outlet.predict(output[rows])
            for metric in self.metrics:
                judged = getattr(prediction, metric.reads)
                if judged is not None:
                    found[metric.name][rows] = metric.function(judged, truth[rows]).to(output.dtype)
        return found
