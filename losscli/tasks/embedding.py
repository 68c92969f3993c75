"""Embedding: a vector for every row, near those of its class and far from those of others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from losscli.errors import Finding
from losscli.lazy import Tensor, functional, torch
from losscli.options import Count, Positive, Strict
from losscli.tasks import AS_GIVEN, Column, Hint, Prediction, Target, TargetOptions, TargetScale, tasks
from losscli.tasks.collapse import batching, symptoms, wiring
from losscli.tasks.guess import Hunch, Values
from losscli.tasks.labels import (
    only_column,
    refuse_beyond,
    refuse_missing,
)
from losscli.tasks.measures import RowMeasure
from losscli.tasks.multiclass import Labelled
from losscli.tasks.near_truth import corners
from losscli.tasks.neighbours import FINDS, retrieval
from losscli.tasks.phases import NetworkSpec, Sampling, Sizes, Standing, UpdateRule
from losscli.tasks.predictions import Outputs, Predictions

if TYPE_CHECKING:
    from losscli.losses import Loss


class EmbeddingPlan(Strict):
    """`per_class` is how many rows of each of its classes a batch has. `dimensions` is the size of a vector. `lr_proxies` is the
    learning rate of what a loss itself learns, such as a proxy of each class; null: that of the model.
    """

    batch_size: Count = 80
    lr: Positive = 3e-3
    per_class: Count = 16
    dimensions: Count = 16
    lr_proxies: Positive | None = 1e-2


class Embedding(Labelled):
    """D numbers for each row, whose distances tell whether rows are of one class."""

    name = "embedding"
    summary = "a vector per row, near those of its class"
    default_loss = "multi-similarity"
    default_metrics = ("map-at-r", "recall-at-1", "r-precision", "silhouette")
    default_data: ClassVar[Mapping[str, Any]] = {"source": "builtin", "name": "digits"}
    rows_have_several_outputs = judges_new_classes = True
    decides = False
    outputs_compete = False
    links: ClassVar[Mapping[str, str | None]] = {"embeddings": None, "vectors": None}
    plan, judges_splits, probed = EmbeddingPlan, False, False

    def networks(self, sizes: Sizes, plan: EmbeddingPlan) -> tuple[NetworkSpec, ...]:
        return (NetworkSpec("model", sizes.layout, plan.dimensions),)

    def sampling(self, plan: EmbeddingPlan) -> Sampling:
        return Sampling("classes", {"rows": plan.per_class})

    def loss_rule(self, plan: EmbeddingPlan) -> UpdateRule:
        return UpdateRule(lr=plan.lr_proxies)

    def decode(self, columns: Mapping[str, Column], options: TargetOptions = AS_GIVEN) -> Target:
        """The labels of a column, in an order that says nothing.

        Of pairs (`options.pairs`), whether each is the same, 1.0, or different, 0.0: the later of two values in
        their order is the same.
        """
        refuse_beyond(options, self)
        if options.pairs:
            return replace(tasks.get("binary").decode(columns, TargetOptions()), paired=True)
        name, column = only_column(columns, self.name)
        refuse_missing(columns)
        return replace(self.indices(name, column, options), ordered=None)

    options = ("pairs",)

    def guess(self, targets: Mapping[str, Values], options: TargetOptions) -> Hunch | None:
        """Never: a column of labels is meant to be predicted unless one says otherwise."""
        return None

    def hint(self, target: Target) -> Hint:
        if target.paired:
            share = float(target.values.mean())
            steps: list[tuple[str, dict[str, float]]] = [
                ("contrastive", {}),
                ("cosine-embedding", {}),
                ("hinge-embedding", {}),
            ]
            return Hint(f"{100 * share:.2g} % of the pairs are the same", steps, claims=())
        counts = np.bincount(target.values.astype(np.int64))
        reason = f"{len(target.labels)} classes of {counts.min()} to {counts.max()} rows"
        note = "triplet and contrastive are the plainest; judge by classes that were left out, if new ones will come"
        rare = counts.min() < 2 * self.plan().per_class
        steps = [("nt-xent", {}), ("sup-con", {}), ("circle", {})]
        if rare:
            steps = [("proxy-anchor", {}), *steps[:2]]
            reason += ": a batch has few rows of some, and proxies need none"
        return Hint(reason, steps, note, claims=())

    def wiring(self, entry: str, loss: Loss, chain: Sequence[str]) -> Iterator[Finding]:
        return wiring(entry, loss, chain)

    def batching(self, plan: EmbeddingPlan, target: Target) -> Iterator[Finding]:
        if target.paired:
            return iter(())
        counts = np.bincount(target.values.astype(np.int64), minlength=len(target.labels)).tolist()
        return batching(plan.batch_size, plan.per_class, counts, target.labels)

    examined = True

    def symptoms(self, entry: str, standings: Sequence[Standing]) -> Iterator[Finding]:
        return symptoms(entry, standings)

    def outputs(self, target: Target) -> int:
        """Of what its plan says: `networks` has the size of a vector."""
        return 1

    domain = "class label"
    axis = "cosine c of two rows of a class, each at -c to the nearer row of the other"
    ends = ("apart", "together")
    moves = "the cosine"
    span = (-0.99, 0.99)

    def extremes(self, target: Tensor, width: int, expects: str, size: float) -> tuple[Tensor, Tensor]:
        """Every class in a place of its own; and all rows on a short arc, whatever their class."""
        arc = 0.05 * torch.arange(target.shape[-1], dtype=torch.float64).expand(target.shape)
        aside = torch.zeros(*target.shape, width - 2, dtype=torch.float64)
        alike = torch.cat([arc.cos().unsqueeze(-1), arc.sin().unsqueeze(-1), aside], -1)
        return size * corners((width, width))[target], size * alike

    def line(self, along: Tensor, width: int, expects: str, side: Tensor) -> tuple[Tensor, Tensor]:
        """Rows on either side of the middle of their class, two of the one class, then two of the other, which is opposite."""
        place = torch.arange(along.shape[-1])
        label, side_of_it = place % 4 // 2, 1 - 2 * (place % 2)  # [B]
        middle = corners((2, width))[label].to(along)  # [B, D]
        aside = (torch.arange(width) == width - 1).to(along)  # [D], at a right angle to all corners in use
        toward, off = ((1 + along) / 2).sqrt(), side_of_it * ((1 - along) / 2).sqrt()  # of half the angle
        return toward.unsqueeze(-1) * middle + off.unsqueeze(-1) * aside, label.expand(along.shape)

    def read(self, prediction: Tensor, meaning: str, scale: TargetScale | None = None) -> Prediction:
        """Directions, or vectors as they are where a loss judges those."""
        return Prediction(embeddings=prediction if meaning == "vectors" else functional.normalize(prediction, dim=-1))

    def with_truth(
        self, prediction: Prediction, truth: Tensor, reads: Collection[str], records: Callable[[], Tensor]
    ) -> Prediction:
        if truth.is_floating_point() or "retrieval" not in reads:  # of pairs, no class is known
            return prediction
        assert prediction.embeddings is not None
        return replace(prediction, retrieval=retrieval(prediction.embeddings, truth))

    without_model = "the distance between the features themselves"
    features_are_baseline = True

    def near_truth(self, truth: Tensor, outputs: int) -> Prediction:
        """Every class in a place of its own; of pairs, the halves of those that are different."""
        if truth.is_floating_point():
            second = torch.arange(len(truth)) % 2
            return Prediction(embeddings=((1 - truth) * second).double()[None, :, None])
        return Prediction(embeddings=functional.one_hot(truth).double()[None])

    row_measures = (
        RowMeasure(
            "r-precision", "share of the nearest that are of the class", lambda predictions: 1 - lack(predictions)
        ),
    )

    def difficulty(self, predictions: Predictions) -> np.ndarray:
        return lack(predictions)

    def columns(self, outputs: Outputs, labels: Sequence[str], limit: float) -> Iterator[tuple[str, np.ndarray]]:
        for place, numbers in enumerate(outputs.numbers.T, start=1):
            yield f"embedding_{place}", numbers


def lack(predictions: Predictions) -> np.ndarray:
    """For each row [N] the share of another class among its R nearest, R the number of others of its class; 1 of one alone."""
    vectors = torch.from_numpy(predictions.prediction)[None]
    labels = torch.from_numpy(predictions.truth[:, 0]).long()[None]
    everyone = torch.arange(labels.shape[1])
    share = retrieval(vectors, labels, everyone)[0, :, FINDS.index("r-precision")]
    lack: np.ndarray = 1 - share.clamp(min=0).numpy()
    return lack


tasks.put("embedding", Embedding())
