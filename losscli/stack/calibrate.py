"""What is chosen on the valid split once a run is trained, and leaves its weights alone: thresholds and a temperature.

- Threshold (binary): decisions are yes above 1/2, or above 0 where there are only scores. Every metric that has a twin `-tuned`
  has a threshold of its own: the one that was best by this very metric on the valid split; of equally good ones, the
  nearest to the default. It lies halfway between two predictions next to each other.
- Temperature (binary, multiclass): one number T per run; probabilities become sigmoid(z / T) or softmax(z / T), T minimising the
  log-loss on the valid split (Guo et al. 2017, On Calibration of Modern Neural Networks). z are the logits; of a model that puts
  out probabilities, their logarithms (of the odds); where the loss gives scores only, the scores themselves, which then have
  probabilities for the first time (Platt 1999, without an offset). T > 0 changes no order and no decision at the default
  threshold, and it cannot mend a shift such as that of `pos_weight`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from losscli.direction import goodness
from losscli.metrics import Metric
from losscli.metrics.decisions import Counts
from losscli.metrics.probabilities import clipped
from losscli.tasks import Prediction

COLDEST, HOTTEST = 1e-2, 1e2  # temperatures; rows that are all right would ask for 0, useless scores for infinity
MOST_STEPS = 60
CLOSE = 1e-8  # of the temperature, relative
LARGEST = 1e9  # of a logit
BLOCK = 1 << 18  # numbers at a time, which stay in the cache: 2 MB


@dataclass(frozen=True)
class Calibration:
    """Of r runs that are read alike: thresholds by the metric they are tuned for, and temperatures, float64 [r]."""

    thresholds: Mapping[str, Tensor] = field(default_factory=dict)
    temperature: Tensor | None = None

    def __call__(self, prediction: Prediction, metrics: Sequence[Metric]) -> Prediction:
        """The prediction with `tuned` and `scaled` filled in, where a metric reads them."""
        calibrated, reads = prediction, {metric.reads for metric in metrics}
        if self.thresholds and "tuned" in reads:
            values = _decision_values(prediction)
            calibrated = replace(
                calibrated, tuned={name: _decide(values, cut) for name, cut in self.thresholds.items()}
            )
        if self.temperature is not None and "scaled" in reads:
            calibrated = replace(calibrated, scaled=_cooled(logits_of(prediction), self.temperature))
        return calibrated

    def of(self, place: int) -> dict[str, object]:
        """What was chosen for one run, as results tell it."""
        choices: dict[str, object] = {}
        if self.thresholds:
            choices["thresholds"] = {name: float(cut[place]) for name, cut in self.thresholds.items()}
        if self.temperature is not None:
            choices["temperature"] = float(self.temperature[place])
        return choices


@torch.no_grad()
def calibrate(prediction: Prediction, truth: Tensor, metrics: Sequence[Metric]) -> Calibration:
    """What the metrics that ask for it need, from a prediction [r, N, ...] of the valid split and its truth [r or 1, N]."""
    tuned = [metric for metric in metrics if metric.reads == "tuned"]
    decided = (truth > 0.5).to(truth.dtype)  # shares of yes decide as the metrics take them to
    thresholds = best_thresholds(_decision_values(prediction), decided, tuned, _default(prediction)) if tuned else {}
    scaled = any(metric.reads == "scaled" for metric in metrics)
    return Calibration(thresholds, temperature(logits_of(prediction), truth) if scaled else None)


def best_thresholds(values: Tensor, truth: Tensor, metrics: Sequence[Metric], default: float) -> dict[str, Tensor]:
    """For each metric the threshold [r] on `values` [r, N] that is best by its criterion; NaN where a value is NaN.

    All N + 1 ways to cut the rows in order are judged at once; a cut through rows of equal value is none.
    """
    order = values.double().sort(dim=-1, descending=True)
    yes = truth.double().expand(values.shape).gather(-1, order.indices)
    counts = _counts(yes)
    edges = _edges(order.values, probabilities=default > 0)
    apart = edges[:, :-1] > edges[:, 1:]
    cuts = (edges[:, :-1] + edges[:, 1:]) / 2  # [r, N + 1]
    thresholds = {}
    for metric in metrics:
        assert metric.criterion is not None
        score = goodness(metric.criterion(counts), metric.direction)
        score = score.nan_to_num(-torch.inf).masked_fill(~apart, -torch.inf)
        best = (
            score >= score.max(-1, keepdim=True).values - 1e-12
        )  # sums of the same counts may differ in the last digit
        distance = (cuts - default).abs().masked_fill(~best, torch.inf)
        cut = cuts.gather(-1, distance.argmin(-1, keepdim=True)).squeeze(-1)
        thresholds[metric.of] = cut.masked_fill(values.isnan().any(-1), torch.nan)
    return thresholds


def _counts(yes: Tensor) -> Counts:
    """Counts [r, N + 1, 2] of no and yes when the first 0, 1, ... N of the rows [r, N] are called yes."""
    rows = yes.shape[-1]
    hits = torch.cat([torch.zeros_like(yes[:, :1]), yes.cumsum(-1)], -1)  # rightly called yes
    called = torch.arange(rows + 1, dtype=yes.dtype, device=yes.device).expand_as(hits)
    positive = hits[:, -1:].expand_as(hits)
    negative = rows - positive
    return Counts(
        torch.stack([negative - (called - hits), hits], -1),
        torch.stack([rows - called, called], -1),
        torch.stack([negative, positive], -1),
    )


def _edges(falling: Tensor, probabilities: bool) -> Tensor:
    """Values [r, N] from high to low with one more at either end, so that every cut lies between two: [r, N + 2]."""
    first, last = falling[:, :1], falling[:, -1:]
    if not probabilities:
        return torch.cat([first + 1, falling, last - 1], -1)
    above = torch.where(first < 1, 1.0, 2.0)  # never yes: also where 1 itself was predicted
    below = torch.where(last > 0, 0.0, -1.0)
    return torch.cat([above, falling, below], -1)


def _decision_values(prediction: Prediction) -> Tensor:
    """What a threshold is laid on: probabilities, or scores where there are none."""
    values = prediction.scores if prediction.probabilities is None else prediction.probabilities
    assert values is not None
    return values


def _default(prediction: Prediction) -> float:
    return 0.0 if prediction.probabilities is None else 0.5


def _decide(values: Tensor, threshold: Tensor) -> Tensor:
    """Yes above the threshold, as 0 and 1; a NaN decides nothing."""
    decisions = (values.double() > threshold[:, None]).to(values.dtype)
    return decisions.masked_fill(values.isnan() | threshold.isnan()[:, None], torch.nan)


def logits_of(prediction: Prediction) -> Tensor:
    """What a temperature divides, float64 [r, N] (binary) or [r, N, K]; cut where a square would overflow."""
    raw = prediction.logits
    if raw is None and prediction.probabilities is None:
        raw = prediction.scores
    if raw is not None:
        return raw.clamp(-LARGEST, LARGEST).double()
    assert prediction.probabilities is not None
    sure = clipped(prediction.probabilities).log()
    return sure - clipped(1 - prediction.probabilities).log() if sure.ndim == 2 else sure


def temperature(logits: Tensor, truth: Tensor) -> Tensor:
    """The temperature [r] that minimises the log-loss of logits [r, N] or [r, N, K] against 0/1 or class indices [r or 1, N], or
    probabilities [r or 1, N, K].

    The log-loss is convex in b = 1 / T. Newton's steps on its slope, within a bracket that every step narrows; a step that
    leaves it is replaced by the bracket's geometric mean.
    """
    sound = logits.nan_to_num(0.0)
    if sound.ndim == 3:  # a constant of a row changes nothing, and near 0 sums of squares keep their digits
        sound -= sound.amax(-1, keepdim=True)
    low, high = (
        torch.full((len(logits),), 1 / bound, dtype=torch.float64, device=logits.device) for bound in (HOTTEST, COLDEST)
    )
    # Scores that are of no use ask for the least sharpness there is: seen at once, not after thirty halvings.
    high = torch.where(_slope(sound, truth, low)[0] >= 0, low, high)
    sharpness = high.clamp(max=1.0)
    for _ in range(MOST_STEPS):
        slope, bend = _slope(sound, truth, sharpness)
        low, high = torch.where(slope < 0, sharpness, low), torch.where(slope > 0, sharpness, high)
        stepped = sharpness - slope / bend
        inside = (stepped > low) & (stepped < high)  # a NaN is not
        following = torch.where(inside, stepped, (low * high).sqrt())
        following = torch.where(slope == 0, sharpness, following)
        settled = ((following - sharpness).abs() <= CLOSE * sharpness).all()
        sharpness = following
        if settled:
            break
    return (1 / sharpness).masked_fill(logits.flatten(1).isnan().any(-1), torch.nan)


def _slope(logits: Tensor, truth: Tensor, sharpness: Tensor) -> tuple[Tensor, Tensor]:
    """First and second derivative of the mean log-loss by b = 1 / T, each [r]."""
    if logits.ndim == 2:
        p = torch.sigmoid(logits * sharpness[:, None])
        return ((p - truth) * logits).mean(-1), (p * (1 - p) * logits.square()).mean(-1)
    pairs = zip(_blocks(logits), torch.split(truth, _rows(logits), dim=1), strict=True)
    slopes, bends = zip(*(_slope_of_classes(block, true, sharpness) for block, true in pairs), strict=True)
    return sum(slopes) / logits.shape[1], sum(bends) / logits.shape[1]


def _slope_of_classes(logits: Tensor, truth: Tensor, sharpness: Tensor) -> tuple[Tensor, Tensor]:
    """The sums over rows [r, n, K] of both derivatives, each [r]."""
    p = torch.softmax(logits * sharpness[:, None, None], -1)
    weighted = p.mul_(logits)
    mean = weighted.sum(-1)
    if truth.ndim == 3:  # probabilities of the classes
        right = (truth * logits).sum(-1)
    else:
        right = logits.gather(-1, truth.long().expand(mean.shape).unsqueeze(-1)).squeeze(-1)
    # The bend is the variance of the logits under p, so it is never negative but for rounding.
    return (mean - right).sum(-1), (weighted.mul_(logits).sum(-1) - mean.square()).sum(-1)


def _cooled(logits: Tensor, temperature: Tensor) -> Tensor:
    """Probabilities after scaling, float32."""
    if logits.ndim == 2:
        return torch.sigmoid(logits / temperature[:, None]).float()
    cooled = [torch.softmax(block / temperature[:, None, None], -1).float() for block in _blocks(logits)]
    return torch.cat(cooled, dim=1)


def _blocks(logits: Tensor) -> Sequence[Tensor]:
    """Logits [r, N, K] a few rows at a time."""
    return torch.split(logits, _rows(logits), dim=1)


def _rows(logits: Tensor) -> int:
    return max(1, BLOCK // (len(logits) * logits.shape[2]))
