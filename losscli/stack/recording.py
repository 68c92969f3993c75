"""Small steps, recorded once and played back: what CUDA graphs are to a GPU, for a CPU.

Of a step of a few hundred microseconds, a third goes into finding out what to do: Python, the graph that autograd builds, its
way back through that graph. None of it changes from step to step. So one step is watched below autograd, where it is a list of
operations on tensors, and from then on that list is called by itself: the same operations on tensors that lie the same way, so
the same bits (tests hold one against the other; tests/benchmarks/STEPS.md has what it saves).

A list of operations holds no decision that was made by the numbers of a batch. Where one was (`item()`, a mask that picks
rows), what was recorded is not played, and every step goes the long way. So does one that turns out to work on much memory:
what is recorded is kept until its end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

Batch = Mapping[str, Tensor]
Results = Sequence[Any]  # tensors, and None
aten = torch.ops.aten
NOT_PLAYED = {
    torch.Tag.data_dependent_output,
    torch.Tag.dynamic_output_shape,
    torch.Tag.inplace_view,  # a tensor that is detached lies as before, and has no place of its own here
}  # tags of operations that decide by numbers, or change how a tensor lies
# What is not seen below autograd: numbers that are handed out to Python, and memory that is given to another tensor.
UNSEEN = {Tensor.tolist, Tensor.numpy, Tensor.__array__, Tensor.__dlpack__, Tensor.__repr__, Tensor.data_ptr}
UNSEEN |= {Tensor.data.__set__}  # type: ignore[attr-defined]
# What these give depends on the shape alone of what they are given.
OF_SHAPES = {aten.ones_like.default, aten.zeros_like.default, aten.full_like.default, aten.new_zeros.default}
# Bytes that a step to be recorded may work on, as it is reckoned, and that it may make, as is seen: of larger ones, finding out
# what to do takes no time, and all that is made is kept while it is recorded.
SMALL, MOST = 64 << 20, 256 << 20
AFTER = 32  # batches of a shape: as long as what is saved on them takes the recording of another


class Playback:
    """Calls a function of batches that gives tensors; of a shape that comes often, one batch is recorded, and the next are
    played back.

    The function may keep tensors from one batch to the next, and nothing that is Python's: a count of its calls would stay
    what it was.

    >>> playback = Playback(after=1)
    >>> def double(batch):
    ...     return [(batch["x"] * 2).sum()]
    >>> [playback(double, {"x": torch.full((2,), number)})[0].item() for number in (1.0, 2.0, 3.0)], len(playback.plays)
    ([4.0, 8.0, 12.0], 1)

    One that decides by numbers is not played.

    >>> playback = Playback(after=0)
    >>> def scaled(batch):
    ...     return [batch["x"] * batch["x"].max().item()]
    >>> [playback(scaled, {"x": torch.tensor([1.0, number])})[0].tolist() for number in (2.0, 3.0)], [*playback.plays.values()]
    ([[2.0, 4.0], [3.0, 9.0]], [None])
    """

    def __init__(self, after: int = AFTER):
        self.after = after
        self.counts: Counter[object] = Counter()
        self.plays: dict[object, Callable[..., Results] | None] = {}

    def __call__(self, function: Callable[[Batch], Results], batch: Batch) -> Results:
        shape = tuple([(name, tensor.dtype, tensor.shape, tensor.stride()) for name, tensor in batch.items()])
        play = self.plays.get(shape)
        if play is not None:
            with torch.no_grad():
                return play(*batch.values())
        self.counts[shape] += 1
        if shape in self.plays or self.counts[shape] <= self.after:
            return function(batch)
        own = {
            name: tensor.detach() for name, tensor in batch.items()
        }  # what is one tensor here may be two in the next
        with Recorder() as recorder, Reader(recorder):
            for tensor in own.values():
                recorder.place(tensor)
            results = function(own)
        self.plays[shape] = recorder.play(len(batch), results)
        return results


@dataclass(frozen=True)
class Place:
    """Where a recording has a tensor."""

    number: int


@dataclass(frozen=True)
class Call:
    """One operation. Tensors among its arguments, and what it gives, are known by their places."""

    operation: Any
    positional: Sequence[Any]
    named: Mapping[str, Any]
    outputs: Sequence[Place | None]  # None where one of a tuple was not asked for
    is_tuple: bool
    changes: Sequence[Place]  # in place

    @property
    def gives(self) -> list[Place]:
        return [place for place in self.outputs if place is not None]

    @property
    def takes(self) -> list[Place]:
        return list(_places((self.positional, tuple(self.named.values()))))

    @property
    def draws(self) -> bool:
        """Whether it gives something else each time."""
        return torch.Tag.nondeterministic_seeded in self.operation.tags


def _places(value: Any) -> Iterator[Place]:
    if isinstance(value, Place):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _places(part)


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes every operation, and what became of which tensor. Tensors that it did not see made were there before, and stay:
    weights, options of losses.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # for its sake torch would import the compiler, a second of every command

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tensors: list[Tensor] = []  # by number; while they are here, no other has their `id`
        self.base: list[int] = []  # by number, which memory it looks at
        self.calls: list[Call] = []
        self.external: set[Place] = set()  # tensors that were there before
        self.literals: set[Place] = set()  # numbers of Python's
        self.bytes = 0  # of all that was made
        self.unfit = False
        self._numbers: dict[int, int] = {}  # by `id`
        self._aliases: list[Tensor] = []  # with a number of another

    def place(self, tensor: Tensor) -> Place:
        """The place of a tensor; a new one for one that it has not seen."""
        number = self._numbers.get(id(tensor))
        if number is None:
            number = self._numbers[id(tensor)] = len(self.tensors)
            self.tensors.append(tensor)
            strided = tensor.layout is torch.strided
            self.base.append(tensor.untyped_storage()._cdata if strided else -number)
        return Place(number)

    def _in_places(self, value: Any) -> Any:
        """An argument, with places for tensors."""
        if isinstance(value, Tensor):
            if id(value) not in self._numbers:
                self.external.add(self.place(value))
            return self.place(value)
        return [self._in_places(part) for part in value] if isinstance(value, (list, tuple)) else value

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self.unfit:
            return operation(*args, **(kwargs or {}))
        positional, named = (
            self._in_places(args),
            {name: self._in_places(value) for name, value in (kwargs or {}).items()},
        )
        if operation is aten.lift_fresh.default:
            operation = aten.clone.default  # `torch.tensor(0.0)` is made anew at each step, and may be written to
            self.literals.update(positional)
        result = operation(*args, **(kwargs or {}))
        if operation is aten.detach.default:  # the same numbers at the same place
            self._numbers[id(result)] = positional[0].number
            self._aliases.append(result)
            return result
        self._note(operation, positional, named, result)
        return result

    def _note(self, operation: Any, positional: Sequence[Any], named: Mapping[str, Any], result: Any) -> None:
        is_tuple = isinstance(result, (list, tuple))
        results = result if is_tuple else [result]
        self.bytes += sum(
            each.numel() * each.itemsize for each in results if isinstance(each, Tensor) and not operation.is_view
        )
        nested = any(isinstance(each, (list, tuple)) for each in results)
        if nested or self.bytes > MOST or not NOT_PLAYED.isdisjoint(operation.tags):
            self.give_up()
            return
        outputs = [self.place(each) if isinstance(each, Tensor) else None for each in results]
        arguments = operation._schema.arguments
        by_name = {**dict(zip((argument.name for argument in arguments), positional, strict=False)), **named}
        writes = [by_name.get(argument.name) for argument in arguments if _is_write(argument)]
        self.calls.append(Call(operation, positional, named, outputs, is_tuple, list(_places(writes))))

    def give_up(self) -> None:
        """Keep nothing of what was recorded: it will not be played."""
        self.unfit = True
        for notes in (self.tensors, self._aliases, self.calls):
            notes.clear()

    def play(self, inputs: int, results: Results) -> Callable[..., Results] | None:
        """A function of the first `inputs` tensors that gives such `results`; None where numbers of the batch decided."""
        if self.unfit:
            return None
        places = [self._in_places(tensor) for tensor in results]
        ends = [place for place in places if place is not None]
        constants = self._constants(ends)
        moving = [call for call in self.calls if call.changes or call.draws or not constants.issuperset(call.gives)]
        calls = _live(moving, ends)
        used = constants.intersection([*ends, *(place for call in calls for place in call.takes)])
        tensors = {place: self.tensors[place.number] for place in used}
        return _program(calls, [Place(number) for number in range(inputs)], places, tensors)

    def _constants(self, ends: Sequence[Place]) -> set[Place]:
        """The places whose tensors are the same at every step: what was there before, views of it, and what depends on shapes
        alone, and on these. What is changed in place is not, nor what somebody gets who may change it.
        """
        changed = {self.base[place.number] for place in ends}
        changed |= {self.base[place.number] for call in self.calls for place in call.changes}
        external, constants = self.external - self.literals, set(self.literals)
        for call in self.calls:
            free = (
                not call.changes
                and not call.draws
                and changed.isdisjoint(self.base[give.number] for give in call.gives)
            )
            if call.operation.is_view and not call.changes and external.issuperset(call.takes):
                external.update(call.gives)
            elif free and (call.operation in OF_SHAPES or constants.issuperset(call.takes)):
                constants.update(call.gives)
        return external | constants


class Reader(TorchFunctionMode):
    """Tells a recorder of what it does not see."""

    def __init__(self, recorder: Recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function in UNSEEN:
            self.recorder.give_up()
        return function(*args, **(kwargs or {}))


def _is_write(argument: Any) -> bool:
    return argument.alias_info is not None and argument.alias_info.is_write


def _live(calls: Sequence[Call], ends: Sequence[Place]) -> list[Call]:
    """The calls without which something else would come out at the ends."""
    uses, live = set(ends), []
    for call in reversed(calls):
        if call.changes or call.draws or not uses.isdisjoint(call.gives):
            uses.update(call.takes)
            live.append(call)
    return live[::-1]


def _text(names: dict[str, Any], value: Any) -> str:
    """An argument as Python has it, or a name for it."""
    if isinstance(value, Place):
        return f"t{value.number}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_text(names, part) for part in value)}]"
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    name = f"o{len(names)}"
    names[name] = value
    return name


def _program(
    calls: Sequence[Call], inputs: Sequence[Place], results: Sequence[Place | None], constants: Mapping[Place, Tensor]
) -> Callable[..., Results]:
    """A Python function of these calls, one a line. Its text is made of numbers: whatever is named in it, it is given."""
    names: dict[str, Any] = {f"t{place.number}": tensor for place, tensor in constants.items()}
    text = partial(_text, names)
    lines, last = [], {place: at for at, call in enumerate(calls) for place in (*call.takes, *call.gives)}
    for at, call in enumerate(calls):
        arguments = [text(value) for value in call.positional]
        arguments += [f"{name}={text(value)}" for name, value in call.named.items()]
        line = f"{text(call.operation)}({', '.join(arguments)})"
        new = [place for place in call.gives if place not in call.takes]  # what is changed in place stays where it is
        into = ", ".join("_" if place is None else text(place) for place in call.outputs) + "," * call.is_tuple
        lines.append(f"{into} = {line}" if new else line)
        # As autograd, it gives memory back as soon as it can: the next tensor finds it in the cache.
        over = [place for place in dict.fromkeys((*call.takes, *call.gives)) if last[place] == at]
        free = [text(place) for place in over if place not in constants and place not in results]
        lines += [f"del {', '.join(free)}"] if free else []
    body = "\n    ".join([*lines, f"return {text(list(results))}"])
    exec(f"def play({', '.join(map(text, inputs))}):\n    {body}", names)
    return names.pop("play")  # type: ignore[no-any-return]  # its names hold no function: no circle
