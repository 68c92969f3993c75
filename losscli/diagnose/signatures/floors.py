"""Classification that is right and yet stays unsure: plateaus at floors that follow from what stands before the loss."""

from __future__ import annotations

import math

from losscli.diagnose import floors
from losscli.diagnose.case import Case
from losscli.diagnose.signatures import Confidence, Sighting, signature

RIGHT = 0.95  # an accuracy from which on hardly any row is wrong
CLOSE = 0.01  # nats from a floor that leave no doubt
MOST_GUESSED = 30  # classes: with more, floors lie closer than curves tell
SMOOTHINGS = (0.05, 0.1, 0.15, 0.2)
LEAST_APART = 0.03  # nats between wrong labels and overlapping classes of the same accuracy that a curve can tell
UNTRAINED = 0.9  # more than two classes cost in the first epoch


def _above(case: Case) -> float:
    """How far above its floor a right model may settle: rows that are wrong cost up to 1 more."""
    wrong = 0.0 if case.accuracy is None else 1 - case.accuracy
    return 0.02 + 1.2 * wrong + case.loss.error


def _unsure(case: Case) -> bool:
    """Whether the model is right more often than it dares to say, and has settled so; without an accuracy nobody knows."""
    room = 0.06 if case.doubt > 0.5 else 0.03
    arrived = abs(case.loss.drift) <= room * abs(case.loss.level) if case.classes else case.loss.settled
    return arrived and case.loss.level > 0 and (case.accuracy is None or case.doubt > 0.1)


def _with_accuracy(case: Case) -> str:
    return f" with accuracy {case.accuracy:.3g}" if case.accuracy is not None else ""


def _squashed(case: Case) -> tuple[int, float, bool] | None:
    """Of cross-entropy on outputs between 0 and 1: K, how far the loss is above that floor, and whether K was known."""
    curve = case.loss
    if not (case.may_be("cross-entropy") and _unsure(case)):
        return None
    # of a K that is not known the nearest below: the loss comes down on it
    guesses = [case.classes] if case.classes else range(2, MOST_GUESSED + 1)
    classes = min(guesses, key=lambda k: abs(curve.level - floors.squashed(k)))
    floor = floors.squashed(classes)
    lowest = min(float(other.values.min()) for other in (case.train, case.valid) if other is not None)
    within = lowest >= floor - 0.003 and curve.high <= floor + 1.01
    if case.valid is not None and case.accuracy is not None:  # each wrong answer costs more than the floor
        least = case.accuracy * floor + (1 - case.accuracy) * floors.squashed_wrong(classes)
        within = within and case.valid.level >= least - 0.02
    gap = curve.level - floor
    return (classes, gap, case.classes is not None) if within and gap <= _allowed(case, classes) else None


def _allowed(case: Case, classes: int) -> float:
    if case.classes is None:
        return 0.003 if case.accuracy is None else 0.01 if case.accuracy > 0.9 else -1.0
    if case.accuracy is None:
        return 0.02
    slow = 0.15 * (math.log(case.classes) - floors.squashed(case.classes)) if case.accuracy >= RIGHT else 0.0
    return max(_above(case), slow)


@signature(
    "softmax-before-cross-entropy",
    title="a softmax stands before cross-entropy, which takes one itself",
    cure="give cross-entropy the raw scores (logits), and take the softmax only where you need probabilities",
    alike="a sigmoid before it has the same floor; label smoothing 0.1 at ten classes has 0.5003, far below the 1.461 of this",
    rule="softmax-before-cross-entropy",
    judges="classes",
    needs=("--classes",),
    explains=("learning-rate-too-small", "relu-before-logits"),
)
def softmax_before_cross_entropy(case: Case) -> Sighting | None:
    """Floor ln(1 + (K-1)/e), never below it and never more than 1 above."""
    match = _squashed(case)
    if match is None:
        return None
    classes, gap, has_classes = match
    floor = floors.squashed(classes)
    right = case.accuracy is not None and case.accuracy >= RIGHT
    sure = has_classes and right and gap <= CLOSE + case.loss.error
    confidence: Confidence = "certain" if sure else "likely" if has_classes or right else "possible"
    evidence = (
        f"the loss settles at {case.loss.level:.4f}{_with_accuracy(case)}; outputs between 0 and 1 of {classes} classes "
        f"cannot get below ln(1 + {classes - 1}/e) = {floor:.4f}"
    )
    return Sighting(confidence, evidence, {f"ln(1+{classes - 1}/e)": floor})


