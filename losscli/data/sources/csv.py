"""Tables in delimited text files, read strictly: every row as long as the header, every value of its column's kind."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from losscli.data.delimited import blocks, header_of
from losscli.data.files import File, FileState
from losscli.data.gather import Form, RawColumns, gather
from losscli.data.infer import ColumnOptions
from losscli.data.sources import source
from losscli.data.tabular import Dialect, Tabular
from losscli.data.textfile import read_pieces
from losscli.errors import shown

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = ("", "NA", "N/A", "#N/A", "n/a", "nan", "NaN", "NAN", "null", "NULL", "None", "<NA>")
TABBED = (".tsv", ".tab")


@source("csv")
class Csv(Tabular):
    """Delimited text. `delimiter` is a comma, or a tab where the file ends in .tsv, unless the spec says otherwise.

    `decimal` is the decimal mark (in quotes where it divides fields, too), `thousands` what groups digits (a blank
    stands for every kind of it). `encoding` is that of the text, utf-8 or latin-1 for example. `header` is whether the first
    row names the columns (null: it has to); `header: false` calls the columns x1, x2 ...
    """

    source: Literal["csv"] = "csv"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'", "_"] | None = None
    encoding: str = "utf-8"
    header: bool | None = None
    missing: list[str] = Field(default_factory=lambda: list(MISSING))

    endings: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".tab", ".txt")
    loose_endings: ClassVar[tuple[str, ...]] = (".txt",)

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
            codecs.lookup(encoding)
        except (LookupError, ValueError):
            raise ValueError(f"there is no text encoding called {shown(encoding)}: try utf-8 or latin-1") from None
        return encoding

    @field_validator("delimiter")
    @classmethod
    def _divides(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (not delimiter.isascii() or delimiter in '"\r\n\0'):
            raise ValueError(f"delimiter must be one ASCII character that is no quote or line end, got {delimiter!r}")
        return delimiter

    @model_validator(mode="after")
    def _groups_by_another_mark_than_the_decimal(self) -> Csv:
        if self.thousands == self.decimal:
            raise ValueError(f"thousands and decimal are both {self.decimal!r}: set data.decimal, too")
        return self

    def delimiter_of(self, path: str) -> str:
        """What divides the fields of the file: as the spec says, or as the file's name tells."""
        return self.delimiter or ("\t" if Path(path).suffix.casefold() in TABBED else ",")

    @classmethod
    def keys_of(cls, path: str) -> dict[str, Any]:
        tabbed = Path(path).suffix.casefold() in TABBED
        return {"path": path, "delimiter": "\t"} if tabbed else {"path": path}

    def gathered(self, files: Sequence[File], left_out: set[str], as_text: set[str], state: FileState) -> RawColumns:
        form = Form(self.delimiter_of(files[0].name), self.decimal, self.encoding, self.header, tuple(self.missing))
        return gather(files, form, left_out, as_text, state)

    def headings(self, file: File) -> tuple[str, ...]:
        delimiter = self.delimiter_of(file.name)
        pieces = read_pieces(file.path, file.name, self.encoding, FileState())
        first = next(block for block in blocks(pieces, file.name, delimiter) if len(block.lines))
        return header_of(first, file.name, delimiter, self.header)

    def column_options(self, name: str, rows: int) -> ColumnOptions:
        return replace(super().column_options(name, rows), decimal=self.decimal, thousands=self.thousands)

    def dialect(self) -> Dialect:
        return Dialect(self.delimiter_of(self.paths[0]), self.decimal, tuple(self.missing))

    def as_written(self, files: Sequence[File]) -> pa.Table:
        import pyarrow as pa

        verbatim = self.model_copy(update={"missing": []})  # "NA" is what is written there
        names = self.headings(files[0])
        columns = verbatim.gathered(files, set(), set(names), FileState()).columns
        texts: dict[str, Any] = {name: columns[name].texts for name in names}  # all were asked for as text
        return pa.table({name: column.cast(pa.string()) for name, column in texts.items()})
