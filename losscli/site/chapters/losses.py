"""Every loss of the catalogue, as `losscli explain` shows it."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.explain.formula import mathml
from losscli.explain.page import Page, page
from losscli.losses import Loss, catalogue
from losscli.site.chapters import chapter
from losscli.site.topics import Block, Link, Topic, address, code, facts


@chapter(
    "Losses", 30, "What each is, when to use it and when not, its formula, its paper, and how to read its predictions."
)
def losses() -> Iterator[Topic]:
    """A topic for each loss that the package has, task by task."""
    for item in catalogue():
        if item.is_in_package:
            yield _topic(item, page(item, [needed(item)]))


def curves(task: str) -> str:
    """The file of the curves of a task's losses."""
    return address("curves", task)


def needed(item: Loss) -> dict[str, object]:
    """Values for the options that must be given."""
    from losscli.explain.trial import settings_of
    from losscli.losses import REQUIRED

    return {name: settings_of(item)[name] for name, option in item.options.items() if option.default is REQUIRED}


def _topic(item: Loss, shown: Page) -> Topic:
    name = address("loss", item.task, item.name)
    return Topic(
        name, f"{item.name} ({item.task})", "Losses", shown.summary, list(_blocks(item, shown)), _words(item, shown)
    )


def _words(item: Loss, shown: Page) -> str:
    return " ".join([item.task, *shown.serves, *shown.tags, *item.aliases, *(called for _, called in shown.elsewhere)])


def _blocks(item: Loss, shown: Page) -> Iterator[Block]:
    yield facts([("use", shown.use), ("avoid", shown.avoid), ("asked", shown.asked)])
    yield Block("math", "Formula", [(clause,) for clause in mathml(shown.formula, item.options)])
    readings = "; ".join(f"{reading.verdict} ({reading.meaning})" for reading in shown.readings)
    yield facts(
        [
            ("task", ", ".join(shown.serves or (shown.task,))),
            ("expects", shown.expects),
            ("target", shown.target),
            ("predictions are", readings),
            ("tags", ", ".join(shown.tags)),
            ("kin", shown.kin),
            ("source", shown.source),
            ("also called", ", ".join(shown.aliases)),
            *shown.elsewhere,
        ],
        "In short",
    )
    if shown.options:
        rows = [
            ("option", "default", "takes"),
            *((f"`{one.name}`", one.default or "required", one.takes) for one in shown.options),
        ]
        yield Block("table", "Options", rows)
    yield code(
        f"losscli train --task {item.task} --loss {item.name}\nlosscli explain {item.name} --task {item.task}", "Try it"
    )
    links = [Link(curves(item.task), f"its curve among those of {item.task}")] if shown.curves else []
    same = [Link(address("loss", other, item.name), f"{item.name} of {other}") for other in shown.other_tasks]
    yield Block("links", "See also", links=[*links, *same, Link(address("task", item.task), f"the task {item.task}")])
