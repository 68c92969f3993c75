"""One contract for every task on the shelf: the whole line of commands passes on the data that the task names for itself.

A new task is tested by existing. Its numbers are judged in the oracle files; here, what one command leaves the next reads.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from losscli.cli.app import run
from losscli.data.sources import sources
from losscli.deploy.choose import RunChoice
from losscli.deploy.formats import exporters
from losscli.deploy.restore import restore
from losscli.losses import find, for_task
from losscli.record.reader import read, read_predictions
from losscli.tasks import Column, Task, tasks

ROWS = 150
QUICK = ("--epochs", "2", "--batch-size", "32", "--quiet", "--set", "model.hidden=[8]")
VERDICTS = {"reference", "better", "worse", "equivalent", "inconclusive", "too-few-seeds", "undefined", "same"}
every_task = pytest.mark.parametrize("task", tasks.names())
Call = Callable[..., str]


@dataclass(frozen=True)
class Line:
    """A task's own data as a file, and a record of a comparison on them."""

    folder: Path
    targets: list[str]
    losses: list[str]
    record: Path

    @property
    def on_data(self) -> list[str]:
        return [word for target in self.targets for word in ("--target", target)]


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """What a command prints to stdout; it must end well."""

    def of(*arguments: object) -> str:
        capfd.readouterr()
        assert run([str(word) for word in arguments]) == 0, capfd.readouterr().err
        return capfd.readouterr().out

    return of


@pytest.fixture(scope="module")
def line_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Line]:
    made: dict[str, Line] = {}

    def of(task: str) -> Line:
        if task not in made:
            made[task] = line(task, tmp_path_factory.mktemp(task))
        return made[task]

    return of


def line(task: str, folder: Path) -> Line:
    block = dict(tasks.get(task).default_data)
    source = sources.get(block.pop("source"))(**block)
    table = source.read(Path())
    chosen = np.random.default_rng(0).permutation(table.rows)[:ROWS]
    columns = {name: cells(column)[chosen] for name, column in {**table.features, **table.targets}.items()}
    csv.write_csv(pa.table(columns), folder / "rows.csv")
    features = {name: columns[name] for name in table.features}
    csv.write_csv(pa.table(features), folder / "new.csv")
    first = tasks.get(task).default_loss
    others = (
        name for name, item in for_task(task).items() if not any(option.required for option in item.options.values())
    )
    second = next(name for name in others if name != first)
    given = [word for name in table.targets for word in ("--target", name)]
    given += [word for name in (first, second) for word in ("--loss", name)]
    data = ("--task", task, "--data", str(folder / "rows.csv"), *given, "--seeds", "2", *QUICK)
    assert run(["compare", *data, "--out", str(folder / "runs")]) == 0
    (record,) = (folder / "runs").iterdir()
    return Line(folder, list(table.targets), [first, second], record)


def cells(column: Column) -> np.ndarray:
    if column.levels is None:
        return column.values
    return np.array([column.levels[code] for code in column.values], dtype=object)


@every_task
def test_train_says_every_default_metric_beside_the_baseline(task: str, line_of: Any, call: Call) -> None:
    on = line_of(task)
    asked = ("train", "--task", task, "--data", on.folder / "rows.csv", *on.on_data, *QUICK, "--no-record")
    (arena,) = json.loads(call(*asked, "--format", "json"))["arenas"]
    (entry,) = arena["entries"]
    assert (arena["task"], entry["loss"], entry["verdict"]) == (task, tasks.get(task).default_loss, "reference")
    assert [each["status"] for each in arena["runs"]] == ["ok"] * len(arena["runs"])
    for name in tasks.get(task).default_metrics:
        assert math.isfinite(entry["test"][name]["mean"]), name
        assert math.isfinite(arena["baseline"]["test"][name]) or name in ("f1",), name


@every_task
def test_compare_pairs_two_losses_and_leaves_a_whole_record(task: str, line_of: Any) -> None:
    on = line_of(task)
    (arena,) = read(on.record)["results"]["arenas"]
    assert [entry["loss"] for entry in arena["entries"]] == on.losses
    assert {entry["verdict"] for entry in arena["entries"]} <= VERDICTS
    assert arena["entries"][1]["delta"]["metric"] == arena["headline"] == tasks.get(task).default_metrics[0]
    one, other = (entry["test"][arena["headline"]] for entry in arena["entries"])
    paired = np.subtract(other["values"], one["values"])
    assert arena["entries"][1]["delta"]["mean"] == pytest.approx(paired.mean(), abs=1e-12)
    kept = read_predictions(on.record).to_pylist()
    assert {(row["entry"], row["seed"]) for row in kept} == {(name, seed) for name in on.losses for seed in (0, 1)}


@every_task
@pytest.mark.parametrize("form", ["html", "md"])
def test_report_names_the_task_s_losses(task: str, form: str, line_of: Any, call: Call, tmp_path: Path) -> None:
    on = line_of(task)
    call("report", on.record, "--format", form, "--to", tmp_path / f"page.{form}")
    text = (tmp_path / f"page.{form}").read_text(encoding="utf-8")
    for word in (*on.losses, tasks.get(task).default_metrics[0]):
        assert word in text, word


