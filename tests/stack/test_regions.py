"""Decision regions: what is kept of them is what the model says, and keeping it changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from torch import Tensor

from losscli.cli.app import run
from losscli.compare.regions import regions_of, unpacked
from losscli.data.plane import SIDE, Plane
from losscli.errors import UserError
from losscli.record.reader import results_of
from losscli.stack.moments import frames
from losscli.tasks import Task
from losscli.tasks.phases import Batch, Networks

QUICK = ("--epochs", "6", "--seeds", "2", "--quiet", "--set", "train.patience=null", "--set", "model.hidden=[7]")


def made(folder: Path, *words: str) -> tuple[dict[str, Any], Path]:
    """The first arena of a record, and its folder."""
    assert run([*words, *QUICK, "--out", str(folder)]) == 0
    (record,) = folder.iterdir()
    return json.loads((record / "results.json").read_text())["arenas"][0], record


def said(record: Path, entry: str, points: np.ndarray) -> np.ndarray:
    """What a record's network with one hidden layer says of points [G, 2] in the user's units: from its files, in numpy."""
    codes = json.loads((record / "encoders.json").read_text())["0/0"]["columns"]
    weights = load_file(record / "weights.safetensors")
    first, bias, last, shift = (
        weights[f"0/{entry}/0/layers.{layer}.{part}"].astype(float) for layer in (0, 2) for part in ("weight", "bias")
    )
    inputs = (points - [code["center"] for code in codes]) / [code["scale"] for code in codes]
    return np.maximum(inputs @ first + bias, 0) @ last + shift


def lattice(kept: dict[str, Any]) -> np.ndarray:
    """The points of the kept lattice in the user's units, row by row from the lowest."""
    steps = (np.arange(kept["side"]) + 0.5) / kept["side"]
    across, up = (low + steps * (high - low) for low, high in kept["box"])
    return np.array([(x, y) for y in up for x in across])


@pytest.mark.parametrize(
    ("task", "data", "losses"),
    [("binary", "moons", ("bce-logits", "hinge")), ("multiclass", "blobs", ("cross-entropy",))],
)
def test_the_last_frame_is_what_the_kept_weights_decide(
    tmp_path: Path, task: str, data: str, losses: tuple[str, ...]
) -> None:
    asked = [word for loss in losses for word in ("--loss", loss)]
    arena, record = made(tmp_path, "compare", "--task", task, "--data", data, *asked)
    kept = arena["why"]["regions"]
    assert kept["epochs"] == sorted(frames(6))
    assert kept["side"] == SIDE
    for loss in losses:
        output = said(record, loss, lattice(kept))
        sure = np.abs(output[:, 0]) > 0.01 if task == "binary" else np.ptp(np.sort(output)[:, -2:], axis=1) > 0.01
        decided = output.argmax(axis=1) if output.shape[1] > 1 else (output[:, 0] > 0).astype(int)
        frame = kept["entries"][loss][-1]
        assert sure.mean() > 0.9
        assert len(np.unique(decided)) > 1
        np.testing.assert_array_equal(unpacked(frame["classes"], SIDE).ravel()[sure], decided[sure])
        if loss == "bce-logits":
            strength = np.abs(2 / (1 + np.exp(-output[:, 0])) - 1)
            np.testing.assert_allclose(unpacked(frame["strength"], SIDE).ravel() / 255, strength, atol=0.01)
    rows = np.array(kept["rows"])
    for axis, (low, high) in enumerate(kept["box"]):
        assert low < rows[:, axis].min() < rows[:, axis].max() < high


def test_numbers_lie_between_the_ends_of_what_is_predicted(tmp_path: Path) -> None:
    table = tmp_path / "plane.csv"
    chance = np.random.default_rng(0)
    points = chance.uniform(-1, 1, (200, 2))
    table.write_text("a,b,y\n" + "\n".join(f"{a},{b},{3 * a - b + 10}" for a, b in points))
    arena, record = made(
        tmp_path / "runs", "train", "--task", "regression", "--data", str(table), "--target", "y", "--loss", "mse"
    )
    kept = arena["why"]["regions"]
    scale = json.loads((record / "encoders.json").read_text())["0/0"]["target"]["scale"]
    output = said(record, "mse", lattice(kept))[:, 0]
    low, high = kept["range"]
    strength = unpacked(kept["entries"]["mse"][-1]["strength"], SIDE).ravel() / 255
    numbers = low + strength * (high - low)
    assert np.corrcoef(numbers, output)[0, 1] > 0.999
    assert scale is not None
    assert kept["entries"]["mse"][-1]["classes"] == ""


