"""What the README says of CI is run: each step of its workflow, and the hook as pre-commit calls it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import losscli
from losscli.cli import job_summary
from losscli.cli.app import run

ROOT = Path(__file__).parents[2]
SPEC = "task: binary\ndata: {source: synthetic, name: moons, n_samples: 90}\nloss: [bce, focal]\ntrain: {epochs: 2}\nseeds: 5\n"
WRONG = "import torch\nloss = torch.nn.CrossEntropyLoss()(torch.softmax(torch.ones(2, 3), 1), torch.zeros(2).long())\n"


def blocks(heading: str) -> list[Any]:
    """The YAML that stands below a heading of the README."""
    section = (ROOT / "README.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", section, re.S)]


def shell(line: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, **more}
    return subprocess.run(
        ["bash", "-e", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_every_step_of_the_workflow_runs(tmp_path: Path) -> None:
    (tmp_path / "losses.yaml").write_text(SPEC)
    before = losscli.compare([tmp_path / "losses.yaml"], out=tmp_path / "before")  # type: ignore[operator]
    Path(before.record).rename(tmp_path / "baseline")
    workflow = blocks("In CI")[0]
    steps = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert steps[0] == "pip install losscli"
    for step in steps[1:]:
        done = shell(step, tmp_path, GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
        assert done.returncode == 0, f"{step}\n{done.stderr}"
    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith("###")
    assert "2 entries held" in summary.split("### losscli gate")[1]
    assert '"version": "2.1.0"' in (tmp_path / "losses.sarif").read_text()


def test_the_hook_is_what_the_readme_names_and_fails_on_a_mistake(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    named = [each["id"] for repo in blocks("In CI")[1]["repos"] for each in repo["hooks"]]
    assert named == [hook["id"]]
    (tmp_path / "right.py").write_text("import torch\n")
    (tmp_path / "wrong.py").write_text(WRONG)
    assert shell(f"{hook['entry']} right.py", tmp_path).returncode == 0
    failed = shell(f"{hook['entry']} right.py wrong.py", tmp_path)
    assert failed.returncode == 1
    assert "wrong.py:2" in failed.stdout


def test_a_summary_is_added_to_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary.md"
    path.write_text("# before\n")
    monkeypatch.setenv(job_summary.VARIABLE, str(path))
    flags = ["--task", "binary", "--loss", "bce", "--smoke", "--quiet", "--no-record", "--job-summary"]
    assert run(["train", *flags]) == 0
    assert path.read_text().startswith("# before\n### moons")


@pytest.mark.parametrize("kind", ["unset", "folder", "link", "pipe"])
def test_a_summary_that_cannot_be_written(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "summary.md"
    monkeypatch.setenv(job_summary.VARIABLE, str(path))
    if kind == "unset":
        monkeypatch.delenv(job_summary.VARIABLE)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        (tmp_path / "mine").write_text("mine")
        path.symlink_to(tmp_path / "mine")
    else:
        os.mkfifo(path)
    flags = ["--task", "binary", "--loss", "bce", "--smoke", "--quiet", "--no-record", "--job-summary"]
    assert run(["train", *flags]) == (2 if kind == "unset" else 5)
    told = capsys.readouterr()
    assert job_summary.VARIABLE in told.err
    assert kind == "unset" or "auroc" in told.out  # what was trained is shown all the same
    assert kind != "link" or (tmp_path / "mine").read_text() == "mine"


def test_a_summary_stays_below_what_github_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(job_summary.VARIABLE, str(tmp_path / "s.md"))
    job_summary.append("é" * job_summary.LIMIT)
    text = (tmp_path / "s.md").read_bytes()
    assert len(text) <= job_summary.LIMIT
    assert text.decode().endswith("more than a summary takes\n")
