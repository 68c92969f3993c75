"""Seeds whose splits differ in size: their runs make different stacks, and all that is counted is counted run by run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from losscli.data.prepare import prepare
from losscli.data.sources import Split, sources
from losscli.experiment import load
from losscli.pipeline import run
from losscli.spec.load import load_spec
from losscli.stack.stacks import stacks
from losscli.stack.train import train
from losscli.tasks import tasks


def smaller(seed: int):
    """The same table with a larger test split."""
    table = sources.get("synthetic")(source="synthetic", name="moons", n_samples=150, noise=0.3).read(Path())
    task = tasks.get("binary")
    return prepare(table, task.decode(table.targets), task, Split(test=0.3), seed)


def test_only_splits_of_equal_sizes_share_a_stack(run_of, job_of) -> None:
    job = job_of()
    alike = [run_of(loss, seed) for loss in ("bce-logits", "hinge") for seed in (0, 1)]
    other = [replace(run_of(loss, 2), dataset=smaller(2)) for loss in ("bce-logits", "hinge")]
    mixed = [alike[0], other[0], alike[1], alike[2], other[1], alike[3]]
    assert list(stacks(mixed, job)) == [alike, other]
    together = {(state.run.entry, state.run.seed): state for each in stacks(mixed, job) for state in train(each, job)}
    assert len(together) == 6
    alone = train([other[1]], job)[0]
    assert together[alone.run.entry, 2].scores["test"] == pytest.approx(alone.scores["test"], abs=1e-5, nan_ok=True)


def test_a_comparison_over_uneven_groups_counts_steps_and_ticks_run_by_run(tmp_path: Path) -> None:
    groups = [0] * 30 + [1] * 20 + [2] * 12 + [3] * 9 + [4] * 9 + [5] * 6 + [6] * 6 + [7] * 5 + [8] * 3
    rows = [f"g{group},{row % 7},{row % 5},{'yes' if (row * row) % 3 else 'no'}" for row, group in enumerate(groups)]
    (tmp_path / "t.csv").write_text("g,a,b,y\n" + "\n".join(rows))
    (tmp_path / "s.yaml").write_text(
        "task: binary\ndata: {source: csv, path: t.csv, target: y, split: {group: g}}\nloss: [bce-logits, hinge]\n"
        "seeds: 4\nmodel: {hidden: [4]}\ntrain: {epochs: 2, batch_size: 8}\n"
    )
    spec = load_spec(tmp_path / "s.yaml")
    experiment = load(spec)
    sizes = [experiment.datasets[seed].parts["train"].rows for seed in range(4)]
    assert len(set(sizes)) > 1
    ticks: list = []
    comparison = run([spec], out=None, watch=ticks.append)
    assert [tick.done for tick in ticks] == sorted(tick.done for tick in ticks)
    assert ticks[-1].done == ticks[-1].total == 2 * 4 * 2
    assert comparison.timing["steps"] == 2 * sum(2 * -(-size // 8) for size in sizes)
    (arena,) = comparison.arenas
    assert (arena.split, arena.resampled, arena.rows["train"]) == ("group", True, sizes[0])
    assert list(arena.entries[0].options) == []
    assert "split-sizes" in [finding.code for finding in arena.findings]
