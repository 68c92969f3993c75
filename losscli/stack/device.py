"""Where a stack runs, and how many runs it should carry there."""

from __future__ import annotations

import ctypes
import math
import os
import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from losscli.data.store import memory
from losscli.errors import MachineError, SpecError

CPU = torch.device("cpu")
# What one step works on should stay in the cache; on a GPU, in a good part of its memory (see tests/benchmarks/).
CPU_WORKING_SET = 8 << 20
CPU_JUDGED = 1 << 31  # bytes that the runs of a stack may take while they are judged; of one run, as many as it needs
GPU_SHARE = 0.3
CPU_ROWS = (
    16  # of a stack, at most: more of them are no faster each, and fewer leave cores idle (see tests/benchmarks/)
)
SMALL_STACK = 8  # runs, of which half as many would take almost as long
CHUNKS = {
    "cpu": 1 << 20,
    "cuda": 1 << 26,
}  # numbers of activations at a time when a split is judged: 4 MB, of the cache, and 256
# By their numbers in malloc.h: what is at the end of the heap stays up to so many bytes (M_TRIM_THRESHOLD), and from so many
# on a tensor has memory of its own (M_MMAP_THRESHOLD, no more than 32 MB).
KEPT = 256 << 20
HEAP = {-1: KEPT, -3: 32 << 20}
# What torch and the GPU's libraries say where memory runs out, besides `torch.OutOfMemoryError`.
OUT_OF_MEMORY = ("allocate memory", "out of memory", "ALLOC_FAILED")


def choose(name: str, precision: str = "float32") -> torch.device:
    """The device of that name, which has this precision; `auto` is the first GPU if there is one. `MachineError` lists those
    that exist.

    >>> choose("cpu")
    device(type='cpu')
    """
    devices = ["cpu", *(f"cuda:{place}" for place in range(torch.cuda.device_count()))]
    auto = "cuda:0" if len(devices) > 1 else "cpu"
    requested = {"auto": auto, "cuda": "cuda:0"}.get(name, name)
    if requested not in devices:
        raise MachineError(
            f"the device {name[:40]!r} is not here; there {'are' if len(devices) > 1 else 'is'}: {', '.join(devices)}",
            cure="use --device cpu, or auto for the best there is",
        )
    device = torch.device(requested)
    refuse_precision(precision, device)
    return device


def refuse_precision(precision: str, device: torch.device) -> None:
    """`SpecError` for a precision of training steps that the device does not have.

    >>> refuse_precision("bf16", CPU)
    """
    if precision == "tf32" and not _has_tf32(device):
        raise SpecError(
            f"precision tf32 is that of NVIDIA's GPUs from Ampere on, and the device here is {name_of(device)}",
            cure="use --precision float32 or bf16, or --device cuda on a machine that has such a GPU",
        )
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise SpecError(
            f"precision bf16 is that of GPUs from Ampere on, and the device here is {name_of(device)}",
            cure="use --precision float32, or --device cpu",
        )


def _has_tf32(device: torch.device) -> bool:
    return device.type == "cuda" and torch.version.hip is None and torch.cuda.get_device_capability(device) >= (8, 0)


