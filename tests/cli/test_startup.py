"""What each command loads before it does its work: only those that compute with losses or models wait for torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import losscli
from losscli.cli.commands import commands
from losscli.explain.facts import stored

CONFIGS = Path(__file__).parents[2] / "configs"
LOANS = CONFIGS / "data" / "loans.csv"
SLOW = {"torch": "torch", "sklearn": "sklearn", "scipy.stats._stats_py": "scipy.stats"}

COMPUTE = {
    "check",
    "compare",
    "doctor",
    "explain",
    "export",
    "plan",
    "play",
    "predict",
    "resume",
    "stress",
    "train",
    "verify",
}  # these load torch
READ = (  # these do not, in this order, with what else they may load
    ("losses", set()),
    ("losses --search focal --task binary --format json", set()),
    ("schema", set()),
    ("rules", set()),
    ("rules --format json", set()),
    ("lint train.py", set()),
    ("diagnose curve.csv", set()),
    ("judge scores.csv --no-record", set()),
    (f"validate {CONFIGS / 'loans.yaml'}", set()),
    ("validate wrong.yaml", set()),
    (f"inspect {LOANS} --target default", set()),
    (f"inspect {LOANS}", set()),
    (f"recommend {LOANS} --target default", set()),
    ("init --to -", set()),
    (f"init {LOANS} --target default --to -", set()),
    ("runs ls", set()),
    ("runs show 1", set()),
    ("runs diff 1 2", set()),
    ("gate 2 --baseline 1", set()),
    ("suspects 1", set()),
    ("report 1 --format md --to report.md", set()),
    (f"validate {CONFIGS / 'binary.yaml'}", {"sklearn"}),  # which options a generator has, it says itself
    ("report 1", {"sklearn", "scipy.stats"}),  # ROC curves
)

CHILD = """
import io, json, sys, traceback
from losscli.cli import app

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in SLOW:
            files = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_stack()]
            loaded.setdefault(SLOW[name], next((at for at in reversed(files) if HOME in at and "lazy.py" not in at), ""))

SLOW, HOME, lines = json.loads(sys.argv[1])
sys.meta_path.insert(0, Watch())
answers, stdout = {}, sys.stdout
for line in lines:
    loaded, sys.stdout = {}, io.TextIOWrapper(io.BytesIO())
    code = app.run(line.split())
    answers[line] = code, loaded
print(json.dumps(answers), file=stdout)
"""


def started(folder: Path, lines: Sequence[str]) -> dict[str, tuple[int, dict[str, str]]]:
    """For each command line its exit code, and the slow modules that it loads first, with the line of losscli that asks for them.

    All run in one process, so what an earlier one loaded does not count again.
    """
    home = str(Path(losscli.__file__).parent)
    command = [sys.executable, "-c", CHILD, json.dumps([SLOW, home, lines])]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    answers: dict[str, Any] = json.loads(done.stdout)
    return {line: (code, loaded) for line, (code, loaded) in answers.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two records, and a spec that is wrong."""
    folder = tmp_path_factory.mktemp("startup")
    (folder / "train.py").write_text("import torch\nloss = torch.nn.CrossEntropyLoss()\n")
    (folder / "wrong.yaml").write_text(
        "task: binary\ndata: {source: csv, path: none.csv, target: y}\nloss: {name: focal, gama: 2}\nmetrics: [aurox]\n"
    )
    (folder / "curve.csv").write_text("epoch,train_loss\n" + "".join(f"{at},{2 / at}\n" for at in range(1, 30)))
    (folder / "scores.csv").write_text(
        "entry,seed,auc\n" + "".join(f"{'ab'[i % 2]},{i // 2},0.{i + 10}\n" for i in range(12))
    )
    spec = folder / "loans.yaml"
    spec.write_text(
        f"task: binary\ndata: {{source: csv, path: {LOANS}, target: default}}\nloss: [bce-logits, focal]\n"
        "train: {epochs: 1}\nseeds: 6\n"
    )
    for _ in range(2):
        losscli.compare([spec], out=folder / "runs")  # type: ignore[operator]
    return folder


def test_every_command_says_whether_it_computes() -> None:
    read = {line.split()[0] for line, _ in READ}
    assert read | COMPUTE == set(commands.names()), "a line in READ that starts it, or its name in COMPUTE"
    assert read.isdisjoint(COMPUTE)


def test_help_loads_nothing_slow(tmp_path: Path) -> None:
    answers = started(tmp_path, ["--help", *(f"{name} --help" for name in commands.names())])
    assert answers == {line: (0, {}) for line in answers}


def test_what_only_reads_does_not_wait_for_torch(folder: Path) -> None:
    """Where this fails: a file that says `import torch` at its top says `from losscli.lazy import Tensor, torch` instead."""
    assert stored(), "facts.json is not of these sources: python -m losscli.explain"
    answers = started(folder, [line for line, _ in READ])
    places = [(line, name, at) for line, may in READ for name, at in answers[line][1].items() if name not in may]
    assert [f"losscli {line} loads {name} at {at}" for line, name, at in places] == []
    assert [line for line, (code, _) in answers.items() if code] == ["validate wrong.yaml"]


def test_the_watch_sees_what_a_command_loads_and_moons_are_drawn_without_scipy_stats(tmp_path: Path) -> None:
    line = "train --task binary --loss bce-logits --epochs 1 --no-record --quiet"
    code, loaded = started(tmp_path, [line])[line]
    assert code == 0
    assert set(loaded) == {"torch", "sklearn"}


def test_help_waits_for_little_beside_typer() -> None:
    """No clock here: whatever takes a while to import, and no help needs."""
    script = (
        "import sys, typer\nbefore = set(sys.modules)\nfrom losscli.cli import app\napp.run(['--help'])\n"
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert {"losscli.cli.app", "losscli.cli.commands.train"} <= loaded
    slow = {"json", "logging", "secrets", "subprocess", "pydantic", "rich.console", "yaml", "numpy", "losscli.outfile"}
    assert not slow & loaded
    assert len({name for name in loaded if not name.startswith(("losscli", "typer"))}) < 20
