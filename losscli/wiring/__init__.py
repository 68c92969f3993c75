"""Misuse of losses in a spec: the entry's wiring is held against the contract of its loss, its weights against the data.

The rules and their words are on the shelf in `losscli/rules/`; here is what looks at a spec.
"""

from __future__ import annotations

from losscli.errors import Finding
from losscli.rules import rules
from losscli.wiring.call import LossCall, Misuse
from losscli.wiring.output import wiring
from losscli.wiring.weights import weighting


def look(call: LossCall) -> list[Finding]:
    """What the rules say of one entry, and what was noticed when its loss was made."""
    return [*call.loss.findings, *(_finding(call, misuse) for misuse in (*wiring(call), *weighting(call)))]


def _finding(call: LossCall, misuse: Misuse) -> Finding:
    rule = rules.get(misuse.rule)
    particulars = f" ({misuse.particulars})" if misuse.particulars else ""
    return Finding(rule.code, misuse.severity or rule.severity, f"{call.entry}: {rule.what}{particulars}", rule.in_spec)
