"""From paths to texts that can be parsed: scripts, the code cells of notebooks, folders walked. Nothing is executed."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import stat
import tokenize
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from losscli.errors import SpecError

ENDINGS = (".py", ".pyw", ".ipynb")
SKIPPED = {"__pycache__", "node_modules", "site-packages"}
LARGEST = 4_000_000  # bytes; a script that a person wrote is far below, and the parser takes 100 times as much memory
LONGEST_LINE = 100_000  # characters
NOQA = re.compile(r"#\s*noqa\b(?P<codes>:\s?[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?", re.I)
OURS = re.compile(r"LC[0-9]+")
MAGIC = re.compile(r"^(\s*+)([%!?].*|.*\?\s*$)")
OTHER_LANGUAGE = re.compile(r"^\s*%%(?!time|capture|prun|timeit)")


class Unreadable(Exception):
    """A file that cannot be parsed: why, and at which line if that is known."""

    def __init__(self, why: str, line: int | None = None):
        super().__init__(why)
        self.line = line


@dataclass(eq=False)
class Source:
    """A text that was read: its name as given, its lines, and for a notebook the cell and line of each."""

    name: str
    path: Path
    text: str
    cells: Sequence[tuple[int, int]] = field(default=())

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed text; `Unreadable` where it is no Python of today."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of odd escapes in texts that are not ours
                return ast.parse(self.text)
        except SyntaxError as wrong:
            raise Unreadable(f"cannot be parsed: {wrong.msg}", wrong.lineno) from wrong
        except (ValueError, RecursionError, MemoryError) as wrong:
            raise Unreadable(f"cannot be parsed: {str(wrong) or type(wrong).__name__}") from wrong

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def place(self, line: int) -> tuple[int | None, int]:
        """The cell, in a notebook, and the line in it."""
        if not self.cells:
            return None, line
        return self.cells[min(line, len(self.cells)) - 1]

    def character(self, line: int, octet: int) -> int:
        """A column in characters, from 1; ast counts bytes of UTF-8."""
        return len(self.lines[line - 1].encode()[: octet - 1].decode(errors="ignore")) + 1

    def allows(self, code: str, first: int, last: int) -> bool:
        """Whether no `# noqa` on these lines silences the rule."""
        for line in self.lines[first - 1 : last]:
            match = NOQA.search(line)
            if match and (not match["codes"] or code in _codes(match)):
                return False
        return True

    def unknown_codes(self, known: Collection[str]) -> Iterator[tuple[str, int]]:
        """The codes that a `# noqa` names as if they were of a rule here, and are of none, with their lines."""
        if "noqa" not in self.text.lower():
            return
        for number, line in enumerate(self.lines, start=1):
            match = NOQA.search(line)
            for code in _codes(match) if match else ():
                if OURS.fullmatch(code) and code not in known:
                    yield code, number


def _codes(noqa: re.Match[str]) -> list[str]:
    return re.findall(r"(?<![A-Z])[A-Z]++[0-9]+", (noqa["codes"] or "").upper())


def walk(paths: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The files that paths mean, each once, with the name to call it; `SpecError` for a path that is not there."""
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        raise SpecError(f"there is no {', '.join(map(repr, missing))}", cure="give files or folders that exist")
    seen: set[str] = set()
    for path in paths:
        for name in _within(path) if os.path.isdir(path) else (path,):
            real = os.path.realpath(name)
            if real not in seen:
                seen.add(real)
                yield name, Path(real)


def _within(folder: str) -> Iterator[str]:
    """The scripts and notebooks below a folder, in order; links to folders are not followed, so none can go round."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _skipped(place, name))
        for name in sorted(files):
            if name.endswith(ENDINGS):
                yield os.path.normpath(os.path.join(place, name))


def _skipped(place: str, name: str) -> bool:
    return name.startswith(".") or name in SKIPPED or os.path.exists(os.path.join(place, name, "pyvenv.cfg"))


def read(name: str, path: Path) -> Source:
    """One file's text; `Unreadable` says why there is none."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise Unreadable("is no file that can be read to its end")  # a pipe would never end
        if about.st_size > LARGEST:
            raise Unreadable(f"is larger than {LARGEST // 1_000_000} MB, and left out")
        raw = path.read_bytes()
    except OSError as wrong:
        raise Unreadable(f"cannot be read: {wrong.strerror or wrong}") from wrong
    if b"\0" in raw:
        raise Unreadable("is binary, not Python")
    text, cells = _notebook(raw) if path.suffix == ".ipynb" else (_decoded(raw), ())
    if max(map(len, text.split("\n"))) > LONGEST_LINE:
        raise Unreadable(f"has a line of more than {LONGEST_LINE:,} characters, and is left out")
    return Source(name, path, text, cells)


def _decoded(raw: bytes) -> str:
    """Text in the encoding that its first lines name, or UTF-8; every line ends with a newline."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        text = raw.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as wrong:
        raise Unreadable(f"cannot be decoded: {wrong}") from wrong
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _notebook(raw: bytes) -> tuple[str, list[tuple[int, int]]]:
    """The code cells of a notebook as one text, and the cell and line that each line is from."""
    try:
        book = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as wrong:
        raise Unreadable(f"is no notebook: {str(wrong) or type(wrong).__name__}") from wrong
    try:
        cells = book.get("cells") or [cell for sheet in book.get("worksheets", ()) for cell in sheet["cells"]]
        sources = [(cell.get("cell_type"), cell.get("source", cell.get("input", ""))) for cell in cells]
    except (AttributeError, TypeError, KeyError) as wrong:
        raise Unreadable("is no notebook: it has no list of cells") from wrong
    lines: list[str] = []
    places: list[tuple[int, int]] = []
    for number, (kind, source) in enumerate(sources, start=1):
        if kind != "code":
            continue
        text = "".join(map(str, source)) if isinstance(source, list) else str(source)
        inner = _python(text.replace("\r\n", "\n").split("\n"))
        lines += inner
        places += [(number, line) for line in range(1, len(inner) + 1)]
    return "\n".join(lines) or "\n", places or [(1, 1)]


def _python(lines: list[str]) -> list[str]:
    """A cell without what only IPython understands, line for line; one that cannot be parsed counts as empty."""
    if any(OTHER_LANGUAGE.match(line) for line in lines[:1]):
        return [""] * len(lines)
    plain = [MAGIC.sub(r"\1pass", line) for line in lines]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse("\n".join(plain))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [""] * len(lines)
    return plain


def decoded(name: str) -> str:
    """The text of a script that could be read before."""
    return _decoded(Path(name).read_bytes())
