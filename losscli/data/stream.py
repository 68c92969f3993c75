"""Rows that are encoded when asked for, where all of them would take more memory than data may; one item ahead in a thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from losscli.data.encode import Encoder
from losscli.data.store import sized
from losscli.errors import Finding, counted
from losscli.tasks import Column

FLOAT = 4  # bytes
WINDOW = 1 << 26  # bytes of encoded rows among which is shuffled, if that is at most so large a part of the memory:
PART = 16
BLOCKS = 16  # from all over the training rows, in one window

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Stream:
    """The features of a split, as float32 [n, F] of whichever rows are asked for: `index` int64 [N] are those of the columns.

    `window` says how many rows an epoch has in memory at once.
    """

    columns: Mapping[str, Column]
    index: np.ndarray
    encoder: Encoder
    window: int

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.index), self.encoder.width

    @property
    def nbytes(self) -> int:
        """Of memory, at once."""
        return min(self.window, len(self.index)) * self.encoder.width * FLOAT

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, places: slice | np.ndarray) -> np.ndarray:
        """Those rows. Columns are read from their beginning to their end, whatever the order of `places`."""
        if isinstance(places, slice):
            return self.encoder.transform(self.columns, self.index[places])
        order = np.argsort(places)
        features = np.empty((len(places), self.encoder.width), np.float32)
        features[order] = self.encoder.transform(self.columns, self.index[places[order]])
        return features


@dataclass(frozen=True)
class Room:
    """The memory that data may take: `total` bytes, of which each dataset's encoded rows get `share`."""

    total: int
    share: int

    @classmethod
    def beside(cls, columns: Mapping[str, Column], total: int, datasets: int) -> Room:
        """What so many datasets get beside a table."""
        return cls(total, (total - sum(column.resident for column in columns.values())) // datasets)

    def holds(self, rows: int, encoder: Encoder) -> bool:
        return rows * encoder.width * FLOAT <= self.share

    def window(self, encoder: Encoder) -> int:
        """How many rows are shuffled together."""
        return max(BLOCKS, min(WINDOW, self.total // PART) // (encoder.width * FLOAT))


def streamed(trained: Sequence[np.ndarray | Stream], rows: int, room: Room | None) -> list[Finding]:
    """What is said where rows are encoded when they are needed; `trained` are the training features of each dataset."""
    streams = [features for features in trained if isinstance(features, Stream)]
    if not streams or room is None:
        return []
    total = rows * FLOAT * sum(stream.encoder.width for stream in streams)
    seeds = f" for {counted(len(streams), 'seed')}" if len(streams) > 1 else ""
    beside = f", beside a table of {sized(resident)}" if (resident := _resident(streams[0])) else ""
    message = (
        f"rows are encoded block by block in every epoch: all at once they would take {sized(total)}{seeds}{beside}, "
        f"and data.memory is {sized(room.total)}; training rows are "
        f"shuffled {streams[0].window} at a time, from {BLOCKS} places of the table"
    )
    return [Finding("streamed", "info", message, "a larger data.memory is faster, and shuffles all rows together")]


def _resident(stream: Stream) -> int:
    return sum(column.resident for column in stream.columns.values())


def prefetch(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, none of which is None: while one is worked on, a thread makes the next.

    What is raised on the way is raised in its place.

    >>> list(prefetch(iter("abc")))
    ['a', 'b', 'c']
    """
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item
