"""`losscli inspect`, `recommend`, `init`, `schema` and `validate` as a user calls them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from losscli.cli.app import run
from losscli.cli.picture import HEIGHT, fitted, lying, standing
from losscli.cli.validation import Validation, workflow_lines
from losscli.errors import Place, Problem

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LANG", "C.UTF-8")
    for name in ("LC_ALL", "LC_CTYPE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    lines = [
        f"{index % 7},{'ab'[index % 2]},{index % 3 * 0.5},{'yes' if index % 19 == 0 else 'no'}" for index in range(200)
    ]
    Path("loans.csv").write_text("\n".join(["amount,[bold],rate,default", *lines]) + "\n")


def out_of(capsys: Captured, *arguments: str, code: int = 0) -> str:
    assert run(list(arguments)) == code
    return capsys.readouterr().out


def test_inspect_tells_of_columns_and_target(capsys: Captured) -> None:
    text = out_of(capsys, "inspect", "loans.csv", "--target", "default")
    assert "loans · 200 rows · 4 columns · nothing missing" in text
    assert "[bold]" in text  # a name is never markup
    assert re.search(r"no +█+.* 189 \(94.5 %\)", text)
    assert re.search(r"yes +█*.? 11 \(5.5 %\)", text)
    assert "5.5 % positives ('yes': 11 of 200 rows)" in text
    assert "losscli recommend loans.csv --target default" in text
    assert max(map(len, text.splitlines())) <= 80


def test_inspect_without_a_target_suggests_one(capsys: Captured) -> None:
    text = out_of(capsys, "inspect", "loans.csv")
    suggested = text[text.index("might be the target") :].splitlines()[1]
    assert suggested.split()[0] == "default"
    assert "· target" not in text


def test_shares_are_of_the_rows_that_have_a_value(capsys: Captured) -> None:
    rows = [f"{f'l{index % 20}' if index < 60 else ''},{index % 2}" for index in range(80)]
    Path("levels.csv").write_text("\n".join(["cat,y", *rows]) + "\n")
    text = out_of(capsys, "inspect", "levels.csv", "--target", "y")
    assert "l0 5.0 %, l1 5.0 %, l10 5.0 % ..." in text  # 3 of the 60 rows that have one
    assert "shares are of the rows that have a value" in text
    found = json.loads(out_of(capsys, "inspect", "levels.csv", "--target", "y", "--format", "json"))
    assert found["columns"][0]["present"] == 60


def test_a_column_that_tells_the_target_is_warned_of_and_nothing_is_said_without_it(capsys: Captured) -> None:
    rows = [f"{index // 3},{'no' if index % 3 else 'yes'},{int(index % 3 == 0)}" for index in range(90)]
    Path("leak.csv").write_text("\n".join(["x,alive,y", *rows]) + "\n")
    for command in ("inspect", "recommend"):
        text = " ".join(out_of(capsys, command, "leak.csv", "--target", "y").split())
        assert "'alive' tells the target 'y' exactly" in text
        assert "must be wrong" not in text
        text = " ".join(out_of(capsys, command, "leak.csv", "--target", "y", "--drop", "alive").split())
        assert "tells the target" not in text
        assert "33 % of all rows must be wrong" in text
        assert "leak.csv --target y --drop alive" in text  # the next command


def test_numbers_are_written_in_full_and_truth_in_one_way(capsys: Captured) -> None:
    rows = [f"{index * 55 + 30},{'YN'[index % 3 == 0]},{index * 250.5},k,{index % 2}" for index in range(40)]
    Path("n.csv").write_text("\n".join(["zip,yes,amount,one,y", *rows]) + "\n")
    text = out_of(capsys, "inspect", "n.csv", "--target", "y", "--set", "data.types.yes=boolean")
    assert "30 to 2175, median 1102.5" in text
    assert "true 65 %, false 35 %" in text
    assert "e+0" not in text
    assert "one text only: one" in text


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_width_cuts_a_head_or_parts_a_number_from_its_sign(
    width: int, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    rows = [f"{['Southampton', 'Cherbourg', ''][index % 3]},{index % 2}" for index in range(60)]
    Path("w.csv").write_text("\n".join(["embark_town,y", *rows]) + "\n")
    lines = out_of(capsys, "inspect", "w.csv", "--target", "y").splitlines()[:-1]
    assert max(map(len, lines)) <= width
    assert not any("…" in line or line.strip().startswith("%") for line in lines)
    assert any("50 %" in line for line in lines)


def test_names_of_rows_and_coordinates_are_no_targets(capsys: Captured) -> None:
    rows = [f"{index * 3 % 50},{index % 17},{index * 7 % 13},car {index}" for index in range(60)]
    Path("cars.csv").write_text("\n".join(["price,y,z,name", *rows]) + "\n")
    found = json.loads(out_of(capsys, "inspect", "cars.csv", "--format", "json"))
    suggested = [each["columns"][0] for each in found["suggestions"]]
    assert suggested[0] == "price"
    assert "name" not in suggested


def test_inspect_as_json(capsys: Captured) -> None:
    found = json.loads(out_of(capsys, "inspect", "loans.csv", "--target", "rate", "--format", "json"))
    assert found["rows"] == 200
    assert found["target"]["task"] == "regression"
    assert found["target"]["numbers"][0]["high"] == 1.0
    assert {each["name"]: each["role"] for each in found["columns"]}["rate"] == "target"
    assert found["columns"][1]["levels"] == [{"level": "a", "rows": 100}, {"level": "b", "rows": 100}]
    # amount, letter and default repeat every 7, 2 and 19 rows: 200 rows of 266 differ.
    assert found["duplicate_rows"] == 200 - len({(i % 7, i % 2, i % 3, i % 19 == 0) for i in range(200)})


def test_inspect_in_ascii(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    text = out_of(capsys, "inspect", "loans.csv", "--target", "default")
    assert text.isascii()
    assert "no  ####" in text
    assert "\\u" not in text


def test_a_wide_table_is_cut_unless_all_is_wanted(capsys: Captured) -> None:
    names = [f"c{index}" for index in range(40)]
    Path("wide.csv").write_text(
        "\n".join([",".join(names), *(",".join([str(row % 9)] * 40) for row in range(50))]) + "\n"
    )
    assert "and 16 more columns: --all" in out_of(capsys, "inspect", "wide.csv", "--target", "c0")
    text = out_of(capsys, "inspect", "wide.csv", "--target", "c0", "--all")
    assert re.search(r"^c39 ", text, re.M)


def test_recommend_gives_reasons_and_sources(capsys: Captured) -> None:
    text = out_of(capsys, "recommend", "loans.csv", "--target", "default")
    assert text.index("bce-logits") < text.index("focal")
    assert "5.5 % positives" in text
    assert "Lin et al. 2017" in text
    assert "judged by auprc, auroc, f1-tuned, log-loss" in text
    asked = out_of(capsys, "recommend", "loans.csv", "--target", "default", "--metric", "accuracy")
    assert "judged by accuracy\n" in asked or "judged by accuracy ·" in asked
    found = json.loads(out_of(capsys, "recommend", "loans.csv", "--target", "default", "--format", "json"))
    assert found["reference"] == "bce-logits"
    assert {"loss": "focal", "options": {}}.items() <= next(
        each for each in found["losses"] if each["loss"] == "focal"
    ).items()


def test_recommend_writes_a_spec_once(capsys: Captured) -> None:
    asked = ("recommend", "loans.csv", "--target", "default", "--write", "loans.yaml")
    out_of(capsys, *asked)
    before = Path("loans.yaml").read_text()
    assert before.startswith("# yaml-language-server: $schema=losscli.schema.json")
    assert json.loads(Path("losscli.schema.json").read_text())["type"] == "object"
    assert run(list(asked)) == 2
    assert "--force" in capsys.readouterr().err
    assert Path("loans.yaml").read_text() == before
    out_of(capsys, *asked, "--force")
    assert "ok" in out_of(capsys, "validate", "loans.yaml", "--data")


def test_recommend_runs_what_it_names(capsys: Captured) -> None:
    asked = (
        "recommend",
        "loans.csv",
        "--target",
        "default",
        "--run",
        "--smoke",
        "--no-record",
        "--format",
        "json",
        "-q",
    )
    (arena,) = json.loads(out_of(capsys, *asked))["arenas"]
    assert arena["reference"] == "bce-logits"
    assert {"focal", "bce-logits pos_weight=balanced"} <= {each["entry"] for each in arena["entries"]}


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_init_of_a_task(task: str, capsys: Captured) -> None:
    out_of(capsys, "init", task, "--to", f"{task}.yaml")
    assert f"ok    {task}.yaml · {task} · 1 entry x 5 seeds" in out_of(capsys, "validate", f"{task}.yaml")


def test_init_to_stdout_writes_nothing(capsys: Captured) -> None:
    before = set(Path().iterdir())
    assert "task: binary" in out_of(capsys, "init", "loans.csv", "--target", "default", "--to", "-")
    assert set(Path().iterdir()) == before


def test_init_never_overwrites_and_knows_no_folder(capsys: Captured) -> None:
    Path("spec.yaml").write_text("mine")
    assert run(["init", "binary"]) == 2
    assert Path("spec.yaml").read_text() == "mine"
    assert run(["init", "binary", "--to", "nowhere/spec.yaml"]) == 2
    assert run(["init", "ternary"]) == 2
    capsys.readouterr()


def test_schema_is_one_object(capsys: Captured) -> None:
    printed = out_of(capsys, "schema")
    assert "2020-12" in json.loads(printed)["$schema"]
    out_of(capsys, "schema", "--write", "s.json")
    assert Path("s.json").read_text() == printed


def test_validate_tells_specs_from_data(capsys: Captured) -> None:
    Path("good.yaml").write_text("task: binary\n")
    Path("data.yaml").write_text("task: binary\ndata: {source: csv, path: loans.csv, target: amount}\n")
    Path("bad.yaml").write_text("task: binary\ntrain: {lr: -1}\nloss: focl\n")
    assert "ok    good.yaml" in out_of(capsys, "validate", "good.yaml", "data.yaml")
    out_of(capsys, "validate", "good.yaml", "data.yaml", "--data", code=3)
    text = out_of(capsys, "validate", "*.yaml", "--data", code=2)
    assert "wrong bad.yaml · 2 problems" in text
    assert "bad.yaml:2:13: train.lr" in text
    assert "did you mean focal" in text
    found = json.loads(out_of(capsys, "validate", "bad.yaml", "good.yaml", "--format", "json", code=2))
    assert [each["ok"] for each in found["specs"]] == [False, True]
    assert [each["line"] for each in found["specs"][0]["problems"]] == [2, 3]
    lines = out_of(capsys, "validate", "*.yaml", "--format", "github", code=2).splitlines()
    assert [line.partition("::train")[0].partition("::there")[0] for line in lines] == [
        "::error file=bad.yaml,line=2,col=13",
        "::error file=bad.yaml,line=3,col=7",
    ]


def test_validate_judges_the_others_where_a_pattern_names_none(capsys: Captured) -> None:
    Path("good.yaml").write_text("task: binary\n")
    found = json.loads(out_of(capsys, "validate", "no*.yml", "good.yaml", "--format", "json", code=2))
    assert [(each["file"], each["ok"]) for each in found["specs"]] == [("no*.yml", False), ("good.yaml", True)]


def test_validate_takes_data_with_several_levels_of_damage(capsys: Captured) -> None:
    Path("levels.yaml").write_text(
        "task: binary\ndata: {source: csv, path: loans.csv, target: default, corrupt: {labels: [0, 0.2]}}\n"
    )
    text = " ".join(out_of(capsys, "validate", "levels.yaml", "--data").split())
    assert "140 train, 30 valid, 30 test rows, at each of 2 levels" in text


def test_no_text_can_end_an_annotation_or_begin_another() -> None:
    wrong = Problem("50 %\n::error::x", Place("a,b:c.yaml", 3, 1), "try\rthis")
    assert list(workflow_lines(Validation("a,b:c.yaml", problems=[wrong]))) == [
        "::error file=a%2Cb%3Ac.yaml,line=3,col=1::50 %25%0A::error::x (try: try%0Dthis)"
    ]


def test_bars_are_as_long_as_their_numbers() -> None:
    assert lying(2.5, some=True) == "██▌"
    assert lying(0.0, some=True) == "▏"
    assert lying(0.0, some=False) == ""
    tall = [standing(HEIGHT * 0.5 - line, some=line == 0) for line in range(HEIGHT)]
    assert "".join(tall) == "███▄   "
    assert fitted([1, 2, 3, 4, 5], 2) == [6, 9]


def test_a_table_is_described_whose_header_is_not_its_first_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blank lines come first, and a name goes over two lines."""
    (tmp_path / "t.csv").write_text(
        "\n\n" + '"a\nb",x,y\n' + "".join(f"{row},{row % 7},{row % 2}\n" for row in range(30))
    )
    assert run(["inspect", str(tmp_path / "t.csv"), "--format", "json"]) == 0
    assert {column["name"] for column in json.loads(capsys.readouterr().out)["columns"]} == {"a\nb", "x", "y"}


