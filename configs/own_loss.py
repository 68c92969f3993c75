"""Losses of your own, written the ordinary PyTorch way: a function, and an nn.Module.

Does it hold what a loss must hold?
    losscli verify configs/own_loss.py:tilted --task binary
    losscli verify configs/own_loss.py:Plateau --task regression

Is it better than what there is? It trains beside any other, on the same seeds:
    losscli compare configs/binary.yaml --loss bce-logits --loss configs/own_loss.py:tilted --seeds 5
    losscli train configs/regression.yaml --loss configs/own_loss.py:Plateau

What a loss gets: in binary logits [B] and a target of 0.0 or 1.0 [B]; in multiclass logits [B, K] and class indices [B];
in multilabel logits [B, L] and zeros and ones [B, L]; in regression values [B] and a target [B], both standardised. An
attribute `expects = "probabilities"` of the function or class asks for another kind of prediction.

What it returns: the mean over the batch, or one number per sample, or either as its argument `reduction` says.
"""

import torch
from torch import nn
from torch.nn import functional


def tilted(prediction, target):
    """Log-loss in which a missed yes costs twice as much as a false alarm; the mean over the batch."""
    # logsigmoid, not log(sigmoid): that is -inf from a logit of -104 on, and verify would say so.
    missed = -functional.logsigmoid(prediction)
    false_alarm = -functional.logsigmoid(-prediction)
    return torch.mean(2 * target * missed + (1 - target) * false_alarm)


class Plateau(nn.Module):
    """Absolute error of which the first tenth is free and nothing above three counts more; one number per sample.

    It is made without arguments, so each needs a default.
    """

    def __init__(self, free=0.1, most=3.0):
        super().__init__()
        self.free, self.most = free, most

    def forward(self, prediction, target):
        error = (prediction - target).abs()
        return functional.relu(error - self.free).clamp(max=self.most)
