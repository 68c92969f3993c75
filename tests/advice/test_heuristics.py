"""Rules of advice on targets that were made for each, and the contract that every heuristic keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from losscli.advice.heuristics import Advice, heuristics, heuristics_for
from losscli.advice.profile import Profile
from losscli.advice.recommend import recommend
from losscli.data.dataset import Table
from losscli.data.sources import sources
from losscli.explain.tags import MEANINGS, tags_of
from losscli.losses import Loss, find
from losscli.losses.domain import check_target
from losscli.losses.options import check_options
from losscli.metrics import for_task
from losscli.spec.load import build_spec
from losscli.spec.overrides import Overrides
from losscli.tasks import Column, TargetOptions, tasks

RNG = np.random.default_rng(11)
N = 1200
X = RNG.normal(size=N)


def classes(*counts: int) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts).astype(np.float64)


def of(task: str, *targets: np.ndarray, x: np.ndarray | None = None, levels: tuple[str, ...] | None = None) -> Profile:
    rows = len(targets[0])
    feature = np.random.default_rng(1).normal(size=rows) if x is None else x
    columns = {
        f"y{index}": Column(values.astype(np.int32), levels) if levels else Column(values.astype(np.float64))
        for index, values in enumerate(targets)
    }
    table = Table("made", {"x": Column(feature)}, columns)
    return Profile(table, task, tasks.get(task).decode(columns, TargetOptions()))


def labels(*shares: float) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    return [(rng.uniform(size=N) < share).astype(np.float64) for share in shares]


# A patient for each heuristic: what it must fire on, and words of the measurement that must be told.
PATIENTS: dict[str, tuple[Callable[[], Profile], str]] = {
    "rare-class": (lambda: of("binary", classes(1100, 100)), "8.3 % positives"),
    "extreme-imbalance": (lambda: of("binary", classes(1190, 10)), "0.83 % positives"),
    "balanced-classes": (lambda: of("binary", classes(600, 600)), "50 %"),
    "ordered-labels": (
        lambda: of(
            "multiclass", classes(400, 400, 400), x=classes(400, 400, 400) * 5 + X, levels=("high", "low", "medium")
        ),
        "words that have an order, from 'low' to 'high'",
    ),
    "long-tail": (lambda: of("multiclass", classes(1000, 150, 50)), "20 times the rows"),
    "many-classes": (lambda: of("multiclass", classes(*[40] * 30)), "30 classes, of 40 rows"),
    "even-classes": (lambda: of("multiclass", classes(400, 400, 400)), "largest / smallest: 1.00"),
    "soft-labels": (
        lambda: of(
            "multiclass", *(np.tile(part, N // 3) for part in ([0.2, 0.5, 1.0], [0.3, 0.5, 0.0], [0.5, 0.0, 0.0]))
        ),
        "33 % of the rows are sure",
    ),
    "shares-of-yes": (lambda: of("binary", np.tile([0.0, 0.25, 0.5, 0.85], N // 4)), "0.4 in the mean; 25 %"),
    "contradicting-rows": (
        lambda: of("binary", np.tile([0.0, 0.0, 1.0], N // 3), x=np.repeat(np.arange(N / 3), 3)),
        "33 % of all rows must be wrong",
    ),
    "sparse-labels": (lambda: of("multilabel", *labels(0.02, 0.1, 0.1)), "of 3 labels per row"),
    "dense-labels": (lambda: of("multilabel", *labels(0.4, 0.5, 0.3)), "of 3 labels per row"),
    "counts": (lambda: of("regression", RNG.poisson(np.exp(X / 2)).astype(float), x=X), "vary as Poisson's do"),
    "excess-zeros": (
        lambda: of("regression", np.where(X > 0, np.random.default_rng(5).poisson(3.0, N), 0.0)),
        "of the rows being always 0, beside Poisson's counts",
    ),
    "zero-inflated-amounts": (
        lambda: of("regression", np.where(X > 0, RNG.gamma(2.0, size=N), 0.0)),
        "are exactly 0",
    ),
    "positive-skewed": (lambda: of("regression", np.exp(X + RNG.normal(size=N)), x=X), "long tail"),
    "outliers": (lambda: of("regression", X + RNG.standard_t(1.2, size=N), x=X), "far out"),
    "uneven-spread": (lambda: of("regression", X + RNG.normal(size=N) * np.exp(X), x=X), "times as wide"),
    "multiplicative-scale": (lambda: of("regression", np.exp(2 * X), x=X), "all above 0"),
    "shares-of-one": (lambda: of("regression", RNG.beta(2, 3, size=N)), "all between 0 and 1"),
    "wide-open": (lambda: of("regression", X + 3 * RNG.normal(size=N), x=X), "of the variance"),
    "at-the-limit": (lambda: of("regression", np.minimum(X, 1.0), x=X), "are exactly 1, the largest number"),
    "plain-numbers": (lambda: of("regression", 5 * X + RNG.normal(size=N), x=X), "no outliers"),
}


def test_every_rule_has_its_patient() -> None:
    assert list(PATIENTS) == list(dict.fromkeys(PATIENTS))
    assert set(PATIENTS) == set(heuristics.names())


@pytest.mark.parametrize("name", PATIENTS)
def test_a_rule_sees_its_patient_and_names_losses_that_serve_it(name: str) -> None:
    make, words = PATIENTS[name]
    found = make()
    said = heuristics.get(name).advise(found)
    assert isinstance(said, Advice)
    assert words in said.reason
    assert said.picks
    assert set(said.claims) <= set(MEANINGS)
    for pick in said.picks:
        item = find(pick.loss, found.task)
        check_options(item, pick.options)
        assert check_target(item, found.task, found.target) == []
        assert said.source or item.section("Source")


@pytest.mark.parametrize("name", PATIENTS)
def test_the_losses_of_a_rule_are_what_it_says_of_them(name: str) -> None:
    """Their tags are computed from the kernels: see explain/tags.py."""
    found = PATIENTS[name][0]()
    said = heuristics.get(name).advise(found)
    assert said is not None
    for pick in said.picks:
        assert set(said.claims) <= set(tags_of(find(pick.loss, found.task))), pick.loss


def test_rules_whose_reason_claims_a_property_say_so() -> None:
    claims = {name: heuristics.get(name).advise(make()).claims for name, (make, _) in PATIENTS.items()}  # type: ignore[union-attr]
    assert {name for name, each in claims.items() if "proper" in each} == {"soft-labels", "shares-of-yes"}
    assert {name for name, each in claims.items() if "ordinal" in each} == {"ordered-labels"}
    assert {name for name, each in claims.items() if "robust" in each} == {"outliers", "at-the-limit", "plain-numbers"}


@pytest.mark.parametrize("name", ["shares-of-one", "soft-labels", "shares-of-yes"])
def test_what_is_advised_for_shares_learns_their_mean(name: str) -> None:
    """By scipy: of rows that share all features, the cheapest prediction is the mean of their shares."""
    found = PATIENTS[name][0]()
    said = heuristics.get(name).advise(found)
    assert said is not None
    for pick in said.picks:
        item = find(pick.loss, found.task)
        rows = torch.from_numpy(found.target.values[:300]).double()
        width = rows.shape[-1] if rows.ndim == 2 else 1

        def cost(x: np.ndarray, item: Loss = item, rows: torch.Tensor = rows) -> float:
            raw = torch.from_numpy(x).expand(len(rows), -1)
            return float(item.function(raw if rows.ndim == 2 else raw.squeeze(-1), rows).mean())

        best = torch.from_numpy(
            minimize(cost, np.zeros(width), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12}).x
        )
        if item.point is not None:
            best = item.point(best, {})
        elif item.expects == "logits":
            best = best.softmax(-1) if width > 1 else best.sigmoid()
        np.testing.assert_allclose(best, rows.mean(0).reshape(-1), atol=1e-3)


@pytest.mark.parametrize("name", PATIENTS)
def test_the_short_list_begins_with_the_reference_and_holds_only_what_can_be_trained(name: str) -> None:
    found = PATIENTS[name][0]()
    short = recommend(found)
    plainest = {"counts": "poisson-nll", "excess-zeros": "poisson-nll"}
    assert short.losses[0].pick.entry_name() == plainest.get(name, tasks.get(found.task).default_loss)
    assert len({each.pick.entry_name() for each in short.losses}) == len(short.losses) <= 6
    assert name in short.advice
    for each in short.losses:
        # A leaderboard leaves out what is default: the names are the same only if a pick does, too.
        options = find(each.pick.loss, found.task).options
        assert all(value != options[key].default for key, value in each.pick.options.items())
        assert check_target(find(each.pick.loss, found.task), found.task, found.target) == []
        assert each.source


QUIET = {
    "at-the-limit": lambda: of("regression", np.append(X, X.max())),
    "multiplicative-scale": lambda: of("regression", np.clip(RNG.beta(2, 3, size=N), 1e-3, 1)),
    "positive-skewed": lambda: of("regression", RNG.beta(1, 20, size=N)),
    "rare-class": lambda: of("binary", classes(600, 600)),
    "contradicting-rows": lambda: of("binary", classes(600, 600)),
    "ordered-labels": lambda: of("multiclass", classes(400, 400, 400), levels=("cat", "dog", "fish")),
    "long-tail": lambda: of("multiclass", classes(400, 400, 400)),
    "counts": lambda: of("regression", 5 * X + RNG.normal(size=N)),
    "outliers": lambda: of("regression", X + RNG.normal(size=N), x=X),
    "uneven-spread": lambda: of("regression", X + RNG.normal(size=N), x=X),
    "wide-open": lambda: of("regression", 9 * X + RNG.normal(size=N), x=X),
    "plain-numbers": lambda: of("regression", X + RNG.standard_t(1.2, size=N), x=X),
}


@pytest.mark.parametrize("name", QUIET)
def test_a_rule_is_silent_where_there_is_nothing(name: str) -> None:
    assert heuristics.get(name).advise(QUIET[name]()) is None


def test_numbers_as_labels_are_in_order_only_where_neighbours_are_alike() -> None:
    grades = classes(240, 240, 240, 240, 240)
    ordered = of("multiclass", grades, x=grades + RNG.normal(size=N))
    shuffled = of(
        "multiclass", grades, x=np.array([3.0, 0.0, 4.0, 1.0, 2.0])[grades.astype(int)] * 5 + RNG.normal(size=N)
    )
    assert heuristics.get("ordered-labels").advise(ordered) is not None
    assert heuristics.get("ordered-labels").advise(shuffled) is None


def test_weights_are_told_with_their_number() -> None:
    said = heuristics.get("rare-class").advise(of("binary", classes(1100, 100)))
    assert said is not None
    assert "balanced is 11 here" in said.note  # 1100 / 100


@pytest.mark.parametrize(
    ("rows", "heuristic"),
    [
        ((11_900, 100), "extreme-imbalance"),  # 0.83 %: enough rows to learn from, and still extreme
        ((400, 49), "extreme-imbalance"),  # 11 %, but too few to learn from
        ((5000, 500), "rare-class"),
        ((900, 300), "balanced-classes"),  # a quarter is not rare any more
    ],
)
def test_one_rule_at_a_time_speaks_of_how_rare_a_class_is(rows: tuple[int, int], heuristic: str) -> None:
    found = of("binary", classes(*rows))
    named = ("rare-class", "extreme-imbalance", "balanced-classes")
    assert [name for name in named if heuristics.get(name).advise(found) is not None] == [heuristic]


@pytest.mark.parametrize(("rows", "weight"), [((900, 300, 91), "balanced"), ((900, 300, 90), "effective")])
def test_a_tail_of_one_to_ten_is_a_long_one(rows: tuple[int, ...], weight: str) -> None:
    said = heuristics.get("long-tail").advise(of("multiclass", classes(*rows)))
    assert said is not None
    assert said.picks[1].options == {"weight": weight}
    assert ("focal" in [pick.loss for pick in said.picks]) == (weight == "effective")


@pytest.mark.parametrize(("far", "told"), [(12, False), (40, True)])
def test_a_few_far_rows_of_many_are_no_tail(far: int, told: bool) -> None:
    """0.12 % are less than the 0.2 % that count as a tail, though they are more than three rows."""
    values = np.random.default_rng(3).normal(size=10_000)
    values[:far] += 500.0
    assert (heuristics.get("outliers").advise(of("regression", values)) is not None) == told


def test_one_rare_label_is_enough_for_labels_to_be_sparse() -> None:
    found = of("multilabel", *labels(0.02, 0.5, 0.6))
    assert heuristics.get("sparse-labels").advise(found) is not None
    assert heuristics.get("dense-labels").advise(found) is None


def test_overdispersed_counts_get_their_alpha() -> None:
    mixed = RNG.poisson(np.exp(X / 2) * RNG.gamma(1.0, 1.0, size=N)).astype(float)
    said = heuristics.get("counts").advise(of("regression", mixed, x=X))
    assert said is not None
    assert said.picks[0].loss == "negative-binomial-nll"
    assert said.picks[0].options["alpha"] == pytest.approx(1.0, abs=0.35)


@pytest.mark.parametrize(
    "data", ["iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud", "moons", "friedman1"]
)
def test_data_sets_get_losses_that_can_judge_them(data: str) -> None:
    from losscli.advice.reading import profile_of

    spec = build_spec(Overrides(data=data))
    found = profile_of(spec)
    short = recommend(found)
    assert short.losses
    assert all(check_target(find(each.pick.loss, spec.task), spec.task, found.target) == [] for each in short.losses)


def picked(heuristic: str, found: Profile) -> dict[str, dict[str, object]]:
    said = heuristics.get(heuristic).advise(found)
    assert said is not None
    return {pick.loss: dict(pick.options) for pick in said.picks}


def test_no_gaussian_where_half_of_the_numbers_are_zero_or_counts() -> None:
    noise = RNG.poisson(0.5, size=N).astype(float)
    amounts = np.where(RNG.uniform(size=N) < 0.5, RNG.gamma(2.0, size=N), 0.0)
    for target in (noise, amounts, RNG.beta(2, 3, size=N)):
        assert list(picked("wide-open", of("regression", target))) == ["multi-quantile"]
    assert "crps-gaussian" in picked("wide-open", of("regression", RNG.normal(size=N)))


def test_percentages_are_seen_as_bounded() -> None:
    found = of("regression", 100 * RNG.beta(2, 3, size=N).clip(0.001, 0.99))
    said = heuristics.get("shares-of-one").advise(of("regression", np.append(found.target.values[1:], 99.5)))
    assert said is not None
    assert "all between 0 and 100, like percentages" in said.reason
    assert "exactly 0" not in said.reason


@pytest.mark.parametrize(("power", "named"), [(0.0, False), (1.5, True), (3.0, False)])
def test_tweedie_is_named_for_the_powers_it_has(power: float, named: bool) -> None:
    rng = np.random.default_rng(4)
    rows = 6000
    x = 10 * rng.uniform(size=rows) ** 4  # most means are small: the tail is long
    mean = 2.0 + x
    amounts = mean + 0.2 * mean ** (power / 2) * (rng.gamma(2.0, size=rows) - 2) / np.sqrt(2)
    found = of("regression", amounts.clip(0.01), x=x)
    measured = found.leftover.power() if found.leftover else None
    assert measured == pytest.approx(power, abs=0.4)
    assert ("tweedie" in picked("positive-skewed", found)) is named


def test_spread_that_follows_a_feature_and_not_the_prediction_is_seen() -> None:
    """As White's own test does, which regresses the squares on all features."""
    rng = np.random.default_rng(8)
    mean, spread = rng.normal(size=(2, N))
    table = Table(
        "t", {"a": Column(mean), "c": Column(spread)}, {"y": Column(mean + rng.normal(size=N) * np.exp(spread))}
    )
    said = heuristics.get("uneven-spread").advise(
        Profile(table, "regression", tasks.get("regression").decode(table.targets))
    )
    assert said is not None
    assert "whose features make them wide" in said.reason
    assert said.source.startswith("Harvey 1976")


