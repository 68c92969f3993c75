from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
import torch

from losscli.check.script import Outcome, run_script
from losscli.rules import PRELUDE


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Outcome]:
    """Run a text as a script, after the usual imports unless it has its own, and give what was seen."""

    def runs(text: str, *arguments: str, steps: int = 3, seconds: float | None = None) -> Outcome:
        file = tmp_path / "train.py"
        text = dedent(text)
        torch.manual_seed(0)
        file.write_text(text if "import torch" in text else PRELUDE + text)
        return run_script(str(file), arguments, steps, seconds)

    return runs
