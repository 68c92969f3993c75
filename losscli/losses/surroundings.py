"""What code of the user's own shares with the rest of the process: noticed when left otherwise than it was, and put back."""

from __future__ import annotations

import builtins
import locale
import math
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from operator import is_
from types import ModuleType
from typing import Any

import numpy as np

from losscli.lazy import forget, torch

LIBRARIES = {"losscli", "torch", "numpy", "scipy", "sklearn", *sys.stdlib_module_names}


@dataclass(frozen=True)
class Settings:
    """Settings of torch that change what everybody else computes: looked at after every call, as it takes microseconds."""

    dtype: Any
    device: Any
    gradients: bool
    threads: int

    @classmethod
    def now(cls) -> Settings:
        device = torch.get_default_device()
        return cls(torch.get_default_dtype(), device, torch.is_grad_enabled(), torch.get_num_threads())

    def restore(self) -> list[str]:
        """Put them back; what was otherwise, in words."""
        now, changed = Settings.now(), []
        if now.dtype != self.dtype:
            torch.set_default_dtype(self.dtype)
            changed.append("torch's default dtype")
        if now.device != self.device:
            torch.set_default_device(None if self.device.type == "cpu" else self.device)
            changed.append("torch's default device")
        if now.gradients != self.gradients:
            torch.set_grad_enabled(self.gradients)
            changed.append("whether torch records gradients")
        if now.threads != self.threads:
            torch.set_num_threads(self.threads)
            changed.append("torch's number of threads")
        return changed


class Names:
    """What is called how in modules and classes: functions of libraries, which somebody may have patched."""

    def __init__(self, places: Iterable[Any] | None = None) -> None:
        """Of the places that everybody uses, which are looked at after every call; or of others."""
        module = sys.modules[
            torch.nn.Module.__module__.partition(".")[0]
        ]  # itself, not what stands for it until it is loaded
        self.usual = (module, torch.nn.functional, torch.Tensor, torch.nn.Module, np, math, builtins)
        self.before: dict[Any, dict[str, Any]] = {place: dict(vars(place)) for place in places or self.usual}

    @classmethod
    def everywhere(cls) -> Names:
        """Of all modules of the libraries that are loaded, and of their classes, which takes 50 ms."""
        modules = [
            module
            for name, module in list(sys.modules.items())
            if name.partition(".")[0] in LIBRARIES and isinstance(module, ModuleType)
        ]
        things = [thing for module in modules for thing in list(vars(module).values()) if type(thing) is type]
        classes = [thing for thing in things if str(vars(thing).get("__module__")).partition(".")[0] in LIBRARIES]
        return cls(dict.fromkeys([torch.Tensor, *modules, *classes]))

    def restore(self) -> list[str]:
        """Put them back; what was otherwise, in words."""
        changed = [f"{_called(place)}.{name}" for place in self.before for name in self._put_back(place)]
        if changed:
            forget()
        return changed

    def _put_back(self, place: Any) -> list[str]:
        before, now = self.before[place], vars(place)
        # By identity: equality is for what is compared to say, and an array says it for each of its numbers.
        if len(now) == len(before) and all(map(is_, now.values(), before.values())):
            return []
        replaced = [name for name, value in before.items() if now.get(name) is not value]
        changed = [name for name in replaced if self._matters(place, name, before[name], now.get(name))]
        for name in changed:
            setattr(place, name, before[name])
        # What a class has of another, it has no name of its own for, until somebody gives it one.
        above = place.__mro__[1:] if isinstance(place, type) else ()
        inherited = {name: value for kind in reversed(above) for name, value in vars(kind).items()}
        new = [name for name in now if name not in before and name in inherited]
        hiding = [name for name in new if self._matters(place, name, inherited[name], now[name])]
        for name in hiding:
            delattr(place, name)
        self.before[place] = dict(vars(place))  # what libraries add themselves when it is first used
        return changed + hiding

    def _matters(self, place: Any, name: str, before: Any, now: Any) -> bool:
        """Whether somebody else has replaced it: libraries do so with some of their own names, when more of them is loaded."""
        if not callable(before):  # in the usual places a public one is a constant, as `torch.float32`
            return place in self.usual and not name.startswith("_")
        library = str(getattr(now, "__module__", None) or "torch").partition(".")[0] in LIBRARIES
        return not library or not (
            getattr(now, "__name__", None) == name or "<locals>" in getattr(now, "__qualname__", "")
        )


