"""How many of a seeded sample of small faults the tests notice, and which they do not.

Run:  make mutants            300 faults, two at a time
      python tests/benchmarks/mutants.py --faults 100 --rooms losses,metrics --seed 1
      python tests/benchmarks/mutants.py --only survivors.txt       those faults again, after new tests

One run of the whole suite under coverage says which tests reach which statement. A fault is planted in a copy of the tree, in a
temporary folder; there the tests that reach its statement run, the quickest of its own room first, until one fails or
`--budget` seconds of processor time are spent: then it has survived, so the score is a lower bound. What is known is kept
beside the copies: a run that was stopped goes on where it was.

Faults that change nothing that could be seen are listed in equivalent.txt, each with its reason, and are drawn no more.
MUTANTS.md has the score that was measured, and who survived.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from faults import Fault, faults

ROOT = Path(__file__).parents[2]
ROOMS = ("losses", "metrics", "compare", "stack")
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
# Imported once, before the first fork; everything of losscli itself is imported anew beside each fault.
ONCE = ("torch", "torch.export", "sklearn.metrics", "sklearn.datasets", "scipy.stats", "scipy.optimize", "pytest")
ALSO = (
    "pyarrow.parquet",
    "pyarrow.csv",
    "pydantic",
    "typer",
    "rich.console",
    "yaml",
    "jsonschema",
    "onnxruntime",
)
TOOK = re.compile(r"^\s*([\d.]+)s (setup|call|teardown)\s+(\S.*)$")
PARTS = (0, 12, 120, None)
CONTROLS = 3  # selections of tests that run without a fault before all others; those that noticed one do so afterwards
ENOUGH = 120.0  # seconds for these
NOTHING_RAN, BROKEN = 5, 99  # an exit code of pytest, and the one of a process that could not run it


@dataclass(frozen=True)
class Reach:
    """Which tests reach which lines, and how many seconds each takes."""

    lines: dict[str, dict[int, set[str]]]
    seconds: dict[str, float]

    def tests(self, fault: Fault) -> list[str]:
        """Those that could notice, the likeliest first: of its statement, then of what it shapes, of its file, of its room."""
        of_file = self.lines.get(fault.path, {})
        first, last = (1, 0) if fault.at_import else fault.lines
        direct = {test for line in range(first, last + 1) for test in of_file.get(line, ())}
        first, last = fault.inside or (1, 0)
        shaped = {test for line in range(first, last + 1) for test in of_file.get(line, ())}
        room = fault.path.split("/")[1]
        near: set[str] = set().union(*of_file.values())
        at_home = {test for test in self.seconds if test.startswith((f"tests/{room}/", fault.path))}

        def likely(test: str) -> tuple[bool | float | str, ...]:
            circles = (direct, shaped, near, at_home)
            return *(test not in circle for circle in circles), self.seconds.get(test, 0.0), test

        return sorted(near | at_home, key=likely)


def main() -> None:
    options = arguments()
    lab = Path(tempfile.gettempdir()) / f"losscli-mutants-{state()}"
    lab.mkdir(exist_ok=True)
    reach = reached(lab, options.rooms)
    sample = drawn(options)
    say(f"{len(sample)} faults in {', '.join(options.rooms)}; what is known is kept in {lab}")
    known = outcomes(lab / "outcomes.jsonl")
    waiting = [fault for fault in sample if str(fault) not in known]
    began = time.monotonic()
    Bench(lab, reach, options).run(waiting, known)
    report(sample, known, time.monotonic() - began)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rooms", type=lambda text: text.split(","), default=list(ROOMS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--budget", type=float, default=10.0, help="seconds of tests for one fault")
    parser.add_argument("--only", type=Path, help="a file with the survivors of before, one a line")
    return parser.parse_args()


def tracked() -> list[str]:
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    return [name for name in subprocess.check_output(command, text=True).splitlines() if (ROOT / name).is_file()]


def state() -> str:
    """Of the sources and tests: with another state, what is known counts no more."""
    found = hashlib.sha256()
    for name in tracked():
        if name.startswith(("losscli/", "tests/", "configs/")) and not name.startswith("tests/benchmarks/"):
            found.update(name.encode() + (ROOT / name).read_bytes())
    return found.hexdigest()[:12]


def copied(folder: Path) -> Path:
    """A copy of the tree in which a fault can be planted."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    # by content: a fault of the same length within the same second must not meet the old bytecode
    command = ["-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "losscli"]
    subprocess.run([sys.executable, *command], cwd=folder, check=True)
    return folder


def surroundings(tree: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}


def reached(lab: Path, rooms: list[str]) -> Reach:
    """From one run of the suite, or what it left."""
    kept = lab / f"reach-{'-'.join(rooms)}.json"
    if not kept.exists():
        say("the whole suite once, under coverage")
        tree = copied(lab / "whole")
        watched = [f"--cov=losscli/{room}" for room in rooms]
        command = [sys.executable, "-m", "pytest", "-n", "2", "-vv", "--durations=0", "--hypothesis-seed=0"]
        command += [*watched, "--cov-context=test", "--cov-report="]
        environment = {**surroundings(tree), "COVERAGE_FILE": str(lab / "coverage")}
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        if done.returncode:
            sys.exit(done.stdout[-3000:] + done.stderr[-3000:] + "\nthe tests must pass before a fault is planted")
        kept.write_text(
            json.dumps({"lines": contexts(lab / "coverage", tree), "seconds": durations(done.stdout, spent)})
        )
    found = json.loads(kept.read_text())
    lines = {
        path: {int(line): set(tests) for line, tests in of_file.items()} for path, of_file in found["lines"].items()
    }
    return Reach(lines, found["seconds"])


def contexts(file: Path, tree: Path) -> dict[str, dict[int, list[str]]]:
    """The tests of every line. What a fixture reaches counts for all tests of the file: they may share it."""
    from coverage import CoverageData

    data = CoverageData(str(file))
    data.read()
    together = defaultdict(set)
    for context in data.measured_contexts():
        test = context.rpartition("|")[0]
        together[test.partition("::")[0]].add(test)
    found: dict[str, dict[int, list[str]]] = {}
    for path in data.measured_files():
        name = str(Path(path).relative_to(tree.resolve()))
        found[name] = {}
        for line, of_line in data.contexts_by_lineno(path).items():
            tests = set()
            for context in of_line:
                test, _, phase = context.rpartition("|")
                tests |= together[test.partition("::")[0]] if phase == "setup" else {test}
            found[name][line] = sorted(tests - {""})
    return found


def durations(output: str, spent: float) -> dict[str, float]:
    """Seconds of processor time: what pytest says by the clock, which a busy machine makes longer, times the same factor."""
    found: dict[str, float] = defaultdict(float)
    for line in output.splitlines():
        if took := TOOK.match(line):
            found[took[3].strip()] += float(took[1])
    factor = min(1.0, spent / sum(found.values()))
    return {test: seconds * factor for test, seconds in found.items()}


def drawn(options: argparse.Namespace) -> list[Fault]:
    """The sample, or the faults of the list that are still there.

    Drawn by a hash of what a fault is, so that a change of the code leaves the rest of the sample as it was.
    """
    rooms = tuple(f"losscli/{room}/" for room in options.rooms)
    files = sorted(name for name in tracked() if name.endswith(".py") and name.startswith(rooms))
    every = {fault: key(fault) for name in files for fault in faults(text_of(name), name)}
    if options.only:
        wanted = listed(options.only)
        return [fault for fault, called in every.items() if called in wanted]
    excused = listed(EQUIVALENT)
    lots = {
        fault: hashlib.sha256(f"{options.seed} {called}".encode()).hexdigest()
        for fault, called in every.items()
        if called not in excused
    }
    return sorted(sorted(lots, key=lots.__getitem__)[: options.faults], key=str)


@functools.cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def key(fault: Fault) -> tuple[str, ...]:
    """What a list names it by: its file, its lines as they are written, and those lines with the fault."""
    text = text_of(fault.path).encode()
    start, end = text.rfind(b"\n", 0, fault.start) + 1, text.find(b"\n", fault.end)
    after = text[start : fault.start] + fault.after.encode() + text[fault.end : end]
    return fault.path, *(" ".join(part.decode().split()) for part in (text[start:end], after))


def listed(path: Path) -> set[tuple[str, ...]]:
    """The faults of a list: file || line || line with the fault || why."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {tuple(line.split(" || ")[:3]) for line in lines if line.strip() and not line.startswith("#")}


def outcomes(path: Path) -> dict[str, dict[str, str]]:
    return {found["fault"]: found for found in map(json.loads, path.read_text().splitlines())} if path.exists() else {}


class Bench:
    """Copies of the tree, one for each worker, and the faults that are under test in them."""

    def __init__(self, lab: Path, reach: Reach, options: argparse.Namespace):
        self.lab, self.reach, self.budget = lab, reach, options.budget
        self.free = [copied(lab / f"tree{worker}") for worker in range(options.workers)]
        self.busy: dict[int, tuple[Fault, Path, bool]] = {}
        for name in (*ONCE, *ALSO):
            __import__(name)

    def run(self, waiting: list[Fault], known: dict[str, dict[str, str]]) -> None:
        """Every fault in turn; what becomes of it is added to `known` and to the file at once."""
        for fault in waiting[:: max(1, len(waiting) // CONTROLS)]:
            self._control(fault, self.reach.tests(fault), self.budget, known)
        for at, fault in enumerate(waiting, 1):
            tests = self.reach.tests(fault)
            if not tests:
                self._note(fault, "survived", "no test reaches it", known)
                continue
            if not self.free:
                self._wait(known)
            self._start(fault, tests, self.budget)
            say(f"{at} of {len(waiting)}: {fault}  ({len(tests)} tests)")
        while self.busy:
            self._wait(known)
        if waiting:
            noticing = {found["why"].partition(" - ")[0] for found in known.values() if found["outcome"] == "killed"}
            self._control(waiting[0], sorted(noticing & set(self.reach.seconds)), ENOUGH, known)

    def _control(self, fault: Fault, tests: list[str], budget: float, known: dict[str, dict[str, str]]) -> None:
        """The tests without the fault: they must pass, or what they notice is not it."""
        self._start(fault, tests, budget, planted=False)
        self._wait(known)

    def _start(self, fault: Fault, tests: list[str], budget: float, planted: bool = True) -> None:
        tree = self.free.pop()
        if planted:
            (tree / fault.path).write_text(fault.planted(text_of(fault.path)))
        child = os.fork()
        if child == 0:
            tried(tree, tests, budget)
        self.busy[child] = fault, tree, planted

    def _wait(self, known: dict[str, dict[str, str]]) -> None:
        """For the next that is over."""
        child, status = os.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what it has left running
        fault, tree, planted = self.busy.pop(child)
        shutil.copy2(ROOT / fault.path, tree / fault.path)
        self.free.append(tree)
        output = (tree / "output.txt").read_text(errors="replace")
        outcome, why = judged(status, output)
        if planted:
            self._note(fault, outcome, why, known)
        elif outcome == "killed":
            sys.exit(f"{output[-3000:]}\nthese tests fail without any fault; the score would mean nothing")

    def _note(self, fault: Fault, outcome: str, why: str, known: dict[str, dict[str, str]]) -> None:
        found = {"fault": str(fault), "outcome": outcome, "why": why}
        known[str(fault)] = found
        with (self.lab / "outcomes.jsonl").open("a") as file:
            file.write(json.dumps(found) + "\n")


class Chosen:
    """A plugin of pytest: the chosen tests in their order, and an end, as if all had passed, when the budget is spent."""

    def __init__(self, tests: list[str], end: float):
        self.order = {test: place for place, test in enumerate(tests)}
        self.end = end

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order), key=lambda item: self.order[item.nodeid]
        )

    def pytest_runtest_logfinish(self) -> None:
        if time.process_time() > self.end:
            import pytest

            pytest.exit("the budget is spent", returncode=0)


def tried(tree: Path, tests: list[str], budget: float) -> None:
    """In a process of its own, the tests until one fails. Time is that of the processor: a busy machine kills nobody."""
    os.setsid()
    os.chdir(tree)
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    limit = int(3 * budget + 60)  # for a fault that never ends
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    signal.alarm(10 * limit)
    os.environ.update(surroundings(tree))
    sys.path[0] = str(tree)
    code = BROKEN
    try:
        code = tested(tests, time.process_time() + budget)
        home = sys.modules.get("losscli")
        if home is not None and tree.resolve() not in Path(home.__file__ or "").resolve().parents:
            print("the tests ran another losscli:", home.__file__)
            code = BROKEN
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def tested(tests: list[str], until: float) -> int:
    """In parts: most faults fall to the first few, and no other file need be collected."""
    import pytest

    given = ["-q", "-x", "--tb=line", "--hypothesis-seed=0", "-p", "no:xdist", "-p", "no:pytest_cov"]
    code = NOTHING_RAN
    for part in filter(None, (tests[start:end] for start, end in pairwise(PARTS))):
        files = dict.fromkeys(test.partition("::")[0] for test in part)
        code = int(pytest.main([*given, *files], [Chosen(part, until)]))
        if code not in (0, NOTHING_RAN) or time.process_time() > until:
            break
    return code


def judged(status: int, output: str) -> tuple[str, str]:
    """Killed or survived, and the words for it."""
    if os.WIFSIGNALED(status):
        return "killed", f"signal {signal.Signals(os.WTERMSIG(status)).name}"
    code = os.WEXITSTATUS(status)
    if code == BROKEN:
        sys.exit(f"{output[-3000:]}\nthe chosen tests could not be run")
    if code in (0, NOTHING_RAN):
        return "survived", output.strip().rpartition("\n")[2]
    failed = re.findall(r"^(?:FAILED|ERROR) (.*)$", output, re.M)
    return "killed", failed[0][:200] if failed else output[-200:]


def report(sample: list[Fault], known: dict[str, dict[str, str]], seconds: float) -> None:
    alive = [fault for fault in sample if known[str(fault)]["outcome"] == "survived"]
    by_room: dict[str, list[bool]] = defaultdict(list)
    for fault in sample:
        by_room[fault.path.split("/")[1]].append(known[str(fault)]["outcome"] == "killed")
    print(f"\n# {len(alive)} survivors: file || line || line with the fault || where, and how the tests ended")
    for fault in alive:
        print(" || ".join(key(fault)), "||", f"line {fault.line}:", known[str(fault)]["why"])
    for room, killed in by_room.items():
        print(f"# {room}: {sum(killed)} of {len(killed)} noticed")
    print(f"# score: {1 - len(alive) / len(sample):.1%} of {len(sample)} faults noticed, {seconds / 60:.1f} minutes")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
