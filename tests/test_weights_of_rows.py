"""From a spec to the output: weights that leave no row of a split, and classes that a mapping does not name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import losscli
from losscli.errors import DataError, SpecError
from losscli.reports.json import to_json

SPEC = """task: binary
data: {{source: csv, path: rows.csv, target: y{data}}}
loss: {loss}
model: {{hidden: [8]}}
train: {{epochs: 3, batch_size: 4{train}}}
metrics: [log-loss, accuracy]
seeds: 4
"""


@pytest.fixture
def run(tmp_path: Path):
    """Trains on 60 rows, of which the first `counting` have weight 1, the others 0."""

    def run(loss: str, counting: int | None = None, train: str = ""):
        chance = np.random.default_rng(0)
        x = chance.standard_normal(60)
        y = np.where(x + chance.standard_normal(60) > 0.8, "yes", "no")
        rows = [f"{a:.4f},{int(at < (counting or 0))},{b}" for at, (a, b) in enumerate(zip(x, y, strict=True))]
        (tmp_path / "rows.csv").write_text("\n".join(["x,w,y", *rows]) + "\n")
        data = ", weight: w" if counting else ", drop: [w]"
        (tmp_path / "spec.yaml").write_text(SPEC.format(loss=loss, data=data, train=train))
        return losscli.compare([losscli.load_spec(tmp_path / "spec.yaml")], out=tmp_path / "runs")

    return run


@pytest.mark.parametrize("train", ["", ", patience: 2"])
def test_splits_without_a_row_that_counts_diverge_nowhere_and_are_told_once(run, train) -> None:
    comparison = run("[bce-logits, hinge]", counting=6, train=train)
    (arena,) = json.loads(json.dumps(to_json(comparison), allow_nan=False))["arenas"]
    assert {run["status"] for run in arena["runs"]} <= {"ok", "stopped"}
    told = [finding for finding in arena["findings"] if finding["code"] == "loss-without-value"]
    assert [finding["message"].split(" has ")[0] for finding in told] == ["the loss of 2 entries"] * len(told)
    assert 1 <= len(told) <= 2
    history = pq.read_table(Path(comparison.record) / "history.parquet").to_pylist()
    valid = [point["value"] for point in history if (point["split"], point["metric"]) == ("valid", "loss")]
    assert None in valid or any(value != value for value in valid)
    train_loss = [point["value"] for point in history if (point["split"], point["metric"]) == ("train", "loss")]
    assert np.isfinite(train_loss).all()


def test_training_splits_without_a_row_that_counts_are_refused(run) -> None:
    with pytest.raises(DataError, match="no row of the training split counts for 2 entries") as caught:
        run("[bce-logits, hinge]", counting=1)
    assert caught.value.problems[0].cure


def test_a_mapping_names_some_classes(run) -> None:
    comparison = run('[{name: hinge, weight: {"yes": 0}}, {name: hinge, weight: {yes: 0, no: 1}}]')
    first, second = comparison.arenas[0].entries
    assert first.scores["test"]["accuracy"].values == second.scores["test"]["accuracy"].values
    with pytest.raises(SpecError, match="all zero"):
        run("{name: hinge, weight: {yes: 0, no: 0}}")


@pytest.mark.parametrize(
    ("task", "loss"),
    [
        ("multiclass", "{name: cross-entropy, weight: balanced}"),
        ("multiclass", "logit-adjusted"),
        ("multiclass", "ldam"),
        ("binary", "{name: bce-logits, pos_weight: balanced}"),
        ("binary", "{name: hinge, weight: effective}"),
        ("regression", "mse"),
    ],
)
def test_rows_of_weight_zero_are_as_good_as_absent(tmp_path: Path, task: str, loss: str) -> None:
    """In whole batches, what is learned from the training split (scales, codes, counts of classes) does not see them either."""
    chance = np.random.default_rng(1)
    x = chance.normal(3.0, 2.0, 90)
    y = {
        "binary": np.where(x + chance.normal(size=90) > 4, "yes", "no"),
        "multiclass": np.digitize(x + chance.normal(size=90), [2, 4]),
        "regression": x + chance.normal(size=90),
    }[task]
    part = np.array(["train"] * 50 + ["valid"] * 20 + ["test"] * 20)
    weight = np.where((np.arange(90) % 3 == 0) & (part == "train"), 0, 1)
    losses = []
    for name, kept in (("with", np.ones(90, bool)), ("without", weight > 0)):
        rows = [f"{a:.4f},{b},{w},{p}" for a, b, w, p in zip(x[kept], y[kept], weight[kept], part[kept], strict=True)]
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(["x,y,w,part", *rows]) + "\n")
        spec = tmp_path / f"{name}.yaml"
        spec.write_text(
            f"task: {task}\ndata: {{source: csv, path: {path.name}, target: y, weight: w, split: {{column: part}}}}\n"
            f"loss: {loss}\nmodel: {{hidden: [8]}}\ntrain: {{epochs: 4, batch_size: 1000}}\nseeds: 2\n"
        )
        (arena,) = losscli.compare([losscli.load_spec(spec)], out=None).arenas
        losses.append([point.value for run in arena.runs for point in run.history if point.metric == "loss"])
    assert len(losses[0]) == 2 * 4 * 2
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("unit", [1e300, 1e308, 1e-310, 1e-45])
def test_weights_in_a_far_unit_say_the_same(tmp_path: Path, unit: float) -> None:
    chance = np.random.default_rng(0)
    x, weights = chance.standard_normal(60), chance.integers(1, 4, 60) / 4
    scores = []
    for factor in (1.0, unit):
        rows = [f"{a:.4f},{w * factor!r},{2 * a + 1:.4f}" for a, w in zip(x.tolist(), weights.tolist(), strict=True)]
        (tmp_path / "rows.csv").write_text("\n".join(["x,w,y", *rows]) + "\n")
        (tmp_path / "spec.yaml").write_text(
            "task: regression\ndata: {source: csv, path: rows.csv, target: y, weight: w}\n"
            "loss: mse\nmodel: {hidden: [4]}\ntrain: {epochs: 2}\nseeds: 1\n"
        )
        board = losscli.compare([losscli.load_spec(tmp_path / "spec.yaml")], out=tmp_path / "runs")
        scores.append(board.arenas[0].entries[0].scores["test"]["rmse"].values)
    assert np.isfinite(scores[0]).all()
    assert scores[1] == pytest.approx(scores[0], rel=1e-3)  # of 1e-310, a few digits are all that a number has
