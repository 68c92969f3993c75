"""The task of embeddings on real rows: new classes, findings, the baseline, what is written of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv
from sklearn.datasets import load_digits

from losscli import pipeline
from losscli.cli.app import run
from losscli.data.sources import Split, sources
from losscli.data.split import divide
from losscli.errors import DataError, SpecError
from losscli.experiment import load
from losscli.metrics import for_task
from losscli.spec.load import load_spec
from losscli.stack.train import Training
from losscli.tasks import tasks

DIGITS = "task: embedding\ndata: {source: builtin, name: digits}\nmodel: {hidden: [32]}\n"


@pytest.fixture
def spec(tmp_path):
    def of(text: str, *settings: str):
        (tmp_path / "own.yaml").write_text(text)
        return load_spec(tmp_path / "own.yaml", list(settings)) if settings else load_spec(tmp_path / "own.yaml")

    return of


def codes(arena) -> dict[str, str]:
    return {finding.code: finding.message for finding in arena.findings}


def test_losses_of_every_kind_beat_the_features_on_digits(spec):
    losses = "loss: [multi-similarity, triplet, proxy-anchor, hinge-embedding]\ntrain: {max_steps: 150}\nseeds: 2\n"
    (arena,) = pipeline.run([spec(DIGITS + losses)], out=None).arenas
    assert 0.4 < arena.without_model("map-at-r") < 0.5  # of standardised pixels
    assert all(entry.scores["test"]["map-at-r"].mean > 0.75 for entry in arena.entries)
    assert not {"collapse", "below-features", "class-missing"} & set(codes(arena))


def test_a_collapse_and_less_than_the_features_are_told(spec):
    """The hardest triplets of wrong labels: the loss goes to its margin, and all vectors to one place."""
    ill = "loss: {name: triplet, mining: hard}\ntrain: {max_steps: 150, lr: 0.03}\nseeds: 1\n"
    found = codes(
        pipeline.run(
            [spec((DIGITS + ill).replace("digits", "digits, corrupt: {labels: 0.6}").replace("[32]", "[64, 64]"))],
            out=None,
        ).arenas[0]
    )
    assert "collapsed in its run" in found["collapse"]
    assert "the loss, 0.2, is what it is where all vectors are equal" in found["collapse"]
    assert "map-at-r" in found["below-features"]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("train: {per_class: 1, batch_size: 8}", "no-positives"),
        ("train: {per_class: 16, batch_size: 20}", "no-negatives"),
        ("model: {output: relu}", "bounded-vectors"),
        ("train: {per_class: 1, batch_size: 80}", None),  # ten classes come eight times
        ("train: {per_class: 4}", None),
    ],
)
def test_what_is_wrong_before_training_is_told(spec, settings, code):
    text = DIGITS.replace("model: {hidden: [32]}\n", "") + settings + "\nseeds: 1\n"
    found = {finding.code for finding in load(spec(text)).findings}
    assert found & {"no-positives", "no-negatives", "bounded-vectors"} == ({code} if code else set())


def test_new_classes_are_tested_on_alone(spec):
    experiment = load(spec(DIGITS.replace("digits}", "digits, split: {classes: 0.3}}") + "seeds: 4\n"))
    held = []
    for dataset in experiment.datasets.values():
        classes = {name: set(part.target.tolist()) for name, part in dataset.parts.items()}
        held.append(frozenset(classes["test"]))
        assert len(classes["test"]) == 3
        assert classes["valid"] == classes["train"] == set(range(10)) - classes["test"]
        assert sum(part.rows for part in dataset.parts.values()) == 1797
        assert dataset.parts["valid"].rows == round(0.15 * 1797)
    assert len(set(held)) > 1  # each seed draws its own
    assert "class-missing" not in {finding.code for finding in experiment.findings}


def test_new_classes_are_for_vectors_only(spec):
    with pytest.raises(SpecError, match="task multiclass cannot predict them"):
        load(spec("task: multiclass\ndata: {source: builtin, name: digits, split: {classes: 0.3}}\n"))
    table = sources.get("builtin")(name="digits").read(Path())
    target = tasks.get("embedding").decode(table.targets)
    with pytest.raises(DataError, match="at least two must be left"):
        divide(table, target, Split(classes=0.9, valid=0.05), 0, stratify=True)
    with pytest.raises(DataError, match="takes 1 of 10 classes for the test split, and it takes two"):
        divide(table, target, Split(classes=0.1), 0, stratify=True)


def test_a_column_of_any_labels_is_a_target():
    table = sources.get("builtin")(name="iris").read(Path())
    target = tasks.get("embedding").decode(table.targets)
    assert (target.labels, np.bincount(target.values).tolist()) == (("setosa", "versicolor", "virginica"), [50] * 3)


@pytest.fixture
def pairs(tmp_path):
    """Pairs of digits side by side, as a file and as a spec."""
    features, labels = load_digits(return_X_y=True)
    chance = np.random.default_rng(0)
    first = chance.permutation(len(labels))
    second = chance.permutation(len(labels))
    for row in range(0, len(labels), 2):  # every other one with its like
        second[row] = chance.choice(np.flatnonzero(labels == labels[first[row]]))
    columns = {
        f"{half}_{place}": features[rows, place] for half, rows in (("a", first), ("b", second)) for place in range(64)
    }
    same = np.where(labels[first] == labels[second], "same", "different")
    csv.write_csv(pa.table({**columns, "verdict": same}), tmp_path / "pairs.csv")

    def of(text: str):
        data = "data: {source: csv, path: pairs.csv, target: verdict, pairs: [a_, b_]}\n"
        (tmp_path / "own.yaml").write_text("task: embedding\n" + data + text)
        return load_spec(tmp_path / "own.yaml")

    return of


def test_pairs_of_a_table_train_one_network_for_both_halves(pairs):
    spec = pairs("loss: [contrastive, cosine-embedding, hinge-embedding]\ntrain: {max_steps: 200}\nseeds: 2\n")
    assert spec.metrics == ["pair-auroc", "pair-auprc"]
    experiment = load(spec)
    data = experiment.datasets[0]
    assert data.features <= 64  # of a half
    for part in data.parts.values():
        assert part.rows % 2 == 0
        assert (part.index[::2] + 1 == part.index[1::2]).all()
        assert (part.target[::2] == part.target[1::2]).all()
    (arena,) = pipeline.run([spec], out=None).arenas
    floor = arena.without_model("pair-auroc")
    assert 0.6 < floor < 0.95
    assert all(entry.scores["test"]["pair-auroc"].mean > floor for entry in arena.entries)


def test_a_table_of_pairs_is_no_table_of_halves(pairs, tmp_path, capfd):
    pairs("loss: contrastive\ntrain: {max_steps: 2}\nseeds: 1\nmodel: {hidden: [4]}\n")
    out = ["--out", str(tmp_path / "runs")]
    assert run(["train", str(tmp_path / "own.yaml"), "--quiet", *out]) == 0
    assert run(["predict", "1", str(tmp_path / "pairs.csv"), *out]) == 3
    said = " ".join(capfd.readouterr().err.split())
    assert "the model takes one half of a pair in each row: '1', '2'" in said
    assert "try: write both halves below each other, without 'a_' and 'b_' before the names" in said
    halves = csv.read_csv(tmp_path / "pairs.csv").select([f"a_{place}" for place in range(64)])
    csv.write_csv(halves.rename_columns([str(place) for place in range(64)]), tmp_path / "halves.csv")
    named = ["--set", "data.header=true"]  # whose names are numbers
    assert run(["predict", "1", str(tmp_path / "halves.csv"), "--to", str(tmp_path / "new.csv"), *named, *out]) == 0
    new = csv.read_csv(tmp_path / "new.csv")
    assert new.num_rows == halves.num_rows
    assert sum(name.startswith("embedding_") for name in new.column_names) == 16
    assert run(["report", "1", "--to", str(tmp_path / "page.html"), *out]) == 0
    assert run(["export", "1", "--dir", str(tmp_path / "model"), *out]) == 0


def test_what_pairs_cannot_have_is_told(pairs, tmp_path):
    with pytest.raises(DataError, match="triplet takes rows with classes"):
        load(pairs("loss: triplet\n"))
    (tmp_path / "rows.yaml").write_text("task: embedding\nmetrics: [pair-auroc]\n")
    for metric in (item.name for item in for_task("embedding").values() if not item.name.startswith("pair-")):
        with pytest.raises(SpecError, match=f"{metric} needs rows with a class each, and data.pairs gives pairs"):
            pairs(f"loss: contrastive\nmetrics: [{metric}]\n")
    with pytest.raises(SpecError, match="pair-auroc needs rows that are pairs"):
        load_spec(tmp_path / "rows.yaml")
    with pytest.raises(DataError, match="'b_63' has no partner"):
        load(
            pairs("loss: contrastive\n").model_copy(
                update={
                    "data": sources.get("csv")(
                        source="csv",
                        path=str(tmp_path / "pairs.csv"),
                        target="verdict",
                        pairs=["a_", "b_"],
                        drop=["a_63"],
                    )
                }
            )
        )


def test_halves_of_a_pair_are_in_every_batch_together(pairs):
    experiment = load(pairs("loss: contrastive\nseeds: 2\n"))
    training = Training(experiment.runs(), experiment.job)
    data = experiment.datasets[0].parts["train"]
    halves = {
        one.tobytes() + other.tobytes() for one, other in zip(data.features[::2], data.features[1::2], strict=True)
    }
    batches = [batch["inputs"][0].numpy() for batch in training.sampler.epoch()]
    drawn = [
        one.tobytes() + other.tobytes() for rows in batches for one, other in zip(rows[::2], rows[1::2], strict=True)
    ]
    assert len(batches) >= 10
    assert set(drawn) <= halves
    assert len(set(drawn)) > 0.9 * len(halves)
