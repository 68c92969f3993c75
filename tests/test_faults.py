"""The faults of `make mutants`: which are planted, and where none is."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parent / "benchmarks" / "faults.py"


@pytest.fixture(scope="module")
def faults() -> Any:
    described = importlib.util.spec_from_file_location("losscli_faults", FILE)
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    sys.modules[described.name] = module  # a dataclass looks its own module up
    described.loader.exec_module(module)
    return module.faults


@pytest.mark.parametrize(
    ("line", "planted"),
    [
        ("y = a < b", ["(a <= b)", "(a >= b)"]),
        ("y = a == b", ["(a != b)"]),
        ("y = a + b", ["(a - b)"]),
        ("y = a and b", ["(a or b)"]),
        ("y = not a", ["a"]),
        ("y = 0.5", ["1.5", "-0.5"]),
        ("y = True", ["False"]),
        ("y = x.sum(dim=-1)", ["x.mean(dim=-1)", "x.sum()", "2", "0"]),
        ("y = any(a)", ["all(a)"]),
        ("y = 1 if a else b", ["2", "0", "(not a)"]),
        ("f(a)", ["pass"]),
        ("y += a", ["y -= a"]),
        ("raise ValueError(1 + 2)", []),
        ("y = Finding('code', 1)", []),
        ("y = f'{1 + 2}'", []),
        ("y: Annotated[int, 3]", []),
        ("'''1 + 2'''", []),
        ("y = zip(a, b, strict=True)", []),
    ],
)
def test_what_is_planted_in_a_line(line: str, planted: list[str], faults: Any) -> None:
    source = f"def f(a, b, x, y):\n    # ümlaut\n    {line}  # stays\n"
    found = faults(source, "file.py")
    assert sorted(fault.after for fault in found) == sorted(planted)
    for fault in found:
        text = fault.planted(source)
        ast.parse(text)
        assert text.startswith("def f(a, b, x, y):\n    # ümlaut\n    ")
        assert text.endswith("  # stays\n")
        assert text != source


def test_where_a_fault_stands_tells_which_tests_reach_it(faults: Any) -> None:
    source = (
        "LIMIT = 3\n\n@put(low=0)\ndef f(x, y=2):\n    if (\n        x > y\n    ):\n        return 1\n    return x\n"
    )
    found = {fault.before: fault for fault in faults(source, "file.py")}
    assert found["3"].at_import
    assert found["3"].inside is None
    assert found["0"].at_import
    assert found["0"].inside == found["2"].inside == (5, 9)  # the body that a decorator and a default shape
    assert not found["x > y"].at_import
    assert found["x > y"].lines == (5, 7)
    assert found["1"].lines == (8, 8)
