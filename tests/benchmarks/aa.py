"""A/A boards through the product: entries that the product trains, and that differ by chance alone.

The loss of every entry weighs each row by an exponential weight of mean one, which is drawn from the entry's key. Entries with
other keys differ by exchangeable noise, then, while splits, initial weights and batches stay paired as ever.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import yaml
from boards import CLAIMS, verdicts
from torch import Tensor
from torch.nn import functional

import losscli
from losscli.compare.leaderboard import build_arena
from losscli.compare.result import Arena
from losscli.losses import Finite, loss
from losscli.spec.load import load_spec

SEEDS, ENTRIES, ROWS = 10, 36, 200
SIZES = (2, 6)  # of the boards that the entries of one table are dealt into: the reference and 1 or 5 alternatives
TASKS = {  # a generator of tables, a loss, the same under another name, metrics
    "binary": ("classification", "bce-logits", "soft-margin", ("log-loss", "accuracy", "auroc", "brier")),
    "regression": ("friedman1", "mse", "mse-again", ("rmse", "mae")),
}
HEAD = ["metric", "split", "boards of 2", "boards of 6: per comparison", "per board", "twins the same"]
CONDITIONS = (
    f"Percent; {ENTRIES} entries x {SEEDS} seeds of a linear model on tables of {ROWS} rows (30 of them test rows), trained by "
    "`losscli.compare` with a loss whose rows are weighted at random, another way for each entry; then dealt into boards of two "
    "and of six, margin zero. Each metric takes its turn as the headline. Twins are one loss under two names: how often they "
    "are called the same."
)


@dataclass(frozen=True)
class Tally:
    """What one table gave on one metric: claims and comparisons of boards of two and six, boards of six with a claim,
    and whether twins are called the same."""

    metric: str
    pairs: tuple[int, int]
    sixes: tuple[int, int]
    boards: tuple[int, int]
    twins: tuple[int, int]


def _weight(prediction: Tensor, key: Tensor | float) -> Tensor:
    """A weight of each row that is exponential with mean one, and the same for the same prediction and key."""
    share = torch.frac(torch.sin(prediction.detach().double() * 1217.39 + key * 78.233) * 43758.5453).abs()
    return -torch.log(share.clamp_min(1e-9)).to(prediction.dtype)


@loss("binary", "logits", "0 or 1")
def noisy_bce_logits(prediction: Tensor, target: Tensor, *, key: Finite = 0.0) -> Tensor:
    """Log-loss, each row with a weight at random."""
    return _weight(prediction, key) * functional.binary_cross_entropy_with_logits(prediction, target, reduction="none")


@loss("regression", "values", "any number")
def noisy_mse(prediction: Tensor, target: Tensor, *, key: Finite = 0.0) -> Tensor:
    """Squared error, each row with a weight at random."""
    return _weight(prediction, key) * (prediction - target) ** 2


@loss("regression", "values", "any number")
def mse_again(prediction: Tensor, target: Tensor) -> Tensor:
    """Squared error."""
    return (prediction - target) ** 2


def table(cell: tuple[str, bool, int]) -> list[Tally]:
    """The tallies of one table, on every metric; the split is fixed or drawn anew for each seed."""
    task, fixed, number = cell
    generator, plain, twin, metrics = TASKS[task]
    torch.set_num_threads(1)
    keys = np.random.default_rng([20261125, number]).uniform(1, 1000, ENTRIES).round(3).tolist()
    spec = {
        "task": task,
        "data": {
            "source": "synthetic",
            "name": generator,
            "n_samples": ROWS,
            "generator_seed": number,
            "split": {"seed": 0} if fixed else {},
        },
        "loss": [plain, twin, {"name": f"noisy-{plain}", "key": keys}],
        "model": {"kind": "linear"},
        "train": {"epochs": 10, "batch_size": 64, "lr": 0.02},
        "seeds": SEEDS,
        "metrics": list(metrics),
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "aa.yaml"
        file.write_text(yaml.safe_dump(spec))
        (arena,) = losscli.compare([load_spec(file)]).arenas
    names = [entry.entry for entry in arena.entries]
    return [_tally(arena, metric, names[:2], names[2:]) for metric in metrics]


def _tally(arena: Arena, metric: str, twins: Sequence[str], names: Sequence[str]) -> Tally:
    pairs, sixes = (
        [
            [verdict in CLAIMS for verdict in _verdicts(arena, metric, names[at : at + size])]
            for at in range(0, len(names), size)
        ]
        for size in SIZES
    )
    return Tally(
        metric,
        (sum(map(sum, pairs)), len(pairs)),
        (sum(map(sum, sixes)), 5 * len(sixes)),
        (sum(map(any, sixes)), len(sixes)),
        (int(_verdicts(arena, metric, twins) == ["same"]), 1),
    )


def _verdicts(arena: Arena, metric: str, names: Sequence[str]) -> list[str]:
    """The verdicts on all but the first of these entries, on a board of their own."""
    found = build_arena(
        [SimpleNamespace(name=name, loss=name, options={}, beside={}) for name in names],  # type: ignore[misc]
        [run for run in arena.runs if run.entry in names],
        task=arena.task,
        data=arena.data,
        headline=metric,
        directions={metric: arena.directions[metric]},
        baseline={},
        rows=arena.rows,
        resampled=arena.resampled,
        equivalence={metric: 0.0},
    )
    return verdicts(found)


def rows(task: str, fixed: bool, tables: Sequence[Sequence[Tally]]) -> list[list[str]]:
    """One line per metric, over all tables."""
    lines = []
    for tallies in zip(*tables, strict=True):
        shares = [
            100 * sum(getattr(tally, name)[0] for tally in tallies) / sum(getattr(tally, name)[1] for tally in tallies)
            for name in ("pairs", "sixes", "boards", "twins")
        ]
        lines.append([tallies[0].metric, "fixed" if fixed else "resampled", *(f"{share:.1f}" for share in shares)])
    return lines
