"""The whole line: specs in; comparison and record out; the record's spec runs again to the same numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

import losscli
from losscli import conclusion
from losscli.errors import DataError, MachineError, SpecError
from losscli.pipeline import at_hand, run
from losscli.record.reader import read, read_predictions, read_weights
from losscli.reports.json import to_json
from losscli.spec.load import load_spec
from losscli.stack.watch import Stop

MOONS = "task: binary\ndata: {source: synthetic, name: moons, n_samples: 120, noise: 0.2}\n"
QUICK = "train: {epochs: 3, batch_size: 32}\nmodel: {kind: mlp, hidden: [8]}\n"


@pytest.fixture
def spec(tmp_path: Path):
    def write(text: str, name: str = "spec.yaml"):
        (tmp_path / name).write_text(text)
        return load_spec(tmp_path / name)

    return write


def numbers(comparison) -> dict:
    """The machine output without what may differ: the clock and the record's name."""
    found = to_json(comparison)
    for arena in found["arenas"]:
        for entry in arena["entries"]:
            entry.pop("seconds")
    return {key: value for key, value in found.items() if key not in ("timing", "record")}


def test_a_record_runs_again_to_the_same_numbers(spec, tmp_path: Path) -> None:
    text = (
        MOONS
        + QUICK
        + "loss: [bce-logits, {name: focal, gamma: [1, 2]}, {name: bce, output: [relu, sigmoid]}]\nseeds: [3, 5]\n"
    )
    first = run([spec(text)], out=tmp_path / "runs")
    folder = Path(first.record)
    again = run([load_spec(folder / "spec.yaml")], out=None)
    assert json.dumps(numbers(again)) == json.dumps(numbers(first))
    kept = read(folder)
    assert kept["results"]["arenas"] == to_json(first)["arenas"]
    weights = read_weights(folder)
    assert {name.split("/")[1] for name in weights} == {entry.entry for entry in first.arenas[0].entries}
    assert len(weights) == 4 * 2 * 4  # entries, seeds, parameters


def test_every_arena_keeps_the_weights_of_its_own_runs(spec, tmp_path: Path) -> None:
    """The same entry and seed in two arenas: the first layer of each has as many rows as its table has features."""
    wide = MOONS.replace("name: moons", "name: classification").replace("noise: 0.2", "n_features: 7")
    both = run([spec(MOONS + QUICK, "a.yaml"), spec(wide + QUICK, "b.yaml")], out=tmp_path / "runs")
    weights = read_weights(Path(both.record))
    first = {name.split("/")[0]: each.shape for name, each in weights.items() if name.endswith("layers.0.weight")}
    assert first == {"0": (2, 8), "1": (7, 8)}


def test_a_csv_is_found_again_from_the_record(spec, tmp_path: Path) -> None:
    rows = [f"{x},{'a' if x % 3 else 'b'},{'yes' if x % 2 else 'no'}" for x in range(60)]
    (tmp_path / "table.csv").write_text("x,kind,y\n" + "\n".join(rows))
    first = run(
        [spec("task: binary\ndata: {source: csv, path: table.csv, target: y}\n" + QUICK)], out=tmp_path / "runs"
    )
    again = run([load_spec(Path(first.record) / "spec.yaml")], out=None)
    assert numbers(again)["arenas"][0]["entries"] == numbers(first)["arenas"][0]["entries"]


EVERYTHING = """
task: binary
data:
  source: csv
  path: table.csv
  target: y
  positive: "no"
  encode: {numbers: robust, categories: embedding, missing: {numbers: mean}, indicator: true}
  corrupt: {labels: 0.1}
  split: {group: who}
loss: [bce-logits, {name: focal, gamma: [1, 2]}]
tune: {lr: [1e-3, 1e-2]}
costs: [[0, 1], [5, 0]]
equivalence: {auroc: 0.01}
metrics: [auroc, expected-cost]
seeds: [2, 7]
"""


def test_everything_a_spec_can_say_is_said_again_by_its_record(spec, tmp_path: Path) -> None:
    rows = [f"{x if x % 9 else ''},{'abc'[x % 3]},{'yes' if x * 7 % 11 > 5 else 'no'},{x % 20}" for x in range(160)]
    (tmp_path / "table.csv").write_text("x,kind,y,who\n" + "\n".join(rows))
    first = run([spec(EVERYTHING + QUICK)], out=tmp_path / "runs")
    again = run([load_spec(Path(first.record) / "spec.yaml")], out=None)
    assert first.arenas[0].entries[0].tuned
    assert first.arenas[0].why["classes"]
    assert json.dumps(numbers(again)) == json.dumps(numbers(first))


