"""How numbers are written at the ends of their ranges."""

from __future__ import annotations

import math

import pytest

from losscli.words.numbers import decimals


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([], 4),
        ([math.nan, math.inf], 4),  # nothing to write but a dash
        ([0.0], 4),
        ([0.001], 4),  # 0.0010
        ([0.000999], None),
        ([1.0], 4),
        ([1.01], 3),
        ([0.5, -57.3], 2),
        ([9999999.0], 0),
        ([-1e7], None),
    ],
)
def test_four_digits_of_the_largest(values: list[float], places: int | None) -> None:
    assert decimals(values) == places
