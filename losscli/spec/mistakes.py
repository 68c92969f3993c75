"""Mistakes in words: how a value is shown, and what pydantic found, told as what must hold, what was given and a cure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from losscli.errors import Place, Problem, choose_from

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
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        text = repr(value[: LONGEST + 1])
        return _cut(text[1:-1] if bare else text)
    if isinstance(value, Mapping):
        return "a block of keys"
    if isinstance(value, Sequence):
        inside = [shown(item) for item in value[:8]]
        return _cut(f"[{', '.join(inside)}{', ...' if len(value) > 8 else ''}]")
    return _cut(repr(value))


def given(value: Any) -> str:
    """A value with its kind, where the kind is the mistake."""
    return f"the text {shown(value)}" if isinstance(value, str) else shown(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def unknown_keys(found: Sequence[str], known: Sequence[str], title: str, places: Mapping[str, Place]) -> list[Problem]:
    """One problem for each unknown key of a block, the first of them one by one; `title` begins the message."""
    problems = [
        Problem(f"{title}unknown key {shown(key)}", places[key], _unknown_cure(key, known)) for key in found[:MOST_UNKNOWN]
    ]
    if len(found) > MOST_UNKNOWN:
        rest = f"{title}and {len(found) - MOST_UNKNOWN} more unknown keys"
        problems.append(Problem(rest, places[found[MOST_UNKNOWN]], "there are: " + ", ".join(known)))
    return problems


def _unknown_cure(key: str, known: Sequence[str]) -> str:
    if key in ONLY_NAMES:
        return "only registered names are looked up; nothing in a spec is imported or executed"
    return choose_from(key, known)


def problem_of(errors: Sequence[Mapping[str, Any]], value: Any, title: str, place: Place) -> Problem:
    """One problem of all that pydantic says of one value: more than one where the field is a union."""
    limits = [error for error in errors if error["type"] not in TYPES and error["type"] != "literal_error"]
    if limits:  # the kind is right for one member of the union: what that one says is what helps
        return Problem(f"{title}: {_limit(limits[0], value)}", place, _cure(limits[:1], value))
    expected = list(dict.fromkeys(_kind(error) for error in errors))
    return Problem(f"{title}: expected {' or '.join(expected)}, got {given(value)}", place, _cure(errors, value))


def _kind(error: Mapping[str, Any]) -> str:
    if error["type"] == "literal_error":
        return str(error["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
    return TYPES[error["type"]]


def _limit(error: Mapping[str, Any], value: Any) -> str:
    pattern = LIMITS.get(error["type"])
    if pattern is None:
        return re.sub(r"^(Value|Assertion) error, ", "", str(error["msg"]))
    return f"expected {pattern.format(**error.get('ctx', {}))}, got {shown(value)}"


def _cure(errors: Sequence[Mapping[str, Any]], value: Any) -> str | None:
    types = {error["type"] for error in errors}
    text = value if isinstance(value, str) else ""
    if "bool_type" in types and text.casefold() in YES:
        return f"write {YES[text.casefold()]}"
    if types & {"int_type", "float_type"} and re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", text[:LONGEST]):
        return f"write it without quotes: {text[:LONGEST]}"
    if "int_from_float" in types and isinstance(value, float) and value.is_integer():
        return f"write {int(value)}"
    if "string_type" in types and isinstance(value, (bool, int, float)):
        return f'put it in quotes: "{shown(value)}"'
    if "list_type" in types and not isinstance(value, (Mapping, list)) and value is not None:
        return f"write [{shown(value, bare=True)}]"
    if "literal_error" in types and text:
        expected = next(error["ctx"]["expected"] for error in errors if error["type"] == "literal_error")
        return choose_from(text, re.findall(r"'([^']*)'", expected))
    return None
