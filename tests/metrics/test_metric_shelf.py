"""Looking metrics up."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from losscli.direction import goodness
from losscli.errors import SpecError
from losscli.metrics import evaluation_metrics, find, for_task, measure_all, metrics
from losscli.tasks import Prediction, Task, tasks
from losscli.tasks.shapes import ring_of


def test_the_default_metrics_of_every_task_exist():
    looked_at = 0
    for task in tasks:
        serving = for_task(task.name)
        assert set(task.default_metrics) <= set(serving)
        looked_at += 1
    assert looked_at >= 4


def test_a_wrong_name_gets_the_nearest_one():
    with pytest.raises(SpecError) as caught:
        find("acuracy", "binary")
    assert "did you mean accuracy?" in (caught.value.problems[0].cure or "")


INFINITE = math.inf
RANGES = {  # of scikit-learn's functions of these names; the costs of a decision are bounded by what the spec gives
    (
        "up",
        0,
        1,
    ): "accuracy balanced-accuracy precision recall f1 macro-f1 micro-f1 weighted-f1 subset-accuracy auroc auprc "
    "mean-average-precision top-1",
    ("up", -1, 1): "mcc quadratic-kappa",
    ("down", 0, 1): "expected-cost hamming-loss ece ranking-loss brier",
    ("down", 0, 2): "multiclass/brier",
    ("down", 0, math.log(2)): "js",
    (
        "down",
        0,
        INFINITE,
    ): "kl emd log-loss rmse mae median-ae mape poisson-deviance pinball-10 pinball-50 pinball-90 crps",
    ("up", -INFINITE, 1): "r2",
}
KNOWN = {name: ends for ends, names in RANGES.items() for name in names.split()}


def test_directions_and_ranges():
    """Of forecasts' intervals another file tells; a twin after calibration has what its original has."""
    seen = set()
    for full in metrics.names():
        item = metrics.get(full)
        if item.reads == "interval":
            continue
        name = item.of if f"{full.split('/')[0]}/{item.of}" not in KNOWN else f"{full.split('/')[0]}/{item.of}"
        assert item.name == full.split("/")[1]
        assert item.low < item.high
        if name in KNOWN:  # a new one is held to its oracle, and to what is drawn below
            assert (item.direction, item.low, item.high) == KNOWN[name], full
            seen.add(name)
    assert seen == set(KNOWN)


CLASSES, ROWS, CHANCE = 4, 60, torch.Generator()
COSTS = (1.0 - torch.eye(CLASSES)).mul(torch.arange(1.0, CLASSES + 1)).tolist()
RING = ring_of()
KNOWN_OF = {  # what metrics need beside the rows
    name: {"costs": [row[:2] for row in COSTS[:2]] if tasks.get(name).yes_or_no else COSTS, "mixture": RING}
    for name in tasks.names()
}


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=CHANCE, dtype=torch.float64)


def ring(rows: int) -> torch.Tensor:
    centers = torch.from_numpy(RING.centers)
    return (centers[torch.randint(len(centers), (rows,), generator=CHANCE)] + RING.sd * drawn(rows, 2))[None]


