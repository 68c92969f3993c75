"""`losscli rules`: the misuses that losscli knows, as a table."""

from __future__ import annotations

from losscli.cli import flags
from losscli.cli.commands import Panel, command


@command("rules", Panel.reference)
def rules(form: flags.As = flags.Format.text) -> None:
    """List the rules: each names one misuse of a loss. losscli explain CODE shows its page.

    losscli rules

    losscli rules --format json
    """
    from losscli.cli import show
    from losscli.rules import in_order

    if form is flags.Format.json:
        show.machine({"schema_version": 1, "rules": [rule.to_json() for rule in in_order()]})
        return
    from losscli.cli.rules import rule_table

    show.pieces(rule_table(in_order()))
