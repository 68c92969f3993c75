"""Every metric against scikit-learn, on random and on awkward stacks of runs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from scipy import special, stats
from scipy.spatial import distance
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from losscli.metrics import evaluation_metrics, for_task, metrics
from losscli.tasks import Prediction

NAN = float("nan")


def over_classes(p, y):
    """One class against the rest, for the classes that occur."""
    return np.mean([sk.roc_auc_score(y == k, p[:, k]) for k in range(p.shape[1]) if 0 < (y == k).sum() < len(y)])


def over_labels(s, y):
    return np.mean(
        [sk.average_precision_score(y[:, k], np.nan_to_num(s[:, k])) for k in range(y.shape[1]) if y[:, k].any()]
    )


COSTS = {"binary": [[0, 1], [5, 0.5]], "multiclass": [[0, 1, 2, 3], [4, 0, 1, 2], [9, 4, 0, 1], [16, 9, 4, -1]]}
BINS = 15


def ap_over_classes(p, y):
    return np.mean([sk.average_precision_score(y == k, p[:, k]) for k in range(p.shape[1]) if (y == k).any()])


def price(task):
    """From the confusion matrix, where the metric looks each row up or adds counts."""

    def oracle(p, y):
        table = np.array(COSTS[task])
        return (sk.confusion_matrix(y, p, labels=range(len(table))) * table).sum() / len(y)

    return oracle


def gap(probability, outcome):
    """Calibration error from scikit-learn's calibration curve, each bin weighted by its rows."""
    shares, means = calibration_curve(outcome, probability, n_bins=BINS)
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    sizes = np.bincount(np.searchsorted(inner, probability.astype(float)), minlength=BINS)
    return np.sum(np.abs(shares - means) * sizes[sizes > 0]) / len(outcome)


def pinball(place):
    return lambda p, y: sk.mean_pinball_loss(y, p[..., place], alpha=(0.1, 0.5, 0.9)[place])


def inside(p, y):
    low, high = np.minimum(p[..., 0], p[..., 1]), np.maximum(p[..., 0], p[..., 1])
    return np.mean([np.mean([a <= b <= c for a, b, c in zip(*each, strict=True)]) for each in by_output(low, y, high)])


def winkler(p, y, level=0.9):
    """Equation 43 of Gneiting and Raftery 2007, row by row; ends that crossed are the same interval."""
    alpha, total, truth = 1 - level, 0.0, y.reshape(-1).astype(float)
    for (one, other), target in zip(p.reshape(-1, 2).astype(float).tolist(), truth.tolist(), strict=True):
        low, high = min(one, other), max(one, other)
        total += high - low
        if target < low:
            total += 2 / alpha * (low - target)
        if target > high:
            total += 2 / alpha * (target - high)
    return total / len(truth)


def by_output(*arrays):
    return zip(*(array.reshape(len(array), -1).T for array in arrays), strict=True)


def deviance(p, y):
    """scikit-learn's, where it takes the numbers; it refuses predictions and targets that no count can have."""
    if (y < 0).any():
        return NAN
    if np.isnan(p).any():
        return NAN
    return np.inf if (p <= 0).any() else sk.mean_poisson_deviance(y.astype(float), p.astype(float))


def relative(p, y):
    """scikit-learn's, of the rows whose target is not 0."""
    values = [
        sk.mean_absolute_percentage_error(b[b != 0], a[b != 0]) if (b != 0).any() else NAN for a, b in by_output(p, y)
    ]
    return np.mean(values)


def as_doubles(shares):
    return shares.astype(float) / shares.astype(float).sum(-1, keepdims=True)


def within_eps(p):
    eps = np.finfo(p.dtype).eps
    return np.clip(p, eps, 1 - eps).astype(float)


def carried(p, y):
    bins = np.arange(len(p))
    return stats.wasserstein_distance(bins, bins, p, y)


def gap_of_shares(p, y):
    """Row by row into bins (of width 1/15, each with its upper end), then the distance of the sums."""
    missing = np.zeros(BINS)
    for said, true in zip(p, y, strict=True):
        place = min(int(np.ceil(said.max() * BINS - 1e-9)) - 1, BINS - 1)
        missing[place] += said.max() - true[said.argmax()]
    return np.abs(missing).sum() / len(p)


