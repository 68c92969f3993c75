"""Losses of installed packages: found through an entry point; one that fails leaves a finding, and nothing else."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from losscli.shelf import Shelf

PLUGIN = '''
from losscli.losses import loss

@loss("regression", "values", "any number")
def quartic(prediction, target):
    """The fourth power of the error."""
    return (prediction - target) ** 4
'''
CLASH = '''
from losscli.losses import loss

@loss("binary", "logits", "0 or 1")
def innocent(prediction, target):
    """Half of a plugin."""
    return prediction - target

@loss("binary", "logits", "0 or 1")
def focal(prediction, target):
    """A name that is taken."""
    return prediction - target
'''


@pytest.fixture
def shelf(monkeypatch):
    """A shelf of its own, with entry points that call what a test gives."""

    def make(**loads):
        points = [SimpleNamespace(name=name, value=f"{name}:it", load=load) for name, load in loads.items()]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points if group == "a.group" else [])
        return Shelf("losscli.stack.models", "thing", entry_points="a.group")

    return make


def test_what_a_plugin_puts_there_is_there(shelf):
    made = shelf(good=lambda: made.put("extra", 1, ("more",)))
    assert made.get("more") == 1
    assert made.names() == ["extra"]
    assert made.findings == []


def test_a_broken_plugin_leaves_a_finding_and_the_rest(shelf):
    def fail():
        made.put("half", 1)
        raise RuntimeError("no \x1b luck")

    def clash():
        made.put("extra", 3)

    made = shelf(first=lambda: made.put("extra", 1), second=fail, third=clash)
    assert made.names() == ["extra"]
    assert made.get("extra") == 1
    assert [(found.code, found.severity) for found in made.findings] == [("broken-plugin", "warning")] * 2
    assert "the plugin 'second' ('second:it') raises RuntimeError: no \\x1b luck" in made.findings[0].message
    assert "there already is a thing called 'extra'" in made.findings[1].message


def test_a_shelf_without_a_group_asks_nobody(monkeypatch):
    def asked(group):
        raise AssertionError(group)

    monkeypatch.setattr(importlib.metadata, "entry_points", asked)
    assert Shelf("losscli.stack.models", "thing").names() == []


def test_from_an_installed_package_to_the_command_line(tmp_path: Path):
    (tmp_path / "quartics.py").write_text(PLUGIN)
    (tmp_path / "clashes.py").write_text(CLASH)
    info = tmp_path / "quartics-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: quartics\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[losscli.losses]\nquartics = quartics\nclashes = clashes\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "losscli", "verify", "quartic", "--task", "regression"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "quartic · regression" in done.stdout
    assert "finite-in-half-precision" in done.stdout
    assert "notice: the plugin 'clashes' ('clashes') raises ValueError" in done.stderr
    assert "there already is a loss called 'binary/focal'" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1)
