"""Defaults and bounds of options, written down: of a loss that has a line here, each option has one, and a changed one is seen.

Defaults are those of the papers that the losses name (focal 2; asymmetric 4, 1 and 0.05; LDAM 0.5 and 30; gce 0.7; sce 0.1 and 1;
bootstrap 0.95 and 0.8; Tukey 4.685) and of torch (huber, smooth-l1, multi-margin and label smoothing).
"""

from __future__ import annotations

import math

import pytest

from losscli.losses import Bounds, Choice, Loss, Option, PerClass, Several, losses
from losscli.losses.options import problems_of

TABLE = """
binary/cost-sensitive | false_positive | required | >= 0
binary/cost-sensitive | false_negative | required | >= 0
binary/bce-logits | pos_weight | None | > 0 per label, or balanced
binary/bce-logits | label_smoothing | 0.0 | >= 0 and <= 1
binary/bce | pos_weight | None | > 0 per label, or balanced
binary/bce | label_smoothing | 0.0 | >= 0 and <= 1
binary/focal | gamma | 2.0 | >= 0
binary/focal | alpha | None | >= 0 and <= 1
binary/poly-1 | epsilon | 1.0 | >= -1
binary/asymmetric | gamma_neg | 4.0 | >= 0
binary/asymmetric | gamma_pos | 1.0 | >= 0
binary/asymmetric | clip | 0.05 | >= 0 and < 1
binary/hinge | margin | 1.0 | > 0
binary/squared-hinge | margin | 1.0 | > 0
binary/gce | q | 0.7 | > 0 and <= 1
binary/bi-tempered | t1 | 0.8 | >= 0 and <= 1
binary/bi-tempered | t2 | 1.2 | >= 1 and <= 10
binary/dice | smooth | 1.0 | > 0
binary/tversky | alpha | 0.5 | >= 0
binary/tversky | beta | 0.5 | >= 0
binary/tversky | smooth | 1.0 | > 0
binary/auc-pairwise | surrogate | logistic | logistic or hinge or squared-hinge
distribution/distillation | temperature | 2.0 | > 0
multiclass/cross-entropy | weight | None | >= 0 per class, or balanced, effective
multiclass/cross-entropy | label_smoothing | 0.0 | >= 0 and <= 1
multiclass/nll | weight | None | >= 0 per class, or balanced, effective
multiclass/focal | gamma | 2.0 | >= 0
multiclass/focal | alpha | None | >= 0 per class, or balanced, effective
multiclass/poly-1 | epsilon | 1.0 | >= -1
multiclass/confidence-penalty | beta | 0.1 | >= 0
multiclass/logit-adjusted | tau | 1.0 | >= 0
multiclass/logit-adjusted | counts | training | >= 0 per class, or training
multiclass/ldam | max_margin | 0.5 | >= 0
multiclass/ldam | scale | 30.0 | > 0
multiclass/ldam | counts | training | >= 0 per class, or training
multiclass/multi-margin | p | 1 | >= 1 and <= 2
multiclass/multi-margin | margin | 1.0 | > 0
multiclass/crammer-singer | margin | 1.0 | > 0
multiclass/gce | q | 0.7 | > 0 and <= 1
multiclass/sce | alpha | 0.1 | >= 0
multiclass/sce | beta | 1.0 | >= 0
multiclass/nce-rce | alpha | 1.0 | >= 0
multiclass/nce-rce | beta | 1.0 | >= 0
multiclass/bootstrap-soft | beta | 0.95 | >= 0 and <= 1
multiclass/bootstrap-hard | beta | 0.8 | >= 0 and <= 1
multiclass/bi-tempered | t1 | 0.8 | >= 0 and <= 1
multiclass/bi-tempered | t2 | 1.2 | >= 1
multiclass/asymmetric | gamma_pos | 0.0 | >= 0
multiclass/asymmetric | gamma_neg | 4.0 | >= 0
multiclass/asymmetric | label_smoothing | 0.1 | >= 0 and <= 1
regression/beta-nll | beta | 0.5 | >= 0 and <= 1
regression/student-t-nll | df | 4.0 | > 0
regression/rmse | eps | 1e-08 | > 0
regression/epsilon-insensitive | epsilon | 0.1 | >= 0
regression/quantile | tau | 0.5 | > 0 and < 1
regression/expectile | tau | 0.5 | > 0 and < 1
regression/multi-quantile | taus | [0.1, 0.5, 0.9] | several > 0 and < 1
regression/multi-quantile | crossing | 1.0 | >= 0
regression/gamma-nll | shape | 1.0 | > 0
regression/tweedie | power | 1.5 | > 1 and < 2
regression/negative-binomial-nll | alpha | 1.0 | > 0
regression/cauchy | scale | 1.0 | > 0
regression/welsch | scale | 1.0 | > 0
regression/geman-mcclure | scale | 1.0 | > 0
regression/barron | alpha | 1.0 | <= 2, infinity too
regression/barron | scale | 1.0 | > 0
regression/tukey-biweight | c | 4.685 | > 0
regression/mape | eps | 1e-08 | > 0
regression/smape | eps | 1e-08 | > 0
regression/huber | delta | 1.0 | > 0
regression/smooth-l1 | beta | 1.0 | > 0
regression/pseudo-huber | delta | 1.0 | > 0
regression/fair | c | 1.0 | > 0
regression/wing | width | 5.0 | > 0
regression/wing | curvature | 0.5 | > 0
regression/zero-inflated-negative-binomial-nll | alpha | 1.0 | > 0
regression/hurdle-negative-binomial-nll | alpha | 1.0 | > 0
"""


def accepted(option: Option) -> str:
    accepts = option.accepts
    if isinstance(accepts, Bounds):
        return f"{accepts}, infinity too" if accepts.infinite else str(accepts)
    if isinstance(accepts, PerClass):
        return f"{accepts.bounds} per {'label' if accepts.of_labels else 'class'}, or {', '.join(accepts.rules)}"
    return f"several {accepts.bounds}" if isinstance(accepts, Several) else " or ".join(accepts.names)


def test_every_option_is_as_the_table_says() -> None:
    told = [
        f"{item.task}/{item.name} | {name} | {'required' if option.required else option.default} | {accepted(option)}"
        for item in losses
        if f"\n{item.task}/{item.name} | " in TABLE
        for name, option in item.options.items()
    ]
    assert told == TABLE.strip().splitlines()


NUMBERS = [
    pytest.param(item, name, option.accepts, id=f"{item.task}/{item.name}-{name}")
    for item in losses
    for name, option in item.options.items()
    if isinstance(option.accepts, Bounds)
]


def refused(item: Loss, name: str, value: float) -> bool:
    others = {other: 1.0 for other, option in item.options.items() if option.required and other != name}
    return bool(problems_of(item, {**others, name: value}))


@pytest.mark.parametrize(("item", "name", "bounds"), NUMBERS)
def test_an_end_is_allowed_or_not_and_what_lies_beyond_never(item: Loss, name: str, bounds: Bounds) -> None:
    for end, is_open, outward in ((bounds.low, bounds.low_open, -math.inf), (bounds.high, bounds.high_open, math.inf)):
        if math.isfinite(end):
            assert refused(item, name, end) == is_open
            assert refused(item, name, math.nextafter(end, outward))
            assert not refused(item, name, math.nextafter(end, -outward))
        elif not bounds.infinite:
            assert refused(item, name, end)


def test_every_kind_of_option_is_in_the_table() -> None:
    kinds = {type(option.accepts) for item in losses for option in item.options.values()}
    assert kinds == {Bounds, PerClass, Several, Choice}
