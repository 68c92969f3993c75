"""predictions.parquet: what runs said of their test rows comes back as it was, small, and checked like every other file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.errors import MachineError
from losscli.record import writer
from losscli.record.predictions import RunPredictions
from losscli.record.reader import read_predictions
from losscli.reports.json import to_json
from losscli.tasks.predictions import Predictions

ROWS = np.array([7, 3, 90])
BINARY = Predictions(ROWS, np.float32([[0], [1], [1]]), np.float32([[0.25], [0.5], [1]]), "probabilities")
VALUES = Predictions(
    ROWS, np.float32([[1, 2]] * 3), np.float32([[1.5, 2.5]] * 3), "values", np.float32([[0, 1]] * 3), np.float32([[3, 4]] * 3)
)  # fmt: skip
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, arena_of: Callable[..., Arena], comparison_of: Callable[..., Comparison]) -> Write:
    def make(*told: RunPredictions) -> Path:
        comparison = comparison_of(arena_of({"bce": [0.8]}))
        kept = {"weights": {"0/bce/0/w": np.zeros(2, np.float32)}, "encoders": {}}
        return writer.write(
            tmp_path, "made-up", comparison, **kept, specs=["task: binary\n"], results=to_json, predictions=told
        )

    return make


def test_the_columns_are_those_that_reports_read(write: Write) -> None:
    """Also where nothing was kept: every run diverged."""
    words, numbers = pa.dictionary(pa.int32(), pa.string()), pa.list_(pa.float64())
    wanted = {
        "arena": pa.int32(), "entry": words, "seed": pa.int64(), "row": pa.int64(), "truth": numbers, "prediction": numbers,
        "kind": words, "low": numbers, "high": numbers,
    }  # fmt: skip
    for told in ([(0, "bce", 0, BINARY)], []):
        table = read_predictions(write(*told))
        found = {field.name: field.type for field in table.schema}
        assert {name: str(kind).replace("element", "item") for name, kind in found.items()} == {
            name: str(kind) for name, kind in wanted.items()
        }
        assert table.num_rows == 3 * len(told)


def test_every_row_comes_back_under_its_run(write: Write) -> None:
    rows = read_predictions(
        write((0, "bce", 0, BINARY), (0, "focal [red]gamma=2", 4, BINARY), (1, "gaussian-nll", 0, VALUES))
    ).to_pylist()
    assert [row["entry"] for row in rows] == ["bce"] * 3 + ["focal [red]gamma=2"] * 3 + ["gaussian-nll"] * 3
    assert [row["seed"] for row in rows] == [0] * 3 + [4] * 3 + [0] * 3
    assert [row["row"] for row in rows] == [7, 3, 90] * 3
    assert rows[0] == {
        "arena": 0, "entry": "bce", "seed": 0, "row": 7, "truth": [0.0], "prediction": [0.25], "kind": "probabilities",
        "low": None, "high": None,
    }  # fmt: skip
    assert (rows[8]["truth"], rows[8]["prediction"], rows[8]["kind"]) == ([1.0, 2.0], [1.5, 2.5], "values")
    assert (rows[8]["arena"], rows[8]["low"], rows[8]["high"]) == (1, [0.0, 1.0], [3.0, 4.0])


def test_a_changed_byte_is_refused(write: Write) -> None:
    folder = write((0, "bce", 0, BINARY))
    path = folder / "predictions.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(MachineError, match=r"predictions\.parquet.*checksum"):
        read_predictions(folder)


def test_a_truth_that_many_entries_share_is_kept_once(write: Write) -> None:
    """Twelve entries that judge the same 2,000 rows: bytes are spent on the predictions, 4 each, and little else."""
    chance = np.random.default_rng(0)
    row = chance.permutation(10_000)[:2000]
    truth = chance.integers(0, 2, (2000, 1)).astype(np.float32)
    told = [
        (0, f"entry {n}", 0, Predictions(row, truth, chance.random((2000, 1), np.float32), "probabilities"))
        for n in range(12)
    ]
    assert (write(*told) / "predictions.parquet").stat().st_size < 12 * 2000 * 4 * 2
