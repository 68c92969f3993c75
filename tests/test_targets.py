"""Targets and encodings along the whole line: from a spec and a file to scores, findings and the record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, mean_absolute_error

from losscli.data.decode import target_from_state
from losscli.data.encode import Encoder
from losscli.errors import DataError, SpecError
from losscli.experiment import load
from losscli.losses.weights import class_counts, class_weights
from losscli.pipeline import run
from losscli.record.reader import read, read_predictions, read_weights
from losscli.spec.load import load_spec

QUICK = "train: {epochs: 12, batch_size: 32, lr: 1e-2}\nmodel: {kind: mlp, hidden: [16]}\n"
RNG = np.random.default_rng(0)
X, Z = RNG.normal(size=(2, 240))
SHOPS = RNG.integers(0, 100, 240)


@pytest.fixture
def spec(tmp_path: Path):
    def write(task: str, data: str, columns: dict[str, object], rest: str = QUICK):
        rows = zip(*columns.values(), strict=True)
        table = "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)])
        (tmp_path / "table.csv").write_text(table + "\n")
        (tmp_path / "spec.yaml").write_text(f"task: {task}\ndata: {{source: csv, path: table.csv, {data}}}\n{rest}")
        return load_spec(tmp_path / "spec.yaml")

    return write


def shares() -> dict[str, np.ndarray]:
    odds = np.exp(np.stack([2 * X, Z, np.zeros_like(X)], axis=1))
    return dict(zip(("cat", "dog", "bird"), (odds / odds.sum(axis=1, keepdims=True)).round(6).T, strict=True))


def codes(arena) -> list[str]:
    return [finding.code for finding in arena.findings]


def test_probabilities_as_a_target_train_and_are_stratified_by_the_most_likely_class(spec):
    columns = {"x": X, "z": Z, **shares()}
    made = spec("multiclass", "target: [cat, dog, bird]", columns, QUICK + "loss: [cross-entropy, brier]\nseeds: 2\n")
    experiment = load(made)
    likely = np.stack(list(shares().values()), axis=1).argmax(axis=1)
    for dataset in experiment.datasets.values():
        part = dataset.parts["test"]
        assert part.target.shape == (36, 3)
        counts = np.bincount(part.target.argmax(axis=1), minlength=3)
        assert np.abs(counts - np.bincount(likely) * 36 / 240).max() < 1  # largest remainder
    (arena,) = run([made], out=None).arenas
    assert "target-soft" in codes(arena)
    assert arena.labels == ("cat", "dog", "bird")
    for entry in arena.entries:
        assert entry.scores["test"]["accuracy"].mean > 0.9 > arena.baseline["test"]["accuracy"]


def test_the_record_of_probabilities_holds_the_most_likely_class(spec, tmp_path):
    made = spec("multiclass", "target: [cat, dog, bird]", {"x": X, "z": Z, **shares()})
    comparison = run([made], out=tmp_path / "runs")
    kept = read_predictions(Path(comparison.record)).to_pydict()
    said = np.array(kept["prediction"]).argmax(axis=1)
    truth = np.array(kept["truth"])[:, 0]
    (entry,) = comparison.arenas[0].entries
    assert entry.scores["test"]["accuracy"].mean == pytest.approx(accuracy_score(truth, said))


def test_class_weights_of_probabilities_are_of_their_sums(spec):
    rest = QUICK + "loss: [{name: cross-entropy, weight: balanced}, {name: logit-adjusted}]\n"
    experiment = load(spec("multiclass", "target: [cat, dog, bird]", {"x": X, "z": Z, **shares()}, rest))
    train = experiment.datasets[0].parts["train"].target
    sums = train.astype(np.float64).sum(axis=0)
    assert class_counts("training", train, "abc").tolist() == pytest.approx(sums.tolist())
    assert class_weights("balanced", train, "abc").tolist() == pytest.approx((sums.sum() / (3 * sums)).tolist())
    scores = [entry.scores["test"]["accuracy"].mean for entry in run([experiment.spec], out=None).arenas[0].entries]
    assert min(scores) > 0.8


@pytest.mark.parametrize("loss", ["focal", "nll", "coral"])
def test_losses_of_one_class_refuse_probabilities(spec, loss):
    with pytest.raises(DataError, match=f"{loss} takes one class per row") as refused:
        load(spec("multiclass", "target: [cat, dog, bird]", {"x": X, **shares()}, QUICK + f"loss: {loss}\n"))
    assert "cross-entropy" in refused.value.problems[0].cure
    assert "focal" not in refused.value.problems[0].cure


def test_labels_in_one_cell(spec):
    genres = ["|".join(name for name, yes in (("a", x > 0), ("b", z > 0.5)) if yes) for x, z in zip(X, Z, strict=True)]
    (arena,) = run(
        [spec("multilabel", 'target: genre, separator: "|"', {"x": X, "z": Z, "genre": genres})], out=None
    ).arenas
    assert arena.labels == ("a", "b")
    assert arena.entries[0].scores["test"]["macro-f1"].mean > 0.8
    assert "target-labels" in codes(arena)


def test_the_positive_label_turns_the_scores_round(spec):
    said = np.where(X > -0.8, "ok", "fail")
    arenas = [
        run([spec("binary", f"target: y, positive: {label}", {"x": X, "z": Z, "y": said})], out=None).arenas[0]
        for label in ("fail", "ok")
    ]
    assert [arena.labels for arena in arenas] == [("ok", "fail"), ("fail", "ok")]
    share = {label: np.mean(said == label) for label in ("fail", "ok")}
    accuracies = [arena.baseline["test"]["accuracy"] for arena in arenas]
    assert accuracies == pytest.approx([max(share.values())] * 2, abs=0.03)
    assert arenas[0].baseline["test"]["f1"] == 0 < arenas[1].baseline["test"]["f1"]  # the majority is ok


@pytest.mark.parametrize("transform", ["log", "log1p"])
def test_metrics_are_in_the_users_units_whatever_the_target_is_learned_as(spec, transform, tmp_path):
    price = np.exp(3 + X + 0.5 * Z)
    made = spec("regression", f"target: price, transform: {transform}", {"x": X, "z": Z, "price": price})
    comparison = run([made], out=tmp_path / "runs")
    (arena,) = comparison.arenas
    kept = read_predictions(Path(comparison.record)).to_pydict()
    truth, said = (np.array(kept[name])[:, 0] for name in ("truth", "prediction"))
    np.testing.assert_allclose(np.sort(truth), np.sort(price[kept["row"]]), rtol=1e-5)
    assert arena.entries[0].scores["test"]["mae"].mean == pytest.approx(mean_absolute_error(truth, said), rel=1e-5)
    assert (said > (0 if transform == "log" else -1)).all()
    train = np.setdiff1d(np.arange(240), kept["row"])  # train and valid: about the mean of train
    always = mean_absolute_error(truth, np.full(len(truth), price[train].mean()))
    assert arena.baseline["test"]["mae"] == pytest.approx(always, rel=0.1)
    assert arena.entries[0].scores["test"]["mae"].mean < arena.baseline["test"]["mae"] / 2
    assert "target-transformed" in codes(arena)


def test_a_row_unlike_any_other_cannot_make_a_prediction_under_a_transform_beyond_all_bounds(spec):
    """A line through logarithms, and one row far out on it: with a seed whose test split has it."""
    x = np.where(np.arange(240) == 7, 1e3, X)
    rest = "train: {epochs: 30, batch_size: 32, lr: 1e-1}\nmodel: {kind: linear}\nseeds: 12\n"
    price = np.exp(3 + 0.5 * X)
    made = spec("regression", "target: price, transform: log, split: {test: 0.3}", {"x": x, "price": price}, rest)
    values = {run.seed: run.scores["test"]["rmse"] for run in run([made], out=None).arenas[0].runs}
    datasets = load(made).datasets
    hit = [seed for seed, dataset in datasets.items() if 7 in dataset.parts["test"].index]
    assert hit
    logs = np.log(price)
    most = np.exp(logs.max() + logs.std())
    for seed in hit:
        assert values[seed] <= most


def test_the_baseline_under_a_transform_is_the_mean_in_the_users_units(spec):
    experiment = load(spec("regression", "target: price, transform: log", {"x": X, "price": np.exp(3 * X)}))
    dataset = experiment.datasets[0]
    train = torch.from_numpy(dataset.parts["train"].target)
    said = experiment.job.task.baseline(train, 1, dataset.scale).values.item()
    assert said == pytest.approx(np.exp(3 * X)[dataset.parts["train"].index].mean(), rel=1e-4)


def test_a_transform_is_refused_with_losses_that_judge_targets_as_they_are(spec):
    made = spec(
        "regression", "target: y, transform: log1p", {"x": X, "y": np.arange(240)}, QUICK + "loss: [mse, poisson-nll]\n"
    )
    with pytest.raises(DataError, match=r"poisson-nll judges targets as they are, and data\.transform: log1p"):
        load(made)


def test_a_target_that_is_not_standardised_stays_as_it_is(spec):
    experiment = load(spec("regression", "target: y, standardise: false", {"x": X, "y": 1000 + X}))
    part = experiment.datasets[0].parts["train"]
    np.testing.assert_allclose(part.target, (1000 + X)[part.index], rtol=1e-6)
    counts = RNG.poisson(np.exp(1 + X))
    made = spec("regression", "target: y, standardise: false", {"x": X, "y": counts}, QUICK + "loss: poisson-nll\n")
    (arena,) = run([made], out=None).arenas
    assert arena.entries[0].scores["test"]["mae"].mean < arena.baseline["test"]["mae"] * 0.7


@pytest.mark.parametrize(
    ("labels", "data", "code", "said"),
    [
        (("low", "medium", "high"), "", "class-order", "in the order of their words: 'low' < 'medium' < 'high'"),
        (("1", "2", "3"), "", "class-order", "in the order of their numbers: '1' < '2' < '3'"),
        (("oak", "ash", "elm"), ", order: [oak, ash, elm]", "class-order", "that is given: 'oak' < 'ash' < 'elm'"),
        (("oak", "ash", "elm"), "", "class-order-unknown", "by the alphabet, 'ash' < 'elm' < 'oak'"),
    ],
)
def test_ordinal_losses_tell_the_order_they_go_by(spec, labels, data, code, said):
    grade = np.array(labels)[np.digitize(X, [-0.5, 0.5])]
    columns = {"x": X, "grade": grade}
    experiment = load(
        spec("multiclass", f"target: grade{data}", columns, QUICK + "loss: [cross-entropy, coral, emd]\n")
    )
    found = [finding for finding in experiment.findings if finding.code.startswith("class-order")]
    assert [finding.code for finding in found] == [code] * 2
    assert found[0].message.startswith("coral ranks")
    assert said in found[0].message
    nominal = load(spec("multiclass", f"target: grade{data}", columns))
    assert not [finding for finding in nominal.findings if finding.code.startswith("class-order")]


def test_a_key_for_another_task_has_its_place(spec):
    with pytest.raises(SpecError) as refused:
        spec("binary", "target: y, order: [a, b], transform: log", {"x": X, "y": (X > 0).astype(int)})
    assert [problem.message for problem in refused.value.problems] == [
        "data.order is for task multiclass, and the task is binary",
        "data.transform is for task regression, and the task is binary",
    ]
    assert all(problem.place.line == 2 for problem in refused.value.problems)


def test_an_order_that_names_a_label_twice(spec):
    with pytest.raises(SpecError, match="order names '1' twice"):
        spec("multiclass", "target: y, order: [1, 2, 1.0]", {"x": X, "y": np.arange(240) % 2})


def test_the_record_holds_what_prediction_needs(spec, tmp_path):
    shops = [f"shop{shop:02}" for shop in SHOPS]
    sales = np.exp(X + SHOPS / 30)
    data = "target: sales, transform: log, encode: {categories: embedding, numbers: robust}"
    comparison = run(
        [spec("regression", data, {"shop": shops, "x": X, "sales": sales}, QUICK + "seeds: 2\n")], out=tmp_path
    )
    folder = Path(comparison.record)
    for seed, state in ((0, read(folder)["encoders"]["0/0"]), (1, read(folder)["encoders"]["0/1"])):
        target, scale = target_from_state(state)
        assert (target.labels, target.transform, scale.transform) == (("sales",), "log", "log")
        encoder = Encoder.from_state(state)
        assert encoder.names() == ["x", "shop"]
        table0 = read_weights(folder)[f"0/mse/{seed}/layers.0.table0"]
        assert table0.shape[0] >= encoder.embedded[0]
        assert table0.shape[1] == encoder.sizes[0]
    arena = comparison.arenas[0]
    assert arena.entries[0].scores["test"]["mae"].mean < arena.baseline["test"]["mae"]
    again = run([load_spec(folder / "spec.yaml")], out=None).arenas[0]
    assert again.entries[0].scores["test"]["mae"].values == arena.entries[0].scores["test"]["mae"].values


def test_ids_are_left_out_unless_they_are_embedded(spec):
    effect = RNG.normal(size=130)
    shop = np.concatenate([np.arange(130), RNG.integers(0, 130, 110)])
    columns = {"shop": [f"s{each:03}" for each in shop], "x": X, "y": effect[shop] + X}
    left_out = load(spec("regression", "target: y", columns))
    assert "too-many-levels" in {finding.code for finding in left_out.findings}
    assert left_out.datasets[0].embedded == ()
    kept = load(spec("regression", "target: y, encode: {embedding: {columns: [shop]}}", columns))
    assert "too-many-levels" not in {finding.code for finding in kept.findings}
    assert "'shop' (130 levels as 24 numbers)" in next(f.message for f in kept.findings if f.code == "embedded")
    assert kept.datasets[0].layout.codes[0] > 80


def test_what_was_filled_in_is_told_with_counts(spec):
    holes = ["" if at % 10 == 0 else f"{x:.3f}" for at, x in enumerate(X)]
    data = "target: y, encode: {missing: {numbers: mean}, indicator: true}"
    experiment = load(spec("binary", data, {"x": holes, "z": Z, "y": (Z > 0).astype(int)}))
    told = next(finding.message for finding in experiment.findings if finding.code == "missing-values")
    assert "'x' in 24 of 240 rows; a number became the training mean, and features of their own" in told
    assert experiment.datasets[0].features == 3
