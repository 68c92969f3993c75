"""What must be the same on a GPU as on the CPU, and twice: the checks of gpu.py that need numbers only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from pyarrow import parquet
from torch import Tensor

from losscli.experiment import Experiment, load
from losscli.losses import Loss, for_task
from losscli.metrics import evaluation_metrics
from losscli.spec.dump import flow
from losscli.spec.load import load_spec
from losscli.stack.head import outputs_of
from losscli.stack.rows import Run
from losscli.stack.run_state import RunState
from losscli.stack.stacks import stacks
from losscli.stack.train import Training, train
from losscli.tasks import tasks
from losscli.verify import Case
from losscli.verify.draw import extreme, filled, many, ordinary, settings

CPU = torch.device("cpu")
BOUNDS = {torch.float32: 1e-5, torch.float64: 1e-9}  # of |a - b| / max(1, |b|), for losses, gradients and metrics
WILD = 1e30  # a learning rate from which on every run diverges
ROWS = 0.01  # shares of the study: about two of its rows

BLOCKS = {  # of a task that is not here, its own default
    "binary": "{source: synthetic, name: moons, n_samples: 400, noise: 0.3}",
    "multiclass": "{source: synthetic, name: blobs, n_samples: 400, centers: 4, cluster_std: 3.0, corrupt: {labels: 0.2}}",
    "multilabel": "{source: synthetic, name: multilabel_classification, n_samples: 400, n_features: 8}",
    "regression": "{source: synthetic, name: friedman1, n_samples: 400, noise: 1.0}",
    "streamed": "{source: parquet, path: table, target: y, weight: w, memory: 100KB}",
    "embedded": "{source: parquet, path: table, target: y, weight: w, encode: {categories: embedding}}",
}
BOARDS = {
    "binary": "[bce-logits, {name: focal, gamma: [1, 3]}, hinge]",
    "multiclass": "[cross-entropy, gce, {name: cross-entropy, weight: balanced}]",
    "multilabel": "[bce-logits, {name: bce-logits, pos_weight: balanced}, soft-margin]",
    "regression": "[mse, huber, gaussian-nll]",
    "streamed": "[bce-logits, focal]",
    "embedded": "[bce-logits, focal]",
}


def kinds() -> list[str]:
    """The boards: those above, and the default loss of every other task on its default data."""
    return [*BOARDS, *(name for name in tasks.names() if name not in BOARDS)]


@dataclass(frozen=True)
class Line:
    """One thing that was looked at: the worst figure beside its bound; `passed` is None where there is no bound."""

    what: str
    passed: bool | None
    figure: str
    bound: str = ""

    def __str__(self) -> str:
        word = {True: "pass", False: "FAIL", None: "    "}[self.passed]
        return f"{word}  {self.what:<34} {self.figure}{f'  (bound: {self.bound})' if self.bound else ''}"


@dataclass
class Trial:
    """One go: the device, whether all is smaller, a folder for files; what was trained once serves several checks."""

    device: torch.device
    small: bool
    folder: Path
    began: float
    boards: dict[str, tuple[Experiment, list[RunState]]] = field(default_factory=dict)

    def there(self, numbers: Tensor) -> Tensor:
        """The same numbers on the device, apart from those here."""
        return numbers.detach().clone().to(self.device)

    def wait(self) -> None:
        """Until the device has done all that it was asked for."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def experiment(self, kind: str) -> Experiment:
        """The comparison of that kind, loaded."""
        task = "binary" if kind in ("streamed", "embedded") else kind
        if task != kind and not (self.folder / "table").exists():
            write(self.folder / "table")
        path = self.folder / f"{kind}.yaml"
        data, loss = BLOCKS.get(kind) or flow(dict(tasks.get(task).default_data)), BOARDS.get(kind, "")
        path.write_text(
            f"task: {task}\ndata: {data}\nloss: {loss or tasks.get(task).default_loss}\nseeds: {2 if self.small else 4}\n"
            "model: {hidden: [16], norm: batch, dropout: 0.0}\n"
            f"train: {{batch_size: 64, lr: 0.01, max_steps: {6 if self.small else 120}, clip: 1.0, patience: 50, device: cpu}}\n"
        )
        return load(load_spec(path))

    def board(self, kind: str) -> tuple[Experiment, list[RunState]]:
        """The comparison of that kind, trained on the device, once."""
        if kind not in self.boards:
            experiment = self.experiment(kind)
            self.boards[kind] = experiment, trained(experiment, self.device)
        return self.boards[kind]


