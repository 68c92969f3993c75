"""Strict YAML 1.2 with places: plain data, and for every key and value where it stands.

Built from the parser's events, one after the other, so that nothing in a file can be executed, expanded or recursed
into: anchors, aliases and tags are refused where they stand, and depth is limited before anything is built. Mistakes
that do not stop the parser are told together.

ruamel.yaml knows lines and columns as well. It was tried and left: it stops at the first mistake, resolves aliases and
merges, keeps tags, reads dates, `1_000` and `.nan`, recurses into brackets until Python gives up, and takes 15 times as long.

The text comes of a regular file of at most 1 MiB, UTF-8, printable. A plain scalar means what the core schema of YAML 1.2 says
(https://yaml.org/spec/1.2.2/#103-core-schema): 1.1, which PyYAML's own resolver follows, reads `1e-3` as text, `no` as false,
`010` as 8 and `1:30` as 90.
"""

from __future__ import annotations

import math
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from losscli.errors import Place, Problem, SpecError
from losscli.spec.document import Document, Keys, Spot
from losscli.spec.mistakes import dotted, shown

LARGEST = 1 << 20  # bytes

UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")  # how a UTF-16 file begins, either end first


def read_text(path: Path) -> str:
    """The text of a spec file without its byte order mark; `SpecError` with the place of the first bad byte."""
    content = _bytes(path)
    if content.startswith(WIDE_MARKS):
        raise SpecError("a spec must be UTF-8, and this is UTF-16", place=Place(str(path)), cure="save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as failed:
        before = content[: failed.start].decode("utf-8-sig")
        raise SpecError(
            f"a spec must be UTF-8, and byte {failed.start} (0x{content[failed.start]:02X}) is not",
            place=place_at(str(path), before, len(before)),
            cure="save it as UTF-8",
        ) from None
    return printable(text, str(path))


def printable(text: str, file: str, placed: bool = True) -> str:
    """The text itself, if it holds no control characters; `placed` says whether a line and column mean anything."""
    match = UNPRINTABLE.search(text)
    if match:
        code = ord(match.group())
        name = f"the character U+{code:04X}" if code else "a NUL byte"
        place = place_at(file, text, match.start()) if placed else Place(file)
        raise SpecError(f"a spec must be plain text, and this holds {name}", place=place, cure="remove it")
    return text


def place_at(file: str, text: str, at: int) -> Place:
    """The place of the character at index `at`."""
    lines = re.split("\r\n|\r|\n", text[:at])
    return Place(file, len(lines), len(lines[-1]) + 1)


def _bytes(path: Path) -> bytes:
    """The content, opened without waiting: opening a FIFO to read would wait for a writer, maybe for ever."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as failed:
        cure = "check the path; without a spec, try `losscli train --task binary`"
        raise SpecError(f"cannot read the spec: {failed.strerror}", place=Place(str(path)), cure=cure) from None
    except (OSError, ValueError) as failed:  # ValueError: a NUL in the path
        reason = getattr(failed, "strerror", None) or str(failed)
        cure = "give a file that can be read"
        raise SpecError(f"cannot read the spec: {reason}", place=Place(str(path)), cure=cure) from None
    try:
        _refuse_unless_file(os.fstat(handle).st_mode, path)
        with open(handle, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
    finally:
        os.close(handle)
    if len(content) > LARGEST:
        cure = "keep data in a CSV file, beside the spec"
        raise SpecError("a spec must be at most 1 MiB", place=Place(str(path)), cure=cure)
    return content


def _refuse_unless_file(mode: int, path: Path) -> None:
    if stat.S_ISREG(mode):
        return
    kind = "a directory" if stat.S_ISDIR(mode) else "a FIFO" if stat.S_ISFIFO(mode) else "a device"
    cure = f"name a file in it, such as {path}/*.yaml" if stat.S_ISDIR(mode) else "give a regular file"
    raise SpecError(f"cannot read the spec: it is {kind}", place=Place(str(path)), cure=cure)


Scalar = str | int | float | bool | None

LONGEST_INTEGER = 100  # digits; Python refuses more than 4300, and no key of a spec has a use for more than 20

WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
INTEGER = re.compile(r"[-+]?[0-9]+")
BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
UNDERSCORED = re.compile(r"[-+]?[0-9]+(?:_[0-9]+)+(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?")


class ScalarError(ValueError):
    """A plain scalar that losscli does not take; `cure` says what would work."""

    def __init__(self, message: str, cure: str):
        super().__init__(message)
        self.cure = cure


def resolve(text: str) -> Scalar:
    """The value of a plain (unquoted) scalar; `ScalarError` for numbers that are not finite, too long, or hold underscores.

    >>> [resolve(text) for text in ("1e-3", "no", "010", "1:30", "0x1F", "~", "2024-01-01")]
    [0.001, 'no', 10, '1:30', 31, None, '2024-01-01']
    """
    if text in WORDS:
        return WORDS[text]
    if text[0] not in "+-.0123456789":  # most scalars are words: spare them the patterns
        return text
    if INTEGER.fullmatch(text):
        return _integer(text, 10)
    if FLOAT.fullmatch(text):
        return _number(text)
    if BASED.fullmatch(text):
        return _integer(text, 0)
    if NOT_FINITE.fullmatch(text):
        raise ScalarError(f"expected a finite number, got {text}", "write a finite number")
    if UNDERSCORED.fullmatch(text):
        plain = text.replace("_", "")
        raise ScalarError(
            f"{text[:40]} is neither a number nor clearly text: YAML 1.2 numbers have no underscores",
            f"write {plain[:40]} for the number, or put it in quotes for the text",
        )
    return text


def _integer(text: str, base: int) -> int:
    if len(text) > LONGEST_INTEGER:
        raise ScalarError(
            f"expected a number of at most {LONGEST_INTEGER} digits, got one of {len(text)}",
            "write a shorter number, or put it in quotes for the text",
        )
    return int(text, base)


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ScalarError(
            f"expected a finite number, got {text[:40]}, which is too large", "the largest is about 1.8e308"
        )
    if value == 0 and re.match(r"[^eE]*[1-9]", text):
        raise ScalarError(
            f"expected a number, got {text[:40]}, which would be read as 0", "write 0, or at least 4.9e-324"
        )
    return value


DEEPEST = 32  # blocks and brackets within each other
MOST_PROBLEMS = 20

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where it is there, is about ten times as fast
TAB = re.compile(r"^ *(?=\t[ \t]*\S)", re.M)


def read_spec(path: Path) -> Document:
    """The mapping in a spec file; `SpecError` with all mistakes and their places."""
    document = Builder(str(path)).read(read_text(path))
    if isinstance(document.data, dict):
        return document
    place = document.spot(()).value
    if document.data is None:
        cure = "begin with two lines: `task: binary` and `loss: bce-logits`"
        raise SpecError("the spec is empty", place=place, cure=cure)
    cure = "begin with a key, such as `task: binary`"
    raise SpecError(f"a spec must be a mapping of keys to values, got {shown(document.data)}", place=place, cure=cure)


def read_value(text: str, flag: str) -> Any:
    """The value of a `--set`, by the same rules; its place is the flag.

    >>> read_value("[1e-3, no]", "--set x")
    [0.001, 'no']
    """
    if not text.strip():
        raise SpecError("a value is missing", place=Place(flag), cure="write null for no value")
    return Builder(flag, placed=False).read(printable(text, flag, placed=False)).data


@dataclass
class Frame:
    """A block that is being built: a list, or a mapping that waits for a key or for the value of `key`."""

    path: Keys
    into: dict[str, Any] | list[Any]
    key: str | None = None
    key_place: Place | None = None

    @property
    def waits_for_key(self) -> bool:
        return isinstance(self.into, dict) and self.key_place is None


@dataclass
class Builder:
    """Turns the events of one file into a document."""

    file: str
    placed: bool = True  # lines and columns mean something
    root: Any = None
    documents: int = 0
    stack: list[Frame] = field(default_factory=list)
    spots: dict[Keys, Spot] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    quoted: Any = None  # the last quoted text that went over several lines

    def read(self, text: str) -> Document:
        """The document in `text`, or one `SpecError` with all that is wrong."""
        self.spots[()] = Spot(Place(self.file), Place(self.file))
        for tab in TAB.finditer(text):
            place = place_at(self.file, text, tab.end()) if self.placed else Place(self.file)
            self._stop("tabs are not allowed as indentation", place, "indent with spaces")
        try:
            for event in yaml.parse(text, Loader=LOADER):
                self._take(event)
        except yaml.MarkedYAMLError as failed:
            self._stop(*self._syntax(failed))
        except yaml.YAMLError as failed:
            self._stop(f"this is not YAML: {shown(str(failed))}", Place(self.file))
        if self.problems:
            raise SpecError(self.problems)
        return Document(self.root, self.spots)

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
        elif isinstance(event, yaml.CollectionEndEvent):
            self.stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            self._refuse(f"aliases are not allowed: *{shown(event.anchor, bare=True)}", event, "write the value again")
            self._put(None, event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self._stop(self._second(event.start_mark.line), self._place(event), "keep each spec in its own file")
        if event.version not in (None, (1, 2)):
            self._stop("a spec must be YAML 1.2", self._place(event), "remove the %YAML line")

    def _second(self, line: int) -> str:
        return "a spec must be one document" + (f", the second begins at line {line + 1}" if self.placed else "")

    def _scalar(self, event: Any) -> None:
        self._refuse_notes(event)
        if event.style in ("'", '"') and event.end_mark.line > event.start_mark.line:
            self.quoted = event
        value: Any = event.value
        if event.style is None or event.style == "":
            try:
                value = resolve(event.value)
            except ScalarError as error:
                self._refuse(f"{self._here()}{error}", event, error.cure)
        self._put(value, event)

    def _open(self, event: Any, into: dict[str, Any] | list[Any]) -> None:
        self._refuse_notes(event)
        if len(self.stack) == DEEPEST:
            self._stop(f"a spec must be at most {DEEPEST} levels deep", self._place(event), "remove brackets")
        if self.stack and self.stack[-1].waits_for_key:
            self._stop("a key must be text, got a block", self._place(event), "write plain text before the colon")
        self.stack.append(Frame(self._put(into, event), into))

    def _put(self, value: Any, event: Any) -> Keys:
        """Put a value where the innermost block waits for one; its path."""
        place = self._place(event)
        if not self.stack:
            self.root = value
            self.spots[()] = Spot(place, place)
            return ()
        frame = self.stack[-1]
        if frame.waits_for_key:
            self._key(frame, value, place)
            return frame.path
        if isinstance(frame.into, list):
            frame.into.append(value)
            path: Keys = (*frame.path, len(frame.into) - 1)
            self.spots[path] = Spot(place, place)
            return path
        key, key_place = frame.key, frame.key_place
        frame.key = frame.key_place = None
        path = (*frame.path, key) if key is not None else frame.path
        if key is not None and key_place is not None:
            frame.into[key] = value
            self.spots[path] = Spot(key_place, place)
        return path

    def _key(self, frame: Frame, value: Any, place: Place) -> None:
        frame.key_place = place
        if frame.path and isinstance(value, (bool, int, float)):  # a label or a column, not the name of a section
            value = shown(value)
        if not isinstance(value, str):
            cure = f'put it in quotes: "{shown(value)}"' if value is not None else "write a name before the colon"
            self._refuse(f"a key must be text, got {shown(value)}", place, cure)
        elif value in frame.into:
            first = self.spots[(*frame.path, value)].key
            message = f"the key {shown(value)} is there twice"
            if first.line is not None:
                same = first.line == place.line
                message += f" in line {place.line}" if same else f", at lines {first.line} and {place.line}"
            self._refuse(message, place, "remove one of them")
        else:
            frame.key = value

    def _here(self) -> str:
        """The path of the value that is waited for, as `train.lr: `, to begin a message with."""
        if not self.stack or self.stack[-1].waits_for_key:
            return ""
        frame = self.stack[-1]
        names = [*frame.path, *([frame.key] if frame.key is not None else [])]
        return f"{dotted(tuple(names))}: " if names else ""

    def _refuse_notes(self, event: Any) -> None:
        if event.anchor is not None:
            self._refuse(f"anchors are not allowed: &{shown(event.anchor, bare=True)}", event, "remove it")
        if event.tag is not None:
            tag = shown(event.tag.replace("tag:yaml.org,2002:", "!!"), bare=True)
            self._refuse(f"tags are not allowed: {tag}", event, "remove it; only plain values are read")

    def _place(self, event: Any) -> Place:
        return self._at(event.start_mark)

    def _refuse(self, message: str, at: Any, cure: str | None = None) -> None:
        place = at if isinstance(at, Place) else self._place(at)
        self.problems.append(Problem(message, place, cure))
        if len(self.problems) >= MOST_PROBLEMS:
            raise SpecError(self.problems)

    def _stop(self, message: str, at: Place, cure: str | None = None) -> None:
        self._refuse(message, at, cure)
        raise SpecError(self.problems)

    def _syntax(self, failed: Any) -> tuple[str, Place, str | None]:
        """What the parser stumbled over: where a bracket or a quote was opened, if it is one that was not closed."""
        context, problem = failed.context or "", failed.problem or "this is not YAML"
        mark = failed.problem_mark or failed.context_mark
        if "quoted scalar" in context and "unexpected" in problem:
            return "this quote is never closed", self._at(failed.context_mark), "close it on the same line"
        if self.quoted is not None and (mark.line, mark.column) == _end(self.quoted):
            return "this quote is not closed on its line", self._at(self.quoted.start_mark), "close it on the same line"
        if "parsing a flow" in context:
            bracket, closing = ("[", "]") if "sequence" in context else ("{", "}")
            until = f" at {mark.line + 1}:{mark.column + 1}" if self.placed else ""
            message = f"this {bracket} is not closed: expected , or {closing}{until}"
            return message, self._at(failed.context_mark), f"add the {closing}"
        if "document start" in problem:
            return self._second(mark.line), self._at(mark), "keep each spec in its own file"
        cure = (
            "write a key, a colon, a space and a value: `task: binary`" if self.placed else "put text in double quotes"
        )
        return f"this is not YAML: {problem}", self._at(mark), cure

    def _at(self, mark: Any) -> Place:
        return Place(self.file, mark.line + 1, mark.column + 1) if self.placed else Place(self.file)


def _end(event: Any) -> tuple[int, int]:
    return event.end_mark.line, event.end_mark.column
