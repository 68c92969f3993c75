"""`costs:` is a square of numbers for as many classes as there are, and the metrics that need it are refused without it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from losscli.errors import SpecError
from losscli.metrics import evaluation_metrics
from losscli.spec.arenas import merge
from losscli.spec.costs import mistake_in, refuse_other_classes, table_of
from losscli.spec.dump import to_yaml
from losscli.spec.load import load_spec

SPEC = "task: {task}\nmetrics: [{metric}]\n{costs}\n"


def load(folder: Path, costs: str, metric: str = "accuracy", task: str = "binary"):
    path = folder / "spec.yaml"
    path.write_text(SPEC.format(task=task, metric=metric, costs=costs))
    return load_spec(path)


def test_costs_are_kept_and_written_again(tmp_path):
    spec = load(tmp_path, "costs: [[0, 1], [5.5, -1]]", "expected-cost-tuned")
    assert spec.costs == [[0, 1], [5.5, -1]]
    (tmp_path / "again.yaml").write_text(to_yaml(spec))
    assert load_spec(tmp_path / "again.yaml").costs == spec.costs


def test_specs_of_other_costs_are_other_arenas(tmp_path):
    specs = [load(tmp_path, costs) for costs in ("costs: [[0, 1], [5, 0]]", "costs: [[0, 1], [6, 0]]", "")]
    assert len(merge([*specs, specs[0]])) == 3


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ("costs: 5", "a list of rows"),
        ("costs: [0, 1]", "row 1 is 0"),
        ("costs: [[0, 1]]", "a list of rows"),
        ("costs: [[0, 1], [5]]", "row 2 has 1"),
        ("costs: [[0, 1, 2], [1, 0, 2], [1, 2, 0]]", "expected 2 rows"),
        ("costs: [[0, yes], [5, 0]]", "row 1 holds 'yes'"),
        ("costs: [[0, true], [5, 0]]", "row 1 holds true"),
        ("costs: [[0, null], [5, 0]]", "row 1 holds null"),
        ("costs: [[0, 1e300], [5, 0]]", r"row 1 holds 1e\+300"),
        ("costs: null", "a list of rows"),
        ("costs: {a: 1}", "a list of rows"),
        ("costs: {a: {}}", "a list of rows"),
        ("costs: {a: {b: x}}", "expected numbers.*got 'x'"),
        ("costs: {a: {b: true}}", "expected numbers.*got true"),
        ("costs: {a: {b: null}}", "expected numbers.*got null"),
    ],
)
def test_what_is_no_square_of_numbers_is_refused_with_its_place(tmp_path, costs, said):
    with pytest.raises(SpecError, match=said) as caught:
        load(tmp_path, costs)
    (problem,) = caught.value.problems
    assert problem.message.startswith("costs: ")
    assert (problem.place.line, problem.cure is not None) == (3, True)


@pytest.mark.parametrize("metric", ["expected-cost", "expected-cost-tuned"])
def test_a_metric_of_costs_needs_them(tmp_path, metric):
    with pytest.raises(SpecError, match="needs costs") as caught:
        load(tmp_path, "", metric)
    assert caught.value.problems[0].place.line == 2


def test_there_is_no_decision_between_classes_in_other_tasks():
    assert "the task is regression" in mistake_in([[0, 1], [1, 0]], "regression")
    assert mistake_in([[0, 1, 2], [1, 0, 2], [1, 2, 0]], "multiclass") is None


def test_the_data_must_have_as_many_classes():
    refuse_other_classes(None, ["a", "b", "c"])
    refuse_other_classes([[0, 1], [1, 0]], ["a", "b"])
    with pytest.raises(SpecError, match="2 rows, and the target has 3 classes") as caught:
        refuse_other_classes([[0, 1], [1, 0]], ["a", "b", "c"])
    assert "'a', 'b', 'c'" in caught.value.problems[0].cure


def test_what_a_mapping_does_not_name_costs_one_and_nothing_where_it_is_right(tmp_path):
    spec = load(tmp_path, "costs: {yes: {no: 5, yes: -1}}", "expected-cost-tuned")
    assert table_of(spec.costs, ("no", "yes")) == [[0, 1], [5, -1]]
    (tmp_path / "again.yaml").write_text(to_yaml(spec))
    assert load_spec(tmp_path / "again.yaml").costs == spec.costs
    assert table_of({"1.0": {"true": 9}}, ("0", "1", "2")) == [[0, 1, 1], [1, 9, 1], [1, 1, 0]]
    with pytest.raises(SpecError, match="no label 'yse' to give costs"):
        table_of({"yse": {"no": 5}}, ("no", "yes"))


def test_costs_by_label_are_for_as_many_classes_as_a_square_of_them():
    with pytest.raises(SpecError, match="has 1001 classes, and a table of costs is for at most 1000"):
        table_of({"0": {"1": 5}}, [str(place) for place in range(1001)])
    assert len(table_of({"0": {"1": 5}}, [str(place) for place in range(1000)])) == 1000


def test_a_metric_has_its_costs_as_numbers_once_for_all(monkeypatch):
    prices = [[0.0, 1.5, 1.0], [1.0, 0.0, 1.0], [9.0, 1.0, 0.0]]
    metric = evaluation_metrics("multiclass", costs=prices)["expected-cost"]
    predicted, true = torch.tensor([[0.0, 1.0, 2.0, 0.0]]), torch.tensor([[2, 0, 2, 0]])
    monkeypatch.setattr(torch, "tensor", lambda *_, **__: pytest.fail("the table is made anew"))
    assert metric.function(predicted, true).item() == (9.0 + 1.5 + 0.0 + 0.0) / 4
