"""Rules for one class per row: how rare the rarest is, how many there are, whether they are in order, whether they lie."""

from __future__ import annotations

import math

import numpy as np

from losscli.advice.heuristics import Advice, Pick, heuristic, percent
from losscli.advice.profile import Profile
from losscli.data.ids import words_of
from losscli.errors import counted, shown
from losscli.tasks import tasks

RARE, EXTREME = 0.25, 0.01  # shares of the rarer of two classes
FEW_ROWS = 50  # of a class, from which a model can hardly learn what it looks like
LONG_TAIL, EVEN = 10.0, 3.0  # the largest class beside the smallest
MANY_CLASSES = 20
COARSE = (
    0.5  # share of rows that repeat the features and the label of another, from which features are too coarse to tell
)
NOISY = 0.005  # share of rows that no function of the features can get right
WEIGHED = "King and Zeng 2001, Logistic Regression in Rare Events Data"
MOST_RANKS = 15
BY_RANKING = ("auprc", "auroc", "f1-tuned", "log-loss")  # for a rare class, which accuracy does not see
RARE_IN_A_BATCH = 8  # rows of the rare class that a loss over the batch should meet
LARGEST_BATCH = 4096
BY_SHARE = ("log-loss", "brier")  # they are measured against the shares themselves
LEARN_SHARES = ("proper", "soft-targets")
ORDERS = {
    "given": "the order of the labels is given",
    "words": "the labels are words that have an order",
    "numbers": "the labels are numbers",
}
RATINGS = frozenset(
    ["rating", "ratings", "score", "stars", "star", "grade", "grades", "level", "quality", "satisfaction", "severity",
     "stage", "rank", "likert", "agreement", "happiness", "health", "risk"]
)  # fmt: skip
OPPOSED = -0.6  # rank correlation at which the features contradict an order that words or numbers tell
IN_ORDER = 0.5  # rank correlation from which neighbouring labels count as neighbours


@heuristic("binary")
def rare_class(profile: Profile) -> Advice | None:
    """One of two classes is rare."""
    share = float(profile.shares.min())
    if not EXTREME <= share < RARE or _few(profile):
        return None
    weight = _positive_weight(profile)
    picks = [
        Pick("bce-logits", {"pos_weight": "balanced"}),
        Pick("focal"),
        *([Pick("asymmetric")] if weight > 1 else []),
    ]
    note = (
        f"pos_weight: balanced is {weight:.3g} here. Weights move the decision and spoil the probabilities; moving the "
    )
    return Advice(
        _rarity(profile),
        picks,
        source=WEIGHED,
        note=f"{note}threshold of bce-logits afterwards may do as much (f1-tuned)",
        metrics=BY_RANKING if weight > 1 else (),
        claims=("imbalanced",),
    )


@heuristic("binary")
def extreme_imbalance(profile: Profile) -> Advice | None:
    """So few rows of a class that accuracy says nothing, and every batch may lack them."""
    if float(profile.shares.min()) >= EXTREME and not _few(profile):
        return None
    weight = _positive_weight(profile)
    only_ranked = [Pick("auc-pairwise")] if weight > 1 else []
    picks = [Pick("bce-logits", {"pos_weight": "balanced"}), Pick("focal"), *only_ranked]
    if weight > 1:
        picks.append(Pick("soft-f1"))
    judge = "auprc or auroc" if weight > 1 else "auroc"
    note = f"pos_weight: balanced is {weight:.3g} here. Judge by {judge}, not by accuracy; losses over a "
    return Advice(
        _rarity(profile),
        picks,
        source=WEIGHED,
        note=f"{note}whole batch need some of the rare rows in it: the batch is {_batch(profile)} rows for that",
        metrics=BY_RANKING if weight > 1 else (),
        train={"batch_size": _batch(profile)},
        claims=("imbalanced",),
    )


