"""How a small table of a tool's own is written: encoding, delimiter, decimal sign, header. Guessed from its beginning, and said.

For logs and scores, which tools write and nobody sets up by hand; a user's data are read strictly (`delimited.py`).
"""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass
from pathlib import Path

from losscli.data.opening import MAGIC
from losscli.errors import DataError, Place, shown

HEAD = 1 << 16  # bytes by which it is guessed
DELIMITERS = (",", ";", "\t", "|", " ")
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f"))  # that no text holds


@dataclass(frozen=True)
class Layout:
    """How a file is written: its encoding, its delimiter, its decimal sign, the line of its header, and the names there."""

    encoding: str
    delimiter: str
    comma: bool
    header: int  # lines before it
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def is_text(head: bytes) -> bool:
    r"""Whether a file that begins so is text: with a byte order mark, or without control characters.

    >>> is_text(b"epoch,loss\n"), is_text(b"\x89PNG\r\n\x1a\n")
    (True, False)
    """
    if head.startswith(tuple(MAGIC)):
        return False
    return head.startswith(tuple(MARKS)) or len(head.translate(None, CONTROLS)) == len(head)


def layout_of(path: Path, lone: str | None = None) -> Layout:
    """The layout of a text file; `lone` names the one column of a file without a header, where that is allowed.

    Raises `DataError` where several columns have no names.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        cut = len(head) == HEAD
    encoding = _encoding(head, cut)
    notes = ["the log is not UTF-8 and was read as latin-1"] if encoding == "latin-1" else []
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    lines = text.splitlines()[: -1 if cut else None] or [text]
    header = next(
        (at for at, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0
    )  # pandas' and Trackers' comments stand before it
    sample = [line for line in lines[header : header + 20] if line.strip()]
    delimiter = _delimiter(sample)
    if delimiter != ",":
        notes += [f"{shown(delimiter)} divides the columns"] if delimiter in sample[0] else []
    comma = delimiter != "," and bool(re.search(r"\d,\d", "".join(sample[1:])))
    names = [name.strip() for name in next(csv.reader([sample[0]], delimiter=delimiter))]
    if all(number_in(name) is not None for name in names):
        if len(names) > 1 or lone is None:
            raise DataError(
                f"the first line must name the columns, and is {shown(sample[0])}",
                place=Place(str(path), header + 1),
                cure="put a line such as epoch,train_loss,valid_loss before it",
            )
        header, names = header - 1, [lone]
        notes.append(f"the file has one column without a name, and was read as the {lone}")
    return Layout(encoding, delimiter, comma, header, tuple(names), tuple(notes))


def _encoding(head: bytes, cut: bool) -> str:
    """That of the byte order mark, else UTF-8, else latin-1, which numbers and commas do not care about."""
    marked = next((name for mark, name in MARKS.items() if head.startswith(mark)), None)
    if marked:
        return marked
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=not cut)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _delimiter(sample: list[str]) -> str:
    """The one that cuts the lines into equally many pieces, most of them."""

    def rank(delimiter: str) -> tuple[bool, int]:
        pieces = [len(next(csv.reader([line], delimiter=delimiter), [])) for line in sample]
        return pieces.count(pieces[0]) * 2 > len(pieces) and pieces[0] > 1, pieces[0] if delimiter != " " else 1

    return max(DELIMITERS, key=rank)


def number_in(text: str) -> float | None:
    """The number in a field, percents and decimal commas too; None where there is none.

    >>> number_in("0,5"), number_in("53 %"), number_in("-inf"), number_in("abc")
    (0.5, 0.53, -inf, None)
    """
    plain = text.strip().lower().removesuffix("%").strip()
    scale = 0.01 if text.strip().endswith("%") else 1.0
    try:
        return float(plain.replace(",", ".") if plain.count(",") == 1 else plain) * scale if "_" not in plain else None
    except ValueError:
        return None
