"""Each rule's own examples are its tests; right wirings get no finding at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax

from losscli.experiment import load
from losscli.losses import find, for_task
from losscli.losses.weights import class_shares
from losscli.rules import Rule, rules
from losscli.spec.load import load_spec
from losscli.tasks import tasks
from losscli.wiring import LossCall, look


def call(task: str, loss: str, chain: tuple[str, ...], known: Mapping[str, Any] | None = None) -> LossCall:
    return LossCall(loss, task, find(loss, task), chain, **(known or {}))


@pytest.mark.parametrize("rule", [rule for rule in rules if rule.in_spec], ids=lambda rule: rule.code)
def test_a_rule_sees_its_bad_entries_and_not_its_good_ones(rule: Rule):
    assert rule.bad_specs
    assert rule.good_specs
    for example in rule.bad_specs:
        cures = [finding.cure for finding in look(call(*example)) if finding.code == rule.code]
        assert cures, example
        assert all(f"losscli explain {rule.code}" in cure for cure in cures)
    for example in rule.good_specs:
        assert rule.code not in [finding.code for finding in look(call(*example))], example


@pytest.mark.parametrize("task", [task.name for task in tasks])
def test_what_auto_gives_a_loss_is_never_wrong(task):
    contract = tasks.get(task)
    checked = 0
    for loss in for_task(task).values():
        link = contract.links[loss.expects]
        assert look(LossCall(loss.name, task, loss, (link,) if link else ())) == []
        checked += 1
    assert checked >= 3


@pytest.mark.parametrize(
    ("task", "loss", "chain", "codes"),
    [
        ("multiclass", "cross-entropy", ("softmax",), ["LC001"]),
        ("binary", "bce", (), ["LC006"]),
        ("binary", "bce", ("relu", "sigmoid"), ["LC007"]),
        ("binary", "bce-logits", ("sigmoid",), ["LC003"]),
        ("binary", "bce-logits", ("relu", "sigmoid"), ["LC003", "LC007"]),
    ],
)
def test_the_classic_mistakes_have_their_names(task, loss, chain, codes):
    findings = look(call(task, loss, chain))
    assert [finding.code for finding in findings] == codes
    assert all(finding.cure and finding.severity == "error" for finding in findings)


def test_smoothed_and_weighted_a_right_answer_costs_more_than_a_wrong_one():
    settings = {"weight": [0.01, 0.99], "label_smoothing": 0.1}
    [finding] = look(call("multiclass", "cross-entropy", (), {"settings": settings}))
    assert finding.code == "LC046"
    # 0.01 (1 - 0.1 + 0.05) and 0.99 * 0.05
    assert "counts 0.0095 for its own class and 0.0495 for the heaviest" in finding.message
    judge = torch.nn.CrossEntropyLoss(weight=torch.tensor(settings["weight"]), label_smoothing=0.1)
    right, wrong = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    assert judge(right, torch.tensor([0])).item() == pytest.approx(10.65, abs=0.005)
    assert judge(wrong, torch.tensor([0])).item() < 3


@pytest.mark.parametrize("pos_weight", [18.0, 20.0, 1 / 18, 1 / 20])
def test_the_finding_comes_where_the_least_loss_changes_sides(pos_weight):
    """With smoothing 0.1 the odds are 0.05 pos_weight / 0.95 for a no: even at 19."""
    heavy = pos_weight > 1
    scores = torch.linspace(-6, 6, 241)
    judge = torch.nn.BCEWithLogitsLoss(reduction="none", pos_weight=torch.tensor(pos_weight))
    best = scores[judge(scores, torch.full_like(scores, 0.05 if heavy else 0.95)).argmin()].item()
    known = {"settings": {"pos_weight": pos_weight, "label_smoothing": 0.1}}
    found = look(call("binary", "bce-logits", (), known))
    assert bool(found) == (best > 0 if heavy else best < 0)


def test_alpha_against_a_rare_class_is_told_with_its_numbers():
    shares = class_shares(np.array([0, 0, 0, 0, 1.0]), "binary")
    [finding] = look(call("binary", "focal", (), {"settings": {"alpha": 0.25}, "shares": shares}))
    assert finding.code == "LC045"
    assert "alpha 0.25 at 0.2 positives weighs a positive 0.25 and a negative 0.75" in finding.message
    assert class_shares(np.array([2, 0, 2, 2]), "multiclass") == (0.25, 0.0, 0.75)
    assert class_shares(np.array([1.5]), "regression") == ()


def test_the_line_gives_the_rules_the_training_split_and_resolved_weights(tmp_path):
    rows = [f"{place * 37 % 211 / 2},{'yes' if place % 10 == 0 else 'no'}" for place in range(200)]
    (tmp_path / "rare.csv").write_text("x,y\n" + "\n".join(rows))
    (tmp_path / "spec.yaml").write_text(
        "task: binary\ndata: {source: csv, path: rare.csv, target: y}\n"
        "loss: [{name: focal, alpha: [0.25, 0.75]}, {name: bce-logits, pos_weight: balanced, label_smoothing: [0.05, 0.4]}]\n"
    )
    found = [finding for finding in load(load_spec(tmp_path / "spec.yaml")).findings if finding.severity != "info"]
    codes = {finding.code: finding.message for finding in found}
    # balanced: 9 negatives to a positive, and 9 * 0.4 / 2 > 1 - 0.4 / 2, but 9 * 0.05 / 2 < 1 - 0.05 / 2
    assert sorted(codes) == ["LC045", "LC046"]
    assert "alpha=0.25" in codes["LC045"]
    assert "from 1 to 9" in codes["LC046"]
    assert len(found) == 2


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
@pytest.mark.parametrize(("link", "low"), [("tanh", -1.0), ("softmax", 0.0)])
def test_the_probabilities_that_bounded_scores_reach_depend_on_the_number_of_classes(classes, link, low):
    """One class at 1 and the others at the lowest score, or the other way about, through scipy's softmax."""
    high = softmax(np.array([1.0] + [low] * (classes - 1)))[0]
    least = softmax(np.array([low] + [1.0] * (classes - 1)))[0]
    [finding] = look(call("multiclass", "cross-entropy", (link,), {"shares": [1 / classes] * classes}))
    assert f"no probability leaves {least:.2g} to {high:.2g}" in finding.message


def test_only_what_a_loss_says_is_told_of_bounded_scores():
    [binary] = look(call("binary", "bce-logits", ("tanh",)))
    assert "0.27 to 0.73" in binary.message  # 1 / (1 + e), e / (1 + e)
    for silent in (call("binary", "hinge", ("tanh",)), call("multiclass", "cross-entropy", ("tanh",))):
        [finding] = look(silent)  # no probabilities, and classes that are not known
        assert finding.code == "LC042"
        assert "leaves" not in finding.message
    [each] = look(call("multiclass", "ova-bce", ("tanh",), {"shares": [0.25] * 4}))
    assert "0.27 to 0.73" in each.message  # each class has a sigmoid of its own
