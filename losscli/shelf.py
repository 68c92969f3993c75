"""A shelf: a folder of same-shaped things that register themselves, looked up by name. There is no second list.

Each plural folder (losses, metrics, tasks, sources, models, commands, rules) owns one `Shelf`. Its files are imported at
the first look-up, and a name that is not there gets the nearest one. A shelf may have an entry point group, through which
other installed packages add to it.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Generic, TypeVar, cast

from losscli.errors import CodeError, Finding, SpecError, choose_from, foreign, shown

Item = TypeVar("Item")
Kind = TypeVar("Kind")


class Shelf(Generic[Item]):
    """Things of one kind by their names; `package` is the folder whose files put them here, `noun` names them to users."""

    def __init__(self, package: str, noun: str, entry_points: str | None = None):
        self.package = package
        self.noun = noun
        self.entry_points = entry_points
        self.findings: list[Finding] = []
        self._items: dict[str, Item] = {}
        self._aliases: dict[str, str] = {}
        self._loaded = False
        self._broken: Exception | None = None  # why the files cannot be imported

    def put(self, name: str, item: Item, aliases: tuple[str, ...] = (), again: bool = False) -> None:
        """Add one thing; with `again`, in place of what has the name. A name that is taken is a bug, not a user's error."""
        for taken in () if again else (name, *aliases):
            if taken in self._items or taken in self._aliases:
                raise ValueError(f"there already is a {self.noun} called {taken!r}")
        self._items[name] = item
        self._aliases.update(dict.fromkeys(aliases, name))

    def register(self, name: str) -> Callable[[Kind], Kind]:
        """A decorator that puts the function or class that it decorates here, and leaves it as it is."""

        def enter(item: Kind) -> Kind:
            self.put(name, cast(Item, item))
            return item

        return enter

    def get(self, name: str) -> Item:
        """The thing of that name or alias; `SpecError` with the nearest name if there is none."""
        self._load()
        item = self._items.get(self._aliases.get(name, name))
        if item is None:
            raise SpecError(f"there is no {self.noun} called {shown(name)}", cure=choose_from(name, self.names()))
        return item

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
        if self._broken is not None:  # else a later look-up would take what has been put here for all there is
            raise self._broken
        if self._loaded:
            return
        self._loaded = True  # before the files, which may look each other up
        try:
            package = importlib.import_module(self.package)
            for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
                importlib.import_module(module.name)
        except Exception as error:
            self._broken = error
            raise
        if self.entry_points:
            self._load_installed(self.entry_points)

    def _load_installed(self, group: str) -> None:
        """What other packages put here when they are imported; one that fails leaves a finding, and nothing else."""
        from importlib.metadata import entry_points  # slow to import, and `--help` does without

        for point in entry_points(group=group):
            items, aliases = dict(self._items), dict(self._aliases)
            try:
                with foreign(f"the plugin {shown(point.name)} ({shown(point.value)})"):
                    point.load()
            except CodeError as error:
                self._items, self._aliases = items, aliases
                self.findings.append(
                    Finding(
                        "broken-plugin", "warning", f"{error}; its {self.noun} is left out", "update or uninstall it"
                    )
                )


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
