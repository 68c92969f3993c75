"""Every metric: what it measures, which way is better, and for which tasks."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from losscli.direction import BETTER
from losscli.metrics import Metric, metrics
from losscli.site.chapters import chapter
from losscli.site.topics import Block as Block
from losscli.site.topics import Link, Topic, address, code, facts, text

NEEDS = {
    "costs": "costs of each decision: `costs: [[0, 1], [5, 0]]`",
    "mixture": "synthetic data whose mixture is known, as ring and grid",
    "pairs": "rows that are pairs: `data.pairs`",
}


@chapter(
    "Metrics", 40, "What predictions are judged by: never the loss itself. The first of `metrics:` is the headline."
)
def metric_topics() -> Iterator[Topic]:
    """A topic for each metric; those of the same name for several tasks are one."""
    by_name: dict[str, list[Metric]] = {}
    for metric in metrics:
        by_name.setdefault(metric.name, []).append(metric)
    for name, alike in sorted(by_name.items()):
        yield _topic(name, alike)


def _topic(name: str, alike: list[Metric]) -> Topic:
    first, tasks = alike[0], list(dict.fromkeys(task for metric in alike for task in metric.tasks))
    rest = "\n".join((inspect.getdoc(first.function) or "").splitlines()[1:]).strip()
    prose, _, example = rest.partition(">>>")
    blocks = [
        facts(
            [
                ("better", BETTER[first.direction]),
                ("range", f"{first.low:g} to {first.high:g}"),
                ("reads", first.reads),
                ("tasks", ", ".join(tasks)),
                ("needs", NEEDS.get(first.needs or "", "")),
                ("as headline", "" if first.headline else "no: better of it alone does not mean better"),
            ]
        ),
        text(*prose.strip().split("\n\n")),
        *([code(f">>> {example.strip()}", "By hand")] if example else []),
        code(f"losscli compare --task {tasks[0]} --metric {name} --seeds 10", "Try it"),
        Block("links", "See also", links=[Link(address("task", task), f"the task {task}") for task in tasks]),
    ]
    return Topic(address("metric", name), name, "Metrics", first.summary, blocks, " ".join(tasks))
