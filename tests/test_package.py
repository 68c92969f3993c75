"""What is installed: package data, and hashes of what is pinned. `make wheel` tries it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"([A-Za-z0-9_.-]+)==(\S+)")


def pinned(name: str) -> dict[str, str]:
    """Versions by name, as registries spell it."""
    lines = [line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")]
    pairs = [PINNED.match(line) for line in lines]
    assert all(pairs)
    return {re.sub(r"[-_.]+", "-", pair[1]).lower(): pair[2] for pair in pairs if pair}


def test_all_that_is_no_python_is_named_as_data_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["losscli"]
    named = {path for pattern in patterns for path in (ROOT / "losscli").glob(pattern)}
    files = {path for path in (ROOT / "losscli").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path for path in files if path.suffix != ".py"} == named != set()


def test_all_that_is_pinned_has_a_hash_but_torch() -> None:
    constraints, hashed = pinned("constraints.txt"), pinned(".ci/hashes.txt")
    assert constraints.pop("torch")
    assert hashed == constraints
    lines = (ROOT / ".ci/hashes.txt").read_text().splitlines()[1:]
    assert all(re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)


def test_no_onnx_that_writes_outside_of_its_folder() -> None:
    """CVE-2025-51480 is mended in 1.18."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "onnx>=1.18" in project["project"]["optional-dependencies"]["onnx"]
    assert tuple(map(int, pinned("constraints.txt")["onnx"].split(".")[:2])) >= (1, 18)