@signature(
    "sigmoid-before-cross-entropy",
    title="a sigmoid stands before cross-entropy, which takes a softmax itself",
    cure="give cross-entropy the raw scores (logits); for several labels at once use BCEWithLogitsLoss",
    alike="a softmax before it has the same floor, and is the more common mistake",
    rule="sigmoid-before-cross-entropy",
    judges="classes",
    needs=("--classes",),
)
def sigmoid_before_cross_entropy(case: Case) -> Sighting | None:
    """The same floor as that of a softmax: a curve cannot tell them apart."""
    match = _squashed(case)
    if match is None:
        return None
    floor = floors.squashed(match[0])
    evidence = f"a sigmoid has the same floor, {floor:.4f}, and a curve cannot tell them apart"
    return Sighting("possible", evidence, {}, weight=0.5 if abs(match[1]) < 0.002 else -1.0)


def _smoothed(case: Case) -> bool:
    """Whether label smoothing explains the level: of two classes, or of up to ten where nobody says how many there are."""
    heights = [floors.smoothed(smoothing, 2) for smoothing in SMOOTHINGS[:2]]
    if (
        case.classes is None and max(case.levels) - min(case.levels) < 0.004
    ):  # other shares of a split would move its floor
        heights += [floors.smoothed(0.1, classes) for classes in range(3, 11)]
    room = 0.03 + (floors.noise(1 - case.accuracy, case.classes or 2) if case.accuracy is not None else 0.0)
    return any(-0.01 < case.loss.level - height < room for height in heights)


def _by_share(case: Case, share: float) -> Confidence:
    """How sure one may be where the share of positives is what would have to be so; a floor of K classes may lie there, too."""
    other = case.classes is None and any(abs(case.loss.level - floors.squashed(k)) < 0.001 for k in range(2, 11))
    return "likely" if 0.35 < share < 0.65 and not other else "possible"


def _binary(case: Case) -> bool:
    """Whether there may be two classes; where nobody says so, the start does: an untrained model costs about ln 2 then."""
    if case.classes is None and case.loss.first > UNTRAINED:
        return False
    return case.may_be("bce-logits", "bce", "cross-entropy") and case.may_be_binary and _unsure(case)


@signature(
    "sigmoid-before-bce-with-logits",
    title="a sigmoid stands before BCEWithLogitsLoss, which takes one itself",
    cure="give BCEWithLogitsLoss the raw score, or use BCELoss after the sigmoid",
    alike="label smoothing 0.1 at ten classes has its floor at 0.5003, this at 0.5032 where half are positive; a ReLU before "
    "the sigmoid has (1-p) ln 2",
    rule="sigmoid-before-bce-with-logits",
    judges="classes",
    needs=("--positive-rate",),
    explains=("learning-rate-too-small",),
)
def sigmoid_before_bce_with_logits(case: Case) -> Sighting | None:
    """Floor p ln(1 + 1/e) + (1-p) ln 2; never more than one nat above."""
    curve = case.loss
    if not (_binary(case) and case.may_be("bce-logits", "cross-entropy")):
        return None
    if case.positive is None:
        share = (floors.LN2 - curve.level) / (floors.LN2 - floors.sigmoid_twice(1.0))
        right = case.accuracy is not None and case.accuracy >= RIGHT
        if not right or not 0.03 < share < 0.97 or _smoothed(case):
            return None
        evidence = (
            f"the loss settles at {curve.level:.4f}{_with_accuracy(case)}, which is the floor of a doubled sigmoid if "
            f"{share:.0%} are positive"
        )
        return Sighting(_by_share(case, share), evidence, {}, weight=-abs(share - 0.5))
    floor = floors.sigmoid_twice(case.positive)
    gap = curve.level - floor
    if not -0.006 <= gap <= _above(case) or curve.high > 1.32:
        return None
    evidence = (
        f"the loss settles at {curve.level:.4f}{_with_accuracy(case)}; with {case.positive:.3g} positives a doubled sigmoid "
        f"cannot get below p ln(1 + 1/e) + (1-p) ln 2 = {floor:.4f}"
    )
    sure = abs(gap) <= CLOSE and (case.accuracy or 0) >= RIGHT
    return Sighting("certain" if sure else "likely", evidence, {"p ln(1+1/e) + (1-p) ln 2": floor})


