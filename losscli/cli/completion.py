"""What a shell is offered after TAB: names of the shelves, records at hand, columns of the file that is given. Without torch.

A completion never fails: what cannot be read offers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import typer

from losscli.errors import UserError

Names = Callable[[typer.Context, str], Iterable[str]]
Complete = Callable[[typer.Context, str], list[str]]


def completing(names: Names) -> Complete:
    """The names that begin as the word does; none where something is wrong with what stands before it."""

    @wraps(names)
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return sorted({name for name in names(ctx, incomplete) if name.startswith(incomplete)})
        except (UserError, OSError, ValueError, LookupError, AttributeError):
            return []

    complete.__annotations__ = {"ctx": typer.Context, "incomplete": str, "return": list[str]}
    return complete


def _given(ctx: typer.Context, name: str) -> Any:
    """The first value of a parameter that stands before the word."""
    value = ctx.params.get(name)
    return value[0] if isinstance(value, (list, tuple)) and value else value


@completing
def tasks(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Tasks."""
    from losscli.tasks import tasks

    return tasks.names()


@completing
def losses(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Losses of the task, or of all."""
    from losscli.losses import catalogue

    return (item.name for item in catalogue(_given(ctx, "task")))


@completing
def metrics(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Metrics of the task, or of all."""
    from losscli.metrics import for_task
    from losscli.tasks import tasks

    task = _given(ctx, "task")
    return (name for one in ([task] if task else tasks.names()) for name in for_task(one))


@completing
def data(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Data sets and generators by name, and tables below the folder that is named so far."""
    from losscli.data.sources import all_endings, named

    folder = incomplete[: incomplete.rfind("/") + 1]
    files = [path for path in Path(folder).iterdir() if path.suffix.lower() in all_endings() or path.is_dir()]
    return [*named(), *(f"{folder}{path.name}{'/' if path.is_dir() else ''}" for path in files)]


@completing
def columns(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Columns of the table that is given."""
    from losscli.data.files import File
    from losscli.data.sources import kinds_of, sources

    path = Path(str(_given(ctx, "data")))
    kind: Any = sources.get(kinds_of(path)[0])
    names: tuple[str, ...] = kind(target="?", **kind.keys_of(str(path))).headings(File(path, path.name))
    return names


@completing
def records(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Records at hand, by their ids."""
    from losscli.record import find

    root = Path(_given(ctx, "out") or _given(ctx, "root") or "runs")
    return (folder.name for folder in find.records(root, unfinished=True))


@completing
def explained(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Losses and rules."""
    from losscli.losses import catalogue
    from losscli.rules import rules

    return [*(item.name for item in catalogue(_given(ctx, "task"))), *rules.names()]


@completing
def settings(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Keys that `--set` takes, and options of the loss that is given."""
    return (f"{key}=" for key in _keys(_given(ctx, "task"), _given(ctx, "loss")))


def _keys(task: str | None, loss: str | None) -> Iterator[str]:
    from losscli.data.sources import sources
    from losscli.losses import catalogue
    from losscli.spec.keys import KEYS
    from losscli.stack.models import models
    from losscli.stack.plan import Plan

    yield from (key for key in KEYS if key not in ("data", "model", "train"))
    yield from (f"train.{key}" for key in Plan.model_fields)
    yield from (f"model.{key}" for name in models.names() for key in models.get(name).model_fields)
    yield from (f"data.{key}" for name in sources.names() for key in sources.get(name).model_fields)
    yield from (f"loss.{key}" for item in catalogue(task) if loss in (None, item.name) for key in item.options)
