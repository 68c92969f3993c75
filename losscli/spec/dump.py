"""A spec as YAML again: resolved, re-runnable as it is, read as the same by YAML 1.1 and 1.2."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from losscli.spec.load import SCHEMA_VERSION
from losscli.spec.model import LossChoice, Spec

WIDEST = 100  # characters of a block in braces

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}  # of YAML 1.1 or 1.2, in any case
UNSEEN = re.compile("[\x7f-\xa0\u00ad\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def to_yaml(spec: Spec, relative_to: Path | None = None) -> str:
    """The spec in full. `relative_to` is the folder the text will be put in: a relative data path is rewritten for it.

    Loading the text gives an equal spec, but for `folder` and `notes` (and the data's path, if it was rewritten).
    """
    block = spec.model_dump(mode="python")
    if relative_to is not None:
        block["data"] = _moved(block["data"], Path(spec.folder), relative_to)
    losses = [_loss(choice) for choice in spec.loss]
    ordered = {
        "schema_version": SCHEMA_VERSION,
        "task": spec.task,
        "name": spec.name,
        "data": block["data"],
        "loss": losses[0] if len(losses) == 1 else losses,
        "model": block["model"],
        "train": block["train"],
        "seeds": seeds_of(spec),
        "metrics": spec.metrics,
        **({"tune": spec.tune} if spec.tune else {}),
        **({"expect": spec.expect} if spec.expect else {}),
        **({"costs": spec.costs} if spec.costs else {}),
        **({"equivalence": spec.equivalence} if spec.equivalence else {}),
        **({"yardstick": True} if spec.yardstick else {}),
    }
    return "".join(f"{key}:{_block(value, '  ')}\n" for key, value in ordered.items())


def seeds_of(spec: Spec) -> Any:
    """What `seeds:` says: how many, or which, or how many at the first look and at the last."""
    if spec.adaptive is not None and spec.looks is not None:
        return {"start": spec.looks.sizes[0], "most": spec.adaptive.most}
    return len(spec.seeds) if spec.seeds == list(range(len(spec.seeds))) else spec.seeds


def _moved(data: Mapping[str, Any], old: Path, new: Path) -> dict[str, Any]:
    path = data.get("path")
    if path is None:
        return dict(data)
    moved = [
        # Slashes on every system: the text may be read on another.
        part if os.path.isabs(part) else Path(os.path.relpath(old / part, new)).as_posix()
        for part in ([path] if isinstance(path, str) else path)
    ]
    return {**data, "path": moved[0] if isinstance(path, str) else moved}


def _loss(choice: LossChoice) -> Any:
    ours = {"output": choice.output, "lr": choice.lr, "weight": choice.weight}
    block = {"name": choice.name, **choice.options, **{key: value for key, value in ours.items() if value is not None}}
    return choice.name if len(block) == 1 else block


def _block(value: Any, indent: str) -> str:
    """What follows a key's colon: on its line if it is short, else on lines of its own."""
    short = flow(value)
    if not isinstance(value, (dict, list)) or not value or len(short) + len(indent) <= WIDEST:
        return f" {short}"
    if isinstance(value, list):
        return "".join(f"\n{indent}- {flow(item)}" for item in value)
    return "".join(f"\n{indent}{flow(key)}:{_block(item, indent + '  ')}" for key, item in value.items())


def flow(value: Any) -> str:
    """A value in braces and brackets.

    >>> flow({"lr": 1e-05, "names": ["no", "relu", "a b"], "clip": None})
    '{lr: 1.0e-05, names: ["no", relu, "a b"], clip: null}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, str):
        return value if PLAIN.fullmatch(value) and value.casefold() not in WORDS else _quoted(value)
    if isinstance(value, float):  # YAML 1.1 takes a number for a float only with a point
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))
    return json.dumps(value)


def _quoted(text: str) -> str:
    """In double quotes, with the characters that nobody sees as escapes."""
    return UNSEEN.sub(lambda match: f"\\u{ord(match.group()):04X}", json.dumps(text, ensure_ascii=False))
