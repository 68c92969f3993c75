"""Losses of a categorical probability: cross-entropy, from logits and from log-probabilities, and what was made of it."""

from __future__ import annotations

from typing import Annotated

from losscli.lazy import Tensor, torch
from losscli.losses import Bounds, ClassWeight, Fraction, NonNegative, Number, loss
from losscli.losses.multiclass.classes import class_weight, entropy, expected, logs_of_both, missed, of_class


@loss(
    "multiclass",
    "logits",
    "class index or probabilities",
    aliases=(
        "ce",
        "CategoricalCrossentropy",
        "softmax-cross-entropy-with-logits",
        "sparse-softmax-cross-entropy-with-logits",
        "deviance",
        "SparseCategoricalCrossentropy",
        "softmax",
        "SoftTargetCrossEntropy",
        "softmax-cross-entropy",
        "softmax-cross-entropy-with-integer-labels",
        "safe-softmax-cross-entropy",
        "multiclass-logistic",
        "multinomial",
        "log-loss",
        "multiclass",
        "multi-logloss",
        "mlogloss",
        "multi:softprob",
        "multi:softmax",
    ),
)
def cross_entropy(
    prediction: Tensor, target: Tensor, *, weight: ClassWeight = None, label_smoothing: Fraction = 0.0
) -> Tensor:
    """Cross-entropy of logits: minus the log-probability of the right class.

    Use: one class of several, with probabilities; the first choice.
    Avoid: labels that are often wrong; outputs that have passed a softmax already.

    Domain: any logits; target class indices 0 to K - 1, or probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B] or [..., B, K] -> [..., B]. `weight` is a number, [K], or [R, 1, K].

    Formula: L = -sum_k w_k t'_k log softmax(x)_k, t' = t (1 - e) + e / K, e = label_smoothing, t one-hot for an index.

    Source: torch.nn.CrossEntropyLoss; label smoothing: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567.

    Kin: equals nll of log-softmax(x); with K = 2 equals bce-logits of x_1 - x_0; for probabilities t, kl-div of task
    distribution plus the entropy of t, which no prediction changes.

    Elsewhere: torch CrossEntropyLoss; Keras SparseCategoricalCrossentropy(from_logits=True); scikit-learn
    LogisticRegression; LightGBM multiclass; XGBoost multi:softprob.

    >>> round(cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # log 2
    0.6931
    """
    # Plain: log(softmax(x)), which is -inf once a probability rounds to 0.
    logs = torch.log_softmax(prediction, -1)  # [..., B, K]
    weighted = logs if weight is None else logs * weight
    right = expected(weighted, target)
    smooth = isinstance(label_smoothing, Tensor) or label_smoothing > 0
    return -((1 - label_smoothing) * right + label_smoothing * weighted.mean(-1)) if smooth else -right


@loss("multiclass", "log-probabilities", "class index", aliases=("negative-log-likelihood", "NLLLoss2d"))
def nll(prediction: Tensor, target: Tensor, *, weight: ClassWeight = None) -> Tensor:
    """Negative log-likelihood: minus the given log-probability of the right class.

    Use: a model that puts out log-probabilities.
    Avoid: raw scores or probabilities: it does not check that they are logarithms.

    Domain: log-probabilities (their exponentials sum to 1); target class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B]. `weight` is a number, [K], or [R, 1, K].

    Formula: L = -w_y log p_y.

    Source: torch.nn.NLLLoss.

    Kin: nll of log-softmax(x) equals cross-entropy of x.

    Elsewhere: torch NLLLoss.

    >>> round(nll(torch.tensor([[0.25, 0.75]]).log(), torch.tensor([0])).item(), 4)  # -log 0.25
    1.3863
    """
    cost = -of_class(prediction, target)
    return cost if weight is None else cost * class_weight(weight, prediction, target)


@loss(
    "multiclass",
    "logits",
    "class index",
    aliases=("CategoricalFocalCrossentropy", "softmax-focal"),
)
def focal(prediction: Tensor, target: Tensor, *, gamma: NonNegative = 2.0, alpha: ClassWeight = None) -> Tensor:
    """Focal loss: cross-entropy that fades out rows which are already right, so that hard rows decide.

    Use: many easy rows, where decisions count.
    Avoid: probabilities that are to be believed: with gamma above 0 they are too even.

    Domain: any logits; target class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B]. `alpha` is a number, [K], or [R, 1, K].

    Formula: L = -alpha_y (1 - p_y)^gamma log p_y, p = softmax(x).

    Source: Lin et al. 2017, Focal Loss for Dense Object Detection, https://arxiv.org/abs/1708.02002.

    Kin: gamma 0 is cross-entropy; with K = 2 equals the binary focal of x_1 - x_0.

    Elsewhere: Keras CategoricalFocalCrossentropy(from_logits=True).

    >>> round(focal(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # (1/2)^2 log 2
    0.1733
    """
    # Plain: (1 - p_y) ** gamma; 1 - p_y rounds to 0 for confident rows.
    right, others = logs_of_both(prediction, target)
    faded = torch.exp(gamma * others) * -right
    return faded if alpha is None else faded * class_weight(alpha, prediction, target)


@loss(
    "multiclass",
    "logits",
    "class index or probabilities",
    name="poly-1",
    aliases=("poly-loss", "poly-loss-cross-entropy"),
)
def poly_1(prediction: Tensor, target: Tensor, *, epsilon: Annotated[Number, Bounds(low=-1)] = 1.0) -> Tensor:
    """Poly-1: cross-entropy whose first polynomial term counts more, so that unsure rows pull longer.

    Use: a cross-entropy to tune by one more number, where decisions count.
    Avoid: probabilities that are to be believed: with epsilon above 0 they are too extreme.

    Domain: any logits; target class indices 0 to K - 1, or probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B] or [..., B, K] -> [..., B].

    Formula: L = -log p_y + epsilon (1 - p_y), p = softmax(x); for probabilities t, -sum_k t_k log p_k and sum_k t_k p_k.

    Source: Leng et al. 2022, PolyLoss, https://arxiv.org/abs/2204.12511. epsilon is 2 in optax.

    Kin: epsilon 0 is cross-entropy; the first term alone is half of mae.

    Elsewhere: optax poly_loss_cross_entropy(epsilon=1.0).

    >>> round(poly_1(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # log 2 + 1/2
    1.1931
    """
    return cross_entropy(prediction, target) + epsilon * missed(prediction, target)


@loss("multiclass", "logits", "class index or probabilities", aliases=("entropy-penalty", "max-entropy"))
def confidence_penalty(prediction: Tensor, target: Tensor, *, beta: NonNegative = 0.1) -> Tensor:
    """Confidence penalty: cross-entropy less a share of the prediction's entropy, so that certainty has a price.

    Use: models that overfit into certainty.
    Avoid: probabilities that must be right to the digit: beta evens them out.

    Domain: any logits; target class indices 0 to K - 1, or probabilities over the K classes. May be negative.
    Shapes: prediction [..., B, K], target [..., B] or [..., B, K] -> [..., B].

    Formula: L = -log p_y - beta H(p), p = softmax(x), H(p) = -sum_k p_k log p_k.

    Source: Pereyra et al. 2017, Regularizing Neural Networks by Penalizing Confident Output Distributions,
    https://arxiv.org/abs/1701.06548.

    Kin: beta 0 is cross-entropy; label smoothing pulls to the uniform distribution by KL(u || p), this by KL(p || u).

    >>> round(confidence_penalty(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # 0.9 log 2
    0.6238
    """
    logs = torch.log_softmax(prediction, -1)
    return -expected(logs, target) - beta * entropy(logs)
