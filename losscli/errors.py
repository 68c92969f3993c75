"""What losscli tells a user when something is wrong: errors that stop a command, findings that do not.

Every error says what must hold, what was given, where, and what would work; its class fixes the exit code.

>>> raise DataError("the target has one class only", cure="choose another target")
Traceback (most recent call last):
losscli.errors.DataError: the target has one class only
"""

from __future__ import annotations

import difflib
import re
import signal
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from traceback import walk_tb
from types import TracebackType
from typing import Any, ClassVar

from losscli.severities import SEVERITIES

# What could move the cursor, hide text or turn it round: control, format (BiDi), surrogates, line and paragraph ends.
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
MOST_NAMES, MOST_MEANT = 200, 8  # that a message lists: a column may have a million labels
SHORTEST_BEGINNING = 3  # letters from which on a word can be the beginning of a name


@dataclass(frozen=True)
class Place:
    """Where in a user's file something stands; lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what must hold and what was given, where it stands, what would work."""

    message: str
    place: Place | None = None
    cure: str | None = None


@dataclass(frozen=True)
class Finding:
    """Something noticed that does not stop the work: a stable code, a severity, what was seen, and a cure."""

    code: str
    severity: str  # of `SEVERITIES`
    message: str
    cure: str = ""

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"there is no severity called {self.severity!r}")

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "severity": self.severity, "message": self.message, "cure": self.cure}


def by_gravity(findings: Iterable[Finding]) -> list[Finding]:
    """The gravest first; those that are equally grave in their order.

    >>> [finding.code for finding in by_gravity([Finding("a", "info", "..."), Finding("b", "error", "...")])]
    ['b', 'a']
    """
    order = list(SEVERITIES)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


class UserError(Exception):
    """Something the user can mend. Holds every problem found at once; `exit_code` is what the command returns."""

    exit_code: ClassVar[int] = 2

    def __init__(self, problem: str | Sequence[Problem], *, place: Place | None = None, cure: str | None = None):
        self.problems = [Problem(problem, place, cure)] if isinstance(problem, str) else list(problem)
        super().__init__("\n".join(item.message for item in self.problems))


class SpecError(UserError):
    """The spec, a flag or an argument is wrong (exit code 2)."""

    exit_code = 2


class CodeError(SpecError):
    """Code of the user's own, given on the command line, failed (exit code 2)."""


class DataError(UserError):
    """The data cannot be used as they are (exit code 3)."""

    exit_code = 3


class MachineError(UserError):
    """The machine cannot do it: device, disk, a missing extra, a damaged record (exit code 5)."""

    exit_code = 5


@contextmanager
def within(place: Place | None) -> Iterator[None]:
    """What is wrong with data and has no place of its own is told with this one.

    >>> with within(Place("t.csv")):
    ...     raise DataError("the training split has one class only")
    Traceback (most recent call last):
    losscli.errors.DataError: the training split has one class only
    """
    try:
        yield
    except DataError as wrong:
        wrong.problems = [replace(problem, place=problem.place or place) for problem in wrong.problems]
        raise


class Stopped(BaseException):
    """A signal, or a limit, ends what runs. No `Exception`, so that nothing on the way takes it for an error of its own."""


def theirs(error: BaseException) -> bool:
    """Whether foreign code may have raised it, and no signal has.

    Who has left Ctrl-C to Python gets `KeyboardInterrupt` from it; elsewhere only code raises that.

    >>> theirs(SystemExit(3)), theirs(GeneratorExit()), theirs(Stopped())
    (True, True, False)
    """
    if isinstance(error, KeyboardInterrupt):
        return signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    return not isinstance(error, Stopped)


def said(error: BaseException) -> str:
    """What an error of foreign code says, in a line: its name, and the beginning of its text.

    >>> said(ValueError("no\\nluck")), said(KeyboardInterrupt())
    ('ValueError: no', 'KeyboardInterrupt')
    """
    try:
        text = (str(error).strip().splitlines() or [""])[0]
    except BaseException as worse:  # its `__str__` is foreign, too
        text = f"and has no text, as {type(worse).__name__} is raised instead"
    return f"{type(error).__name__}: {visible(text, 200)}" if text else type(error).__name__


class foreign:  # noqa: N801  it is used like a function
    """Run code that is not losscli's: whatever it raises becomes a `CodeError` with the place in the user's file.

    >>> with foreign("my loss"):
    ...     1 / 0
    Traceback (most recent call last):
    losscli.errors.CodeError: my loss raises ZeroDivisionError: division by zero
    """

    def __init__(self, what: str, file: str | None = None):
        self.what, self.file = what, file

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """A user's error stays as it is, and so does a signal, which must end the command; an exit() in a file must not."""
        if error is None or isinstance(error, UserError) or not theirs(error):
            return
        lines = [line for frame, line in walk_tb(trace) if frame.f_code.co_filename == self.file]
        if isinstance(error, SyntaxError) and error.filename == self.file:
            lines.append(error.lineno or 1)
        place = Place(self.file, lines[-1] if lines else None) if self.file else None
        cure = "mend it there; --debug shows the whole traceback"
        raise CodeError(f"{self.what} raises {said(error)}", place=place, cure=cure) from error


