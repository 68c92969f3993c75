"""What numbers a target may hold, by the words in a loss's decorator: one table for Python, the data and `verify`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from losscli.errors import Finding, Problem, counted, shown
from losscli.losses import SHARES, Loss, for_task
from losscli.tasks import Column, Target, tasks
from losscli.tasks.labels import place_of

PAIRS = "class label or pairs"
MOST_TOLD = 3  # values of a column that a message quotes


@dataclass(frozen=True)
class Domain:
    """Numbers that a target may be: `holds` answers for each number of an array or a tensor."""

    description: str
    holds: Callable[[Any], Any]
    cure: str


ANY_NUMBER = "use a loss for any number, such as mse, mae or huber"
DOMAINS: Mapping[str, Domain] = {
    "0 or 1": Domain("0 or 1", lambda y: (y == 0) | (y == 1), "map -1 and +1 with (target + 1) / 2"),
    "0 to 1": Domain("0 to 1", lambda y: (y >= 0) & (y <= 1), "a target is 0, 1, or a probability"),
    "any number": Domain("a number", lambda y: abs(y) < float("inf"), "leave out the rows without a target"),
    "score": Domain("a number", lambda y: abs(y) < float("inf"), "leave out the rows with a column that is empty"),
    "number >= 0": Domain("a number >= 0", lambda y: (y >= 0) & (y < float("inf")), ANY_NUMBER),
    "number > 0": Domain("a number > 0", lambda y: (y > 0) & (y < float("inf")), ANY_NUMBER),
    "count (integer >= 0)": Domain(
        "a count (an integer >= 0)", lambda y: (y >= 0) & (y < float("inf")) & (y == y.round()), ANY_NUMBER
    ),
}


def _takes_no_shares(loss: Loss, task: str) -> Problem:
    soft = tasks.get(task).soft_domain
    takers = [other.name for other in for_task(task).values() if other.takes_shares]
    shares, whole = SHARES[str(soft)]
    return Problem(
        f"{loss.name} takes one class per row, and the target holds {shares} of {whole}",
        cure=f"these take {shares}: {', '.join(takers)}",
    )


def _judges_as_they_are(loss: Loss, transform: str) -> Problem:
    return Problem(
        f"{loss.name} judges targets as they are, and data.transform: {transform} would make others of them",
        cure="leave data.transform out; or use a loss for any number, such as mse, mae or huber",
    )


def ranked(loss: Loss, target: Target) -> list[Finding]:
    """What order of the classes a loss of ranks goes by; a warning where nothing tells one.

    >>> from losscli.losses import find
    >>> target = Target(np.array([0, 1, 2]), ("low", "medium", "high"), ordered="words")
    >>> print(ranked(find("coral", "multiclass"), target)[0].message)
    coral ranks the classes in the order of their words: 'low' < 'medium' < 'high'
    """
    if not loss.in_order or len(target.labels) < 3:
        return []
    steps = [shown(label) for label in target.labels]
    listed = " < ".join(steps if len(steps) <= 12 else [*steps[:10], "...", steps[-1]])
    if target.ordered == "alphabet":
        message = (
            f"{loss.name} ranks the classes, and nothing tells their order: they are taken by the alphabet, {listed}"
        )
        cure = "give the order, data.order: [lowest, ..., highest]; or use a loss for classes without one"
        return [Finding("class-order-unknown", "warning", message, cure)]
    origin = {"numbers": "of their numbers", "words": "of their words"}.get(target.ordered or "", "that is given")
    message = f"{loss.name} ranks the classes in the order {origin}: {listed}"
    cure = "the order of the columns in data.target gives another" if target.soft else "data.order gives another"
    return [Finding("class-order", "info", message, cure)]


def check_exposure(loss: Loss, task: str, exposure: str, output: Sequence[str]) -> list[Problem]:
    """Why the logarithm of the exposure cannot be added to what the loss gets, if so: it gets no log-rate, or one that a chain of
    activations has bent.

    >>> from losscli.losses import find
    >>> print(check_exposure(find("mse", "regression"), "regression", "years", ())[0].message)
    mse takes no log-rate, so the exposure 'years' has nothing to be added to
    """
    takers = [other.name for other in for_task(task).values() if other.takes_exposure]
    if not takers:
        homes = [other.name for other in tasks if any(item.takes_exposure for item in for_task(other.name).values())]
        message = f"the exposure {shown(exposure)} is for counts (task {' and '.join(homes)}), and the task is {task}"
        return [Problem(message, cure="leave data.exposure and data.offset out, or keep the column as a feature")]
    if not loss.takes_exposure:
        message = f"{loss.name} takes no log-rate, so the exposure {shown(exposure)} has nothing to be added to"
        return [Problem(message, cure=f"these take one: {', '.join(takers)}")]
    if output:
        message = f"the exposure {shown(exposure)} is added to the log-rate, and {' and '.join(output)} would bend that"
        return [Problem(message, cure="leave output out")]
    return []


def check_target(loss: Loss, task: str, target: Target, columns: Mapping[str, Column] | None = None) -> list[Problem]:
    """What in a decoded target the loss cannot judge: one problem for each column, with its first such values.

    `task` is the task that the loss serves. `columns` are those the target was decoded from: they know the place of the
    first value in the user's file. Classes (and 0 or 1) are what the task has made of any labels, so nothing can be wrong.

    >>> from losscli.losses import find
    >>> target = Target(np.array([1.0, np.inf], dtype=np.float32), ("y",))
    >>> print(check_target(find("mse", "regression"), "regression", target)[0].message)
    mse: the target 'y' must be a number, and it holds inf (1 of 2 rows)
    """
    if target.paired and loss.target != PAIRS:
        takers = [other.name for other in for_task(task).values() if other.target == PAIRS]
        message = f"{loss.name} takes rows with classes, and data.pairs gives pairs that are the same or different"
        return [Problem(message, cure=f"these take pairs: {', '.join(takers)}")]
    if target.soft and not loss.takes_shares:
        return [_takes_no_shares(loss, task)]
    if loss.own_units and target.transform != "none":
        return [_judges_as_they_are(loss, target.transform)]
    domain = DOMAINS.get(loss.target)
    if domain is None or tasks.get(task).has_classes:
        return []
    values = target.values if target.values.ndim == 2 else target.values[:, None]  # [N, O]
    problems = []
    for name, column in zip(target.labels, values.T, strict=True):
        outside = np.flatnonzero(~domain.holds(column))
        if len(outside):
            examples = ", ".join(dict.fromkeys(f"{value:g}" for value in column[outside[:MOST_TOLD]]))
            message = f"{loss.name}: the target {shown(name)} must be {domain.description}, and it holds {examples}"
            source = (columns or {}).get(name)
            place = place_of(source, int(outside[0])) if source is not None else None
            problems.append(Problem(f"{message} ({len(outside)} of {counted(len(column), 'row')})", place, domain.cure))
    return problems
