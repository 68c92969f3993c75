"""An alias is exact: the loss under a name of elsewhere equals that library's own, up to one constant factor (and constant).

torch and scikit-learn are asked themselves; the others' formulas are written out in plain float64 from their sources.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn_metrics
from torch import Tensor

from losscli.losses import find

SCORES = np.array([-3.0, -1.2, -0.4, 0.3, 0.9, 2.5])
TRUTH = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
LOGITS = np.array([[0.2, -1.0, 1.5], [2.0, 0.1, -0.3], [-0.5, 0.4, 0.6], [1.0, 3.0, 2.9]])
CLASSES = np.array([0, 0, 1, 2])
VALUES = np.array([0.5, 2.0, 3.5, 7.0, 0.1])
TARGETS = np.array([1.0, 2.5, 1.0, 4.0, 3.0])
LABELS = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])


def ours(name: str, task: str, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    values = find(name, task).function(torch.tensor(prediction), torch.tensor(target))
    return (values.mean(-1) if values.dim() > 1 else values).numpy()


@pytest.mark.parametrize(
    ("name", "task", "prediction", "target"),
    [
        ("BCELoss", "binary", 1 / (1 + np.exp(-SCORES)), TRUTH),
        ("BCEWithLogitsLoss", "binary", SCORES, TRUTH),
        ("SoftMarginLoss", "binary", SCORES, TRUTH),
        ("CrossEntropyLoss", "multiclass", LOGITS, CLASSES),
        ("NLLLoss", "multiclass", LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True)), CLASSES),
        ("MultiMarginLoss", "multiclass", LOGITS, CLASSES),
        ("MultiLabelSoftMarginLoss", "multilabel", LOGITS, LABELS),
        ("MSELoss", "regression", VALUES, TARGETS),
        ("L1Loss", "regression", VALUES, TARGETS),
        ("HuberLoss", "regression", VALUES, TARGETS),
        ("SmoothL1Loss", "regression", VALUES, TARGETS),
    ],
)
def test_a_name_of_torch_is_what_torch_has_under_it(
    name: str, task: str, prediction: np.ndarray, target: np.ndarray
) -> None:
    wanted = target * 2 - 1 if name == "SoftMarginLoss" else target
    module: Callable[[Tensor, Tensor], Tensor] = getattr(torch.nn, name)(reduction="none")
    theirs = module(torch.tensor(prediction), torch.tensor(wanted)).numpy()
    same_slope(ours(name, task, prediction, target), theirs)


def same_slope(mine: Sequence[float], theirs: Sequence[float], shifted: bool = False) -> None:
    """Theirs is ours times one positive number; `shifted`, plus a term of the target alone that each row may have."""
    mine, theirs = np.asarray(mine, float), np.asarray(theirs, float)
    if shifted:
        mine, theirs = mine - mine[0], theirs - theirs[0]
    some = np.abs(mine) > 1e-9
    assert some.sum() >= 2
    ratio = theirs[some] / mine[some]
    assert ratio.min() > 0
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)
    np.testing.assert_allclose(theirs[~some], 0, atol=1e-9)


SIGNS = TRUTH * 2 - 1
OF_SCORES: dict[str, Callable[[float, float], float]] = {  # of a score and its class, -1 or 1
    "binary:hinge": lambda x, s: max(0.0, 1 - s * x),  # XGBoost objective/hinge.cu
    "binary:logistic": lambda x, s: math.log(1 + math.exp(-s * x)),
    "reg:logistic": lambda x, s: math.log(1 + math.exp(-s * x)),
    "Logloss": lambda x, s: math.log(1 + math.exp(-s * x)),  # CatBoost
    "log_loss": lambda x, s: math.log(1 + math.exp(-s * x)),
    "sigmoid_binary_cross_entropy": lambda x, s: math.log(1 + math.exp(-s * x)),  # optax
    "brier-score": lambda x, s: (1 / (1 + math.exp(s * x))) ** 2,  # what the truth lacks in probability, squared
    "squared_hinge": lambda x, s: max(0.0, 1 - s * x) ** 2,
    "perceptron_loss": lambda x, s: max(0.0, -s * x),
    "exponential": lambda x, s: math.exp(-s * x),
    "modified_huber": lambda x, s: max(0.0, 1 - s * x) ** 2 if s * x >= -1 else -4 * s * x,  # scikit-learn's _sgd_fast
    # optax: sparse_plus of the negative margin, 0 below -1, x above 1, (x + 1)^2 / 4 between
    "sparsemax_loss": lambda x, s: 0.0 if s * x >= 1 else -s * x if s * x <= -1 else (1 - s * x) ** 2 / 4,
}


@pytest.mark.parametrize("name", OF_SCORES)
def test_a_name_for_scores_is_that_formula(name: str) -> None:
    theirs = [OF_SCORES[name](x, s) for x, s in zip(SCORES, SIGNS, strict=True)]
    same_slope(ours(name, "binary", SCORES, TRUTH), theirs)


OF_VALUES: dict[str, Callable[[float, float], float]] = {  # of a prediction and its target
    "reg:squarederror": lambda x, y: 0.5 * (x - y) ** 2,
    "regression": lambda x, y: (x - y) ** 2,  # LightGBM
    "l2_loss": lambda x, y: 0.5 * (x - y) ** 2,  # optax
    "reg:absoluteerror": lambda x, y: abs(x - y),
    "regression_l1": lambda x, y: abs(x - y),
    "reg:squaredlogerror": lambda x, y: 0.5 * (math.log(x + 1) - math.log(y + 1)) ** 2,
    "mean_squared_log_error": lambda x, y: (math.log(x + 1) - math.log(y + 1)) ** 2,
    "reg:pseudohubererror": lambda x, y: math.sqrt(1 + (x - y) ** 2) - 1,  # slope 1
    "mean_absolute_percentage_error": lambda x, y: 100 * abs((x - y) / y),
    "log_cosh": lambda x, y: math.log(math.cosh(x - y)),
    "huber": lambda x, y: 0.5 * (x - y) ** 2 if abs(x - y) <= 1 else abs(x - y) - 0.5,
    "fair": lambda x, y: abs(x - y) - math.log(1 + abs(x - y)),  # LightGBM, fair_c 1
    "epsilon_insensitive": lambda x, y: max(0.0, abs(x - y) - 0.1),  # scikit-learn's default epsilon
}


@pytest.mark.parametrize("name", OF_VALUES)
def test_a_name_for_values_is_that_formula(name: str) -> None:
    theirs = [OF_VALUES[name](x, y) for x, y in zip(VALUES, TARGETS, strict=True)]
    same_slope(ours(name, "regression", VALUES, TARGETS), theirs)


@pytest.mark.parametrize("name", ["reg:quantileerror", "mean_pinball_loss", "Quantile"])
def test_a_quantile_is_that_of_scikit_learn(name: str) -> None:
    theirs = [sklearn_metrics.mean_pinball_loss([y], [x], alpha=0.5) for x, y in zip(VALUES, TARGETS, strict=True)]
    same_slope(ours(name, "regression", VALUES, TARGETS), theirs)


OF_RATES: dict[str, Callable[[float, float], float]] = {  # of the logarithm of a mean and a target
    "count:poisson": lambda x, y: math.exp(x) - y * x,
    "nn.PoissonNLLLoss()": lambda x, y: math.exp(x) - y * x,  # log_input
    "reg:gamma": lambda x, y: x + y * math.exp(-x),
    "reg:tweedie": lambda x, y: y * math.exp(-0.5 * x) / 0.5 + math.exp(0.5 * x) / 0.5,  # power 1.5
}


@pytest.mark.parametrize("name", OF_RATES)
def test_a_name_for_rates_is_that_formula_plus_a_term_of_the_target(name: str) -> None:
    rates = np.array([-1.0, -0.2, 0.3, 0.8, 1.4])
    for y in (1.0, 3.0):
        theirs = [OF_RATES[name](x, y) for x in rates]
        same_slope(ours(name, "regression", rates, np.full(5, y)), theirs, shifted=True)


def softmax_cross_entropy(x: np.ndarray, y: int) -> float:
    return -math.log(math.exp(x[y]) / sum(math.exp(each) for each in x))


OF_CLASSES: dict[str, Callable[[np.ndarray, int], float]] = {
    "multi:softprob": softmax_cross_entropy,
    "multiclass": softmax_cross_entropy,
    "MultiClass": softmax_cross_entropy,
    "log_loss": softmax_cross_entropy,
    "SoftTargetCrossEntropy": softmax_cross_entropy,
    "multiclassova": lambda x, y: sum(math.log(1 + math.exp(-each if k == y else each)) for k, each in enumerate(x)),
    "MultiClassOneVsAll": lambda x, y: (
        sum(math.log(1 + math.exp(-each if k == y else each)) for k, each in enumerate(x)) / len(x)
    ),
    "multiclass_hinge_loss": lambda x, y: max(each + (k != y) for k, each in enumerate(x)) - x[y],  # optax
}


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_name_for_classes_is_that_formula(name: str) -> None:
    theirs = [OF_CLASSES[name](x, y) for x, y in zip(LOGITS, CLASSES, strict=True)]
    same_slope(ours(name, "multiclass", LOGITS, CLASSES), theirs)


@pytest.mark.parametrize("name", ["MultiLogloss", "MultiCrossEntropy", "binary_cross_entropy_with_logits"])
def test_a_name_for_labels_is_the_mean_over_them(name: str) -> None:
    theirs = [
        np.mean([math.log(1 + math.exp(-v if t else v)) for v, t in zip(row, wanted, strict=True)])
        for row, wanted in zip(LOGITS, LABELS, strict=True)
    ]
    same_slope(ours(name, "multilabel", LOGITS, LABELS), theirs)


@pytest.mark.parametrize(
    ("task", "elsewhere", "here"),
    [
        ("binary", "Hinge", "hinge"),
        ("binary", "binary_crossentropy", "bce"),
        ("binary", "binary_focal_crossentropy", "focal"),
        ("multiclass", "sparse_categorical_crossentropy", "cross-entropy"),
        ("multiclass", "categorical_focal_crossentropy", "focal"),
        ("multiclass", "Lq", "gce"),
        ("multiclass", "tf.nn.softmax_cross_entropy_with_logits", "cross-entropy"),
        ("binary", "tf.nn.sigmoid_cross_entropy_with_logits", "bce-logits"),
        ("multiclass", "categorical_generalized_cross_entropy", "gce"),
        ("regression", "Huber", "huber"),
        ("regression", "Poisson", "poisson-nll"),
        ("regression", "RMSEWithUncertainty", "gaussian-nll"),
    ],
)
def test_a_loss_is_found_under_the_name_that_others_give_it(task: str, elsewhere: str, here: str) -> None:
    assert find(elsewhere, task).name == here


def test_gaussian_nll_under_its_name_in_torch() -> None:
    variance = np.array([0.5, 1.0, 2.0, 4.0, 0.3])
    item = find("nn.GaussianNLLLoss()", "regression")
    mine = item.function(torch.tensor(np.stack([VALUES, np.log(variance)], -1)), torch.tensor(TARGETS)).numpy()
    theirs = torch.nn.GaussianNLLLoss(reduction="none", full=True)(*map(torch.tensor, (VALUES, TARGETS, variance)))
    np.testing.assert_allclose(mine - mine[0], (theirs - theirs[0]).numpy(), rtol=1e-6)


def test_multilabel_margin_is_that_of_torch() -> None:
    listed = torch.tensor([[0, 2, -1], [2, -1, -1], [0, 1, -1], [1, -1, -1]])
    theirs = torch.nn.MultiLabelMarginLoss(reduction="none")(torch.tensor(LOGITS), listed).numpy()
    same_slope(ours("MultiLabelMarginLoss", "multilabel", LOGITS, LABELS), theirs)
