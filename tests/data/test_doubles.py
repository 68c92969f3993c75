"""Features that say the same twice are told; features that are merely close are not."""

import numpy as np
import pytest

from losscli.data.doubles import doubles
from losscli.data.sources import sources

RNG = np.random.default_rng(1)
A = RNG.normal(20, 5, 200)
SAME = {
    "copy": A,
    "rounded": A.round(1),
    "noise": A + RNG.normal(0, 1e-3, 200),
    "Fahrenheit": A * 1.8 + 32,
    "turned round": 100 - A,
}
OTHERS = {"close": A + RNG.normal(0, 0.5, 200), "square": A**2, "other": RNG.normal(size=200), "constant": np.ones(200)}


def noticed(tmp_path, other):
    y = RNG.integers(0, 2, 200)
    rows = "".join(f"{a},{b},{label}\n" for a, b, label in zip(A, other, y, strict=True))
    (tmp_path / "t.csv").write_text(f"a,b,y\n{rows}")

    return doubles(sources.get("csv")(path="t.csv", target="y").read(tmp_path))


@pytest.mark.parametrize("other", SAME.values(), ids=SAME)
def test_the_same_twice(tmp_path, other):
    (finding,) = noticed(tmp_path, other)
    assert "'b' with 'a'" in finding.message
    assert "--drop b" in finding.cure


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_others_are_not(tmp_path, other):
    assert noticed(tmp_path, other) == []
