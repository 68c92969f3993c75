"""What a task says of its rows: the contract over the shelf, and new tasks whose losses are tried without a word elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from losscli.advice.heuristics import heuristics_for
from losscli.advice.profile import Profile
from losscli.data.dataset import Table
from losscli.errors import DataError
from losscli.explain.curve import curves
from losscli.explain.properness import properness
from losscli.explain.tags import tags_of
from losscli.losses import SHARES, find, for_task, loss, losses
from losscli.losses.domain import check_target
from losscli.losses.guard import guarded
from losscli.losses.options import problems_of_weight
from losscli.losses.own import load
from losscli.losses.user_kernel import UserKernel
from losscli.losses.weights import class_shares
from losscli.metrics import for_task as metrics_for
from losscli.tasks import Column, Generator, Hint, Target, TargetOptions, Task, tasks
from losscli.tasks.binary import Binary
from losscli.tasks.guess import Hunch, Values, guess_task
from losscli.tasks.multiclass import Multiclass
from losscli.tasks.multilabel import Multilabel
from losscli.tasks.regression import Regression
from losscli.verify.trial import verify

OWN = """
from torch.nn.functional import cross_entropy

def distance(prediction, target):
    if prediction.shape == target.shape:
        return (prediction - target) ** 2
    return cross_entropy(prediction, target, reduction="none")
"""
SIZES = {"classes": 4, "labels": 2}
FLOAT = torch.float64
every_task = pytest.mark.parametrize("task", list(tasks), ids=tasks.names())
PREDICTING = [task for task in tasks if task.has_target and task.decides]
every_task_that_predicts = pytest.mark.parametrize("task", PREDICTING, ids=[task.name for task in PREDICTING])


def drawn(task: Task, *shape: int) -> torch.Tensor:
    return task.draw(shape, task.width(**SIZES), task.domain, torch.Generator().manual_seed(0), FLOAT)


@every_task
def test_random_targets_are_outcomes(task: Task) -> None:
    target, outcomes = drawn(task, 3, 50), task.outcomes(task.width(**SIZES))
    assert target.shape[:2] == (3, 50)
    assert target.ndim == 1 + task.target_ndim
    if outcomes is None:
        assert not task.has_classes
        assert target.isfinite().all()
        return
    rows = {tuple(np.atleast_1d(row)) for row in target.flatten(0, 1).tolist()}
    if task.domain in SHARES:  # of which the outcomes are the sure ones
        assert torch.allclose(target.sum(-1), torch.ones(1, dtype=FLOAT))
        rows = {row for row in rows if max(row) == 1.0}
    assert rows == {tuple(np.atleast_1d(row)) for row in outcomes.tolist()}
    assert len(rows) == len(outcomes)


@every_task_that_predicts
def test_extremes_are_read_as_right_and_as_wrong_in_every_row(task: Task) -> None:
    target, raw = drawn(task, 1, 20), next(iter(task.links))
    right, wrong = (task.read(output, raw) for output in task.extremes(target, task.width(**SIZES), raw, 4.0))
    field = "labels" if task.has_classes else "values"
    truth = task.decided(target) if task.domain in SHARES else target
    assert torch.equal(getattr(right, field).double(), truth.double())
    assert (getattr(wrong, field).double() != truth.double()).all()


@every_task_that_predicts
def test_the_line_is_right_where_it_is_far_out_or_for_numbers_at_zero(task: Task) -> None:
    raw = next(iter(task.links))
    along = torch.tensor([3.0] if task.has_classes else [0.0], dtype=FLOAT)
    for side in task.sides:
        output, target = task.line(along, task.width(3, 3), raw, torch.tensor(side))
        prediction = task.read(output, raw)
        read = prediction.labels if task.has_classes else prediction.values
        assert read is not None
        assert torch.equal(read.double(), (task.decided(target) if task.domain in SHARES else target).double())


@every_task
def test_truths_are_distributions_over_the_outcomes(task: Task) -> None:
    truths = task.truths()
    assert (truths is None) == (task not in PREDICTING or task.outcomes(task.width(3, 2)) is None)
    if truths is not None:
        outcomes = task.outcomes(task.width(3, 2))
        assert outcomes is not None
        assert truths.outcomes.shape[1] == len(outcomes)
        assert torch.allclose(truths.outcomes.sum(-1), torch.ones(1, dtype=FLOAT))
        assert (truths.outcomes > 0).all()


def test_shares_of_the_classes_by_hand() -> None:
    assert class_shares(np.array([0.0, 1.0, 0.25, 0.75]), "binary") == (0.5, 0.5)  # shares of yes
    assert class_shares(np.array([[0.5, 0.25, 0.25], [0.0, 0.75, 0.25]]), "multiclass") == (0.25, 0.5, 0.25)
    assert class_shares(np.array([[1.0, 0.0], [1.0, 1.0]]), "multilabel") == (0.25, 0.75)


class Verdict(Binary):
    """The like of a task under another name, as a new one is."""

    name = "verdict"


class Breed(Multiclass):
    """The same of several classes."""

    name = "breed"


class Symptoms(Multilabel):
    """The same of labels, which borrows as they do."""

    name = "symptoms"


class Weight(Regression):
    """The same of numbers."""

    name = "weight"


NEW = {
    "binary": (Verdict(), ("hinge", "auc-pairwise", "focal")),
    "multiclass": (Breed(), ("cross-entropy", "ova-bce", "coral")),
    "multilabel": (Symptoms(), ("bce-logits", "pairwise")),
    "regression": (Weight(), ("mse", "poisson-nll", "multi-quantile")),
}
PAIRS = [(home, name) for home, (_, names) in NEW.items() for name in names]


@pytest.fixture
def shelved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The new tasks on the shelf, each with the losses of the task that it is like."""
    own = {home: [item for item in losses if item.task == home] for home in NEW}
    for shelf in (tasks, losses):
        monkeypatch.setattr(shelf, "_items", dict(shelf._items))
    for home, (task, _) in NEW.items():
        tasks.put(task.name, task)
        for item in own[home]:
            losses.put(f"{task.name}/{item.name}", replace(item, task=task.name))


