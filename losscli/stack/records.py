"""How near rows that were made up come to training rows: a generator may learn them by heart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from losscli.metrics import Metric
from losscli.metrics.samples import some, standardised
from losscli.tasks import Prediction

EXACT = "donot_use_mm_for_euclid_dist"
BLOCK = 128  # rows whose distances to all training rows are held at once


def with_nearest(prediction: Prediction, truth: Tensor, records: Tensor, metrics: Sequence[Metric]) -> Prediction:
    """The prediction with `nearest`, where a metric reads it and rows were made up.

    `truth` are real rows of the split, `records` those that were trained on, both [R or 1, N, F] in units.
    """
    if prediction.samples is None or not any(metric.reads == "nearest" for metric in metrics):
        return prediction
    made, real = some(prediction.samples), some(truth)
    pairs = zip(made, real.expand(len(made), -1, -1), records.expand(len(made), -1, -1), strict=True)
    return replace(prediction, nearest=torch.stack([_nearest(*rows) for rows in pairs]))


def _nearest(made: Tensor, real: Tensor, records: Tensor) -> Tensor:
    """The distance [n] of each row to the closest record, in units of the median of that of real rows."""
    scaled, reference = standardised(torch.cat([made, real])[None], records[None])
    # Without matrix products, which leave 1e-8 of a distance of 0: copies are to be told.
    blocks = torch.split(scaled[0], BLOCK)
    distances = torch.cat([torch.cdist(rows, reference[0], compute_mode=EXACT).amin(-1) for rows in blocks])
    usual = distances[len(made) :].median()
    return distances[: len(made)] / torch.where(usual > 0, usual, 1.0)
