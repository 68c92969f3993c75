"""What metrics need beside rows and predictions, whether a spec or its data have it, and what to do where they have not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losscli.data.sources import Source

# By `metrics.Need`: what is lacking, and what would work.
LACKS = {
    "costs": ("costs, which the spec does not give", "write costs: [[0, 1], [5, 0]] (rows: truth, columns: decision)"),
    "mixture": (
        "a mixture that is known, and these data are none",
        "of synthetic data, ring and grid are; leave it out",
    ),
    "classes": (
        "rows with a class each, and data.pairs gives pairs that are the same or different",
        "pair-auroc and pair-auprc judge pairs",
    ),
    "pairs": (
        "rows that are pairs",
        "say with data.pairs: [PREFIX, PREFIX] which columns are the halves; or leave it out",
    ),
}


def needs_met(spec: Mapping[str, Any], source: Source | None) -> set[str]:
    """Which of them are there.

    >>> needs_met({"costs": [[0, 1], [5, 0]]}, None)
    {'costs'}
    """
    there = {
        "costs": "costs" in spec,
        "mixture": source is not None and source.mixture is not None,
        "pairs": source is not None and source.pairs is not None,
    }
    return {need for need, is_there in there.items() if is_there}