@signature(
    "relu-before-logits",
    title="a ReLU is the last layer before the loss, so no score can be negative",
    cure="take the ReLU away: the last layer before a loss on logits is linear",
    alike="a doubled sigmoid settles at p ln(1 + 1/e) + (1-p) ln 2",
    rule="relu-before-logits",
    judges="classes",
    needs=("--positive-rate", "--priors"),
    explains=("learning-rate-too-small",),
)
def relu_before_logits(case: Case) -> Sighting | None:
    """Binary: negatives cost ln 2 at least, floor (1-p) ln 2. Of K classes each whose output is dead costs ln K per row."""
    curve = case.loss
    if (dead := _all_dead(case)) is not None:
        return dead
    if not _binary(case):
        return _dead_outputs(case)
    if case.positive is None:
        share = 1 - curve.level / floors.LN2
        right = case.accuracy is not None and case.accuracy >= RIGHT
        if not right or not 0.03 < share < 0.97 or _smoothed(case):
            return None
        evidence = f"the loss settles at {curve.level:.4f}{_with_accuracy(case)}, which is (1-p) ln 2 if {share:.0%} are positive"
        return Sighting(_by_share(case, share), evidence, {}, weight=-abs(share - 0.5))
    floor = floors.relu_before_sigmoid(case.positive)
    gap = curve.level - floor
    if not -0.01 <= gap <= _above(case):
        return None
    evidence = (
        f"the loss settles at {curve.level:.4f}{_with_accuracy(case)}; with {case.positive:.3g} positives, scores of at least "
        f"0 cannot get below (1-p) ln 2 = {floor:.4f}"
    )
    sure = abs(gap) <= CLOSE and (case.accuracy or 0) >= RIGHT
    return Sighting("certain" if sure else "likely", evidence, {"(1-p) ln 2": floor})


def _all_dead(case: Case) -> Sighting | None:
    """Binary: every score is exactly 0, so every row costs exactly ln 2."""
    still = any(curve.constant for curve in (case.train, case.valid) if curve is not None)
    if not (case.may_be("bce-logits", "cross-entropy") and case.may_be_binary and still):
        return None
    if abs(case.loss.level - floors.LN2) > 1e-4:
        return None
    evidence = (
        f"the loss is ln 2 = {floors.LN2:.4f} and stays there, as where every score is 0: the ReLU lets nothing through"
    )
    return Sighting("likely", evidence, {"ln 2": floors.LN2}, weight=0.2)


def _dead_outputs(case: Case) -> Sighting | None:
    """Cross-entropy: rows of a class whose output is 0 for good cost ln K each, and count as wrong, or as class 0."""
    classes, curve = case.classes, case.loss
    if classes is None or classes < 3 or case.accuracy is None or not curve.settled or not case.may_be("cross-entropy"):
        return None
    shares = (
        {(share,) for share in case.priors} if case.priors else {(count / classes,) for count in range(1, classes - 1)}
    )
    for (share,) in sorted(shares):
        floor = share * math.log(classes)
        smooth = any(-0.003 < curve.level - floors.smoothed(part, classes) < 0.03 for part in SMOOTHINGS[:2])
        explained = not smooth and min(abs(case.accuracy - 1), abs(case.accuracy - (1 - share))) < 0.05
        alike = max(case.levels) - min(case.levels) <= 0.05 * floor
        if explained and alike and abs(curve.level - floor) <= 0.02 * floor and case.doubt > -0.05:
            evidence = (
                f"the loss settles at {curve.level:.4f}{_with_accuracy(case)}, as if {share:.3g} of the rows cost ln {classes} "
                "each: outputs that are 0 for good"
            )
            return Sighting("possible", evidence, {f"{share:.3g} ln {classes}": floor})
    return None


@signature(
    "softmax-wrong-dim",
    title="the softmax runs over the batch and not over the classes",
    cure="take the softmax over the classes: dim=1 (or -1) of [batch, classes]",
    alike="a loss that is summed over the batch is as large, and falls towards 0",
    rule="softmax-wrong-dim",
    judges="classes",
    needs=("--classes", "--batch-size"),
    explains=("learning-rate-too-small", "overfitting"),
)
def softmax_wrong_dim(case: Case) -> Sighting | None:
    """Right answers at a loss above ln K: the rows of a class share one unit, sum n_c/B ln n_c, from ln B on."""
    curve, batch = case.loss, case.facts.batch_size
    if not case.may_be("cross-entropy", "nll") or case.accuracy is None or case.accuracy < 0.6:
        return None
    classes = case.classes or 2
    if curve.constant or abs(curve.drift) > 0.03 * curve.level or case.doubt < 0.3:
        return None
    if batch is None:
        low = max(case.levels) if case.classes else min(case.levels)
        if low < 1.15 * math.log(classes) or case.doubt < 0.5 or (case.classes is None and case.accuracy < 0.9):
            return None
        confidence: Confidence = "likely" if case.classes else "possible"
        evidence = (
            f"the loss settles at {curve.level:.4f}{_with_accuracy(case)}, above ln {classes} = {math.log(classes):.4f}, "
            "which a softmax over the classes cannot do; over a batch of B rows it settles near ln(B/K)"
        )
        return Sighting(confidence, evidence, {f"ln {classes}": math.log(classes)})
    floor = floors.over_batch(case.priors or [1 / classes] * classes, batch)
    if curve.first > 1.1 * math.log(batch) or not 0.96 * floor <= curve.level <= 1.03 * floor + 0.04:
        return None
    evidence = (
        f"the loss starts near ln {batch} = {math.log(batch):.4f} and settles at {curve.level:.4f}{_with_accuracy(case)}; a "
        f"softmax over {batch} rows cannot get below the sum of n/B ln n = {floor:.4f}"
    )
    return Sighting("certain" if case.classes else "likely", evidence, {"sum n/B ln n": floor})


