"""The JSON Schema, read by the jsonschema package, against the loader: what this takes, that takes, and every key is in both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from losscli.data.sources import sources
from losscli.errors import UserError
from losscli.losses import for_task
from losscli.metrics import for_task as metrics_for
from losscli.spec.comments import comment
from losscli.spec.keys import KEYS
from losscli.spec.load import load_spec
from losscli.spec.model import Spec
from losscli.spec.reader import read_spec
from losscli.spec.schema import schema, with_inner
from losscli.stack.models import models
from losscli.stack.plan import Plan
from losscli.tasks import tasks

ROOT = Path(__file__).parents[2]
WHOLE = schema()
VALIDATOR = Draft202012Validator(WHOLE)


def test_it_is_a_schema_of_its_draft() -> None:
    Draft202012Validator.check_schema(WHOLE)
    assert WHOLE["$schema"].endswith("2020-12/schema")


def test_every_reference_leads_somewhere() -> None:
    def references(found: Any) -> list[str]:
        if isinstance(found, dict):
            return [each for key, value in found.items() for each in ([value] if key == "$ref" else references(value))]
        return [each for part in found for each in references(part)] if isinstance(found, list) else []

    named = set(references(WHOLE))
    known = {f"#/$defs/{name.replace('/', '~1').replace(' ', '%20')}" for name in WHOLE["$defs"]}
    assert len(named) > 100
    assert named <= known


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_spec_on_the_shelf_is_valid(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(read_spec(path).data)] == []


BROKEN = {
    "unknown key": "task: binary\noptimzer: adam\n",
    "unknown key in a block": "task: binary\ntrain: {epoch: 3}\n",
    "unknown loss": "task: binary\nloss: focl\n",
    "loss of another task": "task: multiclass\nloss: mse\n",
    "loss of another library": "task: binary\nloss: nn.KLDivLoss()\n",
    "option of another loss in another spelling": "task: regression\nloss: {name: nn.HuberLoss(), beta: 2}\n",
    "loss of another task in a list": "task: binary\nloss: [bce-logits, {name: mse}]\n",
    "option of another loss": "task: binary\nloss: {name: bce-logits, gamma: 2}\n",
    "option out of bounds": "task: binary\nloss: {name: focal, gamma: -1}\n",
    "option out of bounds in a grid": "task: binary\nloss: {name: focal, gamma: [1, -1]}\n",
    "unknown word of an option": "task: multiclass\nloss: {name: cross-entropy, weight: even}\n",
    "text for a number": "task: binary\ntrain: {lr: fast}\n",
    "zero rate": "task: binary\ntrain: {lr: 0}\n",
    "negative epochs": "task: binary\ntrain: {epochs: -1}\n",
    "boolean for a number": "task: binary\ntrain: {epochs: true}\n",
    "unknown task": "task: ternary\n",
    "unknown source": "task: binary\ndata: {source: excel, path: a}\n",
    "no target": "task: binary\ndata: {source: csv, path: a.csv}\n",
    "key of another source": "task: binary\ndata: {source: builtin, name: iris, path: a.csv}\n",
    "unknown data set": "task: binary\ndata: {source: builtin, name: irises}\n",
    "share above 1": "task: binary\ndata: {source: builtin, name: iris, split: {test: 1.5}}\n",
    "unknown model": "task: binary\nmodel: {kind: forest}\n",
    "empty layers": "task: binary\nmodel: {hidden: []}\n",
    "metric of another task": "task: binary\nmetrics: [rmse]\n",
    "no metrics": "task: binary\nmetrics: []\n",
    "a metric twice": "task: binary\nmetrics: [auroc, auroc]\n",
    "an option above its bound": "task: binary\nloss: {name: bce-logits, label_smoothing: 1.5}\n",
    "an option at its open end": "task: binary\nloss: {name: asymmetric, clip: 1}\n",
    "more than an expectation": "task: binary\nexpect: {test.accuracy: '>= 0.5 or so'}\n",
    "expectation of no number": "task: binary\nexpect: {test.accuracy: good}\n",
    "expectation of no split": "task: binary\nexpect: {final.accuracy: '> 0.5'}\n",
    "no seeds": "task: binary\nseeds: 0\n",
    "name that is a path": "task: binary\nname: ../x\n",
    "costs of nothing": "task: binary\ncosts: null\n",
    "newer version": "schema_version: 99\ntask: binary\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_the_loader_refuses_is_no_valid_spec(name: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(BROKEN[name])
    with pytest.raises(UserError):
        load_spec(path)
    assert not VALIDATOR.is_valid(read_spec(path).data)


ODD = {
    "nothing but a task": "task: regression\n",
    "data alone": "data: {source: builtin, name: iris}\n",
    "split alone": "task: binary\ndata: {split: {seed: 3}}\n",
    "an alias": "task: binary\nloss: BCEWithLogitsLoss\n",
    "another spelling": "task: binary\nloss: nn.BCEWithLogitsLoss()\n",
    "spellings with options": "task: regression\nloss: [reg:squarederror, {name: Smooth_L1_Loss, beta: 2}]\n",
    "options without a name": "task: binary\nloss: {label_smoothing: [0, 0.1]}\n",
    "weights by class": "task: multiclass\nloss: {name: focal, alpha: [1, 2, 3, 1, 1, 1, 1, 1, 1, 1]}\n",
    "weights of the engine": "task: binary\nloss: {name: hinge, weight: balanced}\n",
    "rules as a grid": "task: binary\nloss: {name: bce-logits, pos_weight: [null, balanced, 3]}\n",
    "quantiles": "task: regression\nloss: {name: multi-quantile, taus: [[0.1, 0.9], [0.2, 0.8]]}\n",
    "a generator's own option": "task: binary\ndata: {source: synthetic, name: moons, noise: 0.1}\n",
    "rates and layers": "task: binary\ntrain: {lr: [1e-3, 1e-2], clip: null}\nmodel: {kind: mlp, output: [relu, sigmoid]}\n",
    "seeds as a list": "task: binary\nseeds: [3, 7]\nexpect: {test.accuracy: '>= 0.5'}\n",
    "a linear model": "task: binary\nmodel: {kind: linear}\n",
    "tuned": "task: binary\ntune: {lr: [1e-3, 1e-2]}\n",
}


@pytest.mark.parametrize("name", ODD)
def test_what_the_loader_takes_is_valid(name: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(ODD[name])
    load_spec(path)
    assert [error.message for error in VALIDATOR.iter_errors(read_spec(path).data)] == []


def test_it_does_not_depend_on_which_files_were_imported_first(monkeypatch: pytest.MonkeyPatch) -> None:
    before = json.dumps(schema())
    for shelf in (sources, models):
        monkeypatch.setattr(shelf, "_items", dict(reversed(shelf._items.items())))
    assert json.dumps(schema()) == before


def test_every_key_of_the_loader_is_in_the_schema_and_none_besides() -> None:
    assert tuple(WHOLE["properties"]) == KEYS
    written = {key for key, of in Spec.model_fields.items() if not of.exclude}
    assert set(KEYS) == written | {"schema_version"}
    blocks = [*sources, *models, Plan]
    assert len(blocks) > 5
    for kind in blocks:
        assert set(WHOLE["$defs"][kind.__name__]["properties"]) == set(kind.model_fields), kind


@pytest.mark.parametrize("task", tasks.names())
def test_every_loss_with_its_options_and_every_metric_is_in_the_schema(task: str) -> None:
    for name, item in for_task(task).items():
        properties = set(WHOLE["$defs"][f"{task}/{name}"]["properties"])
        assert set(item.options) <= properties <= {*item.options, "name", "output", "lr", "weight"}
    assert WHOLE["$defs"][f"metrics of {task}"]["items"]["enum"] == list(metrics_for(task))


def described() -> list[tuple[type, str]]:
    kinds = with_inner([*sources, *models, Plan, Spec])
    return [(kind, key) for kind in kinds for key, of in kind.model_fields.items() if not of.exclude]


def test_every_key_says_what_it_is() -> None:
    """`init` puts this beside the key: a field's description, or half a sentence of its class's docstring with `key`."""
    keys = described()
    assert len(keys) > 60
    assert [f"{kind.__name__}.{key}" for kind, key in keys if not comment(kind, key)] == []
