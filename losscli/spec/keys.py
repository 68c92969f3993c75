"""The keys of a spec, and those of its blocks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from losscli.data.sources import sources
from losscli.stack.models import models
from losscli.stack.plan import plan_of
from losscli.tasks import tasks

if TYPE_CHECKING:
    from pydantic import BaseModel

KEYS = (
    "task",
    "name",
    "data",
    "loss",
    "model",
    "train",
    "seeds",
    "metrics",
    "expect",
    "equivalence",
    "costs",
    "tune",
    "yardstick",
    "schema_version",
)


def inner_keys() -> dict[str, str]:
    """Every key that a block may have, with its path.

    >>> inner_keys()["optimizer"], inner_keys()["hidden"]
    ('train.optimizer', 'model.hidden')
    """
    blocks: dict[str, Iterable[type[BaseModel]]] = {
        "data": sources,
        "model": models,
        "train": [plan_of(task.plan) for task in tasks],
    }
    return {key: f"{name}.{key}" for name, kinds in blocks.items() for kind in kinds for key in kind.model_fields}
