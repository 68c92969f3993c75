"""What is played back against the long way: the same bits, for every loss, layer, optimizer and weight there is."""

from __future__ import annotations

import dis
import gc
import json
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from inspect import Parameter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from losscli.activations import ACTIVATIONS
from losscli.experiment import load
from losscli.losses import Choice, Loss, Option, PerClass, Several, for_task
from losscli.spec.load import load_spec
from losscli.stack import recording
from losscli.stack import train as engine
from losscli.stack.job import Job
from losscli.stack.optimizer import OPTIMIZERS
from losscli.stack.plan import Plan
from losscli.stack.recording import Playback
from losscli.stack.rows import Run
from losscli.stack.run_state import RunState
from losscli.tasks import tasks

# Of tasks whose data come with their specs: their own, or smaller ones.
SPECS = {
    "distribution": "",
    "embedding": "data: {source: builtin, name: wine}\n",
    "gan": "data: {source: synthetic, name: ring, n_samples: 300}\n",
}
BINS = 7  # of the distributions there


def trained(
    runs: Sequence[Run], job: Job, after: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[RunState], list[Playback]]:
    """The runs, with steps that are recorded after so many of a shape; and what was recorded."""
    playbacks: list[Playback] = []

    def record() -> Playback:
        playbacks.append(Playback(after))
        return playbacks[-1]

    monkeypatch.setattr(engine, "Playback", record)
    torch.manual_seed(0)
    return engine.train(runs, job), playbacks


def told(states: Sequence[RunState]) -> list[Any]:
    """All that a training has come to, as bits."""
    return [
        (
            state.history,
            state.scores,
            {name: weights.tobytes() for name, weights in (state.weights or {}).items()},
        )
        for state in states
    ]


