"""`losscli losses` and `losscli explain` as a user calls them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from losscli.cli.app import run
from losscli.reports.catalogue import html_of

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LANG", "C.UTF-8")
    for name in ("LC_ALL", "LC_CTYPE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_the_table_and_its_json(capsys: Captured) -> None:
    assert run(["losses", "--task", "binary", "--tag", "proper"]) == 0
    text = capsys.readouterr().out
    assert "bce-logits" in text
    assert "hinge" not in text
    assert run(["losses", "--task", "binary", "--tag", "proper", "--format", "json"]) == 0
    found = {line["name"]: line for line in json.loads(capsys.readouterr().out)["losses"]}
    assert found["brier"]["properness"] == "strictly proper"
    assert all("proper" in line["tags"] for line in found.values())


def test_a_search_without_result(capsys: Captured) -> None:
    assert run(["losses", "--search", "no such thing at all"]) == 0
    assert "no loss matches" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["losses", "--tag", "robst"], ["explain", "focl"], ["explain", "focal", "--set", "x"]]
)
def test_wrong_words_end_with_2_and_a_cure(arguments: list[str], capsys: Captured) -> None:
    assert run(arguments) == 2
    assert "try:" in capsys.readouterr().err


def test_one_page_holds_everything(capsys: Captured) -> None:
    assert run(["explain", "focal", "--set", "gamma=0,2"]) == 0
    text = capsys.readouterr().out
    for words in (
        "focal · binary (also multilabel)",
        "--task multiclass",
        "loss against the margin s x",
        "slope against the margin s x",
        "focal gamma=0: strictly proper",
        "focal gamma=2: classification-calibrated",
        "number >= 0",
        "arxiv.org/abs/1708.02002",
    ):
        assert words in text, words


def test_several_losses_beside_each_other_as_json(capsys: Captured) -> None:
    assert run(["explain", "bce-logits", "hinge", "--format", "json"]) == 0
    pages = json.loads(capsys.readouterr().out)["pages"]
    assert [page["readings"][0]["verdict"] for page in pages] == ["strictly proper", "classification-calibrated"]
    assert all(len(page["curves"][0]["at"]) == len(page["curves"][0]["slope"]) > 100 for page in pages)


class Seen(HTMLParser):
    """Which elements a document has, and what would be loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.meta: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href") and value != "#main"]
        if tag == "meta" and given.get("http-equiv"):
            self.meta[given["http-equiv"] or ""] = given["content"] or ""


def test_the_html_page_is_whole_alone(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "page.html"
    assert run(["explain", "focal", "hinge", "--html", str(path)]) == 0
    capsys.readouterr()
    seen = Seen()
    seen.feed(path.read_text(encoding="utf-8"))
    assert seen.loaded == []
    assert seen.tags.count("script") == 7
    assert seen.tags.count("article") == 2
    policy = seen.meta["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["connect-src"] == "'none'"
    assert re.fullmatch(
        r"('sha256-[\w+/=]{44}' ?){6}", rules["script-src"]
    )  # the frame, controls, charts, regions, the page's own, Plotly
    assert list(tmp_path.iterdir()) == [path]


def test_foreign_text_is_text_in_the_html_page(capsys: Captured) -> None:
    assert run(["explain", "mse", "--format", "json"]) == 0
    (page,) = json.loads(capsys.readouterr().out)["pages"]
    evil = "</script><img src=x onerror=alert(1)>"
    page |= {"name": evil, "summary": evil, "use": evil, "aliases": [evil], "elsewhere": {evil: evil}}
    page["curves"][0]["name"] = evil
    document = html_of([page], [])
    assert evil not in document
    seen = Seen()
    seen.feed(document)
    assert "img" not in seen.tags
    assert seen.loaded == []


def test_a_loss_of_ones_own_is_explained(capsys: Captured, tmp_path: Path) -> None:
    file = tmp_path / "my_loss.py"
    file.write_text("def squared(prediction, target):\n    return (prediction.sigmoid() - target) ** 2\n")
    assert run(["explain", f"{file}:squared"]) == 2
    assert "--task" in capsys.readouterr().err
    assert run(["explain", f"{file}:squared", "--task", "binary"]) == 0
    out = capsys.readouterr().out
    assert "my_loss.squared" in out
    assert "strictly proper" in out