def test_specs_that_share_everything_but_the_loss_meet_in_one_arena(spec) -> None:
    specs = [
        spec(MOONS + QUICK + "loss: bce-logits\n", "one.yaml"),
        spec(MOONS + QUICK.replace("[8]", "[8], output: sigmoid") + "loss: bce-logits\n", "two.yaml"),
        spec(MOONS + QUICK.replace("epochs: 3", "epochs: 3, lr: 1e-2") + "loss: focal\n", "three.yaml"),
        spec(MOONS + QUICK.replace("[8]", "[9]") + "loss: bce-logits\n", "four.yaml"),
    ]
    arenas = losscli.compare(specs).arenas
    assert [[entry.entry for entry in arena.entries] for arena in arenas] == [
        ["bce-logits lr=0.002", "bce-logits output=sigmoid lr=0.002", "focal lr=0.01"],
        ["bce-logits"],
    ]
    assert [finding.code for finding in arenas[0].findings] == ["LC003", "overfitting"]


def test_an_arena_of_several_specs_runs_again_from_its_record(spec, tmp_path: Path) -> None:
    specs = [
        spec(MOONS + QUICK + "loss: bce-logits\n", "one.yaml"),
        spec(MOONS + QUICK.replace("[8]", "[8], output: sigmoid") + "loss: bce-logits\n", "two.yaml"),
    ]
    first = run(specs, out=tmp_path / "runs")
    again = run([load_spec(Path(first.record) / "spec.yaml")], out=None)
    assert numbers(again) == numbers(first)


def test_runs_of_one_seed_share_their_split_and_others_do_not(spec) -> None:
    from losscli.experiment import load

    experiment = load(spec(MOONS + QUICK + "seeds: 2\n"))
    assert experiment.datasets[0].parts["test"].target.shape == experiment.datasets[1].parts["test"].target.shape
    assert (experiment.datasets[0].parts["test"].features != experiment.datasets[1].parts["test"].features).any()
    fixed = load(spec(MOONS.replace("noise: 0.2", "noise: 0.2, split: {seed: 7}") + QUICK + "seeds: 2\n"))
    assert fixed.datasets[0] is fixed.datasets[1]


def test_smoke_is_short_and_checks_no_expectation(spec) -> None:
    text = MOONS + 'train: {epochs: 500, batch_size: 8}\nseeds: 5\nexpect: {test.accuracy: "> 0.999"}\n'
    comparison = run([spec(text)], out=None, smoke=True)
    assert comparison.timing["steps"] == 2 * 40
    assert comparison.unmet == []


def test_an_expectation_that_is_not_met_is_told(spec) -> None:
    comparison = run([spec(MOONS + QUICK + 'expect: {test.accuracy: "> 1"}\n')], out=None)
    assert len(comparison.unmet) == 1
    assert comparison.unmet[0].startswith("test.accuracy must be > 1, and is 0.")


def test_a_run_that_diverges_is_told_and_the_others_go_on(spec) -> None:
    text = "data: {source: builtin, name: diabetes}\nloss: mse\nseeds: 2\n"
    text += "train: {epochs: 4, optimizer: sgd, lr: [1e-2, 1e6]}\nmodel: {kind: mlp, hidden: [8]}\n"
    arena = run([spec(text)], out=None).arenas[0]
    calm, wild = arena.entries
    assert math.isfinite(calm.scores["test"]["rmse"].mean)
    assert math.isnan(wild.scores["test"]["rmse"].mean)
    assert [result.status for result in arena.runs] == ["ok", "ok", "diverged", "diverged"]
    assert "diverged" in [finding.code for finding in arena.findings]


