"""The commented spec: every key is there, and each comment is a line that could stand as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from losscli.advice.outline import Outline, of_task
from losscli.advice.reading import advised, looked_at, outlined
from losscli.data.sources import sources
from losscli.losses import find
from losscli.spec.entries import entries
from losscli.spec.load import KEYS, load_spec
from losscli.spec.overrides import Overrides
from losscli.spec.reader import read_spec
from losscli.stack.models import models
from losscli.stack.plan import Plan
from losscli.tasks import tasks


@pytest.mark.parametrize("task", tasks.names())
def test_it_loads_as_it_is(task: str, tmp_path: Path) -> None:
    path = tmp_path / f"{task}.yaml"
    path.write_text(of_task(task, "losscli.schema.json").text())
    spec = load_spec(path)
    assert spec.task == task
    assert [choice.name for choice in spec.loss] == [tasks.get(task).default_loss]
    assert spec.metrics == list(tasks.get(task).default_metrics)


@pytest.mark.parametrize("task", tasks.names())
def test_every_key_is_there(task: str) -> None:
    text = of_task(task, None).text()
    source = sources.get(tasks.get(task).default_data["source"])
    keys = [*KEYS, *source.model_fields, *models.get("mlp").model_fields, *Plan.model_fields]
    assert len(keys) >= 40
    for key in keys:
        assert re.search(rf"^[\s#]*{key}:", text, re.M), key


@pytest.mark.parametrize("task", tasks.names())
def test_what_is_commented_out_is_the_default(task: str, tmp_path: Path) -> None:
    """With every key put in that stands behind a single #, the spec is the same."""
    text = of_task(task, None).text()
    plain, full = tmp_path / f"{task}.yaml", tmp_path / "full.yaml"
    plain.write_text(text)
    full.write_text(re.sub(r"^(\s*)# ", r"\1", text, flags=re.M))
    one, other = load_spec(plain), load_spec(full)
    assert "split" not in read_spec(plain).data["data"]
    assert "split" in read_spec(full).data["data"]
    left_out = {option for choice in one.loss for option in find(choice.name, task).options}
    assert other.model_copy(update={"loss": one.loss}) == one
    assert {option for choice in other.loss for option in choice.options} <= left_out


def test_its_first_line_names_the_schema() -> None:
    assert (
        of_task("binary", "losscli.schema.json")
        .text()
        .startswith("# yaml-language-server: $schema=losscli.schema.json\n")
    )
    assert "yaml-language-server" not in of_task("binary", None).text()


def test_no_line_is_wider_than_a_screen_and_none_is_prose_without_a_sign() -> None:
    for task in tasks.names():
        lines = of_task(task, None).text().splitlines()
        assert max(map(len, lines)) <= 120
        assert all(re.match(r"\s*(#|- |[a-z_]+:)", line) for line in lines)


def write_table(path: Path, rows: int = 200) -> Path:
    lines = [f"{index % 7},{index % 3 * 0.5},{int(index % 19 == 0)}" for index in range(rows)]
    path.write_text("\n".join(["a,b,fraud", *lines]) + "\n")
    return path


def test_a_recommended_spec_runs_and_says_why(tmp_path: Path) -> None:
    from losscli.advice.outline import of_recommendation

    table = write_table(tmp_path / "t.csv")
    spec, found = advised(str(table), Overrides(target=["fraud"]))
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / "t.yaml"
    path.write_text(of_recommendation(spec, found, path.parent, None).text())
    again = load_spec(path)
    assert [entry.name for entry in entries(again)] == [entry.name for entry in entries(spec)]
    assert len(again.loss) > 2
    assert Path(again.folder, again.data.path).resolve() == table.resolve()  # type: ignore[attr-defined]
    assert "# - 5.5 % positives" in path.read_text()


def test_a_target_that_nobody_named_is_told(tmp_path: Path) -> None:
    outline, noticed = outlined(str(write_table(tmp_path / "t.csv")), Overrides(), tmp_path / "t.yaml")
    found = outline(None)
    assert isinstance(found, Outline)
    assert found.data["target"] == "fraud"
    assert "fraud" in noticed[0]


def test_rows_without_a_target_are_counted_not_refused(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv")
    table.write_text(table.read_text() + "1,2,\n3,4,\n")
    found = looked_at(str(table), Overrides(target=["fraud"]))
    assert found.rows == 200
    assert any("2 of 202 rows" in each.message for each in found.findings)
    spec, _ = advised(str(table), Overrides(target=["fraud"]))
    assert spec.data.missing_target == "drop"  # type: ignore[attr-defined]
