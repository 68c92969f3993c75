"""What a loss must be given: one table for a spec, for source text and for a graph of autograd.

What stands before a loss is a chain of activations, from the last layer that mixes its inputs ("linear") to the loss. A chain
that does not begin with "linear" has an unknown beginning, of which nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Takes = Literal[
    "classes",
    "class scores",
    "labels",
    "yes or no",
    "probabilities",
    "log-probabilities",
    "divergence",
    "distances",
    "values",
]
Misuse = tuple[str, str | None]  # the rule's name; its severity where it is not the rule's own

NO_NEGATIVES = ("relu", "softplus", "exp")
SQUASHING = ("sigmoid", "softmax", "log-softmax", "log-sigmoid")
_CLIPPED: dict[str, Misuse] = dict.fromkeys(NO_NEGATIVES, ("relu-before-logits", "warning"))
_BOUNDED: dict[str, Misuse] = {"tanh": ("bounded-scores", None)}
_YES_OR_NO: dict[str, Misuse] = {
    "sigmoid": ("sigmoid-before-bce-with-logits", None),
    "log-sigmoid": ("sigmoid-before-bce-with-logits", None),
    **_CLIPPED,
    **_BOUNDED,
}
_CLASS_SCORES: dict[str, Misuse] = {
    "softmax": ("softmax-before-cross-entropy", None),
    "sigmoid": ("sigmoid-before-cross-entropy", None),
    "log-sigmoid": ("sigmoid-before-cross-entropy", None),
    **_CLIPPED,
    **_BOUNDED,
}
_OVER_LABELS: dict[str, Misuse] = dict.fromkeys(("softmax", "log-softmax"), ("softmax-over-labels", None))

# What a loss takes -> the last activation before it -> the rule that it breaks.
WRONG: Mapping[Takes, Mapping[str, Misuse]] = {
    "classes": {**_CLASS_SCORES, "log-softmax": ("log-softmax-before-cross-entropy", None)},
    "class scores": _CLASS_SCORES,
    "labels": {**_YES_OR_NO, **_OVER_LABELS},
    "yes or no": _YES_OR_NO,
    "probabilities": {
        **dict.fromkeys(("linear", "tanh", "log-softmax", "log-sigmoid"), ("logits-into-bce", None)),
        **dict.fromkeys((*NO_NEGATIVES, "clamp"), ("logits-into-bce", "warning")),
    },
    "log-probabilities": {
        **dict.fromkeys(("softmax", "sigmoid"), ("softmax-before-nll", None)),
        **dict.fromkeys(("linear", "tanh", *NO_NEGATIVES), ("logits-into-nll", None)),
    },
    "divergence": dict.fromkeys(("softmax", "sigmoid", "linear", "tanh", *NO_NEGATIVES), ("kldiv-input-not-log", None)),
    "distances": dict.fromkeys(("linear", "tanh"), ("hinge-embedding-as-hinge", None)),
    "values": {},  # the last activation is a choice
}


def misuses(takes: Takes, chain: Sequence[str]) -> list[Misuse]:
    """The rules that a chain breaks before a loss that takes this.

    >>> misuses("classes", ("linear", "softmax"))
    [('softmax-before-cross-entropy', None)]
    >>> misuses("log-probabilities", ("linear", "relu", "log-softmax"))
    [('relu-before-logits', None)]
    >>> misuses("probabilities", ("linear",)), misuses("probabilities", ())
    ([('logits-into-bce', None)], [])
    """
    last = WRONG[takes].get(chain[-1]) if chain else None
    before_last = [misuse for misuse in _within(chain) if last is None or misuse[0] != last[0]]
    return [*([last] if last else []), *before_last]


def _within(chain: Sequence[str]) -> Iterator[Misuse]:
    """What is wrong before any loss: a squashing activation after one that leaves it nothing to squash."""
    for place, name in enumerate(chain):
        rest = chain[place + 1 :]
        if name in NO_NEGATIVES[:1] and any(later in SQUASHING for later in rest):
            yield "relu-before-logits", None
        if name == "sigmoid" and any(later in ("softmax", "log-softmax") for later in rest):
            yield "sigmoid-before-cross-entropy", None
        if name == "softmax" and any(later in ("softmax", "log-softmax") for later in rest):
            yield "softmax-before-cross-entropy", None


@dataclass(frozen=True)
class TorchLoss:
    """A loss of torch: its class and its function, what its input and its target must be, and the order of its arguments.

    `setup` are the arguments of the class; those of the function follow the tensors (`tensors`). `shape` says that input and
    target must have one shape, and `broadcasts` that torch does not raise where they do not.
    """

    kind: str
    function: str
    takes: Takes
    tensors: tuple[str, ...] = ("input", "target")
    setup: tuple[str, ...] = ("size_average", "reduce", "reduction")
    target: Literal["classes", "shares", "signs", "values", "labels"] = "values"
    broadcasts: bool = False

    @property
    def weight_first(self) -> bool:
        return self.setup[0] in ("weight", "p")


_OLD = ("size_average", "reduce", "reduction")
_CLASSES = ("weight", "size_average", "ignore_index", "reduce", "reduction")
_PAIR = ("input1", "input2", "target")
_MARGIN = ("margin", *_OLD)

LOSSES = (
    TorchLoss("CrossEntropyLoss", "cross_entropy", "classes", setup=(*_CLASSES, "label_smoothing"), target="classes"),
    TorchLoss("NLLLoss", "nll_loss", "log-probabilities", setup=_CLASSES, target="classes"),
    TorchLoss("BCELoss", "binary_cross_entropy", "probabilities", setup=("weight", *_OLD), target="labels"),
    TorchLoss(
        "BCEWithLogitsLoss",
        "binary_cross_entropy_with_logits",
        "labels",
        setup=("weight", *_OLD, "pos_weight"),
        target="labels",
    ),
    TorchLoss(
        "MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss", "labels", setup=("weight", *_OLD), target="labels"
    ),
    TorchLoss("KLDivLoss", "kl_div", "divergence", setup=(*_OLD, "log_target"), target="shares", broadcasts=True),
    TorchLoss("MSELoss", "mse_loss", "values", broadcasts=True),
    TorchLoss("L1Loss", "l1_loss", "values", broadcasts=True),
    TorchLoss("SmoothL1Loss", "smooth_l1_loss", "values", setup=(*_OLD, "beta"), broadcasts=True),
    TorchLoss("HuberLoss", "huber_loss", "values", setup=("reduction", "delta"), broadcasts=True),
    TorchLoss(
        "PoissonNLLLoss",
        "poisson_nll_loss",
        "values",
        setup=("log_input", "full", "size_average", "eps", "reduce", "reduction"),
        broadcasts=True,
    ),
    TorchLoss(
        "GaussianNLLLoss",
        "gaussian_nll_loss",
        "values",
        tensors=("input", "target", "var"),
        setup=("full", "eps", "reduction"),
        broadcasts=True,
    ),
    TorchLoss("SoftMarginLoss", "soft_margin_loss", "yes or no", target="signs", broadcasts=True),
    TorchLoss(
        "HingeEmbeddingLoss", "hinge_embedding_loss", "distances", setup=_MARGIN, target="signs", broadcasts=True
    ),
    TorchLoss("CosineEmbeddingLoss", "cosine_embedding_loss", "values", tensors=_PAIR, setup=_MARGIN, target="signs"),
    TorchLoss("MarginRankingLoss", "margin_ranking_loss", "values", tensors=_PAIR, setup=_MARGIN, target="signs"),
    TorchLoss("MultiMarginLoss", "multi_margin_loss", "class scores", setup=("p", "margin", "weight", *_OLD)),
    TorchLoss("MultiLabelMarginLoss", "multilabel_margin_loss", "class scores"),
)
BY_CLASS: Mapping[str, TorchLoss] = {loss.kind: loss for loss in LOSSES}
BY_FUNCTION: Mapping[str, TorchLoss] = {loss.function: loss for loss in LOSSES}
