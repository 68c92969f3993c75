"""What restored runs say of new rows: decisions, probabilities or values, column by column, in the user's own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import torch

from losscli.data.encode import Encoder
from losscli.deploy.export import predictor_of
from losscli.deploy.restore import RestoredRun
from losscli.errors import SpecError
from losscli.tasks import Column
from losscli.tasks.predictions import EVEN, Outputs

CHUNK = 1 << 16  # rows at a time


def predict(
    runs: Sequence[RestoredRun], features: Mapping[str, Column], threshold: float | None = None
) -> dict[str, np.ndarray]:
    """The columns to append to a table of N rows, by name.

    Binary: `prediction` (a label) and `probability_<label>` of the positive class; multiclass: one of each class;
    multilabel: `prediction_<label>` (0 or 1) and `probability_<label>` of each. A loss that gives no probabilities has `score`
    instead. Regression: `prediction`, and `quantile_<level>` where the loss forecasts; of several targets
    `prediction_<target>` ... Where counts have an exposure, predictions are over each row's own. With several runs, all of them
    the mean. `threshold` (binary, multilabel) is the probability or score above which the answer is yes; else 1/2 or 0. Raises
    `DataError` for columns that are missing or of another kind.
    """
    outputs = outputs_of(runs, features)
    limit = EVEN.get(outputs.kind, 0.0) if threshold is None else threshold
    return dict(runs[0].task.columns(outputs, runs[0].labels, limit))


def with_rates(
    columns: Mapping[str, np.ndarray], encoder: Encoder, features: Mapping[str, Column]
) -> dict[str, np.ndarray]:
    """Beside predictions over each row's own exposure, if there is one, those for an exposure of 1: `rate`, `rate_<target>`."""
    offset = encoder.offset
    if offset is None:
        return dict(columns)
    exposure = np.exp(offset.logs(features[offset.name].values))
    counts = {name: values for name, values in columns.items() if name.startswith("prediction")}
    return {**columns, **{name.replace("prediction", "rate", 1): values / exposure for name, values in counts.items()}}


def made_up(run: RestoredRun, rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    """So many rows of a generator, column by column, by name: `seed` draws the noise."""
    noise = torch.randn(rows, run.width, generator=torch.Generator().manual_seed(seed)).numpy()
    return dict(run.task.columns(_by_chunks(run, rows, lambda places: noise[places]), run.labels, 0.0))


def outputs_of(runs: Sequence[RestoredRun], features: Mapping[str, Column]) -> Outputs:
    """Each run encodes the rows as it learned to, and predicts; the mean over the runs."""
    if len(runs) > 1 and not runs[0].task.decides:
        raise SpecError(
            "the vectors of each seed lie in a space of their own, so several seeds have no mean",
            cure="name one seed: --seed N; without it, the one that is best on the valid split predicts",
        )
    rows = len(next(iter(features.values())).values) if features else 0
    outputs = [_encoded(run, features, rows) for run in runs]
    quantiles = [output.quantiles for output in outputs if output.quantiles is not None]
    mean = np.mean(quantiles, axis=0) if quantiles else None
    return Outputs(outputs[0].kind, np.mean([output.numbers for output in outputs], axis=0), outputs[0].levels, mean)


def _encoded(run: RestoredRun, features: Mapping[str, Column], rows: int) -> Outputs:
    return _by_chunks(run, rows, partial(run.encoder.transform, features))


@torch.no_grad()
def _by_chunks(run: RestoredRun, rows: int, inputs: Callable[[np.ndarray], np.ndarray]) -> Outputs:
    predictor = predictor_of(run)
    numbers, quantiles = [], []
    for start in range(0, rows, CHUNK):
        encoded = inputs(np.arange(start, min(start + CHUNK, rows)))
        output = predictor(torch.from_numpy(encoded))
        prediction, further = output if predictor.levels else (output, None)
        # In float64 from here on: the mean over the runs should add no rounding of its own.
        numbers.append(prediction.reshape(len(encoded), -1).double().numpy())
        if further is not None:
            quantiles.append(further.reshape(len(encoded), -1, len(predictor.levels)).double().numpy())
    kind = predictor.kind(run.width)
    return Outputs(kind, np.concatenate(numbers), predictor.levels, np.concatenate(quantiles) if quantiles else None)
