"""Which column of a log is what: the loss of training, that of validation, a metric, the axis. By the words in its name.

`train_loss`, `loss/train`, `Training Loss`, `loss` beside `val_loss`, `train_loss_epoch` and `eval_loss` are all understood;
so are names of losses where no column says loss (`val_nll`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from losscli.errors import DataError, Place, choose_from, listed, shown

Split = Literal["train", "valid"]
TRAIN = {"train", "training", "trn", "tr", "fit", "learn"}
VALID = {"val", "valid", "validation", "eval", "evaluation", "dev", "test", "testing", "holdout", "heldout"}
LOSS = {"loss", "losses"}
COST = {"cost", "objective", "criterion"}
NAMED = {"nll", "bce", "ce", "xent", "crossentropy", "logloss", "mse", "cross", "mlogloss", "kld", "kldiv", "elbo"}
EPOCH = {"epoch", "epochs", "ep"}
STEP = {"step", "steps", "iteration", "iterations", "iter", "iters", "batch", "update", "updates", "globalstep"}
BESIDE = {"lr", "time", "seconds", "grad", "norm", "min", "max", "std", "runtime", "wall", "scale", "weight", "reg"}
# What a metric is called here, by the words that its column may have.
METRICS: Mapping[str, tuple[str, ...]] = {
    "accuracy": (
        "accuracy",
        "acc",
        "top1",
        "acc1",
        "prec1",
        "accuracytop1",
        "categoricalaccuracy",
        "binaryaccuracy",
        "precisiontop1",
    ),
    "error": ("errorrate", "top1error", "err"),
    "r2": ("r2", "rsquared", "r2score", "explainedvariance"),
    "mae": ("mae", "meanabsoluteerror", "l1"),
    "mse": ("mse", "meansquarederror"),
    "rmse": ("rmse", "rootmeansquarederror"),
}


@dataclass(frozen=True)
class Columns:
    """Where things stand in a log: the positions of its columns. `metrics` are of the valid split where it has them."""

    train: int | None = None
    valid: int | None = None
    epoch: int | None = None
    step: int | None = None
    metrics: Mapping[str, int] = field(default_factory=dict)
    guess: bool = False  # the loss is the only column there is, and its name does not say so

    @property
    def used(self) -> list[int]:
        columns = (self.train, self.valid, self.epoch, self.step, *self.metrics.values())
        return sorted({column for column in columns if column is not None})


def words(name: str) -> list[str]:
    """The words of a column's name, in lower case; `camelCase` is two, and what a number follows is one with it.

    >>> words("trainLoss"), words("val/cross_entropy"), words("Top-1 acc")
    (['train', 'loss'], ['val', 'cross', 'entropy'], ['top1', 'acc'])
    """
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    joined = re.sub(r"(?<=[A-Za-z])[-_ @](?=\d)", "", split)
    return [word for word in re.split(r"[^a-z0-9]+", joined.lower()) if word]


def columns_of(names: Sequence[str], file: str, train: str | None = None, valid: str | None = None) -> Columns:
    """The roles of the columns; `train` and `valid` name a loss whose column says it in no usual word.

    Raises `DataError` where no column looks like a loss, or a named one is not there.

    >>> columns_of(["epoch", "loss", "val_loss", "val_accuracy"], "log.csv")
    Columns(train=1, valid=2, epoch=0, step=None, metrics={'accuracy': 3}, guess=False)
    """
    spelled = [words(name) for name in names]
    epoch = next((at for at, of in enumerate(spelled) if EPOCH & set(of) and not _is_loss(of)), None)
    step = next((at for at, of in enumerate(spelled) if STEP & set(of) and not _is_loss(of)), None)
    of_train = _loss(spelled, "train") if train is None else _named(names, train, file)
    of_valid = _loss(spelled, "valid") if valid is None else _named(names, valid, file)
    guess = of_train is None and of_valid is None
    if guess:
        of_train = _only(names, spelled, epoch, step, file)
    taken = {of_train, of_valid, epoch, step}
    metrics = {
        metric: at
        for metric, spellings in METRICS.items()
        if (at := _metric(spelled, spellings, [at for at in range(len(names)) if at not in taken])) is not None
    }
    return Columns(of_train, of_valid, epoch, step, metrics, guess)


def _is_loss(of: Sequence[str]) -> bool:
    return bool((LOSS | COST) & set(of))


def _split(of: Sequence[str]) -> Split | None:
    if VALID & set(of):
        return "valid"
    return "train" if TRAIN & set(of) else None


def _loss(spelled: Sequence[Sequence[str]], split: Split) -> int | None:
    """The column of a split's loss: one that says loss before one that names a loss, the plainest name first."""
    fitting = [at for at, of in enumerate(spelled) if (_split(of) or "train") == split and not BESIDE & set(of)]
    for kind in (LOSS, COST, NAMED):
        candidates = [at for at in fitting if kind & set(spelled[at])]
        if candidates:
            return min(candidates, key=lambda at: _plainness(spelled[at]))
    return None


def _plainness(of: Sequence[str]) -> tuple[bool, bool, int]:
    """How far a name is from the plain one; per epoch is better than per step, and a total better than a part."""
    return "step" in of, not {"total", "epoch"} & set(of) and len(set(of) - TRAIN - VALID) > 1, len(of)


def _only(
    names: Sequence[str], spelled: Sequence[Sequence[str]], epoch: int | None, step: int | None, file: str
) -> int:
    """The one column that is left where none says loss: `Value` of an exported scalar, or a file of one column."""
    left = [at for at, of in enumerate(spelled) if at not in (epoch, step) and not BESIDE & set(of)]
    if len(left) == 1 or (left and spelled[left[0]] == ["value"]):
        return left[0]
    raise DataError(
        f"no column looks like a loss: {listed([shown(name) for name in names])}",
        place=Place(file, 1),
        cure="name one with --train COLUMN and, if there is one, --valid COLUMN",
    )


def _named(names: Sequence[str], name: str, file: str) -> int:
    if name in names:
        return list(names).index(name)
    message = f"there is no column {shown(name)}"
    raise DataError(message, place=Place(file, 1), cure=choose_from(name, [shown(column)[1:-1] for column in names]))


def _metric(spelled: Sequence[Sequence[str]], spellings: Sequence[str], left: Sequence[int]) -> int | None:
    """The column of a metric, the valid one if there are several."""
    candidates = [at for at in left if _bare(spelled[at]) in spellings]
    return min(candidates, key=lambda at: (_split(spelled[at]) != "valid", "step" in spelled[at]), default=None)


def _bare(of: Sequence[str]) -> str:
    """A metric's name without the split and the axis."""
    return "".join(word for word in of if word not in TRAIN | VALID | EPOCH | STEP)
