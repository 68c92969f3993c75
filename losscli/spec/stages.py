"""Seeds in stages: a spec that says `seeds: auto`, with the seeds of its first look, and with those of the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from losscli.data.sources import Source
from losscli.errors import SpecError, counted
from losscli.looks import FEWEST_FOR_T, Looks, default_start, first_possible
from losscli.spec.document import Keys
from losscli.spec.entries import entries
from losscli.spec.model import Adaptive, Spec

AUTO = "auto"


def block_of(seeds: Any) -> dict[str, Any] | None:
    """The block that `seeds:` is, if it is one; auto is an empty one.

    >>> block_of("auto"), block_of({"most": 20}), block_of(5)
    ({}, {'most': 20}, None)
    """
    return {} if seeds == AUTO else seeds if isinstance(seeds, dict) else None


def place_of(seeds: Any) -> Keys:
    """What of `seeds:` is to be changed where its first look comes too early."""
    return ("seeds", "start" if "start" in (block_of(seeds) or {}) else "most")


def has_looks(seeds: Any) -> bool:
    """Whether `seeds:` asks for looks, rightly or not."""
    return block_of(seeds) is not None or (isinstance(seeds, list) and AUTO in seeds)


def mistakes_in(seeds: Any, adaptive: Adaptive | None, source: Source | None) -> Iterator[tuple[str, Keys, str]]:
    """What is wrong with `seeds:` whatever is compared: a message, its place and a cure."""
    if isinstance(seeds, list) and AUTO in seeds:
        place = ("seeds", seeds.index(AUTO))
        yield "seeds: auto stands alone, not among seeds", place, "write auto, or {start: 6, most: 40}, or numbers only"
    if adaptive is None:
        return
    start, most = adaptive.start, adaptive.most
    if start is not None and start > most:
        cure = f"write {{start: {most}, most: {start}}}"
        yield f"seeds.start: {start} is more than most, which is {most}", ("seeds", "start"), cure
    if source is not None and source.split.folds:
        cure = "leave seeds out, for all folds once, or say how often with data.split.repeats"
        yield "seeds: each fold is a seed, and looks would cut through a round of folds", ("seeds",), cure


def first_stage(spec: Spec) -> Spec:
    """The spec with the seeds of its first look, if it has looks. `SpecError` where that could settle nothing."""
    if spec.adaptive is None:
        return spec
    comparisons, resampled, most = len(entries(spec)) - 1, spec.data.split.resampled, spec.adaptive.most
    start = spec.adaptive.start
    if start is None:
        start = default_start(comparisons, resampled, most)
    if not comparisons:  # nothing is open, so there is nothing to look for
        return spec.model_copy(update={"seeds": list(range(start)), "looks": Looks((start,))})
    least = first_possible(comparisons, resampled, most)
    if start < least:
        raise SpecError(_too_early(start, most, comparisons, resampled), cure=_cure(least, most))
    return at(spec.model_copy(update={"looks": Looks.between(start, most)}), start)


def at(spec: Spec, seeds: int) -> Spec:
    """The spec with so many seeds."""
    return spec.model_copy(update={"seeds": list(range(seeds))})


def next_specs(at_look: Sequence[tuple[Spec, bool]]) -> list[Spec | None]:
    """Each spec with the seeds of its next look, if there is one, and any of its levels of damage has an open entry.

    Levels have the same seeds, as what a seed loses from level to level is compared.
    """
    lines = {_but_for_damage(spec) for spec, is_open in at_look if is_open}
    return [_next(spec) if _but_for_damage(spec) in lines else None for spec, _ in at_look]


def _next(spec: Spec) -> Spec | None:
    seeds = None if spec.looks is None else spec.looks.after(len(spec.seeds))
    return None if seeds is None else at(spec, seeds)


def _but_for_damage(spec: Spec) -> str:
    return spec.folder + spec.model_dump_json(exclude={"expect": True, "data": {"corrupt"}})


def _too_early(start: int, most: int, comparisons: int, resampled: bool) -> str:
    kind = "resampled splits" if resampled else "a fixed split"
    why = (
        f"fewer than {FEWEST_FOR_T} say too little about how much a difference varies"
        if resampled
        else f"chance alone could make such differences too often, with {counted(comparisons, 'comparison')}"
    )
    return f"seeds: no verdict is possible after {counted(start, 'seed')} of {most} on {kind}: {why}"


def _cure(least: int, most: int) -> str:
    return f"write {{start: {least}, most: {most}}}" if least <= most else f"write {{most: {4 * least}}}"
