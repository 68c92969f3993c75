"""Numbers at the ends of what a double can hold: nothing overflows on the way, and nothing becomes 0 without a word."""

import json
from pathlib import Path

import numpy as np
import pytest

from losscli.advice.numbers import numbers
from losscli.cli.app import run
from losscli.data.sources import sources
from losscli.errors import DataError


@pytest.mark.parametrize("power", [160, 300, 307, -160, -300])
def test_the_shape_of_far_numbers_is_that_of_near_ones(power: int) -> None:
    near = np.array([-3.0, 1.0, 1.5, 2.0, 9.0])
    shape, far = numbers(near), numbers(near * 10.0**power)
    assert shape is not None
    assert far is not None
    for name in ("quarter", "median", "mean", "sd", "high"):
        assert getattr(far, name) / 10.0**power == pytest.approx(getattr(shape, name), rel=1e-12)
    assert far.skewness == pytest.approx(shape.skewness, rel=1e-9)
    assert far.outliers == shape.outliers


def test_both_ends_of_the_doubles() -> None:
    shape = numbers(np.array([-1.7e308, 1.7e308] * 5))
    assert shape is not None
    assert (shape.mean, shape.sd, shape.median) == (0.0, 1.7e308, 0.0)


@pytest.mark.parametrize("cell", ["{}e160", "-{}e300", "{}e307"])
def test_features_of_any_size_are_inspected(tmp_path: Path, capfd, cell: str) -> None:
    rows = [f"{cell.format(at % 9 + 0.5)},{at % 3},{at % 2}" for at in range(60)]
    (tmp_path / "far.csv").write_text("a,b,y\n" + "\n".join(rows) + "\n")
    assert run(["inspect", str(tmp_path / "far.csv"), "--target", "y", "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)


VANISHING = ["1e-400", "-2.5E-0400", "0." + "0" * 330 + "1", "1e-99999999999999999999"]
BOTH = [f"0.{'0' * zeros}1e-{330 - zeros}" for zeros in (5, 100, 150, 165, 200, 250, 300)]  # 1e-331


@pytest.mark.parametrize("cell", VANISHING + BOTH)
@pytest.mark.parametrize("row", [1, 59])
def test_a_number_that_would_become_0_is_refused_with_its_place(tmp_path: Path, cell: str, row: int) -> None:
    rows = [f"{cell if at == row else at},{at % 2}" for at in range(60)]
    (tmp_path / "t.csv").write_text("a,y\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match="closer to 0") as refused:
        sources.get("csv")(path="t.csv", target="y").read(tmp_path)
    assert (refused.value.problems[0].place.line, refused.value.problems[0].place.column) == (row + 2, 1)


def test_what_is_0_or_has_a_place_is_read(tmp_path: Path) -> None:
    cells = ["0e-400", "-0.0", "0." + "0" * 330, "1e-300", "5e-324", "2.5e-310"]
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{cell},{at % 2}\n" for at, cell in enumerate(cells)))
    values = sources.get("csv")(path="t.csv", target="y").read(tmp_path).features["a"].values
    assert values.tolist() == [0.0, -0.0, 0.0, 1e-300, 5e-324, 2.5e-310]


def test_a_batch_larger_than_the_data_is_the_full_batch_with_a_warning(tmp_path: Path, capfd) -> None:
    flags = ["--task", "binary", "--loss", "bce", "--smoke", "--out", str(tmp_path), "--batch-size", "1000000000", "-v"]
    assert run(["train", *flags]) == 0
    said = " ".join("".join(capfd.readouterr()).split())
    assert "train.batch_size 1000000000 is more than the 700 training rows: each step takes all of them" in said


def test_numbers_beyond_what_decimals_count_are_texts(tmp_path: Path) -> None:
    rows = [f"{('1e99999999999999999999', '1e-99999999999999999999', '2')[at % 3]},{at % 2}" for at in range(60)]
    (tmp_path / "t.csv").write_text("a,y\n" + "\n".join(rows) + "\n")
    table = sources.get("csv")(path="t.csv", target="y", types={"a": "category"}).read(tmp_path)
    assert set(table.features["a"].levels or ()) == {"1e99999999999999999999", "1e-99999999999999999999", "2"}


def test_a_heading_may_have_any_number_of_digits(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("1" * 5000 + ",2,y\n" + "".join(f"{at},{at % 3},{at % 2}\n" for at in range(60)))
    with pytest.raises(DataError, match="the header looks like data"):
        sources.get("csv")(path="t.csv", target="y").read(tmp_path)
