"""How a command ends when it does not end well: one table from the kind of error to an exit code and what to say."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from losscli.cli.signals import HungUp, Interrupted, Terminated
from losscli.errors import Problem, UserError

# Typer carries its own copy of click in newer versions and imports it in older ones; this is the class in both.
UsageError: type[BaseException] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")


Ending = tuple[int, Sequence[Problem]]


def _usage(error: Any) -> Ending:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "losscli"
    message = error.format_message().replace("Value error, ", "")  # Typer lets pydantic's words through
    return 2, [Problem(message, cure=f"{path} --help shows what there is")]


def _exit(error: SystemExit) -> Ending:
    """Typer ends so when nobody reads its output any more."""
    if isinstance(error.__context__, BrokenPipeError):
        return ending(error.__context__)
    return error.code if isinstance(error.code, int) else 70, ()


def _machine(error: OSError) -> Ending:
    where = f": {error.filename!r}" if error.filename else ""
    return 5, [Problem(f"the machine refuses: {error.strerror or error}{where}")]


def _missing(error: ImportError) -> Ending:
    package = (error.name or "").partition(".")[0]
    if package in ("", "losscli"):
        return _bug(error)
    if package in sys.stdlib_module_names:  # Python has it: something else of that name is found first
        hidden = f"something called {package} in this folder or on PYTHONPATH hides Python's own module {package}"
        return 5, [Problem(f"{hidden} ({str(error).splitlines()[0][:100]})", cure=f"rename {package}.py or {package}/")]
    return 5, [Problem(f"the package {package} is missing", cure=f"pip install {package}")]


def _bug(error: BaseException) -> Ending:
    what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return 70, [
        Problem(f"sorry, this is a bug in losscli: {what}", cure="run it again with --debug and report what it prints")
    ]


ENDINGS: Sequence[tuple[type[BaseException], Callable[[Any], Ending]]] = (
    (UserError, lambda error: (error.exit_code, error.problems)),
    (typer.Exit, lambda error: (error.exit_code, ())),
    (UsageError, _usage),
    (typer.Abort, lambda error: (130, [Problem("interrupted")])),
    (KeyboardInterrupt, lambda error: (130, [Problem("interrupted")])),
    (Interrupted, lambda error: (130, [Problem(str(error) or "interrupted")])),
    (Terminated, lambda error: (143, [Problem(str(error) or "terminated")])),
    (HungUp, lambda error: (129, [Problem(str(error) or "the terminal is gone")])),
    (SystemExit, _exit),
    (BrokenPipeError, lambda error: (141, ())),  # `| head` has seen enough: what the shell says of any other program
    (OSError, _machine),
    (
        MemoryError,
        lambda error: (5, [Problem("the memory is not enough", cure="take fewer rows, runs or hidden units")]),
    ),
    (ImportError, _missing),
    (BaseException, _bug),
)


def ending(error: BaseException) -> Ending:
    """The exit code of an error and the problems to show, which may be none."""
    return next(end for kind, end in ENDINGS if isinstance(error, kind))(error)
