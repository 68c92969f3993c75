"""How well they rank: ROC and precision-recall, from the scores of every seed's test split."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from losscli.lazy import scikit_learn
from losscli.reports.contents import ReportContents, Sample
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, rounded
from losscli.reports.titles import extreme
from losscli.reports.traces import UNIT, axes, guide, mean_line

CHAPTER = Chapter(40, "How well they rank")

# Fine where curves are steep: at the left.
GRID = np.unique(np.concatenate([np.linspace(0, 1, 101), np.geomspace(1e-3, 0.1, 40)]))
MOST_CLASSES = 40  # that a macro average goes over; the commonest

Curve = Callable[[np.ndarray, np.ndarray], np.ndarray]


@figure(
    "roc",
    title="ROC",
    chapter=CHAPTER,
    fits=lambda task: task.decides_one_class or task.yes_or_no,
    predictions=True,
)
def roc(contents: ReportContents) -> Chart | None:
    """How many of the true positives are found (upwards) when so many of the negatives are taken for positives
    (rightwards). The further up and left, the better the ranking; the dotted diagonal is chance. On rare positives
    it flatters: look at precision and recall, too.
    """
    measure = "True positives found, against negatives taken for positives"
    return _ranked(contents, _roc, [0, 1], ("false positive rate", "true positive rate", measure))


@figure(
    "pr",
    title="Precision and recall",
    chapter=CHAPTER,
    fits=lambda task: task.decides_one_class or task.yes_or_no,
    predictions=True,
)
def pr(contents: ReportContents) -> Chart | None:
    """How many of those that are called positive are so (upwards), when so many of all positives are to be found
    (rightwards). The dotted line is chance: the share of positives. Where positives are rare, this shows what ROC
    hides.
    """
    sample = contents.pooled(next(iter(contents.samples)))
    assert sample is not None
    share = float(np.mean([truth.mean() for truth, _ in one_versus_rest(sample)] or [np.nan]))
    measure = "Precision, against the share of all positives that are found"
    return _ranked(contents, _pr, rounded([share, share]), ("recall", "precision", measure))


def _ranked(contents: ReportContents, curve: Curve, chance: list[float], words: tuple[str, str, str]) -> Chart | None:
    """The mean curve of every entry in the unit square, and where `chance` begins and ends; `words` are of x, y, and both."""
    traces: list[Trace] = []
    areas: dict[str, float] = {}
    for name, samples in contents.samples.items():
        curves = [mean_curve for sample in samples if (mean_curve := _macro(sample, curve)) is not None]
        if curves:
            traces.append(mean_line(contents, name, rounded(GRID), np.array(curves), 0.0, 1.0))
            areas[name] = float(np.trapezoid(np.mean(curves, axis=0), GRID))
    if not traces:
        return None
    x, y, measure = words
    title = extreme(contents, areas, "area under the curve")
    return Chart(
        {"": View([guide([0, 1], chance), *traces], axes(x, y, xaxis=UNIT, yaxis=UNIT), title=title, measure=measure)}
    )


def _macro(sample: Sample, curve: Curve) -> np.ndarray | None:
    """The curve on the grid: of the positives, or the mean over classes or labels, each against the rest."""
    curves = [curve(truth, score) for truth, score in one_versus_rest(sample) if 0 < truth.mean() < 1]
    return np.mean(curves, axis=0) if curves else None


def one_versus_rest(sample: Sample) -> Sequence[tuple[np.ndarray, np.ndarray]]:
    """(truth [N] of 0/1, score [N]) of the one positive class, of every class, or of every label."""
    truth, score = sample.truth, sample.prediction
    if score.shape[1] == truth.shape[1]:
        pairs = [(truth[:, label], score[:, label]) for label in range(score.shape[1])]
    else:
        pairs = [((truth[:, 0] == index).astype(float), score[:, index]) for index in range(score.shape[1])]
    return sorted(pairs, key=lambda pair: -pair[0].mean())[:MOST_CLASSES]


def _roc(truth: np.ndarray, score: np.ndarray) -> np.ndarray:
    false, true, _ = scikit_learn("metrics").roc_curve(truth, score)
    # the curve begins at the origin; at a rate of 0 interp would take the top of its first, vertical piece
    return np.concatenate([[0.0], np.interp(GRID[1:], false, true)])


def _pr(truth: np.ndarray, score: np.ndarray) -> np.ndarray:
    """At each recall, the precision of the strictest threshold that reaches it, as average precision has it."""
    precision, recall, _ = scikit_learn("metrics").precision_recall_curve(truth, score)
    reached = np.searchsorted(recall[::-1][1:], GRID, side="left")  # without the made-up point at recall 0
    return np.asarray(precision[::-1][1:][np.minimum(reached, len(recall) - 2)])