ORACLES = {
    "binary": {
        "accuracy": lambda p, y: sk.accuracy_score(y, p),
        "balanced-accuracy": lambda p, y: sk.balanced_accuracy_score(y, p),
        "precision": lambda p, y: sk.precision_score(y, p, zero_division=NAN),
        "recall": lambda p, y: sk.recall_score(y, p, zero_division=NAN),
        "f1": lambda p, y: sk.f1_score(y, p, zero_division=NAN),
        "mcc": lambda p, y: sk.matthews_corrcoef(y, p),
        "auroc": lambda p, y: sk.roc_auc_score(y, np.nan_to_num(p)) if 0 < y.sum() < len(y) else NAN,
        "auprc": lambda p, y: sk.average_precision_score(y, np.nan_to_num(p)) if y.any() else NAN,
        "log-loss": lambda p, y: sk.log_loss(y, p, labels=[0, 1]),
        "brier": lambda p, y: sk.brier_score_loss(y, p, pos_label=1),
        "ece": lambda p, y: gap(p, y),
        "expected-cost": price("binary"),
    },
    "multiclass": {
        "accuracy": lambda p, y: sk.accuracy_score(y, p),
        "balanced-accuracy": lambda p, y: sk.balanced_accuracy_score(y, p),
        "macro-f1": lambda p, y: sk.f1_score(y, p, average="macro", zero_division=NAN),
        "micro-f1": lambda p, y: sk.f1_score(y, p, average="micro"),
        "weighted-f1": lambda p, y: sk.f1_score(y, p, average="weighted", zero_division=0),
        "mcc": lambda p, y: sk.matthews_corrcoef(y, p),
        "quadratic-kappa": lambda p, y: sk.cohen_kappa_score(y, p, weights="quadratic", labels=range(4)),
        "expected-cost": price("multiclass"),
        "auroc": over_classes,
        "auprc": ap_over_classes,
        "ece": lambda p, y: gap(p.max(1), p.argmax(1) == y),
        "log-loss": lambda p, y: sk.log_loss(y, p, labels=range(p.shape[1])),
        "brier": lambda p, y: ((p.astype(float) - np.eye(p.shape[1])[y.astype(int)]) ** 2).sum(1).mean(),
    },
    "multilabel": {
        "macro-f1": lambda p, y: sk.f1_score(y, p, average="macro", zero_division=NAN),
        "micro-f1": lambda p, y: sk.f1_score(y, p, average="micro", zero_division=NAN),
        "subset-accuracy": lambda p, y: sk.accuracy_score(y, p),
        "hamming-loss": lambda p, y: sk.hamming_loss(y, p),
        "mean-average-precision": over_labels,
        "ranking-loss": lambda p, y: sk.label_ranking_loss(y, np.nan_to_num(p)),
        "log-loss": lambda p, y: np.mean([sk.log_loss(y[:, k], p[:, k], labels=[0, 1]) for k in range(y.shape[1])]),
    },
    "regression": {
        "rmse": lambda p, y: sk.root_mean_squared_error(y, p),
        "mae": lambda p, y: sk.mean_absolute_error(y, p),
        "r2": lambda p, y: sk.r2_score(y.astype(float), p.astype(float)) if np.ptp(y) else NAN,
        "median-ae": lambda p, y: sk.median_absolute_error(y, p),
        "mape": relative,
        "poisson-deviance": deviance,
        "pinball-10": pinball(0),
        "pinball-50": pinball(1),
        "pinball-90": pinball(2),
        "coverage": inside,
        "interval-width": lambda p, y: np.abs(np.diff(p.astype(float), axis=-1)).mean(),
        "interval-score": winkler,
        "crps": lambda p, y: p.astype(float).mean(),
    },
    "distribution": {
        "kl": lambda p, y: special.rel_entr(y.astype(float), within_eps(p)).sum(-1).mean(),
        "js": lambda p, y: np.mean(
            [distance.jensenshannon(a, b) ** 2 for a, b in zip(as_doubles(p), as_doubles(y), strict=True)]
        ),
        "emd": lambda p, y: np.mean([carried(a, b) for a, b in zip(as_doubles(p), as_doubles(y), strict=True)]),
        "top-1": lambda p, y: np.mean([b[int(a)] == b.max() for a, b in zip(p, y, strict=True)]),
        "ece": lambda p, y: gap_of_shares(as_doubles(p), as_doubles(y)),
    },
}
TWINS = {  # judged after calibration: the same function, of another field
    "binary": ("accuracy", "balanced-accuracy", "f1", "mcc", "expected-cost", "log-loss", "brier", "ece"),
    "multiclass": ("log-loss", "brier", "ece"),
    "distribution": ("kl", "js", "emd", "ece"),
}
for task, names in TWINS.items():
    for name in names:
        kind = "scaled" if name in ("log-loss", "brier", "ece", "kl", "js", "emd") else "tuned"
        ORACLES[task][f"{name}-{kind}"] = ORACLES[task][name]
