"""Whatever lies in a folder, lint ends with findings or notes: never with a traceback, never round in circles."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from losscli.errors import SpecError
from losscli.lint import lint
from losscli.rules import PRELUDE

WRONG = PRELUDE + "loss = F.nll_loss(F.softmax(scores, dim=1), y)\n"


def notes(path: Path) -> list[str]:
    result = lint([str(path)])
    assert result.findings == []
    return [note.message for note in result.notes]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x00\x01\x7fELF\x00", "binary"),
        (b'print "hello"\n', "cannot be parsed"),
        (b"x = (\n", "cannot be parsed"),
        (b"# -*- coding: klingon -*-\nx = 1\n", "cannot be decoded"),
        (b"x = '\xff\xfe'\n", "cannot be decoded"),
        (b"loss = [" + b"1," * 2_500_000 + b"]\n", "larger than 4 MB"),
        (b"loss = [" + b"1," * 200_000 + b"]\n", "has a line of more than"),
        (b"def f():\n\tif loss:\n        return 1\n", "cannot be parsed"),
        (b"loss = " + b"(" * 5_000 + b")" * 5_000, "cannot be parsed"),
        (b"loss = " + b"-" * 30_000 + b"1\n", "cannot be parsed"),
    ],
    ids="binary python2 open encoding utf8 large line tabs brackets minus".split(),  # noqa: SIM905
)
def test_what_is_no_python_gets_a_note(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "odd.py"
    path.write_bytes(content)
    [note] = notes(path)
    assert words in note


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}', '{"cells": [3]}', '{"cells": [{"source": 1}]}'])
def test_a_broken_notebook(tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.ipynb"
    path.write_text(content)
    assert all("is no notebook" in note for note in notes(path))


@pytest.mark.parametrize(
    "content",
    [
        WRONG.encode(),
        b"\xef\xbb\xbf" + WRONG.encode(),
        WRONG.replace("\n", "\r\n").encode(),
        WRONG.replace("\n", "\r").encode(),
        WRONG.replace("loss =", "\x0closs =").encode(),
        ("# coding: latin-1\n# \xe9\n" + WRONG).encode("latin-1"),
        (WRONG.replace("scores", "größe")).encode(),
        b"#!/usr/bin/env python\n" + WRONG.encode(),
    ],
    ids="plain bom crlf cr formfeed latin1 umlaut shebang".split(),  # noqa: SIM905
)
def test_every_encoding_and_line_end_is_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.py"
    path.write_bytes(content)
    result = lint([str(path)])
    assert [finding.rule for finding in result.findings] == ["softmax-before-nll"]
    assert result.notes == []


def test_columns_count_characters(tmp_path: Path) -> None:
    path = tmp_path / "wide.py"
    path.write_text(PRELUDE + "é = 'ü'; loss = F.nll_loss(F.softmax(z, 1), y)\n")
    [finding] = lint([str(path)]).findings
    assert finding.column == 1 + "é = 'ü'; loss = F.nll_loss(".index("F.nll")


def test_folders_are_walked_once(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "wrong.py").write_text(WRONG)
    (inner / "loop").symlink_to(tmp_path)
    (inner / "again.py").symlink_to(inner / "wrong.py")
    (inner / "itself.py").symlink_to(inner / "itself.py")
    (inner / "nowhere.py").symlink_to(inner / "gone.py")
    for skipped in (".hidden", "__pycache__", "venv"):
        (tmp_path / skipped).mkdir()
        (tmp_path / skipped / "wrong.py").write_text(WRONG)
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    result = lint([str(tmp_path), str(inner)])
    assert len(result.findings) == 1
    assert sorted(note.message.split(":")[0] for note in result.notes) == ["cannot be read", "cannot be read"]


def test_a_path_that_is_not_there() -> None:
    with pytest.raises(SpecError, match="there is no"):
        lint(["no/such/file.py"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.py"
    path.write_text(WRONG)
    path.chmod(0)
    assert "cannot be read" in notes(path)[0]


@pytest.mark.parametrize(
    "text",
    [
        "def f(loss): return f(loss)\nf(1)\n",
        "loss = lambda x: loss(x)\nloss(1)\n",
        "class A:\n    def __init__(self): self.loss = A()\nA()\n",
        "class A(A): pass\nA().loss\n",
        "while True:\n    loss = [loss, loss]\n",
        "def g(loss):\n" + "".join(f"    if loss > {n}: loss = loss + {n}\n" for n in range(400)),
        "loss = 9 ** 9 ** 9\nloss = 'a' * 10 ** 10\nloss = 1 / 0\nloss = 10 ** 400 * 1.0\n",
        "x, *y = loss\n(a, b), c = loss\n[d] = loss.d[e:f, ...] = loss\ndel loss, x.y\n",
        "match loss:\n    case [a, *b]: pass\n    case {'x': y}: pass\n",
        "async def f(loss):\n    async for x in loss: await x\n    async with loss as y: yield y\n",
        "try:\n    loss\nexcept* ValueError: pass\nelse: pass\nfinally: pass\n",
        "loss: int\nglobal loss2\nassert loss, f'{loss!r:>{loss}}'\n",
        "@loss\nclass A(metaclass=loss, **loss): __slots__ = ()\n",
        "from . import loss\nfrom .. import x\nfrom ...a.b import c as loss\nimport a.b.c\na.b.c.loss()\n",
    ],
)
def test_texts_that_could_trip_an_interpreter(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.py"
    path.write_text(text)
    result = lint([str(path)])
    assert result.findings == []
    assert [note.message for note in result.notes if "report it" in note.message] == []


def test_an_expression_as_deep_as_the_parser_takes(tmp_path: Path) -> None:
    path = tmp_path / "deep.py"
    path.write_text("loss = " + "+".join(["x"] * 3_000) + "\n" + WRONG)
    result = lint([str(path)])
    assert all("report it" not in note.message for note in result.notes)


def test_its_own_kernels_are_clean() -> None:
    import losscli

    package = Path(losscli.__file__).parent
    result = lint([str(package / "losses"), str(package / "verify")])
    assert result.findings == []
    assert result.notes == []
    assert result.files > 30


def test_torch_is_not_imported() -> None:
    import subprocess

    code = "import sys; from losscli.cli.app import run; run(['lint', sys.argv[1]]); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, __file__], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
