"""`train` and `compare` from flags to exit code, with the training itself replaced by a finished comparison."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from losscli import pipeline
from losscli.cli import app, progress
from losscli.cli.hint import _rival
from losscli.cli.outcome import _signals
from losscli.cli.signals import Interrupted, Terminated
from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.stack.watch import Tick

SPEC = "task: binary\nloss: bce-logits\ndata: {source: builtin, name: breast_cancer}\n"
Answer = Callable[..., None]


class Line:
    """Stands in for the pipeline: remembers what it was asked, and answers with what the test has prepared."""

    def __init__(self) -> None:
        self.answer: Comparison | None = None
        self.specs: Sequence[Any] = ()
        self.display: dict[str, Any] = {}

    def __call__(self, specs: Sequence[Any], **display: Any) -> Comparison:
        self.specs, self.display = specs, display
        assert self.answer is not None
        return self.answer


@pytest.fixture
def line(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arena_of: Callable[..., Arena],
    comparison_of: Callable[..., Comparison],
) -> Line:
    found = Line()
    found.answer = comparison_of(arena_of({"bce-logits": [0.8, 0.9]}), record="runs/0001-x")
    monkeypatch.setattr(pipeline, "run", found)
    monkeypatch.chdir(tmp_path)
    return found


def test_flags_reach_the_spec(line: Line) -> None:
    flags = (
        "--task binary --loss focal --data breast_cancer --epochs 3 --batch-size 64 --lr 1e-2 --seeds 3,7 --metric f1"
    )
    assert app.run(["train", *flags.split(), "--set", "loss.gamma=1.5", "--smoke", "--no-record", "--quiet"]) == 0
    (spec,) = line.specs
    assert (spec.loss[0].name, spec.loss[0].options) == ("focal", {"gamma": 1.5})
    assert (spec.train.epochs, spec.train.batch_size, spec.train.lr) == (3, 64, 0.01)
    assert (spec.seeds, spec.metrics) == ([3, 7], ["f1"])
    assert (line.display["out"], line.display["smoke"]) == (None, True)


def test_json_is_one_object_on_stdout(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["train", "--task", "binary", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["arenas"][0]["reference"] == "bce-logits"
    assert err == ""


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_unmet_expectation_is_1_and_said(
    line: Line,
    capsys: pytest.CaptureFixture[str],
    arena_of: Callable[..., Arena],
    comparison_of: Callable[..., Comparison],
    form: str,
) -> None:
    line.answer = comparison_of(arena_of({"a": [0.8]}), unmet=["test.auroc must be > 0.9"])
    assert app.run(["train", "--task", "binary", "--format", form]) == 1
    out, err = capsys.readouterr()
    assert "test.auroc must be > 0.9" in (out if form == "text" else err)
    if form == "json":
        json.loads(out)


def test_only_if_every_run_diverged_it_is_4(
    line: Line,
    capsys: pytest.CaptureFixture[str],
    arena_of: Callable[..., Arena],
    comparison_of: Callable[..., Comparison],
) -> None:
    scores = {"a": [0.8, 0.9], "b": [0.8, 0.9]}
    line.answer = comparison_of(arena_of(scores, diverged={"a": [0, 1], "b": [1]}))
    assert app.run(["compare", "--task", "binary"]) == 0
    line.answer = comparison_of(arena_of(scores, diverged={"a": [0, 1], "b": [0, 1]}), unmet=["x"], record="runs/kept")
    capsys.readouterr()
    assert app.run(["compare", "--task", "binary"]) == 4
    out = capsys.readouterr().out
    assert "0 of 2" in out
    assert "runs/kept" in out


def test_the_next_command_names_the_record_and_a_rival(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    app.run(["train", "--task", "binary"])
    out = capsys.readouterr().out
    assert "next     losscli compare runs/0001-x/spec.yaml --loss bce-logits --loss " in out
    assert "--loss bce-logits --loss bce-logits" not in out
    app.run(["train", "--task", "binary", "--quiet"])
    assert "next " not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--lr", "nan"), ("--lr", "1e999"), ("--lr", "0"), ("--lr", "-1"), ("--lr", "fast"), ("--epochs", "0"),
        ("--epochs", "1e3"), ("--epochs", "1.5"), ("--batch-size", "0"), ("--seeds", "-1"), ("--seeds", "x"),
        ("--loss", "focl"), ("--metric", "aurocc"), ("--set", "train.lr"), ("--set", "train..lr=1"),
    ],
)  # fmt: skip
def test_a_bad_value_is_2_with_the_name_of_its_flag(
    line: Line, capsys: pytest.CaptureFixture[str], flag: str, value: str
) -> None:
    assert app.run(["compare", "--task", "binary", flag, value]) == 2
    assert f"  at:  {flag}" in capsys.readouterr().err
    assert line.specs == ()


def test_all_mistakes_of_all_specs_are_told_at_once(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.yaml").write_text(SPEC + "optimzer: adam\n")
    Path("b.yaml").write_text("task: binry\n")
    assert app.run(["compare", "a.yaml", "b.yaml"]) == 2
    err = capsys.readouterr().err
    assert "a.yaml:4" in err
    assert "b.yaml:1" in err


def test_a_pattern_is_expanded_and_each_file_taken_once(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", "[c]"):
        Path(f"{name}.yaml").write_text(SPEC)
    assert app.run(["compare", "*.yaml", "./a.yaml", "[c].yaml"]) == 0
    assert [spec.name for spec in line.specs][1:] == ["a", "b"]
    assert len(line.specs) == 3
    err = capsys.readouterr().err
    assert "notice: a.yaml is given twice, and taken once" in err
    assert app.run(["compare", "a.yaml", "a.yaml", "--quiet"]) == 0
    assert "notice" not in capsys.readouterr().err


def test_a_pattern_without_match_is_2(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["compare", "configs/*.yaml"]) == 2
    assert "no file matches 'configs/*.yaml'" in capsys.readouterr().err


def test_train_refuses_several_losses_and_names_compare(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.yaml").write_text(SPEC.replace("bce-logits", "[bce-logits, hinge]"))
    assert app.run(["train", "a.yaml"]) == 2
    assert "losscli compare a.yaml" in capsys.readouterr().err
    assert app.run(["train", "a.yaml", "--loss", "hinge"]) == 0


def test_a_root_without_room_is_5_before_anything_is_trained(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("")
    assert app.run(["train", "--task", "binary", "--out", "file/runs"]) == 5
    assert "Not a directory" in capsys.readouterr().err
    assert line.specs == ()


# Signals


@pytest.fixture
def heard() -> Iterator[None]:
    """SIGINT with Python's handler, also where the tests run in the background, whose processes ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_a_signal_during_training_is_remembered_and_a_second_one_ends_at_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with _signals() as ears:
        ears.stop.listening = True
        os.kill(os.getpid(), signal.SIGINT)
        assert ears.stop.requested
        assert ears.heard == signal.SIGINT
        assert capfd.readouterr() == ("", "notice: stopping after this step; once more ends at once\n")
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_outside_of_training_ends_at_once() -> None:
    with _signals() as ears, pytest.raises(Terminated):
        os.kill(os.getpid(), signal.SIGTERM)
    assert not ears.stop.requested


