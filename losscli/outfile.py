"""A file that a user asks for: whole or not there, and never over something else without being told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from losscli.errors import MachineError, SpecError, shown


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A draft beside `path` to write to, which takes its place at the end, and is gone if anything went wrong.

    Raises `MachineError` where the disk refuses.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with atomic(Path(folder) / "report.md") as draft:
    ...         _ = draft.write_text("# Report")
    ...     [each.name for each in Path(folder).iterdir()]
    ['report.md']
    """
    draft = path.with_name(path.name + ".part")
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        raise refusal(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


def free(path: Path, force: bool = False) -> None:
    """`SpecError` where something is there already, unless it may be replaced."""
    if path.exists() and not force:
        raise SpecError(f"{shown(path)} exists", cure="choose another name, or add --force")


def refusal(path: Path, error: OSError) -> MachineError:
    """What the user is told of a file that cannot be written."""
    return MachineError(f"{shown(path)} cannot be written: {error.strerror or error}", cure="choose another file")
