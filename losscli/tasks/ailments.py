"""What ails adversarial pairs: told by how a loss is wired, before training, and by how its runs stand, after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import TYPE_CHECKING

from losscli.activations import ACTIVATIONS
from losscli.errors import Finding, counted
from losscli.lazy import torch
from losscli.tasks.phases import Standing

if TYPE_CHECKING:
    from losscli.losses import Loss

LOST = (
    0.01  # the mean slope at a made-up row below which a generator learns nothing; where scores are even it is 0.5 or 1
)
IDLE = 1e-4  # a penalty that has never been larger has moved nothing
COPIED = 0.05  # of the rows
SOME, HALF = 0.2, 0.5  # of the rows are good: it has learned something; of the lumps, or of the spread, are missing


def wiring(entry: str, loss: Loss, chain: Sequence[str]) -> Iterator[Finding]:
    """A critic whose scores are bounded, and two sides that want the same."""
    bounded = [name for name in chain if ACTIVATIONS[name].high - ACTIVATIONS[name].low < float("inf")]
    if bounded and loss.differences:
        low, high = ACTIVATIONS[bounded[-1]].low, ACTIVATIONS[bounded[-1]].high
        message = (
            f"{entry}: a {bounded[-1]} bounds the critic's scores to {low:g} to {high:g}, and {loss.name} goes by their "
            "differences: they cannot grow with the distance that they are to measure, and slopes vanish at both ends"
        )
        yield Finding("bounded-critic", "error", message, "give the loss raw scores (model.output: none)")
    if _want_the_same(loss):
        message = (
            f"{entry}: discriminator and generator both {_direction(loss)} the scores of made-up rows: they play together, and "
            "nothing is learned of the real rows"
        )
        cure = "change the sign of one side: the generator's kernel is another than the discriminator's"
        yield Finding("equal-signs", "error", message, cure)


def _slopes(loss: Loss) -> list[float]:
    """Of each side, the slope by the score of a made-up row, where all scores are even."""
    slopes = []
    for phase in ("discriminator", "generator"):
        real, fake = torch.zeros(1, 2, dtype=torch.float64), torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
        kernel, options = loss.kernel(phase), {name: option.default for name, option in loss.options.items()}
        value = loss.sides[phase].value(real, fake, options) if loss.sides else kernel(real, fake)
        (slope,) = torch.autograd.grad(value.sum(), fake, allow_unused=True)
        slopes.append(0.0 if slope is None else float(slope.sum()))
    return slopes


def _want_the_same(loss: Loss) -> bool:
    discriminator, generator = _slopes(loss)
    return discriminator * generator > 0


def _direction(loss: Loss) -> str:
    return "lower" if _slopes(loss)[0] > 0 else "raise"


def symptoms(entry: str, standings: Sequence[Standing]) -> Iterator[Finding]:
    """A generator without a slope, a penalty that never counted, rows in a few places only."""
    runs = len(standings)
    slopes = [standing.pulls["generator"][-1] for standing in standings]
    lost = [slope for slope in slopes if slope < LOST]
    if lost:
        message = (
            f"{entry}: the generator is saturated in {_of(len(lost), runs)}: its mean slope by the score of a made-up row is "
            f"{median(lost):.2g} (0.5 or 1 where scores are even)"
        )
        cure = "use a loss whose generator keeps its slope, such as gan-nonsaturating, r1 or r3gan; or a smaller lr_discriminator"
        yield Finding("saturated-generator", "warning", message, cure)
    idle = [largest for standing in standings for largest in standing.penalties.values() if largest < IDLE]
    if idle:
        message = (
            f"{entry}: the penalty was never active in {_of(len(idle), runs)}: at most {max(idle):.2g} in any step"
        )
        yield Finding(
            "idle-penalty", "warning", message, "a larger weight or gamma; without it the loss is its plain kin"
        )
    yield from _collapsed(entry, standings)
    copied = [share for standing in standings if (share := standing.scores.get("copies", 0.0)) > COPIED]
    if copied:
        message = (
            f"{entry}: {100 * median(copied):.0f} % of the rows are copies of training rows in {_of(len(copied), runs)}"
        )
        cure = "fewer steps, a smaller network, or more rows; do not give these away as made up"
        yield Finding("copied-rows", "warning", message, cure)


def _collapsed(entry: str, standings: Sequence[Standing]) -> Iterator[Finding]:
    """By the lumps that are missing where they are known, else by the spread that is lost."""
    fallen = [text for standing in standings if (text := _lacking(standing))]
    if fallen:
        message = f"{entry}: the generator has collapsed in {_of(len(fallen), len(standings))}: {fallen[0]}"
        cure = "more steps; a loss with a penalty (r1, wgan-gp, r3gan), if it has none; more critic_steps or latent numbers"
        yield Finding("mode-collapse", "warning", message, cure)


def _lacking(standing: Standing) -> str:
    """What rows do not show of the real ones, where that is half of it."""
    scores, lost = standing.scores, standing.scores.get("lost-spread", 0.0)
    if "modes" in scores and scores["modes"] <= HALF * standing.best["modes"] and scores["good-share"] >= SOME:
        return f"{scores['modes']:.0f} of {standing.best['modes']:.0f} lumps get their share of rows"
    return f"{100 * lost:.0f} % of the spread of the real rows is lost" if lost > HALF else ""


def _of(count: int, runs: int) -> str:
    return f"{count} of {counted(runs, 'run')}" if runs > 1 else "its run"
