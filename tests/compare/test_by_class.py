"""Class by class: scikit-learn's numbers for each seed, and what is undefined stays so."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from losscli.cli import app
from losscli.compare.by_class import by_class, to_json, worst
from losscli.pipeline import run
from losscli.record.predictions import runs_of
from losscli.record.reader import read_predictions
from losscli.spec.load import build_spec
from losscli.spec.overrides import Overrides
from losscli.tasks import tasks
from losscli.tasks.predictions import Predictions

NAMES = ("cat", "dog", "[b]owl[/b]")


def runs(seeds: int = 2) -> dict[int, Predictions]:
    chance = np.random.default_rng(1)
    return {
        seed: Predictions(
            np.arange(50), chance.integers(0, 3, (50, 1)), chance.dirichlet(np.ones(3), 50), "probabilities"
        )
        for seed in range(seeds)
    }


def test_scores_are_the_means_over_the_seeds_of_scikit_learns() -> None:
    (entry,) = by_class(tasks.get("multiclass"), NAMES, {"a": runs()})
    oracle = np.mean(
        [
            precision_recall_fscore_support(run.truth[:, 0], run.prediction.argmax(1), labels=[0, 1, 2])
            for run in runs().values()
        ],
        axis=0,
    )
    for at, one in enumerate(entry.classes):
        assert [one.precision.mean, one.recall.mean, one.f1.mean, one.rows] == pytest.approx(oracle[:, at])
    matrix = sum(confusion_matrix(run.truth[:, 0], run.prediction.argmax(1)) for run in runs().values())
    assert entry.counts is not None
    assert entry.counts.tolist() == matrix.tolist()
    np.testing.assert_allclose(entry.shares.sum(axis=1), 1)


def test_what_is_undefined_stays_so() -> None:
    """No row of the third class, and nobody says so: no share of nothing is 0."""
    run_ = Predictions(np.arange(3), np.array([[0], [1], [1]]), np.eye(3)[[0, 0, 0]], "scores")
    (entry,) = by_class(tasks.get("multiclass"), NAMES, {"a": {0: run_}})
    cat, dog, owl = entry.classes
    assert (cat.precision.mean, cat.recall.mean) == pytest.approx((1 / 3, 1.0))
    assert math.isnan(dog.precision.mean)
    assert (dog.recall.mean, dog.f1.mean) == (0.0, 0.0)
    assert all(math.isnan(score.mean) for score in (owl.precision, owl.recall, owl.f1))
    assert to_json(entry)["classes"][2]["recall"]["mean"] is None
    assert entry.confusions() == [(1, 0)]


def test_labels_of_a_row_and_decisions_of_scores() -> None:
    run_ = Predictions(
        np.arange(3), np.array([[1, 0], [1, 1], [0, 0]]), np.array([[0.3, -1], [-1, 3], [0.2, -2]]), "scores"
    )
    (entry,) = by_class(tasks.get("multilabel"), ("a", "b"), {"x": {0: run_}})
    assert entry.counts is None
    a, b = entry.classes
    assert (a.rows, a.precision.mean, a.recall.mean) == (2, 0.5, 0.5)
    assert (b.precision.mean, b.recall.mean, b.f1.mean) == (1.0, 1.0, 1.0)
    for task in ("regression", "embedding", "gan", "distribution"):
        assert by_class(tasks.get(task), ("a", "b"), {"x": {0: run_}}) == []


def test_the_worst_are_worst_for_the_entry_that_does_best() -> None:
    entries = by_class(tasks.get("multiclass"), NAMES, {"a": runs(), "b": runs(1)})
    best = [max(entry.classes[at].f1.mean for entry in entries) for at in range(3)]
    assert worst(entries, 2) == sorted(np.argsort(best)[:2].tolist())


def test_the_commands_show_it_and_a_record_gives_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["compare", "--task", "binary", "--loss", "bce-logits", "--loss", "hinge", "--seeds", "2", "--epochs", "2"]
    assert app.run([*line, "--by-class", "--format", "json", "--out", str(tmp_path), "-q"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert app.run(["runs", "show", "1", "--out", str(tmp_path), "--by-class", "--format", "json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["arenas"][0]["by_class"] == told["arenas"][0]["by_class"]
    (first, _) = told["arenas"][0]["by_class"]
    assert first["seeds"] == 2
    assert np.sum(first["confusion"]) == 300
    assert app.run(["runs", "show", "1", "--out", str(tmp_path), "--by-class"]) == 0
    text = capsys.readouterr().out
    assert "class by class, test split, mean ± sd of 2 seeds" in text
    assert "by_class" not in (next(tmp_path.iterdir()) / "results.json").read_text()
    record = next(path for path in tmp_path.iterdir() if path.is_dir())
    kept = runs_of(read_predictions(record), 0)
    assert {name: sorted(of) for name, of in kept.items()} == {"bce-logits": [0, 1], "hinge": [0, 1]}


def test_seeds_whose_predictions_are_not_kept_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("losscli.pipeline.MOST_NUMBERS", 10)
    line = ["train", "--task", "multilabel", "--seeds", "3", "--epochs", "1", "--no-record", "-q", "--by-class"]
    assert app.run(line) == 0
    assert "(predictions of 1 of 3 seeds are kept)" in " ".join(capsys.readouterr().out.split())


def test_regression_has_nothing_class_by_class(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["train", "--task", "regression", "--epochs", "1", "--no-record", "-q", "--by-class"]) == 0
    assert "there is nothing class by class: the target is no class" in capsys.readouterr().out


def test_many_classes_show_the_worst_and_what_is_confused(capsys: pytest.CaptureFixture[str]) -> None:
    spec = build_spec(Overrides(task="multiclass", seeds="1", sets=["train.epochs=1"]))
    comparison = run([spec], out=None)
    from losscli.cli import by_class as shown
    from losscli.cli import show

    labels = [f"[red]class {at}[/red]" for at in range(12)]
    chance = np.random.default_rng(0)
    wide = Predictions(np.arange(400), chance.integers(0, 12, (400, 1)), chance.dirichlet(np.ones(12), 400), "scores")
    entries = by_class(tasks.get("multiclass"), labels, {"cross-entropy": {0: wide}})
    show.pieces(shown.pieces(comparison.arenas[0], entries, 80))
    text = capsys.readouterr().out
    assert "the 10 worst of 12" in text
    assert "[red]class 0[/red]" in text  # a label is no markup
    assert "what is taken for what most often" in text