def test_metrics_to_judge_by_are_those_of_the_task() -> None:
    named = {
        name: said for name in PATIENTS if (said := heuristics.get(name).advise(PATIENTS[name][0]())) and said.metrics
    }
    assert {"rare-class", "extreme-imbalance", "ordered-labels", "long-tail", "counts"} <= set(named)
    for name, said in named.items():
        assert set(said.metrics) <= set(for_task(heuristics.get(name).tasks[0])), name


def test_counts_say_what_there_is_to_see() -> None:
    said = heuristics.get("counts").advise(of("regression", RNG.poisson(np.exp(X / 2 - 1)).astype(float), x=X))
    assert said is not None
    assert "judge them by poisson-deviance" in said.note
    assert "and by rmse (a linear fit reaches an r2 of 0." in said.note
    assert said.metrics[0] == "poisson-deviance"
    assert "below that of always saying the mean" in said.note
    assert "always says 0, the median" in said.note


@pytest.mark.parametrize("wide", [False, True], ids=["as wide as Poisson's", "wider"])
def test_counts_are_judged_by_a_deviance_that_every_loss_of_the_comparison_has(wide: bool) -> None:
    """mse may expect less than 0, of which the deviance is infinite: the others would have nothing to beat."""
    mean = np.exp(X / 2 - 1) * (RNG.gamma(0.5, 2.0, len(X)) if wide else 1.0)
    said = recommend(of("regression", RNG.poisson(mean).astype(float), x=X))
    assert said.metrics[0] == "poisson-deviance"
    names = [loss.pick.loss for loss in said.losses]
    assert names[0] == "poisson-nll"
    assert "mse" not in names
    assert ("negative-binomial-nll" in names) == wide


