"""The order of zero_grad, backward and step in a training loop, read off the gradients themselves where that can be.

Gradients may be reset in many ways (zero_grad of the optimizer or of the model, `p.grad = None`, a fused kernel), so that they
were not reset is seen in one of them: after the next backward() it is what it was at the step, and more.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor
from torch.optim import Optimizer

from losscli.check.graph import CALL, DONE, TOTAL, Node, facts, inputs
from losscli.check.loss_calls import LossCall
from losscli.check.optimizers import Handle
from losscli.check.sites import Site, here

if TYPE_CHECKING:
    from losscli.check.backwards import Reach
    from losscli.check.watch import Watch

MOST = 4096  # events that are remembered: those since a step are needed


@dataclass(eq=False)
class Event:
    """A loss that was computed, a backward(), a zero_grad() or a step()."""

    what: Literal["loss", "backward", "zero", "step"]
    site: Site
    number: int
    call: LossCall | None = None
    leaves: frozenset[int] | None = None  # of a backward: what it reached, where that was looked at
    direct: bool = False  # of a backward: it began at a loss averaged over the batch, not at a part of one


@dataclass(eq=False)
class Mark:
    """One gradient as it was when a step ended."""

    parameter: weakref.ref[Tensor]
    gradient: weakref.ref[Tensor]
    version: int
    stale: bool = False  # a backward() was added to it

    def current(self) -> Tensor | None:
        """The gradient, if it is that very one still."""
        parameter, gradient = self.parameter(), self.gradient()
        return gradient if parameter is not None and gradient is not None and parameter.grad is gradient else None


@dataclass(eq=False)
class State:
    """What is known between two steps of an optimizer."""

    since: int = 0
    mark: Mark | None = None
    waiting: tuple[Site, LossCall] | None = (
        None  # a step without a gradient, and the loss that was ready for backward()
    )
    inside: bool = False  # a closure runs


@dataclass
class Loop:
    """Events in their order, and for each optimizer what they mean."""

    watch: Watch
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=MOST))
    number: int = 0
    states: dict[int, State] = field(default_factory=dict)
    _reached: dict[Site, tuple[frozenset[int], bool]] = field(default_factory=dict)
    _calls: dict[Site, Site] = field(default_factory=dict)  # the loss before each step

    def note(self, what: Any, site: Site, **facts: Any) -> None:
        """Something happens."""
        self.number += 1
        self.events.append(Event(what, site, self.number, **facts))

    def state(self, handle: Handle) -> State:
        """What is known of an optimizer."""
        return self.states.setdefault(id(handle), State())

    def zeroed(self, site: Site) -> None:
        """Gradients were reset by zero_grad()."""
        self.note("zero", site)
        for state in self.states.values():
            if state.mark is not None and (gradient := state.mark.current()) is not None and not gradient.any():
                state.mark = None

    def begins(self, root: Tensor, found: Reach, site: Site) -> None:
        """backward() is about to begin at a loss; `found` is what its gradient reaches."""
        made = facts(root.grad_fn).get(CALL) if root.grad_fn is not None else None
        direct = isinstance(made, LossCall) and made.reduction == "mean"
        self._reached[site] = (frozenset(found.leaves), direct)
        for handle in self.watch.optimizers.all:
            state = self.state(handle)
            if state.waiting is not None and state.waiting[1] in found.calls:
                related = [(site, "backward() is called here")]
                self.watch.report.emit("step-before-backward", state.waiting[0], related=related)
                state.waiting = None

    def before_backward(self) -> list[tuple[Handle, Mark]]:
        """Gradients that are as a step left them."""
        marks = []
        for handle in self.watch.optimizers.all:
            mark = self.state(handle).mark
            if mark is not None and not mark.stale:
                gradient = mark.current()
                if gradient is not None and gradient._version == mark.version:
                    marks.append((handle, mark))
        return marks

    def after_backward(self, marks: Sequence[tuple[Handle, Mark]], site: Site) -> None:
        """Whether a backward() was added to gradients of before; inside a closure that is a mistake at once."""
        leaves, direct = self._reached.get(site, (None, False))
        self.note("backward", site, leaves=leaves, direct=direct)
        for handle, mark in marks:
            gradient = mark.current()
            mark.stale = gradient is not None and gradient._version != mark.version
            if mark.stale and self.state(handle).inside:
                self.watch.report.emit("zero-grad-missing", site)
        for handle in self.watch.optimizers.all:
            if self.state(handle).inside:
                self._remember(handle, next((own for own in handle.parameters() if own.grad is not None), None))

    def before_step(self, handle: Handle, first: Tensor | None, site: Site, closure: bool) -> None:
        """An optimizer is about to step; `first` is a parameter with a gradient other than zero."""
        state = self.state(handle)
        state.inside = closure
        since = list(takewhile(lambda event: event.number > state.since, reversed(self.events)))[::-1]
        call = next((event.call for event in reversed(since) if event.call is not None), None)
        if call is not None:
            self._calls[site] = call.site
        if closure:
            return
        if first is None:
            self._empty(handle, state, since, site)
        else:
            self._accumulated(handle, since)
            if state.mark is not None and state.mark.stale and state.mark.current() is not None:
                self.watch.report.emit("zero-grad-missing", site)

    def after_step(self, handle: Handle, first: Tensor | None, site: Site) -> None:
        """An optimizer has stepped."""
        self.note("step", site)
        state = self.state(handle)
        if not state.inside:
            self._remember(handle, first)
        state.inside = False
        state.since = self.number

    def _remember(self, handle: Handle, parameter: Tensor | None) -> None:
        gradient = None if parameter is None else parameter.grad
        mark = None
        if parameter is not None and gradient is not None:
            mark = Mark(weakref.ref(parameter), weakref.ref(gradient), gradient._version)
        self.state(handle).mark = mark

    def attempted(self, optimizer: Optimizer) -> None:
        """A step may have been left out, as a scaler of gradients does; what was before it counts no more."""
        handle = self.watch.optimizers.of(optimizer)
        if handle is not None:
            self.state(handle).since = self.number

    def _empty(self, handle: Handle, state: State, since: Sequence[Event], site: Site) -> None:
        """A step without a gradient: backward() is still to come, or was reset."""
        backwards = [event for event in since if event.what == "backward" and _reaches(event, handle)]
        last = backwards[-1].number if backwards else 0
        ready = [event.call for event in since if event.call is not None and event.number > last]
        if ready and ready[-1] is not None:
            state.waiting = (site, ready[-1])
        elif backwards and all(own.grad is None or not own.grad.any() for own in handle.parameters()):
            zero = next((event for event in reversed(since) if event.what == "zero" and event.number > last), None)
            if zero is not None:
                related = [(backwards[-1].site, "backward() is called here"), (site, "step() is called here")]
                self.watch.report.emit("zero-grad-before-step", zero.site, related=related)
            elif all(own.grad is None for own in handle.parameters()):
                self.watch.report.emit("zero-grad-before-step", site)

    def _accumulated(self, handle: Handle, since: Sequence[Event]) -> None:
        """Several backward() of one line before a step: reset in between, or not divided.

        What another optimizer stepped with was no part of it, though its gradient came here, too.
        """
        last: Event | None = None
        zero: Event | None = None
        for event in since:
            if event.what == "step":
                last = None
            elif event.what == "zero":
                zero = event
            elif event.what == "backward" and _reaches(event, handle):
                if last is not None and last.site == event.site:
                    if zero is not None and zero.number > last.number:
                        self.watch.report.emit("zero-grad-inside-accumulation", zero.site)
                    elif event.direct:
                        self.watch.report.emit("accumulation-not-divided", event.site)
                last = event

    def added(self, total: Node, frame: Any) -> None:
        """A loss that backward() was called on already is added, graph and all, to what this line added up before."""
        site = here(frame)
        parts = [facts(part) for part in inputs(total)]
        if any(DONE in part for part in parts) and any(part.get(TOTAL) == site for part in parts):
            self.watch.report.emit("loss-tensor-accumulated", site)
        facts(total)[TOTAL] = site

    def call_before(self, step: Site) -> Site | None:
        """The loss that was computed before a step."""
        return self._calls.get(step)


def _reaches(event: Event, handle: Handle) -> bool:
    """Whether a backward() reaches an optimizer's parameters, as far as that is known."""
    leaves = event.leaves
    return leaves is None or any(id(own) in leaves for own in handle.parameters())
