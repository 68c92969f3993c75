"""A record read again holds what was written: of each of its arenas and runs what is its own."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

from pyarrow import parquet

from losscli import pipeline
from losscli.reports.recall import recall
from losscli.spec.load import load_spec

MakeRecord = Callable[..., Path]


def test_every_run_of_every_arena_has_its_own_history(record_of: MakeRecord) -> None:
    """Two arenas with the same entries and seeds; row by row as the Parquet file has it."""
    folder = record_of(tasks=("binary", "multilabel"))
    written = parquet.read_table(folder / "history.parquet").to_pylist()
    runs = [(number, run) for number, arena in enumerate(recall(folder).comparison.arenas) for run in arena.runs]
    assert len(runs) == 2 * 3 * 3
    for number, run in runs:
        own = [row for row in written if (row["arena"], row["entry"], row["seed"]) == (number, run.entry, run.seed)]
        told = [(point.epoch, point.split, point.metric, point.value) for point in run.history]
        assert told == [(row["epoch"], row["split"], row["metric"], row["value"]) for row in own]
        assert len(told) == 27


def test_scores_and_findings_are_those_that_results_tell(record_of: MakeRecord) -> None:
    """Values stand in the order of an entry's runs; every seed gets back its own."""
    folder = record_of(tasks=("binary", "regression"))
    written = json.loads((folder / "results.json").read_text())["arenas"]
    arenas = recall(folder).comparison.arenas
    for told, arena in zip(written, arenas, strict=True):
        for entry in told["entries"]:
            runs = [run for run in arena.runs if run.entry == entry["entry"]]
            for split in ("test", "valid"):
                for metric, found in entry[split].items():
                    values = [run.scores[split][metric] for run in runs]
                    assert values == [math.nan if value is None else value for value in found["values"]]
                    assert len(values) == 3
        said = [(each.code, each.severity, each.message, each.cure) for each in arena.findings]
        assert said == [
            tuple(each[key] for key in ("code", "severity", "message", "cure")) for each in told["findings"]
        ]
        assert said


def test_what_was_not_met_is_known_again(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("task: binary\ntrain: {epochs: 1}\nexpect: {test.auroc: '>= 2'}\n")
    made = pipeline.run([load_spec(spec)], out=tmp_path / "runs")
    assert made.unmet
    assert recall(Path(str(made.record))).comparison.unmet == made.unmet
