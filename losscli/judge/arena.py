"""From scores to an arena: directions, the reference, what the splits allow, and what a reader must know of the runs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from losscli.compare.leaderboard import build_arena
from losscli.compare.result import FOREIGN, RunResult
from losscli.comparison import Comparison
from losscli.direction import Direction
from losscli.errors import Finding, Place, SpecError, choose_from, counted, listed, shown, visible
from losscli.judge.scores import Scores

if TYPE_CHECKING:
    from losscli.spec.model import Entry

LOWER = {
    *(
        "loss",
        "error",
        "err",
        "rmse",
        "mse",
        "mae",
        "mape",
        "nll",
        "perplexity",
        "ppl",
        "ece",
        "brier",
        "wer",
        "cer",
        "fid",
    ),
    *(
        "time",
        "runtime",
        "duration",
        "seconds",
        "latency",
        "deviance",
        "divergence",
        "kl",
        "regret",
        "cost",
        "logloss",
        "crps",
        "eer",
        "hter",
    ),
}


@dataclass(frozen=True)
class Terms:
    """How scores are to be judged, as the flags say it."""

    metric: str | None = None
    reference: str | None = None
    better: Mapping[str, Direction] = field(default_factory=dict)  # by metric; "" is for all others
    resampled: bool | None = None  # None: folds are, seeds are not
    train_share: float | None = None
    equivalence: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Name:
    """An entry as `build_arena` takes it."""

    name: str
    loss: str
    options: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)


def judged(scores: Scores, terms: Terms, path: Path) -> Comparison:
    """The comparison of these scores.

    Raises `SpecError` for a metric, an entry or a setting that the table does not have.
    """
    metrics, entries = list(scores.values), scores.entries
    headline = _one_of(terms.metric, metrics, "metric", "--metric")
    reference = _one_of(terms.reference, entries, "entry", "--reference")
    for name in [*terms.better, *terms.equivalence]:
        _one_of(name or None, metrics, "metric", "--better" if name in terms.better else "--equivalence")
    directions = {name: direction_of(name, terms.better) for name in [headline, *(m for m in metrics if m != headline)]}
    resampled = scores.folds if terms.resampled is None else terms.resampled
    share = _train_share(scores, terms) if resampled else None
    arena = build_arena(
        cast("Sequence[Entry]", [_Name(name, name) for name in entries]),  # what it reads of them
        _runs(scores, entries),
        task=FOREIGN,
        data=path.name,
        headline=headline,
        directions=directions,
        baseline={},
        findings=_findings(scores, headline, directions, terms, resampled, share),
        spec={
            "task": FOREIGN,
            "data": _data(path, share),
            "metrics": list(directions),
            "better": directions,
        },
        resampled=resampled,
        split="folds" if scores.folds else "random",
        ratios={"train": 1.0, "test": (1 - share) / share} if share else None,
        reference=reference,
        equivalence=_margins(directions, terms),
    )
    return Comparison([arena], "", None, {})


def _margins(metrics: Iterable[str], terms: Terms) -> dict[str, float | str]:
    """By metric, how much does not matter, where it is said."""
    sizes = {name: terms.equivalence.get(name, terms.equivalence.get("")) for name in metrics}
    return {name: size for name, size in sizes.items() if size is not None}


def _data(path: Path, share: float | None) -> dict[str, Any]:
    """The data block of the record's spec."""
    return {"source": FOREIGN, "path": path.name, **({"train_share": share} if share else {})}


def direction_of(metric: str, better: Mapping[str, Direction]) -> Direction:
    """Which way a metric is better: as it is said, else by its name: errors, losses and times shrink.

    >>> direction_of("val_rmse", {}), direction_of("accuracy", {}), direction_of("accuracy", {"": "down"})
    ('down', 'up', 'down')
    """
    direction = better.get(metric, better.get(""))
    if direction is not None:
        return direction
    words = set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", metric).lower()))
    return "down" if words & LOWER or {"log", "loss"} <= words else "up"


def _one_of(name: str | None, names: Sequence[str], noun: str, flag: str) -> str:
    if name is None:
        return names[0]
    if name not in names:
        raise SpecError(f"the table has no {noun} {shown(name)}", place=Place(flag), cure=choose_from(name, names))
    return name


