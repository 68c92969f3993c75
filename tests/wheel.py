"""What a wheel serves where there is nothing but it: make wheel. Run by the fresh Python, in another folder."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires
from importlib.resources import files
from pathlib import Path

COMMANDS = (
    "--version",
    "--help",
    "train --task binary --loss bce-logits --smoke --seeds 2 --quiet",
    "report 1 --to report.html",
    "report 1 --format md",
    "runs verify",
    "explain focal bce-logits --task binary --html losses.html",
    "explain LC001",
    "init binary",
    "lint .",
)


def missing(listed: Path) -> list[str]:
    """Files of the repository's package that the installed one has not."""
    installed = Path(str(files("losscli"))).parent
    assert not installed.samefile(Path(__file__).parents[1]), "this is the repository, and no wheel"
    return [name for name in listed.read_text().split() if not (installed / name).is_file()]


def main() -> int:
    absent = missing(Path(sys.argv[1]))
    print("\n".join(f"not in the wheel: {name}" for name in absent), end="")
    elsewhere = [text for text in requires("losscli") or () if " @ " in text]
    print("\n".join(f"not from a registry: {text}" for text in elsewhere), end="")
    failed = [command for command in COMMANDS if not serves(command)]
    return 1 if absent or elsewhere or failed else 0


def serves(command: str) -> bool:
    """Whether a command ends well, and says something."""
    losscli = str(Path(sys.executable).with_name("losscli"))
    ended = subprocess.run([losscli, *command.split()], capture_output=True, text=True, check=False)
    good = ended.returncode == 0 and bool(ended.stdout.strip() + ended.stderr.strip())
    print(f"{'ok' if good else 'FAILED'}  losscli {command}" + ("" if good else f"\n{ended.stdout}{ended.stderr}"))
    return good


if __name__ == "__main__":
    sys.exit(main())
