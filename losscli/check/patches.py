"""Attributes of torch that are replaced while the user's code runs, and put back afterwards, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MISSING = object()


class Patches:
    """Replaced attributes, in the order in which they were.

    >>> import types
    >>> owner, patches = types.SimpleNamespace(a=1), Patches()
    >>> patches.replace(owner, "a", 2); owner.a
    2
    >>> patches.restore(); owner.a
    1
    """

    def __init__(self) -> None:
        self._before: list[tuple[Any, str, Any]] = []
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Give a module or a class another attribute."""
        self._before.append((owner, name, vars(owner).get(name, MISSING)))
        setattr(owner, name, value)

    def afterwards(self, undo: Callable[[], None]) -> None:
        """Something else that is to be undone."""
        self._undo.append(undo)

    def restore(self) -> None:
        """Put everything back, the last first."""
        while self._before:
            owner, name, value = self._before.pop()
            if value is MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
        while self._undo:
            self._undo.pop()()
