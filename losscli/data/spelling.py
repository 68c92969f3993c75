"""Which texts of a column are one value: 1 and 1.0 where all are numbers, True and yes where all are true or false."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Literal

from losscli.data.delimited import NUMBER

Spelling = Literal["text", "number", "boolean"]
FALSE, TRUE = ("false", "no", "n", "f", "0", "0.0"), ("true", "yes", "y", "t", "1", "1.0")
WORDS = {"true", "false", "yes", "no", "0", "0.0", "1", "1.0"}
VOCABULARIES = (WORDS | {"y", "n"}, WORDS | {"t", "f"})  # n and f in one column are two things
PADDED = r"^[+-]?0\d"  # 007 is a name, and not 7


def spelling_of(texts: Sequence[str]) -> Spelling:
    """How the different texts of a whole column are to be read.

    >>> spelling_of(["TRUE", "false"]), spelling_of(["1", "2.0"]), spelling_of(["007", "7"]), spelling_of(["1.1", "2.0.1"])
    ('boolean', 'number', 'text', 'text')
    """
    if 0 < len(texts) <= len(WORDS) * len(VOCABULARIES) * 2:
        folded = {text.casefold() for text in texts}
        if any(folded <= words for words in VOCABULARIES):
            return "boolean"
    plain = texts and all(re.match(NUMBER, text) and not re.match(PADDED, text) for text in texts)
    return "number" if plain else "text"


def meaning_of(text: str, spelling: Spelling) -> Hashable:
    """What is the same for all spellings of a value; for a boolean True and False themselves.

    Characters that can be composed in several ways (Unicode's normal form NFC) are the same text.

    >>> meaning_of("1.50", "number") == meaning_of("1.5", "number"), meaning_of("Yes", "boolean")
    (True, True)
    """
    number = _number(text) if spelling != "text" else None
    if spelling == "boolean":
        word = text.casefold() if number is None else str(int(number)) if number in (0, 1) else ""
        if word in (*FALSE, *TRUE):
            return word in TRUE
    return unicodedata.normalize("NFC", text) if number is None else number


def _number(text: str) -> Decimal | None:
    """The number that a text is; None of one whose exponent is beyond what `decimal` counts, as 1e99999999999999999999 is."""
    try:
        return Decimal(text) if re.match(NUMBER, text) else None
    except InvalidOperation:
        return None


def alike(texts: Sequence[str], spelling: Spelling) -> list[list[int]]:
    """The places of the texts, those of one value together.

    >>> alike(["1", "2", "1.0"], "number")
    [[0, 2], [1]]
    """
    groups: dict[Hashable, list[int]] = {}
    for place, text in enumerate(texts):
        groups.setdefault(meaning_of(text, spelling), []).append(place)
    return list(groups.values())
