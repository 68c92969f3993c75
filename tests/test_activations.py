"""One contract for every activation: the same numbers in PyTorch's own layer and in ONNX; what it says of them holds."""

from __future__ import annotations

import warnings
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from losscli.activations import ACTIVATIONS, LOGS, PROBABILITIES, Hidden, Output
from losscli.stack.layers import Activation, ForwardContext
from losscli.tasks import tasks

Said = dict[str, tuple[torch.Tensor, np.ndarray]]
every_activation = pytest.mark.parametrize("name", ACTIVATIONS)


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return torch.randn(7, 4, generator=torch.Generator().manual_seed(1)) * 3


@every_activation
def test_its_numbers_are_those_of_its_definition(name: str, x: torch.Tensor) -> None:
    """In float64, by plain numpy and scipy."""
    from scipy.special import erf, expit, log_softmax, softmax

    by_hand = {
        "none": lambda z: z,
        "relu": lambda z: np.maximum(z, 0),
        "sigmoid": expit,
        "softmax": lambda z: softmax(z, axis=-1),
        "log-softmax": lambda z: log_softmax(z, axis=-1),
        "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
        "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
        "tanh": np.tanh,
        "silu": lambda z: z * expit(z),
        "leaky-relu": lambda z: np.where(z > 0, z, 0.2 * z),
        "softplus": lambda z: np.logaddexp(0, z),
        "exp": np.exp,
    }
    np.testing.assert_allclose(ACTIVATIONS[name](x.double()), by_hand[name](x.double().numpy()), rtol=1e-12, atol=1e-15)


class EveryLayer(nn.Module):
    """The layer of each activation that has one, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(one.module() for one in ACTIVATIONS.values() if one.layer is not None)

    def forward(self, opposite: torch.Tensor) -> tuple[torch.Tensor, ...]:
        x = -opposite  # a layer that does nothing would name an input as an output
        return tuple(layer(x) for layer in self.layers)


@pytest.fixture(scope="module")
def in_torch_and_onnx(x: torch.Tensor, tmp_path_factory: pytest.TempPathFactory) -> Said:
    """What the layers say by the name of their activation, in torch and in one exported graph."""
    from onnxruntime import InferenceSession

    layers = EveryLayer()
    shape = {0: torch.export.Dim("rows", min=1)}
    with warnings.catch_warnings(action="ignore"):  # what the exporter says about itself
        program = torch.onnx.export(
            layers, (-x,), dynamo=True, verbose=False, input_names=["x"], dynamic_shapes=(shape,)
        )
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    program.save(str(path))
    session = InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [name for name, one in ACTIVATIONS.items() if one.layer is not None]
    return dict(zip(names, zip(layers(-x), session.run(None, {"x": -x.numpy()}), strict=True), strict=True))


@every_activation
def test_it_is_the_same_in_torch_and_in_onnx(name: str, x: torch.Tensor, in_torch_and_onnx: Said) -> None:
    activation = ACTIVATIONS[name]
    if activation.layer is None:
        assert not activation.hidden  # else a network with it could not be handed on
        return
    by_layer, by_graph = in_torch_and_onnx[name]
    torch.testing.assert_close(by_layer, activation(x), rtol=0, atol=0)
    np.testing.assert_allclose(by_graph, activation(x), rtol=1e-5, atol=1e-6)


@every_activation
def test_what_it_says_of_its_numbers_holds(name: str, x: torch.Tensor) -> None:
    activation = ACTIVATIONS[name]
    numbers = activation(torch.cat([10 * x, x, x / 100]))
    assert numbers.min() >= activation.low
    assert numbers.max() <= activation.high
    for end, reached in ((activation.low, numbers.min()), (activation.high, numbers.max())):
        assert not np.isfinite(end) or abs(reached - end) < 0.02  # else a tighter bound would hold
    alone, beside = activation(x[:, :1].double()), activation(x.double())[:, :1]
    assert activation.across == (not torch.allclose(alone, beside))
    if activation.gives is not None:
        probabilities = {PROBABILITIES: numbers, LOGS: numbers.exp()}[activation.gives]
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
        assert not activation.across or torch.allclose(probabilities.sum(-1), torch.ones(()))


@pytest.mark.parametrize("name", [name for name, activation in ACTIVATIONS.items() if activation.hidden])
def test_a_layer_of_it_is_the_same_for_runs_and_for_one(name: str, x: torch.Tensor) -> None:
    stacked = Activation(name)(x[None], {}, {}, ForwardContext())[0]
    torch.testing.assert_close(Activation(name).module({})(x), stacked, rtol=0, atol=0)


@pytest.mark.parametrize("task", tasks.names())
def test_links_give_what_a_loss_expects(task: str) -> None:
    for expects, link in tasks.get(task).links.items():
        if link is not None:
            assert ACTIVATIONS[link].gives == expects
            assert ACTIVATIONS[link].output
            assert ACTIVATIONS[link].across == tasks.get(task).outputs_compete


def test_a_spec_may_say_those_of_the_table() -> None:
    assert [name for name, activation in ACTIVATIONS.items() if activation.hidden] == list(get_args(Hidden))
    assert [name for name, activation in ACTIVATIONS.items() if activation.output] == list(get_args(Output))
