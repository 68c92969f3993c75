"""A file that hangs or leaves the process while it is loaded, or first tried, is refused; nothing else ends with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from losscli import forked
from losscli.errors import CodeError
from losscli.losses.own import load

pytestmark = pytest.mark.skipif(not forked.possible(), reason="no process can be forked here")
LOSS = """\
import ctypes, os, time
from torch.nn.functional import binary_cross_entropy_with_logits
{loading}
def mine(x, y):
    {tried}
    return binary_cross_entropy_with_logits(x, y)
"""
HANGS = ["while True: pass", "time.sleep(1000)", "ctypes.PyDLL(None).sleep(1000)"]  # PyDLL keeps Python's lock


@pytest.fixture
def _briefly() -> Iterator[None]:
    token = forked.LIMIT.set(0.5)
    yield
    forked.LIMIT.reset(token)


def mine(tmp_path: Path, loading: str = "", tried: str = "pass") -> str:
    (tmp_path / "own.py").write_text(LOSS.format(loading=loading, tried=tried))
    return f"{tmp_path}/own.py:mine"


def children() -> set[str]:
    """The processes that this one has begun and not heard the end of."""
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


@pytest.mark.usefixtures("_briefly")
@pytest.mark.parametrize("hangs", HANGS, ids=["python", "sleep", "c"])
@pytest.mark.parametrize("where", ["loading", "tried"])
def test_what_hangs_is_ended_and_told(tmp_path: Path, where: str, hangs: str) -> None:
    before = children()  # of tests before this one, in the same process
    with pytest.raises(CodeError, match=r"loading and trying it takes longer than 0\.5 s, which is all that --timeout"):
        load(mine(tmp_path, **{where: hangs}), "binary")
    assert children() <= before


@pytest.mark.parametrize(("ends", "how"), [("os._exit(0)", "exit code 0"), ("os.abort()", "SIGABRT")])
@pytest.mark.parametrize("where", ["loading", "tried"])
def test_what_ends_its_process_ends_no_other(tmp_path: Path, where: str, ends: str, how: str) -> None:
    with pytest.raises(CodeError, match=f"ends its process while it is loaded and tried: .*{how}"):
        load(mine(tmp_path, **{where: ends}), "binary")


def test_what_it_prints_and_raises_is_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CodeError, match="no luck"):
        load(mine(tmp_path, "print('hello'); os.system('echo here'); raise RuntimeError('no luck')"), "binary")
    out, err = capfd.readouterr()
    assert (out, err.count("hello"), err.count("here")) == ("", 1, 1)
