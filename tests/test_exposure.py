"""Exposure of counts: in the loss, the gradient, the metrics, the baseline, what is predicted and what is exported.

The oracle is the identity behind it, by scikit-learn and by hand in float64: Poisson's loss of counts with the logarithm of the
exposure as an offset is the loss of rates with the exposure as a weight.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import csv, parquet
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_poisson_deviance, root_mean_squared_error

from losscli.compare.result import Arena
from losscli.data.newrows import new_rows, pointed
from losscli.deploy.choose import RunChoice
from losscli.deploy.export import export
from losscli.deploy.predict import predict, with_rates
from losscli.deploy.restore import RestoredRun, restore
from losscli.errors import DataError, SpecError
from losscli.losses import find, for_task
from losscli.metrics import for_task as metrics_of
from losscli.pipeline import run
from losscli.record.reader import read_predictions
from losscli.spec.load import load_spec

ROWS = 400
CHANCE = np.random.default_rng(5)
X = CHANCE.normal(size=(ROWS, 2))
YEARS = CHANCE.uniform(0.05, 4.0, ROWS)
RATE = np.exp(0.4 + 0.5 * X[:, 0] - 0.4 * X[:, 1])
CLAIMS = CHANCE.poisson(RATE * YEARS).astype(float)
TAKERS = sorted(name for name, item in for_task("regression").items() if item.takes_exposure)
OF_COUNTS = sorted(name for name in TAKERS if for_task("regression")[name].target == "count (integer >= 0)")


def columns() -> dict[str, np.ndarray]:
    return {"a": X[:, 0], "b": X[:, 1], "years": YEARS, "claims": CLAIMS}


def arena_of(
    folder: Path,
    table: Mapping[str, Any],
    losses: str = "poisson-nll",
    data: str = ", exposure: years",
    target: str = "claims",
    epochs: int = 5,
    model: str = "kind: linear",
    task: str = "regression",
    form: str = "csv",
) -> Arena:
    """What these losses make of a table, and a record of it."""
    folder.mkdir(exist_ok=True)
    if form == "csv":
        csv.write_csv(pa.table(dict(table)), folder / "t.csv")
    else:
        parquet.write_table(pa.table(dict(table)), folder / "t.parquet")
    metrics = "" if task != "regression" else "metrics: [rmse, poisson-deviance]\n"
    (folder / "spec.yaml").write_text(
        f"task: {task}\ndata: {{source: {form}, path: t.{form}, target: {target}{data}}}\nloss: [{losses}]\n{metrics}"
        f"model: {{{model}}}\ntrain: {{epochs: {epochs}, batch_size: 32, optimizer: adam, lr: 0.05, patience: null}}\nseeds: 1\n"
    )
    return run([load_spec(folder / "spec.yaml")], out=folder / "runs").arenas[0]


def only_run(folder: Path, entry: str | None = None) -> RestoredRun:
    (record,) = (folder / "runs").iterdir()
    return restore(record, RunChoice(entry=entry))[0]


def said_by(trained: RestoredRun, path: Path) -> Mapping[str, np.ndarray]:
    """What `losscli predict` appends to the rows of a file."""
    features = features_of(trained, path)
    return with_rates(predict([trained], features), trained.encoder, features)


def features_of(trained: RestoredRun, path: Path) -> Mapping[str, Any]:
    kind, keys = pointed(trained.spec.data, str(path))
    return new_rows(kind.model_validate(keys), trained.encoder).features


# The identity


def test_counts_with_an_offset_are_rates_with_a_weight_in_loss_and_gradient() -> None:
    kernel = find("poisson-nll", "regression").function
    x, e, y = (torch.from_numpy(array) for array in (np.log(RATE) + CHANCE.normal(size=ROWS), YEARS, CLAIMS))
    of_counts, of_rates = x.clone().requires_grad_(), x.clone().requires_grad_()
    counts = kernel(of_counts + e.log(), y)
    rates = e * kernel(of_rates, y / e)
    constant = torch.lgamma(y + 1) - e * torch.lgamma(y / e + 1) - y * e.log()  # of y and e alone
    torch.testing.assert_close(counts, rates + constant, rtol=1e-12, atol=1e-12)
    counts.sum().backward()
    rates.sum().backward()
    torch.testing.assert_close(of_counts.grad, of_rates.grad, rtol=1e-12, atol=1e-12)


def test_poisson_deviance_is_that_of_rates_weighted_by_exposure() -> None:
    expected = YEARS * RATE
    said = metrics_of("regression")["poisson-deviance"].function(
        torch.from_numpy(expected)[None], torch.from_numpy(CLAIMS)[None]
    )
    assert said.item() == pytest.approx(mean_poisson_deviance(CLAIMS, expected))
    weighted = mean_poisson_deviance(CLAIMS / YEARS, RATE, sample_weight=YEARS)
    assert said.item() / YEARS.mean() == pytest.approx(weighted)


def test_a_linear_model_finds_scikit_learns_weighted_rates(tmp_path: Path) -> None:
    """PoissonRegressor knows no offset: it gets rates and weights, and finds the same model."""
    arena_of(tmp_path, columns(), epochs=150)
    said = said_by(only_run(tmp_path), tmp_path / "t.csv")
    (record,) = (tmp_path / "runs").iterdir()
    tested = {row["row"] for row in read_predictions(record).to_pylist()}
    rest = np.array([row for row in range(ROWS) if row not in tested])
    fitted = PoissonRegressor(alpha=0).fit(X[rest], CLAIMS[rest] / YEARS[rest], sample_weight=YEARS[rest])
    np.testing.assert_allclose(
        said["rate"], fitted.predict(X), rtol=0.25
    )  # other rows are valid, and one epoch is kept
    assert np.corrcoef(np.log(said["rate"]), np.log(fitted.predict(X)))[0, 1] > 0.99
    np.testing.assert_allclose(said["prediction"], said["rate"] * YEARS, rtol=1e-12)


# From the table to the output


@pytest.mark.parametrize("loss", TAKERS)
@pytest.mark.parametrize("model", ["kind: linear", "kind: mlp, hidden: [8], norm: batch"])
def test_twice_the_exposure_is_twice_the_count(tmp_path: Path, loss: str, model: str) -> None:
    table = columns() | {"claims": CLAIMS + (1 if loss == "gamma-nll" else 0)}
    arena = arena_of(tmp_path, table, loss, model=model, epochs=2)
    assert arena.runs[0].status == "ok"
    trained = only_run(tmp_path)
    csv.write_csv(pa.table({**table, "years": 2 * YEARS}), tmp_path / "twice.csv")
    once, twice = (said_by(trained, tmp_path / name) for name in ("t.csv", "twice.csv"))
    if not loss.startswith("hurdle"):  # of which the zero does not know of the exposure
        np.testing.assert_allclose(twice["prediction"], 2 * once["prediction"], rtol=1e-5)
        np.testing.assert_allclose(twice["rate"], once["rate"], rtol=1e-5)
    assert (twice["prediction"] > once["prediction"]).all()


@pytest.mark.parametrize(
    "data", [", split: {test: 0.2}", ", encode: {categories: embedding}", ", corrupt: {missing: 0.1}"]
)
def test_the_record_the_metrics_and_predict_say_the_same(tmp_path: Path, data: str) -> None:
    table = columns() | {"colour": np.array(["red", "blue", "green", "red"] * (ROWS // 4))}
    arena = arena_of(tmp_path, table, "poisson-nll, zero-inflated-poisson-nll", f", exposure: years{data}")
    (record,) = (tmp_path / "runs").iterdir()
    for entry in arena.entries:
        trained = only_run(tmp_path, entry.entry)
        kept = [row for row in read_predictions(record).to_pylist() if row["entry"] == entry.entry]
        rows = np.array([row["row"] for row in kept])
        said = np.array([row["prediction"][0] for row in kept])
        anew = said_by(trained, tmp_path / "t.csv")["prediction"]
        np.testing.assert_allclose(anew[rows], said, rtol=1e-5)
        scores = {name: entry.scores["test"][name].mean for name in ("rmse", "poisson-deviance")}
        truth = CLAIMS[rows]
        expected = {
            "rmse": root_mean_squared_error(truth, said),
            "poisson-deviance": mean_poisson_deviance(truth, said),
        }
        assert scores == pytest.approx(expected, rel=1e-5)


def test_the_baseline_is_one_rate_over_each_rows_exposure(tmp_path: Path) -> None:
    part = np.array(["train"] * 280 + ["valid"] * 60 + ["test"] * 60)
    arena = arena_of(tmp_path, columns() | {"part": part}, data=", exposure: years, split: {column: part}")
    rate = CLAIMS[:280].sum() / YEARS[:280].sum()
    expected = rate * YEARS[340:]
    assert arena.baseline["test"]["rmse"] == pytest.approx(root_mean_squared_error(CLAIMS[340:], expected))
    assert arena.baseline["test"]["poisson-deviance"] == pytest.approx(mean_poisson_deviance(CLAIMS[340:], expected))


def test_an_untrained_model_says_the_baseline_whatever_the_unit(tmp_path: Path) -> None:
    """Person-years or person-days: training starts at the mean rate, not thousands of times beside it."""
    scores = []
    for name, unit in (("years", 1.0), ("days", 365.25), ("millennia", 1e-3)):
        arena = arena_of(tmp_path / name, columns() | {"years": YEARS * unit}, epochs=2)
        scores.append({metric: arena.entries[0].scores["test"][metric].mean for metric in ("rmse", "poisson-deviance")})
    assert scores[1] == pytest.approx(scores[0], rel=1e-4)
    assert scores[2] == pytest.approx(scores[0], rel=1e-4)


def test_an_offset_is_the_logarithm_of_an_exposure(tmp_path: Path) -> None:
    one = arena_of(tmp_path / "one", columns())
    other = arena_of(tmp_path / "other", columns() | {"years": np.log(YEARS)}, data=", offset: years")
    for name in ("rmse", "poisson-deviance"):
        assert one.entries[0].scores["test"][name].mean == pytest.approx(
            other.entries[0].scores["test"][name].mean, rel=1e-5
        )


def test_several_targets_share_an_exposure(tmp_path: Path) -> None:
    table = columns() | {"visits": CHANCE.poisson(3 * YEARS).astype(float)}
    arena_of(tmp_path, table, "zero-inflated-poisson-nll, poisson-nll", target="[claims, visits]")
    for loss in ("zero-inflated-poisson-nll", "poisson-nll"):
        trained = only_run(tmp_path, loss)
        csv.write_csv(pa.table({**table, "years": 3 * YEARS}), tmp_path / "thrice.csv")
        once, thrice = (said_by(trained, tmp_path / name) for name in ("t.csv", "thrice.csv"))
        for name in ("claims", "visits"):
            np.testing.assert_allclose(thrice[f"prediction_{name}"], 3 * once[f"prediction_{name}"], rtol=1e-5)
            np.testing.assert_allclose(thrice[f"rate_{name}"], once[f"rate_{name}"], rtol=1e-5)


def test_rows_that_are_streamed_know_their_exposure(tmp_path: Path) -> None:
    table = columns() | {"colour": np.array(["red", "blue", "green", "red"] * (ROWS // 4))}
    arenas = [
        arena_of(
            tmp_path / memory,
            table,
            data=f", exposure: years, memory: {memory}, encode: {{categories: embedding}}",
            form="parquet",
        )
        for memory in ("1GB", "2KB")
    ]
    assert "streamed" in {finding.code for finding in arenas[1].findings}
    first, second = (arena.entries[0].scores["test"]["poisson-deviance"].mean for arena in arenas)
    assert first == pytest.approx(second, rel=0.2)  # another order of the same rows
    assert first < 0.8 * arenas[0].baseline["test"]["poisson-deviance"]


def test_rows_of_weight_zero_do_not_count_in_the_mean_exposure(tmp_path: Path) -> None:
    part = np.array(["train"] * 280 + ["valid"] * 60 + ["test"] * 60)
    weight = np.where((np.arange(ROWS) % 3 == 0) & (part == "train"), 0.0, 1.0)
    years = np.where(weight == 0, 1e6, YEARS)
    table = columns() | {"years": years, "part": part, "w": weight}
    data = ", exposure: years, split: {column: part}"
    arena_of(tmp_path / "with", table, data=f"{data}, weight: w")
    arena_of(
        tmp_path / "without", {name: values[weight > 0] for name, values in table.items()}, data=f"{data}, weight: w"
    )
    means = [only_run(tmp_path / name).encoder.offset.log_mean for name in ("with", "without")]
    assert means[0] == pytest.approx(means[1])


@pytest.mark.parametrize("form", ["pt2", "onnx", "safetensors"])
def test_an_exported_model_takes_the_exposure_first(tmp_path: Path, form: str) -> None:
    arena_of(tmp_path, columns(), "hurdle-poisson-nll")
    trained = only_run(tmp_path)
    files = export(trained, form, tmp_path / "model")
    told = json.loads((tmp_path / "model" / "model.json").read_text())
    assert told["features"][0] == "log years"
    assert told["offset"] == {"column": "years", "added_to_the_first_of": 2}
    assert any(line.startswith("offset: log(value) - log_mean") for line in told["preprocessing"]["how"])
    code = told["preprocessing"]["columns"][0]
    scaled = [
        (column["name"], column["center"], column["scale"]) for column in told["preprocessing"]["columns"][1:]
    ]  # by hand, as model.json says
    plain = [columns()[name] / scale - center / scale for name, center, scale in scaled]
    rows = np.stack([np.log(YEARS) - code["log_mean"], *plain], axis=1).astype(np.float32)
    expected = said_by(trained, tmp_path / "t.csv")["prediction"]
    if form == "pt2":
        said = torch.export.load(files[0]).module()(torch.from_numpy(rows)).detach().numpy()
    elif form == "onnx":
        said = pytest.importorskip("onnxruntime").InferenceSession(files[0]).run(None, {"features": rows})[0]
    else:
        from safetensors.torch import load_file

        weights = load_file(files[0])
        outputs = torch.from_numpy(rows[:, 1:]) @ weights["0.weight"].T + weights["0.bias"]
        outputs[:, 0] += torch.from_numpy(rows[:, 0]) + np.log(told["target"]["scale"]["center"][0])
        said = find("hurdle-poisson-nll", "regression").point(outputs, {}).numpy()
    np.testing.assert_allclose(said, expected, rtol=1e-4)


# What is wrong with it

BAD = {
    "0 in this row": ({"years": np.where(np.arange(ROWS) == 3, 0.0, YEARS)}, {}),
    "-2 in this row": ({"years": np.where(np.arange(ROWS) == 3, -2.0, YEARS)}, {}),
    "has no value in this row": ({"years": [None if row == 3 else year for row, year in enumerate(YEARS)]}, {}),
    "must be a column of numbers": ({"years": ["long"] * ROWS}, {}),
    "mse takes no log-rate": ({}, {"losses": "poisson-nll, mse"}),
    "gaussian-nll takes no log-rate": ({}, {"losses": "gaussian-nll"}),
    "softplus would bend that": ({}, {"model": "kind: linear, output: softplus"}),
    "is for counts \\(task regression\\), and the task is binary": (
        {"claims": np.where(CLAIMS > 1, "yes", "no")},
        {"task": "binary", "losses": "bce-logits"},
    ),
    "is also a target": ({}, {"data": ", exposure: claims"}),
    "to be left out": ({}, {"data": ", exposure: years, drop: [years]"}),
    "both given": ({}, {"data": ", exposure: years, offset: a"}),
    "data.exposure names a column 'yaers'": ({}, {"data": ", exposure: yaers"}),
    "the logarithm of an exposure, and it is 1000": (
        {"years": np.where(np.arange(ROWS) == 3, 1000.0, YEARS)},
        {"data": ", offset: years"},
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_an_exposure_is_refused_with_a_cure(tmp_path: Path, message: str) -> None:
    changed, given = BAD[message]
    with pytest.raises((DataError, SpecError), match=message) as caught:
        arena_of(tmp_path, columns() | changed, **given)
    assert caught.value.problems[0].cure or "leave" in str(caught.value) or "is also" in str(caught.value)
    if message.endswith("in this row"):
        assert (caught.value.problems[0].place.line, caught.value.problems[0].place.column) == (5, 3)


def test_new_rows_must_have_an_exposure(tmp_path: Path) -> None:
    arena_of(tmp_path, columns())
    trained = only_run(tmp_path)
    for years, message in ((None, "needs 1 column more: 'years'"), (np.zeros(ROWS), "must be above 0, and it is 0")):
        table = {name: values for name, values in columns().items() if name != "years"}
        csv.write_csv(pa.table(table if years is None else table | {"years": years}), tmp_path / "new.csv")
        with pytest.raises(DataError, match=message):
            features_of(trained, tmp_path / "new.csv")


def test_an_offset_that_looks_like_exposures_is_doubted(tmp_path: Path) -> None:
    arena = arena_of(tmp_path, columns() | {"years": 50 * YEARS}, data=", offset: years", epochs=1)
    (doubt,) = [finding for finding in arena.findings if finding.code == "offset-large"]
    assert "data.exposure=years" in doubt.cure


def test_what_metrics_compare_is_said_and_the_exposure_is_no_feature(tmp_path: Path) -> None:
    arena = arena_of(tmp_path, columns(), epochs=1)
    told = {finding.code: finding.message for finding in arena.findings}
    assert "counts over each row's own exposure (the mean is 2.0" in told["exposure"]
    assert told["columns"] == "columns: 2 numbers as features; counts are over the exposure 'years'"
    assert only_run(tmp_path).encoder.names() == ["log years", "a", "b"]
