"""The library that pages carry is the one that was published, and what its neighbours say of it is true."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

from losscli.pages import plotly

VENDOR = files("losscli.pages").joinpath("vendor")


def test_the_bundle_is_the_one_that_was_published() -> None:
    assert hashlib.sha256(plotly.source().encode()).hexdigest() == plotly.SHA256


def test_the_note_beside_it_says_the_same() -> None:
    note = VENDOR.joinpath("README.md").read_text()
    assert plotly.SHA256 in note
    assert re.findall(r"\d+\.\d+\.\d+", note) == [plotly.VERSION]
    assert "MIT License" in VENDOR.joinpath("LICENSE").read_text()


def test_nothing_in_it_needs_eval() -> None:
    """Pages forbid it: `script-src` names hashes, and never 'unsafe-eval'."""
    assert re.findall(r"\bnew Function\(|[^\w.]eval\(", plotly.source()) == []
    assert "getElementById(" in plotly.source()  # or the search above looks at nothing
    assert len(plotly.style_ids()) == 1
