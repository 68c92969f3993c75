"""What a figure shows, as its title: the one sentence that a reader should take along."""

from __future__ import annotations

import math
from collections.abc import Mapping

from losscli.reports.contents import ReportContents


def extreme(
    contents: ReportContents, values: Mapping[str, float], what: str, adjective: str = "largest", alike: float = 0.005
) -> str:
    """Whose value of `what` is the largest (or smallest), beside the reference's; values within `alike` count as equal.

    A title describes what is drawn, and gives no verdict: whether entries differ at all, the difference plot says.
    """
    finite = {entry: value for entry, value in values.items() if math.isfinite(value)}
    if not finite:
        return ""
    best = (min if adjective in SMALL else max)(finite, key=lambda entry: finite[entry])
    number, reference = digits(finite[best]), contents.arena.reference
    if len(finite) == 1:
        return f"The {what} is {number}"
    if max(finite.values()) - min(finite.values()) <= alike:
        return f"The {what} is about {number} for all"
    beside = f"; {contents.name(reference)} has {digits(finite[reference])}" if best != reference in finite else ""
    return f"{contents.name(best)} has the {adjective} {what}, {number}{beside}"


SMALL = ("smallest", "lowest", "least")


def digits(value: float) -> str:
    """A number as a title says it.

    >>> digits(0.98312), digits(12345.6), digits(0.1), digits(1.0)
    ('0.983', '12346', '0.1', '1')
    """
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def percent(share: float) -> str:
    """A share in whole percent, where that says something.

    >>> percent(0.123), percent(0.004), percent(0.0)
    ('12 %', '0.4 %', '0 %')
    """
    return f"{100 * share:.1g} %" if 0 < share < 0.01 else f"{100 * share:.0f} %"
