"""How a curve moves: breaks, growth, rises, crawls, gaps, and the scale it starts at."""

from __future__ import annotations

import math

import numpy as np

from losscli.diagnose.case import Case
from losscli.diagnose.signatures import Confidence, Sighting, signature

FAR = 0.1  # of its start, above which a loss is no good fit


def _break(case: Case) -> float | None:
    """The step at which the loss ceases to be a number."""
    breaks = [series.breaks for series in (case.history.train, case.history.valid) if series.breaks is not None]
    return min(breaks, default=None)


def _grew(case: Case) -> bool:
    """Whether the last values before the end are well above the lowest, and above where it started."""
    curve = case.loss
    if curve.points < 2:
        return curve.points == 1 and False
    return curve.last > 2 * max(curve.low, 0) and curve.last > min(curve.first, 2 * curve.values[0]) and curve.last > 0


def _near_zero(case: Case) -> bool:
    curve = case.loss
    return bool(curve.points) and abs(curve.last) <= 0.05 * max(abs(curve.first), abs(curve.high))


@signature(
    "sqrt-without-eps",
    title="a square root (or a logarithm) is taken of 0, where its slope is infinite",
    cure="add a small epsilon below the root: sqrt(mse + 1e-8); clamp before a log, or use log_softmax and logsigmoid",
    alike="a learning rate that is too large ends in NaN after growing",
    rule="sqrt-without-eps",
    explains=("overfitting",),
)
def sqrt_without_eps(case: Case) -> Sighting | None:
    """Finite, then NaN at once, the last value near 0: the fit was exact."""
    at = _break(case)
    if at is None or _grew(case):
        return None
    if not case.loss.points:
        return Sighting("possible", "the loss is no number from the first point on", weight=-1.0)
    if _near_zero(case):
        evidence = f"the loss is no number from {case.history.axis} {at:g} on, after {case.loss.last:.4g}, near 0"
        return Sighting("likely", evidence, {"0": 0.0}, weight=1.0)
    evidence = (
        f"the loss is no number from {case.history.axis} {at:g} on, after {case.loss.last:.4g}, without having grown"
    )
    return Sighting("possible", evidence)


@signature(
    "learning-rate-too-large",
    title="the learning rate is too large: each step overshoots",
    cure="divide the learning rate by 10, clip gradients, warm up, and scale the inputs",
    alike="zero_grad() that is missing lets a curve rise after it has fallen; a root of 0 ends in NaN near 0",
    explains=("dead-relu", "target-not-scaled"),
)
def learning_rate_too_large(case: Case) -> Sighting | None:
    """Grows by a constant ratio above 1, or grows and then is no number."""
    curve, at = case.loss, _break(case)
    if at is not None:
        if not curve.points:
            return Sighting("possible", "the loss is no number from the first point on")
        if _grew(case):
            evidence = f"the loss grows to {curve.last:.4g} and is no number from {case.history.axis} {at:g} on"
            return Sighting("certain" if curve.last > 10 * abs(curve.first) else "likely", evidence, weight=1.0)
        return None if _near_zero(case) else Sighting("possible", f"the loss is no number from {at:g} on", weight=-1.0)
    if curve.low < 0 or not curve.points:
        return None
    ratio, growth = curve.ratio, curve.level / max(curve.first, 1e-300)
    if math.isfinite(ratio) and ratio > 1.02 and growth > 1.5:
        evidence = (
            f"the loss grows by the factor {ratio:.3g} from point to point, from {curve.first:.4g} to {curve.last:.4g}"
        )
        return Sighting("certain" if growth > 10 else "likely", evidence, weight=1.0)
    if growth > 1.5 and curve.level > 1.5 * curve.low:
        return Sighting("likely", f"the loss ends at {curve.level:.4g}, and started at {curve.first:.4g}")
    swings = _swinging(case)
    return None if swings is None else Sighting("possible", swings.evidence, weight=-1.0)


