"""Which metrics of intervals a spec gets, and which it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from losscli.errors import Problem, SpecError
from losscli.spec.load import build_spec
from losscli.spec.model import Spec
from losscli.spec.overrides import Overrides


def spec(*losses: str, **given: Any) -> Spec:
    return build_spec(Overrides(task="regression", losses=losses, **given))


def refused(*losses: str, **given: Any) -> Problem:
    with pytest.raises(SpecError) as caught:
        spec(*losses, **given)
    (found,) = caught.value.problems
    return found


DEFAULT = ["rmse", "mae", "r2"]


def test_the_score_is_a_default_where_every_entry_gives_intervals() -> None:
    assert spec("gaussian-nll", "multi-quantile", "student-t-nll").metrics == [*DEFAULT, "interval-score"]
    assert spec("gaussian-nll").metrics == [*DEFAULT, "interval-score"]
    assert spec("gaussian-nll", "mse").metrics == DEFAULT
    assert spec("multi-quantile", sets=("loss={name: multi-quantile, taus: [0.5]}",)).metrics == DEFAULT
    assert spec("gaussian-nll", metrics=("crps",)).metrics == ["crps"]


def test_a_width_is_no_headline() -> None:
    found = refused("gaussian-nll", metrics=("interval-width", "rmse"))
    assert "the narrowest interval of all covers nothing" in found.message
    assert found.cure == "put interval-score first, which judges width and coverage together"
    assert spec("gaussian-nll", metrics=("rmse", "interval-width")).metrics == ["rmse", "interval-width"]


def test_tuning_does_not_choose_by_scores_of_different_levels() -> None:
    taus = 'tune={"taus": [[0.25, 0.5, 0.75], [0.05, 0.5, 0.95]]}'
    found = refused("multi-quantile", metrics=("interval-score",), sets=(taus,))
    assert "intervals of 50 % and 90 %, whose scores cannot be compared" in found.message
    assert spec("multi-quantile", metrics=("crps",), sets=(taus,)).tune
    same = 'tune={"taus": [[0.05, 0.5, 0.95], [0.05, 0.95]]}'
    assert spec("multi-quantile", metrics=("interval-score",), sets=(same,)).tune
