"""Embedding losses: rows of one class near each other, rows of different classes apart.

They take vectors [..., B, D] and the class of each row [..., B]. All but `hinge-embedding` judge directions: a vector counts by
its direction alone, and distances are those between unit vectors. What a batch has none of (positives, negatives, triplets)
costs nothing: the loss is 0 there, with a gradient of 0.
"""
