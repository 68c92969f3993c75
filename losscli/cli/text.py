"""What a terminal needs of text: no invisible signs, no padding, ASCII where there is no UTF-8."""

from __future__ import annotations

import re

from losscli.errors import visible as visible

BLANK_END = re.compile(r"(?<! ) +((?:\x1b\[[0-9;]*m)*)$", re.M)
NEIGHBOURS = str.maketrans("↑↓·→└─┤│╌━▁▂▃▄▅▆▇█▏▎▍▌▋▊▉", "^v|>+-||-=...::###...####")
EMPTY_CELL = 0x2800  # the braille cell without dots; its lower 8 bits are the dots
UPPER_DOTS = 0b00011011  # of a cell's 4 x 2 dots, those in its upper half


def in_ascii(text: str) -> str:
    r"""The same text for a terminal without UTF-8, each sign of ours as wide as before, and what is foreign escaped.

    >>> in_ascii("0.84 ± 0.02 ↑"), in_ascii("é")
    ('0.84 +-0.02 ^', '\\xe9')
    """
    if text.isascii():
        return text
    plain = "".join(map(_cell, text.replace("± ", "+-"))).translate(NEIGHBOURS)
    return plain.encode("ascii", "backslashreplace").decode()


def _cell(char: str) -> str:
    dots = ord(char) - EMPTY_CELL
    if not 0 <= dots <= 0xFF:
        return char
    upper, lower = dots & UPPER_DOTS, dots & ~UPPER_DOTS
    return ":" if upper and lower else "'" if upper else "." if lower else " "


def trimmed(text: str) -> str:
    r"""Lines without blanks at their ends; what sets colours stays.

    >>> trimmed("a  \nb \x1b[0m\n")
    'a\nb\x1b[0m\n'
    """
    return BLANK_END.sub(r"\1", text)
