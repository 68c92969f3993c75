"""Layers of the user's model: where each was made, which model it is part of, and when its mode was changed."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from losscli.check.sites import Site, is_users


@dataclass(eq=False)
class Born:
    """A layer, kept only as long as the user keeps it; its place in the order of all that was made, and its line.

    `inside` says that a model of the user's made it, in its own __init__.
    """

    layer: weakref.ref[nn.Module]
    number: int
    site: Site
    inside: bool


class Modules:
    """All layers that were made while the code ran."""

    def __init__(self) -> None:
        self._born: dict[int, Born] = {}
        self._evaluated: list[tuple[weakref.ref[nn.Module], Site]] = []
        self.number = 0  # of what was made: layers and optimizers share it, so that their order is known

    def made(self, layer: nn.Module, site: Site, inside: bool = False) -> None:
        """A layer is made here; where __init__ is called twice, as by two base classes, the first line stays."""
        known = self._born.get(id(layer))
        if known is None or known.layer() is not layer:
            self.number += 1
            self._born[id(layer)] = Born(weakref.ref(layer), self.number, site, inside)

    def made_at(self, layer: nn.Module) -> Site | None:
        """The line where a layer was made."""
        born = self._born.get(id(layer))
        return born.site if born is not None and born.layer() is layer else None

    def all(self) -> Iterator[tuple[nn.Module, Born]]:
        """Layers that still live."""
        for born in list(self._born.values()):
            layer = born.layer()
            if layer is not None:
                yield layer, born

    def roots(self) -> list[nn.Module]:
        """Layers that are part of no other."""
        alive = [layer for layer, _ in self.all()]
        parts = {id(part) for layer in alive for part in layer.children()}
        return [layer for layer in alive if id(layer) not in parts]

    def owner(self, parameter: Tensor) -> tuple[nn.Module, Born] | None:
        """The layer that a parameter belongs to."""
        for layer, born in self.all():
            if any(own is parameter for own in layer._parameters.values()):
                return layer, born
        return None

    def names(self) -> dict[int, str]:
        """The names of all parameters, by their identity, as the model that they are part of calls them."""
        return {id(own): name for root in self.roots() for name, own in root.named_parameters()}

    def evaluated(self, layer: nn.Module, site: Site) -> None:
        """eval() is called."""
        self._evaluated = [(ref, at) for ref, at in self._evaluated if ref() is not layer] + [
            (weakref.ref(layer), site)
        ]

    def left_in_eval(self, trained: set[int]) -> Iterator[tuple[nn.Module, Site]]:
        """Whole models in which something is off that matters in training, though their parameters are trained."""
        for reference, site in self._evaluated:
            layer = reference()
            if layer is None or layer.training or not any(id(own) in trained for own in layer.parameters()):
                continue
            if any(_matters(part) for part in layer.modules()) and self._is_whole(layer):
                yield layer, site

    def _is_whole(self, layer: nn.Module) -> bool:
        """Whether a layer is not deliberately frozen within a model that is in training."""
        return not any(
            other.training and any(part is layer for part in other.modules()) for other, _ in self.all()
        ) and not isinstance(layer, _NormBase)


def is_built_by_model(frame: FrameType | None, layer: nn.Module) -> bool:
    """Whether the nearest __init__ of the user's is that of another module."""
    while frame is not None:
        if frame.f_code.co_name == "__init__" and is_users(frame.f_code.co_filename):
            owner = frame.f_locals.get("self")
            if owner is not layer:
                return isinstance(owner, nn.Module)
        frame = frame.f_back
    return False


def _matters(layer: nn.Module) -> bool:
    """Whether eval() changes what a layer does."""
    if isinstance(layer, _DropoutNd):
        return layer.p > 0
    return isinstance(layer, _NormBase) and layer.track_running_stats