def assert_same_bits(runs: Sequence[Run], job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """One training with nothing played back, and one with all but the first batch of each shape."""
    long, _ = trained(runs, job, 10**9, monkeypatch)
    short, playbacks = trained(runs, job, 0, monkeypatch)
    np.testing.assert_equal(told(short), told(long))
    assert all(state.weights for state in long)
    plays = [play for part in playbacks for play in part.plays.values()]
    assert plays
    assert all(plays)


def required(loss: Loss) -> dict[str, float]:
    return {name: 1.0 for name, option in loss.options.items() if option.default is Parameter.empty}


def unusual(loss: Loss, place: int, labels: int) -> dict[str, Any]:
    """All options away from their defaults, in one of two ways."""
    return {name: _unusual(option, place, labels) for name, option in loss.options.items()}


def _unusual(option: Option, place: int, labels: int) -> Any:
    accepts, values = option.accepts, list[Any]()
    if isinstance(accepts, Choice):
        values = list(accepts.names)
    elif isinstance(accepts, Several):
        values = [[0.2, 0.6, 0.9], [0.3, 0.4, 0.8]]  # as many as by default: the runs share a stack
    elif isinstance(accepts, PerClass):
        own = [1.5 + label for label in range(labels)]
        values = [*accepts.rules, 2.5 if option.name == "pos_weight" and labels == 2 else own]
    else:
        values += [number for number in (0.3, 0.7, 1.3, 1.7) if accepts.allow(number)]
    others = [value for value in values if value != option.default]
    return others[min(place, len(others) - 1)]


SANDBOX = [(task, name) for task in ("binary", "multiclass", "multilabel", "regression") for name in for_task(task)]


@pytest.mark.parametrize(("task", "name"), SANDBOX)
def test_of_every_loss(task: str, name: str, run_of, job_of, monkeypatch) -> None:
    """With its defaults, with all options of others, which differ from run to run, and with those alone."""
    loss, job = for_task(task)[name], job_of(task, Plan(epochs=2, batch_size=53), hidden=[8])
    runs = [run_of(name, seed, task, 1e-2, **required(loss)) for seed in (0, 1)]
    labels = len(runs[0].dataset.target.labels)
    others = [run_of(name, 0, task, 1e-2, **unusual(loss, place, labels)) for place in (0, 1) if loss.options]
    assert_same_bits([*runs, *others], job, monkeypatch)
    if others:
        assert_same_bits(others[1:], job, monkeypatch)


@pytest.mark.parametrize(("task", "name"), [(task, name) for task in SPECS for name in for_task(task)])
def test_of_every_loss_of_other_systems(task: str, name: str, tmp_path: Path, monkeypatch) -> None:
    spec = tmp_path / "spec.yaml"
    loss = for_task(task)[name]
    ways = [required(loss), *(unusual(loss, place, BINS) for place in (0, 1) if loss.options)]
    entries = json.dumps([{"name": name, **options} for options in ways])
    spec.write_text(
        f"task: {task}\n{SPECS[task]}loss: {entries}\nmodel: {{kind: mlp, hidden: [8]}}\n"
        f"train: {{epochs: 1, batch_size: 60, max_steps: 6}}\nseeds: {1 if loss.options else 2}\n"
    )
    experiment = load(load_spec(spec))
    runs = experiment.runs()
    if runs[0].loss.penalties:  # they note what is no tensor of the step: what has them goes the long way
        short, playbacks = trained(runs, experiment.job, 0, monkeypatch)
        np.testing.assert_equal(told(short), told(trained(runs, experiment.job, 10**9, monkeypatch)[0]))
        assert len(playbacks) < len(tasks.get(task).phases(experiment.job.plan))
        return
    assert_same_bits(runs, experiment.job, monkeypatch)


MODELS: Sequence[Mapping[str, Any]] = [
    {"kind": "linear"},
    {"hidden": [20, 3]},
    *({"activation": name} for name, activation in ACTIVATIONS.items() if activation.hidden),
    {"norm": "batch"},
    {"norm": "layer"},
    {"dropout": 0.3},
    {"norm": "batch", "dropout": 0.5},
]


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_of_every_layer(model: Mapping[str, Any], run_of, job_of, monkeypatch) -> None:
    runs = [run_of(name, seed) for name in ("bce-logits", "hinge", "bce") for seed in (0, 1)]
    assert_same_bits(runs, job_of(plan=Plan(epochs=3, batch_size=25), **model), monkeypatch)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_of_every_optimizer_with_all_that_a_plan_says(name: str, run_of, job_of, monkeypatch) -> None:
    plan = Plan(epochs=6, batch_size=30, optimizer=name, weight_decay=0.1, clip=0.5, schedule="cosine", patience=1)
    runs = [run_of("focal", seed, lr=lr) for lr in (1e-3, 0.3) for seed in (0, 1)]
    assert_same_bits(runs, job_of(plan=plan), monkeypatch)


def test_of_weights_of_rows_and_classes(run_of, job_of, monkeypatch) -> None:
    """Some rows count nothing, and in some batches none does: those runs leave the step out."""
    run = run_of()
    chance = np.random.default_rng(0)
    parts = {
        name: replace(part, weight=(chance.random(part.rows) > 0.8).astype(np.float32))
        for name, part in run.dataset.parts.items()
    }
    dataset = replace(run.dataset, parts=parts)
    weighted = [replace(run_of(name, 0), dataset=dataset, weight="balanced") for name in ("hinge", "brier")]
    assert_same_bits(weighted, job_of(plan=Plan(epochs=3, batch_size=4), norm="batch"), monkeypatch)


def test_what_goes_on_from_a_state_is_played_back_too(run_of, job_of, monkeypatch) -> None:
    runs, job = [run_of("bce-logits", seed) for seed in (0, 1)], job_of(plan=Plan(epochs=4, batch_size=25))
    monkeypatch.setattr(engine, "Playback", partial(Playback, after=0))
    kept: list[dict[str, Any]] = []

    class Keeper(engine.Keeper):
        def save(self, state: Callable[[], dict[str, Any]], *, stopped: bool) -> None:
            if stopped:
                kept.append(state())

    whole, half, again = (engine.Training(runs, job) for _ in range(3))
    whole.run(lambda *_: False)
    half.run(lambda epoch, *_: epoch == 2, Keeper())
    again.load(kept[0])
    again.run(lambda *_: False)
    assert torch.equal(again.networks["model"].weights, whole.networks["model"].weights)


def test_a_training_goes_with_the_last_who_holds_it(run_of, job_of, monkeypatch) -> None:
    monkeypatch.setattr(engine, "Playback", partial(Playback, after=0))
    gc.disable()
    try:
        training = engine.Training([run_of()], job_of(plan=Plan(epochs=1, batch_size=53)))
        training.run(lambda *_: False)
        left = [weakref.ref(training), weakref.ref(training.networks["model"].weights)]
        del training
        assert [part() for part in left] == [None, None]
    finally:
        gc.enable()


def test_losses_of_plugins_are_not_recorded(run_of, job_of) -> None:
    """What they keep from step to step, nobody knows."""
    steps: list[int] = []

    def fading(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        steps.append(len(steps))
        return (prediction - target).square() / len(steps)

    run = run_of()
    assert engine.is_recorded([run], job_of())
    assert not engine.is_recorded([run, replace(run, loss=replace(run.loss, function=fading))], job_of())


SQUARE = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


class Recorded(Playback):
    """One of a function of its own."""

    def __init__(self, function: Callable[..., Any], after: int):
        super().__init__(after)
        self.function = function

    def __call__(self, batch: Mapping[str, torch.Tensor]) -> Sequence[Any]:  # type: ignore[override]
        return super().__call__(self.function, batch)


class TestRecorded:
    """Functions of which a careless recording would give something else."""

    @pytest.fixture
    def played(self) -> Callable[..., list[torch.Tensor]]:
        def play(function: Callable[[Mapping[str, torch.Tensor]], Sequence[torch.Tensor]], *xs: torch.Tensor) -> Any:
            recorded = Recorded(function, after=0)
            results = [recorded({"x": x})[0].clone() for x in xs]
            assert list(recorded.plays.values()) != [None]
            return results

        return play

    def test_weights_that_move_between_steps(self, played) -> None:
        weight = torch.tensor([1.0, 2.0])

        def step(batch):
            result = batch["x"] * weight.view(2, 1).transpose(0, 1)[0]
            weight.add_(1.0)
            return [result]

        results = played(step, *(torch.ones(2),) * 3)
        assert [result.tolist() for result in results] == [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]

    def test_a_constant_that_is_written_to(self, played) -> None:
        def step(batch):
            zeros = torch.zeros_like(batch["x"])
            zeros[:1].add_(batch["x"][:1])
            return [zeros]

        results = played(step, *(torch.tensor([number, 0.0]) for number in (1.0, 2.0, 3.0)))
        assert [result.tolist() for result in results] == [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]

    def test_a_result_that_somebody_writes_to(self) -> None:
        recorded = Recorded(lambda batch: [torch.ones_like(batch["x"]) * 2], after=0)
        for _ in range(3):
            (result,) = recorded({"x": torch.zeros(2)})
            assert result.tolist() == [2.0, 2.0]
            result.add_(1.0)

    def test_what_was_there_before_may_come_out(self, played) -> None:
        weight = torch.tensor([1.0])
        results = played(lambda batch: [weight.add_(batch["x"])], *(torch.ones(1),) * 3)
        assert [result.item() for result in results] == [2.0, 3.0, 4.0]

    def test_chance_is_drawn_anew(self, played) -> None:
        stream = torch.Generator().manual_seed(1)
        results = played(lambda batch: [torch.rand(batch["x"].shape, generator=stream)], *(torch.zeros(3),) * 3)
        again = torch.Generator().manual_seed(1)
        assert torch.equal(torch.stack(results), torch.stack([torch.rand(3, generator=again) for _ in range(3)]))

    def test_shapes_are_told_apart(self) -> None:
        recorded = Recorded(lambda batch: [batch["x"].mean()], after=0)
        for length in (3, 5, 3, 5):
            assert recorded({"x": torch.arange(length).float()})[0].item() == (length - 1) / 2
        assert len(recorded.plays) == 2

    def test_ways_to_lie_in_memory_are_told_apart(self) -> None:
        recorded = Recorded(lambda batch: [batch["x"].as_strided((4,), (1,)).clone()], after=0)
        square = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        for x in (square, square.T, square, square.T):
            assert recorded({"x": x})[0].tolist() == [1.0, 2.0, 3.0, 4.0]
        assert len(recorded.plays) == 2

    @pytest.mark.parametrize(
        "function",
        [
            lambda x: x * x.max().item(),
            lambda x: x[x > 0].sum() + x,
            lambda x: x.new_zeros(len(torch.nonzero(x > 1))).sum() + x,
            lambda x: x if torch.equal(x, x.abs()) else -x,
            lambda x: x * 2 if bool((x > 1).any()) else x,
        ],
    )
    def test_what_decides_by_numbers_is_not_played(self, function) -> None:
        recorded = Recorded(lambda batch: [function(batch["x"])], after=0)
        for x in (torch.tensor([1.0, 2.0]), torch.tensor([-1.0, 0.5]), torch.tensor([3.0, -2.0])):
            assert torch.equal(recorded({"x": x})[0], function(x))
        assert list(recorded.plays.values()) == [None]

    @pytest.mark.parametrize(
        "function",
        [
            lambda x: x * x.tolist()[0],
            lambda x: x * torch.from_numpy(x.numpy().copy()),
            lambda x: x * float(np.asarray(x).sum()),
            lambda x: x * len(str(x)),
            lambda x: _moved(torch.ones(2), x) + 1,
        ],
    )
    def test_what_is_not_seen_is_not_played(self, function) -> None:
        recorded = Recorded(lambda batch: [function(batch["x"])], after=0)
        for x in (torch.tensor([1.0, 2.0]), torch.tensor([-1.0, 0.5])):
            assert torch.equal(recorded({"x": x})[0], function(x))
        assert list(recorded.plays.values()) == [None]

    def test_a_number_of_pythons_that_is_written_to(self, played) -> None:
        def step(batch):
            total = torch.tensor(1.0)
            total += batch["x"].sum()
            return [total * 1]

        results = played(step, *(torch.full((2,), number) for number in (1.0, 2.0, 3.0)))
        assert [result.item() for result in results] == [3.0, 5.0, 7.0]

    def test_a_constant_that_is_written_to_by_another_shape(self, played) -> None:
        """Of `reshape`, the schema does not say that both are one memory."""

        def step(batch):
            flat = torch.zeros_like(batch["x"]).t().reshape(-1)
            flat += batch["x"].flatten()
            return [flat * 1]

        results = played(step, *(torch.full((2, 2), number) for number in (1.0, 2.0, 3.0)))
        assert [result.tolist() for result in results] == [[1.0] * 4, [2.0] * 4, [3.0] * 4]

    def test_what_lies_otherwise_from_then_on_is_not_played(self) -> None:
        def step(batch):
            return [batch["x"].detach().unsqueeze_(0) + 1]

        recorded, x = Recorded(step, after=0), torch.zeros(2)
        for _ in range(3):
            assert recorded({"x": x})[0].shape == (1, 2)
            assert x.shape == (2,)

    def test_what_no_operation_has_given_may_come_out(self, played) -> None:
        weight = torch.ones(2)
        results = played(lambda batch: [weight, batch["x"]], *(torch.zeros(2),) * 3)
        assert [result.tolist() for result in results] == [[1.0, 1.0]] * 3

    def test_lists_among_results_are_not_played(self) -> None:
        library = torch.library.Library("recorded", "DEF")
        library.define("parts(Tensor x) -> (Tensor, Tensor[])")
        library.impl("parts", lambda x: (x + 1, [x * 2]), "CPU")
        recorded = Recorded(lambda batch: [torch.ops.recorded.parts(batch["x"])[1][0] + 1], after=0)
        assert [recorded({"x": torch.tensor(number)})[0].item() for number in (1.0, 2.0, 3.0)] == [3.0, 5.0, 7.0]

    def test_one_tensor_in_two_places(self) -> None:
        weight = torch.ones(2)
        recorded, x = Recorded(lambda batch: [batch["a"] - batch["b"] + weight], after=0), torch.ones(2)
        recorded({"a": x, "b": x})
        assert recorded({"a": 3 * x, "b": x})[0].tolist() == [3.0, 3.0]
        own = Recorded(lambda batch: [batch["a"] + weight], after=0)
        own({"a": weight})
        assert own({"a": 3 * x})[0].tolist() == [4.0, 4.0]

    def test_types_and_names_are_told_apart(self) -> None:
        recorded = Recorded(lambda batch: [batch["x"].float() / 3 if "x" in batch else batch["y"]], after=0)
        for batch in ({"x": torch.ones(2)}, {"x": torch.ones(2).double()}, {"y": torch.ones(2)}):
            (result,), (expected,) = recorded(batch), recorded.function(batch)
            assert result.dtype == expected.dtype
            assert torch.equal(result, expected)
        assert len(recorded.plays) == 3

    def test_tensors_that_are_mostly_zeros(self, played) -> None:
        results = played(lambda batch: [torch.eye(2).to_sparse() @ batch["x"]], SQUARE, 2 * SQUARE)
        assert torch.equal(results[1], 2 * SQUARE)

    def test_what_turns_out_to_be_large_is_not_kept(self, monkeypatch) -> None:
        """All that a recorded step makes is there until its end."""
        monkeypatch.setattr(recording, "MOST", 1000)
        recorded, alive = Recorded(lambda batch: [_halves(batch["x"], alive)], after=0), []
        assert torch.equal(recorded({"x": torch.ones(100)})[0], torch.full((100,), 0.5**8))
        assert sum(tensor() is not None for tensor in alive) <= 1
        assert list(recorded.plays.values()) == [None]

    def test_what_is_played_goes_with_the_last_who_holds_it(self) -> None:
        weights = [torch.ones(2)]
        recorded = Recorded(lambda batch: [batch["x"] * weights[0]], after=0)
        recorded({"x": torch.ones(2)})
        left = weakref.ref(weights[0])
        gc.disable()  # Python's search for circles: a command seldom makes one
        try:
            weights.clear()
            del recorded
            assert left() is None
        finally:
            gc.enable()

    def test_nothing_is_recorded_before_it_pays(self) -> None:
        recorded = Recorded(lambda batch: [batch["x"] + 1], after=3)
        for _ in range(3):
            recorded({"x": torch.zeros(1)})
        assert not recorded.plays
        recorded({"x": torch.zeros(1)})
        assert len(recorded.plays) == 1

    def test_memory_is_given_back_on_the_way(self) -> None:
        """Of twenty tensors of a chain, two are there at a time."""
        recorded = Recorded(lambda batch: [_chain(batch["x"])], after=0)
        recorded({"x": torch.zeros(4)})
        (play,) = recorded.plays.values()
        freed = [line.argval for line in dis.get_instructions(play) if line.opname == "DELETE_FAST"]
        assert len(set(freed)) == 20  # what went in, too, but not what comes out


def _chain(x: torch.Tensor) -> torch.Tensor:
    for _ in range(20):
        x = x + 1
    return x


def _moved(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    weight.data = x * 2
    return weight


def _halves(x: torch.Tensor, alive: list[Any]) -> torch.Tensor:
    for _ in range(8):
        x = x / 2
        alive.append(weakref.ref(x))
    return x
