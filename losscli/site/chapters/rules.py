"""Every rule of `lint`, `check` and `diagnose`: the misuse, why it hurts, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.rules import MARK, Rule, in_order
from losscli.site.chapters import chapter
from losscli.site.topics import Topic, address, code, facts


@chapter("Rules", 50, "Misuses of losses, as `losscli lint`, `check` and `diagnose` name them.")
def rule_topics() -> Iterator[Topic]:
    """A topic for each rule, by its code."""
    for rule in in_order():
        yield _topic(rule)


def _topic(rule: Rule) -> Topic:
    told = [
        ("severity", rule.severity),
        ("why it hurts", rule.why),
        ("torch says", rule.torch),
        ("use instead", rule.instead),
    ]
    cases = [("Wrong", rule.bad + rule.bad_runs), ("Right", rule.good + rule.good_runs)]
    blocks = [
        facts([*told, ("in a spec", rule.in_spec)]),
        *(code(source.replace(f"  {MARK}", ""), title) for title, sources in cases for source in sources[:1]),
        code(f"losscli explain {rule.code}", "What it costs"),
    ]
    summary = f"{rule.what[:1].upper()}{rule.what[1:]}."
    return Topic(
        address("rule", rule.code), f"{rule.code} {rule.name}", "Rules", summary, blocks, rule.name.replace("-", " ")
    )
