"""Where a stack runs, and how many runs it should carry there."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import torch

from losscli.errors import MachineError, SpecError

# What one step works on should stay in the cache; on a GPU, in a good part of the free memory (see tests/benchmarks/).
CPU_WORKING_SET = 8 << 20
GPU_SHARE = 0.3
ONE_THREAD_SET = 1 << 20


def choose(name: str) -> torch.device:
    """The device of that name; `auto` is the first GPU if there is one. `MachineError` lists those that exist.

    >>> choose("cpu")
    device(type='cpu')
    """
    there = ["cpu", *(f"cuda:{place}" for place in range(torch.cuda.device_count()))]
    if name == "auto":
        return torch.device("cuda:0" if len(there) > 1 else "cpu")
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in there:
        raise MachineError(
            f"the device {name[:40]!r} is not here; there {'are' if len(there) > 1 else 'is'}: {', '.join(there)}",
            cure="use --device cpu, or auto for the best there is",
        )
    return torch.device(wanted)


def width(cost: int, device: torch.device) -> int:
    """How many runs, each with a working set of `cost` bytes, one stack carries.

    >>> width(1 << 20, torch.device("cpu"))
    8
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return max(1, int(free * GPU_SHARE) // cost)
    return max(1, CPU_WORKING_SET // cost)


@contextmanager
def threads(cost: int, device: torch.device) -> Iterator[None]:
    """One thread for a stack whose working set of `cost` bytes is small: others would only wait, and badly on a busy machine."""
    before = torch.get_num_threads()
    if device.type == "cpu" and cost <= ONE_THREAD_SET:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def memory_told(batch_size: int) -> Iterator[None]:
    """`MachineError` where the memory runs out; the batch size stays what the user said."""
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one, and the CPU's allocator raises it plainly
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise MachineError(
            f"the memory is not enough for batches of {batch_size} rows with this model and so many runs",
            cure="make train.batch_size, model.hidden or the number of seeds smaller, or use --device cpu",
        ) from error


def refuse_if_too_large(cost: int, device: torch.device) -> None:
    """`SpecError` where not even one run fits into memory: told before anything is allocated."""
    if device.type == "cuda":
        limit = torch.cuda.mem_get_info(device)[0]
    else:
        limit = int(0.8 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    if cost > limit:
        raise SpecError(
            f"one run of this model needs about {cost / 1e9:.1f} GB, and the limit here is {limit / 1e9:.1f} GB",
            cure="make model.hidden or train.batch_size smaller",
        )


def chunks(count: int, size: int) -> list[tuple[int, int]]:
    """`count` runs in as few stacks as possible of at most `size`, as even as possible.

    >>> chunks(40, 16)
    [(0, 14), (14, 27), (27, 40)]
    """
    parts = max(1, math.ceil(count / size))
    edges = [math.ceil(count * part / parts) for part in range(parts + 1)]
    return list(pairwise(edges))
