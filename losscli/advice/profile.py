"""What is known of a table whose target is decoded: each measurement made once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from losscli.advice.numbers import Numbers, far_out, numbers
from losscli.advice.repeats import Repeats, copies, repeats
from losscli.advice.spread import Dispersion, Leftover, dispersion, leftover
from losscli.advice.zeros import Zeros, zeros
from losscli.data.dataset import Table
from losscli.data.functions import computed
from losscli.data.leaks import leaks
from losscli.errors import Finding, shown
from losscli.tasks import Column, Target, tasks

ALIKE = 20  # steps of the largest distance of two classes, within which distances are alike
BEYOND_CHANCE = 2.0  # squared distance of two classes beside what noise makes of it, from which they differ


@dataclass(frozen=True)
class Profile:
    """A table, its task and its decoded target."""

    table: Table
    task: str
    target: Target

    @property
    def rows(self) -> int:
        return len(self.target.values)

    @property
    def has_classes(self) -> bool:
        return tasks.get(self.task).has_classes

    @property
    def soft(self) -> bool:
        """Targets that are shares: of yes, or of each class."""
        return self.target.soft

    @cached_property
    def counts(self) -> np.ndarray:
        """Rows of each class [K] (binary: of no, then of yes), or the sums of their shares; of each label [L] for multilabel.

        Empty for numbers.
        """
        if not self.has_classes:
            return np.zeros(0)
        if self.target.values.ndim == 2:
            return np.asarray(self.target.values.sum(axis=0, dtype=np.float64))
        if self.soft:
            yes = float(self.target.values.sum(dtype=np.float64))
            return np.array([self.rows - yes, yes])
        return np.bincount(self.target.values.astype(np.int64), minlength=len(self.target.labels)).astype(np.float64)

    @property
    def shares(self) -> np.ndarray:
        return self.counts / self.rows

    @cached_property
    def copies(self) -> tuple[str, ...]:
        """The features that are a target once more, or from which it is computed: what is fitted is fitted without them."""
        once_more = copies(self.table)
        if self.has_classes or self.target.values.ndim != 1:
            return once_more
        others = {name: column for name, column in self.table.features.items() if name not in once_more}
        function = computed(others, self.target.values)
        return (*once_more, *(function.columns if function else ()))

    @cached_property
    def features(self) -> Mapping[str, Column]:
        """All but `copies`."""
        return {name: column for name, column in self.table.features.items() if name not in self.copies}

    @cached_property
    def leaks(self) -> list[Finding]:
        """The features that tell the target, or nearly."""
        findings = leaks(self.table, self.target, [], self.has_classes)
        if self.copies and not self.has_classes:
            named = ", ".join(map(shown, self.copies[:5]))
            findings.append(Finding("fit-without", "info", f"what a linear fit explains was measured without {named}"))
        return findings

    @cached_property
    def repeats(self) -> Repeats:
        return repeats(self.table)

    @cached_property
    def numbers(self) -> Sequence[Numbers]:
        """The shape of each column of a regression target."""
        columns = self.target.values.astype(np.float64).reshape(self.rows, -1).T
        stories = [self.table.columns.get(name) for name in self.table.targets]
        marks = [None if story is None else story.unit for story in stories]
        shapes = [numbers(column) for column in columns]
        return [replace(shape, mark=mark) for shape, mark in zip(shapes, marks, strict=False) if shape is not None]

    @cached_property
    def leftover(self) -> Leftover | None:
        """What a linear fit leaves over of a regression target; None for several targets, and for too few rows."""
        if self.has_classes or self.target.values.ndim != 1:
            return None
        exposure = self.table.exposure
        return leftover(
            self.features, self.target.values.astype(np.float64), None if exposure is None else exposure.logs
        )

    @cached_property
    def outliers(self) -> tuple[int, int]:
        """Rows that the linear fit misses by far more than others, of how many; without a fit, rows of far targets."""
        if self.leftover is not None:
            return int(far_out(self.leftover.residual).sum()), len(self.leftover.target)
        return max(((shape.outliers, shape.rows) for shape in self.numbers), default=(0, self.rows))

    @cached_property
    def dispersion(self) -> Dispersion | None:
        return None if self.leftover is None else dispersion(self.leftover)

    @cached_property
    def zeros(self) -> Zeros | None:
        """The zeros of counts; None of other numbers, and where there is none or nothing else."""
        counts = bool(self.numbers) and all(shape.count_like and shape.zeros < shape.rows for shape in self.numbers)
        return zeros(self.leftover) if counts and self.leftover is not None else None

    @cached_property
    def neighbourliness(self) -> float:
        """Whether classes with neighbouring indices have neighbouring features.

        The rank correlation, over all pairs of classes, of the distance of their indices and that of the mean features;
        NaN where there is nothing to compare.
        """
        from losscli.data.encode import Encoder
        from losscli.errors import DataError

        if not self.features or len(self.target.labels) < 3 or self.soft:
            return float("nan")
        rows = np.sort(np.random.default_rng(0).permutation(self.rows)[:20_000])
        try:
            encoded = Encoder.fit(self.features, rows).transform(self.features, rows)[:, :200]
        except DataError:
            return float("nan")
        classes = self.target.values[rows]
        distinct = np.unique(classes)
        if len(distinct) < 3:
            return float("nan")
        return _neighbourliness(encoded, classes, distinct)


def _neighbourliness(encoded: np.ndarray, classes: np.ndarray, distinct: np.ndarray) -> float:
    """Of classes [N] with features [N, F]; NaN where no two classes are farther apart than noise puts them."""
    from scipy.stats import spearmanr

    # Clipped, or a single far-out row would decide where its class lies.
    centres = np.stack([np.clip(encoded[classes == label], -10, 10).mean(axis=0) for label in distinct])
    first, second = np.triu_indices(len(distinct), 1)
    apart = np.linalg.norm(centres[first] - centres[second], axis=1)
    sizes = np.array([(classes == label).sum() for label in distinct])
    chance = encoded.var(axis=0).sum() * (1 / sizes[first] + 1 / sizes[second])  # of a squared distance, by noise alone
    if not (apart**2 > BEYOND_CHANCE * chance).any():
        return float("nan")
    alike = np.round(apart / apart.max() * ALIKE)  # distances that chance may order either way are ties
    if not np.ptp(alike):
        return float("nan")
    return float(spearmanr(np.abs(distinct[first] - distinct[second]), alike).statistic)