def _train_share(scores: Scores, terms: Terms) -> float:
    """The share of the rows that trained: as it is said, else that of k folds."""
    if terms.train_share is not None:
        if not 0 < terms.train_share < 1:
            message = f"--train-share lies between 0 and 1, and is {terms.train_share}"
            raise SpecError(message, place=Place("--train-share"), cure="--train-share 0.8")
        return terms.train_share
    folds = len(scores.seeds) / scores.repeats
    if not scores.folds or folds < 2:
        raise SpecError(
            "--splits resampled needs to know how many of the rows trained",
            place=Place("--train-share"),
            cure="--train-share 0.8 where a fifth of the rows was for testing",
        )
    return 1 - 1 / folds


def _runs(scores: Scores, entries: Sequence[str]) -> list[RunResult]:
    """A run for every entry and seed; one that is not in the table has no value, and stays planned."""
    numbers = _numbers(scores.seeds)
    return [
        RunResult(
            entry,
            numbers[seed],
            "ok",
            0,
            0,
            {"test": {metric: of.get(entry, {}).get(seed, math.nan) for metric, of in scores.values.items()}},
            (),
            math.nan,
        )
        for entry in entries
        for seed in scores.seeds
    ]


def _numbers(seeds: Sequence[str]) -> dict[str, int]:
    """Seeds as numbers: themselves where all are, else counted."""
    plain = all(re.fullmatch(r"\d{1,9}", seed) for seed in seeds)
    return {seed: int(seed) if plain else at for at, seed in enumerate(seeds)}


def _findings(
    scores: Scores,
    headline: str,
    directions: Mapping[str, Direction],
    terms: Terms,
    resampled: bool,
    share: float | None,
) -> list[Finding]:
    """What was taken for granted, and what is missing."""
    findings = [Finding("scores-note", "info", note) for note in scores.notes]
    guessed = [name for name in directions if not {name, ""} & set(terms.better)]
    if guessed:
        words = [f"{visible(name, 40)} {'lower' if directions[name] == 'down' else 'higher'}" for name in guessed]
        message = f"which way is better was taken from the names: {listed(words)}"
        findings.append(Finding("direction-guessed", "info", message, f"say it with --better {guessed[0]}=lower"))
    if terms.resampled is None:
        message = (
            f"the folds are taken for resampled splits that train on {share:.3g} of the rows"
            if share
            else "the seeds are taken for runs on one fixed split: intervals are too narrow if each drew its own"
        )
        findings.append(
            Finding("splits-assumed", "info", message, "--splits fixed, or --splits resampled --train-share 0.8")
        )
    return [*findings, *_missing(scores, headline)]


def _missing(scores: Scores, headline: str) -> list[Finding]:
    """Entries that lack seeds which others have; and where no seed is shared by all, that nothing is paired."""
    runs = scores.values[headline]
    lacking = {entry: [seed for seed in scores.seeds if seed not in runs.get(entry, {})] for entry in scores.entries}
    lacking = {entry: seeds for entry, seeds in lacking.items() if seeds}
    if not lacking:
        return []
    words = [
        f"{visible(entry, 40)} lacks {listed([visible(seed, 20) for seed in seeds], 6)}"
        for entry, seeds in lacking.items()
    ]
    shared = [seed for seed in scores.seeds if all(seed in runs.get(entry, {}) for entry in scores.entries)]
    if not shared:
        message = f"no seed is shared by all entries, so nothing is paired: {listed(words, 4)}"
        return [Finding("unpaired", "warning", message, "run every entry with the same seeds, on the same splits")]
    message = f"{listed(words, 4)}; what has no value everywhere gets no verdict"
    cure = f"run them, or --common-seeds compares on the {counted(len(shared), 'seed')} that all have, if they lack by chance"
    return [Finding("seeds-missing", "warning", message, cure)]


def common(scores: Scores) -> Scores:
    """The scores of the seeds that every entry has a value of every metric for.

    Raises `SpecError` where there is none.
    """
    entries = scores.entries
    shared = [
        seed
        for seed in scores.seeds
        if all(
            math.isfinite(of.get(entry, {}).get(seed, math.nan)) for of in scores.values.values() for entry in entries
        )
    ]
    if not shared:
        raise SpecError("no seed has a value for every entry", place=Place("--common-seeds"))
    values = {
        metric: {entry: {seed: of[entry][seed] for seed in shared} for entry in entries}
        for metric, of in scores.values.items()
    }
    note = f"compared on {len(shared)} of {counted(len(scores.seeds), 'seed')}, those that every entry has"
    return Scores(values, scores.folds, [*scores.notes, note])
