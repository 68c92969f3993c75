"""What was worked out about the losses of the package: kept beside this file, so that a list of them need not ask again.

`python -m losscli.explain` writes facts.json anew. The file names the state of the sources that decide; what it says counts
only while they are as they were, so a checkout in which a loss was added or changed is asked, and needs no new file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

FILE = Path(__file__).with_name("facts.json")
PACKAGE = Path(__file__).parents[1]
SOURCES = (
    "losses",
    "tasks",
    "explain",
    "stack/head.py",
    "shelf.py",
    "activations.py",
)  # what tags and verdicts follow from

MEANINGS: Mapping[str, str] = {
    "proper": "strictly proper: predictions may be read as probabilities",
    "calibrated": "classification-calibrated: the decision is right, predictions are no probabilities as they are read",
    "cost-calibrated": "the decision is right for an error that counts by class: the balanced one, or one of stated costs",
    "robust": "one wrong label costs at most so much; for numbers, one outlier pulls at most so hard",
    "imbalanced": "can weigh classes differently, or does not feel their shares",
    "saturating": "the generator has no slope where the discriminator is sure of a made-up row",
    "penalised": "the discriminator's slope or weights are held back",
    "over-batch": "defined over a whole batch, not per row",
    "ordinal": "for classes that have an order",
    "probabilistic": "predicts a distribution or quantiles, not one number",
    "counts": "for counts: 0, 1, 2 ...",
    "positive": "for numbers above zero",
    "non-negative": "for numbers from zero on",
    "soft-targets": "takes probabilities as targets",
    "needs-class-counts": "learns from the training split how frequent each class is",
}


@dataclass(frozen=True)
class Facts:
    """What is known of a loss at its defaults; the verdict is empty for a loss of numbers."""

    tags: tuple[str, ...]
    verdict: str


def state_of_sources() -> str:
    """A digest of the files that facts follow from; line ends do not count, since git may turn them."""
    digest = sha256()
    for source in SOURCES:
        path = PACKAGE / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0" + file.read_text("utf-8").encode())
    return digest.hexdigest()


@cache
def stored() -> Mapping[str, Facts]:
    """What facts.json says of each loss ("binary/focal"); nothing if it is not of these sources, or cannot be read."""
    try:
        content = json.loads(FILE.read_text("utf-8"))
        if content["sources"] != state_of_sources():
            return {}
        return {key: Facts(tuple(facts["tags"]), facts["verdict"]) for key, facts in content["losses"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def store(facts: Mapping[str, Facts]) -> None:
    """Write facts.json: a line for each loss, so that branches which add some can be merged."""
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(asdict(facts[key]))}" for key in sorted(facts))
    FILE.write_text(f'{{"sources": "{state_of_sources()}", "losses": {{\n{lines}\n}}}}\n', "utf-8")
