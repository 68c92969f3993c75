"""Embedded categories: looked up as torch does, learned per run, the same alone and in a stack."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from losscli.data.dataset import Layout, Table
from losscli.data.encoding import Encoding
from losscli.data.prepare import prepare
from losscli.data.sources import Split
from losscli.losses import find as find_loss
from losscli.stack.layers import Embedding, ForwardContext
from losscli.stack.network import Network
from losscli.stack.plan import Plan
from losscli.stack.rows import Run
from losscli.stack.stacks import stacks
from losscli.stack.train import Training, train
from losscli.tasks import Column, tasks

LAYOUT = Layout(plain=2, codes=(5, 3), sizes=(4, 2))
EMBEDDED = Encoding.model_validate({"categories": "embedding"})


def table(rows: int, levels: int, noise: float = 0.1) -> Table:
    """A number of its own for each level, plus 2 x, plus noise; each level occurs about rows / levels times."""
    rng = np.random.default_rng(0)
    codes = np.concatenate([np.arange(levels), rng.integers(0, levels, rows - levels)]).astype(np.int32)
    effect, x = rng.normal(size=levels), rng.normal(size=rows)
    y = effect[codes] + 2 * x + noise * rng.normal(size=rows)
    features = {"city": Column(codes, tuple(f"c{level:04}" for level in range(levels))), "x": Column(x)}
    return Table("cities", features, {"y": Column(y)})


@pytest.fixture(scope="module")
def run_on():
    """A run on 150 rows of 90 cities: most training splits lack some of them, each seed's others."""
    made = table(150, 90)
    task = tasks.get("regression")
    target = task.decode(made.targets)

    def make(seed: int, loss: str = "mse", lr: float = 1e-2) -> Run:
        dataset = prepare(made, target, task, Split(), seed, encoding=EMBEDDED)
        return Run(f"{loss} {lr}", seed, find_loss(loss, "regression"), {}, (), lr, dataset)

    return make


def test_codes_are_looked_up_in_each_runs_own_tables():
    net = Network([Embedding(LAYOUT)])
    matrix = torch.stack([net.draw(seed) for seed in range(3)])
    codes = torch.stack([torch.randint(0, count, (3, 7)) for count in LAYOUT.codes], dim=-1)
    plain = torch.randn(3, 7, 2)
    ours = net.bind(matrix, net.rest(3))(torch.cat([plain, codes.float()], dim=-1), ForwardContext())
    assert ours.shape == (3, 7, LAYOUT.width)
    for run in range(3):
        named = net.named(matrix[run], torch.empty(0))
        oracles = [torch.nn.Embedding.from_pretrained(torch.from_numpy(named[f"layers.0.table{at}"])) for at in (0, 1)]
        looked_up = [oracle(codes[run, :, at]) for at, oracle in enumerate(oracles)]
        assert torch.equal(ours[run], torch.cat([*looked_up, plain[run]], dim=-1))


def test_the_vector_of_what_was_never_seen_is_zero():
    drawn = Embedding(LAYOUT).draw(torch.Generator().manual_seed(0))
    assert {name: tuple(tensor.shape) for name, tensor in drawn.items()} == {"table0": (5, 4), "table1": (3, 2)}
    for tensor in drawn.values():
        assert not tensor[0].any()
        assert tensor[1:].all()
        assert tensor.abs().max() <= 0.05


def test_gradients_add_up_over_the_rows_of_a_level():
    net = Network([Embedding(Layout(0, (4,), (2,)))])
    bound = net.bind(net.draw(0)[None], net.rest(1))
    bound(torch.tensor([[[1.0], [3.0], [1.0], [1.0]]]), ForwardContext()).sum().backward()
    assert bound.leaves[0].grad.tolist() == [[[0, 0], [3, 3], [0, 0], [1, 1]]]


