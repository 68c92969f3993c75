"""A short list of losses for a table, each with the measured reasons for it and the source of the advice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from losscli.advice.heuristics import Advice, Pick, heuristics_for
from losscli.advice.profile import Profile
from losscli.errors import Finding
from losscli.losses import Loss, find, for_task
from losscli.metrics import for_task as metrics_of
from losscli.tasks import tasks

MOST = 5  # losses of a short list, besides the reference


@dataclass(frozen=True)
class RecommendedLoss:
    """One loss of the list, why it is on it, and where it is from."""

    pick: Pick
    summary: str
    source: str
    reasons: tuple[str, ...]  # names of heuristics

    def to_json(self) -> dict[str, Any]:
        return {
            "loss": self.pick.loss,
            "options": dict(self.pick.options),
            "entry": self.pick.entry_name(),
            "summary": self.summary,
            "source": self.source,
            "heuristics": list(self.reasons),
        }


@dataclass(frozen=True)
class Recommendation:
    """What the heuristics said, and the losses they named; the first is the reference: the task's default, or one of theirs."""

    task: str
    advice: Mapping[str, Advice]  # by the heuristic's name
    losses: Sequence[RecommendedLoss]
    left_out: int  # losses named by heuristics beyond the short list
    findings: Sequence[Finding] = ()  # features that tell the target: the advice does not hold with them

    @property
    def metrics(self) -> Sequence[str]:
        """Those to judge by, as the first heuristic says that says something of them; empty: the task's default."""
        return next((advice.metrics for advice in self.advice.values() if advice.metrics), ())

    @property
    def train(self) -> dict[str, Any]:
        """What the losses need of training, besides its defaults."""
        return {key: value for advice in self.advice.values() for key, value in advice.train.items()}

    def to_json(self) -> dict[str, Any]:
        return {
            "task": self.task,
            "metrics": list(self.metrics),
            "train": self.train,
            "reference": self.losses[0].pick.entry_name(),
            "losses": [loss.to_json() for loss in self.losses],
            "advice": [
                {
                    "heuristic": name,
                    "reason": advice.reason,
                    "entries": [pick.entry_name() for pick in advice.picks],
                    "source": advice.source,
                    "note": advice.note,
                }
                for name, advice in self.advice.items()
            ],
            "left_out": self.left_out,
            "findings": [finding.to_json() for finding in self.findings],
        }


def recommend(profile: Profile, most: int = MOST) -> Recommendation:
    """Ask every heuristic of the task.

    At most `most` losses besides the reference: first each heuristic's first, then its second ...
    """
    serving = _serving(profile)
    advice = {
        heuristic.name: _bare(answer, profile.task, serving)
        for heuristic in heuristics_for(profile)
        if (answer := heuristic.advise(profile)) is not None
    }
    if profile.table.exposure is not None:
        advice = {name: answer for name, answer in advice.items() if answer.picks}
    default = next(
        (answer.reference for answer in advice.values() if answer.reference), tasks.get(profile.task).default_loss
    )
    reference = Pick(default if default in serving or not serving else next(iter(serving)))
    named: dict[str, tuple[Pick, list[str]]] = {reference.entry_name(): (reference, [])}
    in_turn = zip_longest(*([(name, pick) for pick in answer.picks] for name, answer in advice.items()))
    for name, pick in (pair for turn in in_turn for pair in turn if pair is not None):
        named.setdefault(pick.entry_name(), (pick, []))[1].append(name)
    short = list(named.values())[: most + 1]
    losses = [_recommended(pick, reasons, profile.task) for pick, reasons in short]
    return Recommendation(profile.task, advice, losses, len(named) - len(short), profile.leaks)


def _serving(profile: Profile) -> dict[str, Loss]:
    """The losses of the task; beside an exposure those that take one."""
    exposed = profile.table.exposure is not None
    return {name: item for name, item in for_task(profile.task).items() if item.takes_exposure or not exposed}


def _bare(advice: Advice, task: str, serving: Mapping[str, Loss]) -> Advice:
    """The advice without options that are the default, which a leaderboard leaves out of an entry's name, too; and without
    losses and metrics of the task that it was borrowed from, where this one has not borrowed them, too.
    """
    picks = []
    for pick in advice.picks:
        if pick.loss not in serving:
            continue
        definitions = serving[pick.loss].options
        options = {
            name: value
            for name, value in pick.options.items()
            if name not in definitions or value != definitions[name].default
        }
        picks.append(Pick(pick.loss, options))
    return replace(advice, picks=picks, metrics=[name for name in advice.metrics if name in metrics_of(task)])


def _recommended(pick: Pick, reasons: Sequence[str], task: str) -> RecommendedLoss:
    item = find(pick.loss, task)
    return RecommendedLoss(pick, item.summary, cited(item.section("Source")), tuple(reasons))


def cited(source: str) -> str:
    """Author, year and title of a docstring's source: its first sentence without the address.

    >>> cited("Lin et al. 2017, Focal Loss, https://arxiv.org/abs/1708.02002; tau = 1 is another.")
    'Lin et al. 2017, Focal Loss'
    """
    first = re.split(r";|(?<!al)\. |[,:]? https?://", source)[0]
    return first.strip().rstrip(".,:")
