"""Distribution: a probability for each of K classes or bins per row, from votes, ratings, or another model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from losscli.errors import DataError, Finding, Problem, SpecError, counted, shown
from losscli.lazy import Tensor, torch
from losscli.tasks import AS_GIVEN, Column, Generator, Hint, Prediction, Target, TargetOptions, tasks
from losscli.tasks.guess import SAID, Hunch, Values
from losscli.tasks.labels import label_of, place_of, refuse_beyond, refuse_missing
from losscli.tasks.measures import RowMeasure, apart, overlap, right_mode, surplus
from losscli.tasks.multiclass import Classes
from losscli.tasks.order import ranks
from losscli.tasks.predictions import Predictions
from losscli.tasks.soft import MOST_PLACES, refuse_outside, refuse_sums, with_count

PREFIX = "probability_"  # what `losscli predict` writes before a class
SURE = 0.99  # a probability from which a row is as good as certain
TAUGHT = 0.9  # mean of the largest probability, from which targets without a 0 look like a teacher's


def mixtures(
    n_samples: int = 100, *, n_features: int = 5, n_bins: int = 7, width: float = 0.8, random_state: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Features [N, F] and the true distribution of each row over ordered bins [N, K]: two bell curves that move with the
    features, and so does the share of each. `width` is their standard deviation, in bins.

    >>> features, truth = mixtures(3, n_bins=4)
    >>> features.shape, truth.shape, truth.sum(axis=1).round(6).tolist()
    ((3, 5), (3, 4), [1.0, 1.0, 1.0])
    """
    if n_features < 1 or n_bins < 2 or not width > 0:
        raise ValueError(
            f"n_features of 1, n_bins of 2 and a width above 0 are the least, got {n_features}, {n_bins}, {width}"
        )
    rng = np.random.default_rng(random_state)
    features = rng.normal(size=(n_samples, n_features))
    lean = features @ (rng.normal(size=(n_features, 3)) * 1.5 / np.sqrt(n_features))  # [N, 3]
    place, share = (n_bins - 1) / (1 + np.exp(-lean[:, :2])), 1 / (1 + np.exp(-2 * lean[:, 2]))
    bells = np.exp(-(((np.arange(n_bins) - place[..., None]) / width) ** 2) / 2)  # [N, 2, K]
    bells /= bells.sum(axis=-1, keepdims=True)
    return features, share[:, None] * bells[:, 0] + (1 - share[:, None]) * bells[:, 1]


