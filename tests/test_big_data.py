"""A table larger than the memory it may take: from its files to a comparison, in bounds, and with the same answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from losscli.pipeline import load, run
from losscli.spec.load import load_spec

CHILD = """
import json, sys
from pathlib import Path
from losscli import pipeline
from losscli.spec.load import load_spec
from losscli.stack.device import CPU, peak_memory
small, spec = (load_spec(Path(path)) for path in sys.argv[1:])
pipeline.run([small], out=None)  # what libraries take the first time they are used
before = peak_memory(CPU)
found = pipeline.run([spec], out=None)
peak = peak_memory(CPU)
codes = [finding.code for finding in found.arenas[0].findings]
print(json.dumps({"bytes": peak - before, "codes": codes}))
"""


def write(folder: Path, parts: int, rows: int, columns: int) -> None:
    """Part files of a table in the order of a number x0, with a category and holes."""
    rng = np.random.default_rng(0)
    (folder / "table").mkdir()
    for part in range(parts):
        values = {f"x{index}": rng.normal(size=rows).astype(np.float32) for index in range(columns)}
        values["x0"] = np.sort(values["x0"]) + part
        yes = values["x0"] + values["x1"] + rng.normal(size=rows) > parts / 2
        values["x1"][rng.random(rows) < 0.1] = np.nan
        table = pa.table(values | {"c": rng.choice(["a", "b", "c"], rows), "y": np.where(yes, "yes", "no")})
        parquet.write_table(table, folder / "table" / f"part-{part}.parquet", compression="none")


def spec_of(folder: Path, memory: str, more: str = "") -> Path:
    path = folder / f"{memory}.yaml"
    path.write_text(
        f"task: binary\ndata: {{source: parquet, path: table, target: y, memory: {memory}{more}}}\n"
        "loss: [bce-logits, hinge]\nseeds: 2\nmodel: {hidden: [16]}\ntrain: {epochs: 1, batch_size: 128, lr: 0.01}\n"
    )
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("parts")
    write(made, parts=3, rows=2000, columns=6)
    return made


def test_a_folder_larger_than_the_limit_trains_from_disk_and_says_so(folder: Path) -> None:
    small, large = (run([load_spec(spec_of(folder, memory))], out=None).arenas[0] for memory in ("100KB", "1GB"))
    said = {finding.code: finding.message for finding in small.findings}
    assert "data.memory is 100 KB" in said["on-disk"]
    assert "384 KB in memory" in said["on-disk"]
    assert "432 KB for 2 seeds" in said["streamed"]  # 9 features of 6000 rows in 4 bytes, twice
    assert not {"on-disk", "streamed"} & {finding.code for finding in large.findings}
    for own, other in zip(small.entries, large.entries, strict=True):
        assert own.scores["test"]["auroc"].values == pytest.approx(other.scores["test"]["auroc"].values, abs=0.02)
        assert own.scores["test"]["auroc"].mean > 0.8


def test_splits_and_encoders_are_those_of_the_table_in_memory(folder: Path) -> None:
    on_disk, held = (load(load_spec(spec_of(folder, memory, ", split: {group: c}"))) for memory in ("100KB", "1GB"))
    assert len(held.datasets) == 2
    for seed, dataset in held.datasets.items():
        own = on_disk.datasets[seed]
        assert own.encoder == dataset.encoder
        for name, part in dataset.parts.items():
            np.testing.assert_array_equal(own.parts[name].index, part.index)
            np.testing.assert_array_equal(own.parts[name].target, part.target)
            assert not isinstance(own.parts[name].features, np.ndarray)
            np.testing.assert_array_equal(own.parts[name].features[:], part.features)


def test_yardsticks_are_left_out_of_what_is_read_from_disk_and_told(folder: Path) -> None:
    spec = load_spec(spec_of(folder, "100KB")).model_copy(update={"yardstick": True})
    (arena,) = run([spec], out=None, smoke=True).arenas
    assert arena.yardsticks == []
    (said,) = (finding.message for finding in arena.findings if finding.code == "yardstick-left-out")
    assert "read from disk" in said


def test_memory_stays_in_bounds(folder: Path, tmp_path: Path) -> None:
    write(tmp_path, parts=4, rows=20_000, columns=100)
    spec = spec_of(tmp_path, "10MB")
    spec.write_text(spec.read_text().replace("[bce-logits, hinge]", "bce-logits").replace("seeds: 2", "seeds: 1"))
    alone = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(spec_of(folder, "1GB")), str(spec)], capture_output=True, text=True, env=alone
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"on-disk", "streamed"} <= set(found["codes"])
    table = 80_000 * 102 * 8
    assert found["bytes"] < 0.5 * table  # in memory, the table and its encoded rows alone are 1.5 times that
