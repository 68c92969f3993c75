"""A target on its way to the loss and back, and what a record keeps of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from losscli.data.decode import scaled, target_from_state, target_scale, target_state
from losscli.errors import MachineError, SpecError
from losscli.tasks import Column, Target, TargetOptions, tasks

VALUES = np.random.default_rng(0).lognormal(3.0, 2.0, (60, 2)).astype(np.float32)
FUNCTIONS = {"log": np.log, "log1p": np.log1p, "none": None}


@pytest.mark.parametrize("transform", FUNCTIONS)
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_transform_comes_before_the_scale(transform, outputs):
    values = VALUES[:, :outputs]
    oracle = StandardScaler().fit_transform(FunctionTransformer(FUNCTIONS[transform]).transform(values.astype(float)))
    given = values[:, 0] if outputs == 1 else values
    scale = target_scale(given, transform)
    ours = scaled(given, scale)
    np.testing.assert_allclose(ours.reshape(oracle.shape), oracle, rtol=1e-5, atol=1e-6)
    back = scale.in_units(torch.from_numpy(ours))
    np.testing.assert_allclose(back.numpy(), given, rtol=2e-5, atol=1e-4)


def test_without_standardising_only_the_transform_is_left():
    values = VALUES[:, 0]
    np.testing.assert_array_equal(scaled(values, target_scale(values, standardise=False)), values)
    np.testing.assert_allclose(scaled(values, target_scale(values, "log", False)), np.log(values), rtol=1e-5)


@pytest.mark.parametrize("transform", ["log", "log1p"])
def test_what_no_float_can_hold_is_the_largest_number_not_infinity(transform):
    scale = target_scale(VALUES[:, 0], transform)
    wild = scale.in_units(torch.tensor([1e30, -1e30, 0.0]))
    assert torch.isfinite(wild).all()
    assert wild[0] > 1e38
    assert wild[1] == (0 if transform == "log" else -1)


@pytest.mark.parametrize("standardise", [True, False])
def test_predictions_under_a_transform_stay_near_the_training_targets_and_truths_do_not(standardise):
    logs = np.log(VALUES.astype(float))
    scale = target_scale(VALUES, "log", standardise)
    wild = torch.from_numpy(np.array([[-50.0, 50.0], [50.0, -50.0]]))
    low, high = (np.exp(logs.min(axis=0) - logs.std(axis=0)), np.exp(logs.max(axis=0) + logs.std(axis=0)))
    np.testing.assert_allclose(scale.predicted(wild), [[low[0], high[1]], [high[0], low[1]]], rtol=1e-6)
    assert scale.in_units(wild)[0, 1] > 1e3 * high[1]
    near = torch.from_numpy(scaled(VALUES, scale))
    assert torch.equal(scale.predicted(near), scale.in_units(near))
    plain = target_scale(VALUES, standardise=standardise)
    assert torch.equal(plain.predicted(wild), plain.in_units(wild))


def test_damage_that_leaves_the_transforms_domain_is_refused():
    with pytest.raises(SpecError, match=r"moves training targets to -3, which has no log"):
        target_scale(np.array([1.0, -3.0]), "log")


READ = [
    ("binary", {"y": Column(np.array([1, 0, 1], dtype=np.int32), ("no", "yes"))}, TargetOptions(positive="no")),
    ("multiclass", {"y": Column(np.array([1, 0, 2], dtype=np.int32), ("low", "high", "medium"))}, TargetOptions()),
    ("multiclass", {"a": Column(np.array([0.25, 1.0])), "b": Column(np.array([0.75, 0.0]))}, TargetOptions()),
    ("multilabel", {"y": Column(np.array([1, 0, 1], dtype=np.int32), ("a;b", "b"))}, TargetOptions(separator=";")),
    ("regression", {"y": Column(np.array([1.0, 3.0]))}, TargetOptions(transform="log1p")),
    (
        "regression",
        {"y": Column(np.array([1.0, 3.0])), "z": Column(np.array([0.1, 3.7]))},
        TargetOptions(standardise=False),
    ),
]


@pytest.mark.parametrize(("task", "columns", "reading"), READ)
def test_the_state_is_json_and_makes_predictions_readable(task, columns, reading):
    contract = tasks.get(task)
    target = contract.decode(columns, reading)
    scale = None if contract.has_classes else target_scale(target.values, target.transform, target.standardise)
    kept = json.loads(json.dumps({"target": target_state(target, scale)}, allow_nan=False))
    again, units = target_from_state(kept)
    assert contract.outputs(again) == contract.outputs(target)
    for name in ("labels", "soft", "ordered", "transform", "standardise"):
        assert getattr(again, name) == getattr(target, name)
    if scale is None:
        assert units is None
    else:
        raw = torch.randn(1, 4, *target.values.shape[1:])
        ours, theirs = (contract.read(raw, "values", each).values for each in (units, scale))
        assert torch.equal(ours, theirs)
        assert not torch.equal(ours, raw) or not reading.standardise


def test_a_record_from_before_says_so():
    with pytest.raises(MachineError, match="before records kept the target"):
        target_from_state({"columns": [], "constant": []})


def test_the_most_likely_class_stands_for_probabilities():
    soft = Target(np.array([[0.2, 0.8], [0.6, 0.4]], dtype=np.float32), ("a", "b"), soft=True)
    assert soft.classes.tolist() == [1, 0]
    hard = Target(np.array([0, 1]), ("a", "b"))
    assert hard.classes is hard.values
