"""The cases on the rules' pages, run: what lint finds in their text, check finds in what they do."""

from __future__ import annotations

import pytest

from losscli.rules import MARK, PRELUDE, Rule, in_order

ONLY_IN_TEXT = {  # not in the numbers of a few steps: a float that was divided, a name that was bound again, a norm's origin
    "LC029",
    "LC039",
    "LC040",
    "LC024",  # eval() comes after the steps that are watched; with more of them it is found, see test_loops.py
}


def runs(text: str) -> bool:
    """Whether a case does something by itself, rather than only define a function."""
    return any(
        line and not line.startswith((" ", "def ", "class ", "import", "from", "kl =", "@"))
        for line in text.splitlines()
    )


CASES = [
    pytest.param(rule, text, id=f"{rule.code}-{number}")
    for rule in in_order()
    for number, text in enumerate((*rule.bad, *rule.bad_runs))
    if runs(text) and rule.code not in ONLY_IN_TEXT
]
GOOD = [
    pytest.param(rule, text, id=f"{rule.code}-{number}")
    for rule in in_order()
    for number, text in enumerate((*rule.good, *rule.good_runs))
    if runs(text)
]


@pytest.mark.parametrize(("rule", "text"), CASES)
def test_bad_cases_are_found_where_the_mark_is(rule: Rule, text: str, run) -> None:
    outcome = run(PRELUDE + text)
    [line] = [number for number, written in enumerate((PRELUDE + text).split("\n"), start=1) if written.endswith(MARK)]
    assert (rule.code, line) in [(item.code, item.line) for item in outcome.findings]
    assert {item.code for item in outcome.findings} == {rule.code}


@pytest.mark.parametrize(("rule", "text"), GOOD)
def test_good_cases_pass(rule: Rule, text: str, run) -> None:
    assert [(item.code, item.line, item.message) for item in run(PRELUDE + text).findings] == []


def test_there_are_cases() -> None:
    assert len({param.values[0].code for param in CASES}) >= 37
    assert len(GOOD) >= 30


def test_a_loss_by_hand_that_applies_its_own_sigmoid_is_a_loss_on_raw_scores(run) -> None:
    """What stands before `logsigmoid` is judged, though no loss of torch is called."""
    outcome = run("""
        net = nn.Sequential(nn.Linear(5, 1), nn.Sigmoid())
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            y = torch.rand(8).round()
            signed = (2 * y - 1) * net(torch.randn(8, 5)).squeeze(1)
            opt.zero_grad()
            (torch.exp(2 * F.logsigmoid(-signed)) * -F.logsigmoid(signed)).mean().backward()
            opt.step()
        """)
    assert {item.code for item in outcome.findings} == {"LC003"}