WITHOUT_TRUTH = ("interval-width", "crps")  # a width is one whatever is true; a score has been compared with it already
LABELS, PROBABILITIES = ("labels", "tuned"), ("probabilities", "scaled")


def serving(task):
    return evaluation_metrics(task, COSTS.get(task))


ALL = [pytest.param(task, name, id=f"{task}/{name}") for task, names in ORACLES.items() for name in names]


ELSEWHERE = ("samples", "nearest", "embeddings", "retrieval")  # test_samples.py, test_embedding_metrics.py


def test_every_metric_has_an_oracle():
    of_rows = {name for name in metrics.names() if metrics.get(name).reads not in ELSEWHERE}
    assert {f"{task}/{name}" for task, names in ORACLES.items() for name in names} == of_rows


def stacks(task: str, reads: str):
    """(what it is, prediction [R, N, ...], target [1, N, ...]) of random and awkward cases."""
    chance = np.random.default_rng(3)
    rows, classes = 31, 4
    many = (rows, 3) if task == "multilabel" else (rows,)
    if reads in ("interval", "quantiles", "crps"):
        yield from forecasts(reads)
        return
    if task == "regression":
        numbers = np.abs(chance.normal(5, 3, (3, rows))).astype(np.float32) + 0.1  # above 0, as some metrics need
        yield "random", numbers, np.abs(numbers[:1] + chance.normal(0, 1, (1, rows)).astype(np.float32))
        yield "several outputs", chance.normal(0, 1, (3, 20, 2)), chance.normal(0, 2, (1, 20, 2))
        yield "large", numbers * 1e15, numbers[:1] * 1.1e15
        yield "far from zero", numbers + 1e6, numbers[:1] + 1e6 + 1
        yield "perfect", numbers[:1].repeat(3, 0), numbers[:1]
        yield "constant prediction", np.ones((2, rows)), numbers[:1]
        yield "constant target", numbers, np.full((1, rows), 0.1, dtype=np.float32)
        return
    if task == "distribution":
        target = chance.dirichlet(np.ones(classes), (1, rows)).astype(np.float32)
        made = chance.dirichlet(np.ones(classes), (3, rows)).astype(np.float32)
        sure = np.eye(classes, dtype=np.float32)
        votes = (chance.multinomial(4, target[0].astype(float) / target[0].sum(-1, dtype=float)[:, None]) / 4)[None]
        for what, said, true in (
            ("random", made, target),
            ("votes", made, votes.astype(np.float32)),
            ("certain and right", sure[target.argmax(-1)].repeat(2, 0), sure[target.argmax(-1)]),
            ("the same everywhere", np.full((2, rows, classes), 0.25, dtype=np.float32), target),
            ("perfect", target.repeat(2, 0), target),
        ):
            yield what, said.argmax(-1).astype(np.float32) if reads in LABELS else said, true
        return
    if task == "multiclass":
        target = chance.integers(0, classes, (1, rows))
        made = chance.dirichlet(np.ones(classes), (3, rows)).astype(np.float32)
        if reads in LABELS:
            made = made.argmax(-1).astype(np.float32)
        yield "random", made, target
        yield "a class that does not occur", made, np.where(target == 1, 0, target)
        yield "the last class does not occur", made, np.where(target == 3, 0, target)
        if reads in LABELS:
            yield "a class neither said nor true", np.where(made == 1, 0, made), np.where(target == 1, 0, target)
        if reads in LABELS:
            yield "always the same", np.full((2, rows), 2.0), target
            yield "perfect", target.repeat(2, 0).astype(float), target
        else:
            yield "ties", np.full((2, rows, classes), 0.25, dtype=np.float32), target
            yield "certain", np.eye(classes, dtype=np.float32)[(target + 1) % 3].repeat(2, 0), target
        return
    target = chance.integers(0, 2, (1, *many)).astype(np.float32)
    made = chance.random((3, *many)).astype(np.float32)
    if reads == "scores":
        made = made * 40 - 20
        yield "ties", np.round(made / 10), target
        yield "infinite", np.where(made > 10, np.inf, made).astype(np.float32), target
    if reads in LABELS:
        made = np.round(made)
        yield "always no", made * 0, target
        yield "always yes", made * 0 + 1, target
    if reads in PROBABILITIES:
        yield "certain", np.round(made), target
        yield "at the edges of bins", np.round(made * BINS).astype(np.float32) / BINS, target
    yield "random", made, target
    yield "all the same", made * 0, target
    yield "one positive", made, np.eye(np.prod(many), dtype=np.float32)[:1].reshape(1, *many)
    if task == "binary":
        yield "no positive", made, target * 0
        yield "no negative", made, target * 0 + 1


