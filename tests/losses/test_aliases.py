"""Losses under the names that torch and Keras give them."""

from __future__ import annotations

import pytest

from losscli.losses import find


@pytest.mark.parametrize(
    ("task", "elsewhere", "here"),
    [
        ("binary", "Hinge", "hinge"),
        ("binary", "squared_hinge", "squared-hinge"),
        ("binary", "binary_crossentropy", "bce"),
        ("binary", "binary_focal_crossentropy", "focal"),
        ("multilabel", "MultiLabelSoftMarginLoss", "soft-margin"),
        ("multiclass", "categorical_crossentropy", "cross-entropy"),
        ("multiclass", "sparse_categorical_crossentropy", "cross-entropy"),
        ("multiclass", "categorical_focal_crossentropy", "focal"),
        ("multiclass", "categorical_hinge", "crammer-singer"),
        ("multiclass", "categorical_generalized_cross_entropy", "gce"),
        ("regression", "mean_squared_error", "mse"),
        ("regression", "mean_absolute_error", "mae"),
        ("regression", "mean_absolute_percentage_error", "mape"),
        ("regression", "mean_squared_logarithmic_error", "msle"),
        ("regression", "log_cosh", "log-cosh"),
        ("regression", "Huber", "huber"),
        ("regression", "Poisson", "poisson-nll"),
    ],
)
def test_a_loss_is_found_under_the_name_that_others_give_it(task, elsewhere, here):
    assert find(elsewhere, task).name == here
