"""A few seconds of the fuzzer of records; `python tests/fuzz/records.py --count 10000` goes on for longer."""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from records import NAME, VERSIONS, changed, fuzz


def test_no_changed_record_ends_in_a_traceback() -> None:
    assert list(fuzz(count=20, seed=0, each=2)) == []


def test_the_same_seed_makes_the_same_changes(tmp_path: Path) -> None:
    (whole,) = (VERSIONS / "2").iterdir()
    made = []
    for place in ("a", "b"):
        shutil.copytree(whole, tmp_path / place / NAME)
        made.append(changed(tmp_path / place / NAME, random.Random(7)))
    assert made[0] == made[1] != []
