"""Rules for several labels per row: how many of them are there at once, and how rare the rarest is."""

from __future__ import annotations

import numpy as np

from losscli.advice.heuristics import Advice, Pick, heuristic, percent
from losscli.advice.profile import Profile
from losscli.errors import shown

SPARSE = 0.15  # share of positives among all cells
RARE = 0.05  # share of rows that have a label


@heuristic("multilabel")
def sparse_labels(profile: Profile) -> Advice | None:
    """Nearly all cells are 0, or some label is."""
    present = profile.shares[profile.shares > 0]
    if not len(present) or (present.mean() >= SPARSE and present.min() >= RARE):
        return None
    rarest = int(np.where(profile.shares > 0, profile.shares, np.inf).argmin())
    share = percent(float(profile.shares[rarest]))
    reason = f"{_density(profile)}; the rarest, {shown(profile.target.labels[rarest])}, is in {share} of the rows"
    picks = [Pick("asymmetric"), Pick("bce-logits", {"pos_weight": "balanced"}), Pick("focal")]
    note = "judge by macro-f1: hamming-loss is small for a model that never says yes"
    return Advice(reason, picks, note=note, metrics=("macro-f1", "mean-average-precision", "micro-f1", "hamming-loss"))


@heuristic("multilabel")
def dense_labels(profile: Profile) -> Advice | None:
    """Labels that are there often: F1 and the ranking within a row can be learned directly."""
    if not len(profile.shares) or profile.shares.mean() < SPARSE or profile.shares.min() < RARE:
        return None
    return Advice(
        _density(profile),
        [Pick("soft-f1"), Pick("zlpr"), Pick("pairwise")],
        note="soft-f1 where F1 counts, zlpr and pairwise where the ranking of a row's labels does; none gives probabilities",
    )


def _density(profile: Profile) -> str:
    cells = percent(float(profile.shares.mean()))
    return f"{profile.counts.sum() / profile.rows:.2f} of {len(profile.target.labels)} labels per row ({cells} of all cells)"
