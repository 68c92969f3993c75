"""Regression losses: how much a distance costs.

Shapes: prediction and target `[...]`, the same; the result keeps that shape. In formulas x is the prediction, y the
target, r = |x - y|. Distances are in the units of the loss's target: losscli standardises it, so 1 is one standard
deviation of the training target.
"""
