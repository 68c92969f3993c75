"""Optimizers: which parameters they hold, whether those get gradients, and what becomes of the rest."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from losscli.check.graph import Node, inputs, kind
from losscli.check.modules import Born
from losscli.check.sites import Site
from losscli.errors import listed

if TYPE_CHECKING:
    from losscli.check.backwards import Reach
    from losscli.check.watch import Watch

EXPLAINED = (  # by these an optimizer gets no gradient, or one of zeros
    "softmax-over-one",
    "requires-grad-forced",
    "loss-not-differentiable",
    "graph-cut-before-backward",
    "zero-grad-before-step",
    "step-before-backward",
    "cross-entropy-over-one",
)
CLOSELY, SELDOM = 5, 10  # all gradients are looked at in the first steps, then in each of so many: NaN stays NaN


@dataclass(eq=False)
class Handle:
    """An optimizer, kept only as long as the user keeps it; what was seen at its steps."""

    optimizer: weakref.ref[Optimizer]
    number: int
    site: Site
    steps: int = 0
    first: Tensor | None = None  # a parameter with a gradient other than zero
    fed: int = 0  # steps at which there was a gradient other than zero
    last: Site | None = None
    own: frozenset[int] = frozenset()  # the parameters at the last step, by their identity: they may be gone at the end
    called: list[list[str]] = field(default_factory=list)  # their names, group by group
    zeros: dict[int, int] = field(default_factory=dict)  # by parameter group: at how many steps all of it was zero
    given: dict[int, int] = field(default_factory=dict)  # by parameter group: at how many steps there was a gradient

    def groups(self) -> list[list[Tensor]]:
        """The parameters, group by group."""
        optimizer = self.optimizer()
        return [] if optimizer is None else [list(group["params"]) for group in optimizer.param_groups]

    def parameters(self) -> Iterator[Tensor]:
        """The parameters of all groups."""
        for group in self.groups():
            yield from group


class Optimizers:
    """All optimizers that were made while the code ran."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.all: list[Handle] = []

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return bool(self.all)

    def made(self, optimizer: Optimizer, site: Site) -> None:
        """An optimizer is made here."""
        self.watch.modules.number += 1
        handle = Handle(weakref.ref(optimizer), self.watch.modules.number, site)
        handle.own = frozenset(id(own) for own in handle.parameters())
        self.all.append(handle)

    def of(self, optimizer: Optimizer) -> Handle | None:
        """What is known of an optimizer; None for one that was made before the watch."""
        return next((handle for handle in self.all if handle.optimizer() is optimizer), None)

    def ids(self) -> set[int]:
        """The parameters that any optimizer holds, by their identity."""
        return {id(own) for handle in self.all for own in handle.parameters()}

    def holds(self, parameter: Tensor) -> bool:
        """Whether any optimizer holds it."""
        return any(own is parameter for handle in self.all for own in handle.parameters())

    def step(self, handle: Handle, site: Site) -> Tensor | None:
        """Look at the gradients before a step; the first parameter that has one other than zero."""
        handle.steps += 1
        handle.last = site
        if (
            handle.steps > CLOSELY
            and handle.steps % SELDOM
            and handle.first is not None
            and handle.first.grad is not None
        ):
            return handle.first
        if handle.steps == 1:
            names = self.watch.modules.names()
            handle.own = frozenset(id(own) for own in handle.parameters())
            handle.called = [[_name(own, names) for own in group] for group in handle.groups()]
        first, finite = None, True
        for number, group in enumerate(handle.groups()):
            with_gradient = [own for own in group if own.grad is not None]
            if not with_gradient:
                continue
            sizes = largest([own.grad for own in with_gradient if own.grad is not None])
            finite = finite and all(math.isfinite(size) for size in sizes)
            handle.given[number] = handle.given.get(number, 0) + 1
            handle.zeros[number] = handle.zeros.get(number, 0) + (not any(sizes))
            first = (
                first
                if first is not None
                else next((p for p, size in zip(with_gradient, sizes, strict=True) if size), None)
            )
        handle.fed += first is not None
        handle.first = first
        if not finite:
            self.watch.report.emit("gradient-not-finite", site, f"at step {handle.steps}")
        return first

    def look(self, found: Reach) -> None:
        """Parameters that get a gradient and that no optimizer holds."""
        if not self.all:
            return
        ids = self.ids()
        loose = {key: leaf for key, leaf in found.leaves.items() if key not in ids}
        parts = ids & self.watch.modules.names().keys() & found.leaves.keys()
        if not loose or not parts:  # what is no part of a model is trained for itself, as an image is
            return
        behind = _behind(found, ids)
        for key, leaf in loose.items():
            self._loose(leaf, key in behind)

    def _loose(self, leaf: Tensor, behind: bool) -> None:
        """A parameter that is not trained. What stands before all that is trained may be kept as it is on purpose.

        `behind` says that it does not: the gradient flows through it to what is trained.
        """
        report, last = self.watch.report, self.all[-1]
        owner = self.watch.modules.owner(leaf)
        if not behind and (owner is None or not owner[1].inside or self._root_of(owner[0]) is not owner[0]):
            return
        if owner is None:
            if isinstance(leaf, torch.nn.Parameter):
                report.emit("parameters-not-in-optimizer", last.site, f"one of shape {tuple(leaf.shape)}")
            return
        layer, born = owner
        if not layer.training:
            return  # a network that judges, as a perceptual loss does
        root = self._root_of(layer)
        if root is layer:
            note = "layers in a plain list or dict are not registered" if born.inside else type(layer).__name__
            report.emit("parameters-not-in-optimizer", born.site if born.inside else last.site, note)
        elif (late := self._made_before(born, root)) is not None:
            related = [(late.site, "the optimizer was made here, with the old layer")]
            report.emit("module-replaced-after-optimizer", born.site, related=related)
        else:
            name = self.watch.modules.names().get(id(leaf), "")
            report.emit("parameters-not-in-optimizer", last.site, name.rpartition(".")[0])

    def _root_of(self, layer: torch.nn.Module) -> torch.nn.Module:
        """The model that a layer is part of."""
        return next(
            (root for root in self.watch.modules.roots() if any(part is layer for part in root.modules())), layer
        )

    def _made_before(self, born: Born, root: torch.nn.Module) -> Handle | None:
        """An optimizer of the same model that was made before the layer."""
        parts = {id(own) for own in root.parameters()}
        for handle in self.all:
            if handle.number < born.number and any(id(own) in parts for own in handle.parameters()):
                return handle
        return None

    def finish(self) -> None:
        """At the end: optimizers and groups that never got a gradient."""
        for handle in self.all:
            if handle.steps and not handle.fed and not any(handle.given.values()):
                self._starved(handle)
            elif handle.last is not None and not self.watch.report.has(*EXPLAINED):
                self._zero_groups(handle, handle.last)

    def _starved(self, handle: Handle) -> None:
        """No parameter of an optimizer had a gradient at any step."""
        report, backwards = self.watch.report, self.watch.backwards
        if report.has(*EXPLAINED) or handle.last is None or handle.own & backwards.reached:
            return
        cut = backwards.detached_from(handle.own)
        call = self.watch.loop.call_before(handle.last)
        others = frozenset().union(*(other.own for other in self.all)) - handle.own
        related = [(handle.last, "the step finds no gradient")]
        if cut is not None and call is not None and others & backwards.reached:
            report.emit("detach-in-generator-loss", call, related=[(cut.site, "the samples are detached here")])
        elif cut is not None:
            report.emit("graph-cut-before-backward", cut.site, related=related)
        elif backwards.reached - others:
            report.emit("optimizer-of-other-model", handle.site, related=related)

    def _zero_groups(self, handle: Handle, site: Site) -> None:
        for number, called in enumerate(handle.called):
            seen = handle.given.get(number, 0)
            if seen and handle.zeros[number] == seen and handle.steps > 1:
                where = f"group {number}: " if len(handle.called) > 1 else ""
                self.watch.report.emit("gradient-zero", site, f"{where}{listed(called, 4)}; {seen} steps")


