"""Which run of a record is meant, from results written down by hand; and what several runs together say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from losscli.deploy import predict as deployed
from losscli.deploy.choose import RunChoice, choose_entry, choose_seeds
from losscli.errors import SpecError
from losscli.tasks import Column, tasks
from losscli.tasks.predictions import Outputs

VALID = {"bce-logits": [0.5, 0.3, 0.4], "focal": [0.2, 0.9, 0.1], "hinge": [0.1, 0.1, 0.1]}  # means 0.4, 0.4, 0.1
TEST = {name: values[::-1] for name, values in VALID.items()}


def arena(headline: str, lost: str = "hinge") -> dict[str, Any]:
    def told(values: list[float]) -> dict[str, Any]:
        return {headline: {"mean": float(np.mean(values)), "values": values}}

    return {
        "task": "binary",
        "headline": headline,
        "entries": [{"entry": name, "valid": told(VALID[name]), "test": told(TEST[name])} for name in VALID],
        "runs": [
            {"entry": name, "seed": seed, "status": "diverged" if name == lost else "ok"}
            for name in VALID
            for seed in (10, 11, 12)
        ],
    }


@pytest.mark.parametrize(("headline", "seed"), [("accuracy", 11), ("log-loss", 12)])
def test_the_best_seed_is_the_highest_or_the_lowest_on_its_valid_split(headline: str, seed: int) -> None:
    """On the test split it would be seed 11 or seed 10."""
    assert choose_seeds(arena(headline), "focal", RunChoice()) == [seed]


@pytest.mark.parametrize(("headline", "best"), [("accuracy", "bce-logits"), ("brier", "hinge")])
def test_the_best_entry_has_the_highest_or_the_lowest_mean(headline: str, best: str) -> None:
    assert choose_entry(arena(headline, lost="focal"), None) == best


def test_a_diverged_entry_is_never_the_best() -> None:
    assert choose_entry(arena("brier", lost="hinge"), None) == "bce-logits"  # of equal means the first


def intervals(headline: str, levels: dict[str, float], **coverage: list[float]) -> dict[str, Any]:
    """An arena of regressions with these values of the headline on the valid split."""
    return {
        "task": "regression",
        "headline": headline,
        "entries": [{"entry": name, "valid": {headline: {"values": values}}} for name, values in coverage.items()],
        "runs": [
            {"entry": name, "seed": seed, "status": "ok", "calibration": {"level": levels[name]}}
            for name, values in coverage.items()
            for seed in range(len(values))
        ],
    }


def test_the_best_coverage_is_the_closest_to_the_level_of_the_interval() -> None:
    found = intervals("coverage", {"a": 0.9, "b": 0.9, "c": 0.5}, a=[1.0, 1.0], b=[0.86, 0.95], c=[0.9, 0.9])
    assert choose_entry(found, None) == "b"
    assert choose_seeds(found, "b", RunChoice()) == [0]
    assert choose_entry(intervals("coverage", {"a": 0.9, "c": 0.5}, a=[0.8], c=[0.52]), None) == "c"


def test_neither_widths_nor_scores_of_different_levels_choose() -> None:
    with pytest.raises(SpecError, match="alone does not tell which is better"):
        choose_entry(intervals("interval-width", {"a": 0.9}, a=[1.0]), None)
    with pytest.raises(SpecError, match="intervals of different levels"):
        choose_entry(intervals("interval-score", {"a": 0.9, "b": 0.8}, a=[3.0], b=[2.0]), None)
    assert choose_entry(intervals("interval-score", {"a": 0.9, "b": 0.9}, a=[3.0], b=[2.0]), None) == "b"


def together(monkeypatch: pytest.MonkeyPatch, task: str, labels: tuple[str, ...], *found: Outputs) -> Any:
    """The columns of three rows of which every run says what is given."""
    said = iter(found)
    monkeypatch.setattr(deployed, "_encoded", lambda run, features, rows: next(said))
    runs: Any = [SimpleNamespace(labels=labels, task=tasks.get(task)) for _ in found]
    return deployed.predict(runs, {"x": Column(np.zeros(3))})


def test_several_runs_say_the_mean_of_their_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of three would say yes to the first row, and no to the second: a vote or a median comes out the other way."""
    each = [[0.6, 0.4, 0.9], [0.6, 0.4, 0.8], [0.0, 1.0, 0.7]]
    columns = together(monkeypatch, "binary", ("no", "yes"), *(Outputs("probabilities", np.array([p]).T) for p in each))
    np.testing.assert_allclose(columns["probability_yes"], [0.4, 0.6, 0.8])
    assert columns["prediction"].tolist() == ["no", "yes", "yes"]


def test_quantiles_are_named_by_their_level_and_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows, two targets, three levels; the second run says 2 more of everything."""
    quantiles = np.arange(18.0).reshape(3, 2, 3)
    runs = [Outputs("values", np.zeros((3, 2)) + more, (0.05, 0.5, 0.95), quantiles + more) for more in (0.0, 2.0)]
    columns = together(monkeypatch, "regression", ("price", "size"), *runs)
    assert list(columns) == [
        f"{column}_{target}"
        for target in ("price", "size")
        for column in ("prediction", "quantile_0.05", "quantile_0.5", "quantile_0.95")
    ]
    assert columns["prediction_size"].tolist() == [1, 1, 1]
    assert columns["quantile_0.05_price"].tolist() == [1, 7, 13]
    assert columns["quantile_0.95_size"].tolist() == [6, 12, 18]