@heuristic("binary")
def balanced_classes(profile: Profile) -> Advice | None:
    """Two classes of like size: what the output is for decides."""
    share = float(profile.shares.min())
    if share < RARE:
        return None
    yes = percent(float(profile.shares[1]))
    reason = f"{yes} are {shown(profile.target.labels[1])}: no class is rare, and nothing has to be weighed"
    return Advice(
        reason,
        [Pick("brier"), Pick("squared-hinge")],
        note="brier where probabilities count and errors should stay bounded, squared-hinge where only the decision does",
    )


@heuristic("multiclass")
def ordered_labels(profile: Profile) -> Advice | None:
    """Labels in an order: given, told by their words, or by their numbers if the features agree."""
    labels, order = profile.target.labels, profile.target.ordered
    if not 3 <= len(labels) <= MOST_RANKS or order not in ORDERS:
        return None
    alike = profile.neighbourliness
    rated = not RATINGS.isdisjoint(word for name in profile.table.targets for word in words_of(name))
    if order == "numbers" and not (alike >= IN_ORDER or (rated and not alike < 0)):
        return None
    if order != "given" and alike <= OPPOSED:  # classes that are far apart in the order are the ones that are alike
        return None
    reason = f"{ORDERS[order]}, from {shown(labels[0])} to {shown(labels[-1])}"
    if not math.isnan(alike):
        do = "do" if alike >= IN_ORDER else "do hardly"
        reason += f"; classes far apart in it {do} differ more in their features (rank correlation {alike:.2f})"
    picks = [Pick("rps"), Pick("corn"), Pick("coral")]
    return Advice(
        reason,
        picks,
        note="take none of these if the order means nothing; accuracy does not see how far off one is: judge by quadratic-kappa",
        metrics=("quadratic-kappa", "accuracy", "macro-f1", "log-loss"),
        claims=("ordinal",),
    )


@heuristic("multiclass")
def long_tail(profile: Profile) -> Advice | None:
    """Some classes are many times rarer than others."""
    ratio = profile.counts.max() / profile.counts.min()
    if ratio < EVEN:
        return None
    rare, common = int(profile.counts.argmin()), int(profile.counts.argmax())
    reason = (
        f"the largest class {shown(profile.target.labels[common])} has {ratio:.3g} times the rows of the smallest, "
        f"{shown(profile.target.labels[rare])} ({counted(int(profile.counts[rare]), 'row')})"
    )
    rule_of_weight = "effective" if ratio >= LONG_TAIL else "balanced"
    picks = [Pick("logit-adjusted"), Pick("cross-entropy", {"weight": rule_of_weight})]
    if ratio >= LONG_TAIL:
        picks.append(Pick("focal"))
    source = "Cui et al. 2019, Class-Balanced Loss, https://arxiv.org/abs/1901.05555" if ratio >= LONG_TAIL else ""
    return Advice(
        reason,
        picks,
        source,
        note="judge by balanced-accuracy or macro-f1: accuracy hardly sees a rare class",
        metrics=("balanced-accuracy", "macro-f1", "accuracy", "log-loss"),
        claims=("imbalanced",),
    )


@heuristic("multiclass")
def many_classes(profile: Profile) -> Advice | None:
    """So many classes that being sure of one is being wrong about similar ones."""
    classes = len(profile.target.labels)
    if classes < MANY_CLASSES:
        return None
    rows_per_class = profile.rows / classes
    reason = f"{classes} classes, of {rows_per_class:.3g} {'row' if rows_per_class == 1 else 'rows'} each in the mean"
    picks = [Pick("cross-entropy", {"label_smoothing": 0.1}), Pick("ova-bce"), Pick("sparsemax")]
    return Advice(
        reason, picks, "Szegedy et al. 2016, Rethinking the Inception Architecture, https://arxiv.org/abs/1512.00567"
    )


