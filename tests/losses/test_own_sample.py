"""The rows that a loss of one's own is tried on hold every kind of target, so that nothing right is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from losscli.errors import CodeError
from losscli.losses.own import load

CODE = """
from torch.nn.functional import log_softmax, logsigmoid

def only_yes(prediction, target):
    return -target * logsigmoid(prediction)

def only_no(prediction, target):
    return -(1 - target) * logsigmoid(-prediction)

def only_the_last(prediction, target):
    return (target == prediction.shape[-1] - 1) * -log_softmax(prediction, -1)[..., -1]

def only_below(prediction, target):
    return (target - prediction).clamp(min=0) * (target < 0)
"""


@pytest.mark.parametrize(
    ("name", "task", "expects"),
    [
        ("only_yes", "binary", "logits"),
        ("only_no", "binary", "logits"),
        ("only_the_last", "multiclass", "logits"),
        ("only_below", "regression", "values"),
    ],
)
def test_a_loss_that_judges_one_kind_of_target_alone_is_taken(
    name: str, task: str, expects: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(CODE)
    item = load(f"{tmp_path / 'mine.py'}:{name}", task, expects)
    assert (item.task, item.expects) == (task, expects)


FAILING = """
import torch

def of_the_first_class(prediction, target):
    return prediction.square() * torch.tensor([1.0])[target.long()]
"""


def test_a_loss_that_fails_for_another_target_than_the_first_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FAILING)
    with pytest.raises(CodeError, match=r"out of (range|bounds)"):
        load(f"{tmp_path / 'mine.py'}:of_the_first_class", "binary", "logits")
