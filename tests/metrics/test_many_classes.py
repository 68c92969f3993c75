"""Ranking metrics of many classes: what they cost does not grow with classes that no row has, and the values stay.

The cost is counted, not timed: the numbers that torch's operations put out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from losscli.metrics import find
from losscli.metrics.ranking import FEW


class Counted(TorchDispatchMode):
    """How many numbers operations have put out, views aside."""

    numbers = 0

    def __torch_dispatch__(self, function: Any, types: Any, given: Any = (), named: Any = None) -> Any:
        out = function(*given, **(named or {}))
        if not function.is_view:
            self.numbers += sum(one.numel() for one in tree_leaves(out) if isinstance(one, torch.Tensor))
        return out


def probabilities(runs: int, rows: int, classes: int, *, ties: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(rows + classes)
    p = torch.randn(runs, rows, classes, generator=chance).softmax(-1)
    return p.mul(50).round().div(50) if ties else p, torch.randint(classes, (1, rows), generator=chance)


def by_scikit_learn(score: Any, p: np.ndarray, truth: np.ndarray) -> float:
    present = [index for index in np.unique(truth) if (truth == index).sum() < len(truth)]
    assert present
    return float(np.mean([score(truth == index, p[:, index]) for index in present]))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("rows", "classes"), [(FEW * 3 - 1, 3), (FEW * 3, 3), (60, 40), (9, 200)])
@pytest.mark.parametrize(("name", "score"), [("auroc", roc_auc_score), ("auprc", average_precision_score)])
def test_the_values_are_those_of_scikit_learn(name: str, score: Any, rows: int, classes: int, ties: bool) -> None:
    p, truth = probabilities(2, rows, classes, ties=ties)
    values = find(name, "multiclass").function(p, truth)
    for run in range(2):
        assert float(values[run]) == pytest.approx(by_scikit_learn(score, p[run].numpy(), truth[0].numpy()), abs=1e-6)


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    p, truth = probabilities(2, 50, 30, ties=True)
    whole = [find(name, "multiclass").function(p, truth) for name in ("auroc", "auprc")]
    monkeypatch.setattr("losscli.metrics.ranking.BLOCK", 7 * 2 * 50)
    assert all(
        torch.equal(find(name, "multiclass").function(p, truth), value)
        for name, value in zip(("auroc", "auprc"), whole, strict=True)
    )


@pytest.mark.parametrize("name", ["auroc", "auprc"])
def test_the_cost_is_linear_in_classes_with_little_for_each(name: str) -> None:
    numbers = []
    for classes in (1000, 4000):
        p, truth = probabilities(1, 200, classes)
        with Counted() as counted:
            find(name, "multiclass").function(p, truth)
        numbers.append(counted.numbers)
    per_class = (numbers[1] - numbers[0]) / 3000 / 200
    assert per_class < 4  # for each number of a prediction; an order of the rows of each class takes 20
