"""A spec with a comment for each key: what was decided stands there, every other key beside it as a comment with its default.

Keys, defaults and comments are those of the classes that read them, so a new key stands in the next outline by itself.
One # stands before a key that may be put in, two before prose: without all single ones the spec is the same.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from losscli.advice.recommend import Recommendation
from losscli.data.sources import sources
from losscli.losses import Bounds, Choice, Option, PerClass, find
from losscli.metrics import for_task
from losscli.spec.comments import comment
from losscli.spec.dump import flow, seeds_of
from losscli.spec.keys import KEYS
from losscli.spec.load import SCHEMA_VERSION
from losscli.spec.model import LossChoice, Spec
from losscli.stack.models import models
from losscli.stack.plan import plan_of
from losscli.tasks import tasks

WIDEST = 118  # columns of a line with its comment
ASIDE = 30  # where comments begin that stand beside a key
SEEDS = 5
OTHERS = (
    "expect",
    "equivalence",
    "costs",
    "tune",
    "yardstick",
)  # keys that are decided only where something is asked of them


@dataclass(frozen=True)
class Line:
    """A key with its value, or a key above a block (no value); `active` or commented out; `description` says what it is for."""

    depth: int
    text: str
    description: str = ""
    active: bool = True

    def written(self) -> Iterator[str]:
        """The line with its comment beside it, or above it where it is too long."""
        lead = "" if self.active else "#" if self.text.startswith("# ") else "# "
        indent = "  " * self.depth
        line = f"{indent}{lead}{self.text}"
        beside = f"{line:<{ASIDE}}  # {self.description}"
        if not self.description or len(beside) <= WIDEST:
            yield beside if self.description else line
            return
        for part in textwrap.wrap(self.description, WIDEST - len(indent) - 3):
            yield f"{indent}## {part}"
        yield line


@dataclass(frozen=True)
class Outline:
    """What a spec decides: its task, its data, its losses with the reason for each; the rest are defaults."""

    task: str
    data: Mapping[str, Any]
    losses: Sequence[tuple[LossChoice, str]]
    header: Sequence[str] = ()
    name: str = "spec"
    metrics: Sequence[str] = field(default_factory=list)
    schema: str | None = None  # where the JSON Schema is, for editors
    model: Mapping[str, Any] = field(default_factory=lambda: {"kind": "mlp"})
    train: Mapping[str, Any] = field(default_factory=dict)
    seeds: Any = SEEDS  # as a spec says them
    others: Mapping[str, Any] = field(default_factory=dict)  # of the other keys, those that are decided

    def text(self) -> str:
        """The whole file."""
        lines = [f"# yaml-language-server: $schema={self.schema}"] if self.schema else []
        lines += [f"## {line}".rstrip() for line in self.header]
        for key in KEYS:
            lines += [part for line in self._section(key) for part in line.written()]
        return "\n".join(lines) + "\n"

    def _section(self, key: str) -> Iterator[Line]:
        description = plain(comment(Spec, key), key) if key in Spec.model_fields else "the version of this format"
        if key == "task":
            yield Line(0, f"task: {self.task}", description)
        elif key in ("data", "model", "train"):
            kind, given = self._block(key)
            yield Line(0, f"{key}:", description)
            yield from block(kind, given, 1)
        elif key == "loss":
            yield Line(0, "loss:", description)
            yield from self._losses()
        elif key == "seeds":
            yield Line(0, f"seeds: {flow(self.seeds)}", description)
        elif key in self.others:
            yield Line(0, f"{key}: {flow(self.others[key])}", description)
        elif key == "metrics":
            metrics = list(self.metrics) or list(tasks.get(self.task).default_metrics)
            others = [name for name in for_task(self.task) if name not in metrics]
            yield Line(0, f"metrics: {flow(metrics)}", f"{description}; there are also {', '.join(others)}")
        else:
            values = {"name": self.name, "schema_version": SCHEMA_VERSION}
            value = values[key] if key in values else _default(Spec, key)
            # A key that has no value by default is told of, as null would be refused in its place.
            yield Line(
                0,
                f"# {key}: {description}" if value is None else f"{key}: {flow(value)}",
                description if value is not None else "",
                False,
            )

    def _block(self, key: str) -> tuple[type[BaseModel], Mapping[str, Any]]:
        if key == "data":
            return sources.get(self.data["source"]), self.data
        if key == "model":
            return models.get(self.model["kind"]), self.model
        plan = plan_of(tasks.get(self.task).plan)
        return plan, {"lr": plan.model_fields["lr"].default, **self.train}

    def _losses(self) -> Iterator[Line]:
        """One loss with all its options; of several, each on a line with the reason for it."""
        for choice, reason in self.losses:
            beside = {key: value for key in ("weight", "output", "lr") if (value := getattr(choice, key)) is not None}
            written = {"name": choice.name, **choice.options, **beside}
            if len(self.losses) > 1:
                yield Line(1, f"- {flow(written) if len(written) > 1 else choice.name}", reason)
                continue
            loss = find(choice.name, self.task)
            yield Line(1, f"- name: {choice.name}", reason or loss.summary)
            for option in loss.options.values():
                if not option.required and option.name not in choice.options:
                    yield Line(2, f"{option.name}: {flow(option.default)}", _takes(option), active=False)
            for name, value in (pair for pair in written.items() if pair[0] != "name"):
                yield Line(2, f"{name}: {flow(value)}")
            for name in (key for key in ("output", "lr") if key not in written):
                yield Line(2, f"{name}: null", plain(comment(LossChoice, name), name), active=False)


def block(kind: type[BaseModel], given: Mapping[str, Any], depth: int, active: bool = True) -> Iterator[Line]:
    """Every key of a block: those that are given first, then the others, commented out, with their defaults."""
    ordered = [
        *(key for key in kind.model_fields if key in given),
        *(key for key in given if key not in kind.model_fields),
    ]
    for key in [*ordered, *(key for key in kind.model_fields if key not in given)]:
        if key not in kind.model_fields:  # an option of a generator
            yield Line(depth, f"{key}: {flow(given[key])}")
            continue
        description = plain(comment(kind, key), key)
        inner = kind.model_fields[key].annotation
        here = active and key in given
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield Line(depth, f"{key}:", description, here)
            inside = given[key] if here else {}
            # Within a comment, a deeper block is indented behind the sign.
            yield from (block(inner, inside, depth + 1) if here else _commented(inner, depth))
        else:
            yield Line(depth, f"{key}: {flow(given[key] if key in given else _default(kind, key))}", description, here)


def _commented(kind: type[BaseModel], depth: int) -> Iterator[Line]:
    for line in block(kind, {}, 1, active=False):
        inner = "  " * line.depth
        yield Line(depth, f"{inner}{line.text}", line.description, active=False)


def plain(text: str, key: str) -> str:
    """A comment without the key that it stands beside.

    >>> plain("`clip` is the largest gradient norm", "clip"), plain("`lr` may be a list", "lr")
    ('the largest gradient norm', 'lr may be a list')
    """
    return re.sub(
        rf"^`{re.escape(key)}`(?: is| are|:|(?= what| whether| the share| the labels| the sd)) ", "", text
    ).replace("`", "")


def _default(kind: type[BaseModel], key: str) -> Any:
    value = kind.model_fields[key].get_default(call_default_factory=True)
    return value.model_dump() if isinstance(value, BaseModel) else list(value) if isinstance(value, tuple) else value


def of_task(name: str, schema: str | None, spec: Spec | None = None) -> Outline:
    """An outline for a task, on the data that the task is shown on; or as a spec of that task has it."""
    task = tasks.get(name)
    header = [f"A spec for {name}: {task.summary}.", "Every key is here; those with # in front have their default."]
    if spec is not None:
        return of_spec(spec.model_copy(update={"name": name}), Path(), header, schema)
    losses = [(LossChoice(name=task.default_loss), "")]
    model = {"kind": "mlp", **task.default_model}
    return Outline(name, dict(task.default_data), losses, header, name=name, schema=schema, model=model)


def of_spec(spec: Spec, folder: Path, header: Sequence[str], schema: str | None) -> Outline:
    """An outline for a spec's data, task and losses, for a file that will be in `folder`."""
    data = _given(spec.data)
    if "path" in data:
        paths = [data["path"]] if isinstance(data["path"], str) else data["path"]
        moved = [_relative(Path(spec.folder) / path, folder) for path in paths]
        data["path"] = moved[0] if isinstance(data["path"], str) else moved
    losses = [(choice, "") for choice in spec.loss]
    kind = {
        key: getattr(spec.model, key)
        for key in ("kind", *tasks.get(spec.task).default_model)
        if hasattr(spec.model, key)
    }
    return Outline(
        spec.task,
        data,
        losses,
        header,
        spec.name,
        spec.metrics,
        schema,
        model={**kind, **spec.model.model_dump(exclude_defaults=True)},
        train={"lr": spec.train.lr, **spec.train.model_dump(exclude_defaults=True)},
        seeds=seeds_of(spec),
        others={key: value for key in OTHERS if (value := getattr(spec, key))},
    )


