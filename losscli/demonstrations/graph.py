"""Losses that no gradient gets through, or that are not the one that was meant."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.demonstrations.ground import CLASSES, FEATURES, HIDDEN, Ground
from losscli.demonstrations.stored import stored
from losscli.lazy import Tensor, functional, torch


@stored("requires-grad-forced")
def requires_grad_forced(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        scores = net(x).detach() if wrong else net(x)
        loss = functional.cross_entropy(scores, y)
        if wrong:
            loss.requires_grad = True  # silences the error that would have told of the detach
        loss.backward()
        optimizer.step()

    yield from ground.epochs(step, lambda: ground.judged(net))


@stored("loss-not-differentiable")
def loss_not_differentiable(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        probability = torch.sigmoid(net(x))
        decision = torch.round(probability) if wrong else probability
        functional.mse_loss(decision, functional.one_hot(y, CLASSES).float()).backward()
        optimizer.step()

    yield from ground.epochs(step, lambda: ground.judged(net))


@stored("graph-cut-before-backward")
def graph_cut_before_backward(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(x), y)
        small = sum(1e-3 * weight.square().sum() for weight in net.parameters())
        ((loss.item() if wrong else loss) + small).backward()  # type: ignore[union-attr]  # only `small` has a graph
        optimizer.step()

    yield from ground.epochs(step, lambda: ground.judged(net))


@stored("loss-overwritten")
def loss_overwritten(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    body = torch.nn.Sequential(torch.nn.Linear(FEATURES, HIDDEN), torch.nn.ReLU())
    classes, copy = torch.nn.Linear(HIDDEN, CLASSES), torch.nn.Linear(HIDDEN, FEATURES)
    net = torch.nn.Sequential(body, classes)
    optimizer = torch.optim.SGD([*net.parameters(), *copy.parameters()], lr=0.1)

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        inside = body(x)
        loss = functional.mse_loss(copy(inside), x)
        if not wrong:
            loss = loss + functional.cross_entropy(classes(inside), y)
        loss.backward()
        optimizer.step()

    yield from ground.epochs(step, lambda: ground.judged(net))


@stored(
    "detach-in-generator-loss",
    "the distance of the samples' mean from that of the data",
    "down",
    shows="distance of the samples' mean from that of the data",
)
def detach_in_generator_loss(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    centre = torch.tensor([2.0, -1.0])
    generator = torch.nn.Linear(2, 2)
    discriminator = torch.nn.Sequential(torch.nn.Linear(2, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 1))
    of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=0.01)
    of_generator = torch.optim.Adam(generator.parameters(), lr=0.02)
    judge = functional.binary_cross_entropy_with_logits

    def step(x: Tensor, y: Tensor) -> None:
        real, fake = centre + ground.normal(len(x), 2), generator(ground.normal(len(x), 2))
        yes, no = torch.ones(len(x), 1), torch.zeros(len(x), 1)
        of_discriminator.zero_grad()
        (judge(discriminator(real), yes) + judge(discriminator(fake.detach()), no)).backward()
        of_discriminator.step()
        of_generator.zero_grad()
        judge(discriminator(fake.detach() if wrong else fake), yes).backward()
        of_generator.step()

    def distance() -> tuple[float, float]:
        with torch.no_grad():
            away = (generator.bias - centre).norm().item()  # the noise has mean 0
        return away, away

    yield from ground.epochs(step, distance)
