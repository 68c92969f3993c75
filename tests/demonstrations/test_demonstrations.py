"""What mistakes cost: the stored curves are those that training gives, and the engine's are of the rule that they name."""

from __future__ import annotations

import json
import re
from itertools import islice
from math import e, inf, isfinite, isnan, log

import pytest

from losscli.cli.app import run
from losscli.demonstrations import Cost, demonstrations
from losscli.demonstrations.compared import Compared
from losscli.demonstrations.ground import BATCH, EPOCHS, TRAIN, Ground, mean
from losscli.demonstrations.stored import FILE, SEEDS, Stored
from losscli.experiment import load
from losscli.rules import PRELUDE, in_order, rules
from losscli.stack.watch import unwatched

STORED = [item for item in demonstrations if isinstance(item, Stored)]
COMPARED = [item for item in demonstrations if isinstance(item, Compared)]
PREFIX = 2  # epochs that are trained anew here; each curve has many more


def by_code(items):
    return [pytest.param(item, id=item.code) for item in items]


def kept(code: str) -> Cost:
    return demonstrations.get(code).cost(unwatched)


def test_every_mistake_is_shown_or_stopped_by_torch() -> None:
    errors = [rule for rule in in_order() if rule.code not in demonstrations]
    assert {rule.code for rule in errors} == {"LC025", "LC038", "LC047"}
    assert len(STORED) + len(COMPARED) + len(errors) == len(in_order())
    for rule in errors:
        words = rule.torch.removeprefix("raises: ").partition(" (")[0]
        assert words != rule.torch
        error = re.escape(words).replace(r"\ N\ ", r" \d+ ")
        with pytest.raises((TypeError, RuntimeError, IndexError), match=error):
            exec(PRELUDE + rule.bad[0], {})


def test_the_file_holds_the_shelf() -> None:
    assert json.loads(FILE.read_text()).keys() == {item.code for item in STORED}
    assert len(STORED) >= 30


@pytest.mark.parametrize("item", by_code(STORED))
def test_stored_curves_begin_as_training_does(item: Stored) -> None:
    cost = kept(item.code)
    for wrong, curve in ((False, cost.right), (True, cost.wrong)):
        assert len(curve) == EPOCHS
        runs = [list(islice(item.training(Ground(seed), wrong), PREFIX)) for seed in range(SEEDS)]
        fresh = [mean(epoch) for epoch in zip(*([loss for loss, _ in run] for run in runs), strict=True)]
        assert fresh == pytest.approx(curve[:PREFIX], rel=0.02, abs=1e-3, nan_ok=True)


@pytest.mark.parametrize("item", by_code(STORED))
def test_a_mistake_is_no_better_than_what_is_right(item: Stored) -> None:
    cost = kept(item.code)
    sign = 1 if cost.direction == "up" else -1
    assert isfinite(cost.right_value)
    assert isnan(cost.wrong_value) or sign * cost.right_value >= sign * cost.wrong_value
    for height in cost.floors.values():
        assert min(cost.wrong) >= height
        assert min(cost.wrong) <= height + 1.5  # a floor far below would explain nothing


def test_costs_by_hand() -> None:
    ratios = [right / wrong for right, wrong in zip(kept("LC029").right, kept("LC029").wrong, strict=True)]
    assert ratios == pytest.approx([BATCH] * EPOCHS, rel=0.01)  # a mean, divided by the rows once more
    assert kept("LC029").wrong_value == kept("LC029").right_value
    assert kept("LC012").wrong == pytest.approx(
        [200 / 3] * EPOCHS, abs=0.01
    )  # BCELoss takes log 0 as -100; 2 of 3 are no
    for code in ("LC016", "LC021", "LC022", "LC026"):
        assert max(kept(code).wrong) == min(kept(code).wrong)  # nothing is updated
    nodes = kept("LC031").wrong
    assert nodes[1] - nodes[0] == pytest.approx((nodes[-1] - nodes[0]) / (EPOCHS - 1), rel=0.01)  # the same, each epoch
    assert nodes[1] - nodes[0] >= 2 * TRAIN / BATCH
    assert not any(map(isfinite, kept("LC009").wrong))  # the logarithm of a negative number


@pytest.mark.parametrize("item", by_code(COMPARED))
def test_the_wrong_entry_breaks_the_rule_and_the_right_one_none(item: Compared) -> None:
    experiment = load(item.spec())
    right, wrong = (entry.name for entry in experiment.entries)
    broken = {
        finding.code: finding.message.partition(":")[0] for finding in experiment.findings if finding.code in rules
    }
    assert broken == {item.code: wrong}
    assert right != wrong


def test_a_softmax_costs_what_its_floor_says() -> None:
    cost = kept("LC001")
    assert cost.floors == {"ln(1 + (K-1)/e)": pytest.approx(log(1 + 9 / e))}
    assert all(value > log(1 + 9 / e) for value in cost.wrong)
    assert cost.right[-1] < log(1 + 9 / e)
    assert cost.verdict == "worse"
    assert cost.wrong_value < cost.right_value - 0.03


def test_sentences() -> None:
    cost = Cost("LC001", "digits", 6, "train loss", (1.0,), (2.0,), "accuracy", "up", 0.9, 0.8, {}, "worse")
    assert cost.sentence == (
        "Accuracy is 0.8000 with the mistake and 0.9000 without it: worse, beyond chance (6 seeds; higher is better)."
    )
    same = Cost("LC013", "digits", 6, "train loss", (1.0,), (1.0,), "accuracy", "up", 0.9, 0.9, {}, "same")
    assert same.sentence == "Accuracy is 0.9000 with the mistake and without it: it costs nothing here."
    lost = Cost("LC009", "digits", 3, "loss", (1.0,), (inf,), "the divergence", "down", 0.1, inf)
    assert "not a number with the mistake and 0.1000 without it (3 seeds; lower is better)" in lost.sentence
    assert lost.to_json()["wrong"] == [None]


def test_the_page_shows_it(capsys) -> None:
    assert run(["explain", "zero-grad-missing"]) == 0
    text = capsys.readouterr().out
    assert "what it costs" in text
    assert "right" in text
    assert run(["explain", "LC020", "--no-cost"]) == 0
    assert "what it costs" not in capsys.readouterr().out
    assert run(["explain", "LC011", "--format", "json"]) == 0
    (page,) = json.loads(capsys.readouterr().out)["rules"]
    assert len(page["cost"]["wrong"]) == EPOCHS
    assert [*page["cost"]["floors"]] == ["sum n_c/B ln n_c"]
    assert run(["explain", "LC025", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rules"][0]["cost"] is None