@heuristic("multiclass")
def even_classes(profile: Profile) -> Advice | None:
    """Classes of like size: what the output is for decides."""
    ratio = profile.counts.max() / profile.counts.min()
    if ratio >= EVEN:
        return None
    reason = f"{len(profile.counts)} classes of like size (largest / smallest: {ratio:.2f}): nothing has to be weighed"
    picks = [Pick("brier"), Pick("cross-entropy", {"label_smoothing": 0.1}), Pick("poly-1")]
    return Advice(
        reason,
        picks,
        note="brier where probabilities should stay bounded in their cost, the others where accuracy counts",
    )


@heuristic("multiclass", shares=True)
def soft_labels(profile: Profile) -> Advice | None:
    """Targets that are probabilities: losses that take them, and are least where the prediction equals them."""
    sure = float((profile.target.values.max(axis=1) > 0.99).mean())
    classes = len(profile.target.labels)
    reason = f"each row gives a probability for each of {classes} classes; {percent(sure)} of the rows are sure"
    note = (
        "both take probabilities as they are, and learn them; sparsemax where most of them are 0. If the whole distribution is "
        "to be right, and not the class: --task distribution, with kl-div, js-div, or emd of ordered bins"
    )
    return Advice(reason, [Pick("brier"), Pick("sparsemax")], note=note, metrics=BY_SHARE, claims=LEARN_SHARES)


@heuristic("binary", shares=True)
def shares_of_yes(profile: Profile) -> Advice | None:
    """Targets that are shares of yes: losses that take them, and are least where the prediction equals them."""
    ends = float(np.isin(profile.target.values, (0.0, 1.0)).mean())
    mean = float(profile.shares[1])
    reason = f"each row gives a share of yes, {mean:.3g} in the mean; {percent(ends)} of the rows are 0 or 1"
    note = "bce-logits is the fractional logit; brier counts an error by its square. Predictions stay within 0 and 1"
    source = "Papke and Wooldridge 1996, Econometric Methods for Fractional Response Variables"
    return Advice(reason, [Pick("bce-logits"), Pick("brier")], source, note, BY_SHARE, LEARN_SHARES)


@heuristic("binary", "multiclass")
def contradicting_rows(profile: Profile) -> Advice | None:
    """Rows with the same features and another label: noise in the labels, or features that do not tell enough."""
    share = profile.repeats.floor / profile.rows
    # Where many rows have twins, features are coarse and classes overlap; a wrong label contradicts a twin that is rare.
    if share < NOISY or profile.repeats.duplicates > COARSE * profile.rows:
        return None
    reason = (
        f"{counted(profile.repeats.conflicting, 'row')} share all features with a row of another label: "
        f"{percent(share)} of all rows must be wrong whatever a model says"
    )
    smoothed = tasks.get(profile.task).default_loss  # cross-entropy, of two classes or of several
    picks = [
        Pick("gce", {"q": 0.7}),
        Pick("bi-tempered", {"t1": 0.8, "t2": 1.2}),
        Pick(smoothed, {"label_smoothing": 0.1}),
    ]
    return Advice(
        reason,
        picks,
        note="if the labels are right and chance decides, these lose to the reference: compare them with it",
    )


def _batch(profile: Profile) -> int:
    """A power of 2 that holds some rows of the rare class in the mean, and no more than there are."""
    needed = RARE_IN_A_BATCH / float(profile.shares.min())
    most = min(LARGEST_BATCH, max(2, profile.rows // 2))
    return 1 << min(math.ceil(math.log2(needed)), most.bit_length() - 1)


def _few(profile: Profile) -> bool:
    return float(profile.counts.min()) < FEW_ROWS and float(profile.shares.min()) < RARE


def _positive_weight(profile: Profile) -> float:
    return float(profile.counts[0] / profile.counts[1])


def _rarity(profile: Profile) -> str:
    rare = int(profile.counts.argmin())
    which = "positives" if rare == 1 else "negatives"
    beside = profile.counts.max() / profile.counts.min()
    return (
        f"{percent(float(profile.shares[rare]))} {which} ({shown(profile.target.labels[rare])}: {int(profile.counts[rare])} of "
        f"{counted(profile.rows, 'row')}), {beside:.3g} of the other class for each"
    )
