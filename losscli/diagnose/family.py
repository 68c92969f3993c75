"""Losses by what is known of their curves: a family has floors of its own. One table; a name may be spelled as torch does."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What a loss judges: classes, values, or pairs of rows. `signed` losses may be negative without a fault.
FAMILIES: Mapping[str, tuple[str, str]] = {
    "cross-entropy": (
        "classes",
        "ce softmaxcrossentropy categoricalcrossentropy sparsecategoricalcrossentropy logloss xent",
    ),
    "nll": ("classes", ""),
    "bce-logits": ("classes", "bcewithlogits binarycrossentropywithlogits sigmoidbinarycrossentropy"),
    "bce": ("classes", "binarycrossentropy"),
    "kldiv": ("classes", "kl kldivergence kullbackleibler"),
    "mse": ("values", "l2 squarederror meansquarederror squared"),
    "mae": ("values", "l1 absoluteerror meanabsoluteerror smoothl1 huber rmse rootmeansquarederror logcosh"),
    "triplet": ("pairs", "tripletmargin contrastive marginranking cosineembedding hingeembedding"),
    "info-nce": ("pairs", "ntxent npair npairs simclr supcon clip multiplenegativesranking"),
    "signed": ("", "gaussiannll wgan wasserstein elbo cosinesimilarity poissonnll barlowtwins"),
}


def family(name: str | None) -> str | None:
    """The family of a loss, None of one whose floors are not known.

    >>> family("nn.CrossEntropyLoss()"), family("F.binary_cross_entropy_with_logits"), family("focal")
    ('cross-entropy', 'bce-logits', None)
    """
    if name is None:
        return None
    bare = re.sub(r"^(?:[\w]+\.)*", "", name.strip()).removesuffix("()").casefold()
    key = re.sub(r"[-_\s]", "", bare)
    key = key.removesuffix("loss") or key
    return next((of for of, (_, also) in FAMILIES.items() if key in (of.replace("-", ""), *also.split())), None)


def judges(of: str | None) -> str | None:
    """What the losses of a family judge; None where that is open."""
    return (FAMILIES[of][0] or None) if of else None
