"""Signatures against curves of known causes, and their floors against torch's own losses at the best wrong output."""

from __future__ import annotations

import math

import numpy as np
import pytest
from known_curves import accuracies, approach, constant, history, noisy, over_batch, rectified, samples, squashed, twice

from losscli.diagnose import MOST_CANDIDATES, diagnose, floors
from losscli.diagnose.case import Facts
from losscli.diagnose.history import History
from losscli.diagnose.signatures import signatures
from losscli.rules import rules

SAMPLES = samples()
PLATEAUS = {
    "softmax 4": (approach(1.25, math.log1p(3 / math.e)), "softmax-before-cross-entropy"),
    "sigmoid": (approach(0.69, twice(0.3)), "sigmoid-before-bce-with-logits"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_cause_is_named_and_health_too(name: str) -> None:
    sample = SAMPLES[name]
    diagnosis = diagnose(sample.history, sample.facts)
    causes = [candidate.signature.cause for candidate in diagnosis.candidates]
    assert len(causes) <= MOST_CANDIDATES
    if sample.cause is None:
        assert causes == []
        assert diagnosis.healthy
    else:
        assert sample.cause in causes
        assert not diagnosis.healthy


def test_every_cause_has_a_curve() -> None:
    """But the twin of the softmax, which no curve tells apart, and what needs no floor."""
    met = {sample.cause for sample in SAMPLES.values()}
    assert set(signatures.names()) - met == {"sigmoid-before-cross-entropy", "softmax-over-one"}


@pytest.mark.parametrize("k", [2, 3, 4, 10, 100])
def test_floors_of_classes(k: int) -> None:
    assert floors.squashed(k) == pytest.approx(squashed(k), abs=1e-9)
    assert floors.entropy([1 / k] * k) == pytest.approx(math.log(k), abs=1e-12)
    assert floors.noise(0.2, k) == pytest.approx(noisy(0.2, k), abs=2e-3)  # whole rows


@pytest.mark.parametrize("p", [0.1, 0.31, 0.5, 0.9])
def test_floors_of_two_classes(p: float) -> None:
    assert floors.sigmoid_twice(p) == pytest.approx(twice(p), abs=1e-9)
    assert floors.relu_before_sigmoid(p) == pytest.approx(rectified(p), abs=1e-9)
    assert floors.entropy([1 - p, p]) == pytest.approx(constant([1 - p, p]), abs=1e-9)


@pytest.mark.parametrize(("k", "batch"), [(3, 20), (4, 50), (10, 32)])
def test_floor_over_a_batch(k: int, batch: int) -> None:
    assert floors.over_batch([1 / k] * k, batch) == pytest.approx(over_batch(k, batch), abs=0.015)


def test_rules_are_those_of_the_shelf() -> None:
    kinds = [item.rule for item in signatures if item.rule]
    assert len(kinds) > 8
    assert all(kind in rules for kind in kinds)
    sample = SAMPLES["softmax 3"]
    assert diagnose(sample.history, sample.facts).candidates[0].code == "LC001"


def test_a_twin_is_named_beside_the_softmax() -> None:
    sample = SAMPLES["softmax 3"]
    causes = [candidate.signature.cause for candidate in diagnose(sample.history, sample.facts).candidates]
    assert causes == ["softmax-before-cross-entropy", "sigmoid-before-cross-entropy"]


def test_what_an_option_would_tell_is_named() -> None:
    sample = SAMPLES["twice 0.35"]
    assert "sigmoid-before-bce-with-logits" in diagnose(sample.history).unchecked["--positive-rate"]
    assert "--positive-rate" not in diagnose(sample.history, sample.facts).unchecked
    assert "stuck-at-margin" not in {
        cause for causes in diagnose(sample.history, sample.facts).unchecked.values() for cause in causes
    }


def causes_of(name: str) -> list[str]:
    sample = SAMPLES[name]
    return [candidate.signature.cause for candidate in diagnose(sample.history, sample.facts).candidates]


def test_loss_and_r2_tell_broadcasting_from_a_constant() -> None:
    """A loss of each row with its own target moves with R2; one of every prediction with every target does not."""
    assert causes_of("broadcast, unknown spread")[0] == "broadcast-n1-n"
    assert causes_of("constant value")[0] == "dead-relu"


def test_a_loss_below_a_floor_has_another_cause() -> None:
    """1.461 is the floor of ten squashed outputs: a valid loss of 1.43 cannot be one, however near the training loss is."""
    train, valid = approach(2.3, 1.5, noise=1e-3), approach(2.3, 1.43, noise=1e-3)
    case = history(train, valid, accuracy=accuracies(0.71)), Facts(classes=10)
    causes = [candidate.signature.cause for candidate in diagnose(*case).candidates]
    assert "softmax-before-cross-entropy" not in causes
    assert "label-noise" in causes


def test_what_is_explained_is_not_named_too() -> None:
    """A certain cause stands alone; of two that are equally likely both are named."""
    assert causes_of("hundred") == ["logits-into-bce"]
    assert causes_of("far from 0") == ["target-not-scaled", "learning-rate-too-small"]


WRONG_FACTS = {
    "softmax 4": ({"classes": 10}, {"classes": 2}, {"priors": [0.1] * 10}),
    "sigmoid": ({"positive_rate": 0.5}, {"classes": 10}),
}


@pytest.mark.parametrize(
    ("name", "wrong"), [(name, wrong) for name, all_wrong in WRONG_FACTS.items() for wrong in all_wrong], ids=str
)
def test_a_wrong_fact_does_not_make_a_curve_healthy(name: str, wrong: dict[str, object]) -> None:
    """A floor that only another number of classes has is named, and so is the option that speaks against it."""
    curve, cause = PLATEAUS[name]
    diagnosis = diagnose(history(curve, curve, accuracy=accuracies(1.0)), Facts(**wrong))
    assert cause in [candidate.signature.cause for candidate in diagnosis.candidates]
    option = "--" + next(iter(wrong)).replace("_", "-")
    assert {candidate.sighting.confidence for candidate in diagnosis.candidates} == {"possible"}
    assert all(option in candidate.sighting.evidence for candidate in diagnosis.candidates)


def test_learning_by_heart_is_seen_while_the_loss_still_falls() -> None:
    train = approach(1.4, 0.0, points=150, pace=50)
    valid = [1.35, 1.2, 1.1, *np.linspace(1.05, 3.0, 147)]
    diagnosis = diagnose(history(train, valid, accuracy=[0.5] * 150), Facts(classes=4))
    assert diagnosis.candidates[0].signature.cause == "overfitting"


def healthy_curve(rng: np.random.Generator) -> tuple[History, Facts]:
    """A training without a mistake: classes of any difficulty, or numbers of any noise, long or short, quick or slow."""
    points = int(rng.choice([4, 8, 20, 60]))
    left = np.exp(-np.arange(points) / (points * rng.uniform(0.03, 0.3)))
    if rng.random() < 0.3:
        variance, r2 = 10 ** rng.uniform(-2, 2), rng.uniform(0.3, 0.999)
        values = r2 - (r2 + rng.uniform(0, 0.5)) * left
        return history(variance * (1 - values), variance * (1 - values), r2=values), Facts(
            target_std=math.sqrt(variance)
        )
    k = int(rng.choice([2, 3, 5, 10, 100]))
    right = rng.uniform(max(0.6, 1 / k + 0.2), 1)
    level = noisy_entropy(right, k) * rng.uniform(0.35, 0.85) + 0.01  # some rows are surer than others
    start = max(math.log(k) * rng.uniform(0.5, 1), 1.3 * level)
    loss = level + (start - level) * left
    accuracy = np.maximum(right - (right - 1 / k) * 0.8 * left, 1 - loss)  # a wrong row costs ln 2 at least
    return history(rng.uniform(0.9, 1) * loss, loss, accuracy=accuracy), Facts(classes=k)


def noisy_entropy(right: float, k: int) -> float:
    wrong = max(1 - right, 1e-9)
    return -right * math.log(right) - wrong * math.log(wrong / (k - 1))


def test_healthy_curves_of_any_shape_give_no_alarm() -> None:
    rng = np.random.default_rng(11)
    alarms = [diagnosis for _ in range(500) if not (diagnosis := diagnose(*healthy_curve(rng))).healthy]
    assert alarms == []


def overlapping(k: int, accuracy: float) -> float:
    """Cross-entropy of K equally distant normal classes at their best, of rows drawn anew."""
    rows = np.random.default_rng(7).normal(size=(40_000, k))
    ahead = rows[:, 1:].max(1) - rows[:, 0]
    d = float(np.quantile(ahead, accuracy))  # so far that this share of the rows is ahead in its own direction
    logits = d * (rows + d * np.eye(k)[0])
    return float(np.mean(np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1) - logits[:, 0]))


@pytest.mark.parametrize(("k", "accuracy"), [(2, 0.8), (3, 0.45), (3, 0.7), (5, 0.6), (10, 0.3)])
def test_the_floor_of_overlapping_classes_is_that_of_drawn_rows(k: int, accuracy: float) -> None:
    # one direction per class: of two, d is the distance divided by the root of 2, which the accuracy makes up for
    assert floors.overlap(accuracy, k) == pytest.approx(overlapping(k, accuracy), rel=0.03)


@pytest.mark.parametrize(("k", "accuracy"), [(2, 0.6), (2, 0.643), (2, 0.8), (3, 0.42), (3, 0.65), (5, 0.4), (8, 0.6)])
def test_classes_that_overlap_are_not_called_wrong_labels(k: int, accuracy: float) -> None:
    """A model as good as the features allow has no fault, and neither have its labels."""
    level = overlapping(k, accuracy)
    train, valid = (approach(math.log(k), level + shift, noise=1e-3, seed=k) for shift in (-0.005, 0.005))
    said = diagnose(history(train, valid, accuracy=accuracies(accuracy)), Facts(classes=k))
    assert "label-noise" not in [candidate.signature.cause for candidate in said.candidates]


def test_wrong_labels_are_said_beside_what_else_would_do_the_same() -> None:
    sample = SAMPLES["noise 3"]
    (said,) = [c for c in diagnose(sample.history, sample.facts).candidates if c.signature.cause == "label-noise"]
    assert "classes that overlap at about" in said.sighting.evidence
    assert "features tell no more" in said.signature.title
