"""Suspect labels: cleanlab's counts (2.9.0) on a fixed sample, labels changed on purpose, and the lines in the file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

from losscli.cli import app
from losscli.errors import MachineError, SpecError
from losscli.pipeline import run
from losscli.spec.load import build_spec
from losscli.spec.overrides import Overrides
from losscli.suspects import SuspectReport, coverage, suspects
from losscli.suspects.confident import confidence, joint
from losscli.suspects.pooled import Pooled, as_probabilities
from losscli.suspects.ranked import of_labels, of_numbers
from losscli.tasks.predictions import Predictions


def sample() -> tuple[np.ndarray, np.ndarray]:
    """60 labels of three classes, 12 of them changed to the next, and probabilities."""
    chance, count = np.random.default_rng(7), 60
    true = chance.integers(0, 3, count)
    logits = chance.normal(size=(count, 3))
    logits[np.arange(count), true] += 2
    shares = np.exp(logits)
    given = true.copy()
    rows = chance.permutation(count)[:12]
    given[rows] = (given[rows] + 1) % 3
    return given, shares / shares.sum(axis=1, keepdims=True)


def test_counts_and_order_are_those_of_cleanlab() -> None:
    """compute_confident_joint(calibrate=False), estimate_joint (which rounds to whole rows) and normalized_margin."""
    given, shares = sample()
    judged = confidence(given, shares)
    assert joint(given, judged.likely, 3).tolist() == [[10, 1, 4], [4, 13, 0], [0, 3, 13]]
    np.testing.assert_allclose(judged.wrong, [[11, 1, 4], [6, 18, 0], [0, 4, 16]], atol=0.5)
    np.testing.assert_allclose(judged.wrong.sum(axis=1), np.bincount(given))
    assert np.argsort(-judged.score, kind="stable")[:8].tolist() == [36, 34, 29, 58, 41, 6, 43, 39]
    assert (1 - judged.score)[:3].round(6).tolist() == [0.798442, 0.969932, 0.613206]


def test_a_label_that_no_row_has_is_taken_for_nothing() -> None:
    shares = np.array([[0.2, 0.1, 0.7], [0.9, 0.05, 0.05], [0.1, 0.8, 0.1]])
    judged = confidence(np.array([0, 0, 1]), shares)
    assert 2 not in judged.likely
    assert judged.wrong.sum() == pytest.approx(3)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, Path]:
    """A table of which every tenth label is wrong, a record of it, and which rows those are."""
    folder = tmp_path_factory.mktemp("suspects")
    data, chance = load_breast_cancer(), np.random.default_rng(0)
    wrong = np.zeros(len(data.target), dtype=bool)
    wrong[chance.permutation(len(wrong))[:57]] = True
    labels = np.where(wrong, 1 - data.target, data.target)
    path = folder / "cells.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"f{at}" for at in range(10)), "label"])
        for at, row in enumerate(data.data[:, :10].tolist()):
            if at == 100:
                file.write("\n")  # a blank line, which is no row
            writer.writerow([*row, "=bad" if labels[at] else "good"])
    spec = build_spec(
        Overrides(
            task="binary", losses=["bce-logits", "hinge"], data=str(path), target=["label"], seeds="5",
            sets=["data.split.folds=5", "train.epochs=20"],
        )
    )  # fmt: skip
    return Path(str(run([spec], out=folder / "runs").record)), wrong, path


def auroc(report: SuspectReport, wrong: np.ndarray) -> float:
    rows = [suspect.row for suspect in report.ranking.suspects]
    return float(roc_auc_score(wrong[rows], [suspect.score for suspect in report.ranking.suspects]))


@pytest.mark.parametrize("entry", ["bce-logits", "hinge"])  # probabilities; scores alone
def test_changed_labels_come_first(noisy: tuple[Path, np.ndarray, Path], entry: str) -> None:
    record, wrong, _ = noisy
    report = suspects(record, entry=entry)
    assert auroc(report, wrong) > 0.93
    assert report.ranking.wrong / report.labels == pytest.approx(0.1, abs=0.05)
    assert report.never == 0
    assert (report.rows.count == 1).all()


def test_a_row_is_found_in_its_file(noisy: tuple[Path, np.ndarray, Path]) -> None:
    record, _, path = noisy
    report, lines = suspects(record), path.read_text().splitlines()
    seen = 0
    for suspect in report.ranking.suspects[:30]:
        place = report.place(suspect.row)
        assert place is not None
        assert place.line == suspect.row + 2 + (suspect.row >= 100)
        assert lines[place.line - 1].endswith(str(suspect.given))
        seen += 1
    assert seen == 30


def test_the_command_writes_all_and_shows_the_first(
    noisy: tuple[Path, np.ndarray, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, wrong, _ = noisy
    to = tmp_path / "suspects.csv"
    line = ["suspects", str(record), "--entry", "bce-logits", "--to", str(to), "--format", "json", "--top", "3"]
    assert app.run(line) == 0
    told = json.loads(capsys.readouterr().out)
    rows = list(csv.DictReader(to.read_text().splitlines()))
    assert len(told["suspects"]) == 3
    assert len(rows) == told["labels"] == 569
    assert {row["given"] for row in rows} == {"good", "'=bad"}  # no formula for a spreadsheet
    first = [int(row["row"]) - 1 for row in rows[:40]]
    assert wrong[first].mean() > 0.7
    assert app.run(["suspects", str(record), "--entry", "bce-logits"]) == 0
    text = capsys.readouterr().out
    assert "cells.csv:" in text
    assert "569 rows predicted 1 time each by runs that did not train on them" in text
    assert app.run(line) == 2  # the file is there
    assert app.run([*line, "--force"]) == 0


def test_a_file_that_changed_gives_no_lines(noisy: tuple[Path, np.ndarray, Path]) -> None:
    record, _, path = noisy
    before = path.read_text()
    try:
        path.write_text(before.replace("good", "GOOD").replace("=bad", "good").replace("GOOD", "=bad"))
        report = suspects(record)
        assert report.place(0) is None
        assert any("changed since" in note for note in coverage(report))
        path.unlink()
        report = suspects(record)
        assert report.place(0) is None
        assert any("cannot be read again" in note for note in coverage(report))
        assert report.labels == 569
    finally:
        path.write_text(before)


def test_rows_that_were_never_out_of_sample_are_counted(tmp_path: Path) -> None:
    spec = build_spec(Overrides(task="binary", seeds="2", sets=["train.epochs=1"]))
    report = suspects(Path(str(run([spec], out=tmp_path).record)))
    assert report.never == 1000 - len(report.rows.row) > 600
    assert any("never out of sample" in note for note in coverage(report))
    assert sorted(set(report.rows.count.tolist())) == [1, 2]
    assert any("1 to 2 times each" in note for note in coverage(report))


def test_labels_of_a_row_are_judged_one_by_one() -> None:
    truth = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    said = np.array([[0.9, 0.1], [0.8, 0.2], [0.95, 0.1], [0.1, 0.9]])
    ranking = of_labels(Pooled(np.arange(4), np.ones(4, int), truth, said), ("a", "b"))
    first = ranking.suspects[0]
    assert (first.row, first.of, first.given, first.likely, first.sure) == (2, "a", "no", "yes", True)
    assert {pair.of for pair in ranking.pairs} == {"a"}


def test_numbers_are_ranked_by_residuals_in_spreads() -> None:
    chance = np.random.default_rng(0)
    said = chance.normal(size=(200, 1))
    truth = said + 5 + 0.1 * chance.normal(size=(200, 1))  # off by 5 everywhere: nothing is wrong with a row
    truth[17] += 2
    ranking = of_numbers(Pooled(np.arange(200), np.ones(200, int), truth, said), ("y",))
    assert [suspect.row for suspect in ranking.suspects if suspect.sure] == [17]
    assert ranking.suspects[0].score == pytest.approx(20, rel=0.3)
    assert np.isnan(ranking.wrong)


def test_scores_become_probabilities_at_their_temperature() -> None:
    runs = {0: Predictions(np.arange(2), np.zeros((2, 1)), np.array([[2.0], [-2.0]]), "scores")}
    (run_,) = as_probabilities(runs, {0: 2.0})
    np.testing.assert_allclose(run_.prediction.ravel(), [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))])
    wide = {0: Predictions(np.arange(1), np.zeros((1, 1)), np.array([[1.0, 1.0, 1.0]]), "scores")}
    np.testing.assert_allclose(as_probabilities(wide, {})[0].prediction, [[1 / 3] * 3])


def test_old_records_are_read_and_tasks_without_labels_refused(tmp_path: Path) -> None:
    versions = Path(__file__).parents[1] / "record" / "versions"
    seen = 0
    for record in versions.glob("*/*"):
        assert suspects(record).labels > 0
        seen += 1
    assert seen >= 2
    spec = build_spec(Overrides(task="distribution", seeds="1", sets=["train.epochs=1"]))
    record = Path(str(run([spec], out=tmp_path).record))
    with pytest.raises(SpecError, match="no label that a prediction contradicts"):
        suspects(record)
    with pytest.raises(MachineError):
        suspects(tmp_path / "none")