def shown(value: object) -> str:
    """A foreign value as a message may show it: control characters visible, cut at 80 characters.

    Text stands in quotes; numbers, true, false and null as a spec writes them.

    >>> shown("a\\x1b[1m"), len(shown("x" * 500))
    ("'a\\\\x1b[1m'", 83)
    >>> shown("1.5"), shown(1.5), shown(None)
    ("'1.5'", '1.5', 'null')
    """
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, float, list, tuple, dict)):
        text = repr(float(value) if isinstance(value, float) else value)  # a number of numpy says its type
        return text if len(text) <= 80 else text[:80] + "…"
    text = str(value)
    return repr(text) if len(text) <= 80 else repr(text[:80]) + "…"


def visible(text: object, limit: int = 80) -> str:
    r"""Foreign text with every invisible character written out, cut at `limit`.

    >>> print(visible("\x1b[31mred"))
    \x1b[31mred
    >>> print(visible("user\u202etxt.exe"))
    user\u202etxt.exe
    """
    shown = "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in INVISIBLE else char
        for char in str(text)
    )
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "row"), counted(2, "row")
    ('1 row', '2 rows')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str], most: int = 8) -> str:
    """The first few, and how many more there are.

    >>> listed("abcdefghij")
    'a, b, c, d, e, f, g, h and 2 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def joined(names: Sequence[str], most: int = 3) -> str:
    """The first few as a sentence lists them, and how many more there are; a single one more takes no more room than its name.

    >>> joined(["a", "b"]), joined(["a", "b", "c", "d"]), joined(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and d', 'a, b, c and 2 more')
    """
    shown = list(names) if len(names) <= most + 1 else [*names[:most], f"{len(names) - most} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that `word` was probably meant to be: one that begins with it, or else one that looks like it.

    >>> nearest("focl", ["focal", "hinge"])
    'focal'
    >>> nearest("acc", ["mcc", "accuracy"])
    'accuracy'
    >>> nearest("zzz", ["focal", "hinge"]) is None
    True
    """
    return min(likely(word, choices), key=len, default=None)


def likely(word: str, choices: Iterable[str]) -> list[str]:
    """Every choice that begins with `word`; if there is none, the one that looks most like it, if one does.

    A variant of one that is meant already is not asked about, too.

    >>> likely("multi", ["binary", "multiclass", "multilabel"])
    ['multiclass', 'multilabel']
    >>> likely("acc", ["accuracy", "accuracy-tuned"])
    ['accuracy']
    """
    by_folded = {choice.casefold(): choice for choice in choices}
    folded = str(word)[:80].casefold()
    begun = [choice for choice in by_folded if len(folded) >= SHORTEST_BEGINNING and choice.startswith(folded)]
    meant = set(begun)
    begun = [
        choice for choice in begun if not any(choice[: dash.start()] in meant for dash in re.finditer("-", choice))
    ]
    return [by_folded[close] for close in begun or difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)]


def choose_from(word: str, choices: Iterable[str]) -> str:
    """The cure for a wrong name: what was probably meant, if anything is like it, and the list of those that exist.

    >>> choose_from("focl", ["focal", "hinge"])
    'did you mean focal? There are: focal, hinge'
    >>> choose_from("multi", ["binary", "multiclass", "multilabel"])
    'did you mean multiclass or multilabel? There are: binary, multiclass, multilabel'
    """
    names = list(choices)
    close = likely(word, names)
    there = f"here are: {listed(names, MOST_NAMES)}"
    if not close:
        return f"t{there}"
    more = [f"one of {len(close) - MOST_MEANT} more"] if len(close) > MOST_MEANT else []
    return f"did you mean {' or '.join([*close[:MOST_MEANT], *more])}? T{there}"


def setting(key: str, value: str, column: str | None = None) -> str:
    """A cure that can be pasted: how to set `data.KEY`, or the entry of a column in it, in a spec and on the command line.

    >>> print(setting("types", "date", "z"))
    data.types: {z: date} (--set data.types.z=date)
    >>> print(setting("types", "category", "my zip"))
    data.types: {my zip: category} (--set 'data.types.my zip=category')
    """
    if column is None:
        return f"data.{key}: {value} ({_flag(key, value)})"
    name = shown(column)[1:-1]
    return f"data.{key}: {{{name}: {value}}} ({_flag(f'{key}.{name}', value)})"


def dropped(column: str) -> str:
    """The same for a column that is to be left out.

    >>> print(dropped("my zip"))
    data.drop (--drop 'my zip')
    """
    import shlex

    return f"data.drop (--drop {shlex.quote(visible(column))})"


def sign(key: str, text: str) -> str:
    r"""The same for a sign such as a delimiter, which a spec has in quotes.

    >>> print(sign("decimal", ","))
    data.decimal: "," (--set data.decimal=,)
    >>> print(sign("delimiter", "\t"))
    data.delimiter: "\t" (--set 'data.delimiter=\t')
    """
    import json  # here, as every command loads this file for its help

    written = json.dumps(text)
    return f"data.{key}: {written} ({_flag(key, written[1:-1])})"


def _flag(key: str, value: str) -> str:
    import shlex

    return f"--set {shlex.quote(f'data.{key}={value}')}"
