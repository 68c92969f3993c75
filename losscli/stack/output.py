"""What stands between the last layer and the loss: a chain of activations, right or (on purpose) wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

CHAIN: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": functional.softplus,
    "exp": torch.exp,
    "softmax": lambda x: torch.softmax(x, dim=-1),
    "log-softmax": lambda x: torch.log_softmax(x, dim=-1),
}
MEANING = {"sigmoid": "probabilities", "softmax": "probabilities", "log-softmax": "log-probabilities"}


def through(chain: Sequence[str], x: Tensor) -> Tensor:
    """`x` after every activation of the chain.

    >>> through(("relu", "sigmoid"), torch.tensor([-3.0, 0.0])).tolist()
    [0.5, 0.5]
    """
    for name in chain:
        x = CHAIN[name](x)
    return x


def meaning(chain: Sequence[str], expects: str) -> str:
    """How predictions are read from what the loss receives.

    As the author of the model would read it: after a sigmoid or a softmax they are probabilities, whatever the loss makes
    of them; otherwise they are what the loss expects.

    >>> meaning(("sigmoid",), "logits"), meaning((), "logits")
    ('probabilities', 'logits')
    """
    return MEANING.get(chain[-1], expects) if chain else expects
