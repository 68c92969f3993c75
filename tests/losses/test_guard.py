"""What torch accepts in silence is refused before the kernel runs; what is right gives the kernel's numbers."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from losscli.errors import DataError, SpecError
from losscli.losses import find
from losscli.losses.guard import guarded

COLUMN, ROW = torch.zeros(4, 1), torch.zeros(4)
LOGITS = torch.zeros(4, 3)


def call(task, name, prediction, target, **options):
    return guarded(find(name, task), options, task)(prediction, target)


TRAPS = {
    "a column against a row": ("regression", "mse", COLUMN, ROW, "the same shape"),
    "a row against a column": ("binary", "bce-logits", ROW, COLUMN, "the same shape"),
    "target of 2": ("binary", "bce-logits", ROW, ROW + 2, "0 to 1, and 2"),
    "target of -1": ("binary", "hinge", ROW, ROW - 1, "0 or 1, and -1"),
    "target between": ("binary", "focal", ROW, ROW + 0.5, "0 or 1, and 0.5"),
    "NaN target": ("regression", "mae", ROW, ROW * math.nan, "NaN or infinity"),
    "NaN prediction": ("regression", "mae", ROW * math.nan, ROW, "prediction holds NaN"),
    "negative probability": ("binary", "bce", ROW - 0.1, ROW, "0 to 1, and -0.1"),
    "probability above one": ("binary", "bce", ROW + 1.1, ROW, "0 to 1, and 1.1"),
    "logits into nll": ("multiclass", "nll", LOGITS, ROW.long(), "sum to 1 over the classes"),
    "target that does not sum to one": ("multiclass", "cross-entropy", LOGITS, LOGITS + 0.5, "sum to 1"),
    "target with negative probability": (
        "multiclass",
        "cross-entropy",
        LOGITS,
        torch.tensor([[1.5, -0.5, 0.0]] * 4),
        "0 to 1, and 1.5",
    ),
    "one logit": ("multiclass", "cross-entropy", COLUMN, ROW.long(), "one class is always right"),
    "all ignored": ("multiclass", "cross-entropy", LOGITS, ROW.long() - 100, "0 to 2, and -100"),
    "class out of range": ("multiclass", "cross-entropy", LOGITS, ROW.long() + 3, "0 to 2, and 3"),
    "class as float": ("multiclass", "multi-margin", LOGITS, ROW, "class indices"),
    "class as float where probabilities may be": ("multiclass", "cross-entropy", LOGITS, ROW, "like the prediction"),
    "column of classes": ("multiclass", "cross-entropy", LOGITS, COLUMN.long(), "needs class indices [4]"),
    "rank above what the outputs reach": (
        "multiclass",
        "coral",
        LOGITS,
        ROW.long() + 4,
        "a rank must be 0 to 3, and 4",
    ),
    "negative rank": ("multiclass", "corn", LOGITS, ROW.long() - 1, "a rank must be 0 to 3, and -1"),
    "rank of logits": ("multiclass", "emd", LOGITS, ROW.long() + 3, "a rank must be 0 to 2, and 3"),
    "rank as float": ("multiclass", "coral", LOGITS, ROW, "class indices"),
    "probabilities as a rank": ("multiclass", "emd", LOGITS, LOGITS + 1 / 3, "class indices"),
    "probabilities where an index must be": ("multiclass", "gce", LOGITS, LOGITS + 1 / 3, "class indices"),
    "levels instead of a rank": ("multiclass", "corn", LOGITS, LOGITS.long(), "needs class indices [4]"),
    "empty": ("binary", "bce-logits", torch.zeros(0), torch.zeros(0), "is empty"),
    "one number": ("binary", "bce-logits", torch.tensor(1.0), torch.tensor(1.0), "dimension of samples"),
    "integers": ("regression", "mse", ROW.long(), ROW, "floating-point"),
    "text": ("regression", "mse", ["a"], ROW, "numbers in a tensor"),
    "half a count": ("regression", "poisson-nll", ROW, ROW + 0.5, "an integer >= 0), and 0.5"),
    "negative count": ("regression", "negative-binomial-nll", ROW, ROW - 1, "an integer >= 0), and -1"),
    "zero where a ratio is taken": ("regression", "mape", ROW, ROW, "a number > 0, and 0"),
    "negative amount": ("regression", "tweedie", ROW, ROW - 2, "a number >= 0, and -2"),
    "infinite target": ("regression", "gamma-nll", ROW, ROW + math.inf, "NaN or infinity"),
    "one output for two": ("regression", "gaussian-nll", ROW, ROW, "must be [B, 2] (mean+log-variance)"),
    "two outputs for three quantiles": ("regression", "multi-quantile", torch.zeros(4, 2), ROW, "must be [B, 3]"),
    "a column against two outputs": ("regression", "laplace-nll", torch.zeros(4, 2), COLUMN, "but for the last"),
    "labels without a dimension": ("multilabel", "bce-logits", ROW, ROW, "shape [B, L]"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_traps(trap):
    task, name, prediction, target, said = TRAPS[trap]
    with pytest.raises(DataError) as caught:
        call(task, name, prediction, target)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("task", "name", "options", "said"),
    [
        ("multiclass", "cross-entropy", {"weight": [0.0, 0.0, 0.0]}, "all zero"),
        ("binary", "bce-logits", {"pos_weight": -1.0}, "> 0"),
        ("binary", "bce-logits", {"label_smoothing": math.nan}, "nan"),
        ("binary", "bce-logits", {"pos_weight": "balanced"}, "needs a training split"),
        ("multiclass", "cross-entropy", {"weight": {"a": 1.0}}, "needs a training split"),
        ("binary", "focal", {"gamma": [1.0, 2.0]}, "takes one number here"),
        ("regression", "multi-quantile", {"taus": [0.5, 1.0]}, "> 0 and < 1"),
        ("regression", "multi-quantile", {"taus": [[0.1], [0.9]]}, "takes one number here"),
        ("regression", "barron", {"alpha": 3.0}, "<= 2"),
        ("regression", "barron", {"alpha": math.inf}, "<= 2"),
        ("regression", "tweedie", {"power": 2.0}, "> 1 and < 2"),
        ("regression", "student-t-nll", {"df": math.inf}, "> 0"),
        ("multiclass", "ldam", {}, "counts must be given"),
        ("multiclass", "logit-adjusted", {"tau": 2.0}, "counts must be given"),
        ("multiclass", "balanced-softmax", {"counts": "training"}, "counts must be given"),
        ("multiclass", "ldam", {"counts": "balanced"}, "one or more numbers"),
        ("multiclass", "ldam", {"counts": {"a": 1.0}}, "needs a training split"),
        ("multiclass", "ldam", {"counts": [1.0, -1.0]}, "-1"),
    ],
)
def test_wrong_options_are_refused_at_once(task, name, options, said):
    with pytest.raises(SpecError) as caught:
        guarded(find(name, task), options, task)
    assert said in str(caught.value)


def test_weights_must_be_as_many_as_the_classes():
    with pytest.raises(SpecError, match="each of 3, and 2 are given"):
        call("multiclass", "cross-entropy", LOGITS, ROW.long(), weight=[1.0, 2.0])
    with pytest.raises(SpecError, match="each of 1, and 4 are given"):
        call("binary", "bce-logits", ROW, ROW, pos_weight=[1.0, 2.0, 3.0, 4.0])


def test_weights_as_in_torch():
    chance = torch.Generator().manual_seed(2)
    x, y = torch.randn(8, 3, generator=chance), torch.randint(3, (8,), generator=chance)
    wanted = functional.cross_entropy(x, y, weight=torch.tensor([1.0, 2.0, 0.5]), reduction="none")
    torch.testing.assert_close(call("multiclass", "ce", x, y, weight=[1.0, 2.0, 0.5]), wanted)


def test_multilabel_is_the_mean_over_labels():
    chance = torch.Generator().manual_seed(2)
    x, y = torch.randn(8, 3, generator=chance), torch.randint(2, (8, 3), generator=chance)
    wanted = functional.multilabel_soft_margin_loss(x, y.float(), reduction="none")
    torch.testing.assert_close(call("multilabel", "soft-margin", x, y), wanted)
    weighted = functional.binary_cross_entropy_with_logits(
        x, y.float(), pos_weight=torch.tensor([1.0, 2.0, 3.0]), reduction="none"
    ).mean(-1)
    torch.testing.assert_close(call("multilabel", "bce-logits", x, y, pos_weight=[1.0, 2.0, 3.0]), weighted)


def test_gradients_flow_and_types_are_kept():
    x = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    values = call("binary", "bce-logits", x, torch.ones(4, dtype=torch.bool), pos_weight=2.0)
    values.sum().backward()
    assert values.dtype == torch.float64
    assert x.grad.tolist() == [-1.0] * 4  # -2 (1 - sigmoid(0))


def test_log_softmax_is_accepted_by_nll():
    assert call("multiclass", "nll", torch.log_softmax(LOGITS, -1), ROW.long()).tolist() == pytest.approx(
        [math.log(3)] * 4
    )


def test_ranks_are_one_more_than_the_steps_between_them():
    """Two ranks need one output, four need three; the highest rank is right where every step is passed."""
    assert call("multiclass", "coral", COLUMN, ROW.long()).tolist() == pytest.approx([math.log(2)] * 4)
    assert call("multiclass", "corn", LOGITS, ROW.long() + 3).tolist() == pytest.approx([3 * math.log(2)] * 4)


def test_counts_are_given_in_python():
    """All logits alike: minus the logarithm of a class's share of the counts, half precision or not."""
    share = [math.log(130_000 / 60_000)] * 4
    for counts in ([60_000, 60_000, 10_000], torch.tensor([60_000, 60_000, 10_000])):
        assert call("multiclass", "balanced-softmax", LOGITS, ROW.long(), counts=counts).tolist() == pytest.approx(
            share
        )
    many = call("multiclass", "balanced-softmax", LOGITS.half(), ROW.long(), counts=[120_000, 120_000, 20_000])
    assert many.dtype == torch.float32  # half precision is judged in float32
    assert many.tolist() == pytest.approx(share, rel=0.01)
    with pytest.raises(SpecError, match="each of 3, and 2 are given"):
        call("multiclass", "ldam", LOGITS, ROW.long(), counts=[1.0, 2.0])
    with pytest.raises(SpecError, match="each of 3 classes, and 5"):
        call("multiclass", "ldam", LOGITS, ROW.long(), counts=5.0)


