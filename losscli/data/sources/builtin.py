"""The real data sets that are bundled with scikit-learn: nothing is downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from losscli.data.dataset import Table
from losscli.data.sources import Source, source
from losscli.lazy import scikit_learn
from losscli.tasks import Column, tasks

TASKS = {
    "iris": "multiclass",
    "wine": "multiclass",
    "breast_cancer": "binary",
    "digits": "multiclass",
    "diabetes": "regression",
    "linnerud": "regression",
}
if TYPE_CHECKING:
    Name = str
else:
    Name = Literal[tuple(TASKS)]


@source("builtin")
class Builtin(Source):
    """A data set that scikit-learn ships, with the names of its features and classes.

    `name` is which of them.

    >>> table = Builtin(name="iris").read(Path())
    >>> table.rows, table.targets["y"].levels
    (150, ('setosa', 'versicolor', 'virginica'))
    """

    source: Literal["builtin"] = "builtin"
    name: Name

    nature: ClassVar[str] = "a set that comes with scikit-learn"

    @classmethod
    def data_sets(cls) -> Sequence[str]:
        return tuple(TASKS)

    def title(self) -> str:
        return self.name

    def natural_task(self, folder: Path = Path()) -> str:
        return TASKS[self.name]

    def read(self, folder: Path) -> Table:
        bunch = getattr(scikit_learn("datasets"), f"load_{self.name}")()
        features = {
            str(name): Column(values.astype(np.float64))
            for name, values in zip(bunch.feature_names, bunch.data.T, strict=True)
        }
        if not tasks.get(self.natural_task()).has_classes:
            names = getattr(bunch, "target_names", ["y"])
            columns = np.atleast_2d(bunch.target.T)
            targets = {name: Column(values.astype(np.float64)) for name, values in zip(names, columns, strict=True)}
        else:
            targets = {"y": Column(bunch.target.astype(np.int32), tuple(str(name) for name in bunch.target_names))}
        return Table(self.title(), features, targets)
