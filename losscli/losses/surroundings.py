"""What code of the user's own shares with the rest of the process: noticed when left otherwise than it was, and put back."""

from __future__ import annotations

import builtins
import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from losscli.lazy import torch


@dataclass(frozen=True)
class Settings:
    """Settings of torch that change what everybody else computes: looked at after every call, as it takes a microsecond."""

    dtype: Any
    gradients: bool
    threads: int

    @classmethod
    def now(cls) -> Settings:
        return cls(torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads())

    def restore(self) -> list[str]:
        """Put them back; what was otherwise, in words."""
        now, changed = Settings.now(), []
        if now.dtype != self.dtype:
            torch.set_default_dtype(self.dtype)
            changed.append("torch's default dtype")
        if now.gradients != self.gradients:
            torch.set_grad_enabled(self.gradients)
            changed.append("whether torch records gradients")
        if now.threads != self.threads:
            torch.set_num_threads(self.threads)
            changed.append("torch's number of threads")
        return changed


class Names:
    """What functions of libraries are called: looked at after every call, too, as one that is patched may stop everybody."""

    def __init__(self) -> None:
        places = (torch, torch.nn.functional, torch.Tensor, torch.nn.Module, np, math, builtins)
        self.before: dict[Any, dict[str, Any]] = {place: dict(vars(place)) for place in places}

    def restore(self) -> list[str]:
        """Put them back; what was otherwise, in words."""
        return [f"{place.__name__}.{name}" for place in self.before for name in self._put_back(place)]

    def _put_back(self, place: Any) -> list[str]:
        before, now = self.before[place], vars(place)
        if now == before:  # 40 microseconds for all places, as equal things are one and the same
            return []
        changed = [name for name, value in before.items() if callable(value) and now.get(name) is not value]
        for name in changed:
            setattr(place, name, before[name])
        # What a class has of another, it has no name of its own for, until somebody gives it one.
        inherited = {name for kind in getattr(place, "__mro__", ())[1:] for name in vars(kind)}
        hiding = [name for name in now if name not in before and name in inherited]
        for name in hiding:
            delattr(place, name)
        self.before[place] = dict(vars(place))  # what libraries add themselves when it is first used
        return changed + hiding


class Surroundings:
    """All of it, generators and threads, too: looked at after every epoch."""

    def __init__(self) -> None:
        self.settings, self.names = Settings.now(), Names()
        self.generators = {name: get() for name, (get, _) in _generators().items()}
        self.threads = set(threading.enumerate())

    def restore(self) -> list[str]:
        """Put back what can be; what was otherwise, in words."""
        changed = self.settings.restore() + self.names.restore()
        for name, (get, put) in _generators().items():
            if get() != self.generators[name]:
                put(self.generators[name])
                changed.append(f"the state of {name}")
        started = [thread for thread in threading.enumerate() if thread not in self.threads and thread.is_alive()]
        if started:
            self.threads |= set(started)
            changed.append(f"the threads of the process ({len(started)} more, not to be ended from outside)")
        return changed


def _generators() -> dict[str, tuple[Callable[[], Any], Callable[[Any], None]]]:
    """The generators that all of a process share: how to read and to set each. losscli draws from none of them."""
    return {
        "torch's generator": (lambda: torch.get_rng_state().numpy().tobytes(), _set_torch),
        "numpy's generator": (_numpy_state, lambda state: np.random.set_state((state[0], list(state[1]), *state[2:]))),
        "Python's generator": (random.getstate, random.setstate),
    }


def _numpy_state() -> tuple[Any, ...]:
    kind, key, *rest = np.random.get_state()
    return kind, tuple(np.asarray(key).tolist()), *rest


def _set_torch(state: bytes) -> None:
    torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))
