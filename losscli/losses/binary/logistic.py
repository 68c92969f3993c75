"""Losses of a Bernoulli probability: the log-loss, from probabilities and from logits, and what was made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from losscli.lazy import Tensor, functional, torch
from losscli.losses import Bounds, Fraction, NonNegative, Number, PositiveWeight, loss

FLOOR = -100.0  # what the logarithm of zero counts as, as in torch: a certain mistake costs 100, not infinity


@loss(
    "binary",
    "logits",
    "0 to 1",
    aliases=(
        "BCEWithLogitsLoss",
        "sigmoid-cross-entropy",
        "sigmoid-cross-entropy-with-logits",
        "binary-logloss",
        "logistic",
        "log-loss",
        "binary-cross-entropy-with-logits",
        "sigmoid-binary-cross-entropy",
        "SoftBCEWithLogitsLoss",
        "binary:logistic",
        "binary:logitraw",
        "reg:logistic",
        "binary",
        "binomial-deviance",
        "deviance",
        "xentropy",
        "MultiLogloss",
        "MultiCrossEntropy",
    ),
)
def bce_logits(
    prediction: Tensor, target: Tensor, *, pos_weight: PositiveWeight = None, label_smoothing: Fraction = 0.0
) -> Tensor:
    """Binary cross-entropy of logits: what a wrong yes-or-no costs when the answer is a probability.

    Use: yes-or-no questions whose answer is to be read as a probability; the first choice.
    Avoid: labels that are often wrong (one confident mistake costs without bound); a strong pos_weight moves the
    probabilities.

    Domain: any logit; target 0 to 1 (a target between is a probability).
    Shapes: prediction and target [...] -> [...]. `pos_weight` is a number, [L], or [R, 1, L].

    Formula: L = -w y' log sigmoid(x) - (1 - y') log(1 - sigmoid(x)), w = pos_weight, y' = y (1 - e) + e / 2,
    e = label_smoothing.

    Source: torch.nn.BCEWithLogitsLoss; label smoothing: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567.

    Kin: equals bce of sigmoid(x), soft-margin for hard targets, and focal with gamma 0.

    Elsewhere: torch BCEWithLogitsLoss; Keras BinaryCrossentropy(from_logits=True); scikit-learn
    SGDClassifier(loss="log_loss"); LightGBM binary; XGBoost binary:logistic.

    >>> round(bce_logits(torch.tensor(0.0), torch.tensor(1.0)).item(), 4)  # log 2
    0.6931
    """
    # Plain: -y log(p) - (1 - y) log(1 - p) with p = sigmoid(x), which is infinite once p rounds to 0 or 1.
    yes, no = _smoothed(target, label_smoothing, pos_weight)
    log_p, log_q = functional.logsigmoid(prediction), functional.logsigmoid(-prediction)
    if pos_weight is None:
        return -torch.lerp(log_q, log_p, yes)  # exact at both ends, and the fewest passes
    return -(yes * log_p + no * log_q)


@loss(
    "binary",
    "probabilities",
    "0 to 1",
    aliases=("binary-crossentropy",),
)
def bce(
    prediction: Tensor, target: Tensor, *, pos_weight: PositiveWeight = None, label_smoothing: Fraction = 0.0
) -> Tensor:
    """Binary cross-entropy of probabilities; prefer bce-logits, which loses no digits.

    Use: a model that already puts out probabilities and cannot be changed.
    Avoid: anywhere else: a probability that rounds to 0 or 1 has lost its gradient.

    Domain: probabilities 0 to 1; target 0 to 1. A logarithm below -100 counts as -100, as in torch.
    Shapes: prediction and target [...] -> [...]. `pos_weight` is a number, [L], or [R, 1, L].

    Formula: L = -w y' log p - (1 - y') log(1 - p), w = pos_weight, y' = y (1 - e) + e / 2, e = label_smoothing.

    Source: torch.nn.BCELoss; Good 1952, Rational Decisions (the logarithmic score).

    Kin: bce of sigmoid(x) equals bce-logits of x.

    Elsewhere: torch BCELoss; Keras BinaryCrossentropy; scikit-learn metrics.log_loss.

    >>> round(bce(torch.tensor(0.25), torch.tensor(0.0)).item(), 4)  # -log 0.75
    0.2877
    """
    yes, no = _smoothed(target, label_smoothing, pos_weight)
    # Plain: log(p), whose gradient at p = 0 is 0 * inf = NaN. The smallest normal number counts as zero.
    impossible = prediction <= torch.finfo(prediction.dtype).tiny
    log_p = _floored(torch.log, prediction, impossible)
    log_q = _floored(lambda p: torch.log1p(-p), prediction, prediction >= 1)
    return -(yes * log_p + no * log_q)


@loss(
    "binary",
    "logits",
    "0 or 1",
    aliases=("sigmoid-focal", "BinaryFocalCrossentropy"),
)
def focal(
    prediction: Tensor,
    target: Tensor,
    *,
    gamma: NonNegative = 2.0,
    alpha: Annotated[Number | None, Bounds(low=0, high=1)] = None,
) -> Tensor:
    """Focal loss: cross-entropy that fades out rows which are already right, so that hard rows decide.

    Use: many easy rows (detection, rare positives), where ranking and decisions count.
    Avoid: probabilities that are to be believed: with gamma above 0 they are pulled towards 1/2.

    Domain: any logit; target 0 or 1.
    Shapes: prediction and target [...] -> [...].

    Formula: L = -a (1 - p_t)^gamma log p_t, p_t = sigmoid(s x), a = alpha for y = 1, 1 - alpha for y = 0, 1 if null.

    Source: Lin et al. 2017, Focal Loss for Dense Object Detection, https://arxiv.org/abs/1708.02002. There and in
    torchvision alpha is 0.25 on the positive class, which lowers it; here it is null.

    Kin: gamma 0 is bce-logits.

    Elsewhere: torchvision sigmoid_focal_loss(alpha=-1); Keras BinaryFocalCrossentropy.

    >>> round(focal(torch.tensor(0.0), torch.tensor(1.0)).item(), 4)  # (1/2)^2 log 2
    0.1733
    """
    # Plain: (1 - p_t) ** gamma; 1 - p_t rounds to 0 for confident rows, where a fractional power has no gradient.
    signed = (2 * target - 1) * prediction
    faded = torch.exp(gamma * functional.logsigmoid(-signed)) * -functional.logsigmoid(signed)
    return faded if alpha is None else faded * (alpha * target + (1 - alpha) * (1 - target))


@loss("binary", "logits", "0 or 1", aliases=("MultiLabelSoftMarginLoss",))
def soft_margin(prediction: Tensor, target: Tensor) -> Tensor:
    """Soft margin: the logistic loss written with targets of -1 and +1.

    Use: the logistic loss in the notation of margins.
    Avoid: probabilities straight from losscli: use bce-logits, which is the same and is read as a logit.

    Domain: any logit; target 0 or 1, mapped to -1 and +1.
    Shapes: prediction and target [...] -> [...].

    Formula: L = log(1 + exp(-s x)).

    Source: torch.nn.SoftMarginLoss, torch.nn.MultiLabelSoftMarginLoss.

    Kin: equals bce-logits.

    Elsewhere: torch SoftMarginLoss.

    >>> round(soft_margin(torch.tensor(0.0), torch.tensor(0.0)).item(), 4)  # log 2
    0.6931
    """
    # Plain: log(1 + exp(-s x)), whose exp overflows at s x = -89 in float32.
    return -functional.logsigmoid((2 * target - 1) * prediction)


@loss("binary", "logits", "0 to 1", aliases=("brier-score",))
def brier(prediction: Tensor, target: Tensor) -> Tensor:
    """Brier score: the squared error of the probability; a mistake never costs more than 1.

    Use: probabilities under labels that are sometimes wrong: no row costs more than 1.
    Avoid: very rare classes and a bad start: the gradient of a confident mistake vanishes.

    Domain: any logit; target 0 to 1.
    Shapes: prediction and target [...] -> [...].

    Formula: L = (sigmoid(x) - y)^2.

    Source: Brier 1950, Verification of Forecasts Expressed in Terms of Probability.

    Kin: equals mse between sigmoid(x) and y.

    Elsewhere: scikit-learn metrics.brier_score_loss.

    >>> brier(torch.tensor(0.0), torch.tensor(1.0)).item()  # (1/2 - 1)^2
    0.25
    """
    # Plain: sigmoid(x) - y, which cancels to 0 for a confident right answer.
    return ((1 - target) * torch.sigmoid(prediction) - target * torch.sigmoid(-prediction)).square()


@loss("binary", "logits", "0 or 1", aliases=("poly",))
def poly_1(prediction: Tensor, target: Tensor, *, epsilon: Annotated[Number, Bounds(low=-1)] = 1.0) -> Tensor:
    """Poly-1: cross-entropy whose first polynomial term, 1 - p_t, counts more (or less).

    Use: a cross-entropy to tune by one more number, where decisions count.
    Avoid: probabilities that are to be believed: with epsilon above 0 they are too extreme.

    Domain: any logit; target 0 or 1.
    Shapes: prediction and target [...] -> [...].

    Formula: L = -log p_t + epsilon (1 - p_t), p_t = sigmoid(s x).

    Source: Leng et al. 2022, PolyLoss, https://arxiv.org/abs/2204.12511. epsilon is 1 here, and 2 in optax.

    Kin: epsilon 0 is bce-logits; with two classes equals the multiclass poly-1 of the logits 0 and x.

    >>> round(poly_1(torch.tensor(0.0), torch.tensor(1.0)).item(), 4)  # log 2 + 1/2
    1.1931
    """
    signed = (2 * target - 1) * prediction
    return epsilon * torch.sigmoid(-signed) - functional.logsigmoid(signed)


@loss("binary", "logits", "0 to 1", aliases=("asl", "AsymmetricLossMultiLabel"))
def asymmetric(
    prediction: Tensor,
    target: Tensor,
    *,
    gamma_neg: NonNegative = 4.0,
    gamma_pos: NonNegative = 1.0,
    clip: Annotated[Number, Bounds(low=0, high=1, high_open=True)] = 0.05,
) -> Tensor:
    """Asymmetric loss: focal with a fading of its own for yes and for no, and no cost at all for an easy no.

    Use: many labels of which each row has few, and labels that were forgotten.
    Avoid: even classes, and probabilities that are to be believed.

    Domain: any logit; target 0 to 1 (a target between is a probability).
    Shapes: prediction and target [...] -> [...].

    Formula: L = -y (1 - p)^gamma_pos log p - (1 - y) p_m^gamma_neg log(1 - p_m), p = sigmoid(x),
    p_m = max(0, p - clip).

    Source: Ben-Baruch et al. 2020, Asymmetric Loss for Multi-Label Classification, https://arxiv.org/abs/2009.14119. The
    gradient goes through the fading too; the authors' code sums over the batch, here a mean is taken.

    Kin: clip 0 and gamma_neg = gamma_pos is focal; with both 0 it is bce-logits.

    Elsewhere: timm AsymmetricLossMultiLabel.

    >>> round(asymmetric(torch.tensor(0.0), torch.tensor(1.0)).item(), 4)  # (1/2) log 2
    0.3466
    >>> asymmetric(torch.tensor(-3.0), torch.tensor(0.0)).item()  # p = 0.047 is below the clip
    0.0
    """
    log_p, log_q = functional.logsigmoid(prediction), functional.logsigmoid(-prediction)
    # Plain: log(1 - p_m), 1 - p_m = min(1, 1 - p + clip); without a clip 1 - p rounds to 0 and its log is infinite.
    margin = torch.as_tensor(clip, dtype=prediction.dtype, device=prediction.device).log()
    log_q = torch.logaddexp(log_q, margin).clamp(max=0)
    easy = log_q >= 0  # there a fractional power of 0 has no gradient
    faded = (-torch.expm1(log_q.masked_fill(easy, -1.0))).pow(gamma_neg).masked_fill(easy, 0.0)
    return target * torch.exp(gamma_pos * functional.logsigmoid(-prediction)) * -log_p + (1 - target) * faded * -log_q


def _smoothed(target: Tensor, label_smoothing: Number, pos_weight: Number | None) -> tuple[Tensor, Tensor]:
    """The weights of yes and of no."""
    smooth = isinstance(label_smoothing, Tensor) or label_smoothing > 0
    yes = target * (1 - label_smoothing) + label_smoothing / 2 if smooth else target
    return (yes if pos_weight is None else yes * pos_weight), 1 - yes


def _floored(log: Callable[[Tensor], Tensor], p: Tensor, outside: Tensor) -> Tensor:
    """`log(p)`, and the floor with gradient 0 where p is `outside`; a NaN is not outside and stays NaN."""
    return log(p.masked_fill(outside, 0.5)).masked_fill(outside, FLOOR).clamp(min=FLOOR)
