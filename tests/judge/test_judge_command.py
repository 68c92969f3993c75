"""`losscli judge`: its numbers are those of `compare`'s statistics by another way, and `gate` and `report` take its record."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from losscli.cli.app import run

SEEDS = 8


def drawn(gain: float, seed: int = 0) -> Mapping[str, list[float]]:
    rng = np.random.default_rng(seed)
    base = rng.normal(0.8, 0.02, SEEDS)
    return {
        "base": list(base),
        "mine": list(base + gain + rng.normal(0, 0.004, SEEDS)),
        "other": list(base + rng.normal(0, 0.004, SEEDS)),
    }


def table(path: Path, scores: Mapping[str, list[float]], seed: str = "seed", metric: str = "accuracy") -> Path:
    rows = [f"{name},{at},{value!r}" for name, values in scores.items() for at, value in enumerate(map(float, values))]
    path.write_text("\n".join([f"model,{seed},{metric}", *rows]))
    return path


def judged(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert run(["judge", *words, "--format", "json"]) == 0
    (arena,) = json.loads(capsys.readouterr().out)["arenas"]
    return {**arena, "entries": {entry["entry"]: entry for entry in arena["entries"]}}


def sign_flip(differences: np.ndarray) -> float:
    """By going through all 2^n signs."""
    signs = np.array(list(product((-1, 1), repeat=len(differences))))
    means = np.abs(signs @ differences)
    return float(np.mean(means >= abs(differences.sum()) - 1e-12))


def test_a_fixed_split_is_judged_by_flipping_signs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = drawn(0.02)
    arena = judged(capsys, str(table(tmp_path / "s.csv", scores)), "--no-record", "--splits", "fixed")
    for name in ("mine", "other"):
        delta, differences = arena["entries"][name]["delta"], np.array(scores[name]) - np.array(scores["base"])
        assert delta["mean"] == pytest.approx(differences.mean(), abs=1e-12)
        assert delta["p"] == pytest.approx(sign_flip(differences), abs=1e-12)
    assert (arena["entries"]["mine"]["verdict"], arena["entries"]["base"]["verdict"]) == ("better", "reference")
    assert arena["entries"]["other"]["verdict"] != "better"


def test_resampled_splits_are_judged_by_the_corrected_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nadeau and Bengio 2003, written out."""
    scores = drawn(0.01)
    arena = judged(
        capsys, str(table(tmp_path / "s.csv", scores)), "--no-record", "--splits", "resampled", "--train-share", "0.8"
    )
    differences = np.array(scores["mine"]) - np.array(scores["base"])
    t = differences.mean() / np.sqrt(differences.var(ddof=1) * (1 / SEEDS + 0.2 / 0.8))
    assert arena["entries"]["mine"]["delta"]["p"] == pytest.approx(2 * stats.t.sf(abs(t), SEEDS - 1), rel=1e-9)


def test_folds_are_resampled_splits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = drawn(0.01)
    arena = judged(capsys, str(table(tmp_path / "s.csv", scores, "fold")), "--no-record")
    differences = np.array(scores["mine"]) - np.array(scores["base"])
    t = differences.mean() / np.sqrt(differences.var(ddof=1) * (1 / SEEDS + 1 / (SEEDS - 1)))
    assert arena["entries"]["mine"]["delta"]["p"] == pytest.approx(2 * stats.t.sf(abs(t), SEEDS - 1), rel=1e-9)
    assert {finding["code"] for finding in arena["findings"]} >= {"splits-assumed", "direction-guessed"}


@pytest.mark.parametrize(
    ("metric", "flags", "verdict"),
    [
        ("accuracy", [], "better"),
        ("rmse", [], "worse"),
        ("test_loss", [], "worse"),
        ("accuracy", ["--better", "lower"], "worse"),
        ("rmse", ["--better", "rmse=higher"], "better"),
        ("accuracy", ["--equivalence", "0.2"], "equivalent"),
    ],
)
def test_directions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], metric: str, flags: list[str], verdict: str
) -> None:
    path = table(tmp_path / "s.csv", drawn(0.03), metric=metric)
    assert judged(capsys, str(path), "--no-record", *flags)["entries"]["mine"]["verdict"] == verdict


