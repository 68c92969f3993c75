"""One name, however it is written: `CrossEntropyLoss`, `nn.CrossEntropyLoss()`, `F.cross_entropy` and `cross-entropy` are one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

# Where libraries keep their losses. A bare `losses.` is none of these: it is how a record names what was in losses.py.
HOMES = (
    r"(?:torch\.)?nn\.(?:functional\.|modules\.loss\.)?|F\.|(?:tf\.|tensorflow\.)?keras\.(?:losses|metrics)\.|"
    r"(?:tf|tensorflow)\.nn\.|optax\.(?:losses\.)?|torchvision\.ops\.|timm\.loss\.|fastai\.losses\.|sklearn\.metrics\.|"
    r"(?:smp|segmentation_models_pytorch|pytorch_metric_learning)\.losses\."
)
BETWEEN = r"[-_\s]*"


def bare(name: str) -> str:
    """A name without the library before it and the brackets behind it.

    >>> bare("torch.nn.HuberLoss()"), bare("my_loss.squared")
    ('HuberLoss', 'my_loss.squared')
    """
    return re.sub(rf"^(?:{HOMES})", "", name.strip(), flags=re.IGNORECASE).removesuffix("()")


@lru_cache(4096)
def key(name: str) -> str:
    """What two spellings of a name have in common: neither case, dashes, a library's prefix nor `Loss` at the end count.

    The `Flat` of fastai's losses is left out, too: it says how a tensor is shaped.

    >>> [key(name) for name in ("nn.SmoothL1Loss()", "F.smooth_l1_loss", "smooth-l1", "L1LossFlat", "reg:squarederror")]
    ['smoothl1', 'smoothl1', 'smoothl1', 'l1', 'reg:squarederror']
    """
    folded = re.sub(BETWEEN, "", bare(name).casefold())
    return re.sub(r"(?<=.)(?:loss)?(?:flat)?$", "", folded, count=1)


def pattern(names: Iterable[str]) -> str:
    """A regular expression of JSON Schema, which has no flag for case, for every spelling of these names.

    >>> bool(re.search(pattern(["mse"]), "nn.MSELoss()")), bool(re.search(pattern(["mse"]), "msle"))
    (True, False)
    """
    keys = "|".join(dict.fromkeys(_loosely(key(name)) for name in names))
    return rf"^\s*(?:[\w.]+\.)?(?:{keys})(?:{BETWEEN}{_loosely('loss')})?(?:{BETWEEN}{_loosely('flat')})?(?:\(\))?\s*$"


def _loosely(folded: str) -> str:
    """Each letter in both cases, with dashes between."""
    return BETWEEN.join(f"[{char}{char.upper()}]" if char.isalpha() else re.escape(char) for char in folded)
