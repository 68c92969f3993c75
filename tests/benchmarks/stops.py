"""Stops at any moment: what is kept, and whether it ends with the bits of a command that nobody stopped.

`python tests/benchmarks/stops.py resume 100` ends comparisons of all tasks at random moments with SIGKILL, SIGTERM and SIGINT,
goes on with them (and ends them again, now and then), and compares every array and number of the records. `kill 500` looks at
the folder after each SIGKILL. A third number is that of workers, who get a stack for each run then; none of them may outlive
its parent. `full 25` gives the disk so little room; `crowd 16` writes records from so many processes at
once, with `ls`, `show` and `rm` beside them. `cost` is what keeping takes. Each prints a line per failure and the counts.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from safetensors.numpy import load_file

from losscli import pipeline  # before anything is forked
from losscli.cli import app
from losscli.record import MANIFEST, reader
from losscli.record.find import records
from losscli.stack import device

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
ENV = {**os.environ, "OMP_NUM_THREADS": "1"}
SOME = """\
{head}
model: {{kind: mlp, hidden: [8]{more}}}
train: {{epochs: {epochs}, batch_size: 16{plan}}}
seeds: 2
"""
SPECS = {
    "binary": {"head": "task: binary\ndata: {source: synthetic, name: moons, n_samples: 300}\nloss: [bce-logits, focal]",
                   "more": ", dropout: 0.2, norm: batch", "plan": ", patience: 400"},
    "multiclass": {"head": "task: multiclass\ndata: {source: builtin, name: iris}\nloss: [cross-entropy, gce]", "more": "",
                       "plan": ", optimizer: rmsprop, momentum: 0.5"},
    "multilabel": {"head": "task: multilabel\ndata: {source: synthetic, name: multilabel_classification, n_samples: 200}\n"
                       "loss: [bce-logits, zlpr]", "more": ", dropout: 0.1", "plan": ", schedule: cosine"},
    "regression": {"head": "task: regression\ndata: {source: builtin, name: diabetes}\nloss: [mse, huber]", "more": "",
                       "plan": ", optimizer: sgd, momentum: 0.9"},
    "distribution": {
        "head": "task: distribution\nloss: [kl, emd]",
        "more": "",
        "plan": "",
    },
    "embedding": {"head": "task: embedding\ndata: {source: builtin, name: wine}\nloss: [nt-xent, proxy-nca]", "more": "",
                      "plan": ", per_class: 4, dimensions: 4"},
    "gan": {"head": "task: gan\ndata: {source: synthetic, name: ring, n_samples: 300}\nloss: [wgan-gp, r1]", "more": "",
                "plan": ""},
    "tuned": {"head": "task: binary\ndata: {source: synthetic, name: moons, n_samples: 200}\nloss: [bce-logits, hinge]\n"
                  "tune: {lr: [1e-3, 1e-2]}", "more": "", "plan": ""},
    "stress": {"head": "task: binary\ndata: {source: synthetic, name: moons, n_samples: 200, corrupt: {labels: [0, 0.2]}}\n"
                   "loss: [bce-logits, focal]", "more": "", "plan": ""},
}  # fmt: skip


class Child:
    """A command in a process of its own, forked from this one, which has imported torch already."""

    def __init__(self, folder: Path, words: Sequence[str], limit: int | None = None):
        self.pipes = [os.pipe() for _ in range(2)]  # no files: a limit on files must not be one on the screen
        for _, end in self.pipes:
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 1 << 20)  # of Linux: all that a command says, until it is read
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._run(folder, words, limit)

    def _run(self, folder: Path, words: Sequence[str], limit: int | None) -> NoReturn:
        code = 99
        try:
            os.chdir(folder)
            for descriptor, (_, end) in zip((1, 2), self.pipes, strict=True):
                os.dup2(end, descriptor)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")  # the old ones take a pipe for a file
            if limit is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that a write says EFBIG instead
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            code = app.run(list(words))
        finally:
            os._exit(code)

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def send(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def workers(self) -> list[int]:
        """Its own processes."""
        listed = text(Path(f"/proc/{self.pid}/task/{self.pid}/children"))
        return [int(word) for word in listed.split()]

    def communicate(self) -> tuple[str, str]:
        """What it has said once it is done."""
        while self.poll() is None:
            time.sleep(0.005)
        said = []
        for begin, end in self.pipes:
            os.close(end)
            with open(begin) as stream:
                said.append(stream.read())
        return said[0], said[1]


def stop(process: Child, number: int, seen: Counter[str]) -> None:
    """Send a signal, wait for the end, and count the workers that are there even two seconds later."""
    workers, deadline = process.workers(), time.monotonic() + 2
    process.send(number)
    process.communicate()
    seen["workers"] += len(workers)
    while (left := [pid for pid in workers if text(Path(f"/proc/{pid}/cmdline"))]) and time.monotonic() < deadline:
        time.sleep(0.01)
    seen["ORPHANS"] += len(left)


def start(folder: Path, *words: str, limit: int | None = None) -> Child:
    return Child(folder, words, limit)


def finish(folder: Path, *words: str, limit: int | None = None) -> tuple[int, str, str]:
    child = start(folder, *words, limit=limit)
    out, err = child.communicate()
    assert child.returncode is not None
    return child.returncode, out, err


def spec(folder: Path, name: str, epochs: int) -> str:
    (folder / f"{name}.yaml").write_text(SOME.format(epochs=epochs, **SPECS[name]))
    return f"{name}.yaml"


def apart(one: Path, other: Path) -> list[str]:
    """What two records have apart, but for times and their own names."""
    different = []
    for name in ("spec.yaml", "encoders.json", "history.parquet", "predictions.parquet"):
        if (one / name).read_bytes() != (other / name).read_bytes():
            different.append(name)
    weights = [load_file(folder / "weights.safetensors") for folder in (one, other)]
    if weights[0].keys() != weights[1].keys():
        different.append("names of weights")
    different += [
        key for key in weights[0] if weights[0][key].tobytes() != weights[1].get(key, weights[0][key]).tobytes()
    ]
    results = [without_times(json.loads((folder / "results.json").read_text())) for folder in (one, other)]
    return different + ([] if results[0] == results[1] else ["results.json"])


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(part) for key, part in value.items() if key not in ("seconds", "timing", "record")}
    return [without_times(part) for part in value] if isinstance(value, list) else value


def resume(folder: Path, count: int, epochs: int = 40) -> None:
    """So many stops at random moments of the whole life of a command, from its first finished epoch to its record."""
    chance, seen = random.Random(0), Counter[str]()
    whole, life = {}, {}
    (folder / "whole").mkdir()
    for name in SPECS:
        process = start(folder, "compare", spec(folder, name, epochs), "--quiet")
        wait(process, folder)
        began = time.monotonic()
        _, err = process.communicate()
        assert process.returncode == 0, err
        life[name] = time.monotonic() - began
        whole[name] = folder / "whole" / name
        shutil.move(records(folder / "runs")[-1], whole[name])
    for number in range(count):
        name, kind = list(SPECS)[number % len(SPECS)], SIGNALS[number % len(SIGNALS)]
        shutil.rmtree(folder / "runs", ignore_errors=True)
        process, stops = start(folder, "compare", f"{name}.yaml", "--quiet"), 0
        wait(process, folder)
        while True:
            time.sleep(chance.uniform(0, life[name]))
            stop(process, kind, seen)
            seen[f"exit {process.returncode} after {kind.name}"] += 1
            stops += 1
            if records(folder / "runs"):
                seen["was whole already"] += 1
                break
            if stops > 1 or chance.random() < 0.7:
                code, _, err = finish(folder, "resume", "--quiet")
                if code:
                    seen["FAILED to resume"] += 1
                    print(name, kind.name, code, err)
                break
            process = start(folder, "resume", "--quiet")
        done = records(folder / "runs")
        different = apart(whole[name], done[0]) if len(done) == 1 else [f"{len(done)} records"]
        seen["bit-equal" if not different else "DIFFERENT"] += 1
        if different:
            print(name, kind.name, different[:5], flush=True)
        if number % 10 == 9:
            print(number + 1, dict(seen), flush=True)


def wait(process: Child, folder: Path) -> None:
    """Until its folder is there."""
    while process.poll() is None and not list((folder / "runs").glob("*/progress.json")):
        time.sleep(0.01)


def kill(folder: Path, count: int) -> None:
    """SIGKILL at random moments of a command's whole life: every record that is one is whole, and those that were stay so."""
    chance, seen, before = random.Random(1), Counter[str](), set[str]()
    name = spec(folder, "binary", 30)
    began = time.monotonic()
    finish(folder, "compare", name, "--out", "whole", "--quiet")
    life = time.monotonic() - began
    for number in range(count):
        process = start(folder, "compare", name, "--quiet")
        if number % 50 == 49:
            print(number + 1, dict(seen), flush=True)
        wait_any(process, folder)
        time.sleep(chance.uniform(0, 1.2 * life))
        stop(process, signal.SIGKILL, seen)
        now = {path.name for path in records(folder / "runs")}
        seen["LOST"] += len(before - now)
        before = now
    for path in records(folder / "runs"):
        try:
            reader.read_weights(path)
            reader.read_history(path)
            seen["whole"] += 1
        except Exception as error:
            seen["HALF"] += 1
            print(path.name, error)
    seen["unfinished"] = len(records(folder / "runs", unfinished=True)) - seen["whole"]
    seen["neither"] = sum(1 for path in (folder / "runs").iterdir()) - seen["whole"] - seen["unfinished"]
    numbers = [path.name[:4] for path in (folder / "runs").iterdir()]
    seen["SAME NUMBER"] = len(numbers) - len(set(numbers))
    print(dict(seen))