@pytest.mark.usefixtures("shelved")
@pytest.mark.parametrize(("home", "name"), PAIRS)
def test_a_new_task_is_verified_and_explained_as_the_one_that_it_is_like(home: str, name: str) -> None:
    new = NEW[home][0].name
    old_loss, new_loss = find(name, home), find(name, new)
    reports = [verify(old_loss, home), verify(new_loss, new)]
    old, fresh = ([(one.tried.name, one.status, one.message) for one in report.outcomes] for report in reports)
    assert fresh == [(what, status, message.replace(home, new)) for what, status, message in old]
    assert len(fresh) > 10
    assert reports[1].failed == []
    if new_loss.task == new:  # else it is explained where it is at home
        assert curves(new_loss) == curves(old_loss)
        assert properness(new_loss) == properness(old_loss)
        assert tags_of(new_loss) == tags_of(old_loss)


@pytest.mark.usefixtures("shelved")
@pytest.mark.parametrize("home", NEW)
def test_a_new_task_takes_losses_of_ones_own_and_weights_as_the_one_that_it_is_like(home: str, tmp_path: Path) -> None:
    new = NEW[home][0].name
    (tmp_path / "own.py").write_text(OWN)
    first, second = (load(f"{tmp_path / 'own.py'}:distance", task) for task in (home, new))
    assert (second.expects, second.target, second.per_value) == (first.expects, first.target, first.per_value)
    assert isinstance(first.function, UserKernel)
    assert isinstance(second.function, UserKernel)
    assert second.function.reduction == first.function.reduction == "sample"
    for weight in ({"no": 0, "yes": 0}, [1.0, 2.0], [-1.0, 1.0]):
        old, fresh = (problems_of_weight(find(NEW[home][1][0], task), task, weight) for task in (home, new))
        assert [str(one.message) for one in fresh] == [one.message.replace(home, new) for one in old]


