"""Binary losses: one output per row, and per label where multilabel borrows them.

Shapes: prediction and target `[...]`, the same; the result keeps that shape. In formulas y is the target (0 or 1),
x the logit or score, p a probability, s = 2y - 1 the target as -1 or +1.
"""
