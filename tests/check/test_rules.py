"""Each rule's own examples are its tests; right wirings get no finding at all."""

from __future__ import annotations

import pytest

from losscli.check import Rule, Wiring, look, rules
from losscli.losses import find, for_task
from losscli.tasks import tasks


def wiring(task: str, loss: str, chain: tuple[str, ...]) -> Wiring:
    return Wiring(loss, task, find(loss, task), chain)


@pytest.mark.parametrize("rule", list(rules), ids=lambda rule: rule.code)
def test_a_rule_sees_its_bad_examples_and_not_its_good_ones(rule: Rule):
    assert rule.bad
    assert rule.good
    for example in rule.bad:
        assert rule.code in [finding.code for finding in look(wiring(*example))], example
    for example in rule.good:
        assert rule.code not in [finding.code for finding in look(wiring(*example))], example


@pytest.mark.parametrize("task", [task.name for task in tasks])
def test_what_auto_gives_a_loss_is_never_wrong(task):
    contract = tasks.get(task)
    checked = 0
    for loss in for_task(task).values():
        link = contract.links[loss.expects]
        assert look(Wiring(loss.name, task, loss, (link,) if link else ())) == []
        checked += 1
    assert checked >= 3


@pytest.mark.parametrize(
    ("task", "loss", "chain", "codes"),
    [
        ("multiclass", "cross-entropy", ("softmax",), ["double-softmax"]),
        ("binary", "bce", (), ["raw-scores-into-probabilities"]),
        ("binary", "bce", ("relu", "sigmoid"), ["relu-before-sigmoid"]),
        ("binary", "bce-logits", ("sigmoid",), ["double-sigmoid"]),
        ("binary", "bce-logits", ("relu", "sigmoid"), ["double-sigmoid", "relu-before-sigmoid"]),
    ],
)
def test_the_classic_mistakes_have_their_names(task, loss, chain, codes):
    findings = look(wiring(task, loss, chain))
    assert [finding.code for finding in findings] == codes
    assert all(finding.cure and finding.severity == "error" for finding in findings)
