"""A loss of the user's own: a function or an `nn.Module` class in a Python file, written the ordinary PyTorch way.

`FILE.py:NAME` is accepted on the command line only, since it runs the file. How what is found there is called, and what it
may return, is in `user_kernel.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

from losscli.errors import Finding, SpecError, listed, shown
from losscli.losses import Loss, losses
from losscli.losses.apart import apart
from losscli.losses.source import Source
from losscli.losses.user_kernel import BATCH, UserKernel

REFERENCE = re.compile(r"(.+\.py):([A-Za-z_]\w*)", re.DOTALL)
Result = TypeVar("Result")
_adopted: dict[str, tuple[object, ...]] = {}  # the key on the shelf -> what was typed, and the state of the file


def refers(text: str) -> bool:
    """Whether a name on the command line means code in a file.

    >>> refers("my_loss.py:MyLoss"), refers("focal")
    (True, False)
    """
    if text.endswith(".py"):
        raise SpecError(f"{shown(text)} is a file, and a loss is something in it", cure=f"--loss {text}:NAME")
    return REFERENCE.fullmatch(text) is not None


def label_of(text: str) -> str:
    """The name under which `FILE.py:NAME` stands in a spec, a record and a table; other names are what they are.

    >>> label_of("losses/my loss.py:MyLoss"), label_of("focal")
    ('my-loss.MyLoss', 'focal')
    """
    if not refers(text):
        return text
    file, name = _parts(text)
    return f"{re.sub(r'[^0-9A-Za-z_]+', '-', file.stem).strip('-')[:40] or 'own'}.{name[:40]}"


def adopt(text: str, task: str) -> Loss:
    """Load `FILE.py:NAME` and put it on the shelf, for this process and this task, under its label.

    Raises `SpecError` where there is no such thing or it returns no loss, `CodeError` where it fails.
    """
    file, _ = _parts(text)
    key, state = f"{task}/{label_of(text)}", (text, Path(os.path.realpath(file)), _changed(file))
    if key not in losses or _adopted.get(key) != state:
        item = load(text, task)
        refuse_unfit(item)
        losses.put(key, item, again=key in losses)
        _adopted[key] = state
    return losses.get(key)


def typed(label: str) -> str:
    """What the user typed for a loss: `FILE.py:NAME` where the label is that of an adopted one."""
    return next((str(state[0]) for key, state in _adopted.items() if key.endswith(f"/{label}")), label)


def code_of(item: Loss) -> str:
    """A checksum of the file that a loss of the user's own is in, as it was read, and of those beside it that it imports.

    Empty for any other loss.
    """
    return item.function.code if isinstance(item.function, UserKernel) else ""


def leftovers(item: Loss) -> list[Finding]:
    """What a loss of the user's own has changed in the process; nothing of any other loss."""
    return item.function.leftovers() if isinstance(item.function, UserKernel) else []


def load(text: str, task: str, expects: str | None = None) -> Loss:
    """The loss that `FILE.py:NAME` is, for a task; nothing is put on the shelf.

    `expects` is what it wants of a model: the raw output (logits, or values in regression), unless this or an attribute
    `expects` of the function or class says otherwise. It is tried in a process of its own, and loaded once more where it is
    called first. Raises `CodeError` where it fails, hangs or ends its process.
    """
    source = Source.read(*_parts(text))
    return apart(label_of(text), partial(_tried, source, label_of(text), task, expects))


def _tried(source: Source, label: str, task: str, expects: str | None) -> Loss:
    own = UserKernel(source, label, task, expects)
    per_value = not own.task.has_classes and own.reduction != "batch"
    return Loss(
        label, task, own.expects, own.task.domain, own, per_value, own.reduction == "batch", {}, (),
        findings=tuple(own.findings()),
    )  # fmt: skip


def judged(items: Iterable[Loss], act: Callable[[], Result]) -> Result:
    """What `act` makes of some losses: in a process of its own where one of them is the user's own, else here."""
    own = [item.name for item in items if isinstance(item.function, UserKernel)]
    return apart(listed(own), act) if own else act()


def refuse_unfit(item: Loss) -> None:
    """`SpecError` where a loss of the user's own returns neither one number nor one per sample, or nothing to learn from."""
    if not isinstance(item.function, UserKernel):
        return
    if item.function.reduction == "wrong":
        given = item.function.shape
        square = given == [BATCH, BATCH]
        raise SpecError(
            f"{item.name} must return one number or one per sample, and a batch of {BATCH} gives the shape {given}",
            cure="a [B, 1] is broadcast against a [B]: squeeze(-1) it" if square else "return loss.mean()",
        )
    if not item.function.learns:
        raise SpecError(
            f"{item.name} returns a tensor without a gradient, so nothing can be learned from it",
            cure="compute it from the prediction with torch, without detach(), item() or torch.no_grad()",
        )


def _parts(text: str) -> tuple[Path, str]:
    match = REFERENCE.fullmatch(text)
    if match is None:
        raise SpecError(f"expected FILE.py:NAME, got {shown(text)}", cure="for example my_loss.py:MyLoss")
    return Path(match[1]), match[2]


def _changed(file: Path) -> tuple[int, int] | None:
    return (file.stat().st_mtime_ns, file.stat().st_size) if file.is_file() else None
