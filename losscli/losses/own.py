"""A loss of the user's own: a function or an `nn.Module` class in a Python file, written the ordinary PyTorch way.

`FILE.py:NAME` is accepted on the command line only, since it runs the file. How what is found there is called, and what it
may return, is in `user_kernel.py`.
"""

from __future__ import annotations

import os
import re
import sys
from ast import ClassDef, FunctionDef, parse
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from losscli.errors import Finding, SpecError, choose_from, foreign, shown
from losscli.losses import Loss, losses
from losscli.losses.rehearsal import rehearse
from losscli.losses.surroundings import Surroundings
from losscli.losses.user_kernel import BATCH, UserKernel
from losscli.tasks import tasks

REFERENCE = re.compile(r"(.+\.py):([A-Za-z_]\w*)", re.DOTALL)
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
    """A checksum of the file that a loss of the user's own is in, as it was read; empty for any other loss."""
    return item.function.code if isinstance(item.function, UserKernel) else ""


def leftovers(item: Loss) -> list[Finding]:
    """What a loss of the user's own has changed in the process; nothing of any other loss."""
    return item.function.leftovers() if isinstance(item.function, UserKernel) else []


def load(text: str, task: str, expects: str | None = None) -> Loss:
    """The loss that `FILE.py:NAME` is, for a task; nothing is put on the shelf.

    `expects` is what it wants of a model: the raw output (logits, or values in regression), unless this or an attribute
    `expects` of the function or class says otherwise. Raises `CodeError` where it hangs or ends its process.
    """
    rehearse(label_of(text), partial(_load, text, task, expects))
    return _load(text, task, expects)


def _load(text: str, task: str, expects: str | None) -> Loss:
    file, name = _parts(text)
    surroundings = Surroundings()  # before the file is run: that alone may patch something
    user_loss = _load_object(file, name)
    home = tasks.get(task)
    links = home.links
    expects = expects or getattr(user_loss, "expects", None) or next(iter(links))
    if expects not in links:
        raise SpecError(f"a loss for {task} cannot expect {shown(expects)}", cure=choose_from(str(expects), links))
    own = UserKernel(user_loss, label_of(text), str(file), task, links[expects])
    own.tidy(surroundings)
    per_value = not home.has_classes and own.reduction != "batch"
    return Loss(
        label_of(text), task, expects, home.domain, own, per_value, own.reduction == "batch", {}, (),
        findings=tuple(own.findings()),
    )  # fmt: skip


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


def _load_object(file: Path, name: str) -> Any:
    """What a file calls `name`, after running it."""
    if not file.is_file():
        raise SpecError(f"there is no file {shown(file)}", cure="give the path of a Python file, as FILE.py:NAME")
    source = file.read_bytes()
    module = ModuleType(f"losscli_own_{file.stem}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # dataclasses look there
    folder = str(Path(os.path.realpath(file)).parent)
    if folder not in sys.path:
        sys.path.append(folder)  # so that it may import its neighbours
    with foreign(f"the file {shown(file.name)}", str(file)), redirect_stdout(sys.stderr):
        tree = parse(source, str(file))
        exec(compile(source, str(file), "exec"), module.__dict__)  # the user's own code, named on the command line
    user_loss = getattr(module, name, None)
    if not callable(user_loss):
        defined = [node.name for node in tree.body if isinstance(node, (ClassDef, FunctionDef))]
        what = "is no function and no class in" if hasattr(module, name) else "is not in"
        raise SpecError(f"{shown(name)} {what} {shown(file)}", cure=choose_from(name, defined) if defined else None)
    return user_loss
