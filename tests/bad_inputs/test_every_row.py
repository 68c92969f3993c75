"""No row of the bad inputs is without a test that names it: as the id of a case, or in the name of a function."""

from __future__ import annotations

import re
from pathlib import Path

ROWS = {
    *(f"yaml {row}" for row in range(1, 14)),  # the table of YAML, and what is said below it
    *(f"csv {row}" for row in range(1, 19)),  # the table of CSV
    *map(str, range(1, 91)),
    *map(str, range(101, 119)),
}


def test_every_row_has_a_test() -> None:
    text = "\n".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))
    names = set(re.findall(r'"((?:yaml |csv )?\d+) [^"\n]+"', text))
    names |= {row.replace("_", " ") for row in re.findall(r"def test_(?:row_)?((?:yaml_|csv_)?\d+)_", text)}
    assert ROWS - names == set()
