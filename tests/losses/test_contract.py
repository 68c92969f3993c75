"""One contract for every loss on the shelf: a new loss is tested by existing. Values are judged in the oracle files."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from losscli.losses import Bounds, Loss, PerClass, Several, losses

ALL = [pytest.param(item, id=f"{item.task}/{item.name}") for item in losses]
SAMPLES, CLASSES = 6, 4
MAY_BE_NEGATIVE = {"confidence-penalty", "gamma-nll", "gaussian-nll", "beta-nll", "laplace-nll", "student-t-nll"}
STOPS_GRADIENT = {"beta-nll"}  # by definition not the slope of its value: see test_regression_values.py
MAKES = {  # what a loss expects, from any numbers
    "logits": lambda raw: raw,
    "scores": lambda raw: raw,
    "values": lambda raw: raw,
    "rank-logits": lambda raw: raw,
    "log-rates": lambda raw: raw,
    "mean+log-variance": lambda raw: raw,
    "location+log-scale": lambda raw: raw,
    "quantiles": lambda raw: raw,
    "probabilities": torch.sigmoid,
    "log-probabilities": lambda raw: torch.log_softmax(raw, -1),
}


def is_multiclass(item: Loss) -> bool:
    return item.task == "multiclass"


def outputs(item: Loss) -> int:
    """How many numbers a loss sees of each sample; 0 where it sees the number itself."""
    alone = CLASSES if is_multiclass(item) else 0
    return alone if item.heads is None else item.heads(alone or 1, {})


NUMBERS = {  # targets of a domain, from any numbers
    "any number": lambda raw: raw,
    "number >= 0": lambda raw: raw.clamp(min=0),
    "number > 0": torch.exp,
    "count (integer >= 0)": lambda raw: (3 * raw.abs()).floor(),
}


def inputs(item: Loss, *shape: int, dtype=torch.float64, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Random predictions and targets of the loss's domain; `shape` ends with the batch."""
    chance = torch.Generator().manual_seed(seed)
    full = (*shape, outputs(item)) if outputs(item) else shape
    raw = torch.randn(full, generator=chance, dtype=torch.float64) * 2
    if is_multiclass(item):
        target = torch.randint(CLASSES, shape, generator=chance)
    elif item.target in NUMBERS:
        target = NUMBERS[item.target](torch.randn(shape, generator=chance, dtype=torch.float64)).to(dtype)
    else:
        target = torch.randint(2, shape, generator=chance).to(dtype)
    return MAKES[item.expects](raw).to(dtype), target


def numbers_of(item: Loss, name: str) -> list[Any]:
    """Three different values that an option allows."""
    accepts = item.options[name].accepts
    if isinstance(accepts, Several):
        return [[0.2, 0.3, 0.6], [0.8, 0.4, 0.1], [0.1, 0.5, 0.9]]
    bounds = accepts.bounds if isinstance(accepts, PerClass) else accepts
    assert isinstance(bounds, Bounds)
    low = bounds.low if math.isfinite(bounds.low) else -1.0
    high = bounds.high if math.isfinite(bounds.high) else low + 3.0
    found = [low + part * (high - low) for part in (0.25, 0.5, 0.8)]
    assert all(bounds.allow(value) for value in found)
    return found


def counts_of(item: Loss) -> dict[str, torch.Tensor]:
    counts = torch.tensor([50.0, 5.0, 10.0, 400.0], dtype=torch.float32)
    return {name: counts for name, option in item.options.items() if option.default == "training"}


def settings_of(item: Loss) -> list[dict[str, float]]:
    """The defaults, and every option set to something else; what the training split knows is always given."""
    known = counts_of(item)
    return [known, {name: numbers_of(item, name)[0] for name in item.options} | known]


@pytest.mark.parametrize("item", ALL)
def test_one_number_per_sample_of_the_same_type(item: Loss) -> None:
    for dtype in (torch.float32, torch.float64):
        for options in settings_of(item):
            values = item.function(*inputs(item, 3, SAMPLES, dtype=dtype), **options)
            assert values.shape == ((3,) if item.over_batch else (3, SAMPLES))
            assert values.dtype == dtype
            assert (values >= 0).all() or item.name in MAY_BE_NEGATIVE


@pytest.mark.parametrize("item", ALL)
def test_runs_do_not_see_each_other(item: Loss) -> None:
    prediction, target = inputs(item, 2, 3, SAMPLES)
    for options in settings_of(item):
        together = item.function(prediction, target, **options)
        for i in range(2):
            for j in range(3):
                alone = item.function(prediction[i, j], target[i, j], **options)
                torch.testing.assert_close(together[i, j], alone, rtol=1e-12, atol=0)


@pytest.mark.parametrize("item", ALL)
def test_the_order_of_samples_does_not_matter(item: Loss) -> None:
    prediction, target = inputs(item, SAMPLES)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    for options in settings_of(item):
        shuffled = item.function(prediction[order], target[order], **options)
        ordered = item.function(prediction, target, **options)
        torch.testing.assert_close(shuffled, ordered if item.over_batch else ordered[order], rtol=1e-12, atol=0)


@pytest.mark.parametrize("item", [found for found in ALL if found.values[0].name not in STOPS_GRADIENT])
def test_gradient_is_the_slope(item: Loss) -> None:
    prediction, target = inputs(item, SAMPLES, seed=1)
    for options in settings_of(item):
        assert torch.autograd.gradcheck(
            lambda x, options=options: item.function(x, target, **options), prediction.requires_grad_()
        )


