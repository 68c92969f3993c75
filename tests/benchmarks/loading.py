"""How fast a large CSV is loaded beside `pandas.read_csv`, and how much memory loading and encoding take.

Run:  python tests/benchmarks/loading.py [--rows 1000000] [--columns 32] [--rounds 3]

The file has a quarter of whole numbers and three quarters of numbers with six decimals. Every round reads it in a new process
each, in turn; the medians of the wall and processor times are told. Without pandas, only losscli is measured. The memory is
the process's peak above that of `import torch`, beside what issue 4 allows: 3.5 times the float32 matrix and 0.5 GB.
Nothing here fails on time.

Why it is not within 1.2 times of pandas. 1,000,000 x 32, two cores: losscli 1.80 s, pandas 3.1.1 0.95 s, and 1.26 s with the
float32 arrays that training needs, which pandas' frame is not yet. pyarrow's conversion of the fields alone takes 1.2 s of
processor time, whatever its options are (block size, threads, types named or inferred), so that no arrangement around it comes
under pandas' reader. The rest is what pandas does without: the line of every row for places of mistakes, 0x1F, 007 and 1e-400
told apart from numbers, and rows of unequal length told with their lines. Pieces of 4 MB take the processor 2.16 s in place
of 2.5 s, and the peak from 427 to 333 MB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv
from rich.console import Console
from rich.table import Table

TIMED = """
import json, resource, sys, time
{imports}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
wall, cpu = time.perf_counter(), time.process_time()
table = {read}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
extra = {{}}
{then}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({{"wall": wall, "cpu": cpu, "before": before / 1024, "peak": peak / 1024, **extra}}))
"""
SPEC = "{task: regression, data: {source: csv, path: big.csv, target: y}, loss: mse, train: {epochs: 1}, seeds: 1}"
LOSSCLI = {
    "imports": """
from pathlib import Path
import torch, pyarrow.csv
from losscli.data.prepare import prepare
from losscli.data.sources import Split, sources
from losscli.tasks import tasks
source = sources.get("csv")(path=sys.argv[1], target="y")""",
    "read": "source.read(Path('.'))",
    "then": """
task = tasks.get("regression")
dataset = prepare(table, task.decode(table.targets, source.target_options()), task, Split(), 0)""",
}
PANDAS = {"imports": "import pandas", "read": "pandas.read_csv(sys.argv[1])", "then": ""}


def write(path: Path, rows: int, columns: int) -> None:
    """A table of numbers, the last of its columns called y."""
    rng = np.random.default_rng(0)
    names = [*(f"x{index}" for index in range(columns - 1)), "y"]
    values = [
        np.round(rng.normal(size=rows), 6) if index % 4 else rng.integers(0, 1000, rows) for index in range(columns)
    ]
    arrays = [pa.array(column, from_pandas=False) for column in values]
    csv.write_csv(pa.Table.from_arrays(arrays, names), path, csv.WriteOptions(quoting_style="none"))


def timed(program: dict[str, str], path: Path) -> dict[str, float] | None:
    """Wall and processor seconds of one reading in a process of its own, and its memory in MB; None if it cannot run."""
    done = subprocess.run(
        [sys.executable, "-c", TIMED.format(**program), str(path)], capture_output=True, text=True, check=False
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


def measure(description: str | None, programs: Mapping[str, dict[str, str]], stages: Sequence[str], what: str) -> None:
    """Each program in turn, round after round, and the medians of its stages in a table; the bound on memory is for `what`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.csv"
        write(path, asked.rows, asked.columns)
        path.with_name("spec.yaml").write_text(SPEC)
        console.print(f"{asked.rows} rows x {asked.columns} columns, {path.stat().st_size / 1e6:.0f} MB of text")
        rounds = [[timed(program, path) for program in programs.values()] for _ in range(asked.rounds)]
    shown = Table("program", *(f"{stage} s" for stage in stages), "peak MB", "above imports")
    for name, runs in zip(programs, zip(*rounds, strict=True), strict=True):
        known = [run for run in runs if run is not None]
        if not known:
            console.print(f"{name} is not there to be measured")
            continue
        middle = {key: float(np.median([run[key] for run in known])) for key in known[0]}
        seconds = [f"{middle[stage]:.2f}" if stage in middle else "" for stage in stages]
        shown.add_row(name, *seconds, f"{middle['peak']:.0f}", f"{middle['peak'] - middle['before']:.0f}")
    console.print(shown)
    matrix = asked.rows * asked.columns * 4 / 1e6
    console.print(f"allowed for {what}: 3.5 x {matrix:.0f} MB + 500 MB = {3.5 * matrix + 500:.0f} MB")


if __name__ == "__main__":
    measure(__doc__, {"losscli": LOSSCLI, "pandas": PANDAS}, ("wall", "cpu"), "loading and encoding")
