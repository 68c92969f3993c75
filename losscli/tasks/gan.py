"""Adversarial pairs: a generator learns to make rows like those of a table, a discriminator to tell them apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from losscli.errors import DataError, Finding, Problem, SpecError, counted, shown
from losscli.lazy import Tensor, torch
from losscli.options import Count, Positive, Strict
from losscli.tasks import AS_GIVEN, Column, Generator, Hint, Prediction, Target, TargetOptions, TargetScale, Task, tasks
from losscli.tasks.ailments import symptoms, wiring
from losscli.tasks.guess import Hunch, Values
from losscli.tasks.labels import label_of, place_of, refuse_beyond, refuse_missing
from losscli.tasks.neighbours import closest
from losscli.tasks.phases import Batch, LossInputs, Networks, NetworkSpec, Phase, Sampling, Sizes, Standing, UpdateRule
from losscli.tasks.predictions import Outputs
from losscli.tasks.shapes import MIXTURES, Mixture, checkerboard, grid, pinwheel, ring

if TYPE_CHECKING:
    from losscli.losses import Loss

LARGEST = float(np.finfo(np.float32).max)


class GanPlan(Strict):
    """`critic_steps` is how often the discriminator moves in a step, each time with new rows. `latent` is how many numbers of
    noise a row is made of. `lr_discriminator` is the learning rate of the discriminator; null: that of the generator, `lr`.
    Without `epochs`, a run has about 3000 steps.
    """

    default_steps: ClassVar[int] = 3000
    most_epochs: ClassVar[int] = 1000

    batch_size: int = 64
    lr: float = 3e-4
    betas: list[float] = Field(default=[0.0, 0.9])
    schedule: str = "linear"
    critic_steps: Count = 1
    latent: Count = 2
    lr_discriminator: Positive | None = 1e-3


def discriminate(networks: Networks, batch: Batch) -> LossInputs:
    """Scores of real rows and of rows that the generator makes, which does not move; points for penalties."""
    with torch.no_grad():
        fake = networks["generator"](batch["latent"])
    critic, real = networks["discriminator"], batch["real"]
    return LossInputs((critic(real), critic(fake)), points={**batch, "fake": fake})


def generate(networks: Networks, batch: Batch) -> LossInputs:
    """The same scores, for a generator that moves."""
    critic = networks["discriminator"]
    with torch.no_grad():  # no step of the generator changes it
        real = critic(batch["real"])
    return LossInputs((real, critic(networks["generator"](batch["latent"]))))


class Gan(Task):
    """F numbers per row, which are what is learned: no column is predicted from others."""

    name = "gan"
    summary = "rows like those of a table are made up"
    default_loss = "r3gan"
    default_metrics = ("sliced-w1", "energy", "mmd")
    default_data: ClassVar[Mapping[str, Any]] = {"source": "synthetic", "name": "ring", "n_samples": 4000}
    generators: ClassVar[Mapping[str, Generator | None]] = {
        "ring": ring,
        "grid": grid,
        "pinwheel": pinwheel,
        "checkerboard": checkerboard,
    }
    mixtures: ClassVar[Mapping[str, Callable[..., Mixture]]] = MIXTURES
    links: ClassVar[Mapping[str, str | None]] = {"scores": None}
    has_classes = has_target = False
    plan, judges_splits, reads_received, probed, pictured = GanPlan, False, False, False, True
    default_model: ClassVar[Mapping[str, Any]] = {"activation": "leaky-relu"}

    def networks(self, sizes: Sizes, plan: GanPlan) -> tuple[NetworkSpec, ...]:
        rule = UpdateRule(lr=plan.lr_discriminator)
        generator = NetworkSpec("generator", plan.latent, sizes.outputs)
        return generator, NetworkSpec("discriminator", sizes.outputs, 1, not sizes.loss.differences, rule)

    def phases(self, plan: GanPlan) -> tuple[Phase, ...]:
        first = Phase("discriminator", ("discriminator",), discriminate, plan.critic_steps)
        return first, Phase("generator", ("generator",), generate)

    def sampling(self, plan: GanPlan) -> Sampling:
        return Sampling("latent", {"latent": plan.latent})

    speaker = "generator"

    def infer(self, networks: Networks, batch: Batch) -> Tensor:
        return networks["generator"](batch["latent"])

    def decode(self, columns: Mapping[str, Column], options: TargetOptions = AS_GIVEN) -> Target:
        """The numbers as they are, float64 [N, F]; they are standardised with what the training rows teach."""
        refuse_beyond(options, self)
        if not columns:
            raise SpecError(
                "task gan needs columns of numbers, and there is none", cure="take fewer out with data.drop"
            )
        problems = [problem for name, column in columns.items() if (problem := _not_a_number(name, column))]
        if problems:
            raise DataError(problems)
        refuse_missing(columns)
        values = np.stack([column.values for column in columns.values()], axis=1)  # [N, F]
        return Target(values, tuple(columns), tuple(_noticed(tuple(columns), values)))

    def guess(self, targets: Mapping[str, Values], options: TargetOptions) -> Hunch | None:
        """Never: a table with a target is meant for another task."""
        return None

    def wiring(self, entry: str, loss: Loss, chain: Sequence[str]) -> Iterator[Finding]:
        return wiring(entry, loss, chain)

    examined = True

    def symptoms(self, entry: str, standings: Sequence[Standing]) -> Iterator[Finding]:
        return symptoms(entry, standings)

    def hint(self, target: Target) -> Hint:
        rows, columns = target.values.shape
        reason = f"{counted(rows, 'row')} of {counted(columns, 'number')}"
        if columns > 1:
            reason += f", the largest correlation of two columns {_largest_correlation(target.values):.2f}"
        note = (
            "give each at least 3000 steps; ks and pair-correlation say how far made-up rows are off, column by column"
        )
        losses: list[tuple[str, dict[str, float]]] = [("r1", {}), ("wgan-gp", {}), ("gan-nonsaturating", {})]
        return Hint(f"{reason}; with a penalty, a discriminator settles", losses, note, claims=())

    def outputs(self, target: Target) -> int:
        return int(target.values.shape[1])

    def shape(self, output: Tensor) -> Tensor:
        """The discriminator's one number per row, [R, B]."""
        return output.squeeze(-1)

    domain = "score"
    axis = "score D(g) of a made-up row (that of a real one is 0)"
    ends = ("looks made up", "looks real")
    moves = "the score"
    sides = (0.0,)

    def draw(
        self, shape: tuple[int, ...], width: int, domain: str, chance: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        """Scores of made-up rows."""
        return torch.randn(shape, generator=chance, dtype=dtype)

    def extremes(self, target: Tensor, width: int, expects: str, size: float) -> tuple[Tensor, Tensor]:
        """A real row that scores above the made-up one, and one that scores below it."""
        return target + size, target - size

    def line(self, along: Tensor, width: int, expects: str, side: Tensor) -> tuple[Tensor, Tensor]:
        """A real row of score `side` beside a made-up row of score `along`."""
        return side.to(along).expand_as(along), along

    def read(self, prediction: Tensor, meaning: str, scale: TargetScale | None = None) -> Prediction:
        return Prediction(samples=prediction if scale is None else scale.predicted(prediction))

    def with_truth(
        self, prediction: Prediction, truth: Tensor, reads: Collection[str], records: Callable[[], Tensor]
    ) -> Prediction:
        if "nearest" not in reads:
            return prediction
        assert prediction.samples is not None
        return replace(prediction, nearest=closest(prediction.samples, truth, records()))

    without_model = "a gaussian fitted to the training rows"

    def baseline(
        self, train: Tensor, rows: int, scale: TargetScale | None = None, outputs: int | None = None
    ) -> Prediction:
        """Draws from a gaussian with the mean and the covariance of the training rows."""
        units = train.double() if scale is None else scale.in_units(train.double())
        mean, centered = units.mean(0), units - units.mean(0)
        spread = torch.linalg.svd(centered, full_matrices=False)
        root = spread.Vh.mT * (spread.S / max(len(units) - 1, 1) ** 0.5)  # [F, F], its square is the covariance
        noise = torch.randn(rows, root.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        return Prediction(samples=(mean + noise @ root.mT)[None])

    def ideal(self, train: Tensor, rows: int, scale: TargetScale | None = None) -> Prediction:
        """Real rows that the test split does not hold: training rows, each once, as many as there are."""
        units = train.double() if scale is None else scale.in_units(train.double())
        order = torch.randperm(len(units), generator=torch.Generator().manual_seed(0))
        return Prediction(samples=units[order[:rows]][None])

    def near_truth(self, truth: Tensor, outputs: int) -> Prediction:
        return Prediction(samples=truth[None])

    row_measures = ()  # no row is made up in answer to another, so none is hard

    def columns(self, outputs: Outputs, labels: Sequence[str], limit: float) -> Iterator[tuple[str, np.ndarray]]:
        yield from zip(labels, outputs.numbers.T, strict=True)


def _not_a_number(name: str, column: Column) -> Problem | None:
    if column.levels is not None:
        row = next((row for row in range(len(column.values)) if column.values[row] >= 0), 0)
        text, kind = column.levels[int(column.values[row])] if column.levels else "", "is not a number"
        cure = f"leave it out with data.drop: [{name}], or write its categories as numbers"
    else:
        large = np.flatnonzero(np.abs(column.values) > LARGEST)
        if not len(large):
            return None
        row, kind, cure = int(large[0]), "is larger than float32 can hold (3.4e38)", "rescale the column"
        text = label_of(column.values[row])
    message = f"task gan learns columns of numbers, and in {shown(name)} {shown(text)} {kind}"
    return Problem(message, place_of(column, row) if len(column.values) else None, cure)


def _largest_correlation(values: np.ndarray) -> float:
    """The largest of two different columns, by its size; a constant column has none."""
    centered = values - values.mean(axis=0)
    norm = np.linalg.norm(centered, axis=0)
    unit = centered / np.where(norm > 0, norm, 1.0)
    correlations = unit.T @ unit
    return float(np.abs(correlations[~np.eye(len(correlations), dtype=bool)]).max())


def _noticed(names: Sequence[str], values: np.ndarray) -> Iterator[Finding]:
    for name in (name for name, column in zip(names, values.T, strict=True) if column.min() == column.max()):
        message = f"the column {shown(name)} is always the same: there is nothing to learn of it"
        yield Finding("target-constant", "warning", message, "leave it out with data.drop")


tasks.put("gan", Gan())