def test_equivalence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = table(tmp_path / "s.csv", drawn(0.0, seed=3))
    assert (
        judged(capsys, str(path), "--no-record", "--equivalence", "0.05")["entries"]["other"]["verdict"] == "equivalent"
    )
    assert judged(capsys, str(path), "--no-record", "--equivalence", "10%")["entries"]["other"]["delta"][
        "margin"
    ] == pytest.approx(0.1 * np.mean(drawn(0.0, seed=3)["base"]))


def test_missing_and_unpaired_seeds_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = table(
        tmp_path / "s.csv", {"a": [0.5 + at / 100 for at in range(8)], "b": [0.7 + at / 100 for at in range(6)]}
    )
    arena = judged(capsys, str(path), "--no-record")
    assert arena["entries"]["b"]["verdict"] == "undefined"
    (finding,) = [finding for finding in arena["findings"] if finding["code"] == "seeds-missing"]
    assert "b lacks 6, 7" in finding["message"]
    assert judged(capsys, str(path), "--no-record", "--common-seeds")["entries"]["b"]["verdict"] == "better"
    path.write_text("model,seed,acc\n" + "".join(f"{'ab'[at % 2]},{at},{0.5 + at / 100}\n" for at in range(12)))
    arena = judged(capsys, str(path), "--no-record")
    assert "unpaired" in {finding["code"] for finding in arena["findings"]}
    assert arena["entries"]["b"]["verdict"] == "undefined"


@pytest.mark.parametrize(
    ("flags", "part"),
    [
        (["--reference", "bas"], "no entry 'bas'"),
        (["--metric", "f1"], "no metric 'f1'"),
        (["--better", "sideways"], "takes higher or lower"),
        (["--better", "f1=lower"], "no metric 'f1'"),
        (["--equivalence", "-1"], "at least 0"),
        (["--equivalence", "much"], "at least 0"),
        (["--splits", "resampled"], "how many of the rows trained"),
        (["--splits", "resampled", "--train-share", "1.5"], "between 0 and 1"),
    ],
)
def test_wrong_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], part: str) -> None:
    assert run(["judge", str(table(tmp_path / "s.csv", drawn(0.1))), "--no-record", *flags]) == 2
    err = capsys.readouterr().err
    assert part in " ".join(err.split())
    assert "Traceback" not in err


def test_the_record_goes_through_gate_and_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A lower error is not a drop, and a higher one is: the record keeps which way is better."""
    runs = str(tmp_path / "runs")
    for gain in (0.0, 0.05):
        assert run(["judge", str(table(tmp_path / "s.csv", drawn(gain), metric="rmse")), "--out", runs, "-v"]) == 0
    out = capsys.readouterr().out
    assert "difference in rmse to base" in out
    assert "which losscli has not seen" in " ".join(out.split())
    assert "baseline" not in out
    assert "losscli compare" not in out
    assert run(["gate", "2", "--baseline", "1", "--entry", "mine", "--out", runs]) == 1
    assert run(["gate", "1", "--baseline", "2", "--entry", "mine", "--out", runs]) == 0
    capsys.readouterr()
    page = tmp_path / "page.html"
    assert run(["report", "2", "--out", runs, "--to", str(page)]) == 0
    assert "Difference to the reference" in page.read_text()


def test_resampled_scores_keep_their_share_for_the_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = str(tmp_path / "runs")
    for gain in (0.0, 0.004):
        path = table(tmp_path / "s.csv", drawn(gain), metric="rmse")
        assert run(["judge", str(path), "--out", runs, "--splits", "resampled", "--train-share", "0.5"]) == 0
    capsys.readouterr()
    assert run(["gate", "2", "--baseline", "1", "--entry", "mine", "--out", runs, "--format", "json"]) in (0, 1)
    (entry,) = json.loads(capsys.readouterr().out)["entries"]
    assert entry["test"] == "corrected-t"


def test_no_torch_is_loaded(tmp_path: Path) -> None:
    words = ["judge", str(table(tmp_path / "s.csv", drawn(0.1))), "--out", str(tmp_path / "runs")]
    code = (
        f"import sys; from losscli.cli.app import run; code = run({words!r}); sys.exit(code or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
