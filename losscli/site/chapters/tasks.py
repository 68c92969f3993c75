"""Every task: what a target is, its losses, its metrics, and what it is shown on."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from losscli.losses import catalogue
from losscli.metrics import for_task
from losscli.site.chapters import chapter
from losscli.site.topics import Block, Link, Topic, address, code, facts
from losscli.tasks import Task, tasks


@chapter("Tasks", 20, "What a target is. It decides which losses and metrics there are.")
def task_topics() -> Iterator[Topic]:
    """A topic for each task."""
    for task in tasks:
        yield _topic(task)


def _topic(task: Task) -> Topic:
    losses = [item for item in catalogue(task.name) if item.is_in_package]
    data = " ".join(str(value) for value in task.default_data.values())
    blocks = [
        facts(
            [
                ("loss by default", task.default_loss),
                ("judged by", ", ".join(task.default_metrics)),
                ("shown on", data),
                ("options of the target", ", ".join(f"data.{name}" for name in task.options)),
            ]
        ),
        code(f"losscli init {task.name} --to {task.name}.yaml\nlosscli train --task {task.name}", "Try it"),
        Block(
            "links",
            f"{len(losses)} losses",
            links=[Link(address("loss", item.task, item.name), item.name, item.summary) for item in losses],
        ),
        Block(
            "links",
            "Metrics",
            links=[
                Link(address("metric", metric.name), metric.name, metric.summary)
                for metric in for_task(task.name).values()
            ],
        ),
    ]
    doc = (inspect.getdoc(type(task)) or "").split("\n\n")[0]
    return Topic(address("task", task.name), task.name, "Tasks", task.summary, blocks, doc)
