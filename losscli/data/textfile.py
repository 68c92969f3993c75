"""A user's text file as UTF-8 bytes with plain newlines, or an error that says which byte is in the way.

A file that is not text is refused here: no decompression, no guessing of encodings, no waiting for a pipe.
"""

from __future__ import annotations

import codecs
import stat
from pathlib import Path

from losscli.errors import DataError, Place, shown

MAGIC = {  # how files begin that are data, but not text
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip (or an Excel workbook)",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"\x93NUMPY": "NumPy",
    b"\x89HDF": "HDF5",
    b"SQLite format 3": "SQLite",
    b"\x80\x02": "pickle",
    b"\x80\x03": "pickle",
    b"\x80\x04": "pickle",
    b"\x80\x05": "pickle",
    b"%PDF": "PDF",
}


def read_text(path: Path, name: str, encoding: str) -> bytes:
    r"""The file's text as UTF-8 without a byte order mark, lines ended by `\n` or `\r\n`.

    `name` is what messages call the file. Raises `DataError` where there is no such regular file, where it is not text
    in that encoding (with the byte's offset), or where it is empty.
    """
    data = _bytes_of(path, name)
    for start, kind in MAGIC.items():
        if data.startswith(start):
            raise DataError(
                f"the format is not supported: the file is {kind}, and must be plain text",
                place=Place(name),
                cure="export the table as CSV",
            )
    text = _utf8(data, name, encoding)
    _refuse_controls(text, name)
    if not text or text.isspace():
        raise DataError("the file is empty", place=Place(name))
    if text.count(b"\r") != text.count(b"\r\n"):  # old Macintosh line ends, alone or among others
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text


def _bytes_of(path: Path, name: str) -> bytes:
    place = Place(name)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DataError("the path must be a file, and is a folder", place=place)
        if not stat.S_ISREG(mode):  # reading a pipe or a device may never end
            raise DataError("the path must be a regular file, and is a pipe or a device", place=place)
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError("there is no such file", place=place, cure=_beside(path)) from None
    except (OSError, ValueError) as failed:  # ValueError: a NUL in the path
        reason = failed.strerror if isinstance(failed, OSError) and failed.strerror else str(failed)
        raise DataError(f"the file cannot be read: {reason}", place=place) from None


def _beside(path: Path) -> str | None:
    from losscli.errors import nearest

    try:
        close = nearest(path.name, [each.name for each in path.parent.iterdir()])
    except OSError:
        return f"there is no folder {shown(path.parent)}: a relative path is relative to the spec's folder"
    return f"did you mean {shown(close)}?" if close else "a relative path is relative to the spec's folder"


def _utf8(data: bytes, name: str, encoding: str) -> bytes:
    utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")
    if utf8 and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError("the file is UTF-16, and must be UTF-8", place=Place(name), cure="set data.encoding: utf-16")
    if not (utf8 and data.isascii()):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as failed:
            raise _undecodable(failed, name, encoding) from None
        data = data if utf8 else text.encode()
    return data.removeprefix(codecs.BOM_UTF8)


def _undecodable(failed: UnicodeDecodeError, name: str, encoding: str) -> DataError:
    byte = failed.object[failed.start]
    return DataError(
        f"the file must be {encoding}, and byte {byte:#04x} at offset {failed.start} is not",
        place=Place(name, _line_of(failed.object, failed.start)),
        cure="set data.encoding to the file's own, such as latin-1, cp1252 or utf-16",
    )


def _refuse_controls(text: bytes, name: str) -> None:
    found = text.find(b"\0")
    if found >= 0:
        wide = text[:200].count(0) * 3 > len(text[:200])
        raise DataError(
            f"the file must be text, and has a NUL byte at offset {found}",
            place=Place(name, _line_of(text, found)),
            cure="set data.encoding: utf-16-le or utf-16-be" if wide else "take it out, or export the table again",
        )
    found = text.find(b"\x1a")
    if found >= 0:
        raise DataError(
            f"the file must be text, and has a Ctrl-Z (0x1a) at offset {found}",
            place=Place(name, _line_of(text, found)),
            cure="take it out, or export the table again",
        )


def _line_of(data: bytes, offset: int) -> int:
    return len((data[:offset] + b".").splitlines())
