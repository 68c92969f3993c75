"""A record as one file to send: a zip archive of exactly what its manifest vouches for."""

from __future__ import annotations

import zipfile
from pathlib import Path

from losscli.outfile import atomic, free
from losscli.record import MANIFEST, reader

STAMP = (1980, 1, 1, 0, 0, 0)  # the earliest that zip has: the same record gives the same bytes


def archive(folder: Path, path: Path, force: bool = False) -> None:
    """Write the record in `folder` to the zip file `path`. Raises `MachineError` where it is damaged or the disk refuses."""
    contents = reader.contents(folder)
    free(path, force)
    with atomic(path) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(contents, key=lambda name: (name == MANIFEST, name)):
            packed.writestr(zipfile.ZipInfo(f"{folder.name}/{name}", STAMP), contents[name], zipfile.ZIP_DEFLATED)