@pytest.mark.usefixtures("shelved")
def test_a_new_task_of_labels_averages_what_it_borrows() -> None:
    averaged = guarded(find("hinge", "symptoms"), {}, "symptoms")
    assert averaged([[2.0, -0.5], [0.0, 0.0]], [[1, 1], [0, 1]]).tolist() == [0.75, 1.0]  # (0 + 1.5) / 2, (1 + 1) / 2
    with pytest.raises(DataError, match=r"for symptoms needs shape \[B, L\]"):
        averaged([2.0, -0.5], [1, 1])


@pytest.mark.usefixtures("shelved")
def test_a_loss_of_a_new_task_is_per_value_where_a_row_has_one_output() -> None:
    def plain(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Nothing."""
        return prediction - target

    for home, (task, _) in NEW.items():
        loss(task.name, "logits", "0 or 1", name=f"plain-{home}")(plain)
    elementwise = {home: find(f"plain-{home}", task.name).per_value for home, (task, _) in NEW.items()}
    assert elementwise == {"binary": True, "multiclass": False, "multilabel": False, "regression": True}


@pytest.mark.usefixtures("shelved")
def test_what_a_new_task_cannot_judge_is_said_as_for_the_one_that_it_is_like() -> None:
    soft = Target(np.array([0.25, 1.0]), ("no", "yes"), soft=True)
    several = Target(np.array([[0.25, 0.75], [1.0, 0.0]]), ("a", "b"), soft=True)
    stray = Target(np.array([-1.0, 2.0]), ("y",))
    for home, name, target in (
        ("binary", "hinge", soft), ("binary", "bce-logits", soft), ("multiclass", "coral", several),
        ("multiclass", "cross-entropy", several), ("regression", "poisson-nll", stray), ("regression", "mse", stray),
    ):  # fmt: skip
        new = NEW[home][0].name
        old, fresh = (check_target(find(name, task), task, target) for task in (home, new))
        assert fresh == old
        assert bool(old) == (name in ("hinge", "coral", "poisson-nll"))


class Kennel(Multiclass):
    """A new task that borrows all it has: losses over vectors, and metrics with their twins."""

    name = "kennel"
    borrows = ("multiclass",)
    borrowed_metrics = ("multiclass/accuracy", "multiclass/log-loss")
    options = ("positive", "order")
    generators: ClassVar[Mapping[str, Generator | None]] = {
        "kennels": lambda n_samples=9, *, random_state=0: (np.ones((n_samples, 1)), np.arange(n_samples) % 3)
    }

    def guess(self, targets: Mapping[str, Values], options: TargetOptions) -> Hunch | None:
        return Hunch("it barks", sure=9)

    def hint(self, target: Target) -> Hint:
        return Hint("it barks", [("focal", {"gamma": 1.0})])


@pytest.fixture
def kennel(monkeypatch: pytest.MonkeyPatch) -> Kennel:
    monkeypatch.setattr(tasks, "_items", {**tasks._items, "kennel": Kennel()})
    return Kennel()


def test_a_new_task_borrows_and_says_what_its_data_look_like_in_one_file(kennel: Kennel) -> None:
    serving = for_task("kennel")
    assert {"cross-entropy", "focal", "brier", "nll"} <= set(serving)
    assert not {"coral", "rps", "kl-div", "bce-logits"} & set(serving)  # of ranks, of distributions, of another lender
    assert find("ce", "kennel").name == "cross-entropy"
    assert set(metrics_for("kennel")) == {"accuracy", "log-loss", "log-loss-scaled"}
    assert metrics_for("kennel")["accuracy"] is metrics_for("multiclass")["accuracy"]
    target = {"y": Column(np.array([0, 1, 2]), ("pug", "collie", "boxer"))}
    assert (guess_task(target).task, guess_task(target).reason) == ("kennel", "it barks")
    assert kennel.beyond(TargetOptions(positive="pug")) == {}
    said = tasks.get("regression").beyond(TargetOptions(positive="pug"))["positive"].message
    assert said == "data.positive is for task binary and kennel, and the task is regression"
    decoded = kennel.decode(target, TargetOptions())
    profile = Profile(Table("dogs", {}, target), "kennel", decoded)
    assert [pick.entry_name() for pick in heuristics_for(profile)[0].advise(profile).picks] == ["focal gamma=1"]
