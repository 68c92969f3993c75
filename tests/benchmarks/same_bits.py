"""Small comparisons of every kind, and the bits of what they leave: for tests that two ways of training end alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from losscli.comparison import Comparison
from losscli.losses import for_task
from losscli.record.reader import contents

MOONS = "task: binary\ndata: {source: synthetic, name: moons, n_samples: 120}\n"
SPECS = {
    "binary": MOONS + "loss: [bce-logits, focal]\nmodel: {kind: mlp, hidden: [6], dropout: 0.3, norm: batch}\n"
    "train: {epochs: 5, batch_size: 16, patience: 4, schedule: cosine}\nmetrics: [f1-tuned, log-loss-scaled]\n",
    "multiclass": "task: multiclass\ndata: {source: builtin, name: iris, corrupt: {labels: 0.2}}\n"
    "loss: [cross-entropy, {name: gce, weight: balanced}]\n"
    "train: {epochs: 5, batch_size: 16, optimizer: rmsprop, momentum: 0.5}\n",
    "multilabel": "task: multilabel\ndata: {source: synthetic, name: multilabel_classification, n_samples: 90}\n"
    "loss: [bce-logits, zlpr]\ntrain: {epochs: 5, batch_size: 16, optimizer: adamw, weight_decay: 0.1}\n",
    "regression": "task: regression\ndata: {source: builtin, name: diabetes}\nloss: [mse, gaussian-nll]\n"
    "train: {epochs: 5, batch_size: 64, optimizer: sgd, lr: 1e-2}\n",
    "distribution": "task: distribution\nloss: [kl, emd]\ntrain: {epochs: 5, batch_size: 64}\n",
    "diverges": "task: regression\ndata: {source: builtin, name: diabetes}\nloss: mse\n"
    "train: {epochs: 5, optimizer: sgd, lr: [1e-2, 1e6]}\n",
    "tuned": MOONS + "loss: [bce-logits, hinge]\ntune: {lr: [1e-3, 1e-2]}\ntrain: {epochs: 5, batch_size: 16}\n",
    "stress": MOONS.replace("120}", "120, corrupt: {labels: [0, 0.2]}}") + "loss: [bce-logits, focal]\ntrain: {epochs: 3}\n",
    "folds": MOONS.replace("120}", "122, split: {folds: 3}}") + "loss: bce-logits\ntrain: {epochs: 3}\nseeds: 3\n",
}  # fmt: skip
# In place of a task's own data where a step or a score on them takes long.
SMALL = {
    "gan": "data: {source: synthetic, name: ring, n_samples: 400}\n",
    "embedding": "data: {source: builtin, name: wine}\n",
}


def bits(comparison: Comparison) -> dict[str, bytes]:
    """Every file of a record, without times and its own name."""
    assert comparison.record is not None
    files = contents(Path(comparison.record))
    results = _without_times(json.loads(files.pop("results.json")))
    files.pop("manifest.json")
    return {**files, "results": json.dumps(results).encode()}


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(part) for key, part in value.items() if key not in ("seconds", "timing", "record")}
    return [_without_times(part) for part in value] if isinstance(value, list) else value


def spec_of(kind: str) -> str:
    """The spec of that name; of a task that has none, one of three of its losses on its own data."""
    if kind in SPECS:
        return SPECS[kind]
    serving = [loss for loss in for_task(kind).values() if not any(option.required for option in loss.options.values())]
    chosen = ", ".join(loss.name for loss in (serving[0], serving[len(serving) // 2], serving[-1]))
    text = f"task: {kind}\nloss: [{chosen}]\ntrain: {{epochs: 3, batch_size: 256}}\nseeds: 1\n"
    return text + SMALL.get(kind, "")
