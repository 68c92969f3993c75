"""Commands: one thin file each, found by walking this folder. A command reads its flags, makes one call, and shows it.

The docstring of the decorated function is its help, the annotations of its parameters are its flags.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from losscli.shelf import Shelf

commands: Shelf[Callable[..., Any]] = Shelf(__name__, "command")

Command = TypeVar("Command", bound=Callable[..., Any])


def command(name: str) -> Callable[[Command], Command]:
    """Put the decorated function on the shelf."""

    def register(function: Command) -> Command:
        commands.put(name, function)
        return function

    return register
