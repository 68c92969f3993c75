"""Whether losscli does on a GPU what it does on the CPU, what stacks take there, and how fast they are.

Run, from the root of the repository:

    make bench-gpu        (python tests/benchmarks/gpu.py)

It needs a card, torch and losscli's plain dependencies, and takes less than six minutes. A line tells what was checked, the
worst figure and its bound; a check that fails, or raises, does not end the others. All lines go into
`tests/benchmarks/results/`, as JSON and as text named after the card; the exit code is 1 if a check failed.

- losses, metrics: every loss (value, gradient) and every metric of every task, on the same numbers, extremes among them
- boards: a comparison per task, one that streams from disk, and one that learns vectors for categories
- same bits: all of these trained twice; a whole command twice
- neighbours: a run that explodes leaves those beside it as they are, bit for bit
- study: how the gradient is shared among easy and hard rows, and what becomes of wrong labels
- memory: what a stack takes beside what the engine reckons, and how a command ends when there is not enough
- speed: runs x samples per second of stacks of 1 to 4,096 runs, the widest in tf32 and bf16 too, beside the loop of every
  tutorial on the same card; and with steps that are recorded and played back, which the engine does on a CPU alone so far

Without a card: `--device cpu` compares the CPU with itself, and `--device standin` (standin.py) finds every tensor that
is not where it should be. `--small` is the form that the tests run.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # where losscli is, if nobody has installed it

import torch
from gpu_checks import Line, Trial, boards, losses, metrics, neighbours, same_bits, study
from gpu_stacks import commands, stacks_of

from losscli.errors import UserError
from losscli.stack import device as machine
from losscli.stack import train as engine

CHECKS: Sequence[Callable[[Trial], Iterator[Line]]] = (
    losses, metrics, boards, same_bits, neighbours, study, commands, stacks_of,
)  # fmt: skip


def lines(trial: Trial) -> Iterator[Line]:
    """All checks, one after the other; one that raises is a line, too."""
    for check in CHECKS:
        began = time.monotonic()
        try:
            yield from check(trial)
        except Exception as error:
            yield Line(check.__name__, False, f"{type(error).__name__}: {error}"[:300])
        yield Line(f"time of {check.__name__}", None, f"{time.monotonic() - began:.1f} s")


def keep(shown: Iterable[Line], device: torch.device, folder: Path) -> None:
    """The lines as JSON and as text, named after the device."""
    told = list(shown)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device.type} {platform.machine()}"
    facts = {
        "device": name,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
    }
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    folder.mkdir(parents=True, exist_ok=True)
    whole = facts | {"failed": sum(line.passed is False for line in told), "lines": [asdict(line) for line in told]}
    (folder / f"{stem}.json").write_text(json.dumps(whole, indent=1) + "\n")
    heading = ", ".join(f"{key} {value}" for key, value in facts.items())
    (folder / f"{stem}.txt").write_text("\n".join([heading, "", *map(str, told)]) + "\n")


def main(words: Sequence[str] | None = None) -> int:
    """Check all, tell all, keep all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0", help="cuda:0, cpu or standin")
    parser.add_argument("--small", action="store_true", help="a few seconds on a CPU")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args(words)
    if asked.device == "standin":
        import standin

        engine.generator = standin.generator
    try:
        device = standin.DEVICE if asked.device == "standin" else machine.choose(asked.device)
    except UserError as error:
        print(f"{error}: there is nothing to check", file=sys.stderr)
        return error.exit_code
    told = []
    with tempfile.TemporaryDirectory() as folder:
        for line in lines(Trial(device, asked.small, Path(folder), time.monotonic())):
            print(line, flush=True)
            told.append(line)
    keep(told, device, asked.results)
    return int(any(line.passed is False for line in told))


if __name__ == "__main__":
    sys.exit(main())