def write(folder: Path) -> None:
    """A Parquet table in parts: numbers, holes, a category of 20 levels, yes or no."""
    chance = np.random.default_rng(0)
    folder.mkdir()
    for part in range(2):
        x, city = chance.normal(size=(1000, 4)), chance.integers(0, 20, 1000)
        yes = x[:, 0] + np.sin(city) + 0.5 * chance.normal(size=1000) > 0
        x[chance.random(1000) < 0.1, 1] = np.nan
        named = {f"x{place}": column for place, column in enumerate(x.T)}
        named |= {"w": chance.uniform(0.5, 2.0, 1000)}
        columns = named | {"city": [f"c{level:02}" for level in city], "y": np.where(yes, "yes", "no")}
        parquet.write_table(pa.table(columns), folder / f"part-{part}.parquet")


def trained(experiment: Experiment, device: torch.device, dropout: float = 0.0) -> list[RunState]:
    """The experiment's runs on a device. Noise is drawn where it is used: with dropout, two devices do not agree."""
    model = experiment.job.model.model_copy(update={"dropout": dropout})
    job = replace(experiment.job, device=device, model=model)
    return [state for runs in stacks(experiment.runs(), job) for state in train(runs, job)]


def apart(one: Tensor, other: Tensor) -> float:
    """The largest |a - b| / max(1, |b|); infinite where one has a number and the other has none.

    >>> apart(torch.tensor([1.0, 200.0, math.nan]), torch.tensor([1.0, 100.0, math.nan]))
    1.0
    """
    a, b = one.detach().cpu().double(), other.detach().cpu().double()
    if a.shape != b.shape:
        return math.inf
    same = (a == b) | (a.isnan() & b.isnan())
    far = ((a - b).abs() / b.abs().clamp(min=1)).masked_fill(same, 0.0).nan_to_num(nan=math.inf)
    return float(far.max()) if far.numel() else 0.0


def identical(one: RunState, other: RunState) -> bool:
    """Whether two runs are the same, bit for bit: histories, scores, what was chosen, weights."""
    told = [repr((run.history, run.scores, run.calibration, run.status)) for run in (one, other)]
    weights = one.weights.keys() == other.weights.keys()
    return (
        told[0] == told[1] and weights and all(np.array_equal(own, other.weights[k]) for k, own in one.weights.items())
    )


def losses(trial: Trial) -> Iterator[Line]:
    """Every loss of every task: value and gradient as on the CPU, and the same bits twice."""
    for task in tasks.names():
        for dtype, bound in BOUNDS.items():
            worst = {"value": (0.0, "-"), "gradient": (0.0, "-"), "second time": (0.0, "-")}
            serving = for_task(task)
            for item in serving.values():
                try:
                    off = loss_apart(trial, item, task, dtype)
                except Exception as error:
                    off = dict.fromkeys(worst, math.inf)
                    yield Line(f"loss {task}/{item.name}", False, f"{type(error).__name__}: {error}"[:200])
                worst = {part: max(worst[part], (off[part], item.name), key=lambda pair: pair[0]) for part in worst}
            title = f"{len(serving)} losses {task} {str(dtype).removeprefix('torch.')}"
            for part, (figure, name) in worst.items():
                most = 0.0 if part == "second time" else bound
                yield Line(f"{title} {part}", figure <= most, f"{figure:.2g} ({name})", f"{most:g}")


