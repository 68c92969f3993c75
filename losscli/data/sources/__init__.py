"""Sources: where a table comes from. One file per kind; a source is its options and a way to read them.

Adding a source is one file: a subclass of `Source` under the decorator `source`. Its fields are the keys
that stand beside `source:` in a spec.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from losscli.data.dataset import Table
from losscli.options import Seed, Share, Strict
from losscli.shelf import Shelf


class Split(Strict):
    """How rows are divided. Resampled with each seed, unless `seed` fixes it. `stratify: null` means: where there are classes."""

    valid: Share = 0.15
    test: Share = 0.15
    stratify: bool | None = None
    seed: Seed | None = None


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


sources: Shelf[type[Source]] = Shelf(__name__, "source")

Kind = TypeVar("Kind", bound=type[Source])


def source(name: str) -> Callable[[Kind], Kind]:
    """Put the decorated class on the shelf."""

    def register(kind: Kind) -> Kind:
        sources.put(name, kind)
        return kind

    return register