@pytest.mark.parametrize("item", ALL)
def test_float32_keeps_its_digits(item: Loss) -> None:
    prediction, target = inputs(item, 4, 50, dtype=torch.float32)
    exact = target.double() if target.is_floating_point() else target
    for options in settings_of(item):
        values = item.function(prediction, target, **options).double()
        torch.testing.assert_close(values, item.function(prediction.double(), exact, **options), rtol=2e-6, atol=1e-7)


FAR = {
    "any number": [-1e4, 0.0, 1e4],
    "number >= 0": [0.0, 1.0, 1e4],
    "number > 0": [1e-3, 1.0, 1e4],
    "count (integer >= 0)": [0.0, 1.0, 1e4],
}


def extremes(item: Loss) -> tuple[torch.Tensor, torch.Tensor]:
    """Every extreme prediction with every target, float32."""
    if is_multiclass(item):
        corners = torch.tensor([-1e4, 0.0, 1e4])
        raw = torch.cartesian_prod(*[corners] * outputs(item)).repeat_interleave(CLASSES, dim=0)
        return MAKES[item.expects](raw), torch.arange(CLASSES).repeat(len(raw) // CLASSES)
    if item.expects == "probabilities":
        corners = torch.tensor([0.0, 1e-45, 1e-38, 1e-20, 0.5, 1 - 6e-8, 1.0])
    else:
        corners = torch.tensor([-1e4, -100.0, -89.0, -1e-30, 0.0, 1e-30, 89.0, 100.0, 1e4])
    wanted = torch.tensor(FAR.get(item.target, [0.0, 1.0]))
    if item.heads is not None:
        corners = corners[::2]
    grid = torch.cartesian_prod(*[corners] * (outputs(item) or 1), wanted)
    return grid[:, :-1].contiguous() if outputs(item) else grid[:, 0].contiguous(), grid[:, -1].contiguous()


@pytest.mark.parametrize("item", ALL)
def test_extremes_are_finite_in_value_and_gradient(item: Loss) -> None:
    prediction, target = extremes(item)
    assert len(prediction) >= 14
    for options in settings_of(item):
        leaf = prediction.clone().requires_grad_()
        values = item.function(leaf, target, **options)
        values.sum().backward()
        assert torch.isfinite(values).all()
        assert torch.isfinite(leaf.grad).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("item", ALL)
def test_extremes_are_finite_in_half_precision(item: Loss, dtype: torch.dtype) -> None:
    prediction, target = extremes(item)
    for options in settings_of(item):
        leaf = prediction.to(dtype).requires_grad_()
        values = item.function(leaf, target.to(dtype) if target.is_floating_point() else target, **options)
        values.float().sum().backward()
        assert torch.isfinite(values).all()
        assert torch.isfinite(leaf.grad).all()


@pytest.mark.parametrize("item", ALL)
def test_nan_is_not_hidden(item: Loss) -> None:
    prediction, target = inputs(item, SAMPLES)
    prediction[2] = math.nan
    for options in settings_of(item):
        wanted = True if item.over_batch else [sample == 2 for sample in range(SAMPLES)]
        assert item.function(prediction, target, **options).isnan().tolist() == wanted


@pytest.mark.parametrize(
    ("item", "option"),
    [
        pytest.param(item, name, id=f"{item.task}/{item.name}-{name}")
        for item in losses
        for name, option in item.options.items()
        if isinstance(option.accepts, (Bounds, PerClass))
    ],
)
def test_an_option_per_run_equals_separate_calls(item: Loss, option: str) -> None:
    prediction, target = inputs(item, 3, SAMPLES)
    chosen = numbers_of(item, option)
    if is_multiclass(item) and isinstance(item.options[option].accepts, PerClass):
        stacked = 1 + 9 * torch.rand(3, 1, CLASSES, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        single = [stacked[run, 0] for run in range(3)]
    else:
        stacked, single = torch.tensor(chosen, dtype=torch.float64)[:, None], chosen
    known = counts_of(item)
    together = item.function(prediction, target, **known | {option: stacked})
    alone = [item.function(prediction[run], target[run], **known | {option: single[run]}) for run in range(3)]
    torch.testing.assert_close(together, torch.stack(alone), rtol=1e-12, atol=0)
    assert not torch.allclose(together, item.function(prediction, target, **known | {option: stacked.flip(0)}))


@pytest.mark.parametrize("item", [found for found in ALL if found.values[0].task == "binary"])
def test_a_per_value_loss_takes_labels_with_an_option_per_run(item: Loss) -> None:
    assert item.per_value
    prediction, target = inputs(item, 3, SAMPLES, 2)
    for name in item.options:
        chosen = numbers_of(item, name)
        together = item.function(prediction, target, **{name: torch.tensor(chosen, dtype=torch.float64).view(3, 1, 1)})
        alone = [item.function(prediction[run], target[run], **{name: chosen[run]}) for run in range(3)]
        torch.testing.assert_close(together, torch.stack(alone), rtol=1e-12, atol=0)


@pytest.mark.parametrize("item", ALL)
def test_the_documentation_is_whole(item: Loss) -> None:
    text = item.function.__doc__ or ""
    assert item.summary.endswith((".", "?"))
    order = [text.find(part) for part in ("Domain:", "Shapes:", "Formula:", "Source:", "Kin:", ">>>")]
    assert -1 not in order
    assert order == sorted(order)
    assert item.said("Formula").startswith("L = ")
    assert len(item.said("Source")) > 10
    assert len(item.said("Kin")) > 10
    if item.task == "regression":
        assert text.find("Formula:") < text.find("Elicits:") < text.find("Source:")