def test_who_borrows_losses_borrows_the_advice_too_unless_there_is_some_of_its_own(monkeypatch) -> None:
    class Kennel(type(tasks.get("multiclass"))):
        name, borrows = "kennel", ("multiclass",)

    monkeypatch.setattr(tasks, "_items", {**tasks._items, "kennel": Kennel()})
    target = classes(1000, 150, 50)
    names = {task: [item.name for item in heuristics_for(of(task, target))] for task in ("kennel", "multiclass")}
    assert names["kennel"] == ["kennel-target", *names["multiclass"][1:]]
    assert len(names["kennel"]) > 3
    own = [item.tasks for item in heuristics_for(of("multilabel", *labels(0.02, 0.5)))]
    assert own  # multilabel borrows from binary, and has rules of its own
    assert all(of_tasks == ("multilabel",) for of_tasks in own)


@pytest.mark.parametrize(("mark", "counted"), [("%", False), (" kg", False), ("", True)])
def test_what_has_a_unit_is_measured_and_not_counted(tmp_path: Path, mark: str, counted: bool) -> None:
    values = np.random.default_rng(0).poisson(30, 300).clip(0, 100)
    rows = "".join(f"{row * row % 17},{value}{mark}\n" for row, value in enumerate(values))
    (tmp_path / "t.csv").write_text(f"x,y\n{rows}")
    table = sources.get("csv")(path="t.csv", target="y").read(tmp_path)
    profile = Profile(table, "regression", tasks.get("regression").decode(table.targets))
    assert [shape.count_like for shape in profile.numbers] == [counted]
