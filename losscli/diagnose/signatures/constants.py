"""A model that says the same of every row, or is not moved at all."""

from __future__ import annotations

import math

import numpy as np

from losscli.diagnose import floors
from losscli.diagnose.case import Case
from losscli.diagnose.signatures import Confidence, Sighting, signature
from losscli.diagnose.trend import Trend

FEWEST = 8  # points that show that a curve stays where it is
USUAL_MARGINS = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0)


@signature(
    "nothing-is-updated",
    title="no step changes the model",
    cure="see that loss.backward() comes before optimizer.step() and zero_grad() not between them, that the optimizer holds "
    "this model's parameters, that nothing cuts the graph (.item(), .detach(), .data), and that the learning rate is not 0",
    alike="a loss that is 0 or at its bound from the start does not move either",
    explains=("learning-rate-too-small", "dead-relu"),
)
def nothing_is_updated(case: Case) -> Sighting | None:
    """The loss is constant to rounding; with dropout that of validation still is."""
    curve = case.loss
    still = [other for other in (case.train, case.valid) if other is not None and other.constant]
    if not still or not (curve.constant or curve.flat):
        return None
    whose = "the loss" if curve.constant else "the valid loss"
    evidence = f"{whose} stays at {still[-1].level:.6g} to rounding for {still[-1].points} points"
    if curve.level == 0:
        return Sighting("possible", evidence)
    return Sighting("certain" if curve.constant else "likely", evidence)


@signature(
    "softmax-over-one",
    title="a softmax or cross-entropy over a single output is always sure",
    cure="give one output to BCEWithLogitsLoss, or two outputs to cross-entropy",
    alike="a loss that was reached before the log begins is 0, too",
    rule="softmax-over-one",
    explains=("nothing-is-updated",),
)
def softmax_over_one(case: Case) -> Sighting | None:
    """Cross-entropy over one class is ln 1 = 0 whatever the output."""
    if not case.may_be("cross-entropy", "nll") or not case.loss.constant or abs(case.loss.level) > 1e-9:
        return None
    return Sighting("likely", "the loss is 0 from the first point on, and nothing moves", {"0": 0.0})


@signature(
    "logits-into-bce",
    title="BCELoss gets scores where it needs probabilities",
    cure="use BCEWithLogitsLoss on the raw scores, or put a sigmoid before BCELoss",
    alike="a constant loss of another size says that nothing is updated",
    rule="logits-into-bce",
    judges="classes",
    needs=("--positive-rate",),
    explains=(
        "nothing-is-updated",
        "dead-relu",
        "learning-rate-too-small",
        "target-not-scaled",
        "reported-mean-scaled",
    ),
)
def logits_into_bce(case: Case) -> Sighting | None:
    """Exactly 100 p, or 100 (1-p): BCELoss takes a log of 0 as -100, and the output is 0 (or 1) for every row."""
    curve = case.loss
    if not (case.may_be("bce", "bce-logits", "cross-entropy") and case.may_be_binary and curve.settled):
        return None
    if not 1.0 <= curve.level <= 99.5:
        return None
    shares = {} if case.positive is None else {"p": case.positive, "1-p": 1 - case.positive}
    share_name = next(
        (name for name, share in shares.items() if abs(curve.level - 100 * share) <= 0.02 * 100 * share), None
    )
    of_valid = case.valid is not None and case.accuracy is not None and case.valid.points > 0
    wrong = of_valid and case.valid is not None and abs(case.valid.level - 100 * (1 - (case.accuracy or 0.0))) <= 0.51
    if not share_name and not wrong and not (curve.constant and curve.level >= 5 and case.facts.positive_rate is None):
        return None
    if not curve.constant and not (share_name and wrong):
        return None
    why = (
        f"100 {share_name}" if share_name else "100 times the share of wrong rows" if wrong else "a whole share of 100"
    )
    evidence = f"the loss is {curve.level:.4g} from the first point on: {why}, as BCELoss says of an output that is always 0 or 1"
    confidence: Confidence = (
        "certain" if curve.constant and (share_name or wrong) else "likely" if share_name or wrong else "possible"
    )
    return Sighting(confidence, evidence, {"100 p": curve.level}, weight=1.0)


@signature(
    "stuck-at-margin",
    title="the embeddings carry no signal: the loss stays where equal distances put it",
    cure="look for harder or better pairs (mining), scale or normalise the embeddings, try a smaller learning rate; if the "
    "labels of the pairs are random, nothing can be learned",
    alike="a loss at ln 2 or ln K is a classifier that knows nothing",
    judges="pairs",
    needs=("--margin", "--batch-size", "--loss"),
    explains=("nothing-is-updated", "learning-rate-too-small", "dead-relu"),
)
def stuck_at_margin(case: Case) -> Sighting | None:
    """The margin itself of triplets, ln N (or ln(2N-1)) of InfoNCE: from the start, and for good."""
    curve = case.loss
    if not case.may_be("triplet", "info-nce") or case.judges in ("classes", "values"):
        return None
    down_to_it = case.facts.margin is not None and curve.settled and curve.first < 3 * curve.level
    if curve.points < FEWEST or not (curve.flat or down_to_it):
        return None
    batch = case.facts.batch_size
    places = [] if case.facts.margin is None else [(f"the margin {case.facts.margin:g}", case.facts.margin, 0.1)]
    if batch and case.family in (None, "info-nce"):
        places += [(f"ln {batch}", math.log(batch), 0.02), (f"ln {2 * batch - 1}", math.log(2 * batch - 1), 0.02)]
    if not places and case.family in (None, "triplet"):
        places = [(f"a margin of {margin:g}", margin, 0.02) for margin in USUAL_MARGINS]
    level = float(np.mean(curve.values)) if curve.flat else curve.level
    for name, height, share in places:
        if abs(level - height) <= share * height:
            has_facts = case.facts.margin is not None or batch is not None
            sure: Confidence = (
                "certain" if curve.constant and has_facts else "likely" if has_facts or case.family else "possible"
            )
            return Sighting(sure, f"the loss stays at {level:.4g} from the start: {name}", {name: height}, weight=1.0)
    return None


