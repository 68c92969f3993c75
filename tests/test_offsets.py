"""A constant added to a target or a feature changes no error: the contract of centring, far beyond float32's seven digits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from losscli.compare.result import Arena
from losscli.deploy.choose import RunChoice
from losscli.deploy.export import export, predictor_of
from losscli.deploy.predict import predict
from losscli.deploy.restore import restore
from losscli.losses import for_task
from losscli.pipeline import run
from losscli.record.reader import read_predictions
from losscli.spec.load import load_spec

ROWS = 240
CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=(ROWS, 2))
SECONDS = np.floor(CHANCE.uniform(0, 100, ROWS))
NOISE = CHANCE.normal(size=ROWS)
SIGNAL = 30 * (X[:, 0] - 0.5 * X[:, 1] + 0.01 * SECONDS + 0.3 * NOISE)
SIGNAL = np.rint(SIGNAL * 256) / 256  # so that an offset loses none of it
STANDARDISED = sorted(name for name, loss in for_task("regression").items() if not loss.own_units)
METRICS = ("rmse", "mae", "median-ae", "r2", "coverage", "interval-width", "crps", "pinball-10", "pinball-90")
OFFSETS = (1.7e9, -1.7e9, 1e12)


def arena_of(
    folder: Path,
    columns: Mapping[str, np.ndarray],
    losses: list[str],
    form: str = "csv",
    data: str = "",
    target: str = "y",
    epochs: int = 3,
) -> Arena:
    """What these losses make of a table, and a record of it."""
    folder.mkdir(exist_ok=True)
    if form == "csv":
        csv.write_csv(pa.table(dict(columns)), folder / "t.csv")
    else:
        parquet.write_table(pa.table(dict(columns)), folder / "t.parquet")
    (folder / "spec.yaml").write_text(
        f"task: regression\ndata: {{source: {form}, path: t.{form}, target: {target}{data}}}\n"
        f"loss: [{', '.join(losses)}]\nmetrics: [{', '.join(METRICS)}]\nmodel: {{kind: linear}}\n"
        f"train: {{epochs: {epochs}, batch_size: 32, lr: 0.05}}\nseeds: 1\n"
    )
    return run([load_spec(folder / "spec.yaml")], out=folder / "runs").arenas[0]


def table(offset: float = 0.0, feature: float = 0.0) -> dict[str, np.ndarray]:
    return {"a": X[:, 0], "b": X[:, 1], "seconds": SECONDS + feature, "y": SIGNAL + offset}


def scores(arena: Arena) -> dict[tuple[str, str, str], float]:
    """By entry, split and metric; the baseline among the entries."""
    found = {
        (entry.entry, split, metric): each.mean
        for entry in arena.entries
        for split, metrics in entry.scores.items()
        for metric, each in metrics.items()
        if metric in METRICS
    }
    return found | {
        ("baseline", split, metric): value
        for split, values in arena.baseline.items()
        for metric, value in values.items()
        if metric in METRICS and not math.isnan(value)
    }


def assert_same(one: Arena, other: Arena) -> None:
    assert scores(one) == pytest.approx(scores(other), rel=1e-3, abs=1e-4, nan_ok=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Arena:
    return arena_of(tmp_path_factory.mktemp("plain"), table(), STANDARDISED)


@pytest.mark.parametrize("offset", OFFSETS)
def test_every_loss_of_standardised_targets_scores_the_same_wherever_they_lie(
    tmp_path: Path, plain: Arena, offset: float
) -> None:
    assert_same(arena_of(tmp_path, table(offset), STANDARDISED), plain)


@pytest.mark.parametrize("memory", ["1GB", "2KB"])
def test_parquet_in_memory_and_streamed_scores_the_same(tmp_path: Path, memory: str) -> None:
    data, losses = f", memory: {memory}", ["mse", "multi-quantile"]
    near, far = (
        arena_of(tmp_path / str(offset), table(offset), losses, "parquet", data) for offset in (0.0, OFFSETS[0])
    )
    assert ("streamed" in {finding.code for finding in far.findings}) == (memory == "2KB")
    assert_same(far, near)


@pytest.mark.parametrize("numbers", ["standard", "robust"])
def test_features_may_lie_anywhere(tmp_path: Path, numbers: str) -> None:
    data = f", encode: {{numbers: {numbers}}}"
    near, far = (arena_of(tmp_path / str(feature), table(0.0, feature), ["mse"], data=data) for feature in (0.0, 1.7e9))
    assert_same(far, near)


def test_features_that_are_not_centred_lose_digits_and_say_so(tmp_path: Path) -> None:
    near, far = (
        arena_of(tmp_path / str(feature), table(0.0, feature), ["mse"], data=", encode: {numbers: none}")
        for feature in (0.0, 1.7e9)
    )
    told = {finding.code: finding.message for finding in far.findings}
    assert told["feature-precision"].endswith(": 'seconds'")
    assert "feature-precision" not in {finding.code for finding in near.findings}


def test_outliers_and_holes_on_purpose_are_the_same(tmp_path: Path) -> None:
    data = ", corrupt: {target_outliers: 0.1, feature_noise: 0.2, missing: 0.1}"
    near, far = (
        arena_of(tmp_path / str(offset), table(offset, offset), ["huber"], data=data) for offset in (1e4, 1.7e9)
    )
    assert_same(far, near)


def test_several_targets_each_have_their_own_place(tmp_path: Path) -> None:
    made = [
        arena_of(tmp_path / str(offset), table(offset) | {"z": X[:, 0]}, ["mse", "gaussian-nll"], target="[y, z]")
        for offset in (0.0, OFFSETS[0])
    ]
    assert_same(made[1], made[0])


def test_predictions_of_record_command_and_exported_model_are_in_units_to_the_last_digit(tmp_path: Path) -> None:
    """The metrics, from what a record keeps and from what it predicts anew, by scikit-learn in float64."""
    arena = arena_of(tmp_path, table(OFFSETS[0]), ["mse", "gaussian-nll"], epochs=20)
    (record,) = (tmp_path / "runs").iterdir()
    kept = read_predictions(record).to_pylist()
    for entry in arena.entries:
        own = [each for each in kept if each["entry"] == entry.entry]
        rows = np.array([each["row"] for each in own])
        truth, said = (np.array([each[name][0] for each in own]) for name in ("truth", "prediction"))
        np.testing.assert_array_equal(truth, table(OFFSETS[0])["y"][rows])
        expected = {
            "rmse": root_mean_squared_error(truth, said),
            "mae": mean_absolute_error(truth, said),
            "r2": r2_score(truth, said),
        }
        assert {name: entry.scores["test"][name].mean for name in expected} == pytest.approx(expected, rel=1e-5)
        (restored,) = restore(record, RunChoice(entry=entry.entry))
        features = restored.spec.data.read(Path(restored.spec.folder)).features
        anew = predict([restored], features)
        np.testing.assert_allclose(anew["prediction"][rows] - OFFSETS[0], said - OFFSETS[0], rtol=1e-4, atol=1e-3)
        if entry.entry == "gaussian-nll":
            within = (anew["quantile_0.05"][rows] <= truth) & (truth <= anew["quantile_0.95"][rows])
            assert entry.scores["test"]["coverage"].mean == pytest.approx(within.mean())


@pytest.mark.parametrize("form", ["pt2", "onnx"])
def test_exported_models_keep_the_digits(tmp_path: Path, form: str) -> None:
    import torch

    arena_of(tmp_path, table(OFFSETS[0]), ["mse"])
    (record,) = (tmp_path / "runs").iterdir()
    (restored,) = restore(record, RunChoice())
    files = export(restored, form, tmp_path / "model")
    rows = torch.from_numpy(
        restored.encoder.transform(restored.spec.data.read(Path(restored.spec.folder)).features, np.arange(9))
    )
    expected = predictor_of(restored)(rows).detach().numpy()
    if form == "pt2":
        said = torch.export.load(files[0]).module()(rows).detach().numpy()
    else:
        onnxruntime = pytest.importorskip("onnxruntime")
        said = onnxruntime.InferenceSession(files[0]).run(None, {"features": rows.numpy()})[0]
    assert said.dtype == np.float64
    np.testing.assert_allclose(said - OFFSETS[0], expected - OFFSETS[0], rtol=1e-5, atol=1e-4)
    assert np.ptp(said) > 10


def test_losses_that_judge_numbers_as_they_are_see_them_whole(tmp_path: Path) -> None:
    """Far from zero a share of the target is the error itself, but for the unit: as mae learns it."""
    near = scores(arena_of(tmp_path / "near", table(), ["mae"], epochs=20))
    far = scores(arena_of(tmp_path / "far", table(OFFSETS[0]), ["mape", "smape"], epochs=20))
    for loss in ("mape", "smape"):
        assert far[loss, "test", "mae"] == pytest.approx(near["mae", "test", "mae"], rel=0.3)


@pytest.mark.parametrize("seed", range(4))
def test_a_zero_is_a_zero_to_a_loss_that_judges_numbers_as_they_are(tmp_path: Path, seed: int) -> None:
    """Scaled and back, one half of them would be negative, of which there is no logarithm."""
    chance = np.random.default_rng(seed)
    rain = np.where(chance.random(ROWS) < 0.5, 0.0, chance.gamma(2, 10, ROWS))
    arena = arena_of(tmp_path, table() | {"y": rain}, ["tweedie", "mse"])
    alone = arena_of(tmp_path / "alone", table() | {"y": rain}, ["mse"])
    assert [run.status for run in arena.runs] == ["ok", "ok"]
    assert scores(arena)["mse", "test", "rmse"] == scores(alone)["mse", "test", "rmse"]
