"""Where in the user's code something happens: the innermost frame that is neither torch's, nor Python's, nor losscli's."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

OWN = str(Path(__file__).parent.parent) + os.sep
FOREIGN = ("site-packages", "dist-packages")
STDLIB = tuple({sysconfig.get_paths()[key] + os.sep for key in ("stdlib", "platstdlib")})
MODULES = os.sep + os.path.join("torch", "nn", "modules") + os.sep


@dataclass(frozen=True, slots=True)
class Site:
    """An instruction in somebody's code; which line and column that is, is looked up when it is asked."""

    code: CodeType
    instruction: int

    @property
    def file(self) -> str:
        return self.code.co_filename

    @property
    def line(self) -> int:
        return next(self._position(), None) or self.code.co_firstlineno

    @property
    def column(self) -> int:
        _, _, column, _ = self._position()
        return (column or 0) + 1  # in octets from 0, here in characters from 1; they differ only after other letters

    def _position(self) -> Iterator[int | None]:
        return iter(next(islice(self.code.co_positions(), self.instruction // 2, None)))


@cache
def is_users(file: str) -> bool:
    """Whether a file is the user's own.

    >>> is_users("/home/me/train.py"), is_users("/venv/lib/python3.12/site-packages/torch/_tensor.py"), is_users(__file__)
    (True, False, False)
    """
    if file.startswith(("<", OWN)):
        return False
    return not any(part in file for part in FOREIGN) and not file.startswith(STDLIB)


_anchors: dict[CodeType, Site] = {}


@contextmanager
def anchored(code: CodeType, site: Site) -> Iterator[None]:
    """What a function of this code calls, and has no line in the user's code, happens at `site`."""
    _anchors[code] = site
    try:
        yield
    finally:
        del _anchors[code]


def here(frame: FrameType | None = None) -> Site:
    """The innermost line of the user's on the stack; the outermost line there is, where no file is the user's."""
    frame = frame or sys._getframe(1)
    last = frame
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return Site(frame.f_code, frame.f_lasti)
        if frame.f_code in _anchors:
            return _anchors[frame.f_code]
        last, frame = frame, frame.f_back
    return Site(last.f_code, last.f_lasti)


def layer_around(frame: FrameType | None, most: int = 6) -> Any:
    """The layer of torch.nn whose forward() runs here, if the user's own code is not nearer."""
    for _ in range(most):
        if frame is None or is_users(frame.f_code.co_filename):
            return None
        if frame.f_code.co_name == "forward" and MODULES in frame.f_code.co_filename:
            return frame.f_locals.get("self")
        frame = frame.f_back
    return None
