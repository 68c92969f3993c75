"""A run out of a record says what it said of the test rows when it was trained, as itself and in every format."""

from __future__ import annotations

import json
import resource
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from losscli import pipeline
from losscli.data.prepare import prepare_all
from losscli.deploy.choose import RunChoice
from losscli.deploy.export import export, predictor_of
from losscli.deploy.formats import exporters
from losscli.deploy.restore import RestoredRun, restore
from losscli.errors import MachineError, SpecError
from losscli.record.manifest import signed
from losscli.record.reader import read_predictions
from losscli.spec.load import load_spec

SPECS = {
    "binary": """
        task: binary
        data: {source: csv, path: people.csv, target: bought, encode: {embedding: {columns: [city]}}}
        loss: [focal, hinge]
        model: {kind: mlp, hidden: [8, 6], norm: batch, activation: gelu, dropout: 0.1}
        """,
    "multiclass": """
        task: multiclass
        data: {source: builtin, name: wine}
        loss: [cross-entropy, sparsemax]
        model: {kind: mlp, hidden: [8], norm: layer, activation: tanh}
        """,
    "regression": """
        task: regression
        data: {source: builtin, name: linnerud}
        loss: [mse, mae]
        model: {kind: linear}
        """,
    "forecast": """
        task: regression
        data: {source: builtin, name: diabetes, transform: log}
        loss: [multi-quantile, gaussian-nll]
        model: {kind: linear}
        """,
}
KINDS = ("probabilities", "values", "scores")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A record of each spec, a few steps long."""
    folder = tmp_path_factory.mktemp("deploy")
    chance = np.random.default_rng(0)
    rows = ["age,city,bought"]
    for _ in range(120):
        age, city = chance.integers(18, 80), chance.choice(["Rome", "Oslo", "Bonn", "Lima"], p=[0.5, 0.3, 0.18, 0.02])
        rows.append(f"{age},{city},{'yes' if age + 30 * (city == 'Oslo') > 60 else 'no'}")
    (folder / "people.csv").write_text("\n".join(rows) + "\n")
    found = {}
    for name, text in SPECS.items():
        (folder / f"{name}.yaml").write_text(
            f"{text}\n        train: {{epochs: 2, batch_size: 32}}\n        seeds: 2\n"
        )
        comparison = pipeline.run([load_spec(folder / f"{name}.yaml")], out=folder / "runs")
        assert comparison.record is not None
        found[name] = Path(comparison.record)
    return found


def rows_of_the_test_split(run: RestoredRun) -> tuple[torch.Tensor, np.ndarray]:
    """The encoded test rows of a run, and their places in the table, made anew from the spec."""
    table = run.spec.data.read(Path(run.spec.folder))
    target = run.task.decode(table.targets)
    datasets, _ = prepare_all(table, target, run.task, run.spec.data, [run.run.seed])
    part = datasets[run.run.seed].parts["test"]
    assert part.index is not None
    return torch.from_numpy(part.features), part.index


def recorded(folder: Path, entry: str, seed: int) -> dict[int, list[float]]:
    """What the record says that the run predicted, by row."""
    rows = read_predictions(folder).to_pylist()
    return {row["row"]: row["prediction"] for row in rows if (row["entry"], row["seed"]) == (entry, seed)}


def told(run: RestoredRun, features: torch.Tensor) -> np.ndarray:
    """What the ordinary model says first; a forecast has more to say."""
    found = predictor_of(run)(features)
    return (found[0] if isinstance(found, tuple) else found).detach().numpy()


def each_run(folder: Path) -> list[RestoredRun]:
    arena = json.loads((folder / "results.json").read_text())["arenas"][0]
    names = [entry["entry"] for entry in arena["entries"]]
    return [run for name in names for run in restore(folder, RunChoice(entry=name, every_seed=True))]


@pytest.mark.parametrize("task", SPECS)
def test_a_restored_run_predicts_what_it_predicted_in_its_stack(records: dict[str, Path], task: str) -> None:
    for run in each_run(records[task]):
        features, index = rows_of_the_test_split(run)
        said = told(run, features).reshape(len(index), -1)
        known = recorded(records[task], run.entry.name, run.run.seed)
        assert len(known) == len(index)
        np.testing.assert_allclose(said, [known[int(row)] for row in index], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("task", SPECS)
@pytest.mark.parametrize("form", ["pt2", "onnx"])
def test_an_exported_graph_says_the_same(records: dict[str, Path], task: str, form: str, tmp_path: Path) -> None:
    run = restore(records[task], RunChoice())[0]
    features, _ = rows_of_the_test_split(run)
    path, described = export(run, form, tmp_path / "model")
    found = predictor_of(run)(features)
    expected = [each.detach().numpy() for each in (found if isinstance(found, tuple) else (found,))]
    said = _said_by(path, features)
    assert len(said) == len(expected) == (2 if task == "forecast" else 1)
    for one, other in zip(said, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    description = json.loads(described.read_text())
    assert description["features"] == run.encoder.names()
    assert description["output"]["holds"] in KINDS


def _said_by(path: Path, features: torch.Tensor) -> list[Any]:
    if path.suffix == ".pt2":
        found = torch.export.load(path).module()(features)
        return [each.detach().numpy() for each in (found if isinstance(found, tuple) else (found,))]
    from onnxruntime import InferenceSession

    return InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"features": features.numpy()})


def test_exported_weights_fit_torch_s_own_layers(records: dict[str, Path], tmp_path: Path) -> None:
    run = restore(records["multiclass"], RunChoice(entry="cross-entropy", seed=1))[0]
    path, described = export(run, "safetensors", tmp_path / "model")
    net = nn.Sequential(nn.Linear(13, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 3))
    assert json.loads(described.read_text())["body"] == [str(layer) for layer in net]
    net.load_state_dict(load_file(path))
    features, index = rows_of_the_test_split(run)
    known = recorded(records["multiclass"], "cross-entropy", 1)
    said = torch.softmax(net(features), dim=1).detach().numpy()
    np.testing.assert_allclose(said, [known[int(row)] for row in index], rtol=1e-5, atol=1e-5)


def test_quantiles_are_those_of_the_distribution(records: dict[str, Path]) -> None:
    """Those of a Gaussian on the log scale, written down by hand from the raw outputs."""
    from scipy.stats import norm

    run = restore(records["forecast"], RunChoice(entry="gaussian-nll", seed=0))[0]
    features, _ = rows_of_the_test_split(run)
    model = predictor_of(run)
    mean, log_variance = model.body(features).detach().double().numpy().T
    scale = run.run.dataset.scale
    assert scale is not None
    spread = np.exp(log_variance / 2)
    rising = [mean + norm.ppf(level) * spread for level in (0.05, 0.5, 0.95)]
    expected = np.exp(np.stack(rising, 1) * float(scale.scale[0]) + float(scale.center[0]))
    assert model.levels == (0.05, 0.5, 0.95)
    np.testing.assert_allclose(model(features)[1].detach().numpy(), expected, rtol=1e-4)


def test_an_output_chain_is_part_of_the_model(tmp_path: Path) -> None:
    """A ReLU and a sigmoid before the loss, applied by hand to what the body says."""
    spec = tmp_path / "chain.yaml"
    spec.write_text(
        "task: binary\ndata: {source: builtin, name: breast_cancer}\nloss: {name: bce, output: [relu, sigmoid]}\n"
        "train: {epochs: 1}\nmodel: {kind: linear}\n"
    )
    comparison = pipeline.run([load_spec(spec)], out=tmp_path / "runs")
    (run,) = restore(Path(str(comparison.record)), RunChoice())
    features, _ = rows_of_the_test_split(run)
    model = predictor_of(run)
    raw = model.body(features).detach().double().numpy()[:, 0]
    assert (raw < 0).any()
    by_hand = 1 / (1 + np.exp(-np.maximum(raw, 0)))
    np.testing.assert_allclose(told(run, features), by_hand, rtol=1e-5)


def test_of_several_arenas_the_one_that_is_named(records: dict[str, Path], tmp_path: Path) -> None:
    specs = [load_spec(records[name].parents[1] / f"{name}.yaml") for name in ("multiclass", "regression")]
    folder = Path(str(pipeline.run(specs, out=tmp_path / "runs").record))
    with pytest.raises(SpecError, match="holds 2 arenas"):
        restore(folder, RunChoice())
    for number, name in ((1, "multiclass"), (2, "regression")):
        (run,) = restore(folder, RunChoice(arena=number, seed=0))
        assert run.task.name == name
        features, index = rows_of_the_test_split(run)
        rows = [row for row in read_predictions(folder).to_pylist() if row["arena"] == number - 1]
        known = {row["row"]: row["prediction"] for row in rows if (row["entry"], row["seed"]) == (run.entry.name, 0)}
        said = told(run, features).reshape(len(index), -1)
        np.testing.assert_allclose(said, [known[int(row)] for row in index], rtol=1e-5, atol=1e-5)


def test_the_best_run_is_the_best_on_the_valid_split(records: dict[str, Path]) -> None:
    arena = json.loads((records["multiclass"] / "results.json").read_text())["arenas"][0]
    valid = {entry["entry"]: entry["valid"][arena["headline"]] for entry in arena["entries"]}
    run = restore(records["multiclass"], RunChoice())[0]
    assert valid[run.entry.name]["mean"] == max(each["mean"] for each in valid.values())
    values = valid[run.entry.name]["values"]
    assert values[run.run.seed] == max(values)


TUNED = """
task: multiclass
data: {source: builtin, name: wine}
loss: [bi-tempered, cross-entropy]
model: {kind: linear}
train: {epochs: 2, batch_size: 32}
tune: {lr: [1e-3, 1e-1], t2: [2.0, 3.0], weight: [balanced, [1, 2, 3]]}
seeds: 2
"""


def test_a_tuned_run_is_restored_as_it_was_chosen(tmp_path: Path) -> None:
    """The temperature changes how the outputs are read; a class weight and a rate stand beside a loss's own options."""
    (tmp_path / "spec.yaml").write_text(TUNED)
    comparison = pipeline.run([load_spec(tmp_path / "spec.yaml")], out=tmp_path / "runs")
    folder = Path(str(comparison.record))
    chosen = {(run.entry, run.seed): run.tuned for run in comparison.arenas[0].runs}
    runs = each_run(folder)
    assert len(runs) == len(chosen)
    for restored in runs:
        run, tuned = restored.run, chosen[restored.entry.name, restored.run.seed]
        features, index = rows_of_the_test_split(restored)
        known = recorded(folder, run.entry, run.seed)
        said = predictor_of(restored)(features).detach().numpy()
        np.testing.assert_allclose(said, [known[int(row)] for row in index], rtol=1e-5, atol=1e-5)
        held = {"lr": run.lr, **run.options} | ({} if "weight" in run.options else {"weight": run.weight})
        assert held.items() >= tuned.items()
        assert run.settings.keys() == run.loss.options.keys()
    described = export(runs[0], "safetensors", tmp_path / "model")[1]
    assert json.loads(described.read_text())["entry"] == "bi-tempered"


