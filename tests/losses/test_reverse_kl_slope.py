"""The slope of reverse-kl where a class that the target rules out is all but certain: q_0 q_1 (gap_0 - gap_1), by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from losscli.losses import for_task


@pytest.mark.parametrize("lead", [3.0, 8.0, 12.0])
def test_the_slope_of_reverse_kl_keeps_its_digits_in_single_precision(lead):
    x = torch.tensor([[lead, 0.0]], requires_grad=True)
    for_task("distribution")["reverse-kl"].function(x, torch.tensor([[0.0, 1.0]])).sum().backward()
    q = 1 / (1 + np.exp(-lead))
    gaps = np.log(q) - np.log(np.finfo(np.float32).tiny), np.log1p(-q)
    slope = q * (1 - q) * (gaps[0] - gaps[1])
    assert x.grad[0].tolist() == pytest.approx([slope, -slope], rel=1e-5, abs=3e-7)
