"""Training loops with zero_grad, step, eval or a factor in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.demonstrations.ground import BATCH, TRAIN, Ground
from losscli.demonstrations.stored import stored
from losscli.lazy import Tensor, functional, torch

ACCUMULATED = 4  # batches per step


@stored("zero-grad-missing")
def zero_grad_missing(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step(x: Tensor, y: Tensor) -> None:
        if not wrong:
            optimizer.zero_grad()
        functional.cross_entropy(net(x), y).backward()
        optimizer.step()

    yield from ground.epochs(step, lambda: ground.judged(net))


@stored("zero-grad-before-step")
def zero_grad_before_step(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step(x: Tensor, y: Tensor) -> None:
        functional.cross_entropy(net(x), y).backward()
        if wrong:
            optimizer.zero_grad()
        optimizer.step()
        optimizer.zero_grad()

    yield from ground.epochs(step, lambda: ground.judged(net))


@stored("step-before-backward")
def step_before_backward(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(x), y)
        if wrong:
            optimizer.step()
        loss.backward()
        if not wrong:
            optimizer.step()

    yield from ground.epochs(step, lambda: ground.judged(net))


def _accumulating(ground: Ground, rate: float, reset_always: bool, divided: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    batches = 0

    def step(x: Tensor, y: Tensor) -> None:
        nonlocal batches
        if reset_always or batches % ACCUMULATED == 0:
            optimizer.zero_grad()
        (functional.cross_entropy(net(x), y) / (ACCUMULATED if divided else 1)).backward()
        batches += 1
        if batches % ACCUMULATED == 0:
            optimizer.step()

    yield from ground.epochs(step, lambda: ground.judged(net), size=BATCH // 5)


@stored("zero-grad-inside-accumulation")
def zero_grad_inside_accumulation(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    return _accumulating(ground, 0.1, reset_always=wrong, divided=True)


@stored("accumulation-not-divided")
def accumulation_not_divided(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    return _accumulating(ground, 0.7, reset_always=False, divided=not wrong)


@stored("eval-left-on", "log-loss on the test rows", "down")
def eval_left_on(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = torch.nn.Sequential(
        torch.nn.Linear(ground.x.shape[1], 128),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.5),
        torch.nn.Linear(128, 3),
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        functional.cross_entropy(net(x), y).backward()
        optimizer.step()

    def judge() -> tuple[float, float]:
        net.eval()
        loss, _ = ground.judged(net)
        with torch.no_grad():
            on_test = functional.cross_entropy(net(ground.test_x), ground.test_y).item()
        if not wrong:
            net.train()
        return loss, on_test

    yield from ground.epochs(step, judge)


@stored("mean-loss-divided-by-dataset", shows="loss as it is reported")
def mean_loss_divided_by_dataset(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    total = 0.0

    def step(x: Tensor, y: Tensor) -> None:
        nonlocal total
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * (1 if wrong else len(x))

    def judge() -> tuple[float, float]:
        nonlocal total
        reported, total = total / TRAIN, 0.0
        return reported, ground.accuracy(net)

    yield from ground.epochs(step, judge)


@stored("loss-tensor-accumulated", "the number of kept nodes", "down", shows="nodes of the graph that are kept")
def loss_tensor_accumulated(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    total = torch.zeros(())

    def step(x: Tensor, y: Tensor) -> None:
        nonlocal total
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        total = total + (loss if wrong else loss.detach())

    def judge() -> tuple[float, float]:
        nodes = float(len(_graph(total)))
        return nodes, nodes

    yield from ground.epochs(step, judge)


def _graph(tensor: Tensor) -> set[object]:
    """All nodes of the graph behind a tensor."""
    seen: set[object] = set()
    waiting = [tensor.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [before for before, _ in node.next_functions]
    return seen
