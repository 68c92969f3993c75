"""Names of runs become folders, so they must be safe as a path on every system and as an argument of every command."""

from __future__ import annotations

import re
from typing import Any

from losscli.spec.mistakes import given

LONGEST_NAME = 64  # bytes: an id is added, and folders end at 255
SAFE = re.compile(r"\w[\w.\-]*(?<!\.)")
RESERVED = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")  # devices of Windows


def refuse_name(name: Any) -> str | None:
    """Why this cannot be a name, if so.

    >>> refuse_name("titanic-2") is None
    True
    >>> refuse_name("../x")
    "expected letters, digits, '.', '_' and '-', beginning with a letter or digit, got the text '../x'"
    """
    if not isinstance(name, str) or not SAFE.fullmatch(name):
        return f"expected letters, digits, '.', '_' and '-', beginning with a letter or digit, got {given(name)}"
    if len(name.encode()) > LONGEST_NAME:
        return f"expected at most {LONGEST_NAME} bytes, got {len(name.encode())}"
    if RESERVED.fullmatch(name):
        return f"expected a name that is no device on Windows, got {given(name)}"
    return None


def safe_name(text: str) -> str:
    """A name made of any text.

    >>> safe_name("my data (2)"), safe_name("../.."), safe_name("con")
    ('my-data-2', 'run', 'run-con')
    """
    name = re.sub(r"[^\w.]+", "-", text[:1000]).strip("-._")
    name = name.encode()[:LONGEST_NAME].decode(errors="ignore").rstrip("-.") or "run"
    return f"run-{name}" if RESERVED.fullmatch(name) else name
