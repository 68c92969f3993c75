r"""A user's text file as UTF-8 bytes with plain newlines, piece by piece, or an error that says which byte is in the way.

A file that is not text is refused here: no decompression, no guessing of encodings, no waiting for a pipe. Pieces keep
the memory that a large file needs small; where one ends means nothing.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from losscli.data.files import FileState
from losscli.data.opening import MAGIC, opened
from losscli.errors import DataError, Place, setting

PIECE = 1 << 22  # bytes read at a time: larger ones are copied through memory that the cache has lost


def read_pieces(path: Path, name: str, encoding: str, state: FileState) -> Iterator[tuple[bytes, bool]]:
    r"""The file's text as UTF-8 without a byte order mark, lines ended by `\n` or `\r\n`, and whether it is the last piece.

    `name` is what messages call the file. Raises `DataError` where there is no such regular file, where it is not text
    in that encoding (with the byte's offset), or where it is empty.
    """
    with opened(path, name) as file:
        decoder = _Decoder(path, name, encoding)
        blank, tail = True, b""
        piece = file.read(PIECE)
        _refuse_other_formats(piece, name)
        while True:
            following = file.read(PIECE)
            state.saw(name, piece)
            text = tail + decoder.utf8(piece, last=not following)
            tail = b"\r" if following and text.endswith(b"\r") else b""  # its newline may begin the next piece
            text = text[: len(text) - len(tail)]
            blank = blank and (not text or text.isspace())
            if blank and not following:
                raise DataError(
                    "the file is empty", place=Place(name), cure="export the table again, or name another file"
                )
            if b"\r" in text and text.count(b"\r") != text.count(
                b"\r\n"
            ):  # old Macintosh line ends, alone or among others
                text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            yield text, not following
            if not following:
                return
            piece = following


def _refuse_other_formats(data: bytes, name: str) -> None:
    for start, kind in MAGIC.items():
        if data.startswith(start):
            cure = f"set {setting('source', 'parquet')}" if kind == "Parquet" else "export the table as CSV"
            message = f"the format is not supported: the file is {kind}, and must be plain text"
            raise DataError(message, place=Place(name), cure=cure)


def _wide(data: bytes) -> int | None:
    """16 or 32 where a byte order mark of that width begins the data; that of 32 begins as the other does."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return 32
    return 16 if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


class _Decoder:
    """Turns pieces of a file into UTF-8, and knows at which offset it is."""

    def __init__(self, path: Path, name: str, encoding: str):
        self.path, self.name, self.encoding = path, name, encoding
        self.is_utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")
        self.decoder = codecs.getincrementaldecoder(encoding)()
        self.offset, self.written = 0, 0  # bytes read, UTF-8 bytes given out

    def utf8(self, data: bytes, *, last: bool) -> bytes:
        first = self.offset == 0
        width = _wide(data) if first and self.is_utf8 else None
        if width:
            cure = f"set {setting('encoding', f'utf-{width}')}"
            raise DataError(f"the file is UTF-{width}, and must be UTF-8", place=Place(self.name), cure=cure)
        waiting = self.decoder.getstate()[0]
        text = data
        if waiting or not (self.is_utf8 and data.isascii()):
            try:
                text = self.decoder.decode(data, final=last).encode()
            except UnicodeDecodeError as failed:
                raise self._undecodable(failed, self.offset - len(waiting) + failed.start) from None
            except UnicodeEncodeError as failed:  # half a surrogate pair, which some decoders let through
                message = f"the file must be {self.encoding}, and has half a character in it ({failed.reason})"
                raise DataError(message, place=Place(self.name, self._line_of(self.offset))) from None
        text = text.removeprefix(codecs.BOM_UTF8) if first else text
        self._refuse_controls(text)
        self.offset += len(data)
        self.written += len(text)
        return text

    def _undecodable(self, failed: UnicodeDecodeError, offset: int) -> DataError:
        byte = failed.object[failed.start]
        return DataError(
            f"the file must be {self.encoding}, and byte {byte:#04x} at offset {offset} is not",
            place=Place(self.name, self._line_of(offset)),
            cure=f"set {setting('encoding', 'latin-1')}, or whatever the file has: cp1252, utf-16 ...",
        )

    def _refuse_controls(self, text: bytes) -> None:
        for byte, what in ((b"\0", "NUL byte"), (b"\x1a", "Ctrl-Z (0x1a)")):
            position = text.find(byte)
            if position < 0:
                continue
            wide = byte == b"\0" and text[:200].count(0) * 3 > len(text[:200])
            raise DataError(
                f"the file must be text, and has a {what} at offset {self.written + position}",
                place=Place(self.name, self._line_of(self.offset, text[:position])),
                cure=f"set {setting('encoding', 'utf-16-le')} or utf-16-be"
                if wide
                else "take it out, or export the table again",
            )

    def _line_of(self, offset: int, more: bytes = b"") -> int:
        """The line of what comes after the first `offset` bytes of the file and `more`. Counted when it is asked for."""
        with self.path.open("rb") as file:
            return len((file.read(offset) + more + b".").splitlines())