def test_a_stopped_command_shows_what_there_is_and_ends_with_the_signal(
    line: Line, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(specs: Sequence[Any], *, stop: Any, **display: Any) -> Comparison | None:
        stop.listening = True
        os.kill(os.getpid(), signal.SIGTERM)
        stop.listening = False
        assert line.answer is not None
        return replace(line.answer, partial=True)

    monkeypatch.setattr(pipeline, "run", stopped)
    assert app.run(["train", "--task", "binary"]) == 143
    out, err = capsys.readouterr()
    assert "next     losscli resume 0001-x" in out
    assert "notice: stopped before the end" in err
    assert "notice: to go on: losscli resume 0001-x" in err


# Progress


def tick(done: int, total: int = 100) -> Tick:
    return Tick("[bold]", 3, 20, done, total, 0.25, "auroc", float("nan"))


def test_off_a_terminal_there_are_a_few_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(0, 10_000, 3))  # three seconds between two epochs
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    with progress.progress() as watch:
        for done in range(1, 101):
            watch(tick(done))
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert 5 <= len(lines) <= 10
    assert lines[0].startswith("[bold]  epoch 3/20  loss 0.2500  valid auroc -  10% done, about 4 min 30 s left")
    assert "\x1b" not in err
    assert "\r" not in err


