"""The shelf of rules: one contract for all, tested over source text by lint itself, over specs in tests/wiring."""

from __future__ import annotations

import ast
import re

import pytest

from losscli.errors import SpecError
from losscli.lint import lint_text
from losscli.rules import MARK, PRELUDE, Rule, in_order, rules
from losscli.rules.contract import LOSSES, WRONG, misuses

SEEN_ELSEWHERE = {"LC044", "LC045", "LC046"}  # by a run or in a spec: source text does not say enough
ALL = [pytest.param(rule, id=f"{rule.code}-{rule.name}") for rule in in_order()]


def test_codes_and_names_are_each_one() -> None:
    codes = [rule.code for rule in in_order()]
    assert codes == [f"LC{number:03}" for number in range(1, len(codes) + 1)]
    assert len({rule.name for rule in in_order()}) == len(codes) >= 47
    assert rules.get("kldiv-mean") is rules.get("LC010")
    with pytest.raises(SpecError, match="no rule called"):
        rules.get("LC999")


@pytest.mark.parametrize("rule", ALL)
def test_a_page_says_all_that_a_reader_needs(rule: Rule) -> None:
    for text in (rule.what, rule.why, rule.torch, rule.instead):
        assert text.strip() == text != ""
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", rule.name)
    assert not rule.what.endswith(".")
    assert rule.why.endswith(".")
    for text in (*rule.bad, *rule.good, *rule.bad_runs, *rule.good_runs):
        ast.parse(PRELUDE + text)
    assert bool(rule.bad or rule.bad_runs) != (rule.code in SEEN_ELSEWHERE)


@pytest.mark.parametrize("rule", ALL)
def test_bad_cases_are_found_at_their_line_and_good_ones_pass(rule: Rule) -> None:
    for text in rule.bad:
        lines = (PRELUDE + text).split("\n")
        [line] = [number for number, written in enumerate(lines, start=1) if written.endswith(MARK)]
        assert [(findings.code, findings.line) for findings in lint_text(PRELUDE + text)] == [(rule.code, line)], text
    for text in rule.good:
        assert lint_text(PRELUDE + text) == [], text


def test_the_contract_names_rules_that_exist() -> None:
    named = {name for takes in WRONG.values() for name, _ in takes.values()}
    assert named <= {rule.name for rule in in_order()}
    assert {loss.takes for loss in LOSSES} <= set(WRONG)


@pytest.mark.parametrize(
    ("takes", "chain", "names"),
    [
        ("classes", ("linear",), []),
        ("classes", ("relu", "linear"), []),
        ("classes", ("linear", "sigmoid", "softmax"), ["softmax-before-cross-entropy", "sigmoid-before-cross-entropy"]),
        ("log-probabilities", ("linear", "log-softmax"), []),
        ("log-probabilities", ("log",), []),
        ("probabilities", ("linear", "sigmoid"), []),
        ("probabilities", ("linear", "relu", "sigmoid"), ["relu-before-logits"]),
        ("divergence", ("softmax",), ["kldiv-input-not-log"]),
        ("values", ("linear", "relu"), []),
    ],
)
def test_the_contract_by_hand(takes, chain, names) -> None:
    assert [name for name, _ in misuses(takes, chain)] == names
