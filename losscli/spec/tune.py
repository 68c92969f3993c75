"""What `tune:` says: values that every entry tries, of which each run keeps the one that does best on its valid split.

A candidate is an entry with one combination of these values; it trains like any other run, and is no line of a leaderboard.
What an entry sets itself is not tuned, so that a fixed and a tuned option can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from losscli.errors import Problem, SpecError, choose_from
from losscli.losses import Loss, find
from losscli.losses.options import problems_of, problems_of_weight
from losscli.spec.document import Keys
from losscli.spec.entries import entries
from losscli.spec.mistakes import dotted, given, shown
from losscli.spec.model import Entry, LossChoice, Spec
from losscli.stack.plan import Plan, plan_of
from losscli.tasks import tasks
from losscli.tasks.settled import SettledPlan

RATE, WEIGHT = "lr", "weight"  # what can be tuned without being an option of a loss
AROUND = (0.1, 0.3, 1.0, 3.0, 10.0)  # times `train.lr`: the rates to try where none are named
MOST_CANDIDATES = 10_000
EXAMPLE = "write {lr: [3e-4, 1e-3, 3e-3]}"


@dataclass(frozen=True)
class Mistake:
    """Something wrong in the block, at a path of the spec: at the key, or at the value."""

    problem: Problem
    path: Keys
    of_key: bool = False


def rates_around(lr: object, task: object) -> list[float]:
    """The default grid of learning rates: from a tenth of `train.lr` to ten times it; of the task's own where it is no number.

    A task that is left out is one that is inferred from a target, and those share their default.

    >>> rates_around(1e-3, "binary"), rates_around(None, "gan")
    ([0.0001, 0.0003, 0.001, 0.003, 0.01], [3e-05, 9e-05, 0.0003, 0.0009, 0.003])
    """
    plan = plan_of(tasks.get(task).plan if isinstance(task, str) and task in tasks else SettledPlan)
    center = float(lr) if isinstance(lr, (int, float)) and lr > 0 else float(plan.model_fields["lr"].default)
    return [float(f"{center * factor:.3g}") for factor in AROUND]


def grids_of(spec: Spec, entry: Entry) -> dict[str, list[Any]]:
    """What is tuned of an entry: the learning rate, and those options of its loss that it does not set itself."""
    loss = find(entry.loss, spec.task)
    own = {*entry.options, *entry.beside}
    return {
        name: list(values)
        for name, values in spec.tune.items()
        if name == RATE or (name not in own and _takes(loss, name, spec.task))
    }


def candidates(spec: Spec, entry: Entry) -> list[Entry]:
    """All that is tried of an entry, in the order of its grids; the entry itself where nothing is tuned."""
    grids = grids_of(spec, entry)
    return [candidate(entry, dict(zip(grids, values, strict=True))) for values in product(*grids.values())]


def may_be(spec: Spec, name: str, value: float) -> bool:
    """Whether a value could stand in the grid of this name: whether every loss that has it takes it."""
    return not any(_of_option(name, [value], spec.loss, spec.task)) if name != RATE else value > 0


def refuse_too_many(spec: Spec) -> None:
    """`SpecError` where the grids make more candidates than anybody can mean."""
    count = sum(math.prod(map(len, grids_of(spec, entry).values())) for entry in entries(spec)) if spec.tune else 0
    if count > MOST_CANDIDATES:
        raise SpecError(f"tune makes {count} candidates, more than {MOST_CANDIDATES}", cure="shorten its lists")


def candidate(entry: Entry, values: Mapping[str, Any]) -> Entry:
    """The entry with these of the values that it tries: as it trains, and as a record's run was trained that chose them."""
    beside = {name: value for name, value in values.items() if name in (RATE, WEIGHT) and name not in entry.options}
    options = {name: value for name, value in values.items() if name not in beside}
    return replace(entry, **beside, options={**entry.options, **options}, tuned=dict(values))


def _takes(loss: Loss, name: str, task: str) -> bool:
    return name in loss.options or (name == WEIGHT and not problems_of_weight(loss, task, None))