def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter(range(0, 10_000, 100))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    with progress.progress(quiet=True) as watch:
        watch(tick(50))
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_a_bar_comes_and_goes() -> None:
    import pty
    import subprocess
    import sys

    script = (
        "from losscli.cli.progress import progress\nfrom losscli.stack.watch import Tick\n"
        "with progress() as watch:\n    watch(Tick('[bold]', 3, 20, 50, 100, 0.25, 'auroc', 0.875))\n"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-c", script], stderr=theirs, stdout=subprocess.PIPE, env=environment, check=True
    )
    os.close(theirs)
    text = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.stdout == b""
    assert "[bold]  epoch 3/20  loss 0.2500  valid auroc 0.8750" in text
    assert "epoch" not in text.rsplit("\x1b[2K", 1)[1]  # erased at the end


@pytest.mark.parametrize(
    ("task", "loss", "equals"),
    [
        ("binary", "bce-logits", {"bce", "soft-margin"}),
        ("multiclass", "cross-entropy", {"nll"}),
        ("regression", "mse", set()),
    ],
)
def test_a_rival_is_not_the_same_loss_in_other_words(task: str, loss: str, equals: set[str]) -> None:
    from losscli.losses import find

    rival = _rival(task, loss)
    assert rival is not None
    assert rival not in {loss, *equals}
    assert find(rival, task).target == find(loss, task).target


def test_several_arenas_are_repeated_together(
    line: Line,
    arena_of: Callable[..., Arena],
    comparison_of: Callable[..., Comparison],
    capsys: pytest.CaptureFixture[str],
) -> None:
    line.answer = comparison_of(arena_of({"a": [0.8]}), arena_of({"b": [0.8]}), record="runs/0001-x")
    app.run(["compare", "--task", "binary"])
    assert "next     losscli compare runs/0001-x/spec*.yaml --seeds 10" in capsys.readouterr().out


def test_a_file_that_is_no_yaml_is_told_without_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "a.yaml").write_text("task: binary\ntask: binary\n")
    for name in ("a.yaml", "missing.yaml"):
        command = [sys.executable, "-X", "importtime", "-m", "losscli", "train", str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        loaded = {each.split("|")[-1].strip().split(".")[0] for each in done.stderr.splitlines() if "|" in each}
        assert "losscli" in loaded
        assert not loaded & {"torch", "numpy", "sklearn", "scipy", "pyarrow"}


def test_an_interrupt_before_training_and_a_second_one_are_said(
    line: Line, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def twice(specs: Sequence[Any], *, stop: Any, **display: Any) -> None:
        with stop.heard(lambda: None):
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)

    def before(specs: Sequence[Any], **display: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    for run, said in ((before, "error: interrupted"), (twice, "error: stopped at once: nothing was kept")):
        monkeypatch.setattr(pipeline, "run", run)
        assert app.run(["train", "--task", "binary", "--no-record"]) == 130
        assert said in capsys.readouterr().err
    assert app.run(["train", "--task", "binary"]) == 130
    assert "error: stopped at once: nothing was kept" in capsys.readouterr().err  # there is no folder yet