def _name(parameter: Tensor, names: Mapping[int, str]) -> str:
    return names.get(id(parameter)) or f"a tensor of shape {tuple(parameter.shape)}"


def largest(gradients: Sequence[Tensor]) -> list[float]:
    """The largest absolute value of each gradient; NaN where it holds one.

    >>> largest([torch.tensor([1.0, -3.0]), torch.zeros(2)])
    [3.0, 0.0]
    """
    plain: list[Any] = [item.coalesce().values() if item.is_sparse else item for item in gradients]
    with torch.no_grad():
        norms = torch._foreach_norm([item.detach() if item.numel() else item.new_zeros(1) for item in plain], math.inf)
        if all(norm.device.type == "cpu" for norm in norms):
            return [float(norm) for norm in norms]
        return [float(value) for value in torch.stack([norm.float().to(norms[0].device) for norm in norms]).tolist()]


def _behind(found: Reach, ids: set[int]) -> set[int]:
    """Tensors that meet, on their way to the loss, values which come from what is held: they stand behind it."""
    above: dict[Node, list[Node]] = {}
    leaves: dict[int, Node] = {}
    for node in found.nodes:
        for item in inputs(node):
            above.setdefault(item, []).append(node)
            if kind(item) == "leaf":
                leaves[id(item.variable)] = item
    fed, left = set(), [leaves[key] for key in ids if key in leaves]
    while left:
        node = left.pop()
        if node not in fed:
            fed.add(node)
            left += above.get(node, [])
    return {key for key, leaf in leaves.items() if key not in ids and any(item in fed for item in _users(leaf, above))}


def _users(leaf: Node, above: dict[Node, list[Node]]) -> Iterator[Node]:
    """The nodes that use a tensor, through views of it, as a transposed weight."""
    left = list(above.get(leaf, ()))
    while left:
        node = left.pop()
        if kind(node) == "view":
            left += above.get(node, [])
        yield node