def name_of(device: torch.device) -> str:
    """What it is, as its maker calls it: other ones round otherwise."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def width(cost: int, device: torch.device, judging: int = 1) -> int:
    """How many runs, each with a working set of `cost` bytes, and so many while it is judged, one stack carries.

    By the model and the batches alone: with more workers there are not other stacks, and so not other bits.

    >>> width(1 << 20, CPU), width(1 << 10, CPU), width(1 << 10, CPU, judging=1 << 29)
    (8, 16, 4)
    """
    if device.type != "cuda":
        return min(CPU_ROWS, max(1, CPU_WORKING_SET // cost), max(1, CPU_JUDGED // judging))
    free, total = torch.cuda.mem_get_info(device)
    free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(
        device
    )  # torch keeps it for its next tensors
    return max(1, share_of(free, total) // max(cost, judging))


def share_of(free: int, total: int) -> int:
    """How many bytes of a GPU's memory stacks are made for.

    By its total, so that the same command makes the same stacks whatever else has a little of it; halved, and halved again,
    where a large part is taken.

    >>> share_of(80 << 30, 80 << 30) == share_of(41 << 30, 80 << 30) == 2 * share_of(39 << 30, 80 << 30)
    True
    """
    share = int(GPU_SHARE * total)
    while share > 2 * GPU_SHARE * free:
        share //= 2
    return share


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A small tensor of the CPU on the device; to a GPU from pinned memory, so that neither of them waits for the copy."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


@contextmanager
def exact(device: torch.device) -> Iterator[None]:
    """Matrix products on a GPU that are float32 throughout, and the same twice, whatever the process was set to before."""
    if device.type != "cuda":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS makes its first handle
    products = torch.backends.cuda.matmul
    before, products.fp32_precision = products.fp32_precision, "ieee"  # not TF32, which keeps 10 bits of 23
    try:
        yield
    finally:
        products.fp32_precision = before


@contextmanager
def products_of(precision: str) -> Iterator[None]:
    """Matrix products on a GPU with 10 bits of 23 where `precision` is tf32: for steps, within `exact`."""
    if precision != "tf32":
        yield
        return
    products = torch.backends.cuda.matmul
    before, products.fp32_precision = products.fp32_precision, "tf32"
    try:
        yield
    finally:
        products.fp32_precision = before


@contextmanager
def in_order(device: torch.device) -> Iterator[None]:
    """On a GPU, what adds up into one place (`scatter_add`) does it in the same order every time.

    That costs a wait, so it is for what is done once an epoch. Steps do without: of the kernels that they use, none adds two
    numbers into one place in an order of chance (the gradient of `gather` has a place for each number).
    """
    if device.type != "cuda":
        yield
        return
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("warn")
    try:
        with warnings.catch_warnings():
            # Those here count rows, in whole numbers, whose sum is the same in any order, or go along a short last dimension.
            warnings.filterwarnings("ignore", message=".*cumsum_cuda_kernel")
            yield
    finally:
        torch.set_deterministic_debug_mode(before)


@contextmanager
def one_thread(device: torch.device = CPU) -> Iterator[None]:
    """One thread for what runs on the CPU: cores are for other stacks, threads wait badly on a busy machine, and their
    number would change how sums are rounded. (MKL begins them for the logarithm of a hundred numbers, and all of them spin.)
    """
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def keep_freed_memory() -> None:
    """Keep for the next tensor what the last one has left, where the C library can be told so (glibc).

    It gives freed memory back to the system, as it does after each step of some stacks: whose pages are then cleared anew, for
    a third of the step.
    """
    tell = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if tell is not None:
        for option, size in HEAP.items():
            tell(option, size)


@contextmanager
def out_of_memory_explained(batch_size: int) -> Iterator[None]:
    """`MachineError` where the memory runs out; the batch size stays what the user said."""
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one, and the CPU's allocator raises it plainly
        if not isinstance(error, torch.OutOfMemoryError) and not any(phrase in str(error) for phrase in OUT_OF_MEMORY):
            raise
        raise MachineError(
            f"the memory is not enough for batches of {batch_size} rows with this model and so many runs",
            cure="make train.batch_size, model.hidden or the number of seeds smaller, or use --device cpu",
        ) from error


def refuse_if_too_large(cost: int, device: torch.device) -> None:
    """`SpecError` where not even one run fits into memory: told before anything is allocated."""
    limit = limit_of(device)
    if cost > limit:
        raise SpecError(
            f"one run of this model needs about {cost / 1e9:.1f} GB, and the limit here is {limit / 1e9:.1f} GB",
            cure="make model.hidden or train.batch_size smaller",
        )


def limit_of(device: torch.device) -> int:
    """How many bytes may be taken there."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else int(0.8 * memory())


def room_for(cost: int, device: torch.device) -> int:
    """How many stacks of so many bytes may be at work at once, one at least."""
    return max(1, limit_of(device) // max(1, cost))


def chunks(count: int, size: int, even: bool = False) -> list[tuple[int, int]]:
    """`count` runs in as few stacks as possible of at most `size`, as even as possible.

    Where two cores are to end at the same time, in an `even` number of them, unless all runs make a small stack: 15 runs then
    take 0.64 of the time of one stack, and 40 take 0.79 of that of three (reckoned, see tests/benchmarks/STEPS.md).

    >>> chunks(40, 16), chunks(15, 16, even=True), chunks(8, 16, even=True)
    ([(0, 14), (14, 27), (27, 40)], [(0, 8), (8, 15)], [(0, 8)])
    """
    parts = max(1, math.ceil(count / size))
    if even and count > SMALL_STACK:
        parts += parts % 2
    edges = [math.ceil(count * part / parts) for part in range(parts + 1)]
    return list(pairwise(edges))


def peak_memory(device: torch.device) -> float:
    """Bytes at once: of a GPU what was allocated on it; else of this process, or of the largest that it has waited for.

    NaN where the system does not tell.
    """
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # Windows
        return math.nan
    unit = 1 if platform.system() == "Darwin" else 1024
    own, children = (
        unit * resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    with suppress(OSError):  # Linux, whose ru_maxrss begins at what the process had that started this one
        status = Path("/proc/self/status").read_text()
        own = next((1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), own)
    return float(max(own, children))