def loss_apart(trial: Trial, item: Loss, task: str, dtype: torch.dtype) -> dict[str, float]:
    """How far value and gradient of a loss are from the CPU's, and from themselves the second time.

    At the ends of vectors many are the same, or 0, and distances have no slope: losses of vectors fail there on a card. On the
    CPU alone, inputs one rounding apart differ by up to 1e8 in the gradient. That this is the whole reason is not shown yet.
    """
    off = {"value": 0.0, "gradient": 0.0, "second time": 0.0}
    for options in settings(item, {}, task)[: 1 if trial.small else None]:
        case = Case(item, task, options)
        samples = [sample for draw in (ordinary, many, extreme) for sample in draw(case)]
        for sample in samples[1:4] if trial.small else samples:  # of each kind one
            prediction, target = case.prediction(sample.raw.to(dtype)), sample.target_as(dtype)
            here = judged(case, prediction, target)
            there, again = (judged(case, trial.there(prediction), trial.there(target)) for _ in range(2))
            for part, got, wanted, second in zip(off, there, here, again, strict=False):
                off[part] = max(off[part], apart(got, wanted))
                off["second time"] = max(off["second time"], apart(second, got))
    return off


def judged(case: Case, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Value and gradient."""
    leaf = prediction.detach().requires_grad_()
    values = case.judge(leaf, target)
    (slopes,) = torch.autograd.grad(values.sum(), leaf, allow_unused=True, materialize_grads=True)
    return values.detach(), slopes


def metrics(trial: Trial) -> Iterator[Line]:
    """Every metric of every task, calibration and forecasts among them, of the same outputs of runs of every loss."""
    for task in tasks.names():
        experiment = trial.experiment(task)
        measured = list(evaluation_metrics(task, costs_of(experiment)).values())
        worst, seen = (0.0, "-"), set()
        for runs in stacks(every_loss(experiment), experiment.job):
            here, there = (
                Training(runs, replace(experiment.job, device=device, metrics=measured))
                for device in (CPU, trial.device)
            )
            for split in ("valid", "test"):
                shape = (len(runs), here.rows.count(split), outputs_of(runs[0], experiment.job.task))
                output = 2 * torch.randn(shape, generator=torch.Generator().manual_seed(0))
                wanted, got = here.evaluator(output, split), there.evaluator(trial.there(output), split)
                off = [(apart(got[name], wanted[name]), name) for name in wanted]
                worst = max(worst, *off, key=lambda pair: pair[0])
                seen |= {name for name, values in wanted.items() if values.isfinite().any()}
        bound = BOUNDS[torch.float32]
        unseen = [metric.name for metric in measured if metric.name not in seen]
        figure = f"{worst[0]:.2g} ({worst[1]}){', never a number: ' * bool(unseen)}{', '.join(unseen)}"
        yield Line(f"{len(measured)} metrics {task}", worst[0] <= bound and not unseen, figure, f"{bound:g}")


def costs_of(experiment: Experiment) -> list[list[float]] | None:
    """Some price of every decision, where there are classes."""
    labels = next(iter(experiment.datasets.values())).target.labels
    places = range(len(labels))
    return (
        [[abs(a - b) * (1.0 + a) for b in places] for a in places]
        if experiment.spec.task in ("binary", "multiclass")
        else None
    )


def every_loss(experiment: Experiment) -> list[Run]:
    """A run of each loss that serves the task, with each seed."""
    task, runs = experiment.job.task, []
    for item in for_task(task.name).values():
        link = task.links[item.expects]
        for seed, dataset in experiment.datasets.items():
            runs.append(Run(item.name, seed, item, filled(item, {}), (link,) if link else (), 0.01, dataset))
    return runs


def boards(trial: Trial) -> Iterator[Line]:
    """The means of the headline on the test split, and their order; entries closer than the tolerance may change places."""
    for kind in kinds():
        experiment, there = trial.board(kind)
        here = trained(experiment, CPU)
        if kind == "streamed":
            codes = {finding.code for finding in experiment.findings}
            yield Line("rows are read from disk", "streamed" in codes, ", ".join(sorted(codes)))
        yield Line(f"board {kind}", *same_board(experiment, here, there))


def same_board(experiment: Experiment, here: Sequence[RunState], there: Sequence[RunState]) -> tuple[bool, str, str]:
    """Whether two boards are the same, the worst figure, and its bound."""
    headline, rows = experiment.headline.name, experiment.rows["test"]
    (means, spread), (others, _) = (by_entry(states, headline) for states in (here, there))
    allowed = {name: max(spread[name] / 4, 1e-3 * abs(means[name]), 1 / rows) for name in means}
    off = {name: abs(others[name] - means[name]) / allowed[name] for name in means}
    turned = [
        f"{one} and {two} change places"
        for one, two in combinations(means, 2)
        if (means[one] - means[two]) * (others[one] - others[two]) < 0
        and abs(means[one] - means[two]) > allowed[one] + allowed[two]
    ]
    worst = max(off, key=lambda name: off[name])
    told = [f"{headline} {others[worst]:.5f}, on the CPU {means[worst]:.5f} ({worst})", *turned]
    tolerance = f"{allowed[worst]:.2g}: sd / 4, 0.1 %, or a row"
    return off[worst] <= 1 and not turned, "; ".join(told), tolerance


def by_entry(states: Sequence[RunState], metric: str) -> tuple[dict[str, float], dict[str, float]]:
    """Mean and standard deviation over the seeds of each entry's score on the test split."""
    scores: dict[str, list[float]] = {}
    for state in states:
        scores.setdefault(state.run.entry, []).append(state.scores["test"][metric])
    return {k: float(np.mean(v)) for k, v in scores.items()}, {k: float(np.std(v, ddof=1)) for k, v in scores.items()}


def same_bits(trial: Trial) -> Iterator[Line]:
    """Every board twice; with dropout, too, whose noise is drawn on the device."""
    for kind in kinds():
        experiment, first = trial.board(kind)
        yield Line(f"same bits twice {kind}", *no_difference(first, trained(experiment, trial.device)))
    experiment = trial.board("multiclass")[0]
    first, second = (trained(experiment, trial.device, dropout=0.3) for _ in range(2))
    yield Line("same bits twice with dropout", *no_difference(first, second))


def no_difference(first: Sequence[RunState], second: Sequence[RunState]) -> tuple[bool, str, str]:
    """Whether all runs are the same, the figure, and its bound."""
    differ = sum(not identical(one, other) for one, other in zip(first, second, strict=True))
    return not differ, f"{differ} of {len(first)} runs differ", "0"


def neighbours(trial: Trial) -> Iterator[Line]:
    """A run in the middle of its stack that explodes, and one whose weights are not numbers from the start."""
    for kind in ("binary", "multiclass", "regression"):
        experiment = trial.board(kind)[0]
        job = replace(experiment.job, device=trial.device)
        calm = next(iter(stacks(experiment.runs(), job)))
        middle = len(calm) // 2
        alone = train(calm, job)
        for lr in (1e6, WILD, math.nan):
            runs = [replace(run, lr=lr) if place == middle else run for place, run in enumerate(calm)]
            beside = train(runs, job)
            harmed = sum(not identical(alone[at], beside[at]) for at in range(len(calm)) if at != middle)
            wild = beside[middle].status
            passed = not harmed and (wild == "diverged" or lr < WILD)
            yield Line(
                f"neighbours {kind} lr {lr:g}", passed, f"{harmed} of {len(calm) - 1} runs differ; it: {wild}", "0"
            )


def study(trial: Trial) -> Iterator[Line]:
    """Before the first step, where both devices have the same weights; afterwards it is only told how many there are."""
    for kind in ("multiclass", "regression"):
        experiment, there = trial.board(kind)
        here = trained(experiment, CPU)
        pairs = [
            (a.snapshots[0], b.snapshots[0]) for a, b in zip(here, there, strict=True) if a.snapshots and b.snapshots
        ]
        off = max(
            (apart(torch.tensor(b.rows + b.gradient), torch.tensor(a.rows + a.gradient)) for a, b in pairs), default=9.0
        )
        looks = sum(len(state.snapshots) for state in there)
        memories = sum(look.memory is not None for state in there for look in state.snapshots)
        complete = looks > 0 and (kind != "multiclass" or memories == looks)
        figure = f"{off:.2g} of {looks} looks, {memories} at wrong labels"
        yield Line(f"study {kind}", off <= ROWS and complete, figure, f"{ROWS:g}")
