"""A record as one file to send: a zip archive of exactly what its manifest vouches for."""

from __future__ import annotations

import zipfile
from pathlib import Path

from losscli.errors import MachineError, SpecError, shown
from losscli.record import MANIFEST, reader

STAMP = (1980, 1, 1, 0, 0, 0)  # the earliest that zip has: the same record gives the same bytes


def archive(folder: Path, path: Path, force: bool = False) -> None:
    """Write the record in `folder` to the zip file `path`. Raises `MachineError` where it is damaged or the disk refuses."""
    contents = reader.contents(folder)
    if path.exists() and not force:
        raise SpecError(f"{shown(path)} exists", cure="choose another file, or add --force")
    draft = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in sorted(contents, key=lambda name: (name == MANIFEST, name)):
                packed.writestr(zipfile.ZipInfo(f"{folder.name}/{name}", STAMP), contents[name], zipfile.ZIP_DEFLATED)
        draft.replace(path)
    except OSError as error:
        raise MachineError(
            f"{shown(path)} cannot be written: {error.strerror or error}", cure="choose another file"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