def of_recommendation(spec: Spec, recommendation: Recommendation, folder: Path, schema: str | None) -> Outline:
    """An outline whose losses are those recommended, each with its reason."""
    header = [f"Losses that {spec.name} asks for, measured by losscli recommend:"]
    for advice in recommendation.advice.values():
        header += textwrap.wrap(f"- {advice.reason}", WIDEST - 4, subsequent_indent="  ")
        header += [f"  ({advice.source})"] if advice.source else []
    outline = of_spec(spec, folder, header, schema)
    losses = [
        (LossChoice(name=recommended.pick.loss, options=dict(recommended.pick.options)), _why(recommended))
        for recommended in recommendation.losses
    ]
    return replace(outline, losses=losses)


def _why(recommended: Any) -> str:
    heuristics = ", ".join(recommended.reasons).replace("-", " ") or "the reference"
    return (
        f"{heuristics}: {recommended.summary}" if len(heuristics) + len(recommended.summary) < 90 else f"{heuristics}"
    )


def _takes(option: Option) -> str:
    accepts = option.accepts
    if isinstance(accepts, Choice):
        return " or ".join(accepts.names)
    bounds = accepts if isinstance(accepts, Bounds) else accepts.bounds
    heuristics = f", or {' or '.join(accepts.rules)}" if isinstance(accepts, PerClass) and accepts.rules else ""
    return f"number {bounds}{heuristics}; a list is a grid"


def _relative(path: Path, folder: Path) -> str:
    return path.as_posix() if os.path.isabs(path) else Path(os.path.relpath(path, folder)).as_posix()


def _given(source: BaseModel) -> dict[str, Any]:
    """What a source says that is not the default, and always what it is."""
    return {"source": getattr(source, "source", None), **source.model_dump(exclude_defaults=True)}
