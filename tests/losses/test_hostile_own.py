"""Hostile losses of the user's own: none ends a command, spoils its output, or moves another entry by a bit."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from losscli import forked
from losscli.cli import app
from losscli.errors import CodeError
from losscli.losses.own import load
from losscli.losses.surroundings import Names

pytestmark = pytest.mark.skipif(not forked.possible(), reason="no process can be forked here")
SPEC = (
    "task: binary\ndata: {source: synthetic, name: moons, n_samples: 120}\nloss: bce-logits\nseeds: 2\n"
    "model: {kind: mlp, hidden: [4]}\ntrain: {epochs: 2, batch_size: 16}\nmetrics: [auroc, log-loss]\n"
)
LOSS = """\
import atexit, builtins, ctypes, json, math, os, pickle, random, subprocess, sys, threading, warnings
import numpy, torch
from torch.nn import functional as F
calls = 0
{loading}
def mine(x, y):
    global calls
    calls += 1
    values = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    if calls > {after}:
        {then}
    return values
"""
LATE = 12  # calls, of which the trial has fewer
RETURNED = {
    "1": "must return a tensor, and it returns int",
    "True": "must return a tensor, and it returns bool",
    "'text'": "must return a tensor, and it returns str",
    "None": "must return a tensor, and it returns NoneType",
    "(values,)": "must return a tensor, and it returns tuple",
    "numpy.ones(len(x))": "must return a tensor, and it returns ndarray",
    "values.long()": "must return floating-point numbers, and it returns int64",
    "values > 0": "must return floating-point numbers, and it returns bool",
    "values.to(torch.complex64)": "must return floating-point numbers, and it returns complex64",
    "values.to('meta')": "must return an ordinary tensor on cpu, and it returns one on meta",
    "values[:2]": "must return one number or one per sample",
    "values.detach()": "returns a tensor without a gradient",
}
RAISED = {
    "raise BaseException('no luck')": "raises BaseException: no luck",
    "raise SystemExit": "raises SystemExit",
    "raise KeyboardInterrupt": "raises KeyboardInterrupt",
    "raise GeneratorExit": "raises GeneratorExit",
    "raise type('E', (Exception,), {'__str__': None})": "raises E: and has no text, as TypeError is raised instead",
    "sys.exit(70)": "raises SystemExit: 70",
}
ENDED = {
    "os._exit(0)": "ends its process.*exit code 0",
    "os._exit(70)": "ends its process.*exit code 70",
    "os.abort()": "ends its process.*SIGABRT",
    "os.closerange(3, 99)": "ends its process.*exit code 1",
}
PRINTED = [
    "print('SPOILT')",
    "os.write(1, b'SPOILT')",
    "subprocess.run(['echo', 'SPOILT'])",
    "ctypes.CDLL(None).puts(b'SPOILT')",
    "sys.__stdout__.write('SPOILT')",
    "atexit.register(os.write, 1, b'SPOILT')",
    "open('/proc/self/fd/1', 'w').write('SPOILT')",
]
CHANGED = {
    "torch.exp = torch.sin": "torch.exp",
    "F.softplus = F.relu": "torch.nn.functional.softplus",
    "torch.Tensor.mean = torch.Tensor.sum": "Tensor.mean",
    "torch.Tensor.__sub__ = torch.Tensor.__add__": "Tensor.__sub__",
    "torch._C._nn.softplus = torch.exp": "torch._C._nn.softplus",
    "torch.binary_cross_entropy_with_logits = lambda x, *_: x": "torch.binary_cross_entropy_with_logits",
    "torch.optim.AdamW.step = None": "torch.optim.adamw.AdamW.step",
    "torch.float32 = torch.float64": "torch.float32",
    "numpy.exp = numpy.sin": "numpy.exp",
    "math.sqrt = None": "math.sqrt",
    "builtins.abs = None": "builtins.abs",
    "json.dumps = pickle.dumps = None": "json.dumps",
    "torch.set_default_dtype(torch.float64)": "torch's default dtype",
    "torch.set_default_device('meta')": "torch's default device",
    "torch.set_num_threads(3)": "torch's number of threads",
    "torch.manual_seed(3)": "the state of torch's generator",
    "numpy.random.seed(3)": "the state of numpy's generator",
    "random.seed(3)": "the state of Python's generator",
    "os.chdir('/')": "the working folder",
    "sys.excepthook = None": "sys.excepthook",
}
UNSAID = ["warnings.simplefilter('error')", "sys.path.clear()", "os.environ.clear()"]  # any package may do these


def written(path: Path, then: str = "pass", loading: str = "", after: int = LATE) -> str:
    path.write_text(LOSS.format(loading=loading, then=then, after=after))
    return f"{path}:mine"


def compared(folder: Path, capfd: pytest.CaptureFixture[str], own: Sequence[str]) -> Any:
    """The one arena of a comparison of bce-logits with these, of the JSON on stdout; no call ends otherwise."""
    (folder / "spec.yaml").write_text(SPEC)
    losses = [word for text in ("bce-logits", *own) for word in ("--loss", text)]
    flags = ["--no-record", "--quiet", "--format", "json", "--workers", "1"]
    assert app.run(["compare", str(folder / "spec.yaml"), *losses, *flags]) == 0
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    return json.loads(out)["arenas"][0]


def one_of(arena: Any, entry: str) -> Any:
    """What stands there of an entry, but for the clock."""
    scores = [{key: value for key, value in one.items() if key in ("test", "valid")} for one in arena["entries"]]
    names = [one["entry"] for one in arena["entries"]]
    return [run for run in arena["runs"] if run["entry"] == entry], scores[names.index(entry)]


def test_late_each_fails_alone_and_what_is_changed_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    alone = one_of(compared(tmp_path, capfd, []), "bce-logits")
    fails = {f"return {text}": said for text, said in RETURNED.items()} | RAISED | ENDED
    changes = [list(CHANGED.items())[start::4] for start in range(4)]  # some in one file, as each takes a process
    others = ["; ".join(PRINTED + UNSAID), *("; ".join(then for then, _ in some) for some in changes)]
    shelf = {f"o{place}": then for place, then in enumerate([*fails, *others])}
    arena = compared(tmp_path, capfd, [written(tmp_path / f"{name}.py", then) for name, then in shelf.items()])
    assert one_of(arena, "bce-logits") == alone
    leftovers = [finding["message"] for finding in arena["findings"] if finding["code"] == "own-loss-leftovers"]
    for name, then in shelf.items():
        runs = one_of(arena, f"{name}.mine")[0]
        assert [run["status"] for run in runs] == ["failed" if then in fails else "ok"] * 2, then
        assert all(re.search(fails[then], run["reason"]) for run in runs if then in fails)
        told = " ".join(message for message in leftovers if message.startswith(f"{name}.mine"))
        expected = changes[others[1:].index(then)] if then in others[1:] else []
        assert all(what in told for _, what in expected), (then, told)
        assert (told != "") == bool(expected), then


@pytest.mark.parametrize(("then", "said"), [("1", RETURNED["1"]), *RAISED.items(), *ENDED.items()])
@pytest.mark.parametrize("moment", ["loading", "trial"])
def test_at_once_it_is_refused(tmp_path: Path, then: str, said: str, moment: str) -> None:
    if then in RETURNED:
        text = written(tmp_path / "own.py", f"return {then}", after=0)
    elif moment == "loading":
        text = written(tmp_path / "own.py", loading=then)
    else:
        text = written(tmp_path / "own.py", then, after=0)
    with pytest.raises(CodeError, match=said):
        load(text, "binary")


@pytest.mark.parametrize("command", ["verify", "explain"])
def test_what_it_prints_or_ends_spoils_no_other_command(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    said = "; ".join(PRINTED)
    text = written(tmp_path / "own.py", said, loading=said, after=0)
    assert app.run([command, text, "--task", "binary", "--format", "json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["schema_version"] == 1
    assert "SPOILT" in err
    text = written(tmp_path / "own.py", "os._exit(0)", after=9)
    assert app.run([command, text, "--task", "binary", "--format", "json"]) == 2
    out, err = capfd.readouterr()
    assert (out, "it ends its process" in err) == ("", True)


def test_libraries_may_replace_what_is_their_own() -> None:
    """`torch.compile` does, when it is first used."""
    names = Names.everywhere()
    import torch._dynamo

    assert torch._dynamo is not None
    assert names.restore() == []
