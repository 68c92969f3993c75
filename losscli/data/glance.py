"""What the bytes of a block might hold, told at a glance: a yes is a reason to look at the fields, a no is sure."""

from __future__ import annotations

import re

import numpy as np

from losscli.data.delimited import Block

# The least number that is not 0 is 4.9e-324: to be below it takes so far an exponent, or so many zeros, be it both together.
SMALL = r"[eE]-0{0,9}(1[4-9]\d|[2-9]\d\d|\d{4})"
ZEROS = 140
TINY = f"{SMALL}|0{{{ZEROS}}}"  # for RE2, which looks at each character once


def hexadecimal(block: Block) -> bool:
    """Whether a field might be a hexadecimal number."""
    return b"x" in block.body or b"X" in block.body


def near_zero(block: Block) -> bool:
    """Whether a field might be a number so close to 0 that a double has no place for it, as 1e-400 is."""
    return b"0" * ZEROS in block.body or re.search(SMALL.encode(), block.body) is not None


def blanks(block: Block, delimiter: str) -> bool:
    """Whether a field of the block might begin or end with a blank."""
    if b" " not in block.body:  # the quick answer for plain numbers
        return False
    marks = (delimiter.encode(), b"\n", b'"')
    return any(mark + b" " in block.body or b" " + mark in block.body for mark in marks) or b" \r" in block.body


def leading_zeros(block: Block, delimiter: str) -> bool:
    """Whether any field of the block might begin with a zero and another digit."""
    view = np.frombuffer(block.body, dtype=np.uint8)
    step = 1 << 18
    for start in range(0, len(view), step):
        part = view[max(start - 2, 0) : start + step]
        digit = (part[2:] - np.uint8(ord("0"))) < 10  # wraps below zero
        edge = part[:-2] < ord("-")  # a comma, blank, quote, sign, tab or newline
        if ord(delimiter) >= ord("-"):
            edge |= part[:-2] == ord(delimiter)
        if ((part[1:-1] == ord("0")) & digit & edge).any():
            return True
    return len(view) > 1 and block.body[:1] == b"0" and block.body[1:2].isdigit()
