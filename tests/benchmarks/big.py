"""A large CSV from its file to a trained model: how much memory that takes, and how long each stage is.

Run:  python tests/benchmarks/big.py [--rows 1000000] [--columns 32] [--rounds 3]

One loss, one seed, one epoch. The peak of the whole process is told, and what it is above that of the imports alone, beside
what issue 4 allows: 3.5 times the float32 matrix and 0.5 GB. Every round runs in a new process, beside one of
`pandas.read_csv` on the same file; without pandas, only losscli is measured. Nothing here fails on time.
"""

from __future__ import annotations

from loading import PANDAS, measure

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


if __name__ == "__main__":
    measure(__doc__, {"losscli": WHOLE, "pandas.read_csv": PANDAS}, ("load", "train", "wall"), "the whole process")
