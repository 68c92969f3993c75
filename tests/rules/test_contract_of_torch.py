"""The table of torch's losses, against torch itself: names and orders of arguments."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from losscli.lint.vocabulary import LAYERS, OPTIMIZERS, PARAMETRIC
from losscli.rules.contract import LOSSES, TorchLoss


def names(function: object) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]  # type: ignore[arg-type]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kind)
def test_arguments_are_those_of_torch(loss: TorchLoss) -> None:
    assert tuple(names(getattr(nn, loss.kind).__init__)) == loss.setup
    function = names(getattr(nn.functional, loss.function))
    assert tuple(function[: len(loss.tensors)]) == loss.tensors
    assert len(names(getattr(nn, loss.kind).forward)) == len(loss.tensors)
    assert tuple(function[len(loss.tensors) :])[: len(loss.setup)] == loss.setup


@pytest.mark.parametrize("kind", sorted({*LAYERS, *PARAMETRIC}))
def test_layers_exist(kind: str) -> None:
    assert issubclass(getattr(nn, kind), nn.Module)


def test_optimizers_exist() -> None:
    elsewhere = {"LAMB", "Lion"}
    assert {name for name in OPTIMIZERS if not hasattr(torch.optim, name)} <= elsewhere