def forecasts(reads):
    """Ends, quantiles and scores of rows: of one target, of two, on the target itself, crossed, large."""
    chance = np.random.default_rng(4)
    width = {"interval": (2,), "quantiles": (3,), "crps": ()}[reads]
    target = chance.normal(0, 1, (1, 31)).astype(np.float32)
    made = np.abs(chance.normal(0, 1, (3, 31, *width))).cumsum(-1 if width else 1).astype(np.float32)
    made = made if reads == "crps" else made - 1
    yield "random", made, target
    yield "several outputs", np.abs(chance.normal(0, 1, (3, 20, 2, *width))), chance.normal(0, 1, (1, 20, 2))
    yield (
        "on the target",
        np.broadcast_to(np.abs(target).reshape(1, 31, *(1,) * len(width)), (2, 31, *width)).copy(),
        np.abs(target),
    )
    yield "the same everywhere", made * 0 + 1, target
    yield "large", np.abs(made) * 1e15, target * 1e15
    if reads == "interval":
        yield "crossed", made[..., ::-1].copy(), target


@pytest.mark.parametrize(("task", "name"), ALL)
def test_equals_scikit_learn_run_by_run(task, name):
    metric = serving(task)[name]
    cases = 0
    for what, prediction, target in stacks(task, metric.reads):
        found = metric.function(torch.from_numpy(prediction), torch.from_numpy(target))
        assert found.shape == (len(prediction),)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn warns where a class is missing
            wanted = [ORACLES[task][name](run, target[0]) for run in prediction]
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6, atol=1e-9, err_msg=what)
        defined = found[~found.isnan()]
        assert ((defined >= metric.low - 1e-9) & (defined <= metric.high + 1e-9)).all()
        cases += 1
    assert cases >= 5


@pytest.mark.parametrize(("task", "name"), ALL)
def test_a_stack_equals_a_loop_and_a_target_per_run_serves(task, name):
    metric = serving(task)[name]
    _, prediction, target = next(case for case in stacks(task, metric.reads) if case[0] == "random")
    made, truth = torch.from_numpy(prediction), torch.from_numpy(target).expand(3, *target.shape[1:]).clone()
    truth[1] = truth[1].flip(0)
    together = metric.function(made, truth)
    alone = torch.cat([metric.function(made[run : run + 1], truth[run : run + 1]) for run in range(3)])
    assert together.tolist() == alone.tolist()
    assert (together[1] != metric.function(made, truth[:1])[1]) == (name not in WITHOUT_TRUTH)


@pytest.mark.parametrize(("task", "name"), ALL)
def test_the_order_of_rows_does_not_matter(task, name):
    metric = serving(task)[name]
    cases = 0
    for what, prediction, target in stacks(task, metric.reads):
        order = np.random.default_rng(cases).permutation(prediction.shape[1])
        found = metric.function(torch.from_numpy(prediction), torch.from_numpy(target))
        mixed = metric.function(torch.from_numpy(prediction[:, order]), torch.from_numpy(target[:, order]))
        torch.testing.assert_close(mixed, found, rtol=1e-9, atol=1e-12, equal_nan=True, msg=what)
        cases += 1
    assert cases >= 5


@pytest.mark.parametrize(("task", "name"), ALL)
def test_a_nan_prediction_has_no_value_and_its_neighbours_have(task, name):
    metric = serving(task)[name]
    _, prediction, target = next(case for case in stacks(task, metric.reads) if case[0] == "random")
    made, truth = torch.from_numpy(prediction), torch.from_numpy(target)
    whole = metric.function(made, truth).tolist()
    made[1, 4] = NAN
    found = metric.function(made, truth)
    assert found.isnan().tolist() == [False, True, False]
    assert [found[0].item(), found[2].item()] == [whole[0], whole[2]]


SCORED = [
    param for param in ALL if for_task(param.values[0])[param.values[1]].reads not in ("interval", "quantiles", "crps")
]