def wait_any(process: Child, folder: Path) -> None:
    """Until this process has a folder, or is done."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if any(f'"process": {process.pid}' in text(path) for path in (folder / "runs").glob("*/progress.json")):
            return
        time.sleep(0.02)


def text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def full(folder: Path, count: int) -> None:
    """No file may be larger than so many bytes: the table is on the screen, and the exit code is 5."""
    seen = Counter[str]()
    name = spec(folder, "binary", 20)
    finish(folder, "compare", name, "--out", "enough", "--quiet")
    largest = max(path.stat().st_size for path in records(folder / "enough")[0].iterdir())
    for number in range(count):
        size = int(largest * number / count)
        form = ("text", "json", "csv", "md")[number % 4]
        code, out, err = finish(folder, "compare", name, "--format", form, limit=size)
        seen[f"exit {code}"] += 1
        if "focal" in out and "auroc" in out and code == 5 and "Traceback" not in err:
            seen["shown"] += 1
        else:
            seen["NOT SHOWN"] += 1
            print(size, code, out[-300:], err[-300:])
        half = [path for path in (folder / "runs").glob("*") if (path / MANIFEST).exists()]
        seen["HALF"] += len(half)
    print(dict(seen))


def crowd(folder: Path, count: int) -> None:
    """So many processes at once, each with a record; `ls`, `show` and `rm` beside them."""
    seen = Counter[str]()
    name = spec(folder, "binary", 3)
    (folder / "runs").mkdir(exist_ok=True)
    writers = [start(folder, "compare", name, "--quiet") for _ in range(count)]
    while any(writer.poll() is None for writer in writers):
        code, out, err = finish(folder, "runs", "ls", "--format", "json")
        seen["ls"] += 1
        if code or any(summary["broken"] for summary in json.loads(out)["records"]):
            seen["LS FAILED"] += 1
            print(out, err)
        done = records(folder / "runs")
        if len(done) > 2:
            removers = [start(folder, "runs", "rm", done[0].name, "--yes") for _ in range(2)]
            for remover in removers:
                _, err = remover.communicate()
                told = "there is no record" in err or not remover.returncode
                seen["rm" if told else "RM FAILED"] += 1
                if not told:
                    print(err)
    for writer in writers:
        _, err = writer.communicate()
        seen["written" if not writer.returncode else "WRITE FAILED"] += 1
        if writer.returncode:
            print(err)
    names = [path.name[:4] for path in (folder / "runs").iterdir()]
    seen["SAME NUMBER"] = len(names) - len(set(names))
    print(dict(seen))


def cost(folder: Path, count: int) -> None:
    """Seconds that keeping takes, of the seconds of a whole command."""
    from losscli.record import checkpoint

    name = spec(folder, "binary", 2000)
    code = (
        "import sys, time\nfrom losscli.cli import app\nfrom losscli.record.checkpoint import Checkpoint\n"
        "spent = [0.0]\n"
        "def timed(method):\n"
        "    def run(*args, **kw):\n"
        "        began = time.perf_counter(); result = method(*args, **kw)\n"
        "        if not nested: spent[0] += time.perf_counter() - began\n"
        "        return result\n"
        "    nested = method.__name__ == 'begin_'\n"
        "    return run\n"
        "Checkpoint.save = timed(Checkpoint.save)\n"
        "began = time.perf_counter()\napp.run(sys.argv[1:])\n"
        "print(f'{spent[0]:.4f} s of {time.perf_counter() - began:.2f} s', file=sys.stderr)\n"
    )
    for _ in range(count):
        words = ["compare", name, "--quiet"]
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=folder, env=ENV, capture_output=True, text=True, check=True
        )
        print(done.stderr.splitlines()[-1], f"(pause {checkpoint.PAUSE} s)")


if __name__ == "__main__":
    torch.set_num_threads(1)
    assert pipeline
    what, number, *many = sys.argv[1], *map(int, sys.argv[2:] or ["3"])
    if many:
        device.CPU_ROWS = 1
        os.environ["LOSSCLI_WORKERS"] = str(many[0])
    with tempfile.TemporaryDirectory() as place:
        {"resume": resume, "kill": kill, "full": full, "crowd": crowd, "cost": cost}[what](Path(place), number)
