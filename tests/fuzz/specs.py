"""Specs: every key of every task as `losscli init` writes it, small data, and odd values, keys and lines."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from driver import Case, kind
from odd import ODD, change_bytes, change_json, change_lines, encoded
from watch import called

from losscli.losses import losses
from losscli.tasks import tasks

FORMS = [{"default_flow_style": False}, {"default_flow_style": True}, {"default_style": '"'}, {"allow_unicode": True}]


@cache
def _whole(task: str, place: Path) -> str:
    return called(["init", task, "--to", "-"], place).text


def _spec(task: str, chance: random.Random, work: Path) -> dict[str, Any]:
    """The spec that `init` writes, with a few of the keys that have a # in front there; as plain data."""
    lines = []
    for line in _whole(task, work).splitlines():
        commented = line.lstrip().startswith("# ") and ":" in line
        if commented and chance.random() < 0.15:
            line = line.replace("# ", "", 1)
        if not line.lstrip().startswith("#"):
            lines.append(line)
    try:
        data: Any = yaml.safe_load("\n".join(lines))
    except yaml.YAMLError:
        data = {"task": task}
    return data if isinstance(data, dict) else {"task": task}


def _smaller(data: dict[str, Any]) -> None:
    """Few rows and a small model: what is odd comes later."""
    block = data.get("data")
    if isinstance(block, dict) and "n_samples" in block:
        block["n_samples"] = 60
    if isinstance(data.get("model"), dict):
        data["model"]["hidden"] = [4]


def _text(data: Any, chance: random.Random) -> str:
    form = chance.choice(FORMS)
    try:
        return yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=False, **form)
    except UnicodeEncodeError:  # half a character
        return json.dumps(data, ensure_ascii=False)
    except RecursionError:  # deeper than PyYAML itself can write
        return f"{next(iter(data))}: " + "[" * 2000 + "]" * 2000


@kind("specs")
def specs(chance: random.Random, work: Path) -> Case:
    """A spec that is changed in up to four places as data, and sometimes as text or bytes."""
    task = chance.choice(tasks.names())
    data = _spec(task, chance, work)
    _smaller(data)
    if chance.random() < 0.3:
        data["loss"] = chance.sample(losses.names(), 2)
    changes = []
    for _ in range(chance.choice([0, 1, 1, 1, 2, 4])):
        data, what = change_json(data, chance)
        changes.append(what)
        if not isinstance(data, dict) or not data:
            data = {"task": chance.choice(ODD)}
    path = work / "s.yaml"
    path.write_bytes(encoded(_text(data, chance)))
    if chance.random() < 0.3:
        changes.append(chance.choice((change_lines, change_lines, change_bytes))(path, chance))
    call = chance.choice(("train", "compare", "inspect", "recommend", "plan", "init"))
    small = {"train": ["--smoke", "--no-record", "--quiet"], "plan": ["--quiet"], "init": ["--to", "-"]}
    small["compare"] = small["train"]
    calls = [["validate", "s.yaml"]]
    if chance.random() < 0.25:
        calls.append([call, "s.yaml", *small.get(call, [])])
    return Case([task, *changes], calls)
