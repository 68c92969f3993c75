"""The console entry point: finds the commands, runs the one that was asked for, and ends with an exit code.

Nothing leaves `run` but a number. How each kind of failure ends is one table, in endings.py.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import is_dataclass
from functools import wraps
from inspect import Parameter, Signature, cleandoc, signature
from types import FrameType
from typing import Annotated, Any, get_args, get_type_hints

import typer

from losscli.cli import colors
from losscli.cli.commands import Command, Group, commands, panels
from losscli.cli.endings import ending
from losscli.cli.signals import SIGNALS, handling
from losscli.cli.variables import VARIABLES
from losscli.errors import MachineError, SpecError
from losscli.stdout import give_up

# Objects that torch and what it imports are made of: none is garbage while it is loaded, and the collector, which begins at
# 700, would look through them again and again.
MODULES = 200_000


def spread(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command as Typer reads it: each set of flags that it takes spread out (`losscli/cli/flags.py`)."""

    @wraps(command)
    def run(**values: Any) -> Any:
        return _call(command, values)

    run.__signature__ = Signature(list(_spread(command)))  # type: ignore[attr-defined]
    run.__annotations__ = {}  # Typer would look names up that stand in the signature as types
    return run


def _taken(by: Any) -> list[Parameter]:
    """What a command or a set of flags takes."""
    hints = get_type_hints(by, include_extras=True)
    parameters = signature(by).parameters.items()
    return [item.replace(annotation=hints[name], kind=Parameter.KEYWORD_ONLY) for name, item in parameters]


def _spread(taker: Any) -> Iterator[Parameter]:
    """The flags of a taker, those of a set under the heading that the set has."""
    for item in _taken(taker):
        if is_dataclass(item.annotation):
            yield from _spread(item.annotation)
        else:
            panel = getattr(taker, "panel", None)
            yield item if panel is None else item.replace(annotation=_under(panel, item.annotation))


def _under(panel: str, annotation: Any) -> Any:
    """A flag's type with a heading, unless it has one of its own."""
    kind, info = get_args(annotation)
    headed = copy(info)  # the same flag stands in several sets
    headed.rich_help_panel = info.rich_help_panel or panel
    return Annotated[kind, headed]


def _call(taker: Any, values: Mapping[str, Any]) -> Any:
    sets = {item.name: _call(item.annotation, values) for item in _taken(taker) if is_dataclass(item.annotation)}
    return taker(**{item.name: sets[item.name] if item.name in sets else values[item.name] for item in _taken(taker)})


EPILOG = (
    "Start with: losscli train --task binary --loss bce-logits",
    f"Environment variables: {', '.join(VARIABLES)}; losscli doctor says what each is for.",
)


class Commands(Mapping[str, Any]):
    """The commands as click has them, each made when it is asked for: help needs none of them."""

    def __getitem__(self, name: str) -> Any:
        if name not in commands.names():
            raise KeyError(name)
        item = commands.get(name)
        if not isinstance(item, typer.Typer):  # else a group of commands
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(name, cls=Command)(spread(item))
            item = alone
        made = typer.main.get_command(item)
        made.name = name
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(commands.names())

    def __len__(self) -> int:
        return len(commands.names())


class Losscli(Group):
    """All commands, by what they are for; of those that are not asked for, only their docstrings are read."""

    def __init__(self, **facts: Any):
        super().__init__(**facts)
        self.commands = Commands()  # type: ignore[assignment]

    def summary(self, name: str) -> tuple[str, str]:
        item = commands.get(name)
        text = item.info.help if isinstance(item, typer.Typer) else cleandoc(item.__doc__ or "").partition("\n\n")[0]
        return panels[name], " ".join(str(text).split())


app = typer.Typer(
    name="losscli",
    cls=Losscli,
    help="Pick the right loss for your data, prove it, and catch the wrong one.",
    epilog="\n\n".join(EPILOG),
    rich_markup_mode=None,  # plain help: Rich would take longer to import than all the rest
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def losscli(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    color: Annotated[
        colors.Colors, typer.Option("--color", help="Colours; auto follows the terminal, NO_COLOR and FORCE_COLOR.")
    ] = colors.Colors.auto,
) -> None:
    """What stands before any command."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"losscli {installed('losscli')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
    else:
        _stand()


def _stand() -> None:
    """Raises `MachineError` where the working folder is gone: libraries of numbers end the process there, without a cause."""
    try:
        os.getcwd()
    except FileNotFoundError:
        raise MachineError("the folder you are in does not exist any more", cure="cd to one that does") from None


def main() -> None:
    """What `losscli` and `python -m losscli` run."""
    gc.set_threshold(MODULES)
    code = run(sys.argv[1:])
    gc.freeze()  # or Python looks through all of torch on its way out: a quarter of `import torch`
    give_up()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code.

    `--debug` and `--color` may stand anywhere in it, up to what a script is given.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    own, rest = list(arguments[:end]), list(arguments[end:])
    debug = "--debug" in own
    own = [word for word in own if word != "--debug"]
    try:
        choice = colors.taken(own)
    except SpecError as error:
        return _end(error, debug)
    with colors.chosen(choice):
        return _run(own + rest, debug)


def _run(words: Sequence[str], debug: bool) -> int:
    try:
        with _streams(), handling(_stop):
            code = app(list(words), prog_name="losscli", standalone_mode=False)
            sys.stdout.flush()
            return int(code or 0)
    except BaseException as error:
        return _end(error, debug)


def _end(error: BaseException, debug: bool) -> int:
    """Tell what went wrong, where anybody can still hear it, and give the exit code."""
    code, problems = ending(error)
    try:
        if problems and debug:
            import traceback

            traceback.print_exception(error)
        elif problems:
            from losscli.cli import show

            show.problems(problems)
        sys.stdout.flush()
    except OSError:  # stdout or stderr is closed or full, which may be the very error: nobody is left to tell
        _silence()
    return code


@contextmanager
def _streams() -> Iterator[None]:
    """Stand-ins for streams that were closed before the start, and no error for a character that cannot be shown."""
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:
            setattr(sys, stream, open(os.devnull, "w"))  # noqa: SIM115  it lives as long as the process
        if isinstance(getattr(sys, stream), io.TextIOWrapper):
            getattr(sys, stream).reconfigure(errors="backslashreplace")
    yield


def _stop(number: int, frame: FrameType | None) -> None:
    raise SIGNALS[number]


def _silence() -> None:
    """Point both streams at nothing, or Python would fail once more when it flushes them on its way out."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
