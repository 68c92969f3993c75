"""`losscli lint`, `rules` and `explain CODE`: what is shown, in which form, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from losscli.cli.app import run
from losscli.rules import PRELUDE, in_order

TEXT = (
    PRELUDE
    + "net = nn.Linear(4, 3)\np = net(x).softmax(1)\nloss = F.cross_entropy(p, y)\n"
    + "loss2 = F.cross_entropy(net(x).log_softmax(1), y)\nloss3 = F.nll_loss(p, y)  # noqa: LC004\n"
)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "train.py"
    path.write_text(TEXT)
    return path


def output(capsys: pytest.CaptureFixture[str], *words: str, code: int = 1) -> str:
    assert run(["lint", *words]) == code
    captured = capsys.readouterr()
    assert "report it" not in captured.err
    return captured.out


def test_text_in_the_manner_of_ruff(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "train.py").splitlines()
    assert lines[0] == "train.py:6:8: LC001 a softmax stands before a loss that takes raw scores"
    assert lines[1] == "    line 5: the softmax is applied here"
    assert lines[2].startswith("    try: pass the logits")
    assert lines[3] == "Found 1 problem in 1 file; losscli explain CODE shows a rule."


def test_the_one_object_for_programs(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(output(capsys, "train.py", "--format", "json"))
    [finding] = report.pop("findings")
    assert report == {"schema_version": 1, "files": 1}
    assert list(finding) == ["code", "rule", "severity", "file", "line", "column", "message", "cure", "related"]
    assert (finding["code"], finding["rule"]) == ("LC001", "softmax-before-cross-entropy")
    assert (finding["severity"], finding["file"], finding["line"], finding["column"]) == ("error", "train.py", 6, 8)
    assert finding["related"] == [{"file": "train.py", "line": 5, "message": "the softmax is applied here"}]


def codes(capsys: pytest.CaptureFixture[str], *words: str, code: int = 1) -> list[str]:
    report = json.loads(output(capsys, "train.py", "--format", "json", *words, code=code))
    return [finding["code"] for finding in report["findings"]]


def test_rules_are_chosen_by_code_name_and_beginning(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert codes(capsys) == ["LC001"]
    assert codes(capsys, "--all") == ["LC001", "LC013"]
    assert codes(capsys, "--select", "LC013") == ["LC013"]
    assert codes(capsys, "--select", "LC00,log-softmax-before-cross-entropy") == ["LC001", "LC013"]
    assert codes(capsys, "--ignore", "softmax-before-cross-entropy", code=0) == []
    assert codes(capsys, "--all", "--ignore", "LC001") == ["LC013"]
    assert run(["lint", "train.py", "--select", "LC9"]) == 2
    assert "there is no rule 'LC9'" in capsys.readouterr().err
    assert run(["lint", "gone.py"]) == 2
    assert run(["lint", "train.py", "--format", "xml"]) == 2


def test_the_project_file_speaks_and_flags_speak_last(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (script.parent / "pyproject.toml").write_text('[tool.losscli.lint]\nselect = ["LC013"]\n')
    assert codes(capsys) == ["LC013"]
    assert codes(capsys, "--select", "LC001") == ["LC001"]
    (script.parent / "pyproject.toml").write_text('[tool.losscli.lint]\nexclude = ["tra*.py"]\n')
    assert codes(capsys, code=0) == []
    for wrong, words in (
        ('selct = ["LC001"]', "did you mean select"),
        ('select = "LC001"', "must be a list of texts"),
        ('ignore = ["LC999"]', "there is no rule"),
        ("select = [", "cannot be read"),
    ):
        (script.parent / "pyproject.toml").write_text(f"[tool.losscli.lint]\n{wrong}\n")
        assert run(["lint", "train.py"]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("comment", "number"), [("noqa", 0), ("noqa: LC001", 0), ("NOQA: E501, LC001", 0), ("noqa: LC002", 1)]
)
def test_a_comment_silences_a_rule(script: Path, capsys: pytest.CaptureFixture[str], comment: str, number: int) -> None:
    script.write_text(PRELUDE + f"loss = F.cross_entropy(\n    z.softmax(1), y\n)  # {comment}\n")
    assert len(codes(capsys, code=number)) == number


def test_annotations_for_github(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = output(capsys, "train.py", "--format", "github")
    assert line.startswith("::error file=train.py,line=6,col=8,title=LC001 softmax-before-cross-entropy::a softmax")
    assert line.count("\n") == 1


def test_sarif(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By hand against section 3 of the standard: what a reader such as GitHub needs."""
    (script.parent / "old.py").write_text("print 'loss'\n")
    log = json.loads(output(capsys, "train.py", "old.py", "--all", "--format", "sarif"))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    [work] = log["runs"]
    rules = work["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.code for rule in in_order()]
    for result in work["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "train.py"
        assert place["region"]["startLine"] >= 1
        assert result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] >= 1
    [note] = work["invocations"][0]["toolExecutionNotifications"]
    assert "cannot be parsed" in note["message"]["text"]


def test_a_fingerprint_stays_when_lines_move(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def marks() -> list[str]:
        log = json.loads(output(capsys, "train.py", "--all", "--format", "sarif"))
        return [result["partialFingerprints"]["losscliFinding/v1"] for result in log["runs"][0]["results"]]

    before = marks()
    assert len(set(before)) == 2
    script.write_text("# a line more\n\n" + TEXT)
    assert marks() == before
    script.write_text(
        TEXT + "print(loss)\nloss = F.cross_entropy(p, y)\n"
    )  # the same line once more is another finding
    assert marks()[:1] == before[:1]
    assert len(set(marks())) == 3


def test_statistics(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script.write_text(TEXT + "loss4 = F.cross_entropy(p, y)\n")
    lines = output(capsys, "train.py", "--statistics").splitlines()
    assert lines[0].split() == ["2", "LC001", "softmax-before-cross-entropy"]


def test_a_file_that_cannot_be_parsed_is_a_note(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (script.parent / "old.py").write_text("x = 1\nprint 'loss'\n")
    assert run(["lint", "old.py"]) == 0
    captured = capsys.readouterr()
    assert "old.py:2 cannot be parsed" in captured.err
    assert captured.out == "Nothing was looked at: no script or notebook; 1 was left out.\n"


def test_rules_and_their_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)["rules"]
    assert [rule["code"] for rule in listed] == [rule.code for rule in in_order()]
    assert run(["explain", "LC001", "--no-cost"]) == 0
    assert run(["explain", "LC001", "--torch"]) == 2
    page = capsys.readouterr().out
    assert "why it hurts" in page
    assert "nn.Softmax(dim=1)" in page
    assert "# <-" not in page
    assert run(["explain", "kldiv-mean", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rules"][0]["code"] == "LC010"
    assert run(["explain", "lc001", "--no-cost"]) == 0
    assert capsys.readouterr().out == page
    assert run(["explain", "LC999"]) == 2
    assert "no rule called 'LC999'" in capsys.readouterr().err
    assert run(["rules"]) == 0
    assert "LC038" in capsys.readouterr().out
