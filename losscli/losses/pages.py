"""Where a refusal is about a mistake that a rule has a page on, it says that page's sentence and how to read on."""

from __future__ import annotations

from dataclasses import replace

from losscli.errors import SpecError
from losscli.losses.spelling import key
from losscli.rules import Rule, rules


def with_page(error: SpecError, names: tuple[str, ...], task: str) -> SpecError:
    """The refusal of a loss, by all names that it has, with the sentence of the page for who asks for it in that task.

    >>> wrong = SpecError("no such loss", cure="hinge")
    >>> print(with_page(wrong, ("nn.HingeEmbeddingLoss",), "binary").problems[0].cure)
    hinge; losscli explain LC035 shows the mistake
    """
    rule = _page(names, task)
    if rule is None:
        return error
    (problem,) = error.problems
    message = f"{problem.message} ({rule.code}: {rule.what})"
    cure = "; ".join([*([problem.cure] if problem.cure else []), f"{see(rule.name)} shows the mistake"])
    return SpecError([replace(problem, message=message, cure=cure)])


def _page(names: tuple[str, ...], task: str) -> Rule | None:
    keys = {key(name) for name in names}
    for rule in rules:
        for home, _, asked in (asked.rpartition("/") for asked in rule.asked):
            if key(asked) in keys and home in ("", task):
                return rule
    return None


def see(rule: str) -> str:
    """The command that shows a rule's page.

    >>> see("broadcast-n1-n")
    'losscli explain LC037'
    """
    return f"losscli explain {rules.get(rule).code}"
