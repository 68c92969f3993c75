"""`gate` and `plan` from the command line, on small records of real trainings."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from losscli.cli import gating
from losscli.cli.app import run
from losscli.cli.gating import GateOptions, _of_entry, _sentence
from losscli.compare.gate import GateEntry, concluded
from losscli.compare.leaderboard import build_arena
from losscli.compare.result import Arena, RunResult, TestRows
from losscli.direction import Direction
from losscli.spec.model import Entry

MakeArena = Callable[..., Arena]

TRAIN = ["--task", "binary", "--data", "moons", "--seeds", "6", "--set", "data.n_samples=200", "-q"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three records: trained well, trained for one epoch only, and with other seeds."""
    root = tmp_path_factory.mktemp("records")
    losses = ["--loss", "bce-logits", "--loss", "focal", "--lr", "0.01", "--out", str(root)]
    for epochs, seeds in (("8", "6"), ("1", "6"), ("8", "11,12,13,14")):
        assert run(["compare", *TRAIN[:5], seeds, *TRAIN[6:], *losses, "--epochs", epochs]) == 0
    return root


def test_a_drop_fails_and_a_gain_does_not(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    gate = ["--metric", "log-loss", "--max-drop", "0.01", "--out", str(root)]
    assert run(["gate", "2", "--baseline", "1", *gate, "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [each["outcome"] for each in told["entries"]] == ["dropped", "dropped"]
    assert all(each["paired"] for each in told["entries"])
    assert run(["gate", "1", "--baseline", "2", *gate]) == 0
    assert "6 seeds on the same rows" in " ".join(capsys.readouterr().out.split())


def test_how_seeds_were_added_is_told(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    staged = ["compare", *TRAIN[:4], "--set", "data.n_samples=200", "-q", "--set", "seeds={start: 6, most: 12}"]
    losses = ["--loss", "bce-logits", "--loss", "focal", "--lr", "0.01", "--epochs", "1", "--out", str(tmp_path)]
    assert run([*staged, *losses]) == 0
    (record,), fixed = tmp_path.iterdir(), str(sorted(root.iterdir())[1])
    for words, which in (([fixed, "--baseline", str(record)], "old"), ([str(record), "--baseline", fixed], "new")):
        for form in ("json", "text", "github"):
            capsys.readouterr()
            run(["gate", *words, "--metric", "log-loss", "--format", form])
            told = " ".join(capsys.readouterr().out.split())
            assert told.count(f"Seeds of the {which} record were added in stages") == 1
    capsys.readouterr()
    run(["gate", fixed, "--baseline", fixed, "--format", "json"])
    assert json.loads(capsys.readouterr().out)["notes"] == []


def test_other_seeds_are_not_paired_and_annotations_say_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    command = ["gate", "2", "--baseline", "3", "--entry", "focal", "--metric", "log-loss", "--out", str(root)]
    assert run([*command, "--format", "github"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("::error title=losscli gate%3A dropped::focal: log-loss is ")
    assert "unpaired" in line


def test_seeds_of_other_rows_are_not_paired(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Five of six seeds are the same, and the rows behind them are not."""
    seeds = [*TRAIN[:5], "0,1,2,3,4,9", *TRAIN[6:]]
    other = ["--loss", "bce-logits", "--epochs", "1", "--out", str(tmp_path)]
    for share in ("0.15", "0.3"):
        assert run(["train", *seeds, *other, "--set", f"data.split.test={share}"]) == 0
    same, apart = sorted(tmp_path.iterdir())
    first = str(sorted(root.iterdir())[0])
    for record, paired in ((same, True), (apart, False)):
        capsys.readouterr()
        run(["gate", str(record), "--baseline", first, "--entry", "bce-logits", "--format", "json"])
        (told,) = json.loads(capsys.readouterr().out)["entries"]
        assert told["paired"] is paired


def test_what_is_in_no_record_is_refused(root: Path) -> None:
    assert run(["gate", "1", "--baseline", "2", "--entry", "hinge", "--out", str(root)]) == 2
    assert run(["gate", "1", "--baseline", "2", "--metric", "rmse", "--out", str(root)]) == 2
    assert run(["gate", "9", "--baseline", "2", "--out", str(root)]) == 5


def test_a_plan_says_what_it_takes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    asked = ["plan", *TRAIN, "--loss", "bce-logits", "--loss", "focal", "--like", "1", "--out", str(root)]
    assert run([*asked, "--format", "json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["arenas"]
    assert (told["runs"], told["outlook"]["minimum_seeds"], told["outlook"]["comparisons"]) == (12, 5, 1)
    assert told["outlook"]["sd"] > 0
    assert 0 <= told["outlook"]["power"] <= 1
    assert told["cost"]["seconds"] > 0
    assert told["cost"]["bytes"] > 200 * 0.7 * 2 * 4
    assert run([*asked[:-4], "--set", "seeds=3"]) == 0
    assert "3 are too few for any" in " ".join(capsys.readouterr().out.split())
    assert run([*asked[:-4], "--tune", "gamma=0,1,2", "--format", "json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["arenas"]
    assert (told["candidates"], told["runs"]) == (4, 4 * told["outlook"]["seeds"])  # one of bce-logits, three of focal
    assert len(list(root.iterdir())) == 3  # nothing was recorded


def test_other_data_are_refused_and_a_vanished_entry_fails(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--seeds", "6", "--epochs", "1", "--loss", "bce-logits", "--out", str(tmp_path), "-q"]
    assert run(["train", "--task", "binary", "--data", "moons", "--set", "data.n_samples=200", *few]) == 0
    assert run(["train", "--task", "binary", "--data", "circles", "--set", "data.n_samples=200", *few]) == 0
    alone, circles = sorted(map(str, tmp_path.iterdir()))
    capsys.readouterr()
    assert run(["gate", circles, "--baseline", alone]) == 2
    assert "the records are not of the same data" in capsys.readouterr().err
    old = next(str(each) for each in sorted(root.iterdir()))
    easy = ["--metric", "log-loss", "--max-drop", "9"]
    assert run(["gate", alone, "--baseline", old, *easy, "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)["entries"]
    assert {each["entry"]: each["outcome"] for each in told} == {"bce-logits": "held", "focal": "vanished"}
    assert run(["gate", alone, "--baseline", old, *easy, "--entry", "bce-logits"]) == 0


def test_a_record_against_itself_is_the_same(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["gate", "1", "--baseline", "1", "--out", str(root)]) == 0
    assert "is the same, within the 0 allowed" in " ".join(capsys.readouterr().out.split())


def test_an_entry_of_damaged_data_is_found_by_its_own_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path)
    spec = ["--data", "wine", "--loss", "cross-entropy", "--loss", "gce", "--set", "data.corrupt.labels=0.2"]
    assert run(["compare", *spec, "--seeds", "2", "--epochs", "1", "--out", out, "-q"]) == 0
    capsys.readouterr()
    assert run(["gate", "1", "--baseline", "1", "--entry", "gce", "--out", out, "--format", "json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["entries"]
    assert (told["entry"], told["damage"]) == ("gce", "labels 0.2")
    assert run(["gate", "1", "--baseline", "1", "--entry", "gce", "--out", out]) == 0
    assert "gce (labels 0.2)" in capsys.readouterr().out


def gated(old: Arena, new: Arena, metric: str) -> GateEntry:
    display = GateOptions(baseline="", metric=metric, limit=0.0, entries=(), out=Path(), form="json")
    return concluded([_of_entry("a", new, old, display, True)])[0]


def of_intervals(coverage: float, width: float, level: float = 0.9) -> Arena:
    """An arena of one entry with ten seeds and 1,000 test rows."""
    scores = [
        {
            "coverage": coverage + 0.001 * seed,
            "interval-width": width + 0.01 * seed,
            "interval-score": width + 0.01 * seed,
        }
        for seed in range(10)
    ]
    runs = [
        RunResult("a", seed, "ok", 1, 1, {"test": each}, (), 0.0, {"level": level}) for seed, each in enumerate(scores)
    ]
    directions: dict[str, Direction] = {"interval-score": "down", "coverage": "target", "interval-width": "down"}
    return build_arena(
        [Entry("a", "a", {}, (), 1e-3)], runs, task="regression", data="made", headline="interval-score",
        directions=directions, baseline={}, rows={"train": 5000, "test": 1000}, resampled=False,
    )  # fmt: skip


def test_a_gate_on_a_width_needs_both_records_to_cover_what_they_promise() -> None:
    assert gated(of_intervals(0.91, 2.0), of_intervals(0.91, 3.0), "interval-width").outcome == "dropped"
    narrow = gated(of_intervals(0.91, 2.0), of_intervals(0.7, 1.0), "interval-width")
    assert narrow.outcome == "undefined"
    assert "the new record covers 70.5 % of the test rows, less than its 90 %, so nothing can be judged" in _sentence(
        narrow
    )
    assert gated(of_intervals(0.7, 2.0), of_intervals(0.91, 3.0), "interval-width").outcome == "undefined"


def test_a_gate_on_coverage_goes_by_the_distance_and_one_on_scores_asks_for_one_level() -> None:
    assert gated(of_intervals(0.91, 2.0), of_intervals(0.98, 2.0), "coverage").outcome == "dropped"
    assert gated(of_intervals(0.98, 2.0), of_intervals(0.91, 2.0), "coverage").outcome == "held"
    assert gated(of_intervals(0.79, 2.0, 0.8), of_intervals(0.89, 2.0), "interval-score").outcome == "undefined"
    assert gated(of_intervals(0.89, 2.0), of_intervals(0.89, 3.0), "interval-score").outcome == "dropped"


def test_a_gate_says_how_many_seeds_have_a_value(arena_of: MakeArena) -> None:
    """Runs that finished without a value are told apart from those that diverged."""
    whole = arena_of({"a": [0.9] * 30})
    some = arena_of({"a": [0.9] * 26 + [math.nan] * 4})
    found = gated(whole, some, "auroc")
    assert found.outcome == "undefined"
    assert _sentence(found) == (
        "a: auroc has a value in 26 of 30 seeds of the new record, and in 30 of 30 seeds of the old, so nothing can be judged."
    )
    few = gated(whole, arena_of({"a": [0.9] * 8 + [math.nan] * 22}), "auroc")
    assert few.outcome == "vanished"
    assert "on more seeds than chance explains" in _sentence(few)
    lost = gated(whole, arena_of({"a": [0.9] * 30}, diverged={"a": range(6)}), "auroc")
    assert (lost.outcome, lost.test, lost.p) == ("dropped", "diverged", 2 / 64)
    assert "more runs diverge than before" in _sentence(lost)


def test_seeds_that_compare_nothing_hide_no_drop(arena_of: MakeArena) -> None:
    test = TestRows(impossible={"auroc": {3, 8}})
    good, bad = ([score + 0.001 * (seed % 4) for seed in range(10)] for score in (0.95, 0.3))
    found = gated(arena_of({"a": good}, test=test), arena_of({"a": bad}, test=test), "auroc")
    assert (found.outcome, found.seeds) == ("dropped", (8, 8))


# The answer in one sentence


OUTCOMES = ("held", "not-proven", "dropped", "vanished", "too-few-seeds", "no-value", "undefined")


@pytest.mark.parametrize("outcomes", list(itertools.combinations_with_replacement(OUTCOMES, 2)))
def test_the_sentence_fails_where_the_gate_does_and_names_everybody_who_did_not_hold(outcomes: tuple[str, ...]) -> None:
    results = [
        GateEntry(f"e{at}", "auroc", 0.9, 0.85, 0.05, 0.01, 0.01, "sign-flip", True, (8, 8), outcome)  # type: ignore[arg-type]
        for at, outcome in enumerate(outcomes)
    ]
    sentence = gating.answer(results)
    assert sentence.startswith("The gate fails: ") == bool({"dropped", "vanished"} & set(outcomes))
    assert sentence.startswith("Nothing has dropped beyond doubt: ") != sentence.startswith("The gate fails: ")
    for result in results:
        assert (result.entry in sentence) == (result.outcome != "held")
        said = re.search(
            rf"{result.entry}(?: and e1)? (dropped by 0.050 auroc, more than the 0.01 allowed|vanished)", sentence
        )
        assert bool(said) == (result.outcome in ("dropped", "vanished"))
    assert f"{outcomes.count('held')} entr" in sentence or "held" not in outcomes
