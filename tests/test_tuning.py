"""Tuning along the whole line, against its oracle: every candidate trained as an entry of its own, and chosen by hand."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from losscli.compare.result import RunResult
from losscli.compare.tuning import choose
from losscli.comparison import Comparison
from losscli.experiment import load
from losscli.pipeline import run
from losscli.record.reader import read_weights
from losscli.reports.json import to_json
from losscli.spec.load import load_spec
from losscli.spec.model import Spec

HEAD = "task: binary\ndata: {source: synthetic, name: moons, n_samples: 120, noise: 0.3}\nmodel: {kind: mlp, hidden: [8]}\n"
RATES = [3e-3, 3e-2, 3e-1]
SEEDS = 3


@pytest.fixture
def spec(tmp_path: Path):
    def write(text: str, train: str = "epochs: 3, batch_size: 32") -> Spec:
        (tmp_path / "spec.yaml").write_text(f"{HEAD}train: {{{train}}}\nseeds: {SEEDS}\nmetrics: [auroc]\n{text}")
        return load_spec(tmp_path / "spec.yaml")

    return write


def by_name(comparison: Comparison) -> dict[tuple[str, int], RunResult]:
    return {(one.entry, one.seed): one for one in comparison.arenas[0].runs}


def without_clock(comparison: Comparison) -> str:
    found = to_json(comparison)
    for arena in found["arenas"]:
        for timed in (*arena["entries"], *arena["runs"]):
            timed.pop("seconds", None)
    return json.dumps([found["arenas"], found["timing"]["steps"]])


def test_each_seed_gets_what_its_valid_split_says_of_entries_trained_apart(spec, tmp_path: Path) -> None:
    losses = "[bce-logits, focal]"
    tuned = run([spec(f"loss: {losses}\ntune: {{lr: {RATES}}}\n")], out=tmp_path / "runs")
    apart = by_name(run([spec(f"loss: {losses}\n", f"epochs: 3, batch_size: 32, lr: {RATES}")], out=None))
    picked = set()
    for (entry, seed), found in by_name(tuned).items():
        alone = [apart[f"{entry} lr={rate}", seed] for rate in RATES]
        at = max(range(len(RATES)), key=lambda n: (alone[n].scores["valid"]["auroc"], -n))
        assert found.tuned == {"lr": RATES[at]}
        picked.add(at)
        for split in ("train", "valid", "test"):
            assert found.scores[split] == pytest.approx(alone[at].scores[split], rel=1e-5)
        assert [point.value for point in found.history] == pytest.approx([p.value for p in alone[at].history], rel=1e-4)
    assert len(picked) > 1  # or any rule would have passed
    arena = tuned.arenas[0]
    assert [entry.entry for entry in arena.entries] == ["bce-logits", "focal"]
    for entry in arena.entries:
        chosen = [one.tuned["lr"] for one in arena.runs if one.entry == entry.entry]
        assert entry.tuned == {"lr": {str(rate): chosen.count(rate) for rate in RATES}}


def test_the_record_holds_the_choice_and_runs_again_to_it(spec, tmp_path: Path) -> None:
    text = "loss: [bce-logits, focal]\ntune: {lr: [1e-3, 1e-2], gamma: [0, 1]}\n"
    first = run([spec(text)], out=tmp_path / "runs")
    folder = Path(first.record)
    again = run([load_spec(folder / "spec.yaml")], out=None)
    assert without_clock(again) == without_clock(first)
    arena = json.loads((folder / "results.json").read_text())["arenas"][0]
    assert set(arena["entries"][1]["tuned"]) == {"lr", "gamma"}
    assert all(set(one["tuned"]) == set(arena["entries"][one["entry"] == "focal"]["tuned"]) for one in arena["runs"])
    weights = read_weights(folder)
    assert {tuple(name.split("/")[1:3]) for name in weights} == {
        (entry, str(seed)) for entry in ("bce-logits", "focal") for seed in range(SEEDS)
    }


def test_the_weights_are_those_of_the_choice(spec, tmp_path: Path) -> None:
    tuned = run([spec(f"loss: bce-logits\ntune: {{lr: {RATES}}}\n")], out=tmp_path / "tuned")
    apart = run([spec("loss: bce-logits\n", f"epochs: 3, batch_size: 32, lr: {RATES}")], out=tmp_path / "apart")
    kept, all_of_them = read_weights(Path(tuned.record)), read_weights(Path(apart.record))
    compared = 0
    for one in tuned.arenas[0].runs:
        for name, values in all_of_them.items():
            prefix = f"0/bce-logits lr={one.tuned['lr']}/{one.seed}/"
            if name.startswith(prefix):
                np.testing.assert_allclose(kept[f"0/bce-logits/{one.seed}/{name[len(prefix) :]}"], values, rtol=1e-4)
                compared += 1
    assert compared == SEEDS * 4


def test_a_rate_that_diverges_is_never_chosen(tmp_path: Path) -> None:
    text = "data: {source: builtin, name: diabetes}\nloss: mse\nseeds: 2\nmodel: {kind: mlp, hidden: [8]}\n"
    text += "train: {epochs: 3, optimizer: sgd}\ntune: {lr: %s}\n"
    for rates, status, chosen in (("[1e6, 1e-2]", "ok", 1e-2), ("[1e6, 1e7]", "diverged", 1e6)):
        (tmp_path / "spec.yaml").write_text(text % rates)
        arena = run([load_spec(tmp_path / "spec.yaml")], out=None).arenas[0]
        assert [(one.status, one.tuned) for one in arena.runs] == [(status, {"lr": chosen})] * 2
        assert sum(arena.entries[0].tuned["lr"].values()) == (2 if status == "ok" else 0)


def test_steps_and_progress_count_every_candidate(spec) -> None:
    ticks = []
    comparison = run([spec(f"loss: bce-logits\ntune: {{lr: {RATES}}}\n")], out=None, watch=ticks.append)
    plain = run([spec("loss: bce-logits\n")], out=None)
    assert comparison.timing["steps"] == len(RATES) * plain.timing["steps"]
    assert ticks[-1].done == ticks[-1].total == len(RATES) * SEEDS * 3


def test_a_choice_costs_the_time_of_all_its_candidates() -> None:
    tried = [
        SimpleNamespace(
            run=SimpleNamespace(entry="a", seed=seed), status="ok", seconds=seconds, scores={"valid": {"auroc": valid}}
        )
        for seed, seconds, valid in ((0, 1.0, 0.7), (1, 8.0, 0.9), (0, 2.0, 0.8), (0, 4.0, 0.6))
    ]
    found = choose(tried, SimpleNamespace(name="auroc", direction="up"))  # type: ignore[arg-type]
    assert found == [tried[2], tried[1]]
    assert [one.seconds for one in found] == [7.0, 8.0]


def test_one_seed_gives_every_entry_and_candidate_the_same_data_order_and_initial_weights(spec) -> None:
    """Paired by design: what differs between runs of one seed is what is compared, and nothing else."""
    import torch

    from losscli.stack.train import Training

    experiment = load(spec("loss: [bce-logits, focal]\ntune: {lr: [1e-3, 1e-2], gamma: [0, 1]}\n"))
    runs = experiment.runs()
    assert len(runs) == (2 + 4) * SEEDS
    assert all(one.dataset is experiment.datasets[one.seed] for one in runs)
    training = Training(runs, experiment.job)
    weights, batch = training.networks["model"].weights, next(training.sampler.epoch())
    inputs, targets = batch["inputs"], batch["target"]
    for seed in range(SEEDS):
        rows = [row for row, one in enumerate(runs) if one.seed == seed]
        for table in (weights, inputs, targets):
            assert torch.equal(table[rows], table[rows[:1]].expand(len(rows), *table.shape[1:]))
    firsts = [next(row for row, one in enumerate(runs) if one.seed == seed) for seed in range(SEEDS)]
    for table in (weights, inputs):
        assert not torch.equal(table[firsts[0]], table[firsts[1]])


def test_the_coverage_of_a_candidate_must_be_close_to_its_level(tmp_path: Path) -> None:
    """The widest interval, of df 1, covers most; what is chosen is closest to 90 %, as by hand from entries trained apart."""
    head = (
        "task: regression\ndata: {source: synthetic, name: friedman1, n_samples: 120, noise: 1.0}\nseeds: 3\n"
        "model: {kind: mlp, hidden: [8]}\ntrain: {epochs: 12, batch_size: 32, lr: 0.02}\nmetrics: [coverage]\n"
    )
    found = []
    for text in ("loss: student-t-nll\ntune: {df: [1, 4, 30]}\n", "loss: {name: student-t-nll, df: [1, 4, 30]}\n"):
        (tmp_path / "spec.yaml").write_text(head + text)
        found.append(run([load_spec(tmp_path / "spec.yaml")], out=None).arenas[0].runs)
    tuned, apart = found
    widest = 0
    for one in tuned:
        alone = [other for other in apart if other.seed == one.seed]
        covered = [other.scores["valid"]["coverage"] for other in alone]
        at = min(range(3), key=lambda n: (round(abs(covered[n] - 0.9), 6), n))
        assert one.tuned == {"df": [1, 4, 30][at]}
        widest += at == int(np.argmax(covered))
    assert widest < len(tuned)
