"""What a loss is, in words that can be searched for: found from its behaviour or from what it declares, never listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from losscli.explain.curve import slopes_where_lost, state
from losscli.explain.facts import MEANINGS
from losscli.explain.properness import Properness, properness
from losscli.explain.trial import settings_of
from losscli.losses import Bounds, Loss, PerClass
from losscli.tasks import tasks


def tags_of(item: Loss, at_defaults: Properness | None = None) -> tuple[str, ...]:
    """The tags of a loss at its defaults, in the order of `MEANINGS`; `at_defaults` is its properness, where it is known.

    >>> from losscli.losses import find
    >>> tags_of(find("brier", "binary"))
    ('proper', 'robust', 'soft-targets')
    """
    result = at_defaults or properness(item)
    verdict = result.verdict if result else ""
    holds = {
        "proper": verdict == "strictly proper",
        "calibrated": verdict == "classification-calibrated",
        "cost-calibrated": verdict == "cost-calibrated",
        "robust": is_robust(item),
        "imbalanced": is_for_imbalance(item),
        "saturating": saturates(item),
        "penalised": bool(item.penalties or item.projection),
        "over-batch": item.over_batch,
        "ordinal": item.in_order,
        "probabilistic": not tasks.get(item.task).has_classes and item.heads is not None,
        "counts": item.target.startswith("count"),
        "positive": item.target == "number > 0",
        "non-negative": item.target == "number >= 0",
        "soft-targets": item.takes_shares,
        "needs-class-counts": any(_is_training(option.default) for option in item.options.values()),
    }
    return tuple(tag for tag in MEANINGS if holds[tag])


def _is_training(default: Any) -> bool:
    return isinstance(default, str) and default == "training"


def is_robust(item: Loss) -> bool:
    """Whether a wrong label's loss levels off; for numbers, whether an outlier's pull does.

    Far out, a loss that levels off hardly grows any more.
    """
    settings, task = settings_of(item), tasks.get(item.task)
    if item.sides:  # of two players, there is no label and no outlier
        return False
    if not task.has_classes:
        return all(_levels_off(_pull(item, settings, far)) for far in _outliers(item))
    if task.truths() is None:  # no label is predicted
        return False
    wrong = torch.tensor([-64.0, -4096.0], dtype=torch.float64)
    return all(_levels_off(state(item, settings, wrong, side)[0]) for side in task.sides)


def saturates(item: Loss) -> bool:
    """Whether the generator of a pair is lost where the discriminator is sure: its slope is a hundredth of that where scores
    are even, or less.

    >>> from losscli.losses import find
    >>> [saturates(find(name, "gan")) for name in ("gan-minimax", "gan-nonsaturating")]
    [True, False]
    """
    even, lost = slopes_where_lost(item).get("generator", (1.0, 1.0))
    return abs(lost) < abs(even) / 100


def _outliers(item: Loss) -> list[Tensor]:
    """Targets farther and farther out, each pair by a factor of 100."""
    far = torch.tensor([1e4, 1e6], dtype=torch.float64)
    if item.target == "any number":
        return [far, -far]
    return [far, 1 / far] if item.target == "number > 0" else [far]


def _pull(item: Loss, settings: Mapping[str, Any], target: Tensor) -> Tensor:
    """How strongly each target draws the outputs of a model that says 1 (or 0): the largest slope over them, [G]."""
    heads = 1 if item.heads is None else item.heads(1, settings)
    says = 1.0 if item.own_units and item.expects == "values" else 0.0
    outputs = torch.full((len(target), heads), says, dtype=torch.float64, requires_grad=True)
    given = outputs if item.heads is not None else outputs.squeeze(-1)
    if item.over_batch:  # beside a row that is off by one: how much stronger is the pull than that row's?
        given = torch.stack([given, torch.full_like(given, says)], -1)
        target = torch.stack([target, torch.full_like(target, says + 1)], -1)
        (slopes,) = torch.autograd.grad(item.value(given, target, settings).sum(), given)
        return (slopes[:, 0] / slopes[:, 1]).abs()
    (slope,) = torch.autograd.grad(item.value(given, target, settings).sum(), outputs)
    return slope.abs().amax(-1)


def _levels_off(values: Tensor) -> bool:
    near, far = values.abs().tolist()
    return bool(far <= 1.1 * near + 1e-6)


def is_for_imbalance(item: Loss) -> bool:
    """Whether some option weighs classes differently, or a loss over a batch does not feel how many of each there are."""
    if any(isinstance(option.accepts, PerClass) for option in item.options.values()):
        return True
    if len(tasks.get(item.task).sides) == 1:
        return False
    return _ignores_shares(item) if item.over_batch else any(_takes_sides(item, settings) for settings in _tried(item))


def _tried(item: Loss) -> list[dict[str, Any]]:
    """The defaults, and each numeric option at other values that it allows."""
    settings = [settings_of(item)]
    for name, option in item.options.items():
        if isinstance(option.accepts, Bounds):
            allowed = [value for value in (0.3, 0.9, 2.5) if option.accepts.allow(value)]
            settings += [settings_of(item, {name: value}) for value in allowed]
    return settings


def _takes_sides(item: Loss, settings: Mapping[str, Any]) -> bool:
    margin = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)
    first, *others = (state(item, settings, margin, side)[0] for side in tasks.get(item.task).sides)
    return not all(torch.allclose(first, other, rtol=1e-6, atol=1e-9) for other in others)


def _ignores_shares(item: Loss) -> bool:
    """Whether yes and no are treated differently, or ten times as many negatives leave the loss as it was."""
    raw = torch.tensor([1.0, -0.5, 0.5, -1.5], dtype=torch.float64)
    target = torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=torch.float64)

    def cost(outputs: Tensor, truth: Tensor) -> Tensor:
        given = torch.sigmoid(outputs) if item.expects == "probabilities" else outputs
        return item.value(given, truth, settings_of(item))

    plain = cost(raw, target)
    with_more_negatives = cost(torch.cat([raw, raw[2:].repeat(9)]), torch.cat([target, target[2:].repeat(9)]))
    return bool(torch.isclose(with_more_negatives, plain)) or not bool(torch.isclose(plain, cost(-raw, 1 - target)))
