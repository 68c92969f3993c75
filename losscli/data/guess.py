"""Which task a target is for, from its values alone, and why: a guess that is always told, and that `task:` overrules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from losscli.tasks import Column, TargetOptions, tasks
from losscli.tasks.guess import Values


@dataclass(frozen=True)
class Guess:
    """A task and half a sentence that says what in the target tells it."""

    task: str
    reason: str


def guess_task(targets: Mapping[str, Column], options: TargetOptions | None = None) -> Guess:
    """The task that these target columns are most likely meant for: the surest of all (`Task.guess`).

    >>> import numpy as np
    >>> guess_task({"y": Column(np.array([0, 1, 0]), ("no", "yes"))})
    Guess(task='binary', reason="'y' holds two values: 'no' and 'yes'")
    >>> guess_task({"y": Column(np.array([0.5, 2.0, 1.25]))}).task
    'regression'
    """
    values = {name: Values(column) for name, column in targets.items()}
    hunches = [(task.name, task.guess(values, options or TargetOptions())) for task in tasks]
    name, surest = max(((name, hunch) for name, hunch in hunches if hunch), key=lambda pair: pair[1].sure)
    return Guess(name, surest.reason)
