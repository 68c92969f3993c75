"""Modules that take long to import, loaded at their first use, so that what only reads names and options does not wait.

A file that says `from losscli.lazy import Tensor, torch` reads as if it had imported torch. Python 3.15 has `lazy import`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any


class Lazy(ModuleType):
    """Stands for the module of that name, and imports it when something in it is first asked for.

    >>> Lazy("math").sqrt(4.0)
    2.0
    """

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        value = getattr(import_module(self.__name__), name)
        setattr(self, name, value)  # the next time it is at hand, as fast as in the module itself
        return value


class _OfTorch(type):
    def __instancecheck__(cls, thing: object) -> bool:
        module = sys.modules.get("torch")  # before it is loaded, nothing is a tensor
        return module is not None and isinstance(thing, module.Tensor)


@contextmanager
def deferred(name: str) -> Iterator[None]:
    """What is imported inside gets the module of that name at its first use, if it has not been loaded before."""
    stand_in = Lazy(name)
    if sys.modules.setdefault(name, stand_in) is not stand_in:
        yield
        return
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]


if TYPE_CHECKING:
    import torch as torch
    from torch import Tensor as Tensor
    from torch.nn import functional as functional
else:
    torch = Lazy("torch")
    functional = Lazy("torch.nn.functional")

    class Tensor(metaclass=_OfTorch):
        """`torch.Tensor` in annotations and for `isinstance`."""