@pytest.mark.parametrize(
    "name", ["poly-1", "mae", "brier", "sparsemax", "ova-bce", "bootstrap-soft", "confidence-penalty"]
)
def test_probabilities_are_a_target_where_the_loss_says_so(name):
    wanted = torch.eye(3, dtype=torch.float64)[[0, 1, 2, 0]]  # the prediction's type is taken
    found = call("multiclass", name, LOGITS, wanted)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, call("multiclass", name, LOGITS, wanted.argmax(-1)))
    with pytest.raises(DataError, match="sum to 1"):
        call("multiclass", name, LOGITS, wanted / 2)


def test_several_outputs_for_one_number():
    outputs = torch.tensor([[0.0, 2.0], [3.0, 1.0]])
    found = call("regression", "multi-quantile", outputs, [1, 2], taus=[0.25, 0.75])
    assert found.tolist() == [0.25, 1.75]  # (1 + 1) / 8; (3 / 4 + 3 / 4 + the crossing of 2) / 2
    assert call("regression", "gaussian-nll", outputs, [0, 1]).shape == (2,)
    assert call("regression", "barron", [1.0, 2.0], [0, 0], alpha=-math.inf).shape == (2,)


def test_half_precision_is_judged_in_float32():
    x = torch.tensor([300.0, -2.0], dtype=torch.float16, requires_grad=True)
    values = call("regression", "mse", x, [0, 0])
    values.sum().backward()
    assert values.tolist() == [90000.0, 4.0]
    assert x.grad.tolist() == [600.0, -4.0]
    x = torch.tensor([-9.0], dtype=torch.float16, requires_grad=True)
    call("regression", "gamma-nll", x, [1e4]).sum().backward()
    assert x.grad.tolist() == [-65504.0]  # -1e4 e^9, cut to what float16 holds


