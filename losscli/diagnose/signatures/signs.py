"""Losses below zero: what may not be negative, and is."""

from __future__ import annotations

from losscli.diagnose.case import Case
from losscli.diagnose.signatures import Confidence, Sighting, signature


def _negative(case: Case) -> bool:
    """Whether the loss gets below 0 by more than rounding, and is none that may."""
    return case.judges in (None, "classes") and case.family != "signed" and case.loss.low < -1e-4


def _endless(case: Case) -> bool:
    """Whether it falls without end: below every bound of -1, and the last third still falls by a good part of it."""
    curve = case.loss
    half = curve.values[-max(curve.points // 3, 2)]
    return curve.last < -1.01 and half - curve.last > 0.12 * abs(curve.last)


@signature(
    "bce-target-outside-0-1",
    title="binary cross-entropy gets targets outside 0 to 1, as -1/+1 or 0 to 255",
    cure="give it targets of 0 and 1 (or shares between): (y + 1) / 2 for -1/+1, y / 255 for pixels",
    alike="raw scores into NLLLoss fall below 0 without end, too; a Gaussian likelihood or a critic may be negative rightly",
    judges="classes",
    needs=("--loss",),
    explains=("learning-rate-too-small", "overfitting"),
)
def bce_target_outside(case: Case) -> Sighting | None:
    """A target outside 0 to 1 makes the loss linear in the score, without a bound."""
    if not _negative(case) or not _endless(case) or not case.may_be_binary:
        return None
    if not case.may_be("bce", "bce-logits", "cross-entropy") or (case.facts.loss and case.family == "cross-entropy"):
        return None
    evidence = f"the loss falls below 0 without end, to {case.loss.last:.4g}; with targets between 0 and 1 it cannot get below 0"
    sure = case.family in ("bce", "bce-logits") or case.classes == 2
    return Sighting("certain" if sure else "likely", evidence, {"0": 0.0}, weight=1.0)


@signature(
    "logits-into-nll",
    title="NLLLoss gets raw scores where it needs log-probabilities",
    cure="put log_softmax before NLLLoss, or use cross-entropy on the raw scores",
    alike="binary cross-entropy on targets outside 0 to 1 falls below 0 without end, too",
    rule="logits-into-nll",
    judges="classes",
    needs=("--loss", "--classes"),
    explains=("learning-rate-too-small", "overfitting"),
)
def logits_into_nll(case: Case) -> Sighting | None:
    """NLLLoss is minus the score of the right class, which a model may raise for ever."""
    if not _negative(case) or not _endless(case) or not case.may_be("nll", "cross-entropy"):
        return None
    if case.classes == 2 and case.family != "nll":
        return None
    evidence = (
        f"the loss falls below 0 without end, to {case.loss.last:.4g}: minus a score, and not minus a log-probability"
    )
    confidence: Confidence = "certain" if case.family == "nll" else "likely" if case.classes else "possible"
    return Sighting(confidence, evidence, {"0": 0.0})


@signature(
    "softmax-before-nll",
    title="NLLLoss gets probabilities where it needs log-probabilities",
    cure="put log_softmax in place of the softmax, or use cross-entropy on the raw scores",
    alike="KLDivLoss that gets probabilities stays between minus the target's entropy and 1 below that",
    rule="softmax-before-nll",
    judges="classes",
    needs=("--classes",),
    explains=("learning-rate-too-small", "learning-rate-too-large"),
)
def softmax_before_nll(case: Case) -> Sighting | None:
    """Minus the probability of the right class: from about -1/K to -1, and never below."""
    curve = case.loss
    if not _negative(case) or not case.may_be("nll", "cross-entropy") or curve.low < -1.0001 or curve.high > 0:
        return None
    if not -1.0001 <= curve.first <= -0.7 / (case.classes or 1000):
        return None
    # once settled, such a model is sure of nearly every answer, right or wrong
    near_right = case.accuracy is not None and abs(curve.level + case.accuracy) < 0.2
    evidence = (
        f"the loss goes from {curve.first:.4g} to {curve.level:.4f}, and stays between 0 and -1: minus a probability"
    )
    if not near_right and case.accuracy is not None and curve.settled and case.family != "nll":
        return Sighting("possible", evidence, {"-1": -1.0})
    sure = case.family == "nll" or near_right
    return Sighting("certain" if sure else "likely", evidence, {"-1": -1.0}, weight=1.0)


@signature(
    "kldiv-input-not-log",
    title="KLDivLoss gets probabilities where it needs log-probabilities",
    cure="put log_softmax before KLDivLoss, with reduction='batchmean'",
    alike="NLLLoss that gets probabilities goes from about -1/K to -1",
    rule="kldiv-input-not-log",
    judges="classes",
    needs=("--loss",),
    explains=("learning-rate-too-small",),
)
def kldiv_input_not_log(case: Case) -> Sighting | None:
    """Sum of q (ln q - p) = -H(q) - sum of q p: always at most -H(q), and at most 1 below that. Divided by K with `mean`."""
    curve = case.loss
    if not _negative(case) or not case.may_be("kldiv", "cross-entropy") or (case.facts.loss and case.family != "kldiv"):
        return None
    if curve.high > 0 or _endless(case) or curve.high - curve.low > 1.0001:
        return None
    evidence = (
        f"the loss stays between {curve.high:.4g} and {curve.low:.4g}, below 0 and within 1: a divergence cannot be negative, "
        "and with probabilities for their logs it is at most minus the target's entropy"
    )
    if case.family == "kldiv":
        return Sighting("certain", evidence)
    return Sighting("likely" if curve.low < -1.001 or (curve.low > -0.6 and curve.settled) else "possible", evidence)
