"""Losses of adversarial pairs: a discriminator D learns to tell real rows from those that a generator G makes of noise.

Each loss is two: what the discriminator minimises is the function itself, what the generator minimises its kernel `generator`.
Shapes: D(x) `[..., B]` are the raw scores of real rows, D(g) `[..., B]` those of made-up rows; the result is `[..., B]`.
In formulas sp(u) = log(1 + e^u), the softplus. A penalty is a function of the gradient of D at some points, `[..., B, F]`: its
norm is that of one sample. Options of penalties are small here, as they suit standardised tables and shapes in the plane; for
pictures, papers say 10 where a norm is to be 1, and 1 to 10 where it is to be 0.
"""
