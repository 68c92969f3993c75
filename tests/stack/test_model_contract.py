"""One contract for every model on the shelf: it trains, is recorded, predicts from its record, and goes out in every format.

A new model is tested by existing, with the options that it has by itself, and those of its options that are words or switches.
Here is one more, of layers that nothing else knows and PyTorch does not have: it must go the whole way, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from losscli import pipeline
from losscli.data.prepare import prepare_all
from losscli.deploy.choose import RunChoice
from losscli.deploy.export import export, predictor_of
from losscli.deploy.formats import exporters
from losscli.deploy.restore import RestoredRun, restore
from losscli.record.reader import read, read_predictions
from losscli.spec.load import load_spec
from losscli.stack.layers import ForwardContext, Layer, Linear
from losscli.stack.models import Model, models

STRANGE = "gated"
KINDS = [*models.names(), STRANGE]
DATA = "data: {source: synthetic, name: friedman1, n_samples: 160, n_features: 6, noise: 0.5}"


@dataclass
class Gated(Layer):
    """Each number times the sigmoid of another combination of the row, less the mean that was seen in training."""

    width: int

    def shapes(self) -> dict[str, tuple[int, int]]:
        return {"gate": (self.width, self.width), "offset": (1, self.width)}

    def draw(self, chance: torch.Generator) -> dict[str, torch.Tensor]:
        return {name: torch.empty(shape).normal_(0, 0.1, generator=chance) for name, shape in self.shapes().items()}

    def statistics(self) -> dict[str, torch.Tensor]:
        return {"seen": torch.zeros(1, self.width)}

    def units(self) -> int:
        return 2 * self.width

    def __call__(self, x: torch.Tensor, weights: Any, statistics: Any, context: ForwardContext) -> torch.Tensor:
        if context.training:
            with torch.no_grad():
                statistics["seen"].lerp_(x.mean(dim=1, keepdim=True), 0.1)
        gates = torch.sigmoid(torch.baddbmm(weights["offset"], x, weights["gate"]))
        return (x - statistics["seen"]) * gates


class GatedModel(Model):
    """`{kind: gated}`"""

    kind: Literal["gated"] = "gated"

    def layers(self, features: int, outputs: int) -> list[Layer]:
        return [Linear(features, 5), Gated(5), Linear(5, outputs)]


@pytest.fixture(scope="module", autouse=True)
def one_more() -> Iterator[None]:
    models.put(STRANGE, GatedModel)
    yield
    del models._items[STRANGE]


def variants() -> list[Any]:
    """Every model as it is, and with every word of every option that is a choice of words."""
    found: list[Any] = [pytest.param({"kind": STRANGE}, id=STRANGE)]
    for name in models.names():
        found.append(pytest.param({"kind": name}, id=name))
        for key, field in models.get(name).model_fields.items():
            if key not in ("kind", "output") and get_origin(field.annotation) is Literal:
                words = [word for word in get_args(field.annotation) if word != field.default]
                found += [pytest.param({"kind": name, key: word}, id=f"{name}-{key}-{word}") for word in words]
    return found


@pytest.fixture(scope="module")
def record_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, str]], tuple[Path, Any]]:
    made: dict[str, tuple[Path, Any]] = {}

    def of(model: dict[str, str]) -> tuple[Path, Any]:
        text = json.dumps(model)
        if text not in made:
            folder = tmp_path_factory.mktemp(model["kind"])
            train = "train: {epochs: 3, batch_size: 32, lr: 3e-3}\nseeds: 2\nloss: [mse, mae]"
            (folder / "spec.yaml").write_text(f"task: regression\n{DATA}\nmodel: {text}\n{train}\n")
            comparison = pipeline.run([load_spec(folder / "spec.yaml")], out=folder / "runs")
            made[text] = Path(comparison.record or ""), comparison.arenas[0]
        return made[text]

    return of


def rows_of_the_test_split(run: RestoredRun) -> tuple[torch.Tensor, np.ndarray]:
    table = run.spec.data.read(Path(run.spec.folder))
    datasets, _ = prepare_all(table, run.task.decode(table.targets), run.task, run.spec.data, [run.run.seed])
    part = datasets[run.run.seed].parts["test"]
    return torch.from_numpy(part.features), part.index


@pytest.mark.parametrize("model", variants())
def test_it_trains_is_recorded_and_predicts_from_its_record(model: dict[str, str], record_of: Any) -> None:
    record, arena = record_of(model)
    assert {run.status for run in arena.runs} == {"ok"}
    for run in arena.runs:
        losses = [point.value for point in run.history if (point.split, point.metric) == ("train", "loss")]
        assert losses[-1] < losses[0]
    assert read(record)["results"]["arenas"][0]["runs"][0]["status"] == "ok"
    assert model.items() <= load_spec(record / "spec.yaml").model.model_dump().items()
    kept = read_predictions(record).to_pylist()
    for entry, seed in (("mse", 0), ("mae", 1)):
        (back,) = [run for run in restore(record, RunChoice(entry=entry, every_seed=True)) if run.run.seed == seed]
        features, index = rows_of_the_test_split(back)
        said = predictor_of(back)(features).detach().numpy()
        known = {row["row"]: row["prediction"] for row in kept if (row["entry"], row["seed"]) == (entry, seed)}
        assert len(known) == len(index)
        np.testing.assert_allclose(said[:, None], [known[row] for row in index.tolist()], rtol=1e-5, atol=1e-5)


def from_pt2(path: Path, run: RestoredRun, features: torch.Tensor) -> np.ndarray:
    return torch.export.load(path).module()(features).detach().numpy()


def from_onnx(path: Path, run: RestoredRun, features: torch.Tensor) -> np.ndarray:
    from onnxruntime import InferenceSession

    return InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"features": features.numpy()})[0]


def from_weights(path: Path, run: RestoredRun, features: torch.Tensor) -> np.ndarray:
    """The weights alone say nothing; put into fresh layers of the same form, they must be all that was lacking."""
    predictor = predictor_of(run)
    for parameter in predictor.body.parameters():
        torch.nn.init.constant_(parameter, 7.0)
    predictor.body.load_state_dict(load_file(path))
    return predictor(features).detach().numpy()


READ = {"pt2": from_pt2, "onnx": from_onnx, "safetensors": from_weights}


@pytest.mark.parametrize("form", exporters.names())
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_says_what_the_run_says(kind: str, form: str, record_of: Any, tmp_path: Path) -> None:
    run = restore(record_of({"kind": kind})[0], RunChoice())[0]
    path, described = export(run, form, tmp_path / "model")
    features, _ = rows_of_the_test_split(run)
    expected = predictor_of(run)(features).detach().numpy()
    assert expected.std() > 0.1
    np.testing.assert_allclose(READ[form](path, run, features), expected, rtol=1e-5, atol=1e-5)
    body = json.loads(described.read_text())["body"]
    assert body == [str(layer) for layer in predictor_of(run).body]
