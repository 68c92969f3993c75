"""One contract for every loss on the shelf: a new loss is tested by existing. Values are judged in the oracle files."""

from __future__ import annotations

import math

import pytest
import torch

from losscli.losses import Bounds, Loss, PerClass, losses

ALL = [pytest.param(item, id=f"{item.task}/{item.name}") for item in losses]
SAMPLES, CLASSES = 6, 4
MAKES = {  # what a loss expects, from any numbers
    "logits": lambda raw: raw,
    "scores": lambda raw: raw,
    "values": lambda raw: raw,
    "probabilities": torch.sigmoid,
    "log-probabilities": lambda raw: torch.log_softmax(raw, -1),
}


def is_multiclass(item: Loss) -> bool:
    return item.task == "multiclass"


def inputs(item: Loss, *shape: int, dtype=torch.float64, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Random predictions and targets of the loss's domain; `shape` ends with the batch."""
    chance = torch.Generator().manual_seed(seed)
    full = (*shape, CLASSES) if is_multiclass(item) else shape
    raw = torch.randn(full, generator=chance, dtype=torch.float64) * 2
    if is_multiclass(item):
        target = torch.randint(CLASSES, shape, generator=chance)
    elif item.target == "any number":
        target = torch.randn(shape, generator=chance, dtype=torch.float64).to(dtype)
    else:
        target = torch.randint(2, shape, generator=chance).to(dtype)
    return MAKES[item.expects](raw).to(dtype), target


def numbers_of(item: Loss, name: str) -> list[float]:
    """Three different numbers that an option allows."""
    accepts = item.options[name].accepts
    bounds = accepts.bounds if isinstance(accepts, PerClass) else accepts
    assert isinstance(bounds, Bounds)
    low = bounds.low if math.isfinite(bounds.low) else -1.0
    high = bounds.high if math.isfinite(bounds.high) else low + 3.0
    found = [low + part * (high - low) for part in (0.25, 0.5, 0.8)]
    assert all(bounds.allow(value) for value in found)
    return found


def settings_of(item: Loss) -> list[dict[str, float]]:
    """The defaults, and every option set to something else."""
    return [{}, {name: numbers_of(item, name)[0] for name in item.options}]


@pytest.mark.parametrize("item", ALL)
def test_one_number_per_sample_of_the_same_type(item: Loss) -> None:
    for dtype in (torch.float32, torch.float64):
        for options in settings_of(item):
            values = item.function(*inputs(item, 3, SAMPLES, dtype=dtype), **options)
            assert values.shape == (3, SAMPLES)
            assert values.dtype == dtype
            assert (values >= 0).all()


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
        torch.testing.assert_close(shuffled, item.function(prediction, target, **options)[order], rtol=1e-12, atol=0)


@pytest.mark.parametrize("item", ALL)
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


def extremes(item: Loss) -> tuple[torch.Tensor, torch.Tensor]:
    """Every extreme prediction with every target, float32."""
    if is_multiclass(item):
        corners = torch.tensor([-1e4, 0.0, 1e4])
        raw = torch.cartesian_prod(*[corners] * CLASSES).repeat_interleave(CLASSES, dim=0)
        return MAKES[item.expects](raw), torch.arange(CLASSES).repeat(len(raw) // CLASSES)
    if item.expects == "probabilities":
        corners = torch.tensor([0.0, 1e-45, 1e-38, 1e-20, 0.5, 1 - 6e-8, 1.0])
    else:
        corners = torch.tensor([-1e4, -100.0, -89.0, -1e-30, 0.0, 1e-30, 89.0, 100.0, 1e4])
    wanted = torch.tensor([0.0, 1.0]) if item.target != "any number" else torch.tensor([-1e4, 0.0, 1e4])
    pairs = torch.cartesian_prod(corners, wanted)
    return pairs[:, 0].contiguous(), pairs[:, 1].contiguous()


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


@pytest.mark.parametrize("item", ALL)
def test_nan_is_not_hidden(item: Loss) -> None:
    prediction, target = inputs(item, SAMPLES)
    prediction[2] = math.nan
    for options in settings_of(item):
        assert item.function(prediction, target, **options).isnan().tolist() == [
            False,
            False,
            True,
            False,
            False,
            False,
        ]


@pytest.mark.parametrize(
    ("item", "option"),
    [pytest.param(item, name, id=f"{item.task}/{item.name}-{name}") for item in losses for name in item.options],
)
def test_an_option_per_run_equals_separate_calls(item: Loss, option: str) -> None:
    prediction, target = inputs(item, 3, SAMPLES)
    chosen = numbers_of(item, option)
    if is_multiclass(item) and isinstance(item.options[option].accepts, PerClass):
        stacked = torch.rand(3, 1, CLASSES, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        single = [stacked[run, 0] for run in range(3)]
    else:
        stacked, single = torch.tensor(chosen, dtype=torch.float64)[:, None], chosen
    together = item.function(prediction, target, **{option: stacked})
    alone = [item.function(prediction[run], target[run], **{option: single[run]}) for run in range(3)]
    torch.testing.assert_close(together, torch.stack(alone), rtol=1e-12, atol=0)
    assert not torch.allclose(together, item.function(prediction, target, **{option: stacked.flip(0)}))


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
