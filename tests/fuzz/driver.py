"""Fuzzing: seeded cases of every kind, each a few files and the command lines that get them, and what must not come of it.

`python tests/fuzz/driver.py csv parquet --seconds 600` says how many calls there were, how each ended, the slowest and the
largest, and what went wrong; without a kind it takes all in turn. `--processes` makes each call a process of its own. The same
seed makes the same calls, so `--seed N --count 1` is one case again. Ctrl-C ends it, with what there is.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from watch import MOST_MEMORY, Ended, called

HERE = Path(__file__).parent
PLANTED = ("losscli_canary", "sitecustomize", "torch", "typer", "yaml", "numpy", "pyarrow", "rich", "json")
INTERRUPTED = 130


@dataclass(frozen=True)
class Case:
    """What was done to the files of a folder, and the command lines that get them."""

    changes: Sequence[str]
    calls: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Problem:
    """What a call must not end as."""

    kind: str
    seed: int
    changes: Sequence[str]
    command: Sequence[str]
    what: str

    def __str__(self) -> str:
        call = " ".join(word if len(word) < 60 else f"{word[:60]}..." for word in map(ascii, self.command))
        changes = "; ".join(map(ascii, self.changes))[:300]
        return f"{self.kind} --seed {self.seed} --count 1\n  {changes}\n  losscli {call}\n  {self.what}"


Make = Callable[[random.Random, Path], Case]
KINDS: dict[str, Make] = {}


def kind(name: str) -> Callable[[Make], Make]:
    """The decorator of what makes the cases of a kind: of chance and an empty folder, the one that it may write to."""

    def register(make: Make) -> Make:
        KINDS[name] = make
        return make

    return register


def load() -> None:
    """Every file beside this one that makes cases; that it is this module which they register with, whatever its name here."""
    sys.modules.setdefault("driver", sys.modules[__name__])
    for path in sorted(HERE.glob("*.py")):
        if "@kind(" in path.read_text() and path.stem != "driver":
            importlib.import_module(path.stem)


@dataclass
class Tally:
    """What came of it so far."""

    cases: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")

    @property
    def calls(self) -> int:
        return sum(self.codes.values())

    def add(self, ended: Ended, title: str) -> None:
        """A call that has ended."""
        self.codes[ended.code] += 1
        self.slowest = max(self.slowest, (ended.seconds, title))
        self.largest = max(self.largest, (ended.memory, title))

    def __str__(self) -> str:
        codes = ", ".join(f"{count} x {code}" for code, count in sorted(self.codes.items()))
        slow, large = (
            f"{self.slowest[0]:.1f} s ({self.slowest[1]})",
            f"{self.largest[0] / 1e6:.0f} MB ({self.largest[1]})",
        )
        return f"{self.cases} cases, {self.calls} calls: {codes}; slowest {slow}; largest {large}"


def plant(folder: Path) -> None:
    """Modules beside the data, which nobody may import."""
    for name in PLANTED:
        (folder / f"{name}.py").write_text("open('ran', 'a').write(__name__)\n")


def fuzz(
    name: str, seeds: Sequence[int] | range, tally: Tally, until: float = float("inf"), processes: bool = False
) -> Iterator[Problem]:
    """The cases of these seeds, and what went wrong with them."""
    end = process if processes else called
    for seed in seeds:
        if time.monotonic() > until:
            return
        with tempfile.TemporaryDirectory(prefix="fuzz") as place, standing(Path(place).resolve()) as work:
            plant(work)
            case = KINDS[name](random.Random(f"{name} {seed}"), work)
            tally.cases += 1
            for command in case.calls:
                ended = end(command, work)
                if ended.code == INTERRUPTED:
                    raise KeyboardInterrupt
                tally.add(ended, f"{name} {seed}: {command[0]!a}")
                wrong = ended.wrong or ("a module beside the data was run" if (work / "ran").exists() else None)
                if wrong:
                    yield Problem(name, seed, case.changes, command, wrong)


class standing:  # noqa: N801  it is used as a function is
    """Commands are typed in the folder, which is at home there, too, and drafts are made in it."""

    def __init__(self, work: Path):
        self.work, self.before = work, (Path.cwd(), os.environ.get("HOME"), tempfile.tempdir)

    def __enter__(self) -> Path:
        (self.work / "tmp").mkdir()
        os.chdir(self.work)
        os.environ["HOME"], tempfile.tempdir = str(self.work), str(self.work / "tmp")
        return self.work

    def __exit__(self, *error: object) -> None:
        folder, home, tempfile.tempdir = self.before
        os.chdir(folder)
        if home is not None:
            os.environ["HOME"] = home


def process(command: Sequence[str], home: Path) -> Ended:
    """The same as a process of its own, whose memory is all its own, and which starts in the folder of the data."""
    began = time.monotonic()
    words = [word.encode(errors="surrogatepass").replace(b"\0", b"") for word in command]
    with (home / "tmp" / "out").open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "losscli", *words], cwd=home, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    text = (home / "tmp" / "out").read_text(errors="replace")
    spent = used.ru_utime + used.ru_stime
    return Ended(
        child.returncode, text, min(spent, time.monotonic() - began), max(0, (used.ru_maxrss << 10) - MOST_MEMORY // 3)
    )


Job = tuple[Sequence[str], int, int | None, float, bool]


def work(job: Job) -> tuple[dict[str, Tally], list[Problem]]:
    """A share of it: kinds in turn, a block of seeds of each at a time, until the count or the time is reached."""
    names, seed, count, until, processes = job
    load()
    tallies = {name: Tally() for name in names or sorted(KINDS)}
    problems: list[Problem] = []
    told = time.monotonic()
    try:
        for begin in range(seed, seed + (count or 1 << 30), BLOCK):
            if time.monotonic() - told > TELL:
                told = time.monotonic()
                print("\n".join(f"{name}: {tally}" for name, tally in tallies.items()), file=sys.stderr, flush=True)
            for name, tally in tallies.items():
                stop = min(begin + BLOCK, seed + (count or 1 << 30))
                for problem in fuzz(name, range(begin, stop), tally, until, processes):
                    problems.append(problem)
                    print(problem, flush=True)
            if time.monotonic() > until:
                break
    except KeyboardInterrupt:
        print("stopped", flush=True)
    return tallies, problems


BLOCK = 20
TELL = 60.0  # seconds between two words on how far it is
APART = 10_000_000  # between the seeds of two processes


def main() -> None:
    """Read the flags, share the work between processes, and tell what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--count", type=int, help="cases of each kind")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--processes", action="store_true", help="every call is a process of its own")
    given = parser.parse_args()
    until = time.monotonic() + given.seconds
    jobs: list[Job] = [
        (given.kinds, given.seed + APART * place, given.count, until, given.processes) for place in range(given.jobs)
    ]
    if given.jobs == 1:
        results = [work(jobs[0])]
    else:
        with ProcessPoolExecutor(given.jobs, get_context("spawn")) as pool:
            results = list(pool.map(work, jobs))
    for place, (tallies, _) in enumerate(results):
        for name, tally in tallies.items():
            print(f"{name} ({place}): {tally}")
    total = sum(tally.calls for tallies, _ in results for tally in tallies.values())
    problems = [problem for _, share in results for problem in share]
    print(json.dumps({"calls": total, "problems": len(problems)}))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
