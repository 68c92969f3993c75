"""Records as `losscli compare` leaves them, without any training: the numbers are drawn, the files are real."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from losscli.record import MANIFEST, SCHEMA_VERSION
from losscli.record.manifest import signed

MakeRecord = Callable[..., Path]
Told = dict[str, Any]


def estimate(values: Sequence[float]) -> Told:
    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": mean, "sd": sd, "ci95": None if sd is None else [mean - sd, mean + sd], "values": list(values)}


def arena(
    task: str, entries: Sequence[str], seeds: int, labels: Sequence[str], data: str, finding: str, chance: Any
) -> Told:
    metric, other = {"regression": ("rmse", "mae"), "multilabel": ("macro-f1", "micro-f1")}.get(
        task, ("accuracy", "f1")
    )
    if task == "multiclass":
        other = "macro-f1"
    told, runs = [], []
    for place, name in enumerate(entries):
        splits = {
            split: {each: estimate(chance.normal(0.8 + place / 100, 0.02, seeds).tolist()) for each in (metric, other)}
            for split in ("test", "valid", "train")
        }
        delta = {"metric": metric, "mean": place / 100, "ci95": [place / 100 - 0.01, place / 100 + 0.01], "p": 0.04,
                 "p_holm": 0.2, "seeds": seeds, "seeds_needed": 12, "margin": 0.005,
                 "test": "corrected-t", "sd": 0.01}  # fmt: skip
        told.append({"entry": name, "loss": name.split()[0], "options": {}, **splits, "delta": delta if place else None,
                     "verdict": "inconclusive" if place else "reference"})  # fmt: skip
        runs += [{"entry": name, "seed": seed, "status": "ok", "epochs": 9, "best_epoch": 8} for seed in range(seeds)]
    return {
        "task": task, "data": data, "headline": metric, "reference": entries[0], "entries": told,
        "baseline": {"test": {metric: 0.5, other: 0.4}}, "runs": runs, "labels": list(labels),
        "findings": [{"code": "seen", "severity": "warning", "message": finding, "cure": f"mend it: {finding}"}],
        "rows": {"train": 700, "valid": 150, "test": 150}, "resampled": True,
    }  # fmt: skip


def history(number: int, told: Told, chance: Any) -> list[Told]:
    metric = told["headline"]
    return [
        {"arena": number, "entry": run["entry"], "seed": run["seed"], "epoch": epoch, "split": split, "metric": name,
         "value": 1 - 0.5 / epoch + float(chance.normal(0, 0.01))}
        for run in told["runs"]
        for epoch in range(1, 10)
        for split, name in (("train", "loss"), ("valid", "loss"), ("valid", metric))
    ]  # fmt: skip


def predictions(number: int, told: Told, rows: int, chance: Any) -> list[Told]:
    return [row for run in told["runs"] for row in said(number, told, run, rows, chance)]


def said(number: int, told: Told, run: Told, rows: int, chance: Any) -> list[Told]:
    """What a run that is right more often than not says of `rows` rows."""
    classes = max(len(told["labels"]), 1)
    low = high = [None] * rows
    if told["task"] == "regression":
        truth = chance.normal(10, 4, (rows, 1))
        values = truth + chance.normal(0, 1, truth.shape)
        low, high = (values - 1.5).tolist(), (values + 1.5).tolist()
    elif told["task"] == "multiclass":
        truth = chance.integers(0, classes, (rows, 1))
        raw = chance.random((rows, classes)) + (truth == np.arange(classes))
        values = raw / raw.sum(axis=1, keepdims=True)
    elif told["task"] == "distribution":
        truth = chance.dirichlet(np.ones(classes), rows)
        values = (truth + chance.dirichlet(np.ones(classes), rows)) / 2
    else:
        width = classes if told["task"] == "multilabel" else 1
        truth = (chance.random((rows, width)) < 0.4).astype(float)
        values = np.clip(0.3 * truth + chance.random((rows, width)) * 0.7, 0, 1)
    kind = "values" if told["task"] == "regression" else "probabilities"
    same = {"arena": number, "entry": run["entry"], "seed": run["seed"], "kind": kind}
    columns = zip(range(rows), truth.astype(float).tolist(), values.tolist(), low, high, strict=True)
    return [{**same, "row": row, "truth": t, "prediction": p, "low": lo, "high": hi} for row, t, p, lo, hi in columns]


SPEC = "task: binary\nmodel: {kind: mlp, hidden: [64, 64]}\ntrain: {epochs: 9}\n"
NUMBERS = pa.list_(pa.float32())
WORDS = pa.dictionary(pa.int32(), pa.string())
HISTORY = pa.schema(
    [("arena", pa.int32()), ("entry", WORDS), ("seed", pa.int64()), ("epoch", pa.int32()), ("split", WORDS),
     ("metric", WORDS), ("value", pa.float64())]
)  # fmt: skip
PREDICTIONS = pa.schema(
    [("arena", pa.int32()), ("entry", WORDS), ("seed", pa.int64()), ("row", pa.int64()), ("truth", NUMBERS),
     ("prediction", NUMBERS), ("kind", WORDS), ("low", NUMBERS), ("high", NUMBERS)]
)  # fmt: skip


def as_parquet(rows: Sequence[Told], schema: pa.Schema) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(list(rows), schema=schema), sink)
    return sink.getvalue()


def seal(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    listed = {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()}
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "losscli": "0.1",
        "created": "2026-01-31T15:42:10+00:00",
        "files": listed,
    }
    (folder / MANIFEST).write_bytes(signed(manifest))
    return folder


def make_record(
    folder: Path,
    tasks: Sequence[str] = ("binary",),
    entries: Sequence[str] = ("bce-logits", "focal gamma=2", "hinge"),
    seeds: int = 3,
    rows: int = 60,
    labels: Sequence[str] = ("died", "survived"),
    data: str = "titanic",
    finding: str = "two columns are constant",
    spec: str = SPEC,
    keep: bool = True,
) -> Path:
    chance = np.random.default_rng(0)
    arenas = [arena(task, entries, seeds, labels, data, finding, chance) for task in tasks]
    results = {"schema_version": 1, "device": "cpu", "arenas": arenas, "timing": {"train_seconds": 2.0}}
    files = {
        **{"spec.yaml" if n == 0 else f"spec{n + 1}.yaml": spec.encode() for n in range(len(arenas))},
        "results.json": json.dumps(results).encode(),
        "encoders.json": b"{}",
        "weights.safetensors": b"",
        "history.parquet": as_parquet([r for n, told in enumerate(arenas) for r in history(n, told, chance)], HISTORY),
    }
    if keep:
        told = [row for n, each in enumerate(arenas) for row in predictions(n, each, rows, chance)]
        files["predictions.parquet"] = as_parquet(told, PREDICTIONS)
    return seal(folder, files)


@pytest.fixture(scope="session")
def record_of(tmp_path_factory: pytest.TempPathFactory) -> MakeRecord:
    def make(**facts: Any) -> Path:
        return make_record(tmp_path_factory.mktemp("runs") / "0007-20260131-154210-titanic", **facts)

    return make
