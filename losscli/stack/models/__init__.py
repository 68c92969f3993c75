"""Models: small networks whose layers carry all runs. One file per kind; a model is its options and its list of layers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from losscli.activations import Output
from losscli.options import Strict
from losscli.shelf import Shelf

if TYPE_CHECKING:
    from losscli.data.dataset import Layout
    from losscli.stack.layers import Layer


class Model(Strict):
    """What every model has; a subclass adds its own options.

    `kind` is which of the models it is. `output` is what stands between the last layer and the loss; auto gives the loss what
    it expects, and a list is a chain.
    """

    plan: ClassVar[Mapping[str, Any]] = {}  # what suits it of training, where a task's own plan is `SettledPlan`

    kind: str
    output: Literal["auto"] | Output | list[Output] = "auto"

    @abstractmethod
    def layers(self, features: int, outputs: int) -> list[Layer]:
        """The layers from F features, which are all numbers, to O raw outputs, in order."""

    def layers_for(self, layout: Layout, outputs: int) -> list[Layer]:
        """The layers from data as they are laid out to O raw outputs: embedded categories are looked up first."""
        from losscli.stack.layers import Embedding

        layers = self.layers(layout.width, outputs)
        return [Embedding(layout), *layers] if layout.codes else layers


models: Shelf[type[Model]] = Shelf(__name__, "model")
model = models.register  # the decorator