def _turned(case: Case) -> bool:
    """Whether the training loss itself has fallen, and then risen by a quarter and by more than noise."""
    curve = case.train
    if curve is None or curve.low <= 0 or curve.low_at > 0.8 * curve.points or curve.points < 6:
        return False
    fell = curve.low < 0.75 * max(curve.first, float(curve.values[0]))
    if curve.level < FAR * curve.first:
        return False  # noise of a fit that is good
    after = float(np.mean(curve.values[-max(3, curve.points // 5) :]))
    return fell and after > 1.2 * curve.low and after - curve.low > 1.5 * curve.noise


@signature(
    "zero-grad-missing",
    title="gradients of earlier steps are added up: zero_grad() is missing",
    cure="call optimizer.zero_grad() once before each backward(), within the loop over batches",
    alike="a learning rate that is too large, or momentum near 1, makes a curve rise and swing, too",
    rule="zero-grad-missing",
    explains=("overfitting", "learning-rate-too-large"),
)
def zero_grad_missing(case: Case) -> Sighting | None:
    """Falls, then rises or swings, and the valid loss ends far above its lowest."""
    curve, valid = case.train, case.valid
    if curve is None or _break(case) is not None or curve.low < 0:
        return None
    if curve.level > 1.5 * curve.first:  # growing from point to point is another matter
        rising = float(np.mean(np.diff(curve.values[curve.points // 2 :]) > 0))
        swings = rising < 0.85 and curve.level > 1.5 * curve.low
        evidence = f"the training loss swings up to {curve.level:.4g}"
        return Sighting("possible", evidence, weight=0.6) if swings else None
    far = valid is not None and valid.low > 0 and valid.level > 1.5 * valid.low
    if not _turned(case):
        return _stopped(case) if far else _swinging(case)
    evidence = f"the training loss falls to {curve.low:.4g} and rises to {curve.level:.4g}"
    evidence += (
        f", the valid loss to {valid.level / valid.low:.2g} times its lowest" if far and valid is not None else ""
    )
    return Sighting("likely" if far else "possible", evidence, weight=0.5)


def _stopped(case: Case) -> Sighting | None:
    """Who learns by heart gets to 0; a training loss that stops far above it has another cause."""
    curve = case.train
    if curve is None or curve.level < 0.15 * curve.first:
        return None
    return Sighting("possible", f"the training loss stops at {curve.level:.4g} while the valid loss rises", weight=-1.0)


def _swinging(case: Case) -> Sighting | None:
    """No trend any more, and swings of a third of the level from epoch to epoch, far above 0."""
    curve = case.train
    if curve is None or case.history.axis != "epoch" or curve.points < 10:
        return None
    half = curve.values[curve.points // 2 :]
    mean = float(np.mean(half))
    if mean <= 0.15 * curve.first or float(np.std(half)) < 0.3 * mean:
        return None
    return Sighting("possible", f"the training loss swings by {np.std(half) / mean:.0%} of its level, {mean:.4g}")


@signature(
    "overfitting",
    title="the model learns the training rows by heart",
    cure="stop at the lowest valid loss (patience), take a smaller model, weight decay, dropout, or more data",
    alike="zero_grad() that is missing lets the training loss rise, too",
)
def overfitting(case: Case) -> Sighting | None:
    """The training loss goes towards 0 while the valid loss turns, or stays far above it."""
    train, valid = case.train, case.valid
    if train is None or valid is None or train.low < 0 or valid.low <= 0 or _break(case) is not None:
        return None
    end = min(
        train.level, float(np.mean(train.values[-3:]))
    )  # the level of a curve that still falls lies above its end
    fell = train.level < 0.8 * train.values[0] and end <= max(1.2 * train.low, 0.05 * train.first)
    rise = valid.level / valid.low - 1
    noise = valid.noise / valid.low
    if not fell or train.points < 5:
        return None
    turned = rise > max(0.15, 4 * noise) and valid.low_at < 0.8 * valid.points and train.level < 0.8 * valid.level
    if turned:
        evidence = f"the training loss falls to {train.level:.4g}, the valid one turns at {valid.low:.4g} and rises by {rise:.0%}"
        sure: Confidence = "certain" if rise > 0.3 and train.level < 0.3 * valid.level else "likely"
        return Sighting(sure, evidence)
    if train.level < 0.2 * valid.level and valid.level > 0.3 * valid.first:
        evidence = f"the training loss falls to {train.level:.4g}, and the valid loss stays at {valid.level:.4g}"
        return Sighting("likely", evidence)
    return None


@signature(
    "learning-rate-too-small",
    title="the learning rate is too small: the curve is almost straight, and far from its end",
    cure="multiply the learning rate by 10, and train longer; a schedule that starts near 0 looks so, too",
    alike="a target that was not scaled, and units that are nearly dead, crawl as well",
    needs=("--classes",),
)
def learning_rate_too_small(case: Case) -> Sighting | None:
    """Straight, slow, and still falling."""
    curve = case.loss
    if curve.points < 5 or _break(case) is not None or curve.low < 0:
        return None
    way = float(curve.values[0] - curve.last)
    if not curve.crawling or curve.constant:
        return None
    share = way / abs(curve.values[0])
    start = math.log(case.classes) if case.classes and case.judges == "classes" else None
    if share > 0.4 or (start is not None and curve.last < 0.5 * start):
        return None
    evidence = f"the loss falls almost straight, by {share:.1%} over {curve.points} points, to {curve.last:.4g}"
    above = start is not None and curve.last > 0.9 * start
    return Sighting(
        "likely" if above or share < 0.15 else "possible", evidence, {f"ln {case.classes}": start} if start else {}
    )


@signature(
    "reported-mean-scaled",
    title="the loss is divided or summed once too often",
    cure="divide a sum of batch means by the number of batches; divide by the rows only what was summed over rows "
    "(reduction='sum', or loss.item() * len(batch))",
    alike="a problem that is solved within the first batches",
    rule="mean-loss-divided-by-dataset",
    judges="classes",
    needs=("--classes", "--batch-size"),
    explains=("softmax-wrong-dim",),
)
def reported_mean_scaled(case: Case) -> Sighting | None:
    """An untrained classifier costs about ln K: a start near ln K / B was divided by the rows, one near B ln K is a sum."""
    if case.judges not in (None, "classes") or not case.may_be("cross-entropy", "nll", "bce", "bce-logits"):
        return None
    classes = case.classes or (2 if case.judges == "classes" else None)
    curve, batch = case.train or case.loss, case.facts.batch_size
    if classes is None or not math.isfinite(curve.first) or curve.first <= 0:
        return None
    start = math.log(classes)
    share = curve.first / start
    if (proof := _impossible(case)) is not None:
        return proof
    if share > 4 and (batch is None or batch > 4):
        return _summed(case, start, share)
    if share > (0.1 if batch else 0.02) or (batch and not 0.02 <= share * batch <= 1.1):
        return None
    expected = f"ln {classes} / {batch} = {start / batch:.4g}" if batch else f"far below ln {classes} = {start:.4g}"
    evidence = f"the first loss is {curve.first:.4g}, {expected}: an untrained model starts near ln {classes}"
    floors = {f"ln {classes} / B": start / batch} if batch else {}
    sure: Confidence = "likely" if batch and share * batch > 0.15 else "possible"
    return Sighting(sure if case.classes else "possible", evidence, floors)


def _impossible(case: Case) -> Sighting | None:
    """A wrong answer gives the right class 1/2 at most and costs ln 2 at least: the mean is at least that times their share."""
    valid, right = case.history.valid.values, case.accuracies
    if case.family == "bce" or len(valid) != len(right) or not len(right) or (valid <= 0).any():
        return None
    least = math.log(2) * (1 - right)
    worst = int(np.argmin(valid - least))
    if not 0 < valid[worst] < 0.7 * least[worst]:
        return None
    evidence = (
        f"with accuracy {right[worst]:.3g} the mean is at least {1 - right[worst]:.3g} ln 2 = {least[worst]:.3g}, and "
        f"{valid[worst]:.3g} is logged"
    )
    return Sighting("certain", evidence, weight=0.5)


def _summed(case: Case, start: float, share: float) -> Sighting | None:
    batch = case.facts.batch_size
    at_first = float(case.accuracies[0]) if len(case.accuracies) else 0.0
    if batch and not (0.03 if at_first > 0.5 else 0.25) <= share / batch <= 1.6:
        return None
    if not batch and (share < 8 or at_first < 0.5):
        return None  # inputs that are not scaled may start as high
    evidence = (
        f"the first loss is {share:.3g} times ln K = {start:.4g}, as a sum over {batch or 'the rows of a batch'} is"
    )
    return Sighting("likely" if batch else "possible", evidence, {"B ln K": start * (batch or share)})
