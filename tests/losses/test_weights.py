"""Weights from the training split, against scikit-learn and against torch's weighted mean."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional

from losscli.errors import SpecError
from losscli.losses import find
from losscli.losses.weights import class_counts, class_weights, positive_weight, rows_of_class, sample_weights

TARGET = np.array([0] * 60 + [1] * 30 + [2] * 10)
LABELS = ("cat", "dog", "owl")


def test_balanced_is_scikit_learns():
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=TARGET)
    np.testing.assert_allclose(class_weights("balanced", TARGET, LABELS), wanted, rtol=1e-6)


def test_effective_by_hand():
    raw = [(1 - 0.9999) / (1 - 0.9999**count) for count in (60, 30, 10)]
    found = class_weights("effective", TARGET, LABELS)
    np.testing.assert_allclose(found, np.array(raw) * 3 / sum(raw), rtol=1e-6)
    assert found.mean() == pytest.approx(1.0)


@pytest.mark.parametrize("rule", ["balanced", "effective"])
def test_a_class_without_training_rows_gets_no_weight(rule):
    found = class_weights(rule, TARGET, (*LABELS, "yak"))
    assert found[3] == 0
    assert np.isfinite(found).all()


def test_numbers_lists_and_mappings():
    assert class_weights(2, TARGET, LABELS).tolist() == [2, 2, 2]
    assert class_weights([1, 2, 3], TARGET, LABELS).tolist() == [1, 2, 3]
    assert class_weights({"owl": 5, "cat": 0.5}, TARGET, LABELS).tolist() == [0.5, 1.0, 5.0]
    assert class_weights({1: 4}, TARGET, ("0", "1", "2")).tolist() == [1, 4, 1]
    assert class_weights({True: 4}, TARGET, ("False", "True")).tolist() == [1, 4]


@pytest.mark.parametrize("labels", [("False", "True"), ("false", "true"), ("0", "1")])
@pytest.mark.parametrize("label", [True, "true", "True", "TRUE", 1, 1.0, "1", "1.0"])
def test_spellings_of_one_label_are_one_label(label, labels):
    assert class_weights({label: 4}, TARGET, labels).tolist() == [1, 4]
    assert positive_weight({label: 4}, np.array([0.0, 1.0]), labels) == 4


def test_classes_that_a_mapping_does_not_name_count_one():
    assert class_weights({"dog": 0}, TARGET, LABELS).tolist() == [1, 0, 1]
    assert class_weights([0, 0, 2], TARGET, LABELS).tolist() == [0, 0, 2]  # not all of them are zero
    assert class_counts({"dog": 5}, TARGET, LABELS).tolist() == [60, 5, 10]  # what is counted is not 1


def test_a_label_that_is_named_twice_is_refused():
    with pytest.raises(SpecError, match="the label '1' is named twice") as caught:
        class_weights({"1": 2, "1.0": 3}, TARGET, ("0", "1"))
    assert caught.value.problems[0].cure


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([1, 2], "2 weights are given for 3 labels"),
        ({"dgo": 1}, "no label 'dgo'"),
        ([0, 0, 0], "all zero"),
        ({"cat": 0, "dog": 0, "owl": 0}, "all zero"),
        (0, "all zero"),
        ("blanced", "no rule 'blanced'"),
    ],
)
def test_refused_weights(given, said):
    with pytest.raises(SpecError, match=said) as caught:
        class_weights(given, TARGET, LABELS)
    assert caught.value.problems[0].cure


def test_an_unknown_label_gets_the_nearest_one():
    with pytest.raises(SpecError) as caught:
        class_weights({"dgo": 1}, TARGET, LABELS)
    assert "did you mean dog?" in (caught.value.problems[0].cure or "")


def test_shares_of_yes_are_counted_as_shares():
    """By hand: 0.3 + 1 + 0 of three rows; with weights 2, 1, 4 it is 0.6 + 1 of seven."""
    shares = np.array([0.3, 1.0, 0.0])
    assert rows_of_class(shares, 2).tolist() == pytest.approx([1.7, 1.3])
    assert rows_of_class(shares, 2, np.array([2, 1, 4])).tolist() == pytest.approx([5.4, 1.6])


def test_counts_do_not_end_where_the_digits_of_the_target_do():
    """Sums of 0.75 in half precision stop at 2048, where the next number is two away."""
    assert positive_weight("balanced", np.full((8192, 2), 0.75, np.float16)).tolist() == pytest.approx([1 / 3] * 2)


def test_positive_weight():
    one = np.array([0, 0, 0, 1], dtype=np.float32)
    assert positive_weight("balanced", one) == 3.0
    assert positive_weight(2, one) == 2.0
    several = np.stack([one, 1 - one, one * 0, one * 0 + 1], axis=1)
    assert positive_weight("balanced", several).tolist() == pytest.approx([3.0, 1 / 3, 1.0, 1.0])
    assert positive_weight([1, 2, 3, 4], several).tolist() == [1, 2, 3, 4]
    assert positive_weight({"c": 7}, several, ("a", "b", "c", "d")).tolist() == [1, 1, 7, 1]


@pytest.mark.parametrize("given", ["effective", [1.0, 2.0], {"no": 2}, {"no": 1, "yes": 2}, {"maybe": 2}])
def test_refused_positive_weights(given):
    with pytest.raises(SpecError):
        positive_weight(given, np.array([0.0, 1.0]), ("no", "yes"))


def test_the_weighted_mean_is_torchs():
    chance = torch.Generator().manual_seed(4)
    x, y = torch.randn(2, 20, 3, generator=chance), torch.randint(3, (2, 20), generator=chance)
    weight = torch.tensor([[[1.0, 2.0, 0.5]], [[3.0, 0.1, 1.0]]])  # [R, 1, K]
    values = find("cross-entropy", "multiclass").function(x, y, weight=weight)
    mean = values.sum(-1) / sample_weights(weight, y).sum(-1)
    wanted = [functional.cross_entropy(x[run], y[run], weight=weight[run, 0]) for run in range(2)]
    torch.testing.assert_close(mean, torch.stack(wanted))


def test_sample_weights_of_probabilities_and_of_a_number():
    one_hot = torch.eye(3)[[2, 0]]
    assert sample_weights(torch.tensor([1.0, 2.0, 5.0]), one_hot).tolist() == [5.0, 1.0]
    assert sample_weights(2.0, torch.tensor([1, 0])).tolist() == [2.0, 2.0]
    assert sample_weights(2.0, one_hot).tolist() == [2.0, 2.0]
