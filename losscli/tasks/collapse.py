"""What ails vectors: batches without pairs, directions that are cut off, and, after training, vectors that are all alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from losscli.errors import Finding, counted, shown
from losscli.tasks.phases import Standing

if TYPE_CHECKING:
    from losscli.losses import Loss

ALIKE = 0.05  # mean distance of rows of different classes; random directions are 1.4 apart
NEAR = 0.05  # how far the loss may be from that of equal vectors, as a share of it
JUDGE = "map-at-r"


def wiring(entry: str, loss: Loss, chain: Sequence[str]) -> Iterator[Finding]:
    """An activation behind the last layer: some directions cannot be put out."""
    if chain:
        message = f"{entry}: {' and '.join(chain)} before {loss.name} leaves only some directions to the classes"
        yield Finding("bounded-vectors", "warning", message, "let the last layer be linear (model.output: none)")


def batching(size: int, per_class: int, counts: Sequence[int], labels: Sequence[str]) -> Iterator[Finding]:
    """What batches of so many rows, so many of each class, lack; `counts` are the rows of each class."""
    without = "so losses of pairs and triplets are 0 there, and teach nothing"
    if size < 2 or (per_class < 2 and size <= len(labels)):  # of fewer classes, some come twice
        message = f"a batch of {counted(size, 'row')} has one row of each class: no two of one class, {without}"
        yield Finding("no-positives", "warning", message, "set train.per_class to 2 or more")
    elif size // per_class < 2:
        message = f"a batch of {size} rows, {per_class} of each class, has one class: no row of another, {without}"
        yield Finding("no-negatives", "warning", message, "a smaller train.per_class, or a larger train.batch_size")
    lonely = [label for label, count in zip(labels, counts, strict=True) if count == 1]
    if lonely:
        names = ", ".join(map(shown, lonely[:5])) + (" ..." if len(lonely) > 5 else "")
        message = f"{_classes(len(lonely))} of a single row: {names}; no row is like it, so it is in no batch"
        yield Finding("lonely-class", "info", message, "add rows of it, or leave it out")


def _classes(count: int) -> str:
    return "1 class" if count == 1 else f"{count} classes"


def symptoms(entry: str, standings: Sequence[Standing]) -> Iterator[Finding]:
    """A collapse, where the loss is what it is of equal vectors; and neighbours that the features find better."""
    fallen = [standing for standing in standings if _collapsed(standing)]
    if fallen:
        number = "its run" if len(standings) == 1 else f"{len(fallen)} of {counted(len(standings), 'run')}"
        loss, apart = fallen[0].losses["loss"], fallen[0].scores["distance-between"]
        message = (
            f"{entry}: the vectors have collapsed in {number}: rows of different classes are {apart:.2g} apart, and the loss, "
            f"{loss:.3g}, is what it is where all vectors are equal"
        )
        cure = "a lower learning rate, mining: all or semi-hard in place of hard, or another loss"
        yield Finding("collapse", "warning", message, cure)
    found = fmean(standing.scores[JUDGE] for standing in standings)
    features = standings[0].baseline.get(JUDGE, found)
    if found < features:
        message = f"{entry}: its vectors find less than the features themselves, {JUDGE} {found:.3g} and {features:.3g}"
        yield Finding(
            "below-features",
            "warning",
            message,
            "train longer, or at another rate; or compare the features as they are",
        )


def _collapsed(standing: Standing) -> bool:
    loss, alike = standing.losses.get("loss", 0.0), standing.alike.get("loss", 0.0)
    return standing.scores["distance-between"] < ALIKE and abs(loss - alike) <= NEAR * abs(alike) + 1e-9
