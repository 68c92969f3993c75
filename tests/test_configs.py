"""The shelf of specs: each loads, says what it shows, the exact command and the time; together they show every task."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from losscli.looks import minimum_seeds
from losscli.spec.entries import entries
from losscli.spec.load import load_spec
from losscli.tasks import tasks

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_spec_loads_and_its_header_tells_what_it_shows(path: Path) -> None:
    spec = load_spec(path)
    assert entries(spec)
    header = "".join(line[1:] for line in path.read_text().splitlines() if line.startswith("#"))
    assert re.search(r"Shows: +\S+.+Run: +losscli (train|compare) configs/\S+.+Time: +about \d+ seconds", header), (
        header
    )
    named = re.search(r"Run: +losscli (train|compare) (configs/\S+)", header)
    assert named is not None
    assert path in list(ROOT.glob(named[2]))
    assert len(entries(spec)) == 1 or named[1] == "compare"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_spec_has_the_seeds_for_a_verdict_or_says_why_none_is_possible(path: Path) -> None:
    spec = load_spec(path)
    comparisons = len(entries(spec)) - 1
    seeds = len(spec.seeds)
    able = comparisons > 0 and seeds >= minimum_seeds(comparisons, spec.data.split.resampled)
    said = re.search(r"^# No verdict: +\S+", path.read_text(), re.M) is not None
    assert able != said, (
        f"{seeds} seeds, {comparisons} comparisons, and the header {'denies' if said else 'promises'} a verdict"
    )


def test_together_they_show_every_task_and_kind_of_source() -> None:
    specs = [load_spec(path) for path in CONFIGS]
    assert {spec.task for spec in specs} == set(tasks.names())
    assert {spec.data.source for spec in specs} == {"synthetic", "builtin", "csv"}
    compared = {spec.task for spec in specs if len(entries(spec)) > 1}
    assert {"binary", "multiclass"} <= compared


def test_the_classic_mistakes_stand_beside_their_right_form() -> None:
    wired = set()
    for path in (ROOT / "configs").glob("mistakes-*.yaml"):
        wired |= {(entry.loss, entry.output) for entry in entries(load_spec(path))}
    for wrong, right in (
        (("cross-entropy", ("softmax",)), ("cross-entropy", ())),
        (("bce", ("relu", "sigmoid")), ("bce", ("sigmoid",))),
        (("bce-logits", ("sigmoid",)), ("bce-logits", ())),
    ):
        assert {wrong, right} <= wired


def test_the_spec_in_the_readme_is_one(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(task:.+?)```", (ROOT / "README.md").read_text(), re.S)
    assert block is not None
    (tmp_path / "spec.yaml").write_text(block[1].replace("data/loans.csv", str(ROOT / "configs/data/loans.csv")))
    assert len(entries(load_spec(tmp_path / "spec.yaml"))) == 6


def test_the_specs_in_the_readme_are_there() -> None:
    named = re.findall(r"configs/[\w*./-]+\.yaml", (ROOT / "README.md").read_text())
    assert len(named) >= 4
    for pattern in named:
        assert list(ROOT.glob(pattern)), pattern
