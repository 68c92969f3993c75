"""Yardsticks: scikit-learn's own models on the rows, weights and metrics of the networks, and no part of their comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_squared_error, roc_auc_score

from losscli.compare.leaderboard import build_arena
from losscli.compare.result import RunResult
from losscli.experiment import Experiment, load
from losscli.pipeline import run
from losscli.reports.csv import to_csv
from losscli.reports.html import html_of
from losscli.reports.json import to_json
from losscli.reports.markdown import to_markdown
from losscli.reports.recall import recall
from losscli.spec.load import build_spec
from losscli.spec.model import Spec
from losscli.spec.overrides import Overrides
from losscli.stack import beside as machine
from losscli.stack.beside import beside
from losscli.tasks import tasks
from losscli.tasks.yardsticks import CLASSES, LABELS, YES_OR_NO, TrainingRows
from losscli.words.paragraph import paragraph


def spec_of(task: str, *sets: str, losses: tuple[str, ...] = (), seeds: str = "2") -> Spec:
    data = tuple(f"data.{key}={value}" for key, value in tasks.get(task).default_data.items())
    few = ("train.epochs=1", "yardstick=true", *data, *sets)
    return build_spec(Overrides(task=task, losses=losses, seeds=seeds, sets=few))


def experiment_of(task: str, *sets: str) -> Experiment:
    return load(spec_of(task, *sets))


def scores(experiment: Experiment) -> machine.BesideScores:
    return beside(experiment.datasets, experiment.job.task, experiment.job.metrics, experiment.job.evaluation)


def test_a_binary_yardstick_is_scikit_learns_on_the_same_rows() -> None:
    experiment = experiment_of("binary", "data.n_samples=120")
    measured = scores(experiment).scores["logistic regression"]
    for seed, data in experiment.datasets.items():
        train, test = data.parts["train"], data.parts["test"]
        oracle = LogisticRegression(max_iter=1000).fit(train.features[:].astype(float), train.target)
        yes = oracle.predict_proba(test.features[:].astype(float))[:, 1]
        assert measured[seed]["test"]["auroc"] == pytest.approx(roc_auc_score(test.target, yes), abs=1e-6)
        assert measured[seed]["test"]["log-loss"] == pytest.approx(log_loss(test.target, yes), abs=1e-4)
    assert len(measured) == 2


def test_numbers_are_judged_in_the_users_units() -> None:
    experiment = experiment_of("regression", "data.n_samples=120")
    measured = scores(experiment)
    for seed, data in experiment.datasets.items():
        train, test = data.parts["train"], data.parts["test"]
        assert train.units is not None
        for name, model in (("ridge regression", Ridge()), ("boosted trees", HistGradientBoostingRegressor())):
            scale = data.scale
            assert scale is not None
            oracle = model.fit(train.features[:].astype(float), train.target)
            values = oracle.predict(test.features[:].astype(float)) * np.asarray(scale.scale) + np.asarray(scale.center)
            rmse = mean_squared_error(test.truth, values) ** 0.5
            assert measured.scores[name][seed]["test"]["rmse"] == pytest.approx(rmse, rel=1e-4)
            assert np.isnan(measured.scores[name][seed]["test"]["coverage"])  # a point is no interval


@pytest.mark.parametrize("task", [task for task in tasks if task.yardsticks], ids=lambda task: task.name)
def test_every_task_with_yardsticks_judges_them(task: object) -> None:
    experiment = experiment_of(task.name, *(() if task.name == "multiclass" else ("data.n_samples=100",)))  # type: ignore[attr-defined]
    first = replace(experiment, datasets=dict(list(experiment.datasets.items())[:1]))
    measured = scores(first)
    assert not measured.findings
    assert len(measured.scores) == 2
    for by_seed in measured.scores.values():
        (of_seed,) = by_seed.values()
        headline = experiment.headline
        assert np.isfinite(of_seed["test"][headline.name])


def test_shares_weigh_rows() -> None:
    """A row that is yes by 3/4 counts as three that are yes and one that is none; one of weight 0 is as good as absent."""
    chance = np.random.default_rng(0)
    features = chance.normal(size=(40, 2))
    shares = chance.choice([0.0, 0.25, 0.75, 1.0], 40)
    weight = np.concatenate([np.ones(39), [0.0]])
    answer = YES_OR_NO[0].answer(TrainingRows(features, shares, weight, (), 1, 0))
    rows = np.repeat(np.arange(39), 4)
    yes = np.concatenate([np.arange(4) < 4 * share for share in shares[:39]])
    oracle = LogisticRegression(C=1 / 4, max_iter=1000).fit(
        features[rows], yes
    )  # four times the rows, the same penalty
    expected = oracle.predict_proba(features)[:, 1]
    expected_alike = LogisticRegression(max_iter=1000).fit(features[rows], yes, sample_weight=np.full(156, 0.25))
    np.testing.assert_allclose(answer(features), expected, atol=1e-3)
    alone = YES_OR_NO[0].answer(TrainingRows(features[:39], shares[:39], None, (), 1, 0))  # no weights but the shares
    np.testing.assert_allclose(alone(features), expected, atol=1e-3)
    np.testing.assert_allclose(answer(features), expected_alike.predict_proba(features)[:, 1], atol=1e-3)


def test_a_class_that_training_lacks_gets_no_probability() -> None:
    features = np.array([[0.0], [1.0], [2.0], [3.0]])
    answer = CLASSES[0].answer(TrainingRows(features, np.array([0, 0, 2, 2]), None, (), 3, 0))
    said = answer(features)
    assert said.shape == (4, 3)
    assert (said[:, 1] == 0).all()
    alone = CLASSES[0].answer(TrainingRows(features, np.array([1, 1, 1, 1]), None, (), 3, 0))
    assert alone(features).tolist() == [[0.0, 1.0, 0.0]] * 4
    labels = LABELS[0].answer(TrainingRows(features, np.array([[0.0, 1.0]] * 4), None, (), 2, 0))
    assert labels(features).tolist() == [[0.0, 1.0]] * 4


def test_a_code_is_no_size() -> None:
    """Category 1 of three says yes, which no straight line through the codes does."""
    codes = np.tile([0.0, 1.0, 2.0], 20)[:, None]
    rows = TrainingRows(codes, (codes[:, 0] == 1).astype(float), None, (3,), 1, 0)
    for yardstick in YES_OR_NO:
        decided = yardstick.answer(rows)(np.array([[0.0], [1.0], [2.0]])) > 0.5
        assert decided.tolist() == [False, True, False]


def test_what_is_too_much_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "MOST_WORK", 10_000)
    measured = scores(experiment_of("binary", "data.n_samples=120"))
    assert list(measured.scores) == ["logistic regression"]
    (finding,) = measured.findings
    assert "boosted trees is left out: 84 rows x 2 features x 1 output, 2 times" in finding.message
    (none,) = scores(experiment_of("embedding")).findings
    assert "task embedding has none" in none.message


def of(entry: str, values: list[float], status: str = "ok") -> list[RunResult]:
    return [
        RunResult(entry, seed, status, 1, 1, {"test": {"auroc": value}}, (), 1.0)  # type: ignore[arg-type]
        for seed, value in enumerate(values)
    ]


def test_a_yardstick_beats_only_where_every_difference_says_so() -> None:
    spec = spec_of("binary", losses=("bce-logits", "focal"))
    from losscli.spec.entries import entries

    noise = [0.0, 0.01, 0.02, -0.01, 0.005, -0.02, 0.01, -0.005, 0.0, 0.015]
    facts = {"task": "binary", "data": "d", "headline": "auroc", "directions": {"auroc": "up"}, "baseline": {}}
    names = [entry.name for entry in entries(spec)]

    def arena(second: float, plain: float, lost: bool = False) -> object:
        runs = of(names[0], [0.7 + n for n in noise]) + of(names[1], [second - n for n in noise])
        runs = [replace(run, status="diverged") if lost and run.entry == names[1] else run for run in runs]
        yardsticks = of("boosted trees", [plain + n / 2 for n in noise])
        return build_arena(entries(spec), runs, yardsticks=yardsticks, spec={"metrics": ["auroc"]}, **facts)  # type: ignore[arg-type]

    wins, even = arena(0.75, 0.9), arena(0.9, 0.9)
    assert [one.beats for board in (wins, even) for one in board.yardsticks] == [True, False]  # type: ignore[attr-defined]
    said = paragraph(wins)  # type: ignore[arg-type]
    lead = "boosted trees (0.1537 higher than focal, plausibly from 0.1395 to 0.1650 higher)"
    assert f"A plain model beats every network here on auroc (10 seeds): {lead}." in said
    assert [lead.mean > 0 for lead in wins.yardsticks[0].leads.values()] == [True, True]  # type: ignore[attr-defined]
    assert "boosted trees" not in paragraph(even)  # type: ignore[arg-type]
    assert arena(0.99, 0.9, lost=True).yardsticks[0].beats  # type: ignore[attr-defined]  # an entry without a run is no network
    assert [entry.delta and entry.delta.p_holm for entry in wins.entries] == [  # type: ignore[attr-defined]
        entry.delta and entry.delta.p_holm
        for entry in build_arena(  # no family is larger for it
            entries(spec),
            list(wins.runs),
            spec={"metrics": ["auroc"]},
            **facts,  # type: ignore[attr-defined, arg-type]
        ).entries
    ]


def test_a_difference_that_is_real_and_too_small_to_matter_beats_nobody() -> None:
    from losscli.spec.entries import entries

    spec = spec_of("binary", losses=("bce-logits",))
    values = [0.7, 0.71, 0.72, 0.69, 0.68, 0.73, 0.7, 0.71, 0.72, 0.69]
    ahead = [value + 0.003 + 0.0001 * (at % 3) for at, value in enumerate(values)]
    board = build_arena(
        entries(spec), of(entries(spec)[0].name, values), yardsticks=of("boosted trees", ahead),
        task="binary", data="d", headline="auroc", directions={"auroc": "up"}, baseline={}, spec={"metrics": ["auroc"]},
    )  # fmt: skip
    (plain,) = board.yardsticks
    (lead,) = plain.leads.values()
    assert lead.p is not None
    assert lead.p < 0.01
    assert not plain.beats


def test_rows_that_count_for_nothing_are_absent_for_a_tree_too() -> None:
    """A tree asks for 20 rows in a leaf: rows of weight 0 must not fill it."""
    chance = np.random.default_rng(0)
    features, yes = chance.normal(size=(60, 1)), chance.integers(0, 2, 60).astype(float)
    idle = np.vstack([features, np.full((40, 1), 0.01)])
    weight, target = np.concatenate([np.ones(60), np.zeros(40)]), np.concatenate([yes, np.zeros(40)])
    trees = YES_OR_NO[1]
    with_idle = trees.answer(TrainingRows(idle, target, weight, (), 1, 0))(features)
    np.testing.assert_array_equal(with_idle, trees.answer(TrainingRows(features, yes, np.ones(60), (), 1, 0))(features))


def test_rows_below_the_baseline_in_every_form_and_from_a_record(tmp_path: Path) -> None:
    spec = spec_of("binary", "data.n_samples=100", losses=("bce-logits", "focal"))
    comparison = run([spec], out=tmp_path)
    (arena,) = comparison.arenas
    assert [one.name for one in arena.yardsticks] == ["logistic regression", "boosted trees"]
    assert {entry.entry for entry in arena.entries}.isdisjoint({"logistic regression"})
    record = recall(Path(str(comparison.record)))
    assert record.comparison.arenas[0].yardsticks == arena.yardsticks
    assert to_json(comparison)["arenas"][0]["yardsticks"][0]["test"]["auroc"]["n"] == 2
    lines = to_csv(comparison).splitlines()
    assert [line.split(",")[3] for line in lines[1:]][-2:] == ["logistic regression", "boosted trees"]
    assert "| boosted trees |" in to_markdown(comparison)
    assert '<th scope="row">boosted trees</th>' in html_of(record)
    assert "yardstick: true" in record.specs[0]
    plain = run([spec.model_copy(update={"yardstick": False})], out=None)
    assert "yardsticks" not in to_json(plain)["arenas"][0]
