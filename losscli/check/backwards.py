"""From where backward() starts, back to the parameters: what the gradient reaches, where it is cut, flat or infinite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import Tensor

from losscli.check.graph import CALL, DONE, Node, facts, inputs, kind, made_by, operation
from losscli.check.loss_calls import LossCall
from losscli.check.patterns import wrong_nodes
from losscli.check.sites import Site
from losscli.check.trace import Cut

if TYPE_CHECKING:
    from losscli.check.watch import Watch

MOST = 2  # walks from each line; the graph of a step is that of the next
MOST_NODES = 50_000


@dataclass
class Reach:
    """What a gradient reaches from a loss: tensors without a history, calls of losses; and flat operations, where it ends."""

    leaves: dict[int, Tensor] = field(default_factory=dict)
    calls: list[LossCall] = field(default_factory=list)
    steps: list[tuple[Node, LossCall | None]] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)


def reach(root: Node | None) -> Reach:
    """Follow the gradient."""
    found = Reach()
    seen: set[Node] = set()
    left: list[tuple[Node, LossCall | None]] = [] if root is None else [(root, None)]
    while left and len(seen) < MOST_NODES:
        node, call = left.pop()
        if node in seen:
            continue
        seen.add(node)
        word = kind(node)
        if word == "leaf":
            found.leaves[id(node.variable)] = node.variable
        elif word == "step":
            found.steps.append((node, call))
        else:
            made = facts(node).get(CALL)
            if made is not None:
                found.calls.append(made)
            found.nodes.append(node)
            left += [(item, made or call) for item in inputs(node)]
    return found


class Backwards:
    """Looks at each backward() before it runs."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.number = 0
        self.reached: set[int] = set()  # parameters of models, by their identity
        self.detached: list[tuple[Cut, set[int]]] = []
        self._cut: list[Cut] = []  # losses that left the graph since a gradient came through
        self._times: Counter[Site] = Counter()

    def left(self, value: Tensor, cut: Cut) -> None:
        """A value leaves the graph."""
        if cut.flat:
            return
        if not value.dim():
            self._cut.append(cut)
        elif cut.name.startswith("detach"):
            self._times[cut.site] += 1
            if self._times[cut.site] <= MOST:
                self.detached.append((cut, set(reach(made_by(value)).leaves)))

    @property
    def number_taken(self) -> Cut | None:
        """Where the number of a loss was taken, if no gradient came through since."""
        return next((cut for cut in self._cut if cut.name == "item"), None)

    def begin(self, roots: Sequence[Tensor], site: Site) -> None:
        """backward() starts at these."""
        self.number += 1
        self._times[site] += 1
        for root in roots:
            if root.grad_fn is None:
                self._without_graph(root, site)
                continue
            facts(root.grad_fn)[DONE] = True
            if self._times[site] <= MOST:
                self._look(root, site)

    def _without_graph(self, root: Tensor, site: Site) -> None:
        """A number: cut off before, or forced to have a gradient."""
        report, cut = self.watch.report, self.watch.trace.cut_of(root)
        self.watch.loop.begins(root, Reach(), site)
        related = [(site, "backward() is called here")]
        if root.requires_grad:
            known = self.watch.modules.owner(root) is not None or self.watch.optimizers.holds(root)
            if root.numel() == 1 and not known and not report.has("requires-grad-forced"):
                report.emit("requires-grad-forced", cut.site if cut else site, related=related)
        elif cut is not None and cut.flat:
            report.emit("loss-not-differentiable", cut.loss or cut.site, related=[(cut.site, "here it becomes a step")])
        elif cut is not None:
            report.emit("graph-cut-before-backward", cut.site, related=related)
        elif self.watch.optimizers.any:
            report.emit("graph-cut-before-backward", site, "nothing that it was made of requires a gradient")

    def _look(self, root: Tensor, site: Site) -> None:
        found = reach(root.grad_fn)
        for name, place, particulars, related in wrong_nodes(found.nodes):
            self.watch.report.emit(name, place or site, particulars, related)
        self.watch.loop.begins(root, found, site)
        if self._is_trained(found):
            self._cut.clear()
            self.watch.optimizers.look(found)
        elif found.steps:
            node, call = found.steps[0]
            noted = operation(node)
            place = call.site if call else noted.site if noted else site
            related = [(noted.site if noted else None, "here it becomes a step"), (site, "backward() is called here")]
            self.watch.report.emit("loss-not-differentiable", place, related=related)
        elif self._cut and self.watch.optimizers.any:
            related = [(site, "backward() is called here")]
            self.watch.report.emit("graph-cut-before-backward", self._cut[0].site, related=related)

    def _is_trained(self, found: Reach) -> bool:
        """Whether the gradient comes to anything that is there to be trained."""
        parts = found.leaves.keys() & self.watch.modules.names().keys()
        self.reached |= parts
        if not self.watch.optimizers.any:
            return bool(found.leaves)
        return bool(parts) or any(self.watch.optimizers.holds(leaf) for leaf in found.leaves.values())

    def detached_from(self, parameters: Set[int]) -> Cut | None:
        """Where values that come from these parameters were detached."""
        return next((cut for cut, leaves in self.detached if leaves & parameters), None)
