"""Which task a target is for, from its values alone, and why: a guess that is always told, and that `task:` overrules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from losscli.tasks import tasks
from losscli.tasks.labels import label_of
from losscli.tasks.target import Column, TargetOptions

MOST_CLASSES = 20  # different whole numbers that may be the numbers of classes
MOST_CODES, LEAST_OF_CODE, OFTEN = 12, 10, 0.2  # values, rows of each in the mean, and the rarest beside the mean
IF_VOTES = "if each row counts votes: --set data.counts=true"
SAID, SEEN, ELSE = 3, 2, 1  # how sure: an option says so, the values look so, nothing speaks against it


@dataclass(frozen=True)
class Hunch:
    """How sure a task is, and half a sentence that says what in the target tells it."""

    reason: str
    sure: int = SEEN


@dataclass(frozen=True)
class Values:
    """The values of one target column; whatever takes a look at all of them is looked up once, for every task."""

    column: Column

    @property
    def texts(self) -> bool:
        return self.column.levels is not None

    @cached_property
    def _unique(self) -> tuple[np.ndarray, np.ndarray]:
        return np.unique(self.column.values[~self.column.missing], return_counts=True)

    @property
    def present(self) -> np.ndarray:
        """The different values, rising."""
        return self._unique[0]

    @property
    def counts(self) -> np.ndarray:
        """How many rows have each."""
        return self._unique[1]

    @cached_property
    def whole(self) -> bool:
        return bool((self.present == np.floor(self.present)).all())

    @property
    def counts_up(self) -> bool:
        """Whether it may count something: whole numbers from 0 on, none missing."""
        return self.whole and len(self.present) > 0 and self.present[0] >= 0 and not self.column.missing.any()

    @property
    def names(self) -> list[str]:
        """The first two of the different values, as labels."""
        levels = self.column.levels
        return [label_of(value) if levels is None else levels[int(value)] for value in self.present[:2]]

    @property
    def names_of_all(self) -> list[str]:
        """The different texts; none of numbers."""
        levels = self.column.levels
        return [] if levels is None else [levels[int(value)] for value in self.present]

    @property
    def classes(self) -> bool:
        """Texts, or at most two whole numbers: what is always labels."""
        return self.texts or (len(self.present) <= 2 and self.whole)

    @cached_property
    def numbered(self) -> bool:
        """Whether whole numbers count up from 0 or 1 without a gap, and not too far to be numbers of classes."""
        few = 0 < len(self.present) <= MOST_CLASSES and self.present[0] in (0, 1)
        return few and bool((np.diff(self.present) == 1).all())

    @cached_property
    def codes(self) -> bool:
        """Whether few whole numbers, with gaps or from anywhere on, come back as often as codes of classes do."""
        if not self.whole or not 2 < len(self.present) <= MOST_CODES:
            return False
        mean = float(self.counts.mean())
        return mean >= LEAST_OF_CODE and float(self.counts.min()) >= OFTEN * mean

    @cached_property
    def yes_or_no(self) -> bool:
        """Whether it holds nothing but 0 and 1, or no and yes."""
        levels = self.column.levels
        if levels is None:
            return bool(np.isin(self.present, (0.0, 1.0)).all())
        return {levels[int(code)].casefold() for code in self.present} <= {"0", "1", "no", "yes", "false", "true"}


@dataclass(frozen=True)
class Guess:
    """A task and half a sentence that says what in the target tells it."""

    task: str
    reason: str


def guess_task(targets: Mapping[str, Column], options: TargetOptions | None = None) -> Guess:
    """The task that these target columns are most likely meant for: the surest of all (`Task.guess`).

    >>> import numpy as np
    >>> guess_task({"y": Column(np.array([0, 1, 0]), ("no", "yes"))})
    Guess(task='binary', reason="'y' holds two values: 'no' and 'yes'")
    >>> guess_task({"y": Column(np.array([0.5, 2.0, 1.25]))}).task
    'regression'
    """
    values = {name: Values(column) for name, column in targets.items()}
    hunches = [(task.name, task.guess(values, options or TargetOptions())) for task in tasks]
    name, surest = max(((name, hunch) for name, hunch in hunches if hunch), key=lambda pair: pair[1].sure)
    return Guess(name, surest.reason)
