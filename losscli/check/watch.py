"""The watch: torch's losses, optimizers, zero_grad, backward and modes are looked at while the user's code runs.

Nothing that is computed changes: what is replaced calls what was there, draws no random number, and only reads tensors.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from torch import Tensor, nn
from torch.autograd import Variable
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from losscli.check.backwards import Backwards
from losscli.check.loop import Loop
from losscli.check.loss_calls import LossCalls, mark
from losscli.check.modules import Modules, is_built_by_model
from losscli.check.optimizers import Handle, Optimizers
from losscli.check.patches import Patches
from losscli.check.report import Report
from losscli.check.sites import Site, here
from losscli.check.trace import Cut, Trace
from losscli.errors import Stopped
from losscli.rules.contract import LOSSES, TorchLoss
from losscli.rules.finding import CodeFinding

TRACED = 3  # steps during which lines are noted: a loop is the same afterwards
PATIENCE = 8  # times as many steps of one optimizer while another has not had its share
FAST_PATHS = (nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerEncoder)


class Enough(Stopped):
    """All steps were seen."""


class Watch:
    """A context in which code runs and is looked at; the code is ended after `steps` steps, if a number is given."""

    def __init__(self, steps: int | None = None) -> None:
        self.report = Report()
        self.modules = Modules()
        self.optimizers = Optimizers(self)
        self.calls = LossCalls(self.report)
        self.backwards = Backwards(self)
        self.loop = Loop(self)
        self.trace = Trace(self)
        self.losses_by_function: dict[Any, tuple[Callable[..., Any], TorchLoss]] = {}
        self.limit = steps
        self.steps = 0
        self._firsts: dict[int, Tensor | None] = {}
        self._patches = Patches()
        self._process = os.getpid()
        self._done = False
        self._backwards = False  # one runs

    @property
    def findings(self) -> list[CodeFinding]:
        """What was noticed."""
        return self.report.findings

    def __enter__(self) -> Watch:
        try:
            self._losses()
            self._steps()
            self._layers()
        except BaseException:
            self._patches.restore()
            raise
        self.trace.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.trace.close()
        self._patches.restore()
        if self.here:
            self.optimizers.finish()

    @property
    def here(self) -> bool:
        """Whether this is the process that is watched, not one that it made."""
        return os.getpid() == self._process

    def _losses(self) -> None:
        """torch's losses, once for functions and modules, for these call those."""
        for loss in LOSSES:
            original = getattr(F, loss.function)
            wrapper = self._watched(loss, original)
            self.losses_by_function[original] = self.losses_by_function[wrapper] = (original, loss)
            self._patches.replace(F, loss.function, wrapper)
        self._patches.replace(torch.jit, "script", self._with_originals(torch.jit.script))
        self._around(torch, "compile", after=lambda *_: self.trace.give_up())

    def _with_originals(self, compiler: Callable[..., Any]) -> Callable[..., Any]:
        """A compiler that reads the source of what is called must find torch's own functions."""

        @functools.wraps(compiler)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            patches = Patches()
            for original, loss in set(self.losses_by_function.values()):
                patches.replace(F, loss.function, original)
            try:
                return compiler(*args, **kwargs)
            finally:
                patches.restore()

        return wrapper

    def _watched(self, loss: TorchLoss, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if (
                torch.compiler.is_compiling() or self.trace.on or not self.here
            ):  # the trace sees the call of the original
                return original(*args, **kwargs)
            return self.loss_call(loss, original, here(sys._getframe(1)), args, kwargs)

        return wrapper

    def loss_call(
        self,
        loss: TorchLoss,
        original: Callable[..., Any],
        site: Site,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """One call of a loss: look, then make it."""
        if self._done:
            raise Enough
        if torch._C._get_tracing_state() is not None:  # what looks at tensors would become part of the program
            return original(*args, **kwargs)
        call = self.calls.look(loss, original, site, (tuple(args), kwargs))
        output = original(*args, **kwargs)
        mark(output, call)
        if isinstance(output, Tensor) and output.requires_grad:
            self.loop.note("loss", site, call=call)
        else:
            self.trace.after_loss(output, args, site)
        return output

    def _steps(self) -> None:
        """Optimizers, and all that moves gradients."""
        self._patches.afterwards(register_optimizer_step_pre_hook(self._before).remove)
        self._patches.afterwards(register_optimizer_step_post_hook(self._after).remove)
        self._around(Optimizer, "__init__", after=lambda made, *_: self.optimizers.made(made, here()))
        for owner in (Optimizer, nn.Module):
            self._around(owner, "zero_grad", after=lambda *_: self.loop.zeroed(here()))
        self._around(torch.amp.GradScaler, "step", after=lambda _, optimizer, *__: self.loop.attempted(optimizer))
        self._patches.replace(torch.autograd, "backward", self._backward(torch.autograd.backward))
        self._patches.replace(Variable, "__new__", staticmethod(self._variable(Variable.__new__)))

    def _layers(self) -> None:
        """Where layers are made, and their mode."""
        self._around(nn.Module, "__init__", before=self._born)
        self._around(nn.Module, "eval", after=lambda layer, *_: self.modules.evaluated(layer, here()))
        for owner in FAST_PATHS:
            self._patches.replace(owner, "forward", self._without_trace(owner.forward))

    def _born(self, layer: nn.Module, *_: Any) -> None:
        frame = sys._getframe(1)
        self.modules.made(layer, here(frame), is_built_by_model(frame, layer))

    def _around(
        self,
        owner: Any,
        name: str,
        before: Callable[..., None] | None = None,
        after: Callable[..., None] | None = None,
    ) -> None:
        """Be told of calls of a method."""
        original = getattr(owner, name)

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if before is not None and self.here:
                before(*args)
            with self.trace.paused():
                output = original(*args, **kwargs)
                if after is not None and self.here:
                    after(*args, *kwargs.values())
            return output

        self._patches.replace(owner, name, wrapper)

    def _without_trace(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Without gradients torch takes a faster path, with other roundings, unless somebody watches its functions."""

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if torch.is_grad_enabled():
                return original(*args, **kwargs)
            with self.trace.paused():
                return original(*args, **kwargs)

        return wrapper

    def _backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def wrapper(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            if not self.here or self._backwards:  # checkpoints call it from within
                return original(tensors, *args, **kwargs)
            site = here(sys._getframe(1))
            self._backwards = True
            with self.trace.paused():
                self.backwards.begin([tensors] if isinstance(tensors, Tensor) else list(tensors), site)
                marks = self.loop.before_backward()
                try:
                    output = original(tensors, *args, **kwargs)
                finally:
                    self._backwards = False
                self.loop.after_backward(marks, site)
                return output

        return wrapper

    def _variable(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(kind: Any, *args: Any, **kwargs: Any) -> Any:
            leaf = kwargs.get("requires_grad", args[1] if len(args) > 1 else False)
            if leaf and args and isinstance(args[0], Tensor) and args[0].requires_grad and args[0].numel() == 1:
                self.forced(here(sys._getframe(1)), None)
            return original(kind, *args, **kwargs)

        return wrapper

    def forced(self, site: Site, cut: Cut | None) -> None:
        """requires_grad is forced onto a loss."""
        related = [(cut.site, "the graph ends here")] if cut else []
        self.report.emit("requires-grad-forced", site, related=related)

    def _before(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """An optimizer is about to step."""
        handle = self.optimizers.of(optimizer)
        if handle is None or not self.here:
            return
        if self._done:
            raise Enough
        site = here(sys._getframe(1))
        closure = any(item is not None for item in (*args[1:], kwargs.get("closure")))  # args begin with the optimizer
        if not closure:
            self.trace.stop()
        first = self.optimizers.step(handle, site)
        self._firsts[id(handle)] = first
        self.loop.before_step(handle, first, site, closure)
        self._modes(site, handle)

    def _modes(self, site: Site, handle: Handle) -> None:
        trained = {id(own) for own in handle.parameters()}
        for layer, at in self.modules.left_in_eval(trained):
            related = [(site, "the step is taken here")]
            self.report.emit("eval-left-on", at, f"{type(layer).__name__} is in eval mode at a step", related)

    def _after(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """An optimizer has stepped."""
        handle = self.optimizers.of(optimizer)
        if handle is None or not self.here:
            return
        self.loop.after_step(handle, self._firsts.pop(id(handle), None), here(sys._getframe(1)))
        self.steps += 1
        if self.limit is not None and self._seen_enough(self.limit):
            self._done = True
            raise Enough
        if handle.steps < TRACED:
            self.trace.start()
        elif self.trace.active:
            self.trace.stop()

    def _seen_enough(self, limit: int) -> bool:
        """Whether each optimizer has had its steps, or one so many that the others will get none."""
        steps = [handle.steps for handle in self.optimizers.all if handle.optimizer() is not None]
        return min(steps, default=0) >= limit or max(steps, default=0) >= PATIENCE * limit
