"""A document: plain data, and where each key and value of it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from losscli.errors import Place

Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class Spot:
    """Where a key and its value stand; for an item of a list, both are where the item stands."""

    key: Place
    value: Place


@dataclass
class Document:
    """What a file or a flag says: plain data, and the spots by path, such as `("train", "lr")`."""

    data: Any
    spots: dict[Keys, Spot]

    def spot(self, path: Keys) -> Spot:
        """The spot of a path, or of the nearest block around it that has one."""
        while path not in self.spots:
            path = path[:-1]
        return self.spots[path]
