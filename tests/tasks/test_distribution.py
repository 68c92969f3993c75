"""The task of distributions: what its columns may hold, what it is guessed from, what it advises, and what is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from losscli.advice.heuristics import heuristics_for
from losscli.advice.profile import Profile
from losscli.cli.app import run
from losscli.data.corrupt import Corruption, corrupt
from losscli.data.dataset import Table
from losscli.data.sources import sources
from losscli.errors import DataError, SpecError
from losscli.losses.own import load
from losscli.metrics import for_task
from losscli.tasks import Column, Target, TargetOptions, tasks
from losscli.tasks.distribution import mixtures
from losscli.tasks.guess import guess_task

TASK = tasks.get("distribution")
COUNTS = TargetOptions(counts=True)


def columns(**values: list[float]) -> dict[str, Column]:
    return {name: Column(np.array(numbers, dtype=np.float64)) for name, numbers in values.items()}


def test_shares_are_divided_by_their_sum_and_keep_the_order_of_the_columns() -> None:
    target = TASK.decode(columns(b=[0.25, 0.3337], a=[0.75, 0.6670]))
    assert (target.labels, target.soft, target.ordered) == (("b", "a"), True, "given")
    np.testing.assert_allclose(target.values, [[0.25, 0.75], [0.3337 / 1.0007, 0.667 / 1.0007]], rtol=1e-6)
    assert target.values.dtype == np.float32


@pytest.mark.parametrize(("total", "fits"), [(0.999, True), (1.001, True), (0.9989, False), (1.0011, False)])
def test_a_sum_within_a_thousandth_of_one_is_one(total: float, fits: bool) -> None:
    given = columns(a=[total - 0.5], b=[0.5])
    if fits:
        assert TASK.decode(given).values.sum() == pytest.approx(1)
    else:
        with pytest.raises(DataError, match="must sum to 1 in every row"):
            TASK.decode(given)


def test_counts_become_shares() -> None:
    np.testing.assert_allclose(TASK.decode(columns(a=[3, 0], b=[1, 7]), COUNTS).values, [[0.75, 0.25], [0, 1]])


@pytest.mark.parametrize(
    ("given", "options", "says"),
    [
        (columns(a=[0.5, -0.1], b=[0.5, 1.1]), TargetOptions(), "must be 0 to 1, and -0.1 is not"),
        (columns(a=[2, 1], b=[3, 0]), TargetOptions(), "must be 0 to 1, and 2 is not"),
        (columns(a=[2, -1], b=[3, 0]), COUNTS, "must be a whole number >= 0, and -1 is not"),
        (columns(a=[2, 0.5], b=[3, 0]), COUNTS, "must be a whole number >= 0, and 0.5 is not"),
        (columns(a=[2, 0], b=[3, 0]), COUNTS, "must not all be 0"),
        (columns(a=[0.5, np.nan], b=[0.5, 1]), TargetOptions(), "'a' is missing in 1 of 2 rows"),
        (columns(a=[1, 1]), TargetOptions(), "a column of probabilities for each class, and one is given"),
        ({**columns(a=[1, 1]), "b": Column(np.array([0, 1]), ("x", "y"))}, TargetOptions(), "'b' holds text"),
        (columns(a=[1, 0], b=[0, 1]), TargetOptions(positive="a"), "data.positive is for task binary"),
    ],
)
def test_what_is_no_distribution_is_refused(given: dict[str, Column], options: TargetOptions, says: str) -> None:
    with pytest.raises((DataError, SpecError), match=says):
        TASK.decode(given, options)


def test_a_wrong_row_is_told_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["x,a,b", *(f"{row},0.5,0.5" for row in range(40)), "9,0.5,0.6"]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    asked = ["train", "--data", str(tmp_path / "t.csv"), "--task", "distribution", "--target", "a", "--target", "b"]
    assert run([*asked, "--no-record"]) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "t.csv:42:2" in said.replace(" ", "") or "t.csv:42:2" in said
    assert "counts: true" in said


def test_what_predict_wrote_is_a_target_of_the_same_classes() -> None:
    assert TASK.decode(columns(probability_cat=[0.5], probability_dog=[0.5])).labels == ("cat", "dog")
    assert TASK.decode(columns(probability_cat=[0.5], dog=[0.5])).labels == ("probability_cat", "dog")


def test_bins_whose_names_tell_another_order_are_noticed() -> None:
    def codes(*names: str) -> list[str]:
        return [finding.code for finding in TASK.decode(columns(**{name: [0.4, 1 / 3] for name in names[:1]},
                **{name: [0.3, 1 / 3] for name in names[1:]})).findings]  # fmt: skip

    assert codes("age_1", "age_2", "age_10") == []
    assert codes("age_1", "age_10", "age_2") == ["class-order"]


def test_counts_tell_the_task_and_shares_are_still_taken_for_soft_labels_with_a_hint() -> None:
    assert guess_task(columns(a=[3, 0, 2], b=[1, 7, 0]), COUNTS).task == "distribution"
    soft = guess_task(columns(a=[0.25, 0.5], b=[0.75, 0.5]))
    assert soft.task == "multiclass"
    assert "--task distribution" in soft.reason
    (finding,) = tasks.get("multiclass").decode(columns(a=[0.25, 0.5], b=[0.75, 0.5])).findings
    assert "--task distribution" in finding.cure


def picks(target: Target) -> list[str]:
    profile = Profile(Table("t", {}, {}), "distribution", target)
    return [
        pick.loss for heuristic in heuristics_for(profile) if (said := heuristic.advise(profile)) for pick in said.picks
    ]


def test_advice_goes_by_what_the_columns_are() -> None:
    even = np.full((50, 3), 1 / 3, dtype=np.float32)
    sure = np.tile(np.array([[0.97, 0.02, 0.01]], dtype=np.float32), (50, 1))
    assert picks(Target(even, ("cat", "dog", "owl"), soft=True)) == ["js-div", "brier"]
    assert picks(Target(even, ("low", "medium", "high"), soft=True)) == ["cramer", "js-div", "brier", "emd"]
    assert "distillation" in picks(Target(sure, ("cat", "dog", "owl"), soft=True))


def test_votes_are_drawn_from_the_training_rows_alone_and_the_truth_stays() -> None:
    truth = mixtures(4000, n_bins=4, random_state=1)[1].astype(np.float32)
    target = Target(truth, tuple("abcd"), soft=True)
    damaged = corrupt({}, target, np.arange(4000), Corruption(votes=5), 0, TASK)
    np.testing.assert_allclose(np.rint(damaged.values * 5) / 5, damaged.values, rtol=1e-6)
    assert damaged.values.dtype == np.float32
    np.testing.assert_allclose(damaged.values.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(damaged.values.mean(axis=0), truth.mean(axis=0), atol=0.015)
    variance = ((damaged.values - truth) ** 2).mean()
    assert variance == pytest.approx((truth * (1 - truth)).mean() / 5, rel=0.05)  # of a multinomial
    assert target.values is truth


@pytest.mark.parametrize(
    ("task", "damage", "says"),
    [
        ("distribution", {"labels": 0.2}, "rows of task distribution have a share of each class"),
        ("distribution", {"imbalance": 0.5}, "rows of task distribution have a share of each class"),
        ("multilabel", {"votes": 5}, "rows of task multilabel have no probabilities"),
        ("regression", {"votes": 5}, "rows of task regression have no probabilities"),
        ("multiclass", {"votes": 5}, "the target has one class per row"),
    ],
)
def test_damage_that_makes_no_sense_is_refused(task: str, damage: dict[str, float], says: str) -> None:
    target = Target(np.array([0, 1, 1, 0]), ("a", "b"))
    with pytest.raises(SpecError, match=says):
        corrupt({}, target, np.arange(4), Corruption(**damage), 0, tasks.get(task))


def test_the_baseline_is_the_mean_distribution_and_no_constant_is_better_by_kl() -> None:
    train = torch.from_numpy(mixtures(300, n_bins=4)[1]).float()
    prediction = TASK.baseline(train, 300)
    assert torch.allclose(prediction.probabilities[0, 0], train.mean(0))
    kl = for_task("distribution")["kl"]
    best = kl.measure(prediction, train[None])
    for shift in torch.eye(4):
        other = torch.softmax(train.mean(0).log() + 0.05 * shift, -1).expand(1, 300, 4)
        assert kl.function(other, train[None]) > best


def test_a_metric_sees_the_distance_to_a_known_truth() -> None:
    source = sources.get("synthetic")(name="mixtures", n_samples=50, n_bins=3)
    table = source.read(Path())
    assert list(table.targets) == ["y1", "y2", "y3"]
    truth = torch.from_numpy(TASK.decode(table.targets).values)[None]
    prediction = TASK.read(truth.log(), "logits")
    for name, worst in (("kl", 1e-6), ("js", 1e-6), ("emd", 1e-6)):
        assert for_task("distribution")[name].measure(prediction, truth).item() < worst


OWN = """
from torch import nn
from torch.nn import functional as F

