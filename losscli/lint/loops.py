"""The second pass: training loops, judged by the trace of events that the interpreter left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from losscli.lint.gradient import paths
from losscli.lint.loss_rules import ancestors
from losscli.lint.machine import Branch, Event, Loop, Machine
from losscli.lint.optimizers import Replaced, events_of, held_leaves, hidden
from losscli.lint.values import Instance, Layer, Optimizer, Site, Tensor, Unknown, Value

MODELS = ("model", "net", "network", "self", "module", "classifier")


def judge_trace(m: Machine) -> None:
    """All rules on loops, over the trace of one run."""
    for loop in loops(m.trace):
        events = list(events_of(loop.body))
        _zero_grad_missing(m, loop, events)
        _accumulation(m, loop)
        _eval_left_on(m, loop, events)
        _added(m, events)
    for block in blocks(m.trace):
        _order(m, block)
    _holders(m)


def loops(trace: list[Any]) -> Iterator[Loop]:
    """Every loop of a trace."""
    for item in trace:
        if isinstance(item, Loop):
            yield item
            yield from loops(item.body)
        elif isinstance(item, Branch):
            for arm in item.arms:
                yield from loops(arm)


def blocks(trace: list[Any]) -> Iterator[list[Any]]:
    """Every sequence of a trace: the whole, the body of each loop, each arm."""
    yield trace
    for item in trace:
        inner = [item.body] if isinstance(item, Loop) else item.arms if isinstance(item, Branch) else []
        for block in inner:
            yield from blocks(block)


def kinds(events: list[Event]) -> set[str]:
    """The kinds of events."""
    return {event.kind for event in events}


def matches(one: Value, other: Value) -> bool:
    """Whether two values are one thing: the same object, or unknowns of one name."""
    if one is other:
        return True
    return isinstance(one, Unknown) and isinstance(other, Unknown) and bool(one.key) and one.key == other.key


def _zero_grad_missing(m: Machine, loop: Loop, events: list[Event]) -> None:
    """The innermost loop that computes gradients and steps must reset them."""
    if not kinds(events) >= {"backward", "step"} or kinds(events) & {"zero", "maybe", "made"}:
        return
    if any(kinds(list(events_of(inner.body))) >= {"backward", "step"} for inner in loops(loop.body)):
        return
    step = next(event for event in events if event.kind == "step")
    backward = next(event for event in events if event.kind == "backward")
    m.emit("zero-grad-missing", step.site, related=[(backward.site, "gradients are added here")])


def _accumulation(m: Machine, loop: Loop) -> None:
    """backward in every turn, step in every few."""
    direct = [item for item in loop.body if isinstance(item, Event)]
    few = [item for item in loop.body if isinstance(item, Branch) and item.every_few]
    steps = [event for branch in few for event in events_of([branch]) if event.kind == "step"]
    backwards = [event for event in direct if event.kind == "backward"]
    if not steps or not backwards or "step" in kinds(direct):
        return
    zeros = [event for event in direct if event.kind == "zero"]
    if zeros:
        m.emit("zero-grad-inside-accumulation", zeros[0].site, related=[(steps[0].site, "the step is here")])
    elif _undivided(backwards[0].value):
        m.emit("accumulation-not-divided", backwards[0].site, related=[(steps[0].site, "the step is here")])


def _undivided(value: Value) -> bool:
    """Whether a loss is a mean, or a sum of means, that nothing divides."""
    if not isinstance(value, Tensor):
        return False
    if value.op == "add":
        return all(_undivided(item) for item in value.inputs)
    return value.op == "loss" and value.facts["reduction"] == "mean"


def _eval_left_on(m: Machine, loop: Loop, events: list[Event]) -> None:
    """eval() after training in one turn of a loop, and no train()."""
    if not kinds(events) >= {"backward", "step"}:
        return
    first = next(place for place, event in enumerate(events) if event.kind == "backward")
    for event in events[first + 1 :]:
        if event.kind != "eval" or any(item.kind == "train" and _overlap(item.target, event.target) for item in events):
            continue
        if _is_trained(m, event.target, events):
            chain = (*event.stack, event.site)
            place = chain[loop.depth] if loop.depth < len(chain) else event.site
            m.emit(
                "eval-left-on", place, related=[(event.site, "eval() is called here")] if place != event.site else None
            )
            return


def _overlap(one: Value, other: Value) -> bool:
    """Whether train() on one thing may be train() on another."""
    return matches(one, other) or isinstance(one, Unknown) or _inside(one, other) or _inside(other, one)


def _inside(whole: Value, part: Value) -> bool:
    return isinstance(whole, (Instance, Layer)) and any(inner is part for inner in whole.slots.values())


def _is_trained(m: Machine, target: Value, events: list[Event]) -> bool:
    """Whether the optimizer that steps holds the model."""
    for event in events:
        if event.kind != "step":
            continue
        if isinstance(event.target, Optimizer):
            owners = event.target.holds.of
            if any(matches(module, target) or _inside(target, module) for module in owners):
                return True
        elif isinstance(target, Unknown) and target.key.rpartition(".")[2] in MODELS:
            return True
    return False


def _added(m: Machine, events: list[Event]) -> None:
    """`total += loss`, of a loss that backward() was called on."""
    trained = [event.value for event in events if event.kind == "backward"]
    for event in events:
        if event.kind == "added" and any(_keeps(event.value, value) for value in trained):
            m.emit("loss-tensor-accumulated", event.site)


def _keeps(value: Value, loss: Value) -> bool:
    """Whether a value keeps the graph of a loss."""
    if value is loss:
        return isinstance(value, (Tensor, Unknown)) and not (isinstance(value, Unknown) and not value.key)
    if not isinstance(value, Tensor) or value.op not in ("mul", "div", "add", "view"):
        return False
    return any(_keeps(inner, loss) for inner in value.inputs)


def _order(m: Machine, block: list[Any]) -> None:
    """zero_grad between backward and step; step between zero_grad and backward."""
    for place, item in enumerate(block):
        if not (isinstance(item, Event) and item.kind == "step"):
            continue
        zero = _last_before(block[:place], item)
        if zero is None:
            continue
        earlier = block[: block.index(zero)]
        if _pending(earlier, item):
            m.emit("zero-grad-before-step", zero.site, related=[(item.site, "the step is here")])
        elif any(isinstance(later, Event) and later.kind == "backward" for later in block[place + 1 :]):
            after = next(later for later in block[place + 1 :] if isinstance(later, Event) and later.kind == "backward")
            if not any(
                isinstance(other, Event) and other.kind == "zero" for other in _until(block[place + 1 :], after)
            ):
                m.emit("step-before-backward", item.site, related=[(after.site, "backward() comes here")])


def _until(items: list[Any], last: Event) -> list[Any]:
    return items[: items.index(last)]


def _last_before(block: list[Any], step: Event) -> Event | None:
    """The reset that comes right before a step, with no gradient computed between."""
    for item in reversed(block):
        if not isinstance(item, Event):
            if kinds(list(events_of([item]))) & {"zero", "backward", "step", "maybe", "made"}:
                return None
        elif item.kind in ("backward", "maybe", "made"):
            return None
        elif item.kind == "zero":
            return item if _resets(item.target, step.target) else None
    return None


def _resets(target: Value, optimizer: Value) -> bool:
    if matches(target, optimizer):
        return True
    return (
        isinstance(optimizer, Optimizer)
        and optimizer.holds.whole
        and all(matches(target, module) for module in optimizer.holds.of)
    )


def _pending(block: list[Any], step: Event) -> bool:
    """Whether a gradient was computed that no step has used yet."""
    for item in reversed(block):
        if not isinstance(item, Event):
            if kinds(list(events_of([item]))) & {"step", "zero", "maybe"}:
                return False
            if "backward" in kinds(list(events_of([item]))):
                return True
        elif item.kind == "backward":
            return True
        elif item.kind in ("step", "maybe") or (item.kind == "zero" and _resets(item.target, step.target)):
            return False
    return False


def _holders(m: Machine) -> None:
    """Optimizers that step, against what the gradients reach."""
    events = list(events_of(m.trace))
    steps = [event for event in events if event.kind == "step"]
    if not steps or any(not isinstance(event.target, Optimizer) for event in steps) or "maybe" in kinds(events):
        return
    reached = [paths(event.value) for event in events if event.kind == "backward"]
    everything = set().union(*(item.layers for item in reached)) if reached else set()
    stray = False
    for optimizer in dict.fromkeys(event.target for event in steps if isinstance(event.target, Optimizer)):
        leaves, whole = held_leaves(optimizer)
        if not (leaves and whole):
            continue
        if any(item.unknown or item.leaves for item in reached) or not everything:
            continue
        if not leaves & everything and not _detached(m, optimizer, leaves, events):
            stray = True
            m.emit("optimizer-of-other-model", optimizer.site)
        elif leaves & everything:
            _detached(m, optimizer, leaves, events)
    if not stray:
        _unheld(m, events)


def _detached(m: Machine, optimizer: Optimizer, leaves: set[int], events: list[Event]) -> bool:
    """The backwards that serve an optimizer's step, if all of them reach its model only past a detach()."""
    since: list[Value] = []
    guilty = False
    for event in events:
        if event.kind == "zero" and _resets(event.target, optimizer):
            since = []
        elif event.kind == "backward":
            since.append(event.value)
        elif event.kind == "step" and event.target is optimizer and since:
            guilty = _behind_cuts(m, since, leaves) or guilty
            since = []
    return guilty


