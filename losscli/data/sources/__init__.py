"""Sources: where a table comes from. One file per kind; a source is its options and a way to read them.

Adding a source is one file: a subclass of `Source` under the decorator `source`. Its fields are the keys
that stand beside `source:` in a spec.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import model_validator

from losscli.data.dataset import Table
from losscli.options import Seed, Share, Strict
from losscli.shelf import Shelf


class Split(Strict):
    """How rows are divided: anew with each run's seed, unless `seed` fixes it.

    `stratify: null` means: where each row has one class.
    """

    valid: Share = 0.15
    test: Share = 0.15
    stratify: bool | None = None
    seed: Seed | None = None

    @model_validator(mode="after")
    def _leaves_rows_to_train_on(self) -> Split:
        if self.valid + self.test >= 1:
            raise ValueError(
                f"valid and test must leave rows to train on: {self.valid:g} + {self.test:g} is not below 1"
            )
        return self


class Source(Strict):
    """What every source has; a subclass adds its own options."""

    source: str
    split: Split = Split()

    @abstractmethod
    def read(self, folder: Path) -> Table:
        """The table; `folder` is what relative paths are relative to. Raises `DataError` with places."""

    @abstractmethod
    def title(self) -> str:
        """What tables and records call the data: a file's stem, a generator's or a data set's name."""

    def natural_task(self) -> str | None:
        """The task that the data were made for, where they tell."""
        return None


sources: Shelf[type[Source]] = Shelf(__name__, "source")

Kind = TypeVar("Kind", bound=type[Source])


def source(name: str) -> Callable[[Kind], Kind]:
    """Put the decorated class on the shelf."""

    def register(kind: Kind) -> Kind:
        sources.put(name, kind)
        return kind

    return register
