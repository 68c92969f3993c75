"""benchmarks/gpu.py before anybody has a GPU: its small form runs on the CPU, and it would see a difference."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

CPU = torch.device("cpu")


@pytest.fixture
def gpu(benchmark):
    return benchmark("gpu")


@pytest.fixture
def checks(benchmark):
    return benchmark("gpu_checks")


@pytest.fixture
def trial(checks, tmp_path):
    return checks.Trial(CPU, True, tmp_path, 0.0)


def test_the_small_form_passes_on_the_cpu_and_keeps_its_results(gpu, tmp_path, capsys):
    assert gpu.main(["--device", "cpu", "--small", "--results", str(tmp_path)]) == 0
    (kept,) = (json.loads(path.read_text()) for path in tmp_path.glob("*.json"))
    names = [line["what"] for line in kept["lines"]]
    assert kept["failed"] == 0
    assert sum(line["passed"] is True for line in kept["lines"]) >= 50
    assert [name for name in names if name.startswith("time of")] == [f"time of {each.__name__}" for each in gpu.CHECKS]
    (text,) = tmp_path.glob("*.txt")
    assert text.read_text().splitlines()[2:] == capsys.readouterr().out.splitlines()


def test_a_check_that_raises_is_a_failure_and_ends_no_other(gpu, checks, monkeypatch, tmp_path, capsys):
    def broken(trial):
        yield checks.Line("first", True, "0")
        raise RuntimeError("no kernel image")

    def sound(trial):
        yield checks.Line("last", True, "0")

    monkeypatch.setattr(gpu, "CHECKS", (broken, sound))
    assert gpu.main(["--device", "cpu", "--results", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "FAIL  broken" in shown
    assert "RuntimeError: no kernel image" in shown
    assert "pass  last" in shown


def test_losses_and_metrics_that_are_a_little_off_are_seen(checks, trial, monkeypatch):
    def rounded(self, numbers):
        return numbers + 1e-3 if numbers.is_floating_point() else numbers

    monkeypatch.setattr(checks.Trial, "there", rounded)
    monkeypatch.setattr(checks.tasks, "names", lambda: ["binary"])
    seen = {line.what: line.passed for line in (*checks.losses(trial), *checks.metrics(trial))}
    failed = {what for what, passed in seen.items() if not passed}
    assert {"19 losses binary float32 value", "19 losses binary float64 value", "20 metrics binary"} <= failed
    assert seen["19 losses binary float32 second time"] is True


def test_what_differs_from_call_to_call_is_seen(checks, trial, monkeypatch):
    plain = checks.judged

    def jumpy(case, received, target, calls=iter(range(10**9))):  # noqa: B008
        return tuple(found + 1e-12 * next(calls) for found in plain(case, received, target))

    monkeypatch.setattr(checks, "judged", jumpy)
    off = checks.loss_apart(trial, checks.for_task("regression")["mse"], "regression", torch.float64)
    assert off["second time"] > 0


def test_another_board_is_seen(checks, trial):
    experiment, states = trial.board("binary")
    assert checks.same_board(experiment, states, states)[0]
    headline, names = experiment.headline.name, list(dict.fromkeys(state.run.entry for state in states))

    def scored(by_name):
        return [
            replace(each, scores={"test": {headline: by_name[each.run.entry] + 1e-4 * each.run.seed}})
            for each in states
        ]

    calm = scored({name: 0.5 + 0.1 * place for place, name in enumerate(names)})
    turned = scored({name: 0.5 + 0.1 * (len(names) - place) for place, name in enumerate(names)})
    one_off = scored({name: 0.5 + 0.1 * place + 0.03 * (place == 0) for place, name in enumerate(names)})
    lost = scored(dict.fromkeys(names, math.nan))
    assert checks.same_board(experiment, calm, calm)[0]
    for other in (turned, one_off, lost):
        assert not checks.same_board(experiment, calm, other)[0]
    assert "change places" in checks.same_board(experiment, calm, turned)[1]


@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_a_task_that_the_checks_do_not_name_has_its_board_too(checks, trial, monkeypatch, task):
    monkeypatch.setattr(checks, "BLOCKS", {})
    monkeypatch.setattr(checks, "BOARDS", {})
    assert task in checks.kinds()
    experiment, states = trial.board(task)
    assert {state.run.entry for state in states} == {experiment.job.task.default_loss}
    assert checks.same_board(experiment, states, states)[0]


def test_one_bit_of_one_weight_is_seen(checks, trial):
    state = trial.board("binary")[1][0]
    name, weights = next(iter(state.weights.items()))
    nudged = np.nextafter(weights, np.float32(9), dtype=np.float32)
    assert checks.identical(state, state)
    assert not checks.identical(state, replace(state, weights={**state.weights, name: nudged}))
    assert not checks.identical(state, replace(state, weights={}))
    assert not checks.identical(state, replace(state, history=state.history[:-1]))
    assert checks.no_difference([state], [replace(state, weights={})])[:2] == (False, "1 of 1 runs differ")


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [
        ([1.0, math.nan, math.inf], [1.0, math.nan, math.inf], 0.0),
        ([1.0, 1.0], [1.0, math.nan], math.inf),
        ([math.inf], [-math.inf], math.inf),
        ([1.0], [1.0, 1.0], math.inf),
        ([0.002], [0.001], 0.001),
        ([2000.0], [1000.0], 1.0),
    ],
)
def test_how_far_numbers_are_apart(checks, one, other, far):
    assert checks.apart(torch.tensor(one), torch.tensor(other)) == pytest.approx(far, rel=1e-4)
