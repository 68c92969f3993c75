"""One step of a model that is at hand: forward, loss, gradients. Nothing of it is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from losscli.check.optimizers import largest
from losscli.check.sites import Site, anchored
from losscli.check.watch import Watch
from losscli.errors import SpecError, foreign, listed
from losscli.rules.finding import CodeFinding


def check_model(model: Any, loss: Any, batch: Any, optimizer: Any, site: Site) -> list[CodeFinding]:
    """Findings of one step; `site` stands for what has no line of its own in the user's code."""
    if not callable(model) or not callable(loss):
        which = "model" if not callable(model) else "loss"
        raise SpecError(f"the {which} must be something to call, not a {type(locals()[which]).__name__}")
    inputs, target = _parts(batch)
    watch = Watch()
    with _unchanged(model), anchored(check_model.__code__, site), watch:
        for layer in model.modules() if isinstance(model, nn.Module) else ():
            watch.modules.made(layer, site)
        if optimizer is not None:
            watch.optimizers.made(optimizer, site)
        with foreign("the model"):
            prediction = model(**inputs) if isinstance(inputs, Mapping) else model(*inputs)
        with foreign("the loss"):
            value = loss(prediction, target) if target is not None else loss(prediction)
        if isinstance(value, Tensor):
            _gradients(watch, model, value.mean() if value.dim() else value, site)
    return watch.findings


def _parts(batch: Any) -> tuple[Any, Any]:
    """The model's inputs, and the target."""
    if isinstance(batch, Mapping):
        rest = dict(batch)
        for name in ("labels", "label", "target", "targets", "y"):
            if name in rest:
                target = rest.pop(name)
                return rest, target
        raise SpecError(
            f"a batch that is a mapping must name its target, got {listed(sorted(map(str, rest)))}",
            cure="labels, target or y",
        )
    if not isinstance(batch, Sequence) or len(batch) < 2:
        raise SpecError("a batch must be (inputs, target), or a mapping", cure="losscli.check(model, loss, (x, y))")
    return batch[:-1], batch[-1]


def _gradients(watch: Watch, model: Any, value: Tensor, site: Site) -> None:
    """Follow the gradient from the loss back to the parameters."""
    with watch.trace.paused():
        watch.backwards.begin([value], site)
        parameters = dict(model.named_parameters()) if isinstance(model, nn.Module) else {}
        trained = {name: own for name, own in parameters.items() if own.requires_grad}
        if not value.requires_grad or not trained:
            return
        with foreign("backward()"):
            gradients = torch.autograd.grad(value, list(trained.values()), allow_unused=True)
        present = {name: item for name, item in zip(trained, gradients, strict=True) if item is not None}
        sizes = dict(zip(present, largest(list(present.values())), strict=True)) if present else {}
        broken = [name for name, size in sizes.items() if not torch.isfinite(torch.tensor(size))]
        if broken:
            watch.report.emit("gradient-not-finite", site, listed(broken, 4))
        elif sizes and not any(sizes.values()) and not watch.report.has("loss-not-differentiable", "softmax-over-one"):
            watch.report.emit("gradient-zero", site, listed(list(sizes), 4))


@contextmanager
def _unchanged(model: Any) -> Iterator[None]:
    """Buffers, as the running means of batch norm, and the generators come back as they were."""
    buffers = [(item, item.clone()) for item in model.buffers()] if isinstance(model, nn.Module) else []
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(devices):
        try:
            yield
        finally:
            with torch.no_grad():
                for item, before in buffers:
                    item.copy_(before)
