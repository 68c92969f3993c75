"""`--log FILE`: the history of every run as JSON lines, each as soon as its epoch is done, for whoever reads along."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from losscli.errors import MachineError
from losscli.outfile import following, refusal
from losscli.stack.watch import Tick, Watch


@contextmanager
def log_file(path: Path | None) -> Iterator[Log | None]:
    """Where to write to; None where nobody wants to read.

    Raises `SpecError` where something is there already, and `MachineError` at the end where not all could be written: what is
    trained is worth more than what is told of it.
    """
    if path is None:
        yield None
        return
    with following(path) as file:
        log = Log(file, path)
        yield log
    if log.refused is not None:
        raise log.refused


class Log:
    """Writes down what a watcher is told, as long as the disk takes it."""

    def __init__(self, file: BinaryIO, path: Path):
        self.file, self.path = file, path
        self.refused: MachineError | None = None

    def write(self, tick: Tick) -> None:
        """One object per run, flat, so that a table can be made of them; null for what is no number."""
        if self.refused is None:
            try:
                self.file.write(b"".join(_lines(tick)))
            except OSError as error:
                self.refused = refusal(self.path, error, "choose another file with --log")


class Logged:
    """A watcher that has what it is told written down first."""

    takes_lines = True

    def __init__(self, watch: Watch, log: Log):
        self.watch, self.log = watch, log

    def __call__(self, tick: Tick) -> None:
        self.log.write(tick)
        self.watch(tick)


def _lines(tick: Tick) -> Iterator[bytes]:
    for line in tick.lines:
        facts = {
            "arena": tick.number + 1,
            "data": tick.arena,
            "entry": line.entry,
            "seed": line.seed,
            "epoch": line.epoch,
        }
        values = {name: value if math.isfinite(value) else None for name, value in line.values.items()}
        yield json.dumps(facts | values, allow_nan=False).encode() + b"\n"
