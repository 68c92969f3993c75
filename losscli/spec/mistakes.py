"""Mistakes in words, each with its place: how a value is shown; what pydantic found, told as what must hold, what was given,
and a cure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from losscli.errors import Place, Problem, SpecError, choose_from, likely
from losscli.errors import shown as quoted
from losscli.spec.document import Document, Keys, Spot

if TYPE_CHECKING:  # a file is read without pydantic
    from pydantic import BaseModel, ValidationError

    from losscli.options import Strict

Block = TypeVar("Block", bound="Strict")
MOST_PROBLEMS = 50
LONGEST = 80  # characters of anything foreign
MOST_UNKNOWN = 20  # unknown keys of one block that are told one by one

TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a block of keys",
    "model_type": "a block of keys",
    "model_attributes_type": "a block of keys",
    "none_required": "null",
}
LIMITS = {
    "greater_than": "> {gt}",
    "greater_than_equal": ">= {ge}",
    "less_than": "< {lt}",
    "less_than_equal": "<= {le}",
    "finite_number": "a finite number",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
}
YES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
ONLY_NAMES = ("_target_", "class_path", "__class__")  # how other programs name code in a file


def shown(value: Any, bare: bool = False) -> str:
    """A value as a message shows it: at most 80 characters, control characters visible; `bare` leaves the quotes out.

    >>> shown("no"), shown(True), shown(None), shown([1, 2])
    ("'no'", 'true', 'null', '[1, 2]')
    >>> shown("a\\x1b[1m", bare=True)
    'a\\\\x1b[1m'
    """
    if isinstance(value, str):
        return repr(value[:LONGEST])[1:-1] + "…" * (len(value) > LONGEST) if bare else quoted(value)
    if isinstance(value, Mapping):
        return "a block of keys"
    if isinstance(value, Sequence):
        inside = [shown(item) for item in value[:8]]
        return _cut(f"[{', '.join(inside)}{', ...' if len(value) > 8 else ''}]")
    return quoted(value)


def given(value: Any) -> str:
    """A value with its kind, where the kind is the mistake."""
    return f"the text {shown(value)}" if isinstance(value, str) else shown(value)


def dotted(path: Keys) -> str:
    """A path as users write it.

    >>> dotted(("loss", 0, "gamma"))
    'loss.0.gamma'
    """
    return ".".join(shown(part, bare=True) for part in path)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def unknown_keys(
    keys: Sequence[str],
    allowed: Sequence[str],
    title: str,
    places: Mapping[str, Place],
    inner: Mapping[str, str] = MappingProxyType({}),
) -> list[Problem]:
    """One problem for each unknown key of a block, the first of them one by one; `title` begins the message.

    `inner` holds the keys of the blocks within this one, with their path.
    """
    problems = [
        Problem(f"{title}unknown key {shown(key)}", places[key], _unknown_cure(key, allowed, inner))
        for key in keys[:MOST_UNKNOWN]
    ]
    if len(keys) > MOST_UNKNOWN:
        rest = f"{title}and {len(keys) - MOST_UNKNOWN} more unknown keys"
        problems.append(Problem(rest, places[keys[MOST_UNKNOWN]], "there are: " + ", ".join(allowed)))
    return problems


def _unknown_cure(key: str, allowed: Sequence[str], inner: Mapping[str, str]) -> str:
    if key in ONLY_NAMES:
        return "only registered names are looked up; nothing in a spec is imported or executed"
    if not likely(key, allowed) and (close := likely(key, inner)):
        return f"did you mean {' or '.join(inner[name] for name in close)}? There are: {', '.join(allowed)}"
    return choose_from(key, allowed)


def problems_in(
    wrong: ValidationError, kind: type[BaseModel], block: Any, path: Keys, spot: Callable[[Keys], Spot]
) -> list[Problem]:
    """What pydantic found in a block at `path`: one problem per value, and unknown keys with those that there are."""
    unknown: dict[Keys, list[str]] = {}
    values: dict[Keys, list[Mapping[str, Any]]] = {}
    problems = []
    for error in wrong.errors(include_input=False, include_url=False):
        *above, last = error["loc"] or ("",)
        if error["type"] == "extra_forbidden":
            unknown.setdefault(_inside(block, above)[0], []).append(str(last))
        elif error["type"] == "missing":
            place = (*path, *_inside(block, above)[0])
            problems.append(Problem(f"{dotted(place)}: {last} is missing", spot(place).key, f"add {last}"))
        else:
            values.setdefault(_inside(block, error["loc"])[0], []).append(error)
    for inner, errors in values.items():
        if any(deeper[: len(inner)] == inner and deeper != inner for deeper in values):
            continue  # a list as a member of a union: what is wrong in it is told, so it was the right member
        value_path = (*path, *inner)
        problems.append(_problem(errors, _inside(block, inner)[1], dotted(value_path), spot(value_path).value))
    for inner, keys in unknown.items():
        block_path = (*path, *inner)
        places = {key: spot((*block_path, key)).key for key in keys}
        problems += unknown_keys(keys, _keys_of(kind, inner), f"{dotted(block_path)}: " if block_path else "", places)
    return problems


def _inside(block: Any, loc: Sequence[str | int]) -> tuple[Keys, Any]:
    """The path that pydantic's `loc` means, and the value there; `loc` also names members of unions: no keys."""
    path: list[str | int] = []
    for part in loc:
        if isinstance(block, Mapping) and part in block:
            block = block[str(part)]
        elif isinstance(block, list) and isinstance(part, int):
            block = block[part]
        else:
            continue
        path.append(part)
    return tuple(path), block


