"""The commented spec: every key is there, and each comment is a line that could stand as it is."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from losscli.advice.outline import Outline, of_recommendation, of_task
from losscli.advice.reading import advised, looked_at, outlined
from losscli.cli.app import run
from losscli.compare.power import advised_seeds
from losscli.data.sources import sources
from losscli.errors import DataError, SpecError
from losscli.losses import find
from losscli.spec.entries import entries
from losscli.spec.keys import KEYS
from losscli.spec.load import load_spec
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
    assert other.model_copy(update={"loss": one.loss, "origins": one.origins}) == one
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


def test_what_is_advised_is_written(tmp_path: Path) -> None:
    """The metrics that see a rare class, batches that hold some of it, and seeds enough for a verdict on so many losses."""
    lines = [f"{index % 7},{int(index % 200 == 0)}" for index in range(4000)]
    (tmp_path / "t.csv").write_text("\n".join(["a,fraud", *lines]) + "\n")
    asked = Overrides(target=["fraud"])
    spec, found = advised(str(tmp_path / "t.csv"), asked)
    path = tmp_path / "t.yaml"
    path.write_text(of_recommendation(spec, found, tmp_path, None).text())
    again = load_spec(path)
    assert again.metrics == ["auprc", "auroc", "f1-tuned", "log-loss"]
    assert again.train.batch_size == 2000 // 2 + 24  # 1024: 5 rows of the rare class, of the 4000 / 2 there may be
    assert again.seeds == list(range(advised_seeds(len(again.loss) - 1)))
    told = replace(asked, seeds=3, metrics=["accuracy"], sets=["train.batch_size=64"])
    spec, _ = advised(str(tmp_path / "t.csv"), told)
    assert (len(spec.seeds), spec.metrics, spec.train.batch_size) == (3, ["accuracy"], 64)


def test_what_is_set_stands_in_the_outline(tmp_path: Path) -> None:
    sets = [
        "train.lr=1e-2",
        "model.hidden=[8]",
        "seeds=9",
        "loss.gamma=3",
        "loss.name=focal",
        "expect={test.auroc: '> 0.5'}",
    ]
    for name, asked in (("binary", Overrides(sets=sets)), ("breast_cancer", Overrides(sets=sets))):
        outline, _ = outlined(name, asked, tmp_path / "s.yaml")
        (tmp_path / "s.yaml").write_text(outline(None).text())
        spec = load_spec(tmp_path / "s.yaml")
        assert (spec.train.lr, spec.model.hidden, len(spec.seeds)) == (0.01, [8], 9)  # type: ignore[attr-defined]
        assert [(each.name, each.options) for each in spec.loss] == [("focal", {"gamma": 3})]
        assert spec.expect == {"test.auroc": "> 0.5"}


def test_the_command_of_an_outline_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    outline, _ = outlined(str(write_table(tmp_path / "t.csv")), Overrides(target=["fraud"]), path)
    assert f"losscli compare {path}" in outline(None).text()


def test_columns_of_a_task_without_a_table_are_refused() -> None:
    with pytest.raises(SpecError, match="--target says nothing of binary"):
        outlined("binary", Overrides(target=["foo"]), None)


def test_a_table_without_a_target_gets_the_suggestions_and_no_other_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        advised(str(write_table(tmp_path / "t.csv")), Overrides())
    (problem,) = caught.value.problems
    assert problem.cure is not None
    assert problem.cure.startswith("--target fraud (")


def test_a_target_that_numbers_the_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\n".join(["a,name", *(f"{index},n{index}" for index in range(40))]) + "\n")
    with pytest.raises(DataError, match="looks like an id"):
        advised(str(tmp_path / "t.csv"), Overrides(target=["name"]))


def test_a_target_that_nobody_named_is_told(tmp_path: Path) -> None:
    outline, noticed = outlined(str(write_table(tmp_path / "t.csv")), Overrides(), tmp_path / "t.yaml")
    found = outline(None)
    assert isinstance(found, Outline)
    assert found.data["target"] == "fraud"
    assert "fraud" in noticed[0]


def test_rows_without_a_target_are_refused_alike_with_the_flag_that_leaves_them_out(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv")
    table.write_text(table.read_text() + "1,2,\n3,4,\n")
    for look in (looked_at, advised):
        with pytest.raises(DataError, match="2 of 202 rows have no value of the target 'fraud'") as refused:
            look(str(table), Overrides(target=["fraud"]))
        (problem,) = refused.value.problems
        assert "--set data.missing_target=drop" in (problem.cure or "")
    left_out = Overrides(target=["fraud"], sets=["data.missing_target=drop"])
    assert looked_at(str(table), left_out).rows == 200
    spec, _ = advised(str(table), left_out)
    assert spec.data.missing_target == "drop"  # type: ignore[attr-defined]


def test_a_task_as_a_flag_is_the_task_without_a_table(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--task", "distribution", "--to", "-"]) == 0
    flag = capfd.readouterr().out
    assert run(["init", "distribution", "--to", "-"]) == 0
    assert flag == capfd.readouterr().out