@pytest.mark.parametrize(("task", "name"), SCORED)
def test_better_is_where_the_direction_says(task, name):
    """The truth itself scores best; its opposite is worse."""
    free = 1 - np.eye(4 if task == "multiclass" else 2)  # what is right costs nothing
    metric = evaluation_metrics(task, free.tolist())[name]
    _, _, target = next(case for case in stacks(task, metric.reads) if case[0] == "random")
    truth = torch.from_numpy(target)
    if task == "multiclass" and metric.reads in LABELS:
        right, wrong = truth.float(), (truth.float() + 1) % 4
    elif task == "multiclass":
        right = torch.eye(4)[truth]
        wrong = 1 - right
    elif task == "distribution":
        right, wrong = truth, truth.flip(-1)
        right, wrong = (part.argmax(-1) if metric.reads in LABELS else part for part in (right, wrong))
    else:
        right = truth
        wrong = 1 - truth
    best, worst = metric.function(right, truth).item(), metric.function(wrong, truth).item()
    assert best == pytest.approx(metric.high if metric.direction == "up" else metric.low, abs=1e-6)
    assert best > worst if metric.direction == "up" else best < worst


@pytest.mark.parametrize(("task", "name"), ALL)
def test_metrics_take_no_gradients(task, name):
    metric = serving(task)[name]
    _, prediction, target = next(case for case in stacks(task, metric.reads) if case[0] == "random")
    made = torch.from_numpy(prediction).requires_grad_()
    assert not metric.function(made, torch.from_numpy(target)).requires_grad
    assert metric.summary.endswith((".", "?"))


def test_a_certain_mistake_costs_a_finite_log_loss():
    certain = torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]])
    found = for_task("binary")["log-loss"].function(*certain).item()
    assert found == pytest.approx(-np.log(np.finfo(np.float32).eps), rel=1e-6)


def test_costs_bound_what_a_decision_can_cost_and_without_them_there_is_no_such_metric():
    found = evaluation_metrics("binary", COSTS["binary"])["expected-cost-tuned"]
    assert (found.low, found.high, found.of) == (0, 5, "expected-cost")
    assert "expected-cost" not in evaluation_metrics("binary")
    assert evaluation_metrics("binary")["f1"] is for_task("binary")["f1"]


def test_a_metric_reads_its_own_threshold_and_has_no_value_where_there_is_none():
    truth = torch.tensor([[0.0, 1.0]])
    right, wrong = truth, 1 - truth
    found = Prediction(labels=wrong, tuned={"f1": right, "accuracy": wrong})
    measured = {name: for_task("binary")[name].measure(found, truth) for name in ("f1", "f1-tuned", "accuracy-tuned")}
    assert {name: value.item() for name, value in measured.items()} == {"f1": 0, "f1-tuned": 1, "accuracy-tuned": 0}
    assert for_task("binary")["mcc-tuned"].measure(found, truth) is None
    assert for_task("binary")["log-loss-scaled"].measure(found, truth) is None


def test_a_bin_of_the_calibration_error_holds_its_upper_end():
    """0.2 is the end of the third of 15 bins: with 0.15 its mean is 0.175, and half of the two are positive."""
    p, truth = torch.tensor([[0.15, 0.2]], dtype=torch.float64), torch.tensor([[0.0, 1.0]])
    assert for_task("binary")["ece"].function(p, truth).item() == pytest.approx(0.5 - 0.175)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_the_interval_score_punishes_by_the_level_that_the_interval_promises(level):
    chance = np.random.default_rng(5)
    ends, truth = chance.normal(0, 1, (2, 40, 2)), chance.normal(0, 2, (1, 40))
    prediction = Prediction(interval=torch.from_numpy(ends), level=level)
    found = for_task("regression")["interval-score"].measure(prediction, torch.from_numpy(truth))
    assert found.tolist() == pytest.approx([winkler(run, truth[0], level) for run in ends])


def test_no_interval_has_a_better_score_than_the_true_quantiles():
    """It is proper: of a normal target, the one between 5 and 95 % beats wider, narrower and shifted ones."""
    truth = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)[None]
    half = stats.norm.ppf(0.95)
    offered = [
        (-half, half),
        (-half - 0.2, half + 0.2),
        (-half + 0.2, half - 0.2),
        (-half + 0.3, half + 0.3),
        (0.0, 0.0),
    ]
    ends = torch.tensor(offered).double()[:, None, :].expand(-1, truth.shape[1], -1)
    scores = for_task("regression")["interval-score"].function(ends, torch.from_numpy(truth), level=0.9).tolist()
    assert min(scores) == scores[0]
    assert scores[0] == pytest.approx(
        2 * stats.norm.pdf(half) / 0.05, rel=1e-3
    )  # in closed form: 2 phi(z) / (alpha / 2)