def _keys_of(kind: Any, path: Keys) -> list[str]:
    """The keys that the block at `path` may have."""
    for key in path:
        kind = kind.model_fields[key].annotation
    return list(kind.model_fields)


def _problem(errors: Sequence[Mapping[str, Any]], value: Any, title: str, place: Place) -> Problem:
    """One problem of all that pydantic says of one value: more than one where the field is a union."""
    limits = [error for error in errors if error["type"] not in TYPES and error["type"] != "literal_error"]
    title = f"{title}: " if title else ""
    if limits:  # the kind is right for one member of the union: what that one says is what helps
        return Problem(title + _limit(limits[0], value), place, _cure(limits[:1], value))
    expected = list(dict.fromkeys(_kind(error) for error in errors))
    return Problem(f"{title}expected {' or '.join(expected)}, got {given(value)}", place, _cure(errors, value))


def _kind(error: Mapping[str, Any]) -> str:
    if error["type"] == "literal_error":
        return str(error["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
    return TYPES[error["type"]]


def _limit(error: Mapping[str, Any], value: Any) -> str:
    pattern = LIMITS.get(error["type"])
    if pattern is None:  # a validator's own words
        return re.sub(r"^(Value|Assertion) error, ", "", str(error["msg"]))
    limits = {name: f"{limit:.15g}" for name, limit in error.get("ctx", {}).items() if isinstance(limit, (int, float))}
    return f"expected {pattern.format(**limits)}, got {shown(value)}"  # > 0, not > 0.0


def _cure(errors: Sequence[Mapping[str, Any]], value: Any) -> str | None:
    types = {error["type"] for error in errors}
    text = value if isinstance(value, str) else ""
    if "bool_type" in types and text.casefold() in YES:
        return f"write {YES[text.casefold()]}"
    if types & {"int_type", "float_type"} and re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", text[:LONGEST]):
        return f"write it without quotes: {text[:LONGEST]}"
    if types & {"int_type", "int_from_float"} and isinstance(value, float) and value.is_integer():
        return f"write {int(value)}"
    if "string_type" in types and isinstance(value, (bool, int, float)):
        return f'put it in quotes: "{shown(value)}"'
    if types == {"list_type"} and not isinstance(value, (Mapping, list)) and value is not None:
        return f"write [{shown(value, bare=True)}]"
    if "literal_error" in types and text:
        expected = " ".join(error["ctx"]["expected"] for error in errors if error["type"] == "literal_error")
        return choose_from(text, re.findall(r"'([^']*)'", expected))
    return None


@dataclass
class Examination:
    """A document as it is examined, and what is wrong with it."""

    document: Document
    problems: list[Problem]

    def _tell(self, message: str, path: Keys, cure: str | None = None, of_key: bool = False) -> None:
        spot = self.document.spot(path)
        self._add([Problem(message, spot.key if of_key else spot.value, cure)])

    def _add(self, problems: Sequence[Problem]) -> None:
        """Keep problems; a file that is wrong everywhere is not read to its end."""
        self.problems += problems
        if len(self.problems) > MOST_PROBLEMS:
            cure = f"mend these {MOST_PROBLEMS} first"
            more = Problem("there are more mistakes", self.document.spot(()).value, cure)
            raise SpecError([*sorted(self.problems[:MOST_PROBLEMS], key=in_order), more])

    def _placed(self, problem: Problem, path: Keys, of_key: bool = False) -> Problem:
        spot = self.document.spot(path)
        return Problem(problem.message, spot.key if of_key else spot.value, problem.cure)

    def _block(self, kind: type[Block], block: Any, path: Keys) -> Block | None:
        """A block as its class reads it; all that pydantic finds is told in our words."""
        from pydantic import ValidationError  # flags are read without it

        try:
            return kind.model_validate(block)
        except ValidationError as wrong:
            self._add(problems_in(wrong, kind, block, path, self.document.spot))
            return None

    def _refuse_twice(self, items: list[Any], section: str) -> None:
        earlier = set()
        for index, item in enumerate(items):
            if shown(item) in earlier:
                self._tell(f"{section}: {shown(item)} is there twice", (section, index), "give each once")
            earlier.add(shown(item))


def in_order(problem: Problem) -> tuple[bool, int, int]:
    """Flags first, then the order of the file."""
    place = problem.place or Place("")
    return place.line is not None, place.line or 0, place.column or 0
