"""What the stored demonstrations train on: a few hundred drawn rows, a small network, the same for right and wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from losscli.lazy import Tensor, functional, torch

CLASSES, FEATURES, HIDDEN = 3, 6, 16
TRAIN, TEST, BATCH = 240, 600, 30
EPOCHS = 24


def mean(values: Iterable[float]) -> float:
    """The mean; NaN if one of the values is no number."""
    numbers = list(values)
    return math.fsum(numbers) / len(numbers) if all(map(math.isfinite, numbers)) else math.nan


class Ground:
    """Three overlapping normal classes in six dimensions, drawn with a seed: 240 rows to train on, 600 to judge by.

    Shape letters: N rows, F features, B rows of a batch.
    """

    def __init__(self, seed: int) -> None:
        self.random = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)  # of the networks' weights
        centres = 1.2 * self.normal(CLASSES, FEATURES)
        self.y = torch.arange(TRAIN) % CLASSES  # [N]
        self.x = centres[self.y] + self.normal(TRAIN, FEATURES)  # [N, F]
        self.test_y = torch.arange(TEST) % CLASSES
        self.test_x = centres[self.test_y] + self.normal(TEST, FEATURES)

    def normal(self, *shape: int) -> Tensor:
        """Numbers of the normal distribution."""
        return torch.randn(*shape, generator=self.random)

    def network(self, outputs: int = CLASSES) -> torch.nn.Sequential:
        """Two layers; the second, `[2]`, is the head."""
        return torch.nn.Sequential(torch.nn.Linear(FEATURES, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, outputs))

    def batches(self, size: int = BATCH) -> Iterator[tuple[Tensor, Tensor]]:
        """An epoch: every training row once, in a new order."""
        order = torch.randperm(len(self.y), generator=self.random)
        for rows in order.split(size):
            yield self.x[rows], self.y[rows]

    def epochs(
        self,
        step: Callable[[Tensor, Tensor], object],
        judge: Callable[[], tuple[float, float]],
        size: int = BATCH,
        count: int = EPOCHS,
    ) -> Iterator[tuple[float, float]]:
        """Train, and judge after each epoch."""
        for _ in range(count):
            for x, y in self.batches(size):
                step(x, y)
            yield judge()

    def judged(self, net: Callable[[Tensor], Tensor]) -> tuple[float, float]:
        """Cross-entropy of the training rows, accuracy on the test rows."""
        with torch.no_grad():
            loss = functional.cross_entropy(net(self.x), self.y)
            return loss.item(), self.accuracy(net)

    def accuracy(self, net: Callable[[Tensor], Tensor]) -> float:
        """On the test rows; what is no number decides nothing, and counts as wrong."""
        with torch.no_grad():
            scores = net(self.test_x)
        right = (scores.argmax(1) == self.test_y) & scores.isfinite().all(1)
        return right.float().mean().item()
