"""Losses that know how often each class occurs in the training split, and make room for the rare ones."""

from __future__ import annotations

from losscli.lazy import Tensor, torch
from losscli.losses import ClassCounts, NonNegative, Positive, loss
from losscli.losses.finite import widened
from losscli.losses.multiclass.classes import expected, is_class, of_class, over_classes, training_counts


@loss("multiclass", "logits", "class index or probabilities", aliases=("balanced-softmax", "logit-adjustment"))
def logit_adjusted(
    prediction: Tensor, target: Tensor, *, tau: NonNegative = 1.0, counts: ClassCounts = "training"
) -> Tensor:
    """Logit-adjusted cross-entropy: the class prior is added in training, so that logits without it treat all classes alike.

    Use: a long tail of rare classes, judged by balanced accuracy.
    Avoid: probabilities under the classes' own frequencies: the outputs are for classes of equal size.

    Domain: any logits; target class indices 0 to K - 1, or probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B] or [..., B, K] -> [..., B]. `counts` are the training rows of each
    class, [K] or [R, 1, K]; 0 counts as 1.

    Formula: L = -log softmax(x + tau log n)_y, n = counts (their sum adds the same to every logit, and cancels).

    Source: Menon et al. 2020, Long-tail Learning via Logit Adjustment, https://arxiv.org/abs/2007.07314; tau = 1 is
    balanced softmax, Ren et al. 2020, https://arxiv.org/abs/2007.10740.

    Kin: tau 0, or equal counts, is cross-entropy; tau times log n added to the logits first is cross-entropy of those.

    >>> counts = torch.tensor([1.0, 3.0])
    >>> round(logit_adjusted(torch.tensor([[0.0, 0.0]]), torch.tensor([0]), counts=counts).item(), 4)  # log 4
    1.3863
    """
    shift = over_classes(tau) * training_counts(counts, prediction).log()
    return -expected(torch.log_softmax(prediction + shift.to(prediction.dtype), -1), target)


@loss("multiclass", "logits", "class index", aliases=("label-distribution-aware-margin",))
def ldam(
    prediction: Tensor,
    target: Tensor,
    *,
    max_margin: NonNegative = 0.5,
    scale: Positive = 30.0,
    counts: ClassCounts = "training",
) -> Tensor:
    """Label-distribution-aware margin: the rarer the class, the further it must stay above the others.

    Use: a long tail of rare classes, on normalised features and weights.
    Avoid: unbounded logits, and probabilities that are to be believed.

    Domain: logits of the size of a cosine (the source normalises features and weights), which `scale` makes large; target
    class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B]. `counts` are the training rows of each class, [K] or
    [R, 1, K]; 0 counts as 1. The result of float16 is float32: `scale` leaves its range.

    Formula: L = -log softmax(scale (x - m_y e_y))_y, m_k = max_margin (min_j n_j / n_k)^(1/4), n = counts.

    Source: Cao et al. 2019, Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss,
    https://arxiv.org/abs/1906.07413.

    Kin: max_margin 0 with scale 1 is cross-entropy.

    >>> counts = torch.tensor([1.0, 16.0])  # the margins are 0.5 and 0.25
    >>> round(ldam(torch.tensor([[0.0, 0.25]]), torch.tensor([1]), counts=counts).item(), 4)  # log 2
    0.6931
    """
    rows = training_counts(counts, prediction)
    logits = widened(prediction)
    margins = over_classes(max_margin) * (rows.amin(-1, keepdim=True) / rows).pow(0.25)  # [K], [R, 1, K]
    adjusted = logits - torch.where(is_class(logits, target), margins.to(logits.dtype), 0.0)
    return -of_class(torch.log_softmax(over_classes(scale) * adjusted, -1), target)