def is_smoothing(wrong: float, classes: int) -> bool:
    """Whether usual label smoothing spreads as much of each row over the other classes."""
    return any(abs(wrong - smoothing * (classes - 1) / classes) < 0.012 for smoothing in SMOOTHINGS)


@signature(
    "label-noise",
    title="the model is about equally unsure of every row: some labels are wrong, or the features tell no more",
    cure="look at rows with a high loss (losscli suspects ranks them); if their labels are wrong, mend them or take a robust "
    "loss (gce, sce, mae)",
    alike="classes that overlap, whose rows are not all equally unsure, settle lower; near the accuracy of chance nothing tells "
    "them apart; label smoothing has the same floor at accuracy 1",
    judges="classes",
    needs=("--classes",),
)
def label_noise(case: Case) -> Sighting | None:
    """Accuracy 1-r, and the loss of a model that knows no more than that: -(1-r) ln(1-r) - r ln(r/(K-1))."""
    if not case.may_be("cross-entropy", "bce-logits", "bce", "nll") or case.accuracy is None or not case.levels:
        return None
    if not any(curve.settled for curve in (case.train, case.valid) if curve is not None):
        return None
    # learning by heart brings one down as far as it brings the other up; with more classes the valid loss alone tells
    classes, level = case.classes, math.fsum(case.levels) / len(case.levels)
    level = max(level, case.valid.level) if case.valid is not None and classes != 2 else level
    if classes is None:
        return _guessed_noise(case, level)
    wrong = 1 - case.accuracy
    if wrong < 0.03:
        return _clean_valid(case, classes)
    floor, apart = floors.noise(wrong, classes), floors.overlap(case.accuracy, classes)
    if wrong > 0.9 * (1 - 1 / classes):
        return None
    # Nearer to the overlap, some rows are surer than others: a hard problem. Where both are alike, the curve says neither.
    if level < (floor + apart) / 2 or floor - apart < max(LEAST_APART, 2 * case.loss.error):
        return _clean_valid(case, classes)
    if not 0.94 * floor <= level <= 1.25 * floor or case.loss.crawling:
        return _clean_valid(case, classes)
    evidence = (
        f"accuracy {case.accuracy:.3g} and a loss of {level:.4f}: {wrong:.2g} wrong labels among {classes} classes would settle "
        f"at {floor:.4f}, classes that overlap at about {apart:.4f}"
    )
    sure = classes > 2 and level <= 1.1 * floor
    return Sighting("likely" if sure else "possible", evidence, {f"{wrong:.2g} wrong labels": floor})


def _guessed_noise(case: Case, level: float) -> Sighting | None:
    """Where K is not known: the number of classes at which accuracy and loss fit, if there is one."""
    wrong = 1 - (case.accuracy or 0.0)
    if not 0.05 < wrong < 0.4:
        return None
    classes = min(range(3, 11), key=lambda k: abs(level - floors.noise(wrong, k)))
    floor = floors.noise(wrong, classes)
    if abs(level - floor) > 0.02 * floor:
        return None
    evidence = (
        f"accuracy {case.accuracy:.3g} and a loss of {level:.4f} are what {wrong:.2g} wrong labels among {classes} classes would "
        "settle at; so are classes that overlap, if there are more of them"
    )
    return Sighting("possible", evidence, {f"{wrong:.2g} wrong labels": floor})


def _clean_valid(case: Case, classes: int) -> Sighting | None:
    """Noise in the training labels only: the right label gets 1-r, so a clean valid split costs -ln(1-r)."""
    if case.train is None or case.valid is None or case.valid.level >= case.train.level or not case.train.settled:
        return None
    wrong = 1 - math.exp(-case.valid.level)
    if not 0.05 < wrong < 0.8 * (1 - 1 / classes) or is_smoothing(wrong, classes) or (case.accuracy or 0) < 1 - wrong:
        return None
    floor = floors.noise(wrong, classes)
    if abs(case.train.level - floor) > 0.07 * floor:
        return None
    evidence = (
        f"the loss of training settles at {case.train.level:.4f}, the floor of {wrong:.2g} wrong labels is {floor:.4f}; the "
        f"valid loss {case.valid.level:.4f} = -ln(1 - {wrong:.2g}) says that its labels are right"
    )
    return Sighting("likely", evidence, {f"{wrong:.2g} wrong labels": floor})
