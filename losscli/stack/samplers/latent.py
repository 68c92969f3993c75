"""Real rows and noise: for a generator that makes rows of noise, and a discriminator that must tell them from real ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from losscli.data.dataset import SPLITS
from losscli.stack.chance import generator
from losscli.stack.device import sent
from losscli.stack.rows import Spans
from losscli.stack.samplers import BLOCK, Sampler, drawn, sampler
from losscli.tasks.phases import Batch


@sampler("latent")
class Latent(Sampler):
    """`real` rows are those of the target, drawn with replacement; `latent` is normal noise [B, Z], Z as the option says.

    For penalties there are numbers between 0 and 1, `mix` [B, 1] and `noise` [B, F], one for each sample.
    """

    at_once = BLOCK  # always, as a stream that is read in other pieces gives other numbers

    def __init__(self, *given: Any, latent: int):
        super().__init__(*given)
        self.latent = latent
        self.noise = [generator(seed, "latent") for seed in self.rows.seeds]
        self.fixed: dict[str, Tensor] = {}  # the noise of each split that was asked for

    def spans(self) -> Spans:
        return [(place * self.size, (place + 1) * self.size) for place in range(len(super().spans()))]

    def order(self) -> Tensor:
        count, size = self.rows.count("train"), self.spans()[-1][1]
        return torch.stack([torch.randint(count, (size,), generator=chance) for chance in self.chances])

    def gather(self, order: Tensor) -> Batch:
        real, n = self.rows.gather_targets(order)["target"], order.shape[1]
        latent = drawn((n, self.latent), self.noise, torch.randn)
        between = sent(drawn((n, 1 + real.shape[-1]), self.noise, torch.rand), self.rows.device)
        return {
            "real": real,
            "latent": sent(latent, self.rows.device),
            "mix": between[..., :1],
            "noise": between[..., 1:],
        }

    def split(self, split: str, start: int, stop: int) -> Batch:
        if split not in self.fixed:
            streams = [generator(seed, "latent", 1 + SPLITS.index(split)) for seed in self.rows.seeds]
            shape = (self.rows.count(split), self.latent)
            self.fixed[split] = sent(drawn(shape, streams, torch.randn), self.rows.device)
        return {"latent": self.rows.hand_out(self.fixed[split][:, start:stop])}

    def state(self) -> list[Tensor]:
        return [*super().state(), *(noise.get_state() for noise in self.noise)]

    def load(self, state: Sequence[Tensor]) -> None:
        super().load(state[: len(self.noise)])
        for noise, place in zip(self.noise, state[len(self.noise) :], strict=True):
            noise.set_state(torch.as_tensor(place))
