"""The flags of `losscli stress`: which kind of damage, at which levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from losscli.errors import Place, SpecError

if TYPE_CHECKING:
    from losscli.spec.model import Spec

EXAMPLE = "0.1,0.2,0.4"


def damage(given: Mapping[str, tuple[str, str | None]]) -> tuple[tuple[str, str, Any], ...]:
    """Flag, kind and levels of the one flag that was typed, by flag: its kind, and what was typed, if anything was.

    >>> damage({"--label-noise": ("labels", "0.1,0.2"), "--missing": ("missing", None)})
    (('--label-noise', 'labels', [0.1, 0.2]),)
    """
    from losscli.spec.reader import read_value

    typed = {flag: (kind, text) for flag, (kind, text) in given.items() if text is not None}
    if len(typed) > 1:
        message = f"stress varies one kind of damage, and {' and '.join(typed)} are {len(typed)}"
        raise SpecError(message, place=Place(list(typed)[-1]), cure="run the command once for each")
    return tuple((flag, kind, read_value(f"[{text.strip(',')}]", flag)) for flag, (kind, text) in typed.items())


def refuse_no_levels(specs: Sequence[Spec], flags: Sequence[str]) -> None:
    """`SpecError` if neither a flag nor a spec says how much damage there shall be."""
    for spec in specs:
        if spec.data.corrupt.varied is None:
            *others, last = flags
            cure = f"for example --label-noise {EXAMPLE}; there are {', '.join(others)} and {last}"
            raise SpecError(f"stress needs levels of damage, and {spec.name} has none", cure=cure)
        if not any(level.active() for level in spec.data.corrupt.levels()):
            message = f"stress needs damage, and the levels of {spec.data.corrupt.varied} are all 0"
            raise SpecError(message, cure=f"levels above 0, as {EXAMPLE}")