def test_a_word_is_an_option_in_python():
    found = call("binary", "auc-pairwise", [2.0, 0.5], [1, 0], surrogate="squared-hinge")
    assert found.tolist() == 0.0
    assert call("binary", "auc-pairwise", [0.5, 1.0], [1, 0], surrogate="hinge").tolist() == 1.5


def test_a_required_option_is_asked_for_in_python():
    with pytest.raises(SpecError, match="cost-sensitive needs false_positive and false_negative"):
        guarded(find("cost-sensitive", "binary"), {})


@pytest.mark.parametrize(("off", "taken"), [(0.0009, True), (-0.0009, True), (0.0011, False), (-0.0011, False)])
def test_a_sum_of_probabilities_may_be_a_thousandth_from_one(off, taken):
    """As far as float16 may be from it; of the prediction and of the target."""
    row = torch.tensor([[0.5, 0.25, 0.25 + off]], dtype=torch.float64)
    for prediction, target in ((row.log(), torch.tensor([0])), (torch.zeros(1, 3, dtype=torch.float64), row)):
        name = "nll" if target.ndim == 1 else "cross-entropy"
        if taken:
            assert math.isfinite(call("multiclass", name, prediction, target).item())
        else:
            with pytest.raises(DataError, match="sum to 1 over the classes"):
                call("multiclass", name, prediction, target)
