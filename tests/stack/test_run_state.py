"""When a run counts as diverged, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from losscli.stack.run_state import EpochLoss, RunState


@pytest.mark.parametrize(
    ("loss", "started_at", "status"),
    [
        (2e6, 2.0, "ok"),  # a million times what it started with
        (2.000001e6, 2.0, "diverged"),
        (1e6, 1e-3, "ok"),  # a loss that starts near 0 has the room of one that starts at 1
        (1.0000005e6, 1e-3, "diverged"),
        (math.nan, 1.0, "diverged"),
        (math.inf, 1.0, "diverged"),
    ],
)
def test_a_run_has_diverged_a_million_times_above_its_start(run_of, loss, started_at, status):
    state = RunState(run_of())
    assert state.epochs == 0
    state.advance(1, {"loss": EpochLoss(loss, started_at)}, {"auroc": 0.5}, sound=True)
    assert (state.status, state.epochs) == (status, 1)
    assert state.history[0][:3] == (1, "train", "loss")
    assert state.history[1:] == [(1, "valid", "auroc", 0.5)]


def test_a_loss_that_may_be_negative_diverges_by_no_size_but_by_what_is_no_number(run_of):
    run = run_of()
    signed = replace(run, loss=replace(run.loss, signed=True))
    for mean, status in ((3e9, "ok"), (-3e9, "ok"), (math.nan, "diverged"), (math.inf, "diverged")):
        state = RunState(signed)
        state.advance(1, {"discriminator": EpochLoss(mean, 0.1), "generator": EpochLoss(0.0, 0.0)}, {}, sound=True)
        assert state.status == status, mean


def test_weights_that_are_not_finite_are_a_divergence_and_an_epoch_without_a_row_is_none(run_of):
    broken, empty = RunState(run_of()), RunState(run_of())
    broken.advance(1, {"loss": EpochLoss(0.5, 0.5)}, {}, sound=False)
    empty.advance(1, {"loss": EpochLoss(math.nan, math.nan, counted=False)}, {}, sound=True)
    assert (broken.status, empty.status) == ("diverged", "ok")
