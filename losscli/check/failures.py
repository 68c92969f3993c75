"""Misuse that torch refuses: which rule an exception of the user's code breaks, and where."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING

from torch import Tensor

from losscli.check.sites import Site, is_users
from losscli.errors import Place
from losscli.rules.contract import BY_CLASS

if TYPE_CHECKING:
    from losscli.check.watch import Watch

Frames = Sequence[tuple[FrameType, Site]]


def explain(error: BaseException, watch: Watch) -> None:
    """Report the rule that an exception stands for, if one does."""
    frames = _frames(error)
    users = [site for frame, site in frames if is_users(frame.f_code.co_filename)]
    if not users:
        return
    for rule, pattern, fits in REFUSALS:
        if re.search(pattern, str(error)) and fits(frames):
            watch.report.emit(rule, users[-1], f"torch raises {type(error).__name__}")


def place_of(error: BaseException) -> Place | None:
    """The innermost line of the user's own code."""
    if isinstance(error, SyntaxError) and error.filename:
        return Place(error.filename, error.lineno)
    users = [site for frame, site in _frames(error) if is_users(frame.f_code.co_filename)]
    return Place(users[-1].file, users[-1].line) if users else None


def _frames(error: BaseException) -> Frames:
    trace, found = error.__traceback__, []
    while trace is not None:
        found.append((trace.tb_frame, Site(trace.tb_frame.f_code, trace.tb_lasti)))
        trace = trace.tb_next
    return found


def _makes_a_loss(frames: Frames) -> bool:
    """Whether a class of torch's losses was being made, out of tensors."""
    for frame, _ in frames:
        made = frame.f_locals.get("self")
        if frame.f_code.co_name == "__init__" and type(made).__name__ in BY_CLASS:
            values = [value for name, value in frame.f_locals.items() if name != "self"]
            return any(isinstance(value, Tensor) for value in values)
    return False


def _anywhere(frames: Frames) -> bool:
    return True


REFUSALS: Sequence[tuple[str, str, Callable[[Frames], bool]]] = (
    ("optimizer-unbound-parameters", r"parameters\(\) missing 1 required positional argument: 'self'", _anywhere),
    ("loss-class-called-with-tensors", r"Boolean value of Tensor", _makes_a_loss),
)
