"""Texts that other programs write: logs of training, scripts and notebooks, tables of scores."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

from driver import Case, kind
from odd import WORDS, change_bytes, change_json_file, change_lines

from losscli.rules import PRELUDE, in_order

COLUMNS = (
    "epoch",
    "step",
    "loss",
    "train_loss",
    "val_loss",
    "accuracy",
    "lr",
    "time",
    "eval/loss",
    "loss/train",
    "",
    "mse",
    "grad_norm",
)


def _curve(chance: random.Random, length: int) -> list[float]:
    shape = chance.choice((
        lambda step: 2 / (step + 1), lambda step: math.log(10), lambda step: math.nan if step > length / 2 else 1.0,
        lambda step: 1e300 * step,
        lambda step: -step, lambda step: chance.gauss(1, 1), lambda step: 0.0, lambda step: step * 1.0,
        lambda step: 10.0**-step,
        lambda step: math.inf, lambda step: 2.0**step,
    ))  # fmt: skip
    return [shape(min(step, 900)) for step in range(length)]


@kind("logs")
def logs(chance: random.Random, work: Path) -> Case:
    """The log of a run as CSV, or as one of several forms of JSON."""
    length = chance.choice([0, 1, 2, 3, 20, 20, 60, 2000])
    names = chance.sample(COLUMNS, chance.choice([1, 2, 3, 4]))
    columns = [list(range(length)) if name in ("epoch", "step") else _curve(chance, length) for name in names]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    form = chance.choice(("csv", "csv", "json", "jsonl", "trainer", "columns"))
    path = work / f"log.{'csv' if form == 'csv' else 'json'}"
    texts: dict[str, Any] = {
        "csv": lambda: "\n".join([",".join(names), *(",".join(map(str, row.values())) for row in rows)]) + "\n",
        "json": lambda: json.dumps(rows), "jsonl": lambda: "\n".join(map(json.dumps, rows)),
        "trainer": lambda: json.dumps({"log_history": rows, "global_step": length}),
        "columns": lambda: json.dumps(dict(zip(names, columns, strict=True))),
    }  # fmt: skip
    path.write_text(texts[form]())
    changes = [f"{form} of {length} rows: {names}"]
    for _ in range(chance.choice([0, 1, 1, 2])):
        change: Any = chance.choice((change_lines, change_lines, change_bytes))
        try:
            changes.append((change_json_file if form != "csv" and chance.random() < 0.6 else change)(path, chance))
        except (ValueError, RecursionError, LookupError):  # it is no JSON any more
            changes.append(change_bytes(path, chance))
    flags = [
        "--loss",
        "cross-entropy",
        "--classes",
        "10",
        "--priors",
        "0.7,0.2,0.1",
        "--batch-size",
        "8",
        "--target-std",
        "1",
        "--train",
        "loss",
    ]
    given = [word for place in range(0, len(flags), 2) if chance.random() < 0.3 for word in flags[place : place + 2]]
    if chance.random() < 0.1:
        given += [chance.choice(("--loss", "--priors", "--positive-rate", "--train", "--valid")), chance.choice(WORDS)]
    return Case(changes, [["diagnose", path.name, *given, *chance.choice(([], ["--format", "json"]))]])


@kind("scripts")
def scripts(chance: random.Random, work: Path) -> Case:
    """Code of the rules' own examples, pieces of it moved into each other, as a script or a notebook."""
    examples = [text for rule in in_order() for text in (*rule.bad, *rule.good)]
    text = PRELUDE + "\n".join(chance.choice(examples) for _ in range(chance.choice([1, 2, 3])))
    changes = []
    if chance.random() < 0.3:
        path = work / "t.ipynb"
        cells = [{"cell_type": "code", "source": part.splitlines(keepends=True)} for part in text.split("\n\n")]
        path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
        if chance.random() < 0.7:
            changes.append(change_json_file(path, chance))
    else:
        path = work / "t.py"
        path.write_text(text)
        for _ in range(chance.choice([1, 1, 2, 6])):
            changes.append(
                chance.choice((change_lines, change_lines, change_lines, change_lines, change_bytes))(path, chance)
            )
    form = chance.choice(
        ([], [], ["--format", "json"], ["--format", "sarif"], ["--format", "github"], ["--all"], ["--statistics"])
    )
    calls = [["lint", path.name, *form]]
    if chance.random() < 0.3:
        calls += [["lint", path.name, chance.choice(("--diff", "--fix"))], ["lint", "."]]
    return Case(changes, calls)


@kind("scores")
def scores(chance: random.Random, work: Path) -> Case:
    """What other tools measured, to be judged: a column per metric, or one per entry, or a row per number."""
    entries, seeds = [f"e{number}" for number in range(chance.choice([1, 2, 4]))], range(chance.choice([0, 1, 3, 8]))
    form = chance.choice(("metrics", "metrics", "entries", "long"))
    number = chance.choice(
        (lambda: f"{chance.random():.3f}", lambda: "0.5", lambda: f"{chance.gauss(0, 1e30)}", lambda: "nan")
    )
    runs = [(entry, seed) for entry in entries for seed in seeds]
    lines = {
        "metrics": ["entry,seed,accuracy,rmse", *(f"{entry},{seed},{number()},{number()}" for entry, seed in runs)],
        "entries": [
            ",".join(["seed", *entries]),
            *(",".join([str(seed), *(number() for _ in entries)]) for seed in seeds),
        ],
        "long": [
            "entry,seed,metric,value",
            *(f"{entry},{seed},{name},{number()}" for entry, seed in runs for name in ("a", "b")),
        ],
    }[form]
    path = work / "scores.csv"
    path.write_text("\n".join(lines) + "\n")
    changes = [
        chance.choice((change_lines, change_lines, change_bytes))(path, chance)
        for _ in range(chance.choice([0, 1, 2, 4]))
    ]
    flags = [
        "--reference",
        "e0",
        "--better",
        "rmse=lower",
        "--splits",
        "resampled",
        "--equivalence",
        "2%",
        "--metric",
        "accuracy",
    ]
    given = [word for place in range(0, len(flags), 2) if chance.random() < 0.3 for word in flags[place : place + 2]]
    return Case(
        [form, *changes], [["judge", path.name, "--no-record", *given, *chance.choice(([], ["--format", "json"]))]]
    )
