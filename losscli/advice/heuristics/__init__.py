"""Rules of advice: each measures one thing on a target and names the losses that were made for it.

A heuristic is one function under the decorator `heuristic`: it gets the `Profile` of one of its tasks and returns `Advice` with
what it measured, in numbers, or None where it has nothing to say. Adding a heuristic is one block in one file. The order of a
file is the order of importance. Sources are those of the losses; a heuristic adds one where its measurement has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from losscli.advice.profile import Profile
from losscli.shelf import Shelf
from losscli.tasks import tasks


@dataclass(frozen=True)
class Pick:
    """One loss with the options that suit what was measured, as a spec takes them."""

    loss: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def entry_name(self) -> str:
        """As a leaderboard would name it.

        >>> Pick("focal", {"gamma": 2.0}).entry_name()
        'focal gamma=2'
        """
        settings = (
            f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in self.options.items()
        )
        return " ".join([self.loss, *settings])


@dataclass(frozen=True)
class Advice:
    """What was measured, with its numbers; the losses for it; whose measurement it is; what else to know.

    `metrics` are those to judge by, the headline first, `claims` the tags (`explain.tags`) that every pick has, and `train` what
    else of training the losses need. `reference` is the loss to beat where the task's default may have no value of the headline.
    """

    reason: str
    picks: Sequence[Pick]
    source: str = ""
    note: str = ""
    metrics: Sequence[str] = ()
    claims: Sequence[str] = ()
    train: Mapping[str, Any] = field(default_factory=dict)
    reference: str = ""


Adviser = Callable[[Profile], Advice | None]


@dataclass(frozen=True)
class Heuristic:
    """A heuristic of the shelf."""

    name: str
    tasks: tuple[str, ...]
    advise: Adviser
    shares: bool = False  # of targets that are shares of the classes; others are of rows with one class


heuristics: Shelf[Heuristic] = Shelf(__name__, "heuristic")


def heuristic(*tasks: str, shares: bool = False) -> Callable[[Adviser], Adviser]:
    """Put the decorated function on the shelf, under its own name in kebab-case."""

    def register(adviser: Adviser) -> Adviser:
        name = adviser.__name__.replace("_", "-")
        heuristics.put(name, Heuristic(name, tasks, adviser, shares))
        return adviser

    return register


def heuristics_for(profile: Profile) -> list[Heuristic]:
    """The heuristics that such a target is for; first what the task itself says of it (`Task.hint`).

    For a task that no heuristic knows and that gives no hint, those of the tasks it borrows from.
    """
    task = tasks.get(profile.task)
    kin = () if task.hint(profile.target) else task.borrows
    alike = [heuristic for heuristic in heuristics if heuristic.shares == profile.soft]
    own, borrowed = ([one for one in alike if not names.isdisjoint(one.tasks)] for names in ({task.name}, set(kin)))
    return [Heuristic(f"{task.name}-target", (task.name,), _hinted, profile.soft), *(own or borrowed)]


def _hinted(profile: Profile) -> Advice | None:
    hint = tasks.get(profile.task).hint(profile.target)
    if hint is None:
        return None
    picks = [Pick(name, options) for name, options in hint.losses]
    return Advice(hint.reason, picks, hint.source, hint.note, hint.metrics, hint.claims)


def percent(share: float) -> str:
    """A share as people say it.

    >>> percent(0.0234), percent(0.5), percent(0.00012), percent(0.996), percent(1.0)
    ('2.3 %', '50 %', '0.012 %', '99.6 %', '100 %')
    """
    hundredfold = 100 * share
    if hundredfold in (0, 100):
        return f"{hundredfold:.0f} %"
    if 10 <= hundredfold <= 99:
        return f"{hundredfold:.0f} %"
    return f"{hundredfold:.1f} %" if hundredfold >= 1 else f"{hundredfold:.2g} %"
