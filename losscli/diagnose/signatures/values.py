"""Regression: shapes that broadcast, targets that were not scaled."""

from __future__ import annotations

import math

from losscli.diagnose.case import Case
from losscli.diagnose.signatures import Confidence, Sighting, signature
from losscli.diagnose.signatures.constants import consistent

HUGE = 1e3  # a loss that no scaled target starts with


@signature(
    "broadcast-n1-n",
    title="predictions [N, 1] and targets [N] broadcast to [N, N]",
    cure="give both one shape: prediction.squeeze(-1), or target.unsqueeze(-1)",
    alike="a model that says the mean of the target for every row has the same plateau",
    rule="broadcast-n1-n",
    judges="values",
    needs=("--target-std",),
    explains=("learning-rate-too-small",),
)
def broadcast(case: Case) -> Sighting | None:
    """Every prediction is compared with every target: the best is the mean, the loss Var(y), R2 about 0."""
    curve, std = case.loss, case.facts.target_std
    if case.judges not in (None, "values") or not case.may_be("mse", "mae") or not curve.settled:
        return None
    if curve.crawling and consistent(case):
        return None
    variance = std * std if std else None
    # of absolute errors the mean distance from the median, sqrt(2/pi) of the deviation where the target is normal
    places = [] if std is None else [std * std, math.sqrt(2 / math.pi) * std]
    at_variance = any(abs(curve.level - place) <= 0.1 * place for place in places)
    if (case.r2 is None and not at_variance) or (case.r2 is not None and abs(case.r2) > 0.12):
        return None
    if variance is not None and not at_variance and case.family != "mae":
        return None
    place = f", the variance of the target {variance:.4g}" if variance else ""
    r2 = f" and R2 at {case.r2:.2g}" if case.r2 is not None else ""
    apart = not consistent(case)
    odd = "; loss and R2 do not tell of the same error, so the loss does not compare row with row" if apart else ""
    evidence = f"the loss settles at {curve.level:.4g}{place}{r2}{odd}"
    confidence: Confidence = "certain" if apart and at_variance else "likely" if apart or at_variance else "possible"
    return Sighting(confidence, evidence, {"Var(y)": variance or curve.level}, weight=1.0 if apart else 0.0)


@signature(
    "target-not-scaled",
    title="the target is far from 0 and was not standardised",
    cure="standardise the target (subtract its mean, divide by its standard deviation), and turn predictions back",
    alike="a learning rate that is far too small has as straight a curve",
    judges="values",
    needs=("--target-std",),
    explains=("learning-rate-too-small", "broadcast-n1-n", "dead-relu"),
)
def target_not_scaled(case: Case) -> Sighting | None:
    """The first loss is the mean of y^2, huge beside the variance, and steps of a usual size hardly move it."""
    curve = case.loss
    if case.judges not in (None, "values") or not math.isfinite(curve.first) or curve.level > 1.5 * curve.first:
        return None
    series, std = case.history.metrics.get("r2"), case.facts.target_std
    first_r2 = float(series.finite[0]) if series is not None and len(series.finite) else math.nan
    times = curve.first / std**2 if std else 1 - first_r2 if math.isfinite(first_r2) else math.nan
    still_bad = case.r2 < 0 if case.r2 is not None else curve.level > 0.3 * curve.first
    offset = math.isfinite(times) and times > 4
    if not still_bad or not (offset or (curve.first > HUGE and curve.level > 0.3 * curve.first)):
        return None
    if offset and not curve.level > 0.1 * curve.first:
        return None
    if curve.first < 4 and not std:
        return None
    beside = f", {times:.3g} times its variance" if offset else ""
    evidence = (
        f"the first loss is {curve.first:.4g}{beside}, about the mean of y^2, and the last still {curve.last:.4g}"
    )
    return Sighting("likely", evidence, {"mean(y^2)": curve.first}, weight=1.0)
