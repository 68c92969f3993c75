"""Randomness is handed in: every draw of a run comes from its own seed and a purpose, never from a global generator."""

from __future__ import annotations

import numpy as np
import torch

PURPOSES = ("weights", "order", "dropout", "latent")  # by their places: a new one comes last


def generator(seed: int, purpose: str, part: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator for one purpose of one seed (for weights, of one layer): the same whatever else is in the stack.

    Weights and orders are drawn by the CPU, whatever the device, so that a GPU has the same. Dropout is drawn where it is used,
    a mask in every step: with it, a GPU's runs are others than the CPU's.

    >>> bool((torch.rand(3, generator=generator(7, "order")) == torch.rand(3, generator=generator(7, "order"))).all())
    True
    """
    state = np.random.SeedSequence((seed, PURPOSES.index(purpose), part)).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state) & (2**63 - 1))
