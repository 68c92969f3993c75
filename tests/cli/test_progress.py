"""Progress names the losses and the stack, never goes back, fits its line, and goes on while statistics are made."""

from __future__ import annotations

import os
import pty
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from losscli import pipeline
from losscli.cli.progress import Bar, Furthest, status_text
from losscli.spec.load import load_spec
from losscli.stack.watch import Tick


def ticks(stacks: int, epochs: int, chance: random.Random) -> list[Tick]:
    """Of stacks of which two are trained at once; a worker that died begins its stack anew."""
    waiting, running, done, arrived = list(range(stacks)), {}, dict.fromkeys(range(stacks), 0), []
    while waiting or running:
        while waiting and len(running) < 2:
            running[waiting.pop()] = 0
        stack = chance.choice(list(running))
        running[stack] = 0 if chance.random() < 0.05 else running[stack] + 1
        done[stack] = running[stack]
        if running[stack]:
            facts = (sum(done.values()), stacks * epochs, 0.5, "auroc", 0.9)
            arrived.append(
                Tick("moons", running[stack], epochs, *facts, entries=("a", "b", "c"), stack=stack, stacks=stacks)
            )
        if running[stack] == epochs:
            del running[stack]
    return arrived


@pytest.mark.parametrize("seed", range(5))
def test_nothing_that_is_shown_goes_back(seed: int) -> None:
    furthest, shown = Furthest(), []
    arrived = ticks(5, 8, random.Random(seed))
    for tick in arrived:
        shown.append(furthest.of(tick))
    assert [tick.stack for tick in shown] == sorted(tick.stack for tick in shown)
    assert {tick.stack for tick in shown} == {1, 2, 3, 4, 5}
    assert [tick.done for tick in shown] == sorted(tick.done for tick in shown)


@pytest.mark.parametrize("width", [20, 32, 52, 71, 200])
def test_a_line_holds_whole_words_and_names_the_losses_first(width: int) -> None:
    tick = Tick(
        "digits", 3, 20, 1, 2, 0.25, "accuracy", 0.875, entries=("cross-entropy", "mae", "sce"), stack=2, stacks=4
    )
    text = status_text(tick, width)
    whole = status_text(tick)
    assert whole == "digits  cross-entropy, mae and sce  stack 2/4  epoch 3/20  loss 0.2500  valid accuracy 0.8750"
    assert len(text) <= width
    assert whole.startswith(f"{text}  ") or text == whole


def test_the_engine_says_which_losses_and_when_it_compares(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "task: binary\ndata: {source: synthetic, name: moons, n_samples: 200}\nloss: [bce-logits, focal]\n"
        "seeds: 2\ntrain: {epochs: 2}\n"
    )
    facts: list[dict[str, object]] = []
    bar = Bar(lambda **given: facts.append(given), 200)
    pipeline.run([load_spec(tmp_path / "s.yaml")], out=None, watch=bar)
    assert str(facts[0]["description"]).startswith("s  bce-logits and focal  epoch 1/2  loss ")
    assert [fact["description"] for fact in facts].index("comparing the runs ...") == len(facts) - 1
    assert facts[-1]["total"] is None  # no share of statistics is known


def test_a_terminal_is_told_at_once_what_is_loaded_and_a_pipe_is_not(tmp_path: Path) -> None:
    """It is said before torch is imported, which the mistake in the spec, found after that, shows."""
    (tmp_path / "spec.yaml").write_text("task: binary\ndata: {source: csv, path: titanic.csv, target: y}\nlos: mae\n")
    command = [sys.executable, "-m", "losscli", "train", str(tmp_path / "spec.yaml")]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    text = ""
    with open(ours, "rb", buffering=0) as stream:
        while process.poll() is None or "error" not in text:
            try:
                text += stream.read(1 << 16).decode(errors="replace")
            except OSError:
                break
            time.sleep(0.01)
    assert text.index("loading titanic.csv ...") < text.index("error")
    piped = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "loading" not in piped.stderr
    assert piped.returncode == process.wait() == 2
