"""What code of the user's own shares with the rest of the process: noticed when left otherwise than it was, and put back."""

from __future__ import annotations

import builtins
import math
import random
import threading
from collections.abc import Callable, Mapping
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


class Surroundings:
    """The same, functions of libraries, generators and threads: looked at after every epoch."""

    def __init__(self) -> None:
        self.settings = Settings.now()
        self.names = {place: dict(vars(place)) for place in _places()}
        self.generators = {name: get() for name, (get, _) in _generators().items()}
        self.threads = set(threading.enumerate())

    def restore(self) -> list[str]:
        """Put back what can be; what was otherwise, in words."""
        changed = self.settings.restore()
        for place, before in self.names.items():
            changed += [f"{place.__name__}.{name}" for name in _put_back(place, before)]
        for name, (get, put) in _generators().items():
            if get() != self.generators[name]:
                put(self.generators[name])
                changed.append(f"the state of {name}")
        started = [thread for thread in threading.enumerate() if thread not in self.threads and thread.is_alive()]
        if started:
            self.threads |= set(started)
            changed.append(f"the threads of the process ({len(started)} more, not to be ended from outside)")
        return changed


def _places() -> tuple[Any, ...]:
    return torch, torch.nn.functional, torch.Tensor, torch.nn.Module, np, math, builtins


def _put_back(place: Any, before: Mapping[str, Any]) -> list[str]:
    """The functions of a module or class that are others now, which they are no longer."""
    now = vars(place)
    changed = [name for name, value in before.items() if callable(value) and now.get(name) is not value]
    for name in changed:
        setattr(place, name, before[name])
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
