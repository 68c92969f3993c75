"""Losses in the user's own currency."""

from __future__ import annotations

from losscli.lazy import Tensor, torch
from losscli.losses import NonNegative, loss


@loss("binary", "logits", "0 to 1", aliases=("expected-cost",))
def cost_sensitive(
    prediction: Tensor, target: Tensor, *, false_positive: NonNegative, false_negative: NonNegative
) -> Tensor:
    """Cost-sensitive: what the decision is expected to cost, if it is yes with the probability that the model says.

    Use: decisions whose two mistakes have known costs, in money or in any other unit.
    Avoid: probabilities or a ranking: every answer is pushed to 0 or 1.

    Domain: any logit; target 0 to 1 (a target between is a probability). Both costs must be given, in any unit. The best
    answer is a decision, 0 or 1, at the threshold that the costs set; it is no probability.
    Shapes: prediction and target [...] -> [...].

    Formula: L = y false_negative (1 - p) + (1 - y) false_positive p, p = sigmoid(x).

    Source: Elkan 2001, The Foundations of Cost-Sensitive Learning (the costs).

    Kin: both costs 1 is gce with q = 1, the absolute error of the probability.

    >>> cost_sensitive(torch.tensor(0.0), torch.tensor(1.0), false_positive=1.0, false_negative=10.0).item()  # 10 / 2
    5.0
    """
    missed, alarm = torch.sigmoid(-prediction), torch.sigmoid(prediction)
    return target * false_negative * missed + (1 - target) * false_positive * alarm
