"""Command lines, made of the commands that there are: every option of each, with values that fit and values that do not."""

from __future__ import annotations

import random
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from driver import Case, kind
from odd import WORDS
from records import VERSIONS
from watch import TREE

from losscli.losses import losses
from losscli.metrics import metrics
from losscli.rules import in_order
from losscli.tasks import tasks

# Who names a file of code on the command line asks for it to be run: that is no data.
ODD = [
    "\udcff",
    *(word for word in WORDS if ".py:" not in word and word != "\ud800"),
]  # as a byte that is no UTF-8 comes
LEFT_OUT = {
    "install_completion",
    "show_completion",
    "png",
    "svg",
    "help",
    "executor",
    "address",
}  # a shell's, a browser's, a cluster's
TRAINING = {"train", "compare", "stress"}  # always as short as can be
RECORD = "0001-20260131-154210-known"
ROWS = "".join(f"{row / 7:.3f},{row * 37 % 11},k{row % 3},{row % 2}\n" for row in range(60))
FILES = {
    "dates.csv": "d,x,y\n2024-01-01,1,0\n2024-01-02,2,1\n2024-02-03,4,0\n",
    "t.csv": f"a,b,c,y\n{ROWS}",
    "s.yaml": "task: binary\nloss: bce-logits\ndata: {source: synthetic, name: moons, n_samples: 60}\nmodel: {kind: linear}\n",
    "two.yaml": "task: multiclass\nloss: [cross-entropy, focal]\n",
    "log.csv": "epoch,loss,val_loss\n" + "".join(f"{step},{1 / step},{1.1 / step}\n" for step in range(1, 20)),
    "t.py": "import torch.nn.functional as F\ndef f(p, t):\n    return F.nll_loss(F.softmax(p, 1), t)\n",
    "scores.csv": "y,p1,p2\n" + "".join(f"{row % 2},{row % 7 / 7:.3f},{row % 5 / 5:.3f}\n" for row in range(40)),
}
SETTINGS = (
    "train.lr=0.1", "train.clip=1", "seeds=3", "seeds=auto", "loss.gamma=2", "model.hidden=[4,4]", "model.kind=linear",
    "data.n_samples=40",
    "train.epochs=1", "train.batch_size=8", "train.optimizer=sgd", "data.split.folds=3", "metrics=[auroc]",
    "expect.test.auroc=>= 0.1",
    "tune.lr=[0.1,0.01]", "yardstick=true", "costs=[[0,1],[5,0]]", "data.corrupt.labels=0.1", "name=x", "data.target=y",
)  # fmt: skip


@cache
def commands() -> dict[tuple[str, ...], Any]:
    """Every command by its words."""
    flat = {}
    for name, item in TREE.commands.items():
        inner = getattr(item, "commands", None)
        flat |= {(name, deeper): part for deeper, part in inner.items()} if inner else {(name,): item}
    return flat


@cache
def _known() -> dict[str, tuple[str, ...]]:
    """Words that fit an option, by its name."""
    files = (*FILES, "runs", ".", RECORD, "1", "0001", "9", "")
    numbers = ("1", "2", "3", "0", "-1", "0.5", "1e-3", "10", "1000000", "1e9", "nan", "4294967296")
    return {
        "task": tuple(tasks.names()), "loss": (*losses.names(), "t.py:f"), "metric": tuple(metrics.names()),
        "metrics": ("accuracy,f1", "auroc"), "set": SETTINGS, "data": ("t.csv", "moons", "wine", "titanic", "s.yaml", "rings"),
        "target": ("y", "c", "a"), "drop": ("a", "b"), "tune": ("lr", "lr=0.1,0.01", "gamma=1,2"), "sort": ("accuracy", "name"),
        "select": ("LC001", "ALL", "LC"), "ignore": ("LC001", "LC9"), "rule": tuple(rule.name for rule in in_order()),
        "numbers": numbers, "files": files, "device": ("cpu", "auto", "cuda", "gpu"), "entry": ("bce-logits", "focal", "best"),
        "format": ("text", "json", "csv", "md", "github", "sarif", "onnx", "pt2", "torchscript", "parquet", "html"),
        "specs": files,
        "splits": ("fixed", "resampled"), "better": ("higher", "rmse=lower"), "record": (RECORD, RECORD, "1", *files),
        "spec": files,
        "scores": ("scores.csv", *files), "log": ("log.csv", *files), "paths": ("t.py", ".", *files), "script": ("t.py",
        *files),
        "out": ("runs", "runs", "other", "t.csv", ""), "prefix": ("p_", ""), "threshold": ("0.5", "f1", "2"), "seed": ("0",
        "1", "mean"),
    }  # fmt: skip


def _value(parameter: Any, chance: random.Random) -> str:
    """One that fits, mostly; else one that fits something else, or nothing."""
    known = _known()
    name = parameter.opts[0].lstrip("-").casefold()
    if chance.random() < 0.2:
        return chance.choice(ODD)
    return chance.choice(
        known[name if name in known else chance.choice(["numbers", "files", "numbers", "files", "loss", "rule"])]
    )


def command_line(words: tuple[str, ...], chance: random.Random) -> list[str]:
    """A command with some of its arguments and options, in any order."""
    parts: list[list[str]] = []
    for parameter in commands()[words].params:
        if parameter.name in LEFT_OUT:
            continue
        if parameter.param_type_name == "argument":
            often = chance.choice([0, 1, 1, 1, 1, 2])
            parts += [[_value(parameter, chance) or "x"] for _ in range(often)]
        elif chance.random() < min(0.5, 3 / len(commands()[words].params)):
            flag = chance.choice([*parameter.opts, *parameter.secondary_opts])
            for _ in range(1 if not parameter.multiple else chance.choice([1, 1, 2])):
                parts.append([flag] if parameter.is_flag else [flag, _value(parameter, chance)])
    chance.shuffle(parts)
    line = [*words, *(word for part in parts for word in part)]
    if chance.random() < 0.05:
        line.insert(chance.randrange(len(line) + 1), chance.choice(ODD))
    if words[0] in TRAINING:
        line.append("--smoke")
    return line


@kind("arguments")
def arguments(chance: random.Random, work: Path) -> Case:
    """Three command lines in a folder that has a file of each kind and a record."""
    for name, text in FILES.items():
        (work / name).write_text(text)
    (whole,) = (VERSIONS / "2").iterdir()
    shutil.copytree(whole, work / "runs" / RECORD)
    words = sorted(commands())
    return Case([], [command_line(chance.choice(words), chance) for _ in range(3)])