def test_a_stop_keeps_what_there_is(spec, tmp_path: Path) -> None:
    stop = Stop()

    def watch(tick) -> None:
        assert stop.listening
        stop.requested = tick.epoch == 2

    comparison = run([spec(MOONS + QUICK.replace("3", "300"))], out=tmp_path / "runs", watch=watch, stop=stop)
    result = comparison.arenas[0].runs[0]
    assert (result.status, result.epochs) == ("stopped", 2)
    assert comparison.partial
    assert "unfinished" in [finding.code for finding in comparison.arenas[0].findings]
    with pytest.raises(MachineError, match="is unfinished"):
        read(Path(comparison.record))
    with at_hand(Path(comparison.record)) as folder:
        assert read(folder)["results"]["arenas"][0]["runs"][0]["status"] == "stopped"
    assert not stop.listening


def test_ticks_count_up_to_the_whole(spec) -> None:
    ticks = []
    run([spec(MOONS + QUICK + "loss: [bce-logits, hinge]\nseeds: 2\n")], out=None, watch=ticks.append)
    assert [tick.done for tick in ticks] == sorted(tick.done for tick in ticks)
    assert ticks[-1].done == ticks[-1].total == 2 * 2 * 3


def test_a_target_that_a_loss_cannot_judge_stops_before_training(spec, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "\n".join(f"{x},{x - 3.5}" for x in range(40)))
    text = "task: regression\ndata: {source: csv, path: t.csv, target: y}\nloss: poisson-nll\n"
    with pytest.raises(DataError, match=r"poisson-nll.*count") as caught:
        run([spec(text)], out=tmp_path / "runs", watch=lambda tick: pytest.fail("it trained"))
    assert caught.value.problems[0].place.line == 2
    assert not list((tmp_path / "runs").glob("*")) if (tmp_path / "runs").exists() else True


def test_the_public_names_work_together(spec) -> None:
    assert {"bce-logits", "hinge"} <= {loss.name for loss in losscli.losses("binary")}
    assert losscli.train(spec(MOONS + QUICK)).arenas[0].entries[0].loss == "bce-logits"
    with pytest.raises(SpecError, match="focl"):
        losscli.loss("focl", task="binary")
    with pytest.raises(AttributeError, match="compare"):
        losscli.nothing  # noqa: B018


def test_weights_that_a_loss_cannot_use_are_told(spec, tmp_path: Path) -> None:
    rows = [f"{x % 7},{1 + x % 3},{'yes' if x % 2 else 'no'}" for x in range(60)]
    (tmp_path / "t.csv").write_text("x,w,y\n" + "\n".join(rows))
    text = "task: binary\ndata: {source: csv, path: t.csv, target: y, weight: w}\nloss: [bce-logits, dice]\n"
    arena = run([spec(text + QUICK)], out=None).arenas[0]
    told = [finding.message for finding in arena.findings if finding.code == "weights-unused"]
    assert len(told) == 1
    assert told[0].startswith("dice:")


def test_python_mistakes_are_told_as_such(spec) -> None:
    with pytest.raises(SpecError, match="not a dict"):
        losscli.train({"task": "binary"})
    with pytest.raises(SpecError, match="no spec to compare"):
        losscli.compare([])
    with pytest.raises(SpecError, match="train runs one loss, and the spec has 2: bce-logits, hinge"):
        losscli.train(spec(MOONS + "loss: [bce-logits, hinge]\n"))


def test_one_path_is_as_good_as_a_list_of_one_and_prints_a_leaderboard(spec, tmp_path: Path) -> None:
    spec(MOONS + QUICK + "loss: [bce-logits, hinge]\nseeds: 2\n")
    comparison = losscli.compare(str(tmp_path / "spec.yaml"))
    sentence, empty, *lines = str(comparison).splitlines()
    assert sentence == "2 seeds are too few to tell hinge from bce-logits on moons; 10 seeds are advised."
    assert empty == ""
    assert lines[0] == "moons (binary), test auroc, higher is better"
    assert lines[1].split()[0] == "bce-logits"
    assert lines[1].endswith("reference")
    assert lines[2].endswith("too-few-seeds")
    assert len(repr(comparison)) < 100