@pytest.mark.parametrize(
    "model", [{"kind": "linear"}, {"kind": "mlp"}, {"kind": "mlp", "norm": "batch", "dropout": 0.3}]
)
def test_a_run_alone_equals_the_same_run_among_data_with_other_levels(run_on, job_of, model):
    job = job_of("regression", Plan(epochs=3, batch_size=32, weight_decay=1e-2), **model)
    runs = [run_on(seed, loss) for loss in ("mse", "huber") for seed in (0, 1, 2)]
    levels = {run.dataset.embedded for run in runs}
    assert len(levels) == 3  # or nothing would be padded
    among = [state for stack in stacks(runs, job) for state in train(stack, job)]
    assert {state.weights["layers.0.table0"].shape[0] for state in among} == {max(levels)[0]}
    for state in among:
        alone = train([state.run], job)[0]
        for name, ours in alone.weights.items():
            theirs = state.weights[name]
            inside = theirs[tuple(slice(size) for size in ours.shape)]
            np.testing.assert_allclose(inside, ours, rtol=0, atol=1e-5 * max(1, np.abs(ours).max()))
        for name, value in alone.scores["test"].items():
            assert state.scores["test"][name] == pytest.approx(value, rel=1e-4, abs=1e-4)


def test_initial_vectors_come_from_the_runs_own_seed(run_on, job_of):
    job = job_of("regression")
    runs = [run_on(0), run_on(1), run_on(0, "huber")]
    among, alone = Training(runs, job), Training([runs[1]], job)
    tables, own = (training.networks["model"].bound.layers[0][1]["table0"] for training in (among, alone))
    assert torch.equal(tables[0], tables[2])
    assert torch.equal(tables[1, : own.shape[1]], own[0])
    assert not torch.equal(tables[0, 1:20], tables[1, 1:20])


def test_one_runs_nan_leaves_the_others_bit_equal(run_on, job_of):
    job = job_of("regression", Plan(epochs=3, batch_size=32))
    calm = train([run_on(0), run_on(1), run_on(2)], job)
    wild = train([run_on(0), run_on(1, lr=1e30), run_on(2)], job)
    assert wild[1].status == "diverged"
    for place in (0, 2):
        assert wild[place].status == "ok"
        assert calm[place].history == wild[place].history
        for name, weights in calm[place].weights.items():
            assert np.array_equal(weights, wild[place].weights[name])


def test_plain_features_of_other_number_stand_beside_codes(run_on, job_of):
    """One seed's data have two more one-hot features: codes stay the last columns, and the run stays what it is."""
    run = run_on(1)
    other = run_on(0).dataset
    parts = {
        name: replace(part, features=np.insert(part.features, [1, 1], 1.0, axis=1))
        for name, part in other.parts.items()
    }
    wider = replace(run_on(0), dataset=replace(other, parts=parts))
    assert (wider.dataset.layout.plain, run.dataset.layout.plain) == (3, 1)
    job = job_of("regression")
    among, alone = train([wider, run], job)[1], train([run], job)[0]
    for split, scores in alone.scores.items():
        for name, value in scores.items():
            assert among.scores[split][name] == pytest.approx(value, rel=1e-4, abs=1e-4)
    size = run.dataset.sizes[0]
    first, own = among.weights["layers.1.weight"], alone.weights["layers.1.weight"]
    np.testing.assert_allclose(first[: size + 1], own, rtol=1e-4, atol=1e-5)
    assert not first[size + 1 :].any()


def test_2000_levels_learn_an_effect_each(job_of):
    made = table(20_000, 2000)
    task = tasks.get("regression")
    dataset = prepare(made, task.decode(made.targets), task, Split(), 0, encoding=EMBEDDED)
    seen = [int(level[1:]) for level in dataset.encoder["columns"][0]["levels"]]
    assert dataset.embedded == (len(seen) + 1,)
    assert len(seen) > 1950
    run = Run("mse", 0, find_loss("mse", "regression"), {}, (), 1e-2, dataset)
    job = job_of("regression", Plan(epochs=6, batch_size=256), metrics=["r2", "rmse"], kind="linear")
    state = train([run], job)[0]
    without = math.sqrt(1.0 + 0.1**2)  # rmse of one who knows x and no city: the effects have variance 1
    assert state.scores["test"]["r2"] > 0.97
    assert state.scores["test"]["rmse"] < without / 2
    table0, weight = state.weights["layers.0.table0"], state.weights["layers.1.weight"]
    learned = table0 @ weight[: dataset.sizes[0]]
    effects = np.random.default_rng(0)
    effects.integers(0, 2000, 18_000)
    truth = effects.normal(size=2000)
    assert np.corrcoef(learned[1:, 0], truth[seen])[0, 1] > 0.95
    assert not table0[0].any()
