"""A loss of the user's own that gives up late, or returns nonsense: its own entry fails, the others are as if alone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from losscli import pipeline
from losscli.comparison import Comparison
from losscli.record.reader import read, read_weights
from losscli.reports.recall import recall
from losscli.spec.load import load_spec
from losscli.spec.overrides import Overrides

SPEC = (
    "task: binary\ndata: {source: synthetic, name: moons, n_samples: 120}\nloss: bce-logits\nseeds: 2\n"
    "model: {kind: mlp, hidden: [6], dropout: 0.3, norm: batch}\ntrain: {epochs: 4, batch_size: 16}\n"
)
LOSS = """\
import random, threading, time
import torch
import torch.nn.functional as F
calls = 0
def mine(x, y):
    global calls
    calls += 1
    values = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    if calls > 25:
        {then}
    return values
"""
BACKWARD = """\
import torch
import torch.nn.functional as F
class Way(torch.autograd.Function):
    generate_vmap_rule, calls = True, 0
    @staticmethod
    def forward(x): return x.clone()
    @staticmethod
    def setup_context(context, inputs, output): pass
    @staticmethod
    def backward(context, gradient):
        Way.calls += 1
        if Way.calls > 8:
            raise ArithmeticError("no way back")
        return gradient
def mine(x, y):
    return F.binary_cross_entropy_with_logits(Way.apply(x), y, reduction="none")
"""
Compare = Callable[..., Comparison]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    def run(code: str | None, **options: Any) -> Comparison:
        (tmp_path / "spec.yaml").write_text(SPEC)
        (tmp_path / "own.py").write_text(code or "")
        own = [f"{tmp_path}/own.py:mine"] if code else []
        spec = load_spec(tmp_path / "spec.yaml", Overrides(losses=["bce-logits", *own]))
        return pipeline.run([spec], out=tmp_path / "runs", **options)

    return run


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (LOSS.format(then='raise RuntimeError("out of luck")'), "raises RuntimeError: out of luck (own.py:10)"),
        (LOSS.format(then="raise SystemExit(3)"), "raises SystemExit: 3 (own.py:10)"),
        (LOSS.format(then="return values[:-1]"), "samples it returns the shape ["),
        (LOSS.format(then="return 0.5"), "must return a tensor, and it returns float"),
        (LOSS.format(then="return None"), "must return a tensor, and it returns NoneType"),
        (LOSS.format(then="return values.detach()"), "returns a tensor without a gradient"),
        (LOSS.format(then="return values[None].expand(3, -1)"), "samples it returns the shape [3, "),
        (BACKWARD, "raises ArithmeticError: no way back, in its backward"),
    ],
    ids=["raises", "exits", "too-short", "number", "nothing", "detached", "too-many", "backward"],
)
def test_its_entry_fails_and_the_others_are_as_alone(compare: Compare, code: str, reason: str) -> None:
    alone = read_weights(Path(compare(None).record or ""))
    comparison = compare(code)
    (arena,) = comparison.arenas
    assert [run.status for run in arena.runs] == ["ok", "ok", "failed", "failed"]
    assert all(np.isnan(value) for value in arena.entries[1].score("auroc").values)
    assert arena.entries[1].verdict != "worse"
    (finding,) = [finding for finding in arena.findings if finding.code == "failed"]
    assert "2 of 2 runs of own.mine failed" in finding.message
    together = reason.replace("own.py", f"{Path(comparison.record or '').parents[1]}/own.py")
    assert together in finding.message
    folder = Path(comparison.record or "")
    weights = read_weights(folder)
    assert weights.keys() == alone.keys()
    assert all((weights[name] == values).all() for name, values in alone.items())
    results = read(folder)["results"]
    assert [run.get("reason", "") != "" for run in results["arenas"][0]["runs"]] == [False, False, True, True]
    recalled = recall(folder).comparison.arenas[0]
    assert [run.status for run in recalled.runs] == ["ok", "ok", "failed", "failed"]
    assert "failed" in json.dumps(results["arenas"][0]["entries"][1]["described"])


def test_one_that_fails_at_once_in_every_run_is_still_shown(compare: Compare) -> None:
    late = LOSS.format(then="raise ValueError").replace("calls > 25", "len(x) not in (1, 5)")
    (arena,) = compare(late).arenas
    assert [run.status for run in arena.runs] == ["ok", "ok", "failed", "failed"]


@pytest.mark.parametrize(
    ("then", "changed"),
    [
        ("torch.set_default_dtype(torch.float64)", "torch's default dtype"),
        ("torch.set_num_threads(torch.get_num_threads() + 1)", "torch's number of threads"),
        ("F.softplus = F.relu", "torch.nn.functional.softplus"),
        ("torch.Tensor.double = torch.Tensor.float", "Tensor.double"),
        ("random.seed(3)", "the state of Python's generator"),
        ("torch.manual_seed(3)", "the state of torch's generator"),
        ("threading.Thread(target=time.sleep, args=(1,), daemon=True).start()", "the threads of the process"),
    ],
)
def test_what_it_leaves_behind_is_put_back_and_said(compare: Compare, then: str, changed: str) -> None:
    before = torch.get_default_dtype(), torch.get_num_threads(), torch.nn.functional.softplus, torch.Tensor.double
    states = random.getstate(), torch.get_rng_state()
    (arena,) = compare(LOSS.format(then=f"{then}; globals().update(calls=-10**9)")).arenas
    now = torch.get_default_dtype(), torch.get_num_threads(), torch.nn.functional.softplus, torch.Tensor.double
    assert now == before
    assert random.getstate() == states[0]
    assert torch.equal(torch.get_rng_state(), states[1])
    (finding,) = [finding for finding in arena.findings if finding.code == "own-loss-leftovers"]
    assert changed in finding.message


def test_what_it_leaves_behind_at_every_call_is_said_once(compare: Compare) -> None:
    then = "threading.Thread(target=time.sleep, args=(0.5 + random.random(),), daemon=True).start()"
    (arena,) = compare(LOSS.format(then=then)).arenas
    (finding,) = [finding for finding in arena.findings if finding.code == "own-loss-leftovers"]
    assert finding.message.count("threads of the process") == 1


def test_who_leaves_nothing_behind_is_told_nothing(compare: Compare) -> None:
    (arena,) = compare(LOSS.format(then="pass")).arenas
    assert "own-loss-leftovers" not in [finding.code for finding in arena.findings]
    assert [run.status for run in arena.runs] == ["ok"] * 4