class Divided(nn.Module):
    def forward(self, prediction, target):
        return F.kl_div(F.log_softmax(prediction, -1), target, reduction="none").mean(-1)

class Right(nn.Module):
    def forward(self, prediction, target):
        return F.kl_div(F.log_softmax(prediction, -1), target, reduction="none").sum(-1)

class NoLogs(nn.Module):
    def forward(self, prediction, target):
        return F.kl_div(prediction, target, reduction="none").sum(-1)

class OfProbabilities(NoLogs):
    expects = "probabilities"

class OfLogs(NoLogs):
    expects = "log-probabilities"

class Other(nn.Module):
    def forward(self, prediction, target):
        return (F.softmax(prediction, -1) - target).square().sum(-1)
"""


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("Divided", ["divided-by-classes"]),
        ("Right", []),
        ("NoLogs", ["logs-are-due"]),
        ("OfProbabilities", ["logs-are-due"]),
        ("OfLogs", []),
        ("Other", []),
    ],
)
def test_a_divergence_of_ones_own_that_is_divided_or_gets_no_logs_is_noticed(
    name: str, codes: list[str], tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(OWN)
    item = load(f"{tmp_path / 'own.py'}:{name}", "distribution")
    assert [finding.code for finding in item.findings] == codes


def test_torch_s_own_class_with_its_mean_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("from torch.nn import KLDivLoss\n")
    codes = [
        finding.code
        for finding in load(f"{tmp_path / 'own.py'}:KLDivLoss", "distribution", "log-probabilities").findings
    ]
    assert codes == ["divided-by-classes"]


def test_probabilities_where_logits_are_due_are_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["train", "--task", "distribution", "--data", "mixtures", "--epochs", "1", "--no-record"]
    assert run([*asked, "--set", "model.output=softmax", "--format", "json"]) == 0
    (arena,) = json.loads(capsys.readouterr().out)["arenas"]
    assert "LC001" in {finding["code"] for finding in arena["findings"]}
