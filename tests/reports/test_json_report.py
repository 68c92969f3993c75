"""The machine output has exactly the shape that the design fixes; the walker below is written from its text."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.reports.json import to_json

MakeArena = Callable[..., Arena]
MakeComparison = Callable[..., Comparison]

NULL = None
NUMBER = "a finite number or null"
TEXT = "text"
INTERVAL = "null or two numbers"
ESTIMATE = {"mean": NUMBER, "sd": NUMBER, "ci95": INTERVAL, "n": NUMBER, "of": NUMBER, "values": [NUMBER]}
METRICS = {"auroc": ESTIMATE, "accuracy": ESTIMATE, "log-loss": ESTIMATE}
DELTA = {
    "metric": TEXT,
    "mean": NUMBER,
    "ci95": INTERVAL,
    "p": NUMBER,
    "p_holm": NUMBER,
    "sd": NUMBER,
    "seeds": NUMBER,
    "of": NUMBER,
    "seeds_needed": NUMBER,
    "margin": NUMBER,
    "test": TEXT,
    "verdict": TEXT,
    "reason": NULL,
}
SHAPE = {
    "schema_version": 1,
    "losscli": TEXT,
    "record": TEXT,
    "device": TEXT,
    "arenas": [
        {
            "task": TEXT,
            "data": TEXT,
            "headline": TEXT,
            "reference": TEXT,
            "entries": [
                {
                    "entry": TEXT,
                    "loss": TEXT,
                    "options": {"gamma": NUMBER},
                    "test": METRICS,
                    "valid": METRICS,
                    "train": METRICS,
                    "delta": ("null or", DELTA),
                    "verdict": TEXT,
                    "deltas": {"*": DELTA},
                    "described": TEXT,
                    "tuned": {},
                    "seconds": NUMBER,
                }
            ],
            "baseline": {"test": {"auroc": NUMBER, "accuracy": NUMBER, "log-loss": NUMBER}},
            "runs": [
                {
                    "entry": TEXT,
                    "seed": NUMBER,
                    "status": TEXT,
                    "epochs": NUMBER,
                    "best_epoch": NUMBER,
                    "calibration": {},
                    "tuned": {},
                }
            ],
            "findings": [{"code": TEXT, "severity": TEXT, "message": TEXT, "cure": TEXT}],
            "labels": [TEXT],
            "rows": {"train": NUMBER, "valid": NUMBER, "test": NUMBER},
            "resampled": True,
            "split": TEXT,
            "corrupt": {},
            "comparisons": 1,
            "why": {},
            "summary": TEXT,
            "paragraph": TEXT,
        }
    ],
    "timing": {"load_seconds": NUMBER, "train_seconds": NUMBER, "steps": NUMBER, "run_samples_per_second": NUMBER},
}


def walk(value: Any, shape: Any, path: str = "$") -> int:
    """Fail where `value` is not of `shape`, keys in order; the number of leaves that were looked at."""
    if isinstance(shape, tuple):
        return 1 if value is None else walk(value, shape[1], path)
    if isinstance(shape, dict):
        assert type(value) is dict, path
        if list(shape) == ["*"]:  # any keys
            return sum(walk(found, shape["*"], f"{path}.{key}") for key, found in value.items())
        assert list(value) == list(shape), path
        return sum(walk(value[key], shape[key], f"{path}.{key}") for key in shape)
    if isinstance(shape, list):
        assert type(value) is list, path
        assert value, path
        return sum(walk(item, shape[0], f"{path}[{index}]") for index, item in enumerate(value))
    if shape is NUMBER:
        assert value is None or (type(value) in (int, float) and math.isfinite(value)), path
    elif shape is TEXT:
        assert type(value) is str, path
    elif shape is INTERVAL:
        assert value is None or [type(bound) for bound in value] == [float, float], path
    else:
        assert value == shape, path
    return 1


@pytest.fixture
def found(arena_of: MakeArena, comparison_of: MakeComparison) -> dict[str, Any]:
    arena = arena_of(
        {"focal gamma=2": [0.8, 0.9, 0.7], "hinge": [0.5, 0.6, 0.7], "brier": [0.1, 0.2, 0.3]},
        diverged={"hinge": [1], "brier": [0, 1, 2]},
    )
    return to_json(comparison_of(arena, record="runs/x"))


def test_the_shape_is_that_of_the_design(found: dict[str, Any]) -> None:
    assert walk(found, SHAPE) > 150
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_diverged_run_is_null_beside_its_status(found: dict[str, Any]) -> None:
    hinge = found["arenas"][0]["entries"][1]
    assert hinge["test"]["auroc"]["values"] == [0.5, None, 0.7]
    assert hinge["test"]["auroc"]["mean"] == pytest.approx(0.6)
    assert hinge["delta"]["mean"] == pytest.approx((-0.3 + 0.0) / 2)
    assert [run["status"] for run in found["arenas"][0]["runs"][3:6]] == ["ok", "diverged", "ok"]


def test_an_entry_whose_runs_all_diverged_is_all_null(found: dict[str, Any]) -> None:
    brier = found["arenas"][0]["entries"][2]
    assert brier["test"]["auroc"] == {"mean": None, "sd": None, "ci95": None, "n": 0, "of": 3, "values": [None] * 3}
    assert brier["delta"] is None
    assert brier["verdict"] == "undefined"


def test_numbers_that_are_not_finite_are_null(found: dict[str, Any]) -> None:
    assert found["timing"]["run_samples_per_second"] is None
    assert found["arenas"][0]["baseline"]["test"]["log-loss"] is None


def test_without_a_record_there_is_null(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    assert to_json(comparison_of(arena_of({"a": [0.5]})))["record"] is None