@pytest.mark.parametrize(("flags", "shown"), [([], True), (["--no-yardstick"], False)])
def test_what_is_recommended_runs_beside_yardsticks(
    flags: list[str], shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    from losscli.cli import app

    table = str(Path(__file__).parents[2] / "configs" / "data" / "loans.csv")
    line = ["recommend", table, "--target", "default", "--run", "--smoke", "--no-record", "-q", "--format", "json"]
    assert app.run([*line, *flags]) == 0
    (arena,) = json.loads(capsys.readouterr().out)["arenas"]
    names = [one["yardstick"] for one in arena.get("yardsticks", ())]
    assert names == (["logistic regression", "boosted trees"] if shown else [])


@pytest.mark.parametrize("width", [40, 60, 66, 80, 120])
def test_no_word_of_a_column_is_cut(
    width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    rows = ["Torgersen,Adelie,", "Dreamland,Chinstrap,"] * 20
    table = tmp_path / "penguins.csv"
    cells = [f"{row}{n if n else ''}\n" for n, row in enumerate(rows)]
    table.write_text("island,species,flipper_length_in_millimetres\n" + "".join(cells))
    monkeypatch.setenv("COLUMNS", str(width))
    assert run(["inspect", str(table), "--target", "species"]) == 0
    text = capsys.readouterr().out
    words = text.split()
    assert words.count("Torgersen") == 1
    assert words.count("Chinstrap") >= 2
    assert all(len(line) <= width for line in text.splitlines() if "penguins.csv" not in line)
