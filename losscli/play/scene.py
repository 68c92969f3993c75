"""A scene: data, losses and kinds of damage to choose from; every choice is one run of one stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losscli.spec.model import Spec

Levels = Mapping[str, float]  # of each kind of `data.corrupt` that a scene varies

NETWORK = "{kind: mlp, hidden: [12, 12], activation: tanh}"
LINE = "{kind: linear}"
BUDGET = "{epochs: 400, batch_size: 512, lr: 0.05, patience: null, device: cpu}"  # every step sees all rows
NO_LEVELS: Levels = MappingProxyType({})


@dataclass(frozen=True)
class Scene:
    """`losses` are what a spec says of each, by the name that the page has for it; `levels` are those of each kind of damage.

    `data` is what `data:` says, in parts as `--set` takes them; `task` and `model` likewise.

    >>> scene = Scene("rows", "multiclass", (), {"mae": "mae", "gce": "gce"}, {"labels": (0.0, 0.4), "feature_noise": (0.0, 0.3)})
    >>> scene.damages[:2], len(scene.damages), scene.place("gce", {"labels": 0.4})
    ([{'labels': 0.0, 'feature_noise': 0.0}, {'labels': 0.0, 'feature_noise': 0.3}], 4, 6)
    """

    title: str
    task: str
    data: tuple[str, ...]
    losses: Mapping[str, str]
    levels: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    model: str = NETWORK
    table: Any = None  # a `Table` that is read already; None: the one that `data` names

    @property
    def damages(self) -> list[Levels]:
        """Every combination of levels, the last kind first."""
        return [dict(zip(self.levels, values, strict=True)) for values in product(*self.levels.values())]

    def place(self, loss: str, levels: Levels = NO_LEVELS) -> int:
        """Which run it is: loss by loss, and in the order of `damages`; a kind that is not named has its first level."""
        number = 0
        for kind, values in self.levels.items():
            number = number * len(values) + values.index(levels.get(kind, values[0]))
        return list(self.losses).index(loss) * prod(map(len, self.levels.values())) + number

    @cached_property
    def spec(self) -> Spec:
        """The spec of all entries, without damage."""
        from losscli.spec.load import build_spec
        from losscli.spec.overrides import Overrides

        losses = f"loss=[{', '.join(self.losses.values())}]"
        sets = (losses, f"model={self.model}", f"train={BUDGET}", *self.data)
        return build_spec(Overrides(task=self.task, seeds=1, sets=sets))


def percent(share: float) -> str:
    """A share as a person says it, in one piece.

    >>> percent(0.4), percent(0.996)
    ('40\xa0%', '100\xa0%')
    """
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
