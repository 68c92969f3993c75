"""A device that stands in for a GPU where there is none: its tensors lie apart from the CPU's, and the CPU does the sums.

As on a GPU, an operation that mixes the two raises, and so does a look at the numbers from outside (`numpy()`). What comes back
is what the CPU says, bit for bit, so a run here must equal the same run on the CPU. What it cannot show is what only a
GPU's kernels do: their rounding, their speed, and whether they add up in the same order twice.

Stricter than a GPU in one thing: an index must be on the device too, since one from the CPU would be copied, with a wait, at
every use. `waits` counts the looks from outside (`item()`, `tolist()`, `cpu()`), each of which stops a GPU's queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from losscli.stack import chance

aten = torch.ops.aten
LOOKS = (aten._local_scalar_dense.default, aten.equal.default, aten.is_nonzero.default)

_setup_privateuseone_for_python_backend("standin")
DEVICE = torch.device("standin", 0)


class Apart(Tensor):
    """A tensor of the device: `held` is where its numbers are."""

    held: Tensor
    waits = 0

    @staticmethod
    def __new__(cls, held: Tensor) -> Apart:
        place = (held.stride(), held.storage_offset())
        made = Tensor._make_wrapper_subclass(cls, held.shape, *place, dtype=held.dtype, device=DEVICE)
        made.held = held
        return made

    def __repr__(self) -> str:
        return f"{self.held}, apart"

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, given: Sequence[Any] = (), named: Any = None) -> Any:
        return computed(operation, given, named or {})

    def tolist(self) -> Any:
        Apart.waits += 1
        return self.held.tolist()

    def numpy(self, **_: Any) -> Any:
        raise TypeError("the numbers are on another device: use cpu() first")


def computed(operation: Any, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """What the operation gives, on the device that it belongs to."""
    target = named.get("device")
    leaves = [leaf for leaf in tree_flatten((given, dict(named)))[0] if isinstance(leaf, Tensor)]
    if operation is not aten.copy_.default and any(leaf.ndim and not isinstance(leaf, Apart) for leaf in leaves):
        raise RuntimeError(f"{operation}: tensors of two devices meet")
    if operation in LOOKS:
        Apart.waits += 1
    owners = {id(leaf.held): leaf for leaf in leaves if isinstance(leaf, Apart)}
    found = operation(*tree_map(_opened, tuple(given)), **tree_map(_opened, dict(named)))
    if target is not None and torch.device(target).type == "cpu":
        Apart.waits += 1
        return found
    if operation is aten.copy_.default and not isinstance(given[0], Apart):
        Apart.waits += 1
        return given[0]
    # What was changed in place is the same tensor as before.
    return tree_map(lambda each: owners[id(each)] if id(each) in owners else _apart(each), found)


def _apart(each: Any) -> Any:
    return Apart(each) if isinstance(each, Tensor) else each


def _opened(each: Any) -> Any:
    if isinstance(each, Apart):
        return each.held
    return torch.device("cpu") if isinstance(each, torch.device) else each


def _empty(size: Sequence[int], dtype: Any = None, **_: Any) -> Tensor:
    return Apart(torch.empty(size, dtype=dtype))


def _empty_strided(size: Sequence[int], stride: Sequence[int], dtype: Any = None, **_: Any) -> Tensor:
    return Apart(torch.empty_strided(size, stride, dtype=dtype))


def _copy_from(source: Tensor, into: Tensor, non_blocking: bool = False) -> Tensor:
    """What `torch.tensor(..., device=...)` ends with."""
    _opened(into).copy_(_opened(source))
    return into


def generator(seed: int, purpose: str, part: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """As `losscli.stack.chance` has it; noise for this device is drawn by the CPU."""
    return chance.generator(seed, purpose, part, "cpu" if torch.device(device).type == DEVICE.type else device)


factories = torch.library.Library("aten", "IMPL")
factories.impl("empty.memory_format", _empty, "PrivateUse1")
factories.impl("empty_strided", _empty_strided, "PrivateUse1")
factories.impl("_copy_from", _copy_from, "PrivateUse1")
