"""A shelf whose files cannot be imported says so at every look-up, not at the first alone."""

from __future__ import annotations

import sys

import pytest

from losscli.shelf import Shelf

LOOK_UPS = {
    "get": lambda shelf: shelf.get("one"),
    "names": lambda shelf: shelf.names(),
    "in": lambda shelf: "one" in shelf,
    "iteration": lambda shelf: list(shelf),
}


@pytest.mark.parametrize("look_up", LOOK_UPS.values(), ids=LOOK_UPS)
def test_an_import_error_is_reported_every_time(tmp_path, monkeypatch, look_up):
    room = tmp_path / "broken_room"
    room.mkdir()
    (room / "__init__.py").write_text("from losscli.shelf import Shelf\nthings = Shelf(__name__, 'thing')\n")
    (room / "a.py").write_text("from broken_room import things\nthings.put('one', 1)\n")
    (room / "b.py").write_text("from broken_room import things\nthings.put('two', 2)\nimport no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    shelf = Shelf("broken_room", "thing")
    try:
        for _ in range(3):
            with pytest.raises(ModuleNotFoundError, match="no_such_module"):
                look_up(shelf)
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "broken_room"]:
            del sys.modules[name]
