"""Decision regions in the terminal: where which class is decided on, rows over them, two entries, and nothing for other data."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from losscli.cli.dots import HEIGHT, WIDTH
from losscli.cli.regions import HALF, regions
from losscli.compare.result import Arena

MakeArena = Callable[..., Arena]
SIDE = 28
SCORES = {"bce-logits": [0.80, 0.82], "focal": [0.81, 0.84], "hinge": [0.9, 0.9]}


def frame(classes: np.ndarray) -> dict[str, str]:
    return {"classes": base64.b64encode(classes.astype(np.uint8).tobytes()).decode(), "strength": ""}


def kept(**entries: np.ndarray) -> dict[str, Any]:
    """Of rows [[-1, -1, class 0], [1, 1, class 1]] in a box from -2 to 2; an earlier frame says nothing of the end."""
    nothing = frame(np.full((SIDE, SIDE), 7))
    return {
        "columns": ["x1", "x2"],
        "box": [[-2.0, 2.0], [-2.0, 2.0]],
        "side": SIDE,
        "epochs": [1, 9],
        "entries": {name.replace("_", "-"): [nothing, frame(classes)] for name, classes in entries.items()},
        "rows": [[-1.0, -1.0, 0.0], [1.0, 1.0, 1.0]],
    }


UP = np.repeat(np.arange(SIDE) >= SIDE // 2, SIDE).reshape(
    SIDE, SIDE
)  # class 1 in the upper half, the lowest row first
RIGHT = UP.T


def drawn(arena: Arena, width: int = 100, color: bool = False) -> list[str]:
    console = Console(width=width, color_system="truecolor" if color else None, force_terminal=color)
    with console.capture() as capture:
        for piece in regions(arena):
            console.print(piece)
    return capture.get().splitlines()


def test_regions_lie_where_they_are_and_rows_over_them(arena_of: MakeArena) -> None:
    arena = replace(arena_of({"bce-logits": [0.8]}), why={"regions": kept(bce_logits=UP)})
    title, name, *lines, legend = (line.rstrip() for line in drawn(arena))
    assert title == "what is decided where: x2 against x1, seed 0; dots are training rows"
    assert name == "bce-logits"
    assert len(lines) == HEIGHT
    assert [line.count("░") for line in lines[: HEIGHT // 2]] == [WIDTH] * 3 + [WIDTH - 1] + [WIDTH] * 3
    assert "".join(lines[HEIGHT // 2 :]).strip() == "a"
    # by hand: x = 1 of -2 to 2 is three quarters of the way
    assert lines[3].index("b") == int(0.75 * WIDTH)
    assert lines[10].index("a") == int(0.25 * WIDTH)
    assert legend == "a = died, on blank   b = survived, on ░"


def test_the_reference_and_the_best_other_stand_side_by_side(arena_of: MakeArena) -> None:
    arena = replace(arena_of(SCORES), why={"regions": kept(bce_logits=UP, focal=RIGHT, hinge=RIGHT)})
    assert drawn(arena)[1].split() == ["bce-logits", "hinge"]
    narrow = drawn(arena, width=60)
    assert len(narrow) == 2 + 2 * (1 + HEIGHT) + 1  # below each other, under a title of two lines
    line = drawn(arena)[-2]
    assert line[:WIDTH].strip() == ""
    assert line[WIDTH + 4 :].count("░") == WIDTH // 2


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("color", [True, False])
def test_no_line_is_too_long_and_colours_are_of_half_blocks(arena_of: MakeArena, width: int, color: bool) -> None:
    arena = replace(arena_of(SCORES), why={"regions": kept(bce_logits=UP, hinge=RIGHT + 2 * UP)})
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in drawn(arena, width, color)]
    assert max(map(cell_len, lines)) <= width
    assert any(HALF in line for line in lines) is color
    if width >= 80:
        assert all(name in lines[-1] for name in ("died", "survived", "2", "3"))  # all classes, named or numbered


def test_other_data_have_no_picture(arena_of: MakeArena) -> None:
    numbers = kept(bce_logits=UP)
    numbers["entries"]["bce-logits"] = [{"classes": "", "strength": "AAAA"}]
    for why in ({}, {"regions": {}}, {"regions": numbers}, {"regions": {**kept(), "entries": {}}}):
        assert drawn(replace(arena_of(SCORES), why=why)) == []