@pytest.mark.parametrize("task", [task.name for task in tasks if task.has_target])
def test_predict_says_of_new_rows_what_the_record_says_of_the_same(task: str, line_of: Any, call: Call) -> None:
    """New rows are the table's own without their targets, so the record has said already what is right."""
    on = line_of(task)
    asked = ("predict", on.record, on.folder / "new.csv", "--entry", on.losses[0], "--seed", 1)
    rows = json.loads(call(*asked, "--format", "json"))["rows"]
    assert len(rows) == ROWS
    own = csv.read_csv(on.folder / "new.csv").column_names
    numbers = [[value for name, value in row.items() if name not in own and isinstance(value, float)] for row in rows]
    kept = [row for row in read_predictions(on.record).to_pylist() if (row["entry"], row["seed"]) == (on.losses[0], 1)]
    assert len(kept) >= 15
    for row in kept:
        said = numbers[row["row"]]
        assert len(said) >= len(row["prediction"])
        for value in row["prediction"]:
            assert any(value == pytest.approx(each, rel=1e-4, abs=1e-5) for each in said), (row, said)


@every_task
@pytest.mark.parametrize("form", exporters.names())
def test_export_writes_every_format_with_its_description(
    task: str, form: str, line_of: Any, call: Call, tmp_path: Path
) -> None:
    on = line_of(task)
    call("export", on.record, "--to", form, "--dir", tmp_path / "model")
    described = json.loads((tmp_path / "model" / "model.json").read_text())
    assert described["task"] == task
    assert (tmp_path / "model" / described["file"]).stat().st_size > 0
    run_of = restore(on.record, RunChoice())[0]
    assert described["features"] == run_of.encoder.names()


@every_task
def test_stress_scores_every_level(task: str, line_of: Any, call: Call) -> None:
    on = line_of(task)
    asked = ("stress", "--task", task, "--data", on.folder / "rows.csv", *on.on_data, *QUICK, "--no-record")
    damage = "--missing" if tasks.get(task).has_target else "--outliers"
    found = json.loads(call(*asked, damage, "0.2,0.5", "--seeds", 1, "--format", "json"))
    assert [arena["task"] for arena in found["arenas"]] == [task] * 3  # the data as they are, and two levels
    scores = [arena["entries"][0]["test"] for arena in found["arenas"]]
    headline = tasks.get(task).default_metrics[0]
    assert np.isfinite([level[headline]["mean"] for level in scores]).all()
    assert scores[0] != scores[1] != scores[2]  # damage is done


@every_task
def test_inspect_knows_the_target_and_recommend_names_losses_that_run(task: str, line_of: Any, call: Call) -> None:
    on = line_of(task)
    asked = (on.folder / "rows.csv", "--task", task, *on.on_data)
    found = json.loads(call("inspect", *asked, "--format", "json"))
    assert (found["rows"], found["target"]["task"]) == (ROWS, task)
    if tasks.get(task).has_target:
        assert [each["name"] for each in found["columns"] if each["role"] == "target"] == on.targets
    advice = json.loads(call("recommend", *asked, "--format", "json"))
    names = [each["loss"] for each in advice["losses"]]
    assert advice["reference"].split()[0] in names
    assert len(names) >= 2
    assert set(names) <= set(for_task(task))
    spec = on.folder / "advised.yaml"
    call("recommend", *asked, "--write", spec, "--force")
    assert f" · {task} · " in " ".join(call("validate", spec, "--data").split())  # a long path breaks the line


@every_task
def test_explain_and_verify_know_its_losses(task: str, line_of: Any, call: Call) -> None:
    on = line_of(task)
    pages = json.loads(call("explain", *on.losses, "--task", task, "--format", "json"))["pages"]
    assert [page["name"] for page in pages] == on.losses
    for page in pages:
        assert page["summary"] == find(page["name"], task).summary
    found = json.loads(call("verify", tasks.get(task).default_loss, "--task", task, "--format", "json"))
    assert len(found["properties"]) >= 9


@every_task
def test_plan_counts_and_gate_passes_what_has_not_changed(task: str, line_of: Any, call: Call) -> None:
    on = line_of(task)
    (planned,) = json.loads(call("plan", on.record / "spec.yaml", "--like", on.record, "--format", "json"))["arenas"]
    assert (planned["task"], planned["entries"], planned["runs"]) == (task, on.losses, 4)
    assert planned["headline"] == tasks.get(task).default_metrics[0]
    assert planned["cost"]["steps"] == 2 * math.ceil((ROWS - 2 * round(0.15 * ROWS)) / 32)
    gated = json.loads(call("gate", on.record, "--baseline", on.record, "--format", "json"))["entries"]
    assert [each["entry"] for each in gated] == on.losses
    assert [(each["drop"], each["paired"]) for each in gated] == [(0.0, True)] * 2


@every_task
def test_a_task_has_what_its_flags_promise(task: str) -> None:
    kind = tasks.get(task)
    own = {
        part for part in ("hardness", "difficulty", "baseline") if getattr(type(kind), part) is not getattr(Task, part)
    }
    assert "hardness" in own or not kind.probed
    assert "difficulty" in own or not kind.row_measures
    assert "baseline" in own or kind.features_are_baseline