class Distribution(Classes):
    """K probabilities that sum to 1, K outputs: the softmax of the outputs is what the model says."""

    name = "distribution"
    summary = "K probabilities per row"
    default_loss = "kl-div"
    default_metrics = ("kl", "js", "emd", "top-1", "ece")
    default_data: ClassVar[Mapping[str, Any]] = {"source": "synthetic", "name": "mixtures", "n_samples": 1000}
    generators: ClassVar[Mapping[str, Generator | None]] = {"mixtures": mixtures}
    options = ("counts",)
    borrows = ("multiclass",)
    borrowed_metrics = ("multiclass/log-loss", "multiclass/brier")

    def decode(self, columns: Mapping[str, Column], options: TargetOptions = AS_GIVEN) -> Target:
        """The probabilities of every row, float32 [N, K], one column per class; their order is that of the bins.

        Rows that sum to 1 within 1e-3 are divided by their sum; with `options.counts` all are. What a prediction wrote
        (`probability_cat`) is a probability of `cat`.
        """
        refuse_beyond(options, self)
        _refuse_one_or_text(columns)
        refuse_missing(columns)
        values = np.stack([column.values for column in columns.values()], axis=1)  # [N, K]
        if options.counts:
            _refuse_no_counts(columns, values)
        else:
            of_counts = "for counts, such as votes, set counts: true (--set data.counts=true)"
            refuse_outside(columns, values, of_counts)
            refuse_sums(columns, values, f"divide each row by its sum; {of_counts}")
        shares = (values / values.sum(axis=1, keepdims=True)).astype(np.float32)
        labels = _without_prefix(tuple(columns))
        return Target(shares, labels, tuple(_noticed(labels, shares)), soft=True, ordered="given")

    def guess(self, targets: Mapping[str, Values], options: TargetOptions) -> Hunch | None:
        """Counts, where that is said; shares may be soft labels of one class as well, and are taken for that."""
        return Hunch("data.counts makes shares of counts", SAID) if options.counts else None

    def hint(self, target: Target) -> Hint:
        largest = target.values.max(axis=1)
        sure, zeros = float((largest > SURE).mean()), float((target.values == 0).mean())
        reason = (
            f"each row gives a probability for each of {len(target.labels)} classes, {largest.mean():.2g} for the likeliest in "
            f"the mean; {100 * sure:.2g} % of the rows are sure, {100 * zeros:.2g} % of the probabilities are 0"
        )
        steps: list[tuple[str, dict[str, float]]] = (
            [("cramer", {}), ("emd", {})] if ranks(target.labels)[1] != "alphabet" else []
        )
        taught = [("distillation", {"temperature": 3.0})] if not zeros and largest.mean() > TAUGHT else []
        note = "js-div where some rows are wrong"
        note += "; cramer and emd if the columns are bins in their order" if steps else ""
        losses = [*steps[:1], *taught, ("js-div", {}), ("brier", {}), *steps[1:]]
        return Hint(reason, losses, note, claims=("soft-targets",))

    target_ndim = 2
    domain = "probabilities"
    soft_domain = "probabilities"
    axis = "logit margin of the class that has all probability"

    def width(self, classes: int, labels: int) -> int:
        return classes

    def outcomes(self, width: int) -> Tensor:
        """All probability in one class: what one vote says."""
        return torch.eye(width, dtype=torch.float64)

    def draw(
        self, shape: tuple[int, ...], width: int, domain: str, chance: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        """Probabilities of all sizes; in a quarter of the rows one class has all."""
        spread = torch.softmax(2 * torch.randn((*shape, width), generator=chance, dtype=torch.float64), -1)
        sure = torch.rand((*shape, 1), generator=chance) < 0.25
        return torch.where(sure, _largest(spread), spread).to(dtype)

    def extremes(self, target: Tensor, width: int, expects: str, size: float) -> tuple[Tensor, Tensor]:
        """The logarithms of the target; and those of its neighbours."""
        right = target.double().log().clamp(min=-2 * size)
        return right, right.roll(1, -1)

    def line(self, along: Tensor, width: int, expects: str, side: Tensor) -> tuple[Tensor, Tensor]:
        """The first class has all probability, and the others are equal."""
        first = (torch.arange(width) == 0).to(along)
        return along.unsqueeze(-1) * first, first.expand(*along.shape, width)

    def class_shares(self, target: np.ndarray) -> tuple[float, ...]:
        return tuple(target.mean(axis=0, dtype=np.float64).tolist())

    def decided(self, target: Tensor) -> Tensor:
        return target.argmax(-1)

    rows_of_class = "rows with a probability of"
    hardness_unit = "total variation"
    row_measures = (
        RowMeasure("overlap", "share of the probability that is in its place", overlap),
        RowMeasure("top-1", "share of rows whose likeliest class is right", right_mode, ("top-1",)),
        RowMeasure("kl", "KL divergence from the target", surplus, ("kl",), probable=True),
    )

    def hardness(self, prediction: Prediction, truth: Tensor) -> Tensor:
        """The probability that is out of place, [R, n]."""
        return (self.probabilities(prediction) - truth).abs().sum(-1) / 2

    def difficulty(self, predictions: Predictions) -> np.ndarray:
        return apart(predictions)

    def groups(self, truth: np.ndarray, labels: Sequence[str]) -> dict[str, np.ndarray]:
        """The rows of which each class is the likeliest."""
        likeliest = truth.argmax(axis=1)
        return {label: likeliest == index for index, label in enumerate(labels)}


def _largest(values: Tensor) -> Tensor:
    """1 at the largest of the last dimension, else 0."""
    return torch.nn.functional.one_hot(values.argmax(-1), values.shape[-1]).to(values)


def _without_prefix(names: tuple[str, ...]) -> tuple[str, ...]:
    bare = tuple(name.removeprefix(PREFIX) for name in names)
    return bare if all(len(name) > len(PREFIX) and name.startswith(PREFIX) for name in names) else names


def _refuse_one_or_text(columns: Mapping[str, Column]) -> None:
    if len(columns) < 2:
        raise SpecError(
            f"task distribution takes a column of probabilities for each class, and one is given: {shown(next(iter(columns)))}",
            cure="name them all: --target A --target B ...; for a column of labels use task: multiclass",
        )
    text = [name for name, column in columns.items() if column.is_category]
    if text:
        raise SpecError(
            f"task distribution takes columns of numbers, and {shown(text[0])} holds text",
            cure="name columns of probabilities or counts; for a column of labels use task: multiclass",
        )


def _refuse_no_counts(columns: Mapping[str, Column], values: np.ndarray) -> None:
    """`DataError` with the first five values that are no count, and with the first five rows that count nothing."""
    stray = np.argwhere((values < 0) | (values != np.floor(values)))
    pairs = list(columns.items())
    problems = [
        Problem(
            f"a count in {shown(pairs[at][0])} must be a whole number >= 0, and {label_of(values[row, at])} is not",
            place_of(pairs[at][1], row),
            "of probabilities, leave data.counts out",
        )
        for row, at in stray[:MOST_PLACES]
    ]
    if problems:
        raise DataError(with_count(problems, len(stray), "value"))
    empty = np.flatnonzero(values.sum(axis=1) == 0)
    problems = [
        Problem(
            f"the counts of {counted(len(pairs), 'column')} must not all be 0, and in this row they are",
            place_of(pairs[0][1], row),
            "leave out the rows without a count",
        )
        for row in empty[:MOST_PLACES]
    ]
    if problems:
        raise DataError(with_count(problems, len(empty), "row"))


def _noticed(labels: tuple[str, ...], shares: np.ndarray) -> Iterator[Finding]:
    if len(shares) and bool((shares == shares[0]).all()):
        message = "all rows have the same distribution: there is nothing to learn"
        yield Finding("target-constant", "warning", message, "choose other target columns")
    for label in (label for label, column in zip(labels, shares.T, strict=True) if not column.any()):
        message = (
            f"no row has a probability of {shown(label)}: its probability can be learned to be 0, and nothing else"
        )
        yield Finding("label-never-positive", "warning", message, "leave this column out of data.target")
    places, origin = ranks(labels)
    if origin != "alphabet" and places != list(range(len(labels))):
        listed = " < ".join(shown(labels[at]) for at in places[:10]) + (" ..." if len(places) > 10 else "")
        message = f"the bins are in the order of data.target, and their names tell another: {listed}"
        yield Finding("class-order", "warning", message, "name the columns in their order, where emd or cramer is used")


tasks.put("distribution", Distribution())
