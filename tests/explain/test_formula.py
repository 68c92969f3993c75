"""Formulas as MathML: by hand, and for every loss: nothing is lost on the way, and it is XML."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from losscli.explain.formula import GREEK, SIGNS, mathml
from losscli.losses import Loss, catalogue

BACK = {sign: word for word, sign in {**GREEK, "epsilon": "ε", "tau": "τ"}.items()} | {"∑": "sum", "√": "sqrt"}
BACK |= {sign: word for word, sign in SIGNS.items()}


def shape(element: ElementTree.Element) -> str:
    """A formula in brackets: its structure without what is only for the eye."""
    tag, parts = element.tag, [shape(child) for child in element]
    text = (element.text or "").strip()
    if tag in ("mi", "mn", "mo", "mtext"):
        return text
    kept = [part for part in parts if part not in ("", "\u2061", "\u2062")]
    return kept[0] if tag in ("mrow", "math") and len(kept) == 1 else f"{tag}({' '.join(kept)})"


def read(formula: str, *options: str) -> list[str]:
    return [shape(ElementTree.fromstring(clause)) for clause in mathml(formula, options)]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("L = r^2 / 2", ["mrow(L = mfrac(msup(r 2) 2))"]),
        ("L = (1 - p_t^q) / q", ["mrow(L = mfrac(mrow(1 − msubsup(p t q)) q))"]),
        ("L = |x - y|", ["mrow(L = mrow(| mrow(x − y) |))"]),
        ("L = a / b / c", ["mrow(L = mfrac(mfrac(a b) c))"]),
        ("L = sqrt(x)", ["mrow(L = msqrt(x))"]),
        ("L = -log_t1 p", ["mrow(L = − mrow(msub(log t1) p))"]),
        ("L = sum_k w_k", ["mrow(L = mrow(munder(∑ k) msub(w k)))"]),
        ("L = sum_{j <= k} x", ["mrow(L = mrow(munder(∑ mrow(j ≤ k)) x))"]),
        ("L = e / sum over n of x", ["mrow(L = mfrac(e mrow(∑ over n of x)))"]),
        ("L = p_m^gamma_neg", ["mrow(L = msubsup(p m msub(γ neg)))"]),
        ("L = r, r = 2 x for y > 0", ["mrow(L = r ,)", "mrow(r = mrow(2 x) for y > 0)"]),
        ("L = (a) (b) / (c)", ["mrow(L = mrow(mrow(( a )) mfrac(b c)))"]),
    ],
)
def test_by_hand(formula: str, expected: list[str]) -> None:
    assert read(formula) == expected


def tokens(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]+|\d+|[-+*=<>|!]", text)


OURS = [pytest.param(item, id=f"{item.task}-{item.name}") for item in catalogue() if item.is_in_package]


@pytest.mark.parametrize("item", OURS)
def test_nothing_is_lost(item: Loss) -> None:
    formula = item.section("Formula")
    clauses = mathml(formula, item.options)
    shown = " ".join(" ".join(ElementTree.fromstring(clause).itertext()) for clause in clauses)
    for sign, word in sorted(BACK.items()):
        shown = shown.replace(sign, f" {word} ")
    shown = shown.replace("epsilon", "eps").replace("taus", "tau")
    expected = re.sub(r"\bsqrt\b", "", formula.replace("epsilon", "eps").replace("taus", "tau")).replace("/", " ")
    assert tokens(shown.replace("sqrt", "")) == tokens(expected)


ODD = ("", "(", ")", "|", "a_", "^", "1 / ", "((((", "a ! ! !", "{x", "<script>&", "x" * 5000, "(" * 300, "|" * 99)


@pytest.mark.parametrize("formula", ODD)
def test_what_is_no_formula_is_shown_all_the_same(formula: str) -> None:
    for clause in mathml(formula):
        ElementTree.fromstring(clause)
