"""Modules that take long to import, loaded at their first use, so that what only reads names and options does not wait.

A file that says `from losscli.lazy import Tensor, torch` reads as if it had imported torch. Python 3.15 has `lazy import`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any


class Lazy(ModuleType):
    """Stands for the module of that name, and imports it when something in it is first asked for.

    >>> Lazy("math").sqrt(4.0)
    2.0
    """

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:  # see `scikit_learn`
            del sys.modules[self.__name__]
        value = getattr(import_module(self.__name__), name)
        setattr(self, name, value)  # the next time it is at hand, as fast as in the module itself
        return value

    def forget(self) -> None:
        """What was found in the module, so that it is looked up anew."""
        for name in [name for name in vars(self) if not name.startswith("__")]:
            delattr(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return Lazy, (self.__name__,)


def forget() -> None:
    """What is in the modules below may have been somebody else's for a while."""
    for stand_in in (torch, functional):
        if isinstance(stand_in, Lazy):
            stand_in.forget()


class _OfTorch(type):
    def __instancecheck__(cls, thing: object) -> bool:
        module = sys.modules.get("torch")  # before it is loaded, nothing is a tensor
        return module is not None and isinstance(thing, module.Tensor)


def scikit_learn(part: str) -> Any:
    """A part of scikit-learn, without scipy.stats: every part imports it, which takes 40 % of the time, and few use it.

    >>> scikit_learn("datasets").make_moons(2, shuffle=False)[1].tolist()
    [0, 1]
    """
    stand_in = Lazy("scipy.stats")
    sys.modules.setdefault(stand_in.__name__, stand_in)
    try:
        return import_module(f"sklearn.{part}")
    finally:
        if sys.modules.get(stand_in.__name__) is stand_in:  # those who import it later get the module itself
            del sys.modules[stand_in.__name__]


# The ordinary imports of what a file may take from here, for code that is to stand alone.
IMPORTS = {
    "torch": "import torch",
    "Tensor": "from torch import Tensor",
    "functional": "from torch.nn import functional",
}

if TYPE_CHECKING:
    import torch as torch
    from torch import Tensor as Tensor
    from torch.nn import functional as functional
else:
    torch = Lazy("torch")
    functional = Lazy("torch.nn.functional")

    class Tensor(metaclass=_OfTorch):
        """`torch.Tensor` in annotations and for `isinstance`."""