def cases(task: Task, pairs: bool) -> tuple[torch.Tensor, Prediction]:
    """The truth [1, N, ...]; and predictions of it, the first all right, then all wrong, then of any kind and size."""
    if not task.has_target:
        truth = ring(ROWS)
        return truth, Prediction(samples=torch.cat([truth, *(size * drawn(1, ROWS, 2) for size in (0.0, 0.1, 1, 50))]))
    if pairs:
        truth = torch.randint(2, (1, ROWS // 2), generator=CHANCE).double().repeat_interleave(2, 1)
        right = task.near_truth(truth[0], 1).embeddings
        return truth, Prediction(embeddings=torch.cat([right, *(size * drawn(1, ROWS, 1) for size in (0.0, 1, 50))]))
    width, meaning = task.width(CLASSES, CLASSES), next(iter(task.links))
    truth = task.draw((1, ROWS), width, task.domain, CHANCE, torch.float64)
    if meaning == "values":
        truth = truth.abs()  # amounts, of which a deviance can tell, too
    ends = task.extremes(truth, width, meaning, 30.0)
    raw = torch.cat([*ends, *(size * drawn(*ends[0].shape) for size in (0.01, 0.5, 2, 30, 1e3) for _ in range(4))])
    return truth, task.read(raw, meaning)


def with_all_that_is_read(task: Task, prediction: Prediction, truth: torch.Tensor) -> Prediction:
    if prediction.labels is not None:
        tuned = {item.of: prediction.labels for item in for_task(task.name).values() if item.reads == "tuned"}
        prediction = replace(prediction, tuned=tuned, scaled=prediction.probabilities)
    if prediction.values is not None:
        middle = prediction.values
        spread = drawn(*middle.shape, 2).abs().cumsum(-1) * (middle - truth).abs().amax(1, keepdim=True).unsqueeze(-1)
        ends = middle[..., None] + spread * torch.tensor([-1.0, 1.0])
        quantiles = torch.stack([ends[..., 0], middle, ends[..., 1]], -1)
        prediction = replace(prediction, interval=ends, quantiles=quantiles, crps=(middle - truth).abs())
    reads = {item.reads for item in for_task(task.name).values()}
    return task.with_truth(prediction, truth, reads, lambda: ring(ROWS))


@pytest.mark.parametrize("name", [*tasks.names(), "embedding of pairs"])
def test_values_lie_within_the_range_and_nothing_scores_above_the_truth(name: str) -> None:
    """Over predictions of every kind; what better of it alone does not mean better (`headline`) may prefer others."""
    CHANCE.manual_seed(0)
    task, pairs = tasks.get(name.removesuffix(" of pairs")), name.endswith("of pairs")
    truth, prediction = cases(task, pairs)
    prediction = with_all_that_is_read(task, prediction, truth)
    items = evaluation_metrics(task.name, **KNOWN_OF[task.name], pairs=("a_", "b_") if pairs else None)
    for item in items.values():
        if pairs != (item.needs == "pairs"):
            continue
        values = item.measure(prediction, truth).double()
        assert values[0].isfinite(), item.name
        some = values[~values.isnan()]
        assert len(some) > 2, item.name
        assert ((some >= item.low - 1e-9) & (some <= item.high + 1e-9)).all(), (item.name, some)
        if item.headline and item.direction != "target":  # every row is covered, which is too much
            best = goodness(some, item.direction).max()
            assert goodness(values[0], item.direction) >= best - 1e-9, (item.name, some)


@pytest.mark.parametrize("name", tasks.names())
def test_together_metrics_have_the_values_that_each_has_alone_bit_for_bit(name: str) -> None:
    """Also where a run's prediction holds a NaN, and none of its numbers reaches another run."""
    CHANCE.manual_seed(0)
    task = tasks.get(name)
    truth, prediction = cases(task, False)
    items = [item for item in evaluation_metrics(name, **KNOWN_OF[name]).values() if item.needs != "pairs"]
    for broken in (False, True):
        prediction = with_all_that_is_read(task, prediction, truth)
        if broken:
            fields = {
                reads: field.index_fill(0, torch.tensor([1]), math.nan)
                for reads in {item.reads for item in items}
                if isinstance(field := getattr(prediction, reads), torch.Tensor) and field.is_floating_point()
            }
            assert fields
            prediction = replace(prediction, **fields)
        together = measure_all(items, prediction, truth)
        for item in items:
            alone, shared = item.measure(prediction, truth), together[item.name]
            assert alone.numpy().tobytes() == shared.numpy().tobytes(), item.name
            assert alone[0].isfinite(), item.name
            assert not broken or item.reads not in fields or alone[1].isnan(), item.name


def test_what_metrics_have_in_common_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"scatter_add": 0, "isnan": 0}
    for name in made:
        function = getattr(torch.Tensor, name)

        def counted(*given: Any, name: str = name, function: Any = function, **named: Any) -> torch.Tensor:
            made[name] += 1
            return function(*given, **named)

        monkeypatch.setattr(torch.Tensor, name, counted)
    labels = torch.tensor([[0.0, 1.0, 1.0]])
    names = ("accuracy", "balanced-accuracy", "precision", "recall", "f1", "mcc")
    values = measure_all([find(name, "binary") for name in names], Prediction(labels=labels), labels)
    assert len(values) == 6
    assert made == {"scatter_add": 3, "isnan": 1}  # hits, predicted and true rows, of each class


def test_a_metric_names_the_tasks_on_whose_shelves_it_stands():
    seen = 0
    for full in metrics.names():
        item = metrics.get(full)
        assert full.split("/")[0] in item.tasks
        lent = {f"{home}/{item.of}" for home in item.tasks}
        borrowers = {task.name for task in tasks if lent & set(task.borrowed_metrics)}
        assert {task.name for task in tasks if for_task(task.name).get(item.name) is item} == {
            *item.tasks,
            *borrowers,
        }, full
        seen += 1
    assert seen >= 40
