"""losscli: pick the right loss for your data, prove it, and catch the wrong one.

The public names, all of them here; nothing heavy is imported before one is used:

- `loss(name, task=..., **options)`: a loss as a checked function of (prediction, target), one number per sample
- `losses(task=None)`: the catalogue
- `load_spec(path)`: a spec from a YAML file, validated
- `check(model, loss, batch)`: what one step of a model shows of misuse of its loss
- `train(spec)`, `compare(specs)`: train, and return the comparison that the command line prints

`losses`, `check` and `compare` are rooms of the package as well; the rooms themselves answer the call.
"""

from __future__ import annotations

import sys

# `python -m losscli` looks for every module in the folder it stands in first, as the script does not: a torch.py there, which
# may have come with the data, would be run. So this must come before any other import. Asked for by `-m` is this package only
# where that is said: `python -m theirs`, which imports losscli, needs its folder.
if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    _module = (" ".join(sys.orig_argv[1:]).partition("-m")[2].split() or [""])[0]
    if _module.partition(".")[0] == "losscli":
        del sys.path[0]

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from losscli.comparison import Comparison
    from losscli.rules.finding import CodeFinding
    from losscli.spec.model import Spec

__all__ = ["check", "compare", "load_spec", "loss", "losses", "train"]


def loss(name: str, *, task: str, **options: Any) -> Callable[[Any, Any], Tensor]:
    """The loss of that name as a function of (prediction, target) that returns one number per sample.

    Raises `SpecError` for an unknown loss or option; the function raises `DataError` for tensors that the loss cannot judge.

    >>> loss("bce-logits", task="binary")([0.0], [1.0]).tolist()  # -log sigmoid(0) = log 2
    [0.6931471824645996]
    """
    from losscli.losses import find
    from losscli.losses.guard import guarded

    return guarded(find(name, task), options, task)


def load_spec(path: str | Path) -> Spec:
    """The spec in a YAML file; `SpecError` tells every mistake in it, with its place."""
    from losscli.spec.load import load_spec as load

    return load(path)


def train(spec: Spec | str | Path, *, out: str | Path | None = None) -> Comparison:
    """Train the one loss of a spec on all its seeds. With `out`, a record is left in that folder.

    Raises `SpecError` for a spec of several losses: those are for `compare`.
    """
    from losscli.errors import SpecError

    loaded = _spec(spec)
    if len(loaded.loss) > 1:
        names = ", ".join(choice.name for choice in loaded.loss)
        raise SpecError(
            f"train runs one loss, and the spec has {len(loaded.loss)}: {names}", cure="losscli.compare([spec])"
        )
    return _run([loaded], out)


def _run(specs: Sequence[Spec | str | Path] | Spec | str | Path, out: str | Path | None = None) -> Comparison:
    """Train every entry of every spec, or of one, grouped into arenas. With `out`, a record is left in that folder."""
    from losscli import pipeline
    from losscli.errors import SpecError
    from losscli.executors.execution import Execution

    several = list(specs) if isinstance(specs, (list, tuple)) else [specs]
    if not several:
        raise SpecError("there is no spec to compare", cure='for example losscli.compare(["configs/loans.yaml"])')
    loaded = [_spec(spec) for spec in several]
    return pipeline.run(loaded, out=None if out is None else Path(out), execution=Execution(workers=None))


def _check(model: Any, loss: Any, batch: Any, *, optimizer: Any = None) -> list[CodeFinding]:
    """What one step shows: the wiring before the loss, the target, shapes, gradients. Nothing of the model is changed.

    `batch` is (inputs ..., target), or a mapping that names its target; `loss` is called with (prediction, target). With
    `optimizer`, parameters that it does not hold are found as well. Raises `CodeError` where model or loss fail.

    >>> import torch, losscli
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(dim=1))
    >>> batch = torch.randn(8, 4), torch.randint(0, 3, (8,))
    >>> [item.rule for item in losscli.check(model, torch.nn.CrossEntropyLoss(), batch)]
    ['softmax-before-cross-entropy']

    In a test: `assert losscli.check(model, loss, batch) == []`.
    """
    import sys

    from losscli.check.model import check_model
    from losscli.check.sites import here

    return check_model(model, loss, batch, optimizer, here(sys._getframe(1)))


def _spec(given: Any) -> Spec:
    """A spec from itself or from the path of its file; `SpecError` for anything else."""
    from losscli.errors import SpecError
    from losscli.spec.model import Spec

    if isinstance(given, (str, Path)):
        return load_spec(given)
    if not isinstance(given, Spec):
        raise SpecError(
            f"a spec must be the path of a YAML file, or what load_spec returns, not a {type(given).__name__}"
        )
    return given


def __getattr__(name: str) -> Any:
    """The rooms that are also functions, at their first use."""
    if name in ("check", "compare", "losses"):
        return import_module(f"losscli.{name}")
    raise AttributeError(f"losscli has no public name {name!r}; there are: {', '.join(__all__)}")
