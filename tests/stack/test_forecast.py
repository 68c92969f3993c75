"""Intervals and CRPS against scipy's distributions, in the user's units."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from losscli.stack.forecast import crossed, interval_level, quantiles_of, with_forecast
from losscli.stack.head import Head
from losscli.tasks import TargetScale

CPU = torch.device("cpu")
CENTRE, SPREAD = 0.3, -0.8  # as the model puts them out


def frozen(loss, centre, spread, scale, **options):
    """The distribution in the user's units that outputs (centre, spread) mean."""
    at, size = centre * scale.scale[0] + scale.center[0], scale.scale[0]
    if loss in ("gaussian-nll", "beta-nll", "crps-gaussian"):
        return stats.norm(at, math.exp(spread / 2) * size)
    if loss == "laplace-nll":
        return stats.laplace(at, math.exp(spread) * size)
    return stats.t(options.get("df", 4.0), at, math.exp(spread) * size)


@pytest.fixture
def told(run_of):
    """What a loss's outputs [N, m] forecast for targets in the user's units."""

    def make(loss, outputs, truth, **options):
        head = Head([run_of(loss, task="regression", **options)], task_of(), CPU)
        scale = head.loss and run_of(loss, task="regression", **options).dataset.scale
        raw = torch.tensor([outputs], dtype=torch.float32)
        return with_forecast(head.predict(raw), head, raw, torch.tensor([truth]).double()), scale, head

    return make


def task_of():
    from losscli.tasks import tasks

    return tasks.get("regression")


LOSSES = [
    ("gaussian-nll", {}),
    ("beta-nll", {}),
    ("crps-gaussian", {}),
    ("laplace-nll", {}),
    ("student-t-nll", {"df": 3.0}),
]


@pytest.mark.parametrize(("loss", "options"), LOSSES)
def test_the_interval_and_the_quantiles_are_those_of_scipy(told, loss, options):
    found, scale, head = told(loss, [[CENTRE, SPREAD]], [10.0], **options)
    wanted = frozen(loss, CENTRE, SPREAD, scale, **options)
    assert interval_level(head) == pytest.approx(0.9)
    np.testing.assert_allclose(found.interval[0, 0], wanted.ppf([0.05, 0.95]), rtol=1e-5)
    np.testing.assert_allclose(found.quantiles[0, 0], wanted.ppf([0.1, 0.5, 0.9]), rtol=1e-5)


def score(distribution, y):
    """The integral of (F(x) - 1(x >= y))^2, by scipy."""
    below = integrate.quad(lambda x: distribution.cdf(x) ** 2, distribution.ppf(1e-9), y, limit=200)[0]
    above = integrate.quad(lambda x: distribution.sf(x) ** 2, y, max(distribution.ppf(1 - 1e-9), y), limit=200)[0]
    return below + above


@pytest.mark.parametrize(("loss", "options"), LOSSES)
def test_the_crps_is_the_integral(told, loss, options):
    truth = [6.0, 15.0, 22.0]
    found, scale, _ = told(loss, [[CENTRE, SPREAD]] * 3, truth, **options)
    wanted = [score(frozen(loss, CENTRE, SPREAD, scale, **options), y) for y in truth]
    # In float32 the closed forms; where there is none, 99 quantiles, which miss a little of heavy tails.
    np.testing.assert_allclose(found.crps[0], wanted, rtol=1e-2 if loss == "student-t-nll" else 2e-6 * 10)


def test_a_point_is_taken_at_its_word(told):
    found, scale, head = told("mse", [[CENTRE]], [10.0])
    point = CENTRE * scale.scale[0] + scale.center[0]
    assert interval_level(head) is None
    assert found.interval is None
    assert found.quantiles[0, 0].tolist() == pytest.approx([point] * 3)
    assert found.crps.item() == pytest.approx(abs(point - 10), rel=1e-5)


