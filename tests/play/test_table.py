"""Which tables become a page, and what is said of those that do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from losscli.cli.app import run
from losscli.errors import UserError
from losscli.pages.document import MARK
from losscli.play.page import scene_of
from losscli.play.scenes import LEVELS, LOSSES, scenes
from losscli.play.table import MOST

Captured = pytest.CaptureFixture[str]
Write = Callable[..., str]
ROWS = 400


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A table of columns of numbers and texts, by their names, in the folder one stands in."""
    monkeypatch.chdir(tmp_path)

    def write(**columns: object) -> str:
        lines = zip(*(np.asarray(values).tolist() for values in columns.values()), strict=True)
        text = "\n".join([",".join(columns), *(",".join(map(str, line)) for line in lines)])
        (tmp_path / "table.csv").write_text(text + "\n")
        return "table.csv"

    return write


def numbers(seed: int, rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=rows).round(4)


def kinds(count: int, rows: int = ROWS) -> list[str]:
    return [f"k{row % count}" for row in range(rows)]


def test_the_first_two_columns_of_numbers_and_a_target_that_is_announced(write: Write) -> None:
    table = write(name=kinds(9), flat=[1.5] * ROWS, b=numbers(0), c=numbers(1), d=numbers(2), kind=kinds(3))
    scene, noticed = scene_of(table)
    assert list(scene.table.features) == ["b", "c"]
    assert list(scene.table.targets) == ["kind"]
    assert scene.table.rows == MOST
    assert [sentence.split(":")[0] for sentence in noticed] == [
        "no --target is given",
        "no --x and --y are given",
        "300 of 400 rows, chosen at random, are shown",
    ]


def test_columns_are_chosen_and_rows_with_holes_are_left_out(write: Write) -> None:
    holes = [("" if row % 4 == 0 else value) for row, value in enumerate(numbers(1))]
    table = write(a=numbers(0), b=holes, c=numbers(2), kind=kinds(2))
    scene, noticed = scene_of(table, target="kind", x="c", y="b")
    assert list(scene.table.features) == ["c", "b"]
    assert scene.table.rows == 300
    assert not noticed
    (again, _), (only, _) = scene_of(table, target="kind", x="b"), scene_of(table, target="kind", y="a")
    assert list(again.table.features) == ["b", "a"]
    assert list(only.table.features) == ["b", "a"]


@pytest.mark.parametrize(
    ("columns", "flags", "message", "cure"),
    [
        ({"a": numbers(0), "b": numbers(1), "y": numbers(2)}, {}, "shows classes", "--target"),
        ({"a": numbers(0), "y": kinds(2)}, {}, "only 'a'", "two columns"),
        ({"a": kinds(3), "b": kinds(5), "y": kinds(2)}, {}, "has none", "two columns"),
        ({"a": numbers(0), "b": [2.0] * ROWS, "y": kinds(2)}, {}, "only 'a'", "two columns"),
        ({"a": numbers(0), "b": numbers(1), "y": kinds(8)}, {}, "has 8", "--target"),
        ({"a": numbers(0), "b": numbers(1), "y": kinds(2)}, {"x": "c"}, "'c' is no column", "a, b"),
        ({"a": numbers(0), "b": numbers(1), "y": kinds(2)}, {"y": "y"}, "no column of numbers", "a, b"),
        ({"a": numbers(0), "b": numbers(1), "y": kinds(2)}, {"x": "a", "y": "a"}, "are both 'a'", "two columns"),
        ({"a": numbers(0)[:20], "b": numbers(1)[:20], "y": kinds(2, 20)}, {}, "20 rows", "larger table"),
    ],
    ids=str,
)
def test_what_cannot_be_a_page_is_refused_kindly(
    write: Write, columns: dict[str, object], flags: dict[str, str], message: str, cure: str
) -> None:
    with pytest.raises(UserError) as refused:
        scene_of(write(**columns), target="y", **flags)
    (problem,) = refused.value.problems
    assert message in problem.message
    assert cure in (problem.cure or "")


def test_a_name_that_is_nothing_and_columns_of_what_is_drawn(write: Write) -> None:
    for name, message in (("mooons", "did you mean moons?"), ("none.csv", "there are: moons")):
        with pytest.raises(UserError) as refused:
            scene_of(name)
        assert message in (refused.value.problems[0].cure or "")
    with pytest.raises(UserError, match="are for a table"):
        scene_of("moons", x="a")


@pytest.mark.parametrize("name", scenes.names())
def test_what_is_drawn_has_rows_in_the_plane(name: str) -> None:
    scene, noticed = scene_of(name)
    table = scene.spec.data.read(Path())
    assert (len(table.features), table.rows, noticed) == (2, MOST, [])
    assert len(scene.losses) * len(scene.damages) == len(LOSSES) * 12
    assert set(scene.levels) == set(LEVELS)


def test_a_page_of_a_table_with_as_many_classes_as_may_be(
    write: Write, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The largest page there can be is under 1.5 MB, and foreign text is no markup in it."""
    angle = np.arange(ROWS) % 7
    across, up = 3 * np.cos(angle) + numbers(0), 3 * np.sin(angle) + numbers(1)
    labels = [f"<b>{kind}</b>" for kind in kinds(7)]
    table = write(**{"<i>x": across.round(3), "y": up.round(3), "kind": labels})
    assert run(["play", table, "--target", "kind", "--to", "mine.html"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "mine.html\n"
    text = (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert MARK in text[:4096]
    assert len(text.encode()) < 1_500_000
    assert "<b>k" not in text
    assert "<i>x" not in text
    (tmp_path / "other.html").write_text("<p>mine</p>")
    assert run(["play", table, "--to", "other.html"]) == 2
    assert "--force" in capsys.readouterr().err
