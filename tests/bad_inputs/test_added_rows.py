"""Rows 101 to 118: distributions, embeddings, adversarial pairs, resume, executors, lint, check, diagnose."""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import losscli
from losscli import pipeline
from losscli.errors import UserError
from losscli.record.checkpoint import Checkpoint

CHANCE = random.Random(0)
POINTS = [(CHANCE.gauss(0, 1), CHANCE.gauss(0, 1)) for _ in range(60)]
VERSIONS = Path(__file__).parent.parent / "record" / "versions"


def table(names: str, row: Callable[[int], str]) -> str:
    return f"a,b,{names}\n" + "".join(f"{a:.4f},{b:.4f},{row(place)}\n" for place, (a, b) in enumerate(POINTS))


SHARES = table("p,q", lambda row: f"{row % 5 / 10},{1 - row % 5 / 10}")
DISTRIBUTION = "train --data t.csv --task distribution --target p --target q --no-record --smoke"
DISTRIBUTIONS = {
    "101 a negative": SHARES + "1,1,-0.5,1.5\n",
    "101 a sum of 0": SHARES + "1,1,0,0\n",
    "101 a sum of 1.3": SHARES + "1,1,0.5,0.8\n",
    "101 text": SHARES + "1,1,much,0.5\n",
    "101 NaN": SHARES + "1,1,nan,1\n",
    "101 many": SHARES + "1,1,0.5,0.8\n" * 9,
}


