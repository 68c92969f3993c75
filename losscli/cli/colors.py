"""`--color`: on, off, or as the terminal and its environment say (NO_COLOR, FORCE_COLOR, TERM)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from losscli.errors import Place, SpecError, choose_from, shown

FLAG = "--color"
VARIABLES = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE")  # what Rich goes by


class Colors(StrEnum):
    """When to use colours."""

    auto = "auto"
    always = "always"
    never = "never"


def taken(words: list[str]) -> Colors:
    """Take the flag out of a command line, wherever it stands, and give its value; the last one counts.

    >>> words = ["train", "--color", "never", "--loss", "mae"]
    >>> taken(words), words
    (<Colors.never: 'never'>, ['train', '--loss', 'mae'])
    """
    choice = Colors.auto
    while (at := next((at for at, word in enumerate(words) if word.partition("=")[0] == FLAG), None)) is not None:
        _, equals, value = words.pop(at).partition("=")
        if not equals:
            value = words.pop(at) if at < len(words) else ""
        if value not in list(Colors):
            cure = choose_from(value, [str(color) for color in Colors])
            raise SpecError(
                f"{FLAG} takes auto, always or never, and {shown(value)} is given", place=Place(FLAG), cure=cure
            )
        choice = Colors(value)
    return choice


@contextmanager
def chosen(choice: Colors) -> Iterator[None]:
    """The environment that says so, for as long as the block lasts: whatever prints goes by it."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    if choice is not Colors.auto:
        for name in VARIABLES:
            os.environ.pop(name, None)
        os.environ["NO_COLOR" if choice is Colors.never else "FORCE_COLOR"] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
