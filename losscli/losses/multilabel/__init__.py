"""Multilabel losses that look at the labels of a row, or of a batch, together; others are borrowed from binary.

Shapes: prediction and target `[..., B, L]`; the result is `[..., B]`, or `[...]` over a batch. In formulas P are the
labels that a row has, N those that it has not, x_k the score of label k. Of binary's losses over a batch only soft-f1
has its like here: labels of a batch can be summed in two ways, and here each label is judged by itself.
"""
