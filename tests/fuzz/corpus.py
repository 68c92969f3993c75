"""What was found before: files of a few bytes, each with the calls that get it, by its ending.

`args` is a command line as JSON. `record` is JSON: the file, the path in it and the value that a record is changed by, or
nothing where it is taken out.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import driver
from arguments import FILES
from records import NAME, VERSIONS, commands, sign, unfinished
from watch import called

from losscli.record import PROGRESS
from losscli.record.manifest import checksum

FOLDER = Path(__file__).parent / "corpus"
CALLED = {"log": "csv", "script": "py", "notebook": "ipynb"}  # no tool that reads code takes them for it
TRAIN = ["train", "--smoke", "--no-record", "--quiet"]


def _table(name: str) -> list[list[str]]:
    flags = ["--target", "y"]
    return [
        ["inspect", name], ["inspect", name, *flags, "--format", "json"], ["recommend", name, *flags],
        ["init", name, *flags, "--to", "-"], [*TRAIN, "--data", name, *flags],
    ]  # fmt: skip


def _calls(path: Path, work: Path) -> list[list[str]]:
    """Put the file, or what it says, into the folder; the calls that get it there."""
    ending = path.suffix.removeprefix(".")
    name = f"t.{CALLED.get(ending, ending)}"
    if ending == "args":
        for file, text in FILES.items():
            (work / file).write_text(text)
        line: list[str] = json.loads(path.read_text())
        return [line]
    if ending == "record":
        return _record(json.loads(path.read_text()), work)
    shutil.copy(path, work / name)
    if ending == "yaml":
        return [["validate", name], [*TRAIN, name], ["plan", name, "--quiet"], ["inspect", name]]
    if ending in ("json", "log"):
        return [["diagnose", name], ["diagnose", name, "--format", "json"]]
    if ending in ("script", "notebook"):
        return [["lint", name], ["lint", name, "--format", "sarif"], ["lint", name, "--diff"]]
    return _table(name)


def _record(change: Any, work: Path) -> list[list[str]]:
    file, way, *value = change
    (whole,) = (VERSIONS / "2").iterdir()
    folder = work / "runs" / NAME
    shutil.copytree(unfinished() if file == PROGRESS else whole, folder)
    document = json.loads((folder / file).read_bytes())
    part = document
    for key in way[:-1]:
        part = part[key]
    if value:
        part[way[-1]] = value[0]
    else:
        del part[way[-1]]
    vouched = {**document, "sha256": checksum(document)} if file == PROGRESS else document
    (folder / file).write_text(json.dumps(vouched))
    if file != PROGRESS:
        sign(folder)
    (work / "rows.csv").write_text("x1,x2\n0.5,1\n-1,2\n")
    return commands(str(whole))


def replayed(path: Path) -> Iterator[driver.Problem]:
    """What goes wrong with a file of the corpus."""
    with tempfile.TemporaryDirectory(prefix="fuzz") as place, driver.standing(Path(place).resolve()) as work:
        driver.plant(work)
        for command in _calls(path, work):
            wrong = called(command, work).wrong
            if wrong:
                yield driver.Problem(path.name, 0, [], command, wrong)
