"""Penalties on gradients: each run's own, at its own points, in one pass for all runs that have some.

The sum over runs of what is judged has, at the points of a run, that run's own gradient: so one call of autograd serves all,
and with `create_graph` what is made of it can be descended on. The network is asked as it predicts, one sample by itself:
statistics of a batch would make the gradient of one sample that of its neighbours, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from losscli.losses.parts import Penalty
from losscli.stack.objective import Group, Objective
from losscli.stack.train_state import AS_IT_PREDICTS, NetworkState


class Member(NamedTuple):
    """A penalty of a group, and the group's runs in the stack."""

    group: Group
    penalty: Penalty
    rows: slice


class Penalties:
    """What is added to the losses of the runs in the phase of a kernel."""

    def __init__(self, objective: Objective, kernel: str):
        self.runs = sum(objective.sizes)
        self.largest: Tensor | None = None  # [R], over all steps so far
        self.members = [
            Member(group, penalty, rows)
            for group, rows in zip(objective.groups, objective.spans, strict=True)
            for penalty in group.loss.penalties
            if penalty.kernel == kernel
        ]

    def __call__(self, points: Mapping[str, Tensor], network: NetworkState) -> Tensor:
        """The penalty of each run, [R], 0 where it has none; `points` as in `LossInputs`."""
        by_length: dict[int, list[tuple[Member, Tensor]]] = {}
        for member in self.members:
            at = member.penalty.points({name: tensor[member.rows] for name, tensor in points.items()})
            by_length.setdefault(at.shape[1], []).append((member, at))
        total = network.weights.new_zeros(self.runs)
        for pairs in by_length.values():
            members = [member for member, _ in pairs]
            slopes = self._slopes(members, torch.cat([at for _, at in pairs]), network)
            for member, slope in zip(members, slopes, strict=True):
                values = member.group.bound(member.penalty.function)(slope).mean(-1)  # [r, B'] -> [r]
                before, after = member.rows.start, self.runs - member.rows.stop
                total = total + torch.nn.functional.pad(values, (before, after))
        seen = total.detach()
        self.largest = seen if self.largest is None else torch.maximum(self.largest, seen)
        return total

    def _slopes(self, members: Sequence[Member], points: Tensor, network: NetworkState) -> Sequence[Tensor]:
        """The gradient [r, B', F] at its points of what each member's loss receives."""
        sizes = [member.rows.stop - member.rows.start for member in members]
        whole = sizes == [self.runs]
        places = [row for member in members for row in range(member.rows.start, member.rows.stop)]
        rows = None if whole else torch.tensor(places).to(points.device)
        at = points.detach().requires_grad_()
        outputs = torch.split(network.at(rows)(at, AS_IT_PREDICTS), sizes)
        totals = [member.group.head.receive(own).sum() for member, own in zip(members, outputs, strict=True)]
        (slopes,) = torch.autograd.grad(torch.stack(totals).sum(), at, create_graph=True)
        return torch.split(slopes, sizes)
