"""`--job-summary`: the answer as Markdown at the end of the summary of a GitHub workflow's job.

The file is named by GITHUB_STEP_SUMMARY; what steps before this one wrote stays
(https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from losscli.errors import MachineError, SpecError, shown

VARIABLE = "GITHUB_STEP_SUMMARY"
LIMIT = 1 << 20  # bytes of one step; GitHub shows nothing of a summary that is larger
APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def place() -> Path:
    """The file of the summary. `SpecError` outside of a workflow, so that nothing is trained in vain."""
    name = os.environ.get(VARIABLE)
    if not name:
        cure = f"a workflow of GitHub sets it; elsewhere: {VARIABLE}=summary.md losscli ..., or --format md"
        raise SpecError(f"--job-summary writes where {VARIABLE} says, and it is not set", cure=cure)
    return Path(name)


def append(text: str) -> None:
    """Put text at the end of the summary. Raises `MachineError` where it is no regular file, or the disk refuses."""
    path, data = place(), text.encode()
    if len(data) > LIMIT:
        data = data[: LIMIT - 100].decode(errors="ignore").encode() + b"\n\n... and more than a summary takes\n"
    try:
        descriptor = os.open(path, APPENDING, 0o666)
        with os.fdopen(descriptor, "ab") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise MachineError(f"{shown(path)} is no file", cure=f"let {VARIABLE} name one")
            file.write(data if data.endswith(b"\n") else data + b"\n")
    except OSError as error:
        raise MachineError(
            f"{shown(path)} cannot be written: {error.strerror}", cure=f"let {VARIABLE} name another file"
        ) from error
