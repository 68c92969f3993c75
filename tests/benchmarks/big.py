"""A large CSV from its file to a trained model: how much memory that takes, and how long each stage is.

Run:  python tests/benchmarks/big.py [--rows 1000000] [--columns 32] [--rounds 3]

One loss, one seed, one epoch. The peak of the whole process is told, and what it is above that of the imports alone, beside
what issue 4 allows: 3.5 times the float32 matrix and 0.5 GB. Every round runs in a new process, beside one of
`pandas.read_csv` on the same file; without pandas, only losscli is measured. Nothing here fails on time.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from loading import PANDAS, timed, write
from rich.console import Console
from rich.table import Table

SPEC = "{task: regression, data: {source: csv, path: big.csv, target: y}, loss: mse, train: {epochs: 1}, seeds: 1}"
WHOLE = {
    "imports": """
import torch, pyarrow.csv, scipy.stats, sklearn
from pathlib import Path
from losscli import pipeline
from losscli.spec.load import load_spec
spec = load_spec(Path(sys.argv[1]).with_name("spec.yaml"))""",
    "read": "pipeline.run([spec], out=None)",
    "then": "extra = {name: table.timing[f'{name}_seconds'] for name in ('load', 'train')}",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
        rounds = [(timed(WHOLE, path), timed(PANDAS, path)) for _ in range(asked.rounds)]
    shown = Table("program", "load s", "train s", "whole s", "peak MB", "above imports")
    for name, runs in zip(("losscli", "pandas.read_csv"), zip(*rounds, strict=True), strict=True):
        known = [run for run in runs if run is not None]
        if not known:
            console.print(f"{name} is not there to be measured")
            continue
        middle = {key: float(np.median([run[key] for run in known])) for key in known[0]}
        stages = [f"{middle[key]:.2f}" if key in middle else "" for key in ("load", "train", "wall")]
        shown.add_row(name, *stages, f"{middle['peak']:.0f}", f"{middle['peak'] - middle['before']:.0f}")
    console.print(shown)
    matrix = asked.rows * asked.columns * 4 / 1e6
    console.print(f"allowed for the whole process: 3.5 x {matrix:.0f} MB + 500 MB = {3.5 * matrix + 500:.0f} MB")


if __name__ == "__main__":
    main()
