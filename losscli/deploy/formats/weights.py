"""The weights alone, for layers that one makes oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli.deploy.formats import exporter

if TYPE_CHECKING:
    import torch

    from losscli.deploy.modules import Predictor


@exporter("safetensors", "model.safetensors")
def _safetensors(predictor: Predictor, rows: torch.Tensor) -> bytes:
    """The weights of the body alone: `nn.Sequential` of the layers that the description lists takes them."""
    from safetensors.torch import save

    return save({name: tensor.contiguous() for name, tensor in predictor.body.state_dict().items()})