def _behind_cuts(m: Machine, values: list[Value], leaves: set[int]) -> bool:
    reached = [paths(value) for value in values]
    if any(item.unknown or item.layers & leaves or not item.layers for item in reached):
        return False
    for value, item in zip(values, reached, strict=True):
        for cut in item.cuts:
            if any(id(inner.facts.get("layer")) in leaves for inner in ancestors(cut)):
                m.emit(
                    "detach-in-generator-loss",
                    _loss_over(value, cut),
                    related=[(cut.site, "the samples are cut off here")],
                )
                return True
    return False


def _loss_over(value: Value, cut: Tensor) -> Site:
    """The call of the loss that a cut stands in."""
    over = [item for item in ancestors(value) if item.op == "loss" and any(inner is cut for inner in ancestors(item))]
    return over[0].site if over else cut.site


EXCUSES = ("requires_grad", "load_state_dict", "pretrained", "torch.load", "from_pretrained", "freeze", "frozen")


def _unheld(m: Machine, events: list[Event]) -> None:
    """Layers that gradients reach, and that no optimizer holds.

    What was frozen or loaded is meant to stay; what a loop without any step trains is moved by hand.
    """
    optimizers = [item for item in m.made if isinstance(item, Optimizer)]
    sets = [held_leaves(optimizer) for optimizer in optimizers]
    if not optimizers or not all(whole and layers for layers, whole in sets):
        return
    if any(word in m.source.text for word in EXCUSES) or kinds(events) & {"frozen", "loaded"}:
        return
    values = [event.value for event in _stepping(m.trace) if event.kind == "backward"]
    everything = set().union(*(paths(value).layers for value in values))
    missing = everything - set().union(*(layers for layers, _ in sets))
    tensors = [item for value in values for item in ancestors(value)]
    layers = [item.facts["layer"] for item in tensors if id(item.facts.get("layer")) in missing]
    quiet = [event.target for event in events if event.kind == "eval"]
    if layers and not quiet and not _replaced_or_hidden(m):
        related = [(layer.site, "this layer is in no optimizer") for layer in dict.fromkeys(layers)]
        m.emit("parameters-not-in-optimizer", optimizers[0].site, related=related[:3])


def _stepping(trace: list[Any]) -> list[Event]:
    """The events of a trace, without those of whole loops in which no optimizer steps."""
    parts = [list(events_of([item])) for item in trace]
    groups = [
        events
        for item, events in zip(trace, parts, strict=True)
        if not isinstance(item, Loop) or "step" in kinds(events)
    ]
    return [event for events in groups for event in events]


def _replaced_or_hidden(m: Machine) -> bool:
    """Whether another rule has the word on why a layer is not held."""
    return bool(hidden(m)) or any(isinstance(item, Replaced) for item in m.made)