def test_nothing_is_written_over(records: dict[str, Path], tmp_path: Path) -> None:
    run = restore(records["regression"], RunChoice())[0]
    with pytest.raises(MachineError, match="is there already"):
        export(run, "safetensors", tmp_path)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (RunChoice(entry="focall"), "no entry called 'focall'"),
        (RunChoice(seed=7), "no finished run with seed 7"),
        (RunChoice(arena=2), "there is no arena 2"),
    ],
)
def test_what_a_record_does_not_hold_is_told(records: dict[str, Path], wanted: RunChoice, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        restore(records["binary"], wanted)


def test_a_record_of_another_model_is_refused(records: dict[str, Path], tmp_path: Path) -> None:
    """The spec is swapped, and the manifest with it: the shapes tell."""
    import hashlib

    folder = tmp_path / "record"
    shutil.copytree(records["regression"], folder)
    text = (folder / "spec.yaml").read_text().replace("{kind: linear, output: auto}", "{kind: mlp, hidden: [3]}")
    (folder / "spec.yaml").write_text(text)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["spec.yaml"] = {"bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    (folder / "manifest.json").write_bytes(signed(manifest))
    with pytest.raises(MachineError, match="do not fit the spec"):
        restore(folder, RunChoice())


def test_an_export_that_fails_leaves_no_folder(
    records: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise MachineError("onnx is not installed")

    assert "onnx" in exporters  # a shelf that is not loaded yet would refuse the second of a name
    monkeypatch.setitem(exporters._items, "onnx", ("model.onnx", fails))
    (run,) = restore(records["regression"], RunChoice())
    with pytest.raises(MachineError, match="not installed"):
        export(run, "onnx", tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("form", exporters.names())
def test_a_disk_that_is_full_leaves_no_folder(records: dict[str, Path], tmp_path: Path, form: str) -> None:
    """A limit on the size of files refuses every writer, torch's own in C++ as well; its own would end the process."""
    (run,) = restore(records["regression"], RunChoice(entry="mse"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with pytest.raises(MachineError, match="model' cannot be written: File too large") as caught:
            export(run, form, tmp_path / "model")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.problems[0].cure
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_a_model_goes_into_no_place_that_is_taken(records: dict[str, Path], tmp_path: Path, make: Any) -> None:
    (run,) = restore(records["regression"], RunChoice(entry="mse"))
    make(tmp_path / "model")
    with pytest.raises(MachineError, match="is there already"):
        export(run, "safetensors", tmp_path / "model")
    with pytest.raises(SpecError, match="no name to write to"):
        export(run, "safetensors", tmp_path / "a\nb")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
