"""What judging takes of memory, reckoned before anything is trained.

`tests/stack/test_memory.py` measures it anew, for small and large splits: at most what is reckoned, and at least 0.4 of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch

from losscli.data.store import sized
from losscli.errors import Finding, SpecError
from losscli.stack import device as machine
from losscli.tasks.near_truth import probes

# Bytes of each number that a run puts out. Of the rows that it learns from: the output, its reading, and what a metric makes of
# them. Of the others, on which a temperature is chosen, too: the same, and twice float64.
LEARNED, HELD_OUT = 4 * 4, 8 * 4
PROBED = 3 * 8  # of the probes: logits, probabilities, and what a metric makes of them, all float64
# Metrics of ranks take a block of numbers at a time, with their order, the ends of all ties, and the truth that metrics share.
BLOCK, RANKED = 1 << 20, 72
PIECES = 48 << 20  # bytes that a heap takes more now and then, where none of its free pieces fits
LARGE = 1 << 30  # bytes from which on a finding says what judging a run takes


class Judging(NamedTuple):
    """The rows of each split, and how many numbers a run puts out for a row."""

    train: int
    valid: int
    test: int
    outputs: int

    @classmethod
    def of(cls, rows: Mapping[str, int], outputs: int) -> Judging:
        return cls(rows["train"], rows["valid"], rows["test"], outputs)

    def cost(self) -> int:
        """Bytes that a run takes while it is judged.

        >>> Judging(36_000, 12_000, 12_000, 10_000).cost()
        5760000000
        """
        return self.outputs * max(LEARNED * self.train, HELD_OUT * max(self.valid, self.test))

    def probing(self) -> int:
        """Bytes that the probes of the test split take, which tell how finely its rows can judge: once, and on the CPU."""
        numbers = max(3, probes(self.test, self.outputs)) * self.test * self.outputs
        return PROBED * numbers + RANKED * min(BLOCK, numbers)

    def peak(self, runs: int = 1) -> int:
        """Bytes that a stack of so many runs takes at most: it is judged first, and the probes are made after it.

        Of the one, the C library keeps some while the other is made (see `device.HEAP`).
        """
        judged, probed = runs * self.cost(), self.probing()
        return max(judged, probed) + min(judged, probed, machine.KEPT) + PIECES

    def refuse_if_too_large(self, device: torch.device) -> None:
        """`SpecError` where one run cannot be judged in the memory that there is: said before it is trained."""
        on_cpu = self.peak() if device.type == "cpu" else self.probing()
        for cost, place in ((self.cost(), device), (on_cpu, machine.CPU)):
            limit = machine.limit_of(place)
            if cost > limit:
                raise SpecError(
                    f"to judge one run, {self._numbers()} need about {cost / 1e9:.1f} GB, "
                    f"and the limit here is {limit / 1e9:.1f} GB",
                    cure="take fewer rows, or join the rarest classes or labels to one in the data",
                )

    def findings(self) -> list[Finding]:
        """What there is to say before the training where judging takes gigabytes, and the time to go through them."""
        if self.peak() < LARGE:
            return []
        message = f"judging one run takes about {sized(self.peak())} of memory: {self._numbers()}"
        return [
            Finding("wide-output", "warning", message, "join the rarest classes or labels to one, or take fewer rows")
        ]

    def _numbers(self) -> str:
        return f"{self.outputs} numbers for each of {max(self.train, self.valid, self.test)} rows"
