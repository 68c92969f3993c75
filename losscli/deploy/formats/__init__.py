"""Formats that a model is exported to: one function each, under the decorator `exporter`.

`losscli export --help` offers them, so torch is imported when one of them is written.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from losscli.shelf import Shelf

if TYPE_CHECKING:
    import torch

    from losscli.deploy.modules import Predictor

Writer = Callable[["Predictor", "torch.Tensor", Path], None]

exporters: Shelf[tuple[str, Writer]] = Shelf(__name__, "format")  # the file's name, and who writes it


def exporter(name: str, file: str) -> Callable[[Writer], Writer]:
    """Put the decorated function on the shelf: it writes a predictor, tried on example rows [N, F], to a path."""

    def register(write: Writer) -> Writer:
        exporters.put(name, (file, write))
        return write

    return register
