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

    `without` is another that it imports on its way, of which few use anything: it gets a stand-in for that one, too.

    >>> Lazy("math").sqrt(4.0)
    2.0
    """

    def __init__(self, name: str, without: str = ""):
        super().__init__(name)
        self._without = without

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:  # see `_imported`
            del sys.modules[self.__name__]
        value = getattr(_imported(self.__name__, self._without), name)
        setattr(self, name, value)  # the next time it is at hand, as fast as in the module itself
        return value

    def forget(self) -> None:
        """What was found in the module, so that it is looked up anew."""
        for name in [name for name in vars(self) if not name.startswith("_")]:
            delattr(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return Lazy, (self.__name__, self._without)


def forget() -> None:
    """What is in the modules below may have been somebody else's for a while."""
    for stand_in in (torch, functional, special):
        if isinstance(stand_in, Lazy):
            stand_in.forget()


def scikit_learn(part: str) -> Any:
    """A part of scikit-learn, without scipy.stats: every part imports it, which takes 40 % of the time, and few use it.

    >>> scikit_learn("datasets").make_moons(2, shuffle=False)[1].tolist()
    [0, 1]
    """
    return _imported(f"sklearn.{part}", without="scipy.stats")


def _imported(name: str, without: str) -> ModuleType:
    if not without or without in sys.modules:
        return import_module(name)
    package, _, last = without.rpartition(".")
    names, stand_in = vars(import_module(package)), Lazy(without)
    sys.modules[without] = names[last] = stand_in
    try:
        return import_module(name)
    finally:
        if sys.modules.get(without) is stand_in:  # those who import it later get the module itself
            del sys.modules[without], names[last]


class _OfTorch(type):
    def __instancecheck__(cls, thing: object) -> bool:
        module = sys.modules.get("torch")  # before it is loaded, nothing is a tensor
        return module is not None and isinstance(thing, module.Tensor)


# The ordinary imports of what a file may take from here, for code that is to stand alone.
IMPORTS = {
    "torch": "import torch",
    "Tensor": "from torch import Tensor",
    "functional": "from torch.nn import functional",
    "special": "from scipy import special",
}

if TYPE_CHECKING:
    import torch as torch
    from scipy import special as special
    from torch import Tensor as Tensor
    from torch.nn import functional as functional
else:
    torch = Lazy("torch")
    functional = Lazy("torch.nn.functional")
    special = Lazy("scipy.special", without="numpy.f2py")  # it copies all names of numpy: this one is half of its time

    class Tensor(metaclass=_OfTorch):
        """`torch.Tensor` in annotations and for `isinstance`."""
