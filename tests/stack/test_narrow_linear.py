"""A linear layer multiplies in another order where it has few outputs: the numbers are those of torch's own layer."""

from __future__ import annotations

import pytest
import torch

from losscli.stack.layers import NARROW, ForwardContext, Linear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("outputs", [1, 2, 3, NARROW - 1, NARROW, NARROW + 1])
def test_it_is_the_layer_of_torch(outputs: int, bias: bool) -> None:
    layer, chance = Linear(7, outputs, bias), torch.Generator().manual_seed(outputs)
    drawn = [layer.draw(chance) for _ in range(3)]
    weights = {name: torch.stack([own[name] for own in drawn]).requires_grad_() for name in layer.shapes()}
    x = torch.randn(3, 5, 7, generator=chance).requires_grad_()
    output = layer(x, weights, {}, ForwardContext())
    pull = torch.randn(3, 5, outputs, generator=chance)
    slopes = torch.autograd.grad((output.square() * pull).sum(), [x, weights["weight"]], create_graph=True)
    bend = torch.autograd.grad(slopes[0].square().sum(), weights["weight"])[0]
    for run, own in enumerate(drawn):
        module = layer.module(own).double()
        alone = x[run].detach().double().requires_grad_()
        expected = module(alone)
        assert output[run].shape == (5, outputs)
        assert torch.allclose(output[run].double(), expected, atol=1e-6)
        to_x, to_weight = torch.autograd.grad(
            (expected.square() * pull[run]).sum(), [alone, module.weight], create_graph=True
        )
        assert torch.allclose(slopes[0][run].double(), to_x, atol=1e-5)
        assert torch.allclose(slopes[1][run].double(), to_weight.T, atol=1e-5)
        again = torch.autograd.grad(to_x.square().sum(), module.weight)[0]
        assert torch.allclose(bend[run].double(), again.T, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("outputs", [1, 3, NARROW])
def test_a_run_alone_has_the_bits_that_it_has_among_others(outputs: int) -> None:
    chance = torch.Generator().manual_seed(0)
    layer = Linear(64, outputs)
    weights = {name: torch.randn(16, *shape, generator=chance) for name, shape in layer.shapes().items()}
    x = torch.randn(16, 33, 64, generator=chance)
    together = layer(x, weights, {}, ForwardContext())
    for run in range(16):
        own = {name: tensor[run : run + 1] for name, tensor in weights.items()}
        assert torch.equal(layer(x[run : run + 1], own, {}, ForwardContext())[0], together[run])
