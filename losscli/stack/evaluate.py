"""Judging every run of a stack on a split: its own loss, and the metrics that all runs share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from losscli.data.dataset import Dataset
from losscli.metrics import Metric, Shared, measure_all
from losscli.stack import device as machine
from losscli.stack import forecast
from losscli.stack.calibrate import Calibration, calibrate
from losscli.stack.fingerprint import Fingerprint, fingerprint
from losscli.stack.head import Head, readout_key, scale_of
from losscli.stack.objective import Objective
from losscli.stack.rows import Rows, spans
from losscli.tasks import Prediction, Task
from losscli.tasks.predictions import Predictions

SMALL = (
    1 << 16
)  # numbers that the runs of a readout predict, up to which their metrics are measured with those of others


@dataclass(frozen=True, eq=False)
class Readout:
    """Runs whose outputs are read in the same way: their places in the stack, as an index too, and the way itself."""

    places: list[int]
    rows: Tensor | slice
    head: Head


class Evaluator:
    """Evaluates raw outputs of all runs; rows whose outputs are read in the same way share one call of each metric."""

    def __init__(self, rows: Rows, task: Task, objective: Objective, metrics: Sequence[Metric]):
        self.rows, self.task, self.objective, self.metrics = rows, task, objective, list(metrics)
        self.scale = scale_of(rows.runs, rows.device)
        places_of: dict[object, list[int]] = {}
        for row, run in enumerate(rows.runs):
            places_of.setdefault(readout_key(run, task), []).append(row)
        self.readouts = [
            Readout(places, self._rows(places), Head([rows.runs[place] for place in places], task, rows.device))
            for places in places_of.values()
        ]
        self.calibrations = [Calibration() for _ in self.readouts]

    def _rows(self, places: list[int]) -> Tensor | slice:
        everyone = places == list(range(len(self.rows.runs)))
        return slice(None) if everyone else torch.tensor(places, device=self.rows.device)

    @torch.no_grad()
    def outputs(self, infer: Callable[[str, int, int], Tensor], split: str, units: int) -> Tensor:
        """The raw outputs [R, N, O] of all rows of a split; `infer` gives those from one row to another."""
        chunk = machine.CHUNKS.get(self.rows.device.type, machine.CHUNKS["cpu"])
        size = max(2, chunk // (len(self.rows.runs) * max(units, 1)))
        size = min(size, self.rows.most or size)
        count, whole = self.rows.count(split), None
        for start, stop in spans(count, size):
            part = infer(split, start, stop)
            if stop - start == count:
                return part.contiguous()  # as the whole would be: a sum over other strides may round otherwise
            whole = part.new_empty((part.shape[0], count, *part.shape[2:])) if whole is None else whole
            whole[:, start:stop] = part
        assert whole is not None  # no split is empty
        return whole

    def __call__(self, output: Tensor, split: str, metrics: Sequence[Metric] | None = None) -> dict[str, Tensor]:
        """The mean loss and each metric of raw outputs [R, N, O] of a split: name -> [R].

        The valid split is also what thresholds and temperatures are chosen on, if a metric asks for them; other splits are
        judged by what was last chosen there.
        """
        with torch.no_grad(), machine.in_order(output.device):
            return self._measure(output, split, self.metrics if metrics is None else list(metrics))

    def _measure(self, output: Tensor, split: str, metrics: Sequence[Metric]) -> dict[str, Tensor]:
        has_loss = self.task.judges_splits
        values = {"loss": self.objective(output, *self.rows.truth(split))} if has_loss else {}
        values |= {metric.name: output.new_full((len(output),), math.nan) for metric in metrics}
        truth, shared = self.rows.units(split), Shared()
        truths: dict[tuple[int, ...], Tensor] = {}
        predictions = [self._read(place, output, truth, split, metrics) for place in range(len(self.readouts))]
        for reads in dict.fromkeys(metric.reads for metric in metrics):
            judging = [metric for metric in metrics if metric.reads == reads]
            for places, prediction in self._together(predictions, reads):
                rows = self._rows(places)
                own = truths.get(tuple(places))
                own = truths[tuple(places)] = truth[rows] if own is None else own  # one tensor, so that more is shared
                for name, measured in measure_all(judging, prediction, own, shared).items():
                    if measured is not None:
                        values[name][rows] = measured.to(output.dtype)
        return values

    def _read(self, place: int, output: Tensor, truth: Tensor, split: str, metrics: Sequence[Metric]) -> Prediction:
        """What the runs of one readout predict, calibrated; from the raw outputs and the truth, in units, of all runs."""
        readout = self.readouts[place]
        raw, own, head = output[readout.rows], truth[readout.rows], readout.head
        prediction, reads = head.predict(raw), {metric.reads for metric in metrics}
        if self.scale is not None and not reads.isdisjoint(forecast.READS):
            prediction = forecast.with_forecast(prediction, head, raw, own)
        records = self.rows.units
        prediction = self.task.with_truth(prediction, own, reads, lambda: records("train")[readout.rows])
        if split == "valid":
            self.calibrations[place] = calibrate(prediction, own, metrics)
        return self.calibrations[place](prediction, metrics)

    def _together(self, predictions: Sequence[Prediction], reads: str) -> Iterator[tuple[list[int], Prediction]]:
        """The places of runs and what they predict in one field: of all readouts that have it as one, where that is small.

        Many small operations take longer than a few, and copies of large ones take memory.
        """
        alike: dict[object, list[tuple[list[int], Prediction]]] = {}
        for readout, prediction in zip(self.readouts, predictions, strict=True):
            if (field := getattr(prediction, reads)) is not None:
                plain = not isinstance(field, Mapping)
                key = (prediction.level, field.shape[1:], field.dtype) if plain and field.numel() <= SMALL else readout
                alike.setdefault(key, []).append((readout.places, prediction))
        for parts in alike.values():
            places, prediction = parts[0]
            if len(parts) > 1:
                places = [place for own, _ in parts for place in own]
                fields: dict[str, Any] = {reads: torch.cat([getattr(part, reads) for _, part in parts])}
                prediction = Prediction(level=prediction.level, **fields)
            yield places, prediction

    def choices(self) -> dict[int, dict[str, object]]:
        """By its place in the stack, what was chosen for each run on the valid split, and the level of its interval."""
        choices: dict[int, dict[str, object]] = {}
        for readout, calibration in zip(self.readouts, self.calibrations, strict=True):
            level = None if self.scale is None else forecast.interval_level(readout.head)
            for at, place in enumerate(readout.places):
                choices[place] = calibration.of(at) if level is None else {"level": level}
        return choices

    @torch.no_grad()
    def crossed(self, output: Tensor) -> list[float]:
        """For each run the share of the rows of raw outputs [R, N, O] on which its learned quantiles cross."""
        shares = output.new_zeros(len(output))
        for readout in self.readouts if self.scale is not None else ():
            shares[readout.rows] = forecast.crossed(readout.head, output[readout.rows])
        return shares.tolist()

    @torch.no_grad()
    def predictions(self, output: Tensor, places: Set[int]) -> dict[int, Predictions]:
        """By its place in the stack, what each run of `places` predicts of the test split, from raw outputs [R, N, O]."""
        predictions = {}
        for readout in self.readouts:
            if places.isdisjoint(readout.places):
                continue
            raw, head = output[readout.rows], readout.head
            prediction = head.predict(raw)
            if head.loss.forecast is not None and self.scale is not None:
                truth = self.rows.units("test")[readout.rows]
                prediction = forecast.with_forecast(prediction, head, raw, truth)
            for at, place in enumerate(readout.places):
                if place in places:
                    predictions[place] = predictions_of(prediction, at, self.rows.runs[place].dataset, head.task)
        return predictions

    @torch.no_grad()
    def numbers(self, output: Tensor, places: Sequence[int]) -> dict[int, np.ndarray]:
        """By its place in the stack, what each run of `places` says, from the raw outputs [r, n, O] of these runs alone."""
        numbers: dict[int, np.ndarray] = {}
        for readout in self.readouts:
            own = [place for place in readout.places if place in places]
            if own:
                head = Head([self.rows.runs[place] for place in own], self.task, self.rows.device)
                said = head.predict(output[[places.index(place) for place in own]]).numbers
                numbers |= zip(own, said.cpu().numpy(), strict=True)
        return numbers

    @torch.no_grad()
    def fingerprints(self, output: Tensor) -> dict[int, Fingerprint]:
        """By its place in the stack, the fingerprint of what each run predicts, from raw outputs [R, N, O]."""
        fingerprints = {}
        for readout in self.readouts:
            prediction = readout.head.predict(output[readout.rows])
            decisions = None if prediction.labels is None else prediction.labels.cpu().numpy()
            for at, place in enumerate(readout.places):
                decided = None if decisions is None else decisions[at]
                fingerprints[place] = fingerprint(decided, prediction.numbers[at].cpu().numpy())
        return fingerprints


def predictions_of(prediction: Prediction, place: int, dataset: Dataset, task: Task) -> Predictions:
    """What the run at `place` in a stack's prediction says of its test split."""
    part = dataset.parts["test"]
    row = np.arange(part.rows) if part.index is None else part.index
    # As it was read: standardised and back, a number would lose digits. Of soft labels of one class, the likelier one.
    values = dataset.target.values[row]
    truth = dataset.target.decided(values) if task.rows_have_one_class else values
    ends = (
        [None, None] if prediction.interval is None else [_by_row(end) for end in prediction.interval[place].unbind(-1)]
    )
    return Predictions(row, _by_row(truth), _by_row(prediction.numbers[place]), prediction.kind, *ends)


def _by_row(values: np.ndarray | Tensor) -> np.ndarray:
    """[N] or [N, m] as float32 [N, m]; what is float64 stays that."""
    array = values.cpu().numpy() if isinstance(values, Tensor) else values
    narrow = array if array.dtype == np.float64 else array.astype(np.float32)
    wide: np.ndarray = narrow.reshape(len(array), -1)
    return wide