class Surroundings:
    """All of it: looked at after every epoch, and everywhere where something begins or ends."""

    def __init__(self, everywhere: bool = False) -> None:
        self.settings, self.names = Settings.now(), Names()
        self.all_names = Names.everywhere() if everywhere else None
        self.states = {name: get() for name, (get, _) in _states().items()}
        self.threads = set(threading.enumerate())

    def restore(self, everywhere: bool = False) -> list[str]:
        """Put back what can be; what was otherwise, in words."""
        changed = self.settings.restore() + self.names.restore()
        if everywhere and self.all_names is not None:
            changed += self.all_names.restore()
        for name, (get, put) in _states().items():
            if get() != self.states[name]:
                with suppress(OSError, ValueError):  # a folder that is gone, a thread that may set no handler
                    put(self.states[name])
                changed.append(name)
        started = [thread for thread in threading.enumerate() if thread not in self.threads and thread.is_alive()]
        if started:
            self.threads |= set(started)
            changed.append("the threads of the process (new ones, which cannot be ended from outside)")
        return [name for name in changed if name not in SILENT]


# Packages set these when they are imported, and no number depends on them.
SILENT = ("the environment", "the path of imports", "the filters of warnings")


def _states() -> dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]]:
    """What all of a process share: how to read and to set each. losscli draws from none of the generators."""
    return {
        "the state of torch's generator": (lambda: torch.get_rng_state().numpy().tobytes(), _set_torch),
        "the state of numpy's generator": (_numpy_state, _set_numpy),
        "the state of Python's generator": (random.getstate, random.setstate),
        "whether torch is deterministic": (
            torch.are_deterministic_algorithms_enabled,
            torch._C._set_deterministic_algorithms,  # the public one imports a compiler, too
        ),
        "torch's precision of products": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
        "numpy's handling of errors": (np.geterr, lambda state: np.seterr(**state)),
        "the working folder": (_folder, os.chdir),
        "the locale": (lambda: locale.setlocale(locale.LC_ALL), lambda name: locale.setlocale(locale.LC_ALL, name)),
        "sys.excepthook": (lambda: sys.excepthook, lambda hook: setattr(sys, "excepthook", hook)),
        "the handlers of signals": (_handlers, _handle),
        "the environment": (lambda: dict(os.environ), _set_environment),
        "the path of imports": (lambda: list(sys.path), lambda path: sys.path.__setitem__(slice(None), path)),
        "the filters of warnings": (lambda: list(warnings.filters), _set_filters),
    }


def _called(place: Any) -> str:
    """`torch.optim.AdamW`, and `Tensor` as everybody says."""
    name = str(place.__name__)
    return name if isinstance(place, ModuleType) or place is torch.Tensor else f"{place.__module__}.{name}"


def _set_filters(filters: list[Any]) -> None:
    warnings.filters[:] = filters  # type: ignore[index]
    warnings._filters_mutated()  # type: ignore[attr-defined]  # what was decided by those of before is looked up anew


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return None


def _set_environment(state: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(state)


def _handlers() -> dict[int, Any]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE)
    return {number: signal.getsignal(number) for number in numbers}


def _handle(handlers: dict[int, Any]) -> None:
    for number, handler in handlers.items():
        if signal.getsignal(number) is not handler and handler is not None:
            signal.signal(number, handler)


def _numpy_state() -> tuple[Any, ...]:
    kind, key, *rest = np.random.get_state()
    return kind, tuple(np.asarray(key).tolist()), *rest


def _set_numpy(state: tuple[Any, ...]) -> None:
    np.random.set_state((state[0], list(state[1]), *state[2:]))


def _set_torch(state: bytes) -> None:
    torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))
