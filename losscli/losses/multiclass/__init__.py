"""Multiclass losses: K outputs per row, one of them right.

Shapes: prediction `[..., B, K]`, target class indices `[..., B]` (where it says so, probabilities `[..., B, K]`);
the result is `[..., B]`. An option broadcasts against the result, a weight per class against `[..., B, K]`. In formulas
x are the logits or scores, p their softmax, y the right class, t a distribution over classes.
"""
