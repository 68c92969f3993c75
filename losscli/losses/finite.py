"""What keeps a loss finite: half precision is widened, and an exponential goes on as a straight line."""

from __future__ import annotations

from losscli.lazy import Tensor, torch

RATE_KNEE = 40.0  # e^40 = 2e17: above every count; its square, which Adam takes, still fits float32
SCALE_KNEE = 20.0  # e^20 = 5e8: a standard deviation of 5e-5 where the whole target has 1


def widened(numbers: Tensor) -> Tensor:
    """Half precision as float32, as torch.autocast does for losses; other types as they are.

    A square leaves float16 at 256, an exponential at 11. On the way back a gradient that the half type cannot hold is cut
    to the largest that it can.

    >>> widened(torch.tensor([300.0], dtype=torch.float16)).square().tolist()
    [90000.0]
    """
    if numbers.dtype not in (torch.float16, torch.bfloat16):
        return numbers
    wide = numbers.float()
    if wide.requires_grad:
        largest = torch.finfo(numbers.dtype).max
        wide.register_hook(lambda gradient: gradient.clamp(-largest, largest))  # type: ignore[no-untyped-call]
    return wide


def difference(prediction: Tensor, target: Tensor) -> Tensor:
    """x - y, in float32 at least."""
    return widened(prediction) - widened(target)


def finite_exp(exponent: Tensor, knee: float) -> Tensor:
    """exp up to the knee, its tangent beyond: convex, smooth, and its slope never vanishes as that of a clamp would.

    >>> finite_exp(torch.tensor([-1.0, 0.0, 4.0]).double(), knee=0.0).tolist()  # 1 / e, 1, 1 + 4
    [0.36787944117144233, 1.0, 5.0]
    """
    return torch.exp(exponent.clamp(max=knee)) * (1 + torch.relu(exponent - knee))
