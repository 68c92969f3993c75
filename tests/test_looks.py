"""Seeds in stages: what is trained, when it ends, what is said of it, and that a stop changes nothing.

The statistics of looks are tested in tests/compare/test_looks.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from losscli import pipeline, training
from losscli.cli import app
from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.errors import DataError, SpecError
from losscli.record import checkpoint
from losscli.record.find import records
from losscli.record.reader import contents
from losscli.reports.recall import recall
from losscli.spec.arenas import merge
from losscli.spec.dump import to_yaml
from losscli.spec.load import build_spec, load_spec
from losscli.spec.overrides import Overrides
from losscli.spec.stages import first_stage, next_specs
from losscli.stack.watch import Stop, Tick

MOONS = "task: binary\ndata: {source: synthetic, name: moons, n_samples: 120}\nmodel: {kind: mlp, hidden: [6]}\n"
TWO = MOONS + "loss: [bce-logits, focal]\ntrain: {epochs: 3, batch_size: 16}\n"
LEVELS = TWO.replace("120}", "120, corrupt: {labels: [0, 0.2]}}")
# Constant features of some seeds' training splits, five entries: stacks of several widths.
IRIS = (
    "task: multiclass\ndata: {source: builtin, name: iris}\nmodel: {kind: mlp, hidden: [5]}\n"
    "loss: [cross-entropy, gce, {name: focal, gamma: [1, 2, 3]}]\ntrain: {epochs: 3, batch_size: 16}\n"
)
TUNED = MOONS + "loss: [bce-logits, hinge]\ntune: {lr: [1e-3, 1e-2]}\ntrain: {epochs: 3, batch_size: 16}\n"
OPEN = "equivalence: {auroc: 0, accuracy: 0}\n"  # nothing but a difference settles anything

Write = Callable[..., Any]


@pytest.fixture
def spec(tmp_path: Path) -> Write:
    def make(text: str, name: str = "spec.yaml") -> Any:
        (tmp_path / name).write_text(text)
        return load_spec(tmp_path / name)

    return make


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PAUSE", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", float("inf"))


class Crash(BaseException):
    """The process is gone."""


def crashing(number: int) -> Callable[[Tick], None]:
    """A watcher that is the end of the process at so manieth an epoch."""
    ticks = iter(range(10_000))

    def watch(tick: Tick) -> None:
        if next(ticks) == number:
            raise Crash

    return watch


def bits(comparison: Comparison) -> dict[str, bytes]:
    """Every file of a record, without times and its own name."""
    files = contents(Path(comparison.record or ""))
    del files["manifest.json"]
    return {**files, "results.json": json.dumps(_without_times(json.loads(files["results.json"]))).encode()}


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(part) for key, part in value.items() if key not in ("seconds", "timing", "record")}
    return [_without_times(part) for part in value] if isinstance(value, list) else value


def values(arena: Arena) -> dict[tuple[str, int], str]:
    """All numbers of each run, to the last bit."""
    return {
        (run.entry, run.seed): repr((run.scores, run.history, run.calibration, run.tuned, run.best_epoch))
        for run in arena.runs
    }


@pytest.mark.parametrize(("text", "start"), [(TWO, 7), (IRIS, 6), (IRIS, 7), (TUNED, 9)])
def test_values_are_those_of_the_same_seeds_in_one_go(spec: Write, text: str, start: int) -> None:
    (staged,) = pipeline.run([spec(text + OPEN + f"seeds: {{start: {start}, most: {2 * start}}}\n")], out=None).arenas
    assert staged.looks is not None
    assert staged.looks.sizes[0] == start
    (once,) = pipeline.run([spec(text + OPEN + f"seeds: {len(staged.seeds)}\n")], out=None).arenas
    assert values(staged) == values(once)
    assert staged.looks.done > 1, "nothing was added, so nothing was tested"


def test_stacks_that_end_at_a_look_are_not_trained_again(spec: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[str] = []
    take = training.TrainingDesk.take

    def counting(desk: training.TrainingDesk) -> Any:
        work = take(desk)
        trained.extend(training.names_of(work.runs) if work else ())
        return work

    monkeypatch.setattr(training.TrainingDesk, "take", counting)
    (arena,) = pipeline.run([spec(IRIS + OPEN + "seeds: {start: 6, most: 24}\n")], out=None).arenas
    assert arena.looks is not None
    assert arena.looks.done >= 2
    assert len(trained) == len(set(trained)) == 5 * len(arena.seeds)


def test_it_ends_at_the_first_look_at_which_nothing_is_open(spec: Write) -> None:
    (arena,) = pipeline.run([spec(TWO + "equivalence: {auroc: 1}\nseeds: auto\n")], out=None).arenas
    assert arena.looks is not None
    assert (len(arena.seeds), arena.looks.done, arena.looks.ended) == (6, 1, "settled")
    assert arena.entries[1].verdict == "equivalent"


def test_what_is_open_at_the_last_look_stays_open(spec: Write) -> None:
    (arena,) = pipeline.run([spec(TWO + OPEN + "seeds: {start: 6, most: 9}\n")], out=None).arenas
    assert arena.looks is not None
    assert (len(arena.seeds), arena.looks.done, arena.looks.ended) == (9, 2, "limit")
    assert arena.looks.open == (arena.entries[1].entry,)


def test_one_entry_has_nothing_to_settle(spec: Write) -> None:
    (arena,) = pipeline.run([spec(TWO.replace("[bce-logits, focal]", "focal") + "seeds: auto\n")], out=None).arenas
    assert len(arena.seeds) == 6


def test_levels_of_damage_get_their_seeds_together(spec: Write) -> None:
    comparison = pipeline.run([spec(LEVELS + OPEN + "seeds: {start: 6, most: 9}\n")], out=None)
    assert [len(arena.seeds) for arena in comparison.arenas] == [9, 9]
    assert len(comparison.breakdowns) == 1


def test_a_level_with_nothing_open_gets_the_seeds_of_the_others(spec: Write) -> None:
    clean, damaged = map(first_stage, merge([spec(LEVELS + "seeds: auto\n")]))
    other = spec(TWO.replace("moons", "circles") + "seeds: auto\n", "other.yaml")
    following = next_specs([(clean, False), (damaged, True), (other, False)])
    assert [one and len(one.seeds) for one in following] == [12, 12, None]


def test_two_arenas_end_each_by_itself(spec: Write) -> None:
    settled = spec(TWO + "equivalence: {auroc: 1}\nseeds: {start: 6, most: 9}\n", "settled.yaml")
    open_ = spec(TWO.replace("moons", "circles") + OPEN + "seeds: {start: 6, most: 9}\n", "open.yaml")
    assert [len(arena.seeds) for arena in pipeline.run([settled, open_], out=None).arenas] == [6, 9]


def test_smoke_has_two_seeds_and_no_looks(spec: Write) -> None:
    (arena,) = pipeline.run([spec(TWO + "seeds: auto\n")], out=None, smoke=True).arenas
    assert (len(arena.seeds), arena.looks) == (2, None)


# A stop, and going on


@pytest.mark.usefixtures("_often")
def test_a_crash_in_any_stage_is_gone_on_with_bit_by_bit(spec: Write, tmp_path: Path) -> None:
    """One command that crashes in its first stage, and, gone on with, again and again in later ones."""
    staged = spec(IRIS + OPEN + "seeds: {start: 7, most: 14}\n")
    whole = bits(pipeline.run([staged], out=tmp_path / "whole"))
    with pytest.raises(Crash):
        pipeline.run([staged], out=tmp_path / "cut", watch=crashing(1))
    (folder,) = records(tmp_path / "cut", unfinished=True)
    for epoch in (2, 4, 3):
        with pytest.raises(Crash):
            pipeline.resume(folder, watch=crashing(epoch))
    assert bits(pipeline.resume(folder)) == whole


@pytest.mark.usefixtures("_often")
def test_a_stop_shows_what_there_is_and_which_look_was_the_last(spec: Write, tmp_path: Path) -> None:
    staged = spec(TWO + OPEN + "seeds: {start: 7, most: 14}\n")
    ticks: list[Tick] = []
    stop = Stop()

    def watch(tick: Tick) -> None:
        ticks.append(tick)
        stop.requested = tick.done >= 7 * 2 * 3  # the last epoch of the first look

    stopped = pipeline.run([staged], out=tmp_path, watch=watch, stop=stop)
    (arena,) = stopped.arenas
    assert stopped.partial
    assert arena.looks is not None
    assert (arena.looks.done, arena.looks.ended) == (1, "stopped")
    assert {run.seed for run in arena.runs} >= set(range(7)), "runs of the look before are gone"
    (folder,) = records(tmp_path, unfinished=True)
    with pipeline.at_hand(folder) as there:
        (recalled,) = recall(there).comparison.arenas
    assert recalled.looks == arena.looks
    resumed = pipeline.resume(folder)
    assert bits(resumed) == bits(pipeline.run([staged], out=tmp_path / "whole"))


def test_data_that_change_between_two_looks_are_noticed(spec: Write, tmp_path: Path) -> None:
    def rows(noise: int) -> str:
        return "x,y\n" + "".join(f"{number + noise * (number % 3)},{number % 2}\n" for number in range(60))

    table = tmp_path / "table.csv"
    table.write_text(rows(0))
    text = TWO.replace("source: synthetic, name: moons, n_samples: 120", "source: csv, path: table.csv, target: y")
    staged = spec(text + OPEN + "seeds: {start: 6, most: 12}\n")
    with pytest.raises(DataError, match="have changed"):
        pipeline.run([staged], out=None, watch=lambda tick: table.write_text(rows(1)) and None)


# What is said


@pytest.fixture
def record(spec: Write, tmp_path: Path) -> Path:
    comparison = pipeline.run([spec(TWO + OPEN + "seeds: {start: 6, most: 9}\n")], out=tmp_path / "runs")
    return Path(comparison.record or "")


def test_the_record_says_how_many_looks_there_were(record: Path) -> None:
    looks = json.loads((record / "results.json").read_text())["arenas"][0]["looks"]
    assert looks["sizes"] == [6, 9]
    assert sum(looks["levels"]) == pytest.approx(0.05)
    assert (looks["done"], looks["ended"], looks["open"]) == (2, "limit", ["focal"])
    assert "seeds: {start: 6, most: 9}" in (record / "spec.yaml").read_text()
    (arena,) = recall(record).comparison.arenas
    assert arena.looks is not None
    assert (arena.looks.sizes, arena.looks.done, arena.looks.open) == ((6, 9), 2, ("focal",))


@pytest.mark.parametrize("command", ["report RECORD --format md", "report RECORD --to page.html", "runs show RECORD"])
def test_every_report_says_why_it_ended(
    record: Path, command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    words = command.replace("RECORD", str(record)).replace("page.html", str(page)).split()
    assert app.run(words) == 0
    said = " ".join((page.read_text() if "--to" in command else capsys.readouterr().out).split())
    assert "not settled at 9 seeds (look 2 of 2)" in said


@pytest.mark.parametrize("command", ["runs diff RECORD RECORD", "gate RECORD --baseline RECORD --max-drop 0.1"])
def test_other_commands_take_such_a_record(record: Path, command: str) -> None:
    assert app.run(command.replace("RECORD", str(record)).split()) == 0


def test_a_spec_of_a_record_makes_the_same_record(record: Path, tmp_path: Path) -> None:
    again = pipeline.run([load_spec(record / "spec.yaml")], out=tmp_path / "again")
    whole = pipeline.run([load_spec(record / "spec.yaml")], out=tmp_path / "more")
    assert bits(again) == bits(whole)
    assert json.loads((record / "results.json").read_text())["arenas"][0]["looks"]["done"] == 2


def test_plan_tells_the_looks(capsys: pytest.CaptureFixture[str]) -> None:
    asked = "plan --data moons --loss bce-logits --loss focal --epochs 1 --seeds auto --format json"
    assert app.run(asked.split()) == 0
    (arena,) = json.loads(capsys.readouterr().out)["arenas"]
    assert [look["seeds"] for look in arena["looks"]] == [6, 12, 24, 40]
    assert sum(look["level"] for look in arena["looks"]) == pytest.approx(0.05)
    assert arena["looks"][-1]["seconds"] == pytest.approx(arena["cost"]["seconds"])
    assert arena["runs"] == 80
    visible = [look["visible_sd"] for look in arena["looks"]]
    assert visible == sorted(visible, reverse=True)


def test_the_progress_says_which_look_it_is_and_counts_to_the_last(spec: Write) -> None:
    ticks: list[Tick] = []
    pipeline.run([spec(TWO + OPEN + "seeds: {start: 6, most: 9}\n")], out=None, watch=ticks.append)
    assert dict.fromkeys(tick.look for tick in ticks) == {"look 1 of 2, 6 seeds": None, "look 2 of 2, 9 seeds": None}
    assert {tick.total for tick in ticks} == {2 * 9 * 3}
    assert max(tick.done for tick in ticks) == 2 * 9 * 3


# What a spec may say


def built(seeds: str | None = None, *sets: str, losses: tuple[str, ...] = ("bce-logits", "focal")) -> Any:
    return build_spec(Overrides(task="binary", losses=losses, seeds=seeds, sets=sets))


@pytest.mark.parametrize(
    ("seeds", "sets", "sizes"),
    [
        ("auto", (), (6, 12, 24, 40)),
        ("auto", ("seeds.most=20",), (6, 12, 20)),
        ("auto", ("seeds.start=9",), (9, 18, 40)),
        (None, ("seeds={start: 10, most: 10}",), (10,)),
        ("auto", ("data.split.seed=0",), (12, 24, 40)),  # 2 / 2**6 is more than its part of the 5 %
        ("auto", ("data.split.seed=0", "seeds.start=8"), (8, 16, 40)),
        ("auto", ("seeds.most=5",), (5,)),
    ],
)
def test_looks_are_fixed_beforehand(seeds: str | None, sets: tuple[str, ...], sizes: tuple[int, ...]) -> None:
    spec = built(seeds, *sets)
    assert spec.looks.sizes == sizes
    assert spec.seeds == list(range(sizes[0]))
    assert f"seeds: {{start: {sizes[0]}, most: {sizes[-1]}}}" in to_yaml(spec)


@pytest.mark.parametrize(
    ("seeds", "sets", "place", "message", "cure"),
    [
        ("auto", ("seeds.start=9", "seeds.most=8"), "--set seeds.start", "9 is more than most, which is 8", "start: 8"),
        ("auto", ("seeds.start=4",), "--set seeds.start", "no verdict is possible after 4 seeds of 40", "start: 5"),
        (
            "auto",
            ("data.split.seed=0", "seeds.start=7"),
            "--set seeds.start",
            "on a fixed split",
            "{start: 8, most: 40}",
        ),
        ("auto", ("data.split.seed=0", "seeds.most=5"), "--set seeds.most", "no verdict is possible", "most: "),
        ("auto,3", (), "--seeds", "auto stands alone", "{start: 6, most: 40}"),
        ("5", ("seeds.start=6",), "--set seeds.start", "seeds is 5", "either"),
        (None, ("seeds={start: 6, mist: 9}",), "--set seeds", "unknown key 'mist'", "most"),
        ("auto", ("seeds.start=6.5",), "--set seeds.start", "whole number", ""),
        ("auto", ("seeds.most=0",), "--set seeds.most", ">= 1", ""),
        ("automatic", (), "--seeds", "auto", "auto"),
        ("auto", ("data.split.folds=5",), "--seeds", "each fold is a seed", "repeats"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place_and_a_cure(
    seeds: str | None, sets: tuple[str, ...], place: str, message: str, cure: str
) -> None:
    with pytest.raises(SpecError) as refused:
        built(seeds, *sets)
    (problem,) = refused.value.problems
    assert message in problem.message
    assert str(problem.place) == place
    assert cure in (problem.cure or "")


def test_a_cure_that_is_followed_works() -> None:
    """On a fixed split with nine comparisons the floor lies higher: what is said to be possible is."""
    losses = ("bce-logits", "focal", "hinge", "squared-hinge", "brier")
    with pytest.raises(SpecError) as refused:
        built("auto", "data.split.seed=0", "seeds.start=6", losses=losses)
    cure = refused.value.problems[0].cure or ""
    assert built(None, "data.split.seed=0", f"seeds={cure.removeprefix('write ')}", losses=losses).looks is not None


def test_specs_that_come_together_have_the_looks_of_what_they_compare_together(tmp_path: Path) -> None:
    fixed = TWO.replace("120}", "120, split: {seed: 0}}") + "seeds: {most: 16}\n"
    specs = []
    for number, losses in enumerate(("[bce-logits, focal]", "[bce-logits, hinge, squared-hinge, soft-margin]")):
        (tmp_path / f"{number}.yaml").write_text(fixed.replace("[bce-logits, focal]", losses))
        specs.append(load_spec(tmp_path / f"{number}.yaml"))
    (together,) = map(first_stage, merge(specs))
    assert len(together.loss) == 5
    assert together.looks is not None
