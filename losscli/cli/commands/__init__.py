"""Commands: one thin file each, found by walking this folder. A command reads its flags, makes one call, and shows it.

The docstring of the decorated function is its help, the annotations of its parameters are its flags; a parameter whose type is
a set of flags (`losscli/cli/flags.py`) stands for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.core import TyperCommand, TyperOption

from losscli.errors import SpecError
from losscli.shelf import Shelf

OF_SEVERAL = {
    "--data": "several files are one table: --set 'data.path=[a.csv, b.csv]' beside --data a.csv, or a folder"
}

commands: Shelf[Callable[..., Any]] = Shelf(__name__, "command")
command = commands.register  # the decorator


class Command(TyperCommand):
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
