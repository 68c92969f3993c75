"""Commands: one thin file each, found by walking this folder. A command reads its flags, makes one call, and shows it.

The docstring of the decorated function is its help, the annotations of its parameters are its flags; a parameter whose type is
a set of flags (`losscli/cli/flags.py`) stands for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

from losscli.errors import SpecError
from losscli.shelf import Shelf

OF_SEVERAL = {
    "--data": "several files are one table: --set 'data.path=[a.csv, b.csv]' beside --data a.csv, or a folder"
}

commands: Shelf[Callable[..., Any]] = Shelf(__name__, "command")


class Panel(StrEnum):
    """What commands are for, in the order in which `losscli --help` says it."""

    pick = "Pick a loss"
    prove = "Prove it"
    catch = "Catch the wrong one"
    records = "Records and models"
    reference = "Reference"


panels: dict[str, Panel] = {}  # by command


def command(name: str, panel: Panel = Panel.reference) -> Callable[[Any], Any]:
    """The decorator that makes a function a command."""
    panels[name] = panel
    return commands.register(name)


class Panels:
    """Help in panels, as plain text: Rich would take longer to import than all the rest."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The arguments, the options without a `rich_help_panel`, and then those with one; the one for help comes last."""
        panels: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        *parameters, help_itself = self.get_params(ctx)  # type: ignore[attr-defined]
        for parameter in parameters:
            record = parameter.get_help_record(ctx)
            if record is not None:
                kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
                panels.setdefault(getattr(parameter, "rich_help_panel", None) or kind, []).append(record)
        last = next((title for title in reversed(panels) if panels[title]), "Options")
        panels[last].append(help_itself.get_help_record(ctx))
        for title, records in panels.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
        if isinstance(self, TyperGroup):
            self.format_commands(ctx, formatter)


class Group(Panels, TyperGroup):
    """A group of commands, by what they are for."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Each with the whole of its first sentence."""
        panels: dict[str, list[tuple[str, str]]] = {str(panel): [] for panel in Panel}
        for name in self.list_commands(ctx):
            title, text = self.summary(name)
            panels.setdefault(title, []).append((name, text))
        for title, rows in panels.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the shelf, or as they were added."""
        return list(self.commands)

    def summary(self, name: str) -> tuple[str, str]:
        """The heading of a command, and what it does."""
        return "Commands", self.commands[name].get_short_help_str(1000)


class Command(Panels, TyperCommand):
    """A command that refuses a flag of one value that is given twice: the last would win without a word."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer parses, after counting."""
        *_, given = self.make_parser(ctx).parse_args(args=list(args))
        for flag in dict.fromkeys(parameter for parameter in given if isinstance(parameter, TyperOption)):
            count = given.count(flag)
            if count > 1 and not (flag.multiple or flag.is_flag):
                refusal = f"{flag.opts[0]}: {ctx.command_path} takes one, and {count} are given"
                otherwise = OF_SEVERAL.get(flag.opts[0], "give it once")
                raise SpecError(refusal, cure=_where_several(flag.opts[0], ctx) or otherwise)
        return super().parse_args(ctx, args)


def _where_several(flag: str, context: Any) -> str | None:
    """The command that takes the same flag repeatedly, as a cure."""
    group = context.parent.command if context.parent else None
    for name, other in getattr(group, "commands", {}).items():
        if any(flag in parameter.opts and getattr(parameter, "multiple", False) for parameter in other.params):
            return f"losscli {name} takes several"
    return None