@signature(
    "dead-relu",
    title="the model says the same of every row: dead units, a learning rate that killed it, or inputs that do not arrive",
    cure="lower the learning rate, look at the inputs (scaled? not all zero?) and at the share of active units, use LeakyReLU or "
    "another initialisation, and see that labels belong to their rows",
    alike="labels that have nothing to do with the inputs; at ln 2 a discriminator in balance",
    needs=("--classes", "--priors", "--positive-rate", "--target-std"),
    explains=("learning-rate-too-small",),
)
def dead_relu(case: Case) -> Sighting | None:
    """Classes: the entropy of the shares, at the accuracy of the largest class. Numbers: the variance of the target, R2 = 0."""
    if case.judges == "values":
        return _constant_value(case)
    if case.judges == "pairs" or not case.may_be("cross-entropy", "bce-logits", "bce", "nll") or not _arrived(case):
        return None
    return _constant_class(case) if case.priors or case.classes else _constant_share(case)


def _arrived(case: Case) -> bool:
    return case.loss.settled and not case.loss.crawling


def _constant_class(case: Case) -> Sighting | None:
    curve, has_facts = case.loss, case.priors is not None
    shares = case.priors or [1 / (case.classes or 2)] * (case.classes or 2)
    floor = floors.entropy(shares)
    off = abs(curve.level - floor)
    largest = max(shares)
    if case.accuracy is not None and case.accuracy > largest + 0.06:
        return None if has_facts else _constant_share(case)
    if off > max(0.025 * floor, curve.error if curve.error < 0.03 * floor else 0.0):
        return None if has_facts else _constant_share(case)
    what = "the entropy of the classes" if has_facts else f"ln {len(shares)}, that of equal classes,"
    says = (
        f" and the accuracy is {case.accuracy:.3g}, the largest class {largest:.3g}"
        if case.accuracy is not None
        else ""
    )
    evidence = f"the loss settles at {curve.level:.4f}, {what} is {floor:.4f}{says}"
    return Sighting("likely" if case.accuracy is not None else "possible", evidence, {"H(classes)": floor})


def _constant_share(case: Case) -> Sighting | None:
    """Shares that nobody said: the accuracy never changes, train and valid move together, the loss fits some shares."""
    equal = round(math.exp(min(case.loss.level, 10.0)))
    if case.accuracy is not None and case.loss.flat and equal >= 2 and case.classes in (None, equal):
        near = abs(case.loss.level - math.log(equal)) <= 0.015 * math.log(equal)
        if near and abs(case.accuracy - 1 / equal) <= 0.06:
            evidence = f"the loss stays at {case.loss.level:.4f}, near ln {equal}, with accuracy {case.accuracy:.3g}"
            return Sighting("likely", evidence, {f"ln {equal}": math.log(equal)})
    tail = case.accuracies[len(case.accuracies) // 2 :]
    if len(tail) < 3 or np.ptp(tail) > 0 or not 0.3 < float(tail[0]) < 0.99 or case.train is None or case.valid is None:
        return None
    share, classes = float(tail[0]), case.classes or 20
    lowest, highest = floors.noise(1 - share, 2), floors.noise(1 - share, classes)
    if not 0.95 * lowest <= case.valid.level <= 1.05 * highest or not _together(case.train, case.valid):
        return None
    evidence = (
        f"the accuracy stays at {share:.3g} and the loss at {case.train.level:.4f}, train and valid move as one: what a constant "
        f"answer gets where the largest class has {share:.3g}"
    )
    return Sighting("likely", evidence, {f"lowest with {share:.2g}": lowest})


def _together(one: Trend, other: Trend) -> bool:
    """Whether the gap between two curves stays, to half a percent, over their last two thirds: nothing is learned by heart."""
    size = min(len(one.values), len(other.values))
    gaps = (other.values[-size:] - one.values[-size:])[size // 3 :]
    return len(gaps) > 0 and float(np.ptp(gaps)) <= 0.005 * abs(one.level)


def _constant_value(case: Case) -> Sighting | None:
    if case.r2 is None or not _arrived(case) or abs(case.r2) > 0.1:
        return None
    level = case.loss.level
    evidence = f"the loss settles at {level:.4g} and R2 at {case.r2:.2g}: what the mean of the target gets"
    return Sighting("likely" if consistent(case) else "possible", evidence, {"Var(y)": level}, weight=0.5)


def consistent(case: Case) -> bool:
    """Whether loss and R2 tell of one error: loss / (1 - R2) is the variance of the target at every point, to 1.5 %.

    Where shapes broadcast it is not: the loss compares every prediction with every target, and R2 each with its own.
    """
    series = case.history.metrics.get("r2")
    if series is None or case.valid is None:
        return True
    size = min(len(series.finite), len(case.valid.values))
    variances = case.valid.values[:size] / (1 - series.finite[:size])
    return size < 3 or float(np.std(variances)) <= 0.015 * abs(float(np.mean(variances)))
