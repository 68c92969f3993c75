"""A shelf: a folder of same-shaped things that register themselves, looked up by name. There is no second list.

Each plural folder (losses, metrics, tasks, sources, models, commands, rules) owns one `Shelf`. Its files are imported at
the first look-up, and a name that is not there gets the nearest one.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Generic, TypeVar

from losscli.errors import SpecError, choose_from, shown

Item = TypeVar("Item")


class Shelf(Generic[Item]):
    """Things of one kind by their names; `package` is the folder whose files put them here, `noun` names them to users."""

    def __init__(self, package: str, noun: str):
        self.package = package
        self.noun = noun
        self._items: dict[str, Item] = {}
        self._aliases: dict[str, str] = {}
        self._loaded = False

    def put(self, name: str, item: Item, aliases: tuple[str, ...] = ()) -> None:
        """Add one thing. A name that is taken is a bug in losscli, not in a spec."""
        for taken in (name, *aliases):
            if taken in self._items or taken in self._aliases:
                raise ValueError(f"two {self.noun}s are called {taken!r}")
        self._items[name] = item
        self._aliases.update(dict.fromkeys(aliases, name))

    def get(self, name: str) -> Item:
        """The thing of that name or alias; `SpecError` with the nearest name if there is none."""
        self._load()
        found = self._items.get(self._aliases.get(name, name))
        if found is None:
            raise SpecError(f"there is no {self.noun} called {shown(name)}", cure=choose_from(name, self.names()))
        return found

    def names(self) -> list[str]:
        """The canonical names, in the order of the shelf."""
        self._load()
        return list(self._items)

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._items or name in self._aliases

    def __iter__(self) -> Iterator[Item]:
        self._load()
        return iter(self._items.values())

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        package = importlib.import_module(self.package)
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(found.name)


class CallablePackage(ModuleType):
    """A package that is also a function: `losscli.losses` is a room, and `losscli.losses()` lists what is in it."""

    answer: Callable[..., object]

    def __call__(self, *arguments: object, **options: object) -> object:
        return type(self).answer(*arguments, **options)


def callable_package(package: str, answer: Callable[..., object]) -> None:
    """Make a call of the package a call of `answer`.

    The public names `losscli.losses()` and `losscli.compare(specs)` are those of rooms, and importing a room puts it under
    that name; so the rooms themselves answer.
    """
    kind = type("CallablePackage", (CallablePackage,), {"answer": staticmethod(answer), "__doc__": answer.__doc__})
    sys.modules[package].__class__ = kind
