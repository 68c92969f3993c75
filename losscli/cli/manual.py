"""The commands as topics of the site: their help, their flags, and examples that were run to make the page.

One story goes through all of them, in a folder of its own: a table is looked at, losses are compared, the record is shown,
reported and gated. What a command prints there stands on its page.
"""

from __future__ import annotations

import io
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from typer import Typer
from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from losscli.site.chapters import Chapter
from losscli.site.topics import Block, Topic, address, code, text

Run = Callable[[Sequence[str]], int]
WIDTH = "92"
LONGEST = 48  # lines of an output that a page shows

TABLE = "visits.csv"
SCRIPT = "train.py"
CURVE = "metrics.csv"
SCORES = "scores.csv"
OWN = "own_loss.py"
STORY = (
    f"inspect {TABLE} --target returned",
    f"recommend {TABLE} --target returned",
    f"init {TABLE} --target returned --to visits.yaml",
    "validate visits.yaml",
    "plan visits.yaml --seeds 6",
    "train --task binary --loss bce-logits --epochs 20 --quiet",
    "compare visits.yaml --loss bce-logits --loss brier --loss hinge --seeds 6 --epochs 12 --quiet",
    "stress visits.yaml --loss bce-logits --loss brier --label-noise 0,0.2 --seeds 5 --epochs 8 --quiet",
    "runs ls",
    "runs show 2",
    "runs diff 1 2",
    "runs verify 2",
    "runs export 2 --to visits.zip",
    "report 2 --to visits.html",
    "gate 2 --baseline 2 --max-drop 0.01",
    f"predict 2 {TABLE} --to predictions.csv",
    "export 2 --to safetensors",
    "suspects 2",
    f"lint {SCRIPT}",
    f"check {SCRIPT}",
    f"diagnose {CURVE} --loss cross-entropy --classes 4",
    f"judge {SCORES} --no-record",
    "losses --task regression",
    "explain focal --task binary",
    f"verify {OWN}:capped --task binary",
    "rules",
    "schema --write visits.schema.json",
    "doctor",
)


@dataclass(frozen=True)
class Played:
    """One command line of the story, its exit code, and what it printed."""

    line: str
    code: int
    output: str


def manual(app: Typer, run: Run) -> Chapter:
    """The chapter of the commands of an app, whose lines are run by `run`."""
    return Chapter(
        "Commands",
        15,
        "What one types, with examples that were run when this page was made.",
        lambda: _topics(app, run),
    )


def _topics(app: Typer, run: Run) -> Iterator[Topic]:
    played = play(run)
    for path, command in every(get_command(app)):
        name = " ".join(path)
        examples = [one for one in played if one.line == name or one.line.startswith(f"{name} ")]
        yield _topic(name, command, examples)


def every(group: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The commands and, of a group, those in it, by the words that call them."""
    for name, inner in group.commands.items():
        if isinstance(inner, TyperGroup):
            yield from every(inner, *path, name)
        else:
            yield (*path, name), inner


def _topic(name: str, command: Any, examples: Sequence[Played]) -> Topic:
    prose = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    lines = [part for part in prose if part.startswith("losscli ")]
    first, *rest = [part for part in prose if part not in lines]
    blocks = [
        text(*rest),
        *([code("\n".join(lines), "To type")] if lines else []),
        *(block for one in examples for block in _shown(one)),
        Block("table", "Flags", [("flag", "what it does"), *(row for item in command.params if (row := _flag(item)))]),
    ]
    return Topic(address("command", name), f"losscli {name}", "Commands", first, blocks, " ".join(lines))


def _shown(played: Played) -> Iterator[Block]:
    lines = played.output.splitlines()
    kept = lines[:LONGEST] + ([f"... and {len(lines) - LONGEST} lines more"] if len(lines) > LONGEST else [])
    yield code("\n".join([f"$ losscli {played.line}", *kept]), "Run", f"exit code {played.code}" if played.code else "")


def _flag(item: Any) -> tuple[str, str] | None:
    """A flag as the help tells it; None for one that it hides."""
    record = item.get_help_record(_context()) if not getattr(item, "hidden", False) else None
    if record is None:
        return None
    flag = record[0] if not isinstance(item, TyperArgument) else item.metavar or record[0]
    return f"`{flag}`", " ".join(record[1].split())


def _context() -> Any:
    import click

    return click.Context(click.Command("losscli"))


def play(run: Run) -> list[Played]:
    """Run the story from its beginning to its end, in a folder that is gone afterwards."""
    with TemporaryDirectory() as folder, _inside(Path(folder)):
        for name, content in _props().items():
            Path(name).write_text(content)
        return [_played(run, line) for line in STORY]


def _played(run: Run, line: str) -> Played:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(stream), redirect_stderr(stream):
        exit_code = run(shlex.split(line))
    stream.flush()
    return Played(line, exit_code, stream.buffer.getvalue().decode())


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """In that folder, with an environment in which the output is the same everywhere."""
    before, kept = Path.cwd(), dict(os.environ)
    os.environ |= {"COLUMNS": WIDTH, "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    for name in ("LOSSCLI_RUNS", "FORCE_COLOR", "GITHUB_STEP_SUMMARY"):
        os.environ.pop(name, None)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(kept)


def _props() -> dict[str, str]:
    """The files of the story: a table, a script with a mistake, a curve, scores of other tools, a loss of one's own."""
    import numpy as np

    draw = np.random.default_rng(7)
    visits, minutes, price = draw.integers(1, 9, 400), draw.gamma(2.0, 4.0, 400), draw.normal(30.0, 9.0, 400)
    chance = 1 / (1 + np.exp(-(0.5 * visits + 0.1 * minutes - 0.06 * price - 1.5)))
    returned = np.where(draw.random(400) < chance, "yes", "no")
    channel = draw.choice(["shop", "web", "phone"], 400)
    rows = zip(visits, minutes, price, channel, returned, strict=True)
    table = "".join(f"{v},{m:.1f},{p:.2f},{c},{r}\n" for v, m, p, c, r in rows)
    floor = "".join(f"{at},{0.7437 + 0.6 * 0.8**at:.5f},{1 - 0.6 * 0.7**at:.4f}\n" for at in range(60))
    scores = "".join(
        f"{entry},{seed},{0.8 + lift + noise:.4f}\n"
        for seed, noise in enumerate(draw.normal(0, 0.01, 10))
        for entry, lift in (("plain", 0.0), ("weighted", 0.02 + 0.002 * (seed % 3)))
    )
    return {
        TABLE: f"visits,minutes,price,channel,returned\n{table}",
        SCRIPT: WRONG,
        CURVE: f"epoch,train_loss,accuracy\n{floor}",
        SCORES: f"entry,seed,auc\n{scores}",
        OWN: CAPPED,
    }


WRONG = """import torch
from torch import nn

net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
x, y = torch.randn(32, 4), torch.randint(0, 3, (32,))
for step in range(5):
    loss = nn.CrossEntropyLoss()(net(x), y)
    loss.backward()
    optimizer.step()
"""
CAPPED = '''"""Cross-entropy that caps what one row may cost."""

import torch.nn.functional as F


def capped(prediction, target, cap: float = 3.0):
    """prediction [B] are logits, target [B] is 0 or 1; returns [B]."""
    return F.binary_cross_entropy_with_logits(prediction, target, reduction="none").clamp(max=cap)
'''
