"""Formats that a model is exported to: one function each, under the decorator `exporter`.

`losscli export --help` offers them, so torch is imported when one of them is used. None of them writes to the disk itself:
what it refuses can be said then, and torch's own writer aborts the process where the disk is full.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from losscli.shelf import Shelf

if TYPE_CHECKING:
    import torch

    from losscli.deploy.modules import Predictor

Writer = Callable[["Predictor", "torch.Tensor"], bytes]

exporters: Shelf[tuple[str, Writer]] = Shelf(__name__, "format")  # the file's name, and who makes its bytes


def exporter(name: str, file: str) -> Callable[[Writer], Writer]:
    """Put the decorated function on the shelf: it gives a predictor, tried on example rows [N, F], as the bytes of a file."""

    def register(write: Writer) -> Writer:
        exporters.put(name, (file, write))
        return write

    return register
