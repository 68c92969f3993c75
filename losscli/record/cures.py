"""What one would type about a record in the making; its root is named where it is not the default."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path


def out(root: Path) -> str:
    """The flag that says where records are, with a blank before it; nothing where they are where commands look anyway.

    >>> out(Path("runs")), out(Path("fs"))
    ('', ' --out fs')
    """
    return "" if root == Path(os.environ.get("LOSSCLI_RUNS") or "runs") else f" --out {shlex.quote(str(root))}"


def resume(folder: Path, own: Iterable[str] = ()) -> str:
    """The command that goes on with a record; `own` are files of losses, `FILE.py:NAME`, as no record holds code.

    >>> resume(Path("my runs/0001-titanic"), ["mine.py:mine"])
    "losscli resume 0001-titanic --loss mine.py:mine --out 'my runs'"
    """
    losses = "".join(f" --loss {shlex.quote(text)}" for text in own)
    return f"losscli resume {shlex.quote(folder.name)}{losses}{out(folder.parent)}"


def compare(folder: Path) -> str:
    """The command that begins anew with the spec, or the specs, in the folder of a record.

    >>> compare(Path("runs/0001-titanic"))
    'losscli compare runs/0001-titanic/spec.yaml'
    """
    specs = "spec*.yaml" if (folder / "spec2.yaml").exists() else "spec.yaml"
    return f"losscli compare {shlex.quote(str(folder))}/{specs}{out(folder.parent)}"


def remove(folder: Path) -> str:
    """The command that removes a record."""
    return f"losscli runs rm {shlex.quote(folder.name)}{out(folder.parent)}"
