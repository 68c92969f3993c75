"""Losses of a whole distribution per row: how far the softmax of the outputs is from the probabilities that are given.

Shapes: prediction `[..., B, K]` of logits, target `[..., B, K]` of probabilities that sum to 1; the result is `[..., B]`, summed
over the K classes. In formulas t is the target, q = softmax(x). Natural logarithms, and 0 log 0 = 0. cross-entropy and
brier, among others, are borrowed from multiclass: those take probabilities as they are.

What torch calls `reduction="batchmean"` is the mean of these over the batch; its `"mean"` divides by K as well.
"""
