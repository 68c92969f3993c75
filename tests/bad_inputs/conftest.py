"""One call of losscli in a folder of its own, and what it must say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from losscli.cli.app import run


@dataclass
class Outcome:
    """The exit code, and everything that was printed."""

    code: int
    out: str
    err: str

    def says(self, code: int, *parts: str) -> Outcome:
        """It ended so, and each of these parts stands on the screen, wherever its lines were broken."""
        text = self.out + self.err
        assert self.code == code, text
        assert "Traceback" not in text
        assert not set(text) & set("\x1b\x00\u202e"), "a control character reached the screen"
        for part in parts:
            assert " ".join(part.split()) in " ".join(text.split()), text
        return self


Call = Callable[..., Outcome]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "250")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def make(line: str, *words: str) -> Outcome:
        capfd.readouterr()
        code = run([*line.split(), *words])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return make
