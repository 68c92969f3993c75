"""What a plain scalar means in the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema).

YAML 1.1, which PyYAML's own resolver follows, reads `1e-3` as text, `no` as false, `010` as 8 and `1:30` as 90.
"""

from __future__ import annotations

import math
import re

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
    return value
