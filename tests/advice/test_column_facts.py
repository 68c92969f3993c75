"""What is told of a column, against the standard library's counts."""

from __future__ import annotations

from collections import Counter

import numpy as np

from losscli.advice.columns import columns_of
from losscli.data.dataset import Table
from losscli.tasks import Column


def test_levels_are_told_with_their_rows_the_most_frequent_first() -> None:
    """The standard library counts; missing rows are no level, and of equals the first by name comes first."""
    texts = [*"aabbbbccccccdefffffff", None, None, None]
    names = tuple(sorted({text for text in texts if text}))
    codes = np.array([-1 if text is None else names.index(text) for text in texts], np.int32)
    table = Table("t", {"c": Column(codes, names)}, {"y": Column(np.arange(len(texts)) % 2.0)})
    (facts,) = (each for each in columns_of(table) if each.name == "c")
    counted = Counter(text for text in texts if text).most_common(5)
    assert list(facts.levels) == counted
    assert (facts.distinct, facts.missing) == (6, 3)
