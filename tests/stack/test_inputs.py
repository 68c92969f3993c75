"""Training on rows that are encoded when they are needed: the same rows, each once, in an order from the seed alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from losscli.data.dataset import Dataset, Part
from losscli.data.encode import Encoder, NumberCode
from losscli.data.stream import BLOCKS, Stream
from losscli.stack.rows import Rows, Run
from losscli.stack.samplers.shuffled import Shuffled, shuffled
from losscli.stack.train import train
from losscli.tasks import Column


def streaming(dataset: Dataset, window: int) -> Dataset:
    """The same dataset, its features encoded anew each time, by an encoder that changes nothing."""
    parts = {}
    for name, part in dataset.parts.items():
        columns = {f"x{place}": Column(values.astype(np.float64)) for place, values in enumerate(part.features.T)}
        encoder = Encoder(tuple(NumberCode(key, 0.0, 0.0, 1.0) for key in columns))
        parts[name] = replace(part, features=Stream(columns, np.arange(part.rows), encoder, window))
    return replace(dataset, parts=parts)


def streamed(runs: list[Run], window: int) -> list[Run]:
    made = {id(run.dataset): streaming(run.dataset, window) for run in runs}
    return [replace(run, dataset=made[id(run.dataset)]) for run in runs]


def test_an_order_has_every_row_once_and_windows_of_neighbours() -> None:
    order = shuffled(1000, 160, torch.Generator().manual_seed(1), blocks=16)
    assert order.sort().values.tolist() == list(range(1000))
    windows = order.split(160)
    assert len(windows) == 7
    for window in windows[:-1]:  # a block at the table's end may be short
        assert len(set((window // 10).tolist())) in (16, 17)
        assert (window.diff() == 1).float().mean() < 0.2  # neighbours do not stay side by side
    again = shuffled(1000, 160, torch.Generator().manual_seed(2), blocks=16)
    assert order.tolist() != again.tolist()


def test_what_fits_a_window_is_shuffled_as_in_memory() -> None:
    for window in (None, 50, 51):
        order = shuffled(50, window, torch.Generator().manual_seed(3), BLOCKS)
        assert order.tolist() == torch.randperm(50, generator=torch.Generator().manual_seed(3)).tolist()


def test_one_window_trains_bit_for_bit_as_in_memory(run_of, job_of) -> None:
    runs = [run_of(loss, seed) for loss in ("bce-logits", "hinge") for seed in (0, 1)]
    for held, own in zip(train(runs, job_of()), train(streamed(runs, 1000), job_of()), strict=True):
        assert repr((own.history, own.scores)) == repr((held.history, held.scores))  # as texts: NaN equals no NaN
        for name, weights in held.weights.items():
            np.testing.assert_array_equal(own.weights[name], weights)


def test_every_epoch_hands_each_seed_every_row_once(run_of) -> None:
    runs = streamed([run_of(loss, seed) for loss in ("bce-logits", "hinge") for seed in (0, 1)], 32)
    rows = Rows(runs, torch.device("cpu"))
    sampler = Shuffled(rows, 8)
    assert rows.most == 16  # of each of two seeds
    for _ in range(2):
        inputs, targets = zip(*map(dict.values, sampler.epoch()), strict=True)
        seen, told = torch.cat(inputs, dim=1), torch.cat(targets, dim=1)
        torch.testing.assert_close(
            seen[0], seen[2], rtol=0, atol=0
        )  # two losses of one seed see the same, in one order
        assert not seen[0].equal(seen[1])
        for place, run in enumerate(runs[:2]):
            part: Part = run.dataset.parts["train"]
            pairs = np.column_stack([part.features[:], part.target])
            got = np.column_stack([seen[place].numpy(), told[place].numpy()])
            np.testing.assert_array_equal(
                np.sort(got.view("f4,f4,f4"), axis=0), np.sort(pairs.view("f4,f4,f4"), axis=0)
            )
            assert got.tolist() != pairs.tolist()


def test_the_order_of_a_seed_is_its_own_in_any_stack(run_of) -> None:
    runs = streamed([run_of(seed=0), run_of(seed=1)], 32)
    both, alone = (Shuffled(Rows(stack, torch.device("cpu")), 8) for stack in (runs, runs[1:]))
    for together, own in zip(both.epoch(), alone.epoch(), strict=True):
        torch.testing.assert_close(together["inputs"][1], own["inputs"][0], rtol=0, atol=0)


@pytest.mark.parametrize("window", [16, 32])
def test_small_windows_learn_as_well(run_of, job_of, window: int) -> None:
    runs = [run_of(seed=seed) for seed in range(3)]
    for held, own in zip(train(runs, job_of()), train(streamed(runs, window), job_of()), strict=True):
        assert own.scores["valid"]["auroc"] == pytest.approx(held.scores["valid"]["auroc"], abs=0.1)
        assert own.history != held.history


def test_judging_encodes_no_more_rows_at_once_than_training(run_of, job_of, monkeypatch) -> None:
    asked, part = [], Rows.part
    monkeypatch.setattr(Rows, "part", lambda self, *which: asked.append(which) or part(self, *which))
    train(streamed([run_of()], 16), job_of())
    assert {split for split, _, _ in asked} == {"train", "valid", "test"}
    assert max(stop - start for _, start, stop in asked) <= 17  # a last row joins the batch before it


def test_places_all_over_the_split_are_read_in_their_order(run_of) -> None:
    run = run_of()
    places = torch.tensor([5, 0, 99])
    held, own = (Rows(runs, torch.device("cpu")).at("train", places) for runs in ([run], streamed([run], 16)))
    for mine, theirs in zip(own[:2], held[:2], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)


def test_runs_of_one_seed_may_have_different_data(run_of, job_of, dataset) -> None:
    """Each trains as it does alone: with the seed's initial weights and order, and its own rows."""
    own = run_of(seed=0)
    other = replace(own, dataset=dataset("binary", 7))
    alone = [train([run], job_of())[0] for run in (own, other)]
    together = train([own, other, own], job_of())
    for state, expected in zip(together, [*alone, alone[0]], strict=True):
        for name, weights in expected.weights.items():
            np.testing.assert_allclose(state.weights[name], weights, rtol=1e-4, atol=1e-6)
        assert state.scores["test"] == pytest.approx(expected.scores["test"], abs=1e-5)
    assert not np.allclose(alone[0].weights["layers.0.weight"], alone[1].weights["layers.0.weight"], atol=1e-3)
