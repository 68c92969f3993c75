"""What pip says that it would install, as lines with hashes: make hashes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HEAD = "# Of CPython 3.11 on Linux (x86-64), made by `make hashes`. torch is not among them: each of its builds has its own."


def line(item: dict[str, dict[str, str]]) -> str:
    """One requirement, of a line of pip's report."""
    named, archive = item["metadata"], item["download_info"]["archive_info"]
    return f"{named['name']}=={named['version']} --hash=sha256:{archive['hashes']['sha256']}"  # type: ignore[index]


if __name__ == "__main__":
    report = json.loads(Path(sys.argv[1]).read_text())
    print("\n".join([HEAD, *sorted(map(line, report["install"]))]))
