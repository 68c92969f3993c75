"""The region of practical equivalence: how small a difference must be to be of no importance to anybody.

Without a word of the user it is 0.005 for a rate, which grows towards a bound (accuracy, AUROC, R2) or has a target (coverage),
and 1 % of the
reference's mean for an error or a loss, which shrinks towards zero (RMSE, log-loss, Brier): 0.005 would be a quarter of the
Brier score of a problem with 2 % positives.
"""

from __future__ import annotations

from losscli.direction import Direction

RATE = 0.005
SHARE_OF_ERROR = 0.01


def margin(direction: Direction, reference: float, requested: float | str | None = None) -> float:
    """How large a difference may be and still count as none, in the metric's units.

    `reference` is the mean of the reference entry; `requested` is what the spec says, a number in the metric's units or a share
    of the reference's mean such as `2%`.

    >>> margin("up", 0.9), margin("down", 3.0), margin("down", 3.0, "2%"), margin("down", 3.0, 0.5)
    (0.005, 0.03, 0.06, 0.5)
    """
    if isinstance(requested, str):
        return abs(reference) * float(requested.strip().removesuffix("%")) / 100
    if requested is not None:
        return requested
    return SHARE_OF_ERROR * abs(reference) if direction == "down" else RATE
