"""A grid against plain PyTorch in float64, and what is told of it against what is so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import e, log

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from losscli.play.contents import FIRST, SIZES, contents
from losscli.play.grid import Grid, trained
from losscli.play.notices import first, notices
from losscli.play.scene import Scene
from losscli.play.scenes import LOSSES, SPLIT, drawn
from losscli.play.scenes.told import CLOUDS, SLOPE
from losscli.play.stories import Step, stories
from losscli.play.trace import Trace

LEVELS = {"labels": (0.0, 0.4), "feature_noise": (0.0, 0.3), "imbalance": (0.0, 0.8)}
EVERY = Scene("three", "multiclass", (*drawn("blobs", 90, "centers=3"), SPLIT), LOSSES, LEVELS)
START = Step("", ("mse", "mae"), lambda _: "")


@pytest.fixture(scope="module")
def every() -> Grid:
    """All losses that a page has, and all kinds of damage."""
    return trained(EVERY, frames=4)


@pytest.fixture(scope="module")
def clouds() -> Grid:
    return trained(CLOUDS)


@pytest.fixture(scope="module")
def slope() -> Grid:
    return trained(SLOPE)


def _picked(output: Tensor, target: Tensor) -> Tensor:
    return output.softmax(1).gather(1, target[:, None])[:, 0]


def _balanced(output: Tensor, target: Tensor) -> Tensor:
    weights = len(target) / (3 * torch.bincount(target, minlength=3).double())
    return functional.cross_entropy(output, target, weight=weights, reduction="none") / weights[target].mean()


BY_TORCH: dict[str, Callable[[Tensor, Tensor], Tensor]] = {  # the loss of each row
    "cross-entropy": lambda output, target: functional.cross_entropy(output, target, reduction="none"),
    "softmax twice": lambda output, target: functional.cross_entropy(output.softmax(1), target, reduction="none"),
    "weighted cross-entropy": _balanced,
    "focal": lambda output, target: -((1 - _picked(output, target)) ** 2) * _picked(output, target).log(),
    "gce": lambda output, target: (1 - _picked(output, target) ** 0.7) / 0.7,
    "mae": lambda output, target: (output.softmax(1) - functional.one_hot(target, 3)).abs().sum(1),
    "mse": lambda output, target: (output[:, 0] - target) ** 2,
    "huber": lambda output, target: functional.huber_loss(output[:, 0], target, reduction="none"),
}
ABSOLUTE: Callable[[Tensor, Tensor], Tensor] = lambda output, target: (output[:, 0] - target).abs()  # noqa: E731


def by_torch(grid: Grid, run: int, frame: int) -> tuple[Tensor, Tensor]:
    """The losses and the sizes of the gradients of the rows that count, by an ordinary model in float64."""
    part = grid.runs[run].dataset.parts["train"]
    widths = [1, 1] if grid.scene is SLOPE else [2, 12, 12, 3]
    flat = torch.from_numpy(grid.frames[frame].weights[run]).double()
    assert part.weight is not None
    kept = part.weight > 0
    values, begin = torch.from_numpy(np.asarray(part.features)[kept]).double(), 0
    for number, (before, width) in enumerate(pairwise(widths)):
        weight, begin = flat[begin : begin + before * width].view(before, width), begin + before * width
        values, begin = values @ weight + flat[begin : begin + width], begin + width
        values = values.tanh() if number < len(widths) - 2 else values
    output = values.detach().requires_grad_()
    name = grid.traces[run].name
    loss = ABSOLUTE if grid.scene is SLOPE and name == "mae" else BY_TORCH[name]
    target = torch.from_numpy(part.target[kept])
    losses = loss(output, target if grid.scene is not SLOPE else target.double())
    (slope,) = torch.autograd.grad(losses.sum(), output)
    return losses.detach(), slope.norm(dim=1)


@pytest.mark.parametrize("which", ["every", "slope"])
def test_gradients_and_losses_are_those_of_torch(which: str, request: pytest.FixtureRequest) -> None:
    grid: Grid = request.getfixturevalue(which)
    seen = set()
    for run, trace in enumerate(grid.traces):
        for frame in (0, len(grid.frames) - 1):
            losses, sizes = by_torch(grid, run, frame)
            assert trace.loss[frame] == pytest.approx(losses.mean().item(), rel=2e-4, abs=2e-5)
            pull = grid.frames[frame].pull[run]
            np.testing.assert_allclose(pull[: len(sizes)], sizes, rtol=5e-4, atol=5e-5)
            assert not pull[len(sizes) :].any()  # rows that are gone pull nothing
            seen.add(trace.name)
    assert seen == set(grid.scene.losses)


def test_the_page_has_gradients_to_half_a_step(every: Grid) -> None:
    scene = contents([every], [], replace(START, losses=("gce", "mae")))["scenes"][0]
    pull = np.stack([frame.pull for frame in every.frames])  # [F, R, N]
    codes = np.array([ord(sign) - FIRST for sign in scene["pull"]])
    added = np.where(codes % 2, -(codes + 1) // 2, codes // 2)
    steps = added.reshape(pull.shape[1], pull.shape[2], pull.shape[0]).cumsum(-1)
    radii = np.sqrt(pull.transpose(1, 2, 0) / scene["largest"]) * SIZES
    assert np.abs(steps - radii).max() <= 0.5 + 1e-3
    assert steps.max() == SIZES


def test_all_runs_begin_alike_and_damage_does_what_it_says(every: Grid) -> None:
    assert (every.frames[0].weights == every.frames[0].weights[0]).all()
    assert len(every.runs) == len(LOSSES) * 8
    plain, wrong, rare = (every.trace("mae", levels) for levels in ({}, {"labels": 0.4}, {"imbalance": 0.8}))
    assert (plain.damaged, plain.share, plain.memorised, plain.rare) == (0.0, None, None, None)
    assert wrong.damaged == pytest.approx(0.4, abs=0.02)
    assert wrong.memorised is not None
    assert rare.rare is not None
    counts = [np.bincount(trace.run.dataset.parts["train"].counted_target) for trace in (plain, rare)]
    assert sorted(counts[0])[0] > 4 * min(counts[1])


def test_shares_are_what_a_loop_counts(every: Grid) -> None:
    levels = {"labels": 0.4, "imbalance": 0.8}
    trace, place = every.trace("gce", levels), EVERY.place("gce", levels)
    part, frame = trace.run.dataset.parts["train"], every.frames[-1]
    assert part.weight is not None
    assert part.flipped is not None
    mine = total = learned = count = 0.0
    for row in range(part.rows):
        if part.weight[row]:
            total += frame.pull[place][row]
            if part.flipped[row]:
                mine, count = mine + frame.pull[place][row], count + 1
                learned += frame.train[place][row] == part.target[row]
    assert trace.share is not None
    assert trace.memorised is not None
    assert trace.share[-1] == pytest.approx(mine / total, rel=1e-5)
    assert trace.memorised[-1] == pytest.approx(learned / count)


def test_softmax_twice_stays_above_its_floor_and_cross_entropy_does_not(clouds: Grid) -> None:
    once, twice = clouds.trace("cross-entropy"), clouds.trace("softmax twice")
    assert once.loss[-1] < 0.1
    assert (twice.loss > log(1 + 3 / e)).all()
    assert twice.loss[-1] < 1.1 * log(1 + 3 / e)
    assert twice.train_score[-1] > 0.97
    assert abs(once.score[-1] - twice.score[-1]) < 0.04  # "nothing seems wrong"


def test_wrong_labels_cost_cross_entropy_what_gce_keeps(clouds: Grid) -> None:
    plain, robust = (clouds.trace(name, {"labels": 0.4}) for name in ("cross-entropy", "gce"))
    assert robust.score[-1] > plain.score[-1] + 0.08
    assert plain.score[plain.best] > plain.score[-1] + 0.08  # "for a while that does no harm"
    assert plain.memorised is not None
    assert robust.memorised is not None
    assert plain.memorised[-1] > robust.memorised[-1] + 0.1
    assert plain.share is not None
    assert robust.share is not None
    assert plain.share[plain.best] > robust.share[plain.best] + 0.03
    assert clouds.trace("softmax twice", {"labels": 0.4}).score[-1] > plain.score[-1] + 0.08


def test_outliers_drag_mse_and_not_mae(slope: Grid) -> None:
    some = {"target_outliers": 0.15}
    before, after = ({name: slope.trace(name, levels).score[-1] for name in SLOPE.losses} for levels in ({}, some))
    assert max(before.values()) < 1.1 * min(before.values())
    assert after["mse"] > 2.5 * before["mse"]
    assert after["mae"] < 1.15 * before["mae"]
    assert 1.3 * after["mae"] < after["huber"] < 0.8 * after["mse"]
    squared, absolute = slope.trace("mse", some), slope.trace("mae", some)
    assert squared.share is not None
    assert absolute.share is not None
    assert squared.share[-1] > 0.4 > 0.2 > absolute.share[-1]


def test_the_same_scene_gives_the_same_numbers() -> None:
    once, again = (contents([trained(SLOPE, frames=3)], [], START) for _ in range(2))
    assert once == again


@pytest.mark.parametrize("name", stories.names())
def test_every_step_has_its_runs_and_a_sentence_of_numbers(name: str, clouds: Grid, slope: Grid) -> None:
    story = stories.get(name)
    grid = slope if story.scene is SLOPE else clouds
    for step in story.steps:
        assert "nan" not in step.text(grid)
        assert step.text(grid).endswith(".") or step.text(grid).endswith(").")
        state = step.state(0, grid)
        assert 0 <= state["from"] <= state["to"] < len(grid.frames)
        shown = [grid.runs[loss * len(grid.datasets) + state["variant"]] for loss in state["losses"]]
        assert [grid.traces[grid.runs.index(run)].name for run in shown] == list(step.losses)


def _made_up(trace: Trace, **changes: object) -> list[str]:
    return [notice.text for notice in notices(replace(trace, **changes))]


def test_a_notice_is_said_only_where_the_numbers_say_so(clouds: Grid) -> None:
    trace = clouds.trace("cross-entropy", {"labels": 0.4})
    flat, count = np.full(len(trace.epochs), 0.9), len(trace.epochs)
    calm = {"score": flat, "memorised": flat * 0.1, "share": np.full(count, 0.4), "damaged": 0.4}
    assert any("bends around" in text for text in _made_up(trace))
    assert not any("bends around" in text for text in _made_up(trace, **calm))
    assert any("9\N{NO-BREAK SPACE}% of them" in text for text in _made_up(trace, **calm))
    losing = {**calm, "score": np.linspace(0.9, 0.6, count), "memorised": np.linspace(0.1, 0.7, count)}
    (bends,) = [text for text in _made_up(trace, **losing) if "bends around" in text]
    assert "60\N{NO-BREAK SPACE}% at the end" in bends
    assert "70\N{NO-BREAK SPACE}% of the wrong labels" in bends
    heavy = {**calm, "share": np.linspace(0.4, 0.8, count)}
    assert any("most of what moves" in text and "80\N{NO-BREAK SPACE}%" in text for text in _made_up(trace, **heavy))
    assert any("lets go" in text for text in _made_up(trace, **{**calm, "share": np.linspace(0.4, 0.05, count)}))


def test_the_floor_is_told_of_a_second_softmax_alone(clouds: Grid) -> None:
    told = {name: any("cannot get below" in one.text for one in notices(clouds.trace(name))) for name in CLOUDS.losses}
    assert told == {"cross-entropy": False, "softmax twice": True, "gce": False}


def test_the_first_place_from_which_on_something_holds() -> None:
    holds = np.array([True, False, True, True])
    assert (first(holds), first(holds, 3), first(~holds), first(np.array([True]))) == (2, 3, None, 0)
