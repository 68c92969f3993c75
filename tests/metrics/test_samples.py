"""Metrics of rows that were made up, against scipy, one run after another, and against counting."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial.distance import cdist

from losscli.metrics import find, for_task
from losscli.metrics.samples import DIRECTIONS, directions
from losscli.tasks import Prediction, tasks
from losscli.tasks.neighbours import MOST_PAIRED
from losscli.tasks.shapes import Mixture, ring_of

SAMPLES = {name: item for name, item in for_task("gan").items() if item.reads == "samples"}


def scaled(made, real):
    spread = real.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    return made / spread, real / spread


def sliced(made, real):
    made, real = scaled(made, real)
    along = directions(made.shape[1]).numpy()
    return np.mean([stats.wasserstein_distance(made @ one, real @ one) for one in along])


def energy(made, real):
    made, real = scaled(made, real)
    if made.shape[1] == 1:
        return stats.energy_distance(made[:, 0], real[:, 0])
    squared = 2 * cdist(made, real).mean() - cdist(made, made).mean() - cdist(real, real).mean()
    return np.sqrt(max(squared, 0))


def mmd(made, real):
    made, real = scaled(made, real)
    apart = np.sort(cdist(real, real)[~np.eye(len(real), dtype=bool)])
    unit = apart[(len(apart) - 1) // 2]

    def kernel(one, other):
        return np.mean([np.exp(-0.5 * (cdist(one, other) / (width * unit)) ** 2) for width in (0.25, 0.5, 1, 2)])

    return np.sqrt(max(kernel(made, made) + kernel(real, real) - 2 * kernel(made, real), 0))


def ks(made, real):
    return np.mean([stats.ks_2samp(one, other).statistic for one, other in zip(made.T, real.T, strict=True)])


def pairs(made, real):
    first, second = np.triu_indices(made.shape[1], 1)
    return np.abs(np.corrcoef(made.T) - np.corrcoef(real.T))[first, second].mean()


def lost(made, real):
    made, real = scaled(made, real)
    along = directions(made.shape[1]).numpy()
    return np.mean([max(0, 1 - np.std(made @ one) / np.std(real @ one)) for one in along])


ORACLES = {"lost-spread": lost, "sliced-w1": sliced, "energy": energy, "mmd": mmd, "ks": ks, "pair-correlation": pairs}


def stacks():
    """(what it is, samples [3, N, F], real rows [1, M, F])."""
    chance = np.random.default_rng(5)
    for columns in (1, 2, 3):
        real = chance.normal(3, 2, (1, 41, columns)) * np.array([1.0, 1e4, 1e-3])[:columns]
        yield f"{columns} columns", real[:, chance.permutation(41)] + chance.normal(0, 1, (3, 41, columns)) * 0.7, real
        yield f"{columns} columns, fewer samples", real[:, :23] * 1.3 + np.arange(3)[:, None, None], real
        yield f"{columns} columns, more samples", chance.normal(0, 1, (3, 64, columns)), real
    ties = np.round(chance.normal(0, 1, (3, 30, 2)))
    yield "ties", ties, ties[1:2].copy()
    yield "the same", real.repeat(3, 0), real


@pytest.mark.parametrize("name", ORACLES)
def test_equals_scipy_run_by_run(name):
    cases = 0
    for what, made, real in stacks():
        values = SAMPLES[name].function(torch.from_numpy(made), torch.from_numpy(real))
        assert values.shape == (3,)
        if name == "pair-correlation" and made.shape[-1] == 1:
            assert values.isnan().all(), what
            continue
        wanted = [ORACLES[name](run, real[0]) for run in made]
        # A root of a difference of equal numbers keeps half of the digits.
        loose = 1e-7 if name in ("energy", "mmd") else 1e-10
        np.testing.assert_allclose(values.numpy(), wanted, rtol=1e-9, atol=loose, err_msg=what)
        cases += 1
    assert cases >= 8


def test_every_one_has_an_oracle():
    assert set(SAMPLES) == {*ORACLES, "modes", "good-share"}


@pytest.mark.parametrize("name", SAMPLES)
def test_runs_have_nothing_to_do_with_each_other(name):
    mixture = ring_of()
    made, modes = torch.randn(3, 40, 2, generator=torch.Generator().manual_seed(0)), torch.from_numpy(mixture.centers)
    made[2] = modes[torch.arange(40) % 8].float()
    real = torch.randn(3, 50, 2, generator=torch.Generator().manual_seed(1)).double()
    item = SAMPLES[name].given(costs=None, mixture=mixture)
    together = item.function(made, real)
    alone = torch.cat([item.function(made[run : run + 1], real[run : run + 1]) for run in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12)
    shuffled = item.function(made[:, torch.randperm(40)], real)
    torch.testing.assert_close(shuffled, together, rtol=1e-9, atol=1e-9)
    made[1, 4] = torch.nan
    assert item.function(made, real).isnan().tolist() == [False, True, False]


def test_units_do_not_matter():
    made, real = torch.randn(1, 60, 3).double(), torch.randn(1, 50, 3).double() + 0.3
    factor, shift = torch.tensor([1e-3, 1.0, 1e5]).double(), torch.tensor([1e4, 0.0, -7.0]).double()
    for name in ("sliced-w1", "energy", "mmd", "ks", "pair-correlation"):
        function = SAMPLES[name].function
        torch.testing.assert_close(function(made * factor + shift, real * factor + shift), function(made, real))


def test_lumps_that_got_rows_fairly_are_counted():
    """Of 100 rows, a quarter of the share of one of 8 lumps is 3.125: four rows are fair, three are not."""
    mixture = Mixture(ring_of(radius=5.0).centers, 0.1)
    centers = torch.from_numpy(mixture.centers)
    far = torch.full((1, 2), 50.0).double()
    lumps = [*[0] * 40, *[1] * 4, *[2] * 3]
    made = torch.cat([centers[lumps], far.expand(53, 2)])[None]
    made[0, 0] += 0.29 / 2**0.5  # within three sd
    made[0, 1] += 0.31 / 2**0.5
    real = torch.zeros(1, 1, 2)
    known = {"costs": None, "mixture": mixture}
    assert find("modes", "gan").given(**known).function(made, real).item() == 2
    assert find("good-share", "gan").given(**known).function(made, real).item() == pytest.approx(0.46)


def test_real_rows_of_a_mixture_cover_it():
    """In the plane 1 - exp(-9/2) of a gaussian lies within three sd."""
    mixture = ring_of()
    rows = torch.from_numpy(mixture.draw(20_000, 1)[0])[None]
    known = {"costs": None, "mixture": mixture}
    assert find("modes", "gan").given(**known).function(rows, rows).item() == 8
    assert find("good-share", "gan").given(**known).function(rows, rows).item() == pytest.approx(0.98889, abs=0.003)


def test_more_rows_than_can_be_paired_are_thinned_evenly():
    real = torch.randn(1, 3 * MOST_PAIRED, 2, generator=torch.Generator().manual_seed(2)).double()
    for name in ("energy", "mmd"):
        assert SAMPLES[name].function(real, real).item() == pytest.approx(0, abs=1e-6)
        assert SAMPLES[name].function(real + 1, real).item() > 0.3


def test_directions_are_even_in_the_plane_and_unit_vectors_everywhere():
    plane = directions(2)
    angles = torch.atan2(plane[:, 1], plane[:, 0]) * DIRECTIONS / np.pi
    assert angles.tolist() == pytest.approx(range(DIRECTIONS))
    for columns in (1, 2, 5):
        assert directions(columns).norm(dim=-1).tolist() == pytest.approx([1.0] * len(directions(columns)))
    assert torch.equal(directions(5), directions(5))


def test_copies_are_told_and_fresh_rows_are_as_far_as_real_ones():
    chance = np.random.default_rng(0)
    records, real = chance.normal(3, [1, 50], (400, 2)), chance.normal(3, [1, 50], (300, 2))
    fresh, copied = chance.normal(3, [1, 50], (300, 2)), records[:300] + 1e-6
    half = np.concatenate([fresh[:150], copied[:150]])
    rows = Prediction(samples=torch.from_numpy(np.stack([fresh, copied, half])))
    metrics = [find("closest-record", "gan"), find("copies", "gan")]
    with_truth, records_of = tasks.get("gan").with_truth, lambda: torch.from_numpy(records)[None]
    given = with_truth(rows, torch.from_numpy(real)[None], {"nearest"}, records_of)
    spread = records.std(0)
    apart, usual = (cdist(one / spread, records / spread).min(1) for one in (half, real))
    np.testing.assert_allclose(given.nearest[2].numpy(), apart / np.sort(usual)[149], rtol=1e-6, atol=1e-9)
    far, share = (metric.measure(given, torch.zeros(1, 1, 2)).tolist() for metric in metrics)
    assert far[0] == pytest.approx(1, abs=0.15)
    assert far[1] < 1e-4
    assert share == pytest.approx([0.0, 1.0, 0.5], abs=0.01)
    assert with_truth(rows, rows.samples, {"samples"}, records_of).nearest is None
