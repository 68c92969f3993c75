"""Layers of a stack against torch.nn, one run at a time."""

from __future__ import annotations

import pytest
import torch

from losscli.stack.chance import generator
from losscli.stack.layers import BatchNorm, Dropout, ForwardContext, LayerNorm, Linear
from losscli.stack.network import Network

R, B, F = 3, 11, 5


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(R, B, F, generator=torch.Generator().manual_seed(1)) * 3 + 1


def test_linear_multiplies_each_run_by_its_own_weights(x):
    net = Network([Linear(F, 4)])
    matrix = torch.stack([net.draw(seed) for seed in range(R)])
    ours = net.bind(matrix, net.rest(R))(x, ForwardContext())
    for run in range(R):
        named = net.named(matrix[run], torch.empty(0))
        weight, bias = torch.from_numpy(named["layers.0.weight"]), torch.from_numpy(named["layers.0.bias"])[0]
        torch.testing.assert_close(ours[run], torch.nn.functional.linear(x[run], weight.T, bias))


def test_linear_is_drawn_within_torchs_bounds():
    drawn = Linear(400, 300).draw(generator(0, "weights"))
    reference = torch.nn.Linear(400, 300)
    assert drawn["weight"].abs().max() <= 1 / 20
    assert drawn["weight"].std() == pytest.approx(reference.weight.std().item(), rel=0.02)
    assert drawn["bias"].abs().max() <= 1 / 20


def test_batch_norm_keeps_statistics_per_run_as_torch_does(x):
    net = Network([BatchNorm(F)])
    matrix, statistics = torch.stack([net.draw(0)] * R), net.rest(R)
    bound = net.bind(matrix, statistics)
    references = [torch.nn.BatchNorm1d(F) for _ in range(R)]
    for step in range(3):
        batch = x + step
        ours = bound(batch, ForwardContext(training=True))
        theirs = torch.stack([reference(rows) for reference, rows in zip(references, batch, strict=True)])
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    calm = bound(x, ForwardContext())
    theirs = torch.stack([reference.eval()(rows) for reference, rows in zip(references, x, strict=True)])
    torch.testing.assert_close(calm, theirs, rtol=1e-5, atol=1e-5)


def test_layer_norm_is_torchs(x):
    net = Network([LayerNorm(F)])
    ours = net.bind(torch.stack([net.draw(0)] * R), net.rest(R))(x, ForwardContext())
    torch.testing.assert_close(ours, torch.nn.LayerNorm(F)(x))


def test_dropout_masks_belong_to_seeds_and_keep_the_mean():
    x = torch.ones(3, 200, 50)

    def masked(seeds: list[int], of_run: list[int]) -> torch.Tensor:
        noise = [generator(seed, "dropout") for seed in seeds]
        return Dropout(0.25)(x, {}, {}, ForwardContext(True, noise, torch.tensor(of_run)))

    together = masked([7, 8], [0, 1, 0])
    assert torch.equal(together[0], together[2])
    assert not torch.equal(together[0], together[1])
    assert torch.equal(together[1], masked([8], [0, 0, 0])[0])
    assert together.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert together.mean().item() == pytest.approx(1, abs=0.02)
    assert torch.equal(Dropout(0.25)(x, {}, {}, ForwardContext()), x)


def test_layers_draw_from_their_own_streams():
    """A different last layer must not change the ones before it: entries with more outputs stay paired."""
    narrow, wide = Network([Linear(3, 4), Linear(4, 1)]), Network([Linear(3, 4), Linear(4, 6)])
    assert torch.equal(narrow.draw(5)[:16], wide.draw(5)[:16])
    assert not torch.equal(narrow.draw(5)[:16], narrow.draw(6)[:16])


def test_a_row_that_is_widened_keeps_its_numbers_and_gets_zeros():
    own, wide = Network([Linear(2, 3), Linear(3, 1)]), Network([Linear(4, 3), Linear(3, 1)])
    row = own.draw(1)
    before, after = own.named(row, torch.empty(0)), wide.named(wide.widen(row, own), torch.empty(0))
    assert after["layers.0.weight"].shape == (4, 3)
    assert (after["layers.0.weight"][:2] == before["layers.0.weight"]).all()
    assert not after["layers.0.weight"][2:].any()
    for name in ("layers.0.bias", "layers.1.weight", "layers.1.bias"):
        assert (after[name] == before[name]).all()
        assert before[name].any()