def test_a_grid_of_class_weights_trains_and_its_options_are_in_the_output(spec) -> None:
    losses = (
        "[{name: bce-logits, pos_weight: [null, 2, balanced]}, {name: hinge, weight: [null, [1, 3]], output: none}]"
    )
    text = f'{MOONS}{QUICK}loss: {losses}\nmetrics: [auroc]\nexpect: {{test.accuracy: ">= 0"}}\n'
    comparison = run([spec(text)], out=None)
    assert comparison.unmet == []
    entries = to_json(comparison)["arenas"][0]["entries"]
    assert [entry["options"] for entry in entries] == [
        {"pos_weight": None},
        {"pos_weight": 2},
        {"pos_weight": "balanced"},
        {"weight": None, "output": "none"},
        {"weight": [1, 3], "output": "none"},
    ]
    curves = [
        [point.value for point in one.history if point.metric == "loss" and point.split == "train"]
        for one in comparison.arenas[0].runs
    ]
    assert curves[0] != curves[1]  # the weight of 2 counts
    assert curves[3] != curves[4]


def test_features_constant_in_some_splits_are_told_once(spec, tmp_path: Path) -> None:
    rows = [f"{x % 7},{int(x == 5)},{int(x == 30)},{'yes' if x % 2 else 'no'}" for x in range(60)]
    (tmp_path / "t.csv").write_text("x,a,b,y\n" + "\n".join(rows))
    text = "task: binary\ndata: {source: csv, path: t.csv, target: y}\nseeds: 9\n"
    arena = run([spec(text + QUICK)], out=None).arenas[0]
    (told,) = [finding.message for finding in arena.findings if finding.code == "constant-feature"]
    assert told.startswith("2 features are constant in the training splits of seeds ")


def test_made_up_data_are_told(spec) -> None:
    arena = run([spec("task: binary\n" + QUICK)], out=None, smoke=True).arenas[0]
    assert [finding.code for finding in arena.findings] == ["default-data"]


def test_specs_of_different_files_are_different_arenas(spec, tmp_path: Path) -> None:
    for name, step in (("a", 2), ("b", 3)):
        rows = [f"{x},{'yes' if x % step else 'no'}" for x in range(60)]
        (tmp_path / f"{name}.csv").write_text("x,y\n" + "\n".join(rows))
    text = "task: binary\ndata: {source: csv, path: %s.csv, target: y}\n" + QUICK
    specs = [spec(text % name, f"{name}.yaml") for name in ("a", "b", "a")]
    assert [(arena.data, len(arena.entries)) for arena in losscli.compare(specs).arenas] == [("a", 1), ("b", 1)]


def test_a_record_keeps_predictions_of_as_many_seeds_as_fit(
    spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """18 test rows and two entries are 36 numbers for each seed; of one seed, all are kept, whatever it takes."""
    text = MOONS + QUICK + "loss: [bce-logits, hinge]\nseeds: 3\n"
    for most, seeds in ((108, {0, 1, 2}), (107, {0, 1}), (5, {0})):
        monkeypatch.setattr("losscli.pipeline.MOST_NUMBERS", most)
        found = run([spec(text)], out=tmp_path / "runs")
        table = read_predictions(Path(found.record))
        assert set(table["seed"].to_pylist()) == seeds
        assert table.num_rows == 18 * 2 * len(seeds)
        cut = [finding for finding in found.arenas[0].findings if finding.code == "predictions-cut"]
        assert len(cut) == (len(seeds) < 3)


def test_results_tell_what_was_calibrated(spec) -> None:
    told = to_json(run([spec(MOONS + QUICK + "loss: [bce-logits]\nmetrics: [f1-tuned]\n")], out=None))
    (arena,) = told["arenas"]
    assert set(arena["runs"][0]["calibration"]["thresholds"]) == {"accuracy", "balanced-accuracy", "f1", "mcc"}
    assert arena["runs"][0]["calibration"]["temperature"] > 0
    assert {"f1-tuned", "log-loss-scaled", "ece"} <= set(arena["entries"][0]["test"])
    assert set(arena["entries"][0]["train"]) == {"f1-tuned"}


def test_what_is_done_beside_training_has_one_thread(spec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of MKL spin: on a busy machine they took 20 times the seconds of the baseline itself."""
    threads: dict[str, int] = {}
    for name in ("baseline", "limits", "build_arena"):
        function = getattr(conclusion, name)

        def watched(*given: object, name: str = name, function=function, **named: object) -> object:
            threads[name] = torch.get_num_threads()
            return function(*given, **named)

        monkeypatch.setattr(conclusion, name, watched)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run([spec(MOONS + "loss: bce-logits\n" + QUICK)], out=None, smoke=True)
        assert threads == {"baseline": 1, "limits": 1, "build_arena": 1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
