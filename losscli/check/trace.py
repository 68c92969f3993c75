"""The trace of the first steps: each call of torch notes its line in the graph, and where a value leaves the graph.

A `TorchFunctionMode` sees every function of torch that the user's code calls, and calls it as it is: no number changes. It is
off inside of optimizers and of backward(), and after the first steps, so that it costs little.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import get_ident
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from losscli.check.graph import OPERATION, Operation, facts, made_by
from losscli.check.sites import Site, here, layer_around
from losscli.lint.vocabulary import OPERATIONS

if TYPE_CHECKING:
    from losscli.check.watch import Watch

FLAT = frozenset(name for name, what in OPERATIONS.items() if what == "step") | {
    f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge")
}
CUTS = frozenset(("item", "tolist", "detach", "detach_", "numpy", "tensor", "as_tensor"))
READS = frozenset(("size", "dim", "__len__", "numel", "is_floating_point", "backward", "zero_", "stride", "__hash__"))
LAYERED = frozenset(name for name, what in OPERATIONS.items() if what in ("relu", "sigmoid", "softmax", "log-softmax"))
DIFFERENCES = frozenset(("sub", "__sub__", "__rsub__", "subtract", "rsub"))
SUMS = frozenset(("add", "__add__", "__radd__", "__iadd__", "add_"))


@dataclass(frozen=True)
class Cut:
    """Where a value left the graph, and the loss that it went into after that."""

    name: str
    site: Site
    flat: bool  # whether the operation has no slope, rather than being a deliberate end of the graph
    loss: Site | None = None


class Trace(TorchFunctionMode):
    """Notes each call; `watch` is told of losses, of sums of losses, and of gradients that are demanded."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch
        self.active = False
        self.willing = True
        self._thread = 0  # modes are a thread's own
        self._cuts: dict[int, tuple[weakref.ref[Tensor], Cut]] = {}

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if not self.active:  # it was stopped by what one of its functions called
            return function(*args, **kwargs)
        name = function.__name__
        if name in ("__get__", "__set__"):
            return self._attribute(function, name, args, kwargs)
        original, loss = self.watch.losses_by_function.get(function, (function, None))
        if loss is not None:
            return self.watch.loss_call(loss, original, here(sys._getframe(1)), args, kwargs)
        output = function(*args, **kwargs)
        if name not in READS:
            self._note(name, output, args, kwargs)
        return output

    def _attribute(self, function: Any, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """An attribute of a tensor that is read or set."""
        output = function(*args, **kwargs)
        attribute = getattr(function.__self__, "__name__", "")
        if name == "__get__" and attribute == "data":
            self._leave("detach", args, output)
        elif name == "__set__" and attribute == "requires_grad" and args[1] is True:
            self._demand(args[0])
        return output

    def _note(self, name: str, output: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Write the line of a call into the graph, or where it leaves the graph."""
        if isinstance(output, Tensor):
            node = made_by(output)
            if node is not None:
                if OPERATION not in facts(node):
                    facts(node)[OPERATION] = _operation(self.watch, name, args, sys._getframe(2))
                if name in SUMS and not output.dim():
                    self.watch.loop.added(node, sys._getframe(2))
                return
            if name == "requires_grad_" and output.requires_grad:
                self._demand(output)
            elif name == "tensor" and output.requires_grad and not output.dim():
                cut = self.watch.backwards.number_taken
                if cut is not None:  # a number that was taken from a loss is made a tensor again
                    self.watch.forced(here(sys._getframe(2)), cut)
        elif isinstance(output, (tuple, list)):
            for item in output:
                if isinstance(item, Tensor):
                    self._note(name, item, args, kwargs)
            return
        if torch.is_grad_enabled():
            self._leave(name, args, output)

    def _leave(self, name: str, args: Sequence[Any], output: Any) -> None:
        """Remember a value that was made of the graph and is no part of it."""
        for item in args:
            if not isinstance(item, Tensor):
                continue
            earlier = self.cut_of(item)
            flat = name in FLAT or (isinstance(output, Tensor) and not output.is_floating_point())
            if earlier is None and not ((flat or name in CUTS) and made_by(item) is not None):
                continue
            cut = earlier or Cut(name, here(sys._getframe(3)), flat)
            if earlier is None:
                self.watch.backwards.left(item, cut)
            if isinstance(output, Tensor) and not output.requires_grad:
                self.remember(output, cut)
            return

    def remember(self, value: Tensor, cut: Cut) -> None:
        """Keep the cut of a value as long as the value lives."""
        key = id(value)
        self._cuts[key] = (weakref.ref(value, lambda _: self._cuts.pop(key, None)), cut)

    def cut_of(self, value: Tensor) -> Cut | None:
        """Where a value left the graph; None where it did not, or is part of it."""
        entry = self._cuts.get(id(value))
        return entry[1] if entry is not None and entry[0]() is value else None

    def after_loss(self, output: Any, args: Sequence[Any], site: Site) -> None:
        """A loss of values that left the graph before it."""
        cut = next((cut for item in args if isinstance(item, Tensor) and (cut := self.cut_of(item))), None)
        if cut is not None and isinstance(output, Tensor) and not output.requires_grad:
            self.remember(output, replace(cut, loss=site))

    def _demand(self, value: Tensor) -> None:
        """requires_grad is set on a value: forced, if it is one number that a model made."""
        cut = self.cut_of(value)
        if cut is not None and value.numel() == 1:
            self.watch.forced(here(sys._getframe(3)), cut)

    @property
    def on(self) -> bool:
        """Whether calls of this thread are noted, apart from those that a function of torch makes inside."""
        return self.active and self._thread == get_ident()

    def start(self) -> None:
        """Begin to note."""
        if not self.active and self.willing:
            self.active, self._thread = True, get_ident()
            torch._C._push_on_torch_function_stack(self)

    def stop(self) -> None:
        """End it."""
        if self.on:
            self.active = False
            self._remove()

    def give_up(self) -> None:
        """Note nothing from now on: compiled code is another under a mode."""
        self.stop()
        self.willing = False

    def close(self) -> None:
        """End it for good, whatever happened."""
        self.active = False
        while self._remove():
            pass

    def _remove(self) -> bool:
        """Leave the stack of modes, wherever in it this one is; not there while one of its functions is being called."""
        above, there = [], False
        while not there and torch._C._len_torch_function_stack():
            mode = torch._C._pop_torch_function_stack()
            there = mode is self
            above += [] if there else [mode]
        for mode in reversed(above):
            torch._C._push_on_torch_function_stack(mode)
        return there

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Note nothing meanwhile."""
        there = self.on and self._remove()
        try:
            yield
        finally:
            if there:
                torch._C._push_on_torch_function_stack(self)


def _operation(watch: Watch, name: str, args: Sequence[Any], frame: Any) -> Operation:
    number = next((float(item) for item in args if isinstance(item, (int, float))), None)
    made = None
    if name in LAYERED and (layer := layer_around(frame)) is not None:
        made = watch.modules.made_at(layer)
    shapes, learned = None, (False, False)
    if name in DIFFERENCES and len(args) > 1 and all(isinstance(item, Tensor) for item in args[:2]):
        shapes = (tuple(args[0].shape), tuple(args[1].shape))
        learned = (args[0].requires_grad, args[1].requires_grad)
    return Operation(name, here(frame), number, made, shapes, learned)
