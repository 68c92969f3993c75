"""Every loss of the catalogue as a module to take home: it compiles alone, is formatted, and does what the kernel does."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from losscli.cli.app import run
from losscli.errors import SpecError
from losscli.explain.module import class_name, torch_module
from losscli.losses import Loss, PerClass, find, losses
from losscli.losses.own import adopt
from losscli.verify import Case
from losscli.verify.draw import choices, many, ordinary, settings

ROOT = Path(__file__).parents[2]
SAID = [item for item in losses if not item.kernels]  # a pair of losses is refused, see below
ALL = [pytest.param(item, id=f"{item.task}/{item.name}") for item in SAID]
CLOSE = {"rtol": 1e-9, "atol": 1e-12}
REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {"none": lambda of: of, "mean": torch.mean, "sum": torch.sum}


def defined(item: Loss, options: dict[str, Any] | None = None) -> type[nn.Module]:
    """The class that the printed source defines, in a namespace of its own."""
    space: dict[str, Any] = {"__name__": "taken_home"}
    exec(compile(torch_module(item, options), f"{item.name}.py", "exec"), space)
    kind: type[nn.Module] = space[class_name(item)]
    return kind


def option_sets(item: Loss) -> list[dict[str, Any]]:
    """Defaults, everything set to something else, and each option at every value that is tried."""
    sets = settings(item, {}, item.task)
    return [*sets, *({**sets[0], name: value} for name, option in item.options.items() for value in choices(option))]


def fitted(item: Loss, options: dict[str, Any]) -> dict[str, Any]:
    """Options as both take them: numbers per class as a tensor."""
    return {
        name: torch.tensor(value, dtype=torch.float64)
        if isinstance(value, list) and isinstance(item.options[name].accepts, PerClass)
        else value
        for name, value in options.items()
    }


def value_and_slope(
    judge: Callable[[Tensor, Tensor], Tensor], received: Tensor, target: Tensor
) -> tuple[Tensor, Tensor | None]:
    prediction = received.detach().clone().requires_grad_()
    value = judge(prediction, target)
    value.sum().backward()
    return value.detach(), prediction.grad


@pytest.mark.parametrize("item", ALL)
def test_value_and_gradient_are_those_of_the_kernel(item: Loss) -> None:
    kind, compared = defined(item), 0
    for options in option_sets(item):
        case, given = Case(item, item.task, options), fitted(item, options)
        kernel = functools.partial(item.function, **given)
        for sample, reduction in product((*ordinary(case), *many(case)), REDUCTIONS):
            prediction, target = case.prediction(sample.raw), sample.target_as(torch.float64)
            module = kind(**given, reduction=reduction)
            own = tuple(item.examples(prediction, options).values())
            mine = value_and_slope(lambda x, y, of=module, own=own: of(x, y, *own), prediction, target)
            theirs = value_and_slope(
                lambda x, y, of=kernel, by=REDUCTIONS[reduction], own=own: by(of(x, y, *own)), prediction, target
            )
            torch.testing.assert_close(mine, theirs, **CLOSE)
            compared += 1
    assert compared >= 9


@pytest.mark.parametrize("item", ALL)
def test_it_is_one_module_without_losscli(item: Loss) -> None:
    source = torch_module(item)
    assert "import losscli" not in source
    assert "from losscli" not in source
    for part in ("Shapes: ", "Source: ", "reduction"):
        assert part in source.partition("class ")[2]
    with pytest.raises(ValueError, match="reduction must be"):
        defined(item)(**fitted(item, settings(item, {}, item.task)[0]), reduction="median")


def test_all_are_formatted_and_complete(tmp_path: Path) -> None:
    """By ruff, as the repository's own code: format, unused imports, undefined names."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    command = [ruff] if ruff else [sys.executable, "-m", "ruff"]
    for item in SAID:
        (tmp_path / f"{item.task}_{item.name.replace('-', '_')}.py").write_text(torch_module(item))
    assert len(list(tmp_path.iterdir())) == len(SAID) > 70
    for words in (["format", "--check", "--config", "line-length=120"], ["check", "--isolated", "--select", "F,E7,E9"]):
        done = subprocess.run([*command, *words, str(tmp_path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_a_pair_of_losses_is_no_module() -> None:
    for item in losses:
        if item.kernels:
            with pytest.raises(SpecError, match="two networks"):
                torch_module(item)


def test_options_become_defaults() -> None:
    module = defined(find("focal", "binary"), {"gamma": 3, "alpha": 0.25})()
    assert (module.gamma, module.alpha) == (3.0, 0.25)
    assert "gamma: float = 3.0," in torch_module(find("focal", "binary"), {"gamma": 3})
    taus = defined(find("multi-quantile", "regression"), {"taus": [0.2, 0.8]})()
    assert taus.taus == (0.2, 0.8)


def test_class_weights_move_with_the_module() -> None:
    weight = torch.tensor([1.0, 2.0, 3.0])
    module = defined(find("cross-entropy", "multiclass"))(weight=weight).to(torch.float64)
    assert module.weight.dtype == torch.float64
    assert dict(module.named_buffers())["weight"] is module.weight


def test_what_must_be_given_has_no_default() -> None:
    with pytest.raises(TypeError, match="counts"):
        defined(find("ldam", "multiclass"))()
    with pytest.raises(TypeError, match="false_positive"):
        defined(find("cost-sensitive", "binary"))()


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "focal", "--task", "multiclass", "--set", "gamma=1.5", "--torch"]) == 0
    source = capsys.readouterr().out
    assert "gamma: float = 1.5" in source
    compile(source, "focal.py", "exec")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["focal", "hinge", "--task", "binary"], "2 losses are asked for"),
        (["focal", "--task", "binary", "--set", "gamma=0,2"], "2 settings of options are asked for"),
    ],
)
def test_one_at_a_time(capsys: pytest.CaptureFixture[str], words: list[str], part: str) -> None:
    assert run(["explain", *words, "--torch"]) == 2
    assert part in " ".join(capsys.readouterr().err.split())


def test_a_loss_of_ones_own_is_code_already(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def mine(prediction, target):\n    return (prediction - target).abs()\n")
    item = adopt(f"{path}:mine", "regression")
    with pytest.raises(SpecError, match="source is yours already"):
        torch_module(item)