# What can be wrong


def mistakes_in(block: Any, losses: Sequence[LossChoice], plan: Plan | None, task: str) -> list[Mistake]:
    """All that is wrong with a `tune:` block for these losses."""
    if not isinstance(block, dict):
        return [Mistake(Problem(f"tune: expected a block of keys, got {given(block)}", cure=EXAMPLE), ("tune",))]
    return [wrong for name, values in block.items() for wrong in _mistakes(name, values, losses, plan, task)]


def _mistakes(name: str, values: Any, losses: Sequence[LossChoice], plan: Plan | None, task: str) -> Iterator[Mistake]:
    path: Keys = ("tune", name)
    if not isinstance(values, list) or len(values) < 2:
        cure = EXAMPLE if name == RATE else f"write {{{shown(name, bare=True)}: [0.5, 1, 2]}}"
        message = f"{dotted(path)}: expected a list of two or more values to choose from, got {given(values)}"
        yield Mistake(Problem(message, cure=cure), path)
        return
    for index, value in enumerate(values):
        if shown(value) in map(shown, values[:index]):
            message = f"{dotted(path)}: {shown(value)} is there twice"
            yield Mistake(Problem(message, cure="give each once"), (*path, index))
    if name == RATE:
        yield from _of_rates(values, losses, plan)
    else:
        yield from _of_option(name, values, losses, task)


def _of_rates(values: list[Any], losses: Sequence[LossChoice], plan: Plan | None) -> Iterator[Mistake]:
    for index, value in enumerate(values):
        path: Keys = ("tune", RATE, index)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield Mistake(Problem(f"{dotted(path)}: expected a number, got {given(value)}"), path)
        elif not (value > 0 and math.isfinite(value)):
            yield Mistake(Problem(f"{dotted(path)}: expected a number > 0, got {shown(value)}"), path)
    here: Keys = ("tune", RATE)
    if plan is not None and isinstance(plan.lr, list):
        message = "tune.lr chooses one learning rate, and train.lr lists several, each for an entry of its own"
        yield Mistake(Problem(message, cure="leave the list out of train.lr (--lr), or lr out of tune"), here, True)
    fixed = [choice.name for choice in losses if choice.lr is not None]
    if fixed:
        message = f"tune.lr gives every entry the same learning rates, and {fixed[0]} sets its own"
        yield Mistake(Problem(message, cure=f"leave lr out of {fixed[0]}, or out of tune"), here, True)


def _of_option(name: str, values: list[Any], losses: Sequence[LossChoice], task: str) -> Iterator[Mistake]:
    path: Keys = ("tune", name)
    pairs = [(choice, find(choice.name, task)) for choice in losses]
    takers = [(choice, loss) for choice, loss in pairs if _takes(loss, name, task)]
    if losses and not takers:
        options = sorted({option for _, loss in pairs for option in loss.options})
        message = f"tune: none of the losses has the option {shown(name)}"
        yield Mistake(Problem(message, cure=choose_from(name, [RATE, *options])), path, True)
        return
    if losses and all(_sets(choice, name) for choice, _ in takers):
        which = ", ".join(dict.fromkeys(choice.name for choice, _ in takers))
        verb = "sets" if len({choice.name for choice, _ in takers}) == 1 else "set"
        message = f"{dotted(path)}: {which} {verb} {shown(name, bare=True)} already, so there is nothing to tune"
        yield Mistake(Problem(message, cure="leave it out of loss, or out of tune"), path, True)
    for index, value in enumerate(values):
        for loss in {loss.name: loss for choice, loss in takers if not _sets(choice, name)}.values():
            own = name in loss.options
            wrongs = problems_of(loss, {name: value}) if own else problems_of_weight(loss, task, value)
            yield from (Mistake(wrong, (*path, index)) for wrong in wrongs)


def _sets(choice: LossChoice, name: str) -> bool:
    return name in choice.options or (name == WEIGHT and choice.weight is not None)
