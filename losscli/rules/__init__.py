"""Rules: how losses are misused. A rule is one block with its code, its name, its page and its cases, which are its tests.

Whoever looks for a misuse (`lint` in source text, `check` in a run, `check` of a spec, `diagnose` in a curve) finds the words
here and nowhere else. What a loss must be given is one table, in contract.py. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from losscli.shelf import Shelf

# An entry of a spec: task, loss, output chain; and what else of it is known.
Wiring = tuple[str, str, tuple[str, ...]] | tuple[str, str, tuple[str, ...], Mapping[str, Any]]

PRELUDE = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
MARK = "# <-"  # ends the line of a bad case at which the rule speaks


@dataclass(frozen=True)
class Rule:
    """One misuse and its page.

    `what` is the finding's sentence, `instead` its cure; `in_spec` is the cure in the words of a spec, for what a spec can do
    wrong. `bad` and `good` are cases in source text, each after the imports in `PRELUDE`; in a bad one the line of the finding
    ends with `MARK`. `bad_runs` and `good_runs` are such cases where only a run can tell. `bad_specs` and `good_specs` are
    entries of specs. `asked` are losses, as NAME or TASK/NAME, that a spec asks for who is about to make the mistake.
    """

    code: str
    name: str
    severity: str  # of `SEVERITIES`
    what: str
    why: str
    torch: str
    instead: str
    in_spec: str = ""
    bad: tuple[str, ...] = ()
    good: tuple[str, ...] = ()
    bad_runs: tuple[str, ...] = ()
    good_runs: tuple[str, ...] = ()
    bad_specs: tuple[Wiring, ...] = ()
    good_specs: tuple[Wiring, ...] = ()
    asked: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity,
            "what": self.what,
            "why": self.why,
            "torch": self.torch,
            "instead": self.instead,
            "in_spec": self.in_spec or None,
            "bad": [text.replace(MARK, "").rstrip() for text in (*self.bad, *self.bad_runs)],
            "good": [*self.good, *self.good_runs],
        }


rules: Shelf[Rule] = Shelf(__name__, "rule")


def rule(code: str, name: str, severity: str, setup: str = "", **page: Any) -> None:
    """Put a rule on the shelf; its name is an alias of its code. Every case in source text begins with the lines of `setup`.

    >>> rules.get("softmax-before-cross-entropy").code
    'LC001'
    """
    start = dedent(setup).lstrip("\n")
    for cases in ("bad", "good", "bad_runs", "good_runs"):
        page[cases] = tuple(start + dedent(text).lstrip("\n") for text in page.get(cases, ()))
    rules.put(code, Rule(code, name, severity, **page), aliases=(name,))


def in_order() -> list[Rule]:
    """All rules by their codes.

    >>> [rule.code for rule in in_order()][:2]
    ['LC001', 'LC002']
    """
    return sorted(rules, key=lambda rule: rule.code)