def test_learned_quantiles_are_joined_by_lines_and_end_at_the_outer_ones(told):
    taus = [0.9, 0.2, 0.6]  # in any order
    found, scale, head = told("multi-quantile", [[2.0, -1.0, 0.0]], [10.0], taus=taus)
    low, middle, high = (value * scale.scale[0] + scale.center[0] for value in (-1.0, 0.0, 2.0))
    assert interval_level(head) == pytest.approx(0.7)
    assert found.interval[0, 0].tolist() == pytest.approx([low, high])
    assert found.quantiles[0, 0].tolist() == pytest.approx([low, low + (middle - low) * 0.75, high])
    levels = (np.arange(20000) + 0.5) / 20000
    short = 10.0 - np.interp(levels, sorted(taus), [low, middle, high])
    assert found.crps.item() == pytest.approx(2 * np.maximum(levels * short, (levels - 1) * short).mean(), rel=1e-3)


def test_one_quantile_is_no_interval(told):
    found, _, head = told("multi-quantile", [[0.5]], [10.0], taus=[0.5])
    assert interval_level(head) is None
    assert found.interval is None
    assert found.crps is not None


@pytest.mark.parametrize("loss", ["gaussian-nll", "laplace-nll"])
def test_under_a_transform_the_crps_is_that_of_the_transformed_distribution(run_of, loss):
    """exp of a normal or of a Laplace distribution, by scipy."""
    run = run_of(loss, task="regression")
    scale = TargetScale(np.array([1.5]), np.array([0.4]), "log")
    head = Head([replace(run, dataset=replace(run.dataset, scale=scale))], task_of(), CPU)
    truth = [3.0, 5.0, 9.0]
    raw = torch.tensor([[[CENTRE, SPREAD]] * 3])
    found = with_forecast(head.predict(raw), head, raw, torch.tensor([truth]).double())
    risen = frozen(loss, CENTRE, SPREAD, scale)
    levels = (np.arange(4000) + 0.5) / 4000
    quantiles = np.exp(risen.ppf(levels))
    wanted = [2 * np.maximum(levels * (y - quantiles), (levels - 1) * (y - quantiles)).mean() for y in truth]
    np.testing.assert_allclose(found.crps[0], wanted, rtol=1e-2)
    np.testing.assert_allclose(found.interval[0, 0], np.exp(risen.ppf([0.05, 0.95])), rtol=1e-5)


def test_quantiles_that_crossed_are_put_in_order_everywhere(told):
    """The 90 % quantile came out lowest: the interval, the quantiles, the point and the CRPS are those of the sorted ones."""
    taus = [0.1, 0.5, 0.9]
    found, scale, head = told("multi-quantile", [[1.0, 0.5, -2.0], [-2.0, 0.5, 1.0]], [10.0, 10.0], taus=taus)
    ends = [value * scale.scale[0] + scale.center[0] for value in (-2.0, 0.5, 1.0)]
    for row in (0, 1):
        assert found.interval[0, row].tolist() == pytest.approx([ends[0], ends[2]])
        assert found.quantiles[0, row].tolist() == pytest.approx(ends)
        assert found.values[0, row].item() == pytest.approx(ends[1])
    assert found.crps[0, 0] == found.crps[0, 1]
    assert quantiles_of(head, torch.tensor([[[1.0, 0.5, -2.0]]]))[0, 0].tolist() == pytest.approx(ends)
    assert crossed(head, torch.tensor([[[1.0, 0.5, -2.0], [-2.0, 0.5, 1.0], [-2.0, 1.0, 0.5]]])).tolist() == [
        pytest.approx(2 / 3)
    ]


def test_the_point_of_crossed_quantiles_lies_within_their_interval(told):
    """The output of the median came out above both others: the middle one of the three is the point."""
    found, *_ = told("multi-quantile", [[-1.0, 3.0, 0.0]], [10.0], taus=[0.9, 0.5, 0.1])
    assert found.interval[0, 0, 0] <= found.values[0, 0] <= found.interval[0, 0, 1]


def test_what_comes_as_a_distribution_never_crosses(told):
    *_, head = told("gaussian-nll", [[CENTRE, SPREAD]], [10.0])
    assert crossed(head, torch.randn(1, 5, 2)).tolist() == [0.0]