@pytest.mark.parametrize("row", DISTRIBUTIONS)
def test_row_101_what_is_no_distribution(row: str, tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_text(DISTRIBUTIONS[row])
    call(DISTRIBUTION).says(3, "t.csv:62", "and 4 rows more" if row == "101 many" else "p")


def test_row_101_one_column_and_counts(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_text(SHARES)
    call("train --data t.csv --task distribution --target p --no-record --smoke").says(
        2, "a column of probabilities for each class, and one is given: 'p'"
    )
    (tmp_path / "t.csv").write_text(table("p,q", lambda row: f"{row % 5},{7 - row % 5}"))
    call(f"{DISTRIBUTION} --set data.counts=true").says(0)


def test_row_102_an_ordinal_loss_without_an_order(tmp_path: Path, call: Any) -> None:
    """It is trained by the alphabet, and that is the first warning: the classes may well be in order so, as A to F."""
    (tmp_path / "t.csv").write_text(table("y", lambda row: ["red", "blue", "green"][row % 3]))
    line = "train --data t.csv --target y --task multiclass --loss rps --no-record --smoke"
    said = "by the alphabet, 'blue' < 'green' < 'red'"
    call(line).says(0, "warning rps ranks the classes, and nothing tells their order", said, "data.order: [lowest")
    outcome = call(f"{line} --set data.order=[blue,red,green]").says(0)
    assert "alphabet" not in outcome.out


EMBEDDING = "train --data t.csv --target y --task embedding --no-record --smoke"


def test_row_103_classes_of_one_row_and_one_class(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_text(table("y", lambda row: "once" if row == 7 else f"k{row % 3}"))
    call(EMBEDDING).says(3, "the class 'once' has 1 row", "data.split.stratify: false")
    call(f"{EMBEDDING} --set data.split.stratify=false").says(0, "1 class of a single row: 'once'")
    (tmp_path / "t.csv").write_text(table("y", lambda row: "all"))
    call(EMBEDDING).says(3, "'y'", "'all'")


def test_row_103_pairs_that_are_all_the_same(tmp_path: Path, call: Any) -> None:
    rows = "".join(f"{a:.3f},{b:.3f},same\n" for a, b in POINTS)
    (tmp_path / "t.csv").write_text(f"left_x,right_x,y\n{rows}")
    line = f"{EMBEDDING} --loss contrastive --set data.pairs=[left_,right_]"
    call(line).says(3, "same")


def test_row_104_new_classes_of_which_there_are_too_few(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_text(table("y", lambda row: f"k{row % 3}"))
    outcome = call(f"{EMBEDDING} --set data.split.classes=0.5")
    assert outcome.code in (2, 3)
    assert "class" in outcome.err


HINGE = """import torch
from torch import nn
model, criterion = nn.Linear(4, 1), nn.HingeEmbeddingLoss()
y = torch.randint(0, 2, (8, 1))
loss = criterion(model(torch.randn(8, 4)), y)
"""


def test_row_105_hinge_embedding(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.py").write_text(HINGE)
    for command in ("lint", "check"):
        call(f"{command} t.py").says(
            1, "t.py:5:", "takes targets -1 and 1, and gets 0 and 1", "HingeEmbeddingLoss gets a"
        )
    with pytest.raises(UserError, match="vectors"):
        losscli.loss("hinge-embedding", task="embedding")(torch.zeros(4), torch.tensor([0, 1, 1, 0]))


GAN = "train --task gan --data t.csv --no-record --smoke"
TABLES: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "106 a category": (table("c", lambda row: f"k{row % 3}"), 3, ("t.csv:2:3", "'c'")),
    "106 a constant": (table("c", lambda row: "1"), 0, ("the column 'c' is always the same", "data.drop")),
    "106 a hole": (table("c", lambda row: "" if row == 5 else f"{row / 7:.3f}"), 3, ("t.csv:7:3", "'c'")),
    "106 one row": ("a,b\n1,2\n", 3, ("t.csv", "row")),
    "106 500 columns": (
        ",".join(f"c{column}" for column in range(500)) + "\n"
        + "".join(",".join(f"{CHANCE.random():.3f}" for _ in range(500)) + "\n" for _ in range(40)),
        0, ("500",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", TABLES)
def test_row_106_tables_of_a_gan(row: str, tmp_path: Path, call: Any) -> None:
    text, code, parts = TABLES[row]
    (tmp_path / "t.csv").write_text(text)
    call(GAN).says(code, *parts)


@pytest.mark.parametrize(
    ("row", "setting"),
    [
        ("107 critic_steps", "train.critic_steps=0"),
        ("107 latent", "train.latent=0"),
        ("107 betas", "train.betas=[1,0.9]"),
        ("107 betas below 0", "train.betas=[-0.1,0.9]"),
    ],
)
def test_row_107_settings_of_a_gan(row: str, setting: str, call: Any) -> None:
    key = setting.partition("=")[0]
    call(f"train --task gan --no-record --smoke --set {setting}").says(2, f"at: --set {key}")


def test_row_107_a_sigmoid_under_a_wasserstein_critic(tmp_path: Path, call: Any) -> None:
    (tmp_path / "s.yaml").write_text("task: gan\nloss: {name: wasserstein, output: sigmoid}\n")
    call("train s.yaml --no-record --smoke").says(0, "warning", "sigmoid")


def test_row_108_a_generator_needs_no_rows(call: Any) -> None:
    call("train --task gan --smoke").says(0)
    first = call("predict 1 --rows 5").says(0).out
    assert len(first.splitlines()) == 6
    assert call("predict 1 --rows 5").out == first


@pytest.fixture
def unfinished(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A comparison that was stopped after its first epochs, with the data beside it."""
    from losscli.stack.watch import Stop

    (tmp_path / "t.csv").write_text(table("y", lambda row: str(row % 2)))
    polls = iter(range(10_000))

    class Soon(Stop):
        def __init__(self) -> None:
            self.listening = False

        @property
        def requested(self) -> bool:  # type: ignore[override]
            return next(polls) > 5

    from losscli.spec.load import load_spec

    (tmp_path / "s.yaml").write_text(
        "task: binary\ndata: {source: csv, path: t.csv, target: y}\ntrain: {epochs: 9}\nseeds: 1\n"
    )
    stopped = pipeline.run([load_spec(tmp_path / "s.yaml")], out=tmp_path / "runs", stop=Soon())
    assert stopped.partial
    (folder,) = (path for path in (tmp_path / "runs").iterdir() if path.is_dir())
    return folder


def test_row_109_a_record_that_is_whole(call: Any) -> None:
    call("train --task binary --smoke").says(0)
    call("resume 1").says(0, "auroc")


def test_row_109_none(call: Any) -> None:
    outcome = call("resume")
    assert outcome.code in (2, 5)
    assert "losscli" in outcome.err


def test_row_109_data_that_have_changed_or_are_gone(unfinished: Path, call: Any, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(table("y", lambda row: str(row % 3 // 2)))
    call("resume 1").says(3, "the data are not what they were when", "put them back")
    (tmp_path / "t.csv").unlink()
    call("resume 1").says(3, "t.csv")


@pytest.mark.parametrize("text", ["{", "[]", "\0", '{"schema_version": 99}', '{"schema_version": true}'])
def test_row_109_a_foreign_or_damaged_folder(unfinished: Path, text: str, call: Any) -> None:
    assert (unfinished / "progress.json").exists()
    (unfinished / "progress.json").write_text(text)
    call("resume 1").says(5, "progress.json")


def test_row_110_two_at_once(unfinished: Path, call: Any) -> None:
    first = Checkpoint.open(unfinished)
    since = json.loads((unfinished / "progress.json").read_bytes())["since"]
    call("resume 1").says(5, f"is being worked on by process {os.getpid()} since {since}", "wait for it, or end it")
    first.close()
    call("resume 1 --quiet").says(0)


def test_row_111_on_another_machine(unfinished: Path, call: Any) -> None:
    call("resume 1").says(0)


def test_row_112_more_workers_than_cores(call: Any) -> None:
    call("train --task binary --smoke --no-record --workers 1000").says(0)


def test_row_113_ray_that_is_not_there(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    call("train --task binary --smoke --no-record --executor ray").says(5, "pip install 'losscli[ray]'")


PYTHON: dict[str, tuple[bytes, str]] = {
    "114 a binary file": (b"\x00\x01\x7fELF\x00", "binary"),
    "114 a line of 10 MB": (b"x = [" + b"1," * 5_000_000 + b"]\n", "larger than"),
    "114 Python 2": (b'print "hello"\n', "cannot be parsed"),
    "114 Latin-1": (b"# caf\xe9\nx = 1\n", "cannot be decoded"),
    "114 a tab or two": (b"def f():\n\tif x:\n        return 1\n", "cannot be parsed"),
}


@pytest.mark.parametrize("row", PYTHON)
def test_row_114_what_is_no_python(row: str, tmp_path: Path, call: Any) -> None:
    data, part = PYTHON[row]
    (tmp_path / "odd.py").write_bytes(data)
    call("lint odd.py").says(0, "odd.py", part)


WRONG = "import torch.nn.functional as F\nloss = F.nll_loss(F.softmax(scores, dim=1), y)"


def test_row_114_paths(tmp_path: Path, call: Any) -> None:
    call("lint").says(2)
    call("lint gone.py").says(2, "gone.py")
    (tmp_path / "empty").mkdir()
    call("lint empty").says(0, "Nothing was looked at")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "bom.py").write_bytes(b"\xef\xbb\xbf\x0c\n" + WRONG.encode() + b"\n")
    (tmp_path / "a" / "odd.ipynb").write_text("no JSON")
    outcome = call("lint a").says(1, "bom.py:3", "odd.ipynb", "is no notebook")
    assert outcome.out.count("bom.py:3") == 1


def test_row_115_noqa_and_codes(tmp_path: Path, call: Any) -> None:
    path = tmp_path / "t.py"
    path.write_text(f"{WRONG}\n")
    found = json.loads(call("lint t.py --format json").says(1).out)["findings"]
    code = found[0]["code"]
    for comment, left in (("# noqa", 0), (f"# noqa: {code}", 0), ("# noqa: LC999", 1)):
        path.write_text(f"{WRONG}  {comment}\n")
        outcome = call("lint t.py")
        assert outcome.code == left
        assert ("LC999" in outcome.out + outcome.err) == ("LC999" in comment)
    for flag in ("--select", "--ignore"):
        call(f"lint t.py {flag} LC999").says(2, "LC999")


def test_row_116_fix_on_a_file_that_may_not_be_written(tmp_path: Path, call: Any, monkeypatch: Any) -> None:
    path = tmp_path / "t.py"
    path.write_text(
        "import torch\nimport torch.nn.functional as F\nx = torch.log(F.softmax(scores, dim=1))\nloss = F.nll_loss(x, y)\n"
    )
    before = path.read_text()
    assert call("lint t.py --diff").out.count("+") > 0

    def refuse(*given: Any, **options: Any) -> Any:
        raise PermissionError(13, os.strerror(13), str(path))

    monkeypatch.setattr(os, "replace", refuse)
    outcome = call("lint t.py --fix")
    assert path.read_text() == before
    assert outcome.code == 5


SCRIPTS: dict[str, tuple[str, str, int, str]] = {
    "117 arguments": ("import sys\nassert sys.argv[1:] == ['--x', '1']\n", "t.py -- --x 1", 0, "Nothing to judge"),
    "117 no loss": ("x = 1\n", "t.py", 0, "Nothing to judge"),
    "117 exits": ("import sys\nsys.exit(3)\n", "t.py", 2, "the script ended itself with exit code 3"),
    "117 raises": ("raise ValueError('mine')\n", "t.py", 2, "the script raises ValueError: mine at: t.py:1"),
    "117 reads stdin": ("import sys\nassert sys.stdin.read() == ''\n", "t.py", 2, "at: t.py:2"),
    "117 hangs": ("while True: pass\n", "t.py --timeout 0.5", 0, "0.5"),
}


@pytest.mark.parametrize("row", SCRIPTS)
def test_row_117_scripts(row: str, tmp_path: Path, call: Any) -> None:
    text, words, code, part = SCRIPTS[row]
    (tmp_path / "t.py").write_text(text)
    call(f"check {words}").says(code, part)


STEPS = "".join(f"{step},{2 / (step + 1) + 0.1:.4f},{2.2 / (step + 1) + 0.2:.4f}\n" for step in range(40))
LOGS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "118 no column of a loss": ("epoch,speed,height\n1,2,3\n2,3,2\n3,3,4\n4,5,1\n", 3, ("t.csv", "speed", "height", "--train")),
    "118 text in it": ("epoch,loss\n1,2\n2,much\n3,1\n", 3, ("t.csv:3", "much")),
    "118 one row": ("epoch,loss\n1,2\n", 3, ("at least 3 points, and the log has 1 point", "train longer")),
    "118 steps out of order": (
        "epoch,loss,val_loss\n" + "".join(reversed(STEPS.splitlines(keepends=True))), 0, ("the steps fall from row to row",)
    ),
    "118 all NaN": ("epoch,loss\n" + "".join(f"{step},nan\n" for step in range(40)), 0, ("NaN",)),
}  # fmt: skip


@pytest.mark.parametrize("row", LOGS)
def test_row_118_logs(row: str, tmp_path: Path, call: Any) -> None:
    text, code, parts = LOGS[row]
    (tmp_path / "t.csv").write_text(text)
    call("diagnose t.csv").says(code, *parts)
