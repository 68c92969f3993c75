"""A loss from a file: how it is found and understood, that it equals torch's own, and what is said when it fails."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from losscli.errors import CodeError, SpecError
from losscli.losses import find
from losscli.losses.own import adopt, label_of, load, refers, typed
from losscli.verify.trial import verify

CODE = '''
import torch
from torch import nn
from torch.nn import functional

def mean(prediction, target):
    """A mean."""
    return functional.mse_loss(prediction, target)

def total(prediction, target):
    return ((prediction - target) ** 2).sum()

def each(prediction, target):
    return (prediction - target) ** 2

def reduced(prediction, target, reduction="mean"):
    return functional.mse_loss(prediction, target, reduction=reduction)

def unreduced(prediction, target, reduction="mean"):
    if reduction == "none":
        raise ValueError(reduction)
    return functional.mse_loss(prediction, target)

class Each(nn.Module):
    def __init__(self, reduction="mean"):
        super().__init__()
        self.inner = nn.MSELoss(reduction=reduction)

    def forward(self, prediction, target):
        return self.inner(prediction, target)

class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, prediction, target):
        return self.scale * (prediction - target) ** 2

class Needy(nn.Module):
    def __init__(self, must):
        super().__init__()

def batch(prediction, target):
    return ((prediction - target) ** 2).mean().sqrt()

def slow(prediction, target):
    if float((prediction - target).abs().max()) > 1e9:
        return prediction.sum() * 0
    return ((prediction - target) ** 2).mean()

def square(prediction, target):
    return (prediction.unsqueeze(1) - target) ** 2

def number(prediction, target):
    return 1.0

def raises(prediction, target):
    one = 1
    return one.missing

def prints(prediction, target):
    print("here")
    return (prediction - target) ** 2

def entropy(prediction, target):
    return functional.cross_entropy(prediction, target)

def sigmoids(prediction, target):
    return functional.binary_cross_entropy_with_logits(prediction, target, reduction="none")

def chances(prediction, target):
    return functional.binary_cross_entropy(prediction, target)
chances.expects = "probabilities"

def target_in_place(prediction, target):
    target.mul_(0)
    return ((prediction - target) ** 2).mean()

def prediction_in_place(prediction, target):
    """In two lines."""
    prediction -= target
    return prediction ** 2

def data_in_place(prediction, target):
    prediction.data.mul_(2)
    return (prediction - target) ** 2

def large_in_place(prediction, target):
    return (prediction - (target.mul_(0) if len(target) > 5 else target)) ** 2

def later_in_place(prediction, target):
    return ((prediction.mul_(2) if len(target) > 5 else prediction) - target) ** 2

def detached(prediction, target):
    return ((prediction - target) ** 2).detach().mean()

def without(prediction, target):
    with torch.no_grad():
        return (prediction - target) ** 2

def disconnected(prediction, target):
    return torch.tensor(float(((prediction - target) ** 2).mean()), requires_grad=True)

async def waits(prediction, target):
    return ((prediction - target) ** 2).mean()

def noisy(prediction, target):
    return (prediction - target + torch.rand_like(target)) ** 2

class Running(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("usual", torch.zeros(()))

    def forward(self, prediction, target):
        error = ((prediction - target) ** 2).mean()
        self.usual = 0.9 * self.usual + 0.1 * error.detach()
        return error / (1 + self.usual)

class Silent(Running):
    def forward(self, prediction, target):
        super().forward(prediction, target)
        return ((prediction - target) ** 2).mean()

class Grows:
    calls = 0

    def __call__(self, prediction, target):
        self.calls += 1
        return self.calls * (prediction - target) ** 2

text = "no loss"
'''


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "ours.py"
    path.write_text(CODE)
    return path


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("mean", []),
        ("total", ["own-loss-sum"]),
        ("each", []),
        ("reduced", []),
        ("unreduced", []),
        ("Each", []),
        ("Scaled", ["own-loss-parameters"]),
        ("prints", []),
    ],
)
def test_however_it_is_written_it_gives_one_number_per_sample(file, name, codes):
    item = load(f"{file}:{name}", "regression")
    x, y = drawn(2, 3, 7), drawn(2, 3, 7, seed=1)
    torch.testing.assert_close(item.function(x, y), functional.mse_loss(x, y, reduction="none"))
    assert (item.per_value, item.over_batch) == (True, False)
    assert [finding.code for finding in item.findings] == codes


@pytest.mark.parametrize(
    ("name", "codes"), [("batch", ["own-loss-over-batch"]), ("slow", ["slow-own-loss", "own-loss-over-batch"])]
)
def test_what_needs_the_batch_is_judged_run_by_run(file, name, codes):
    item = load(f"{file}:{name}", "regression")
    x, y = drawn(3, 7), drawn(3, 7, seed=1)
    wanted = (x - y).square().mean(-1)
    torch.testing.assert_close(item.function(x, y), wanted.sqrt() if name == "batch" else wanted)
    assert item.over_batch
    assert item.function(x[0], y[0]).shape == ()
    assert [finding.code for finding in item.findings] == codes
    assert all(finding.severity == "info" for finding in item.findings)


def test_classes_and_labels_as_torch_gives_them(file):
    x, y = drawn(2, 6, 4), torch.randint(4, (2, 6))
    wanted = functional.cross_entropy(x.flatten(0, 1), y.flatten(), reduction="none").view(2, 6)
    torch.testing.assert_close(load(f"{file}:entropy", "multiclass").function(x, y), wanted)
    yes = (drawn(2, 6, 3, seed=2) > 0).float()
    labels = functional.binary_cross_entropy_with_logits(x[..., :3], yes, reduction="none").mean(-1)
    torch.testing.assert_close(load(f"{file}:sigmoids", "multilabel").function(x[..., :3], yes), labels)
    item = load(f"{file}:chances", "binary")
    assert item.expects == "probabilities"
    assert load(f"{file}:mean", "binary", "scores").expects == "scores"


def test_the_ordinary_ones_hold_the_contract(file):
    for name, task in (
        ("mean", "regression"),
        ("Each", "regression"),
        ("entropy", "multiclass"),
        ("sigmoids", "binary"),
    ):
        assert verify(load(f"{file}:{name}", task), task).failed == []


def test_prints_go_to_stderr(file, capsys):
    load(f"{file}:prints", "regression").function(drawn(2, 3), drawn(2, 3))
    out, err = capsys.readouterr()
    assert out == ""
    assert "here" in err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("square", "gives the shape [5, 5]"),
        ("number", "must return a tensor, and it returns float"),
        ("text", "'text' is no function and no class in '"),
        ("waits", "it returns coroutine; write def, not async def"),
        ("detached", "returns a tensor without a gradient"),
        ("without", "returns a tensor without a gradient"),
        ("disconnected", "returns a tensor without a gradient"),
        ("Running", "Running keeps state between calls"),
        ("Silent", "Silent keeps state between calls"),
        ("Grows", "Grows keeps state between calls"),
        ("data_in_place", "data_in_place: it changes its inputs in place"),
        ("meen", "'meen' is not in"),
    ],
)
def test_what_is_no_loss_is_refused(file, name, said):
    with pytest.raises(SpecError) as caught:
        adopt(f"{file}:{name}", "regression")
    (problem,) = caught.value.problems
    assert said in f"{problem.message}; {problem.cure}"
    assert problem.cure


@pytest.mark.parametrize(
    ("name", "code"), [("target_in_place", "target.mul_(0)"), ("prediction_in_place", "prediction -= target")]
)
def test_a_change_in_place_is_refused_with_its_line(file, name, code):
    with pytest.raises(CodeError, match="it changes its inputs in place") as caught:
        load(f"{file}:{name}", "regression")
    line = CODE.splitlines().index(f"    {code}") + 1
    assert str(caught.value.problems[0].place) == f"{file}:{line}"


def test_a_change_in_place_that_the_trial_cannot_see_leaves_the_target_alone(file):
    target = drawn(2, 9)
    load(f"{file}:large_in_place", "regression").function(drawn(2, 9, seed=1), target)
    assert torch.equal(target, drawn(2, 9))
    with pytest.raises(CodeError, match="it changes its inputs in place"):
        load(f"{file}:later_in_place", "regression").function(drawn(2, 9), target)


def test_chance_is_no_state_and_verify_names_it(file):
    failed = verify(load(f"{file}:noisy", "regression"), "regression").failed
    assert [failure.tried.name for failure in failed] == ["same-twice"]


def test_what_takes_probabilities_is_told_how_to_say_so(tmp_path):
    path = tmp_path / "chance.py"
    path.write_text(
        "from torch.nn.functional import binary_cross_entropy\n\ndef f(p, t):\n    return binary_cross_entropy(p, t)\n"
    )
    with pytest.raises(CodeError, match="should be between 0 and 1") as caught:
        load(f"{path}:f", "binary")
    assert 'f.expects = "probabilities"' in caught.value.problems[0].cure
    assert "--expects probabilities" in caught.value.problems[0].cure
    assert str(caught.value.problems[0].place) == f"{path}:4"


def test_no_warning_of_torch_reaches_the_user(file):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        verify(load(f"{file}:disconnected", "regression"), "regression")
        verify(load(f"{file}:Scaled", "regression"), "regression")
        verify(load(f"{file}:slow", "regression"), "regression")
    assert [str(warning.message) for warning in heard] == []


def test_a_wrong_shape_is_what_verify_names(file):
    (failure,) = verify(load(f"{file}:square", "regression"), "regression").failed
    assert failure.tried.name == "one-number-per-sample"


def test_an_error_is_told_with_the_users_line(file):
    with pytest.raises(CodeError, match=r"ours\.raises raises AttributeError: 'int' object has no") as caught:
        load(f"{file}:raises", "regression")
    line = CODE.splitlines().index("    return one.missing") + 1
    assert str(caught.value.problems[0].place) == f"{file}:{line}"
    with pytest.raises(CodeError, match=r"raises TypeError.*'must'"):
        load(f"{file}:Needy", "regression")


@pytest.mark.parametrize(
    ("code", "said", "line"),
    [
        ("def f(:\n", "raises SyntaxError", 1),
        ("x = 1\n1 / 0\n", "raises ZeroDivisionError", 2),
        ("import sys\n\nsys.exit(0)\n", "raises SystemExit", 3),
        ("import no_such_package_at_all\n", "raises ModuleNotFoundError", 1),
    ],
)
def test_a_file_that_fails_is_told_with_its_line(tmp_path, code, said, line):
    path = tmp_path / "bad.py"
    path.write_text(code)
    with pytest.raises(CodeError, match=said) as caught:
        load(f"{path}:f", "binary")
    assert caught.value.problems[0].place.line == line
    assert not (tmp_path / "__pycache__").exists()


def test_no_file_and_no_name(tmp_path):
    with pytest.raises(SpecError, match="there is no file"):
        load(f"{tmp_path}/none.py:f", "binary")
    with pytest.raises(SpecError, match="is a file, and a loss is something in it"):
        refers("my_loss.py")
    with pytest.raises(SpecError, match="cannot expect 'logit'"):
        load(f"{Path(__file__).parents[2] / 'configs' / 'own_loss.py'}:tilted", "binary", "logit")


def test_it_is_on_the_shelf_under_a_safe_name_and_a_changed_file_is_read_again(tmp_path):
    path = tmp_path / "My loss [x].py"
    path.write_text("def f(p, t):\n    return (p - t) ** 2\n")
    text = f"{path}:f"
    assert label_of(text) == "My-loss-x.f"
    first = adopt(text, "regression")
    assert find("My-loss-x.f", "regression") is first is adopt(text, "regression")
    assert typed("My-loss-x.f") == text
    assert typed("mse") == "mse"
    path.write_text("def f(p, t):\n    return (p - t).abs() * 3\n")
    assert adopt(text, "regression").function(torch.ones(1), torch.zeros(1)).tolist() == [3.0]


def test_a_record_cannot_bring_it_back():
    with pytest.raises(SpecError) as caught:
        find("my_loss.MyLoss", "binary")
    assert caught.value.problems[0].cure == "a loss of your own is given again: --loss my_loss.py:MyLoss"


def test_neighbours_may_be_imported(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "neighbour_of_ours.py").write_text("def square(x):\n    return x ** 2\n")
    (tmp_path / "near.py").write_text(
        "from neighbour_of_ours import square\n\ndef f(p, t):\n    return square(p - t)\n"
    )
    assert load(f"{tmp_path}/near.py:f", "regression").function(torch.ones(1), torch.zeros(1)).tolist() == [1.0]