@pytest.mark.parametrize("words", [("--data", "breast_cancer"), ("--data", "iris", "--task", "multiclass")])
def test_more_features_have_no_plane(tmp_path: Path, words: tuple[str, ...]) -> None:
    arena, _ = made(tmp_path, "train", *(words if "--task" in words else ("--task", "binary", *words)))
    assert not arena["why"].get("regions")


def test_every_entry_has_its_picture_also_where_stacks_begin_with_other_seeds(tmp_path: Path) -> None:
    """Three entries of six seeds are two stacks, the second of which begins in the middle of an entry."""
    names = ["bce-logits", "focal", "brier"]
    losses = [word for name in names for word in ("--loss", name)]
    words = ["compare", "--task", "binary", "--data", "moons", *losses, "--seeds", "7,3,5,1,2,6", "--epochs", "2"]
    assert run([*words, "--quiet", "--out", str(tmp_path)]) == 0
    (record,) = tmp_path.iterdir()
    kept = json.loads((record / "results.json").read_text())["arenas"][0]["why"]["regions"]
    assert list(kept["entries"]) == names


def test_runs_of_other_seeds_cost_no_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, infer = [], Task.infer

    def watched(task: Task, networks: Networks, batch: Batch) -> Tensor:
        if batch["inputs"].shape[1] == SIDE**2:
            runs.append(len(batch["inputs"]))
        return infer(task, networks, batch)

    monkeypatch.setattr(Task, "infer", watched)
    losses = ("--loss", "bce-logits", "--loss", "hinge", "--workers", "1")
    made(tmp_path, "compare", "--task", "binary", "--data", "moons", *losses)
    assert runs == [2] * len(frames(6))


def test_training_is_the_same_bit_for_bit_without_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With dropout, whose streams a look must not touch, and batch norm, whose statistics it must not move."""
    model = ("--set", "model.dropout=0.3", "--set", "model.norm=batch", "--workers", "1")
    words = ("compare", "--task", "binary", "--data", "moons", "--loss", "bce-logits", "--loss", "hinge", *model)
    arena, record = made(tmp_path / "with", *words)
    monkeypatch.setattr(Plane, "of", lambda dataset: None)
    plain, plain_record = made(tmp_path / "without", *words)
    assert arena["why"]["regions"]["entries"]
    assert not plain["why"].get("regions")
    assert (record / "weights.safetensors").read_bytes() == (plain_record / "weights.safetensors").read_bytes()
    assert (record / "history.parquet").read_bytes() == (plain_record / "history.parquet").read_bytes()


def test_a_record_with_another_lattice_is_refused(tmp_path: Path) -> None:
    _, record = made(tmp_path, "train", "--task", "binary", "--data", "moons", "--loss", "focal")
    results = json.loads((record / "results.json").read_text())
    assert results_of(json.dumps(results).encode(), record / "results.json")
    results["arenas"][0]["why"]["regions"]["side"] = 5
    with pytest.raises(UserError, match="another lattice"):
        results_of(json.dumps(results).encode(), record / "results.json")


def test_scores_without_a_scale_are_sure_far_from_the_border() -> None:
    """0 at the border, 1 - 1/e one away from it; a run that stopped early has fewer frames."""
    moments = [(1, np.array([0.0, 1.0, -1.0, 50.0])), (2, np.array([0.0, 1.0, -1.0, 50.0]))]
    kept = regions_of(
        {"hinge": ("scores", moments), "early": ("scores", moments[:1])}, ("a", "b"), [[0, 1], [0, 1]], np.zeros((0, 3))
    )
    assert unpacked(kept["entries"]["hinge"][0]["strength"], 2).ravel().tolist() == [0, 161, 161, 255]
    assert unpacked(kept["entries"]["hinge"][0]["classes"], 2).ravel().tolist() == [0, 1, 0, 1]
    assert (kept["epochs"], len(kept["entries"]["early"])) == ([1, 2], 1)
