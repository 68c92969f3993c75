"""Rows as what is learned: sources, what is refused and where, the line of commands, and pictures."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from losscli.cli.app import run
from losscli.cli.dots import Scatter, scatters
from losscli.compare.moments import moments_of
from losscli.data.sources import sources
from losscli.deploy.choose import RunChoice
from losscli.deploy.predict import made_up
from losscli.deploy.restore import restore
from losscli.errors import DataError, SpecError
from losscli.experiment import load
from losscli.pipeline import run as compare
from losscli.record.reader import read
from losscli.spec.load import build_spec
from losscli.spec.overrides import Overrides
from losscli.stack.moments import moments
from losscli.tasks import TargetScale, tasks
from losscli.tasks.shapes import MIXTURES, checkerboard, grid_of, pinwheel, ring_of

SHAPES = ("ring", "grid", "moons", "swiss_roll", "pinwheel", "checkerboard")
QUICK = ("model.hidden=[8]", "train.epochs=5")


def spec(data: str = "ring", *sets: str, **more):
    return build_spec(Overrides(task="gan", data=data, sets=(*QUICK, *sets), **more))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    chance = np.random.default_rng(0)
    numbers = chance.normal([100.0, 5.0, -1e4], [10.0, 0.1, 1e3], (200, 3))
    lines = [f"{a:.3f},{b:.4f},{c:.1f},{'xy'[at % 2]}" for at, (a, b, c) in enumerate(numbers.tolist())]
    (tmp_path / "rows.csv").write_text("a,b,c,kind\n" + "\n".join(lines) + "\n")
    return tmp_path / "rows.csv"


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_rows_without_a_target(name: str) -> None:
    experiment = load(spec(name, "data.n_samples=120"))
    part = experiment.datasets[0].parts["train"]
    assert part.features.shape == (84, 0)
    assert part.target.shape == (84, 3 if name == "swiss_roll" else 2)
    assert part.target.mean(axis=0) == pytest.approx(0, abs=1e-6)  # standardised with what training rows teach
    assert part.target.std(axis=0) == pytest.approx(1, abs=1e-6)


def test_a_table_s_columns_are_rows_and_a_target_is_left_aside(table: Path) -> None:
    whole = load(spec(str(table), drop=["kind"]))
    assert whole.datasets[0].target.labels == ("a", "b", "c")
    aside = load(spec(str(table), drop=["kind"], target=["b"]))
    assert aside.datasets[0].target.labels == ("a", "c")
    assert "target-aside" in {finding.code for finding in aside.findings}
    assert "target-aside" not in {finding.code for finding in whole.findings}


def test_categories_are_refused_with_their_column_and_line(table: Path) -> None:
    with pytest.raises(DataError) as refused:
        load(spec(str(table)))
    (problem,) = refused.value.problems
    assert "in 'kind' 'x' is not a number" in problem.message
    assert str(problem.place) == f"{table}:2:4"
    assert "data.drop: [kind]" in str(problem.cure)


def test_an_empty_cell_is_refused_with_its_line(table: Path) -> None:
    lines = table.read_text().splitlines()
    lines[7] = "," + lines[7].split(",", 1)[1]
    table.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match="missing in 1 of 200 rows") as refused:
        load(spec(str(table), drop=["kind"]))
    assert str(refused.value.problems[0].place) == f"{table}:8:1"


def test_other_tasks_still_need_a_target(table: Path) -> None:
    for task in ("regression", None):
        with pytest.raises(SpecError, match="target is missing"):
            build_spec(Overrides(task=task, data=str(table)))
    (table.parent / "s.yaml").write_text("task: regression\ndata: {source: csv, path: rows.csv}\n")
    assert run(["validate", str(table.parent / "s.yaml")]) == 2


def test_mixtures_have_their_lumps_where_they_say() -> None:
    for name, mixture in (
        ("ring", ring_of(n_modes=5, radius=3.0, sd=0.01)),
        ("grid", grid_of(side=3, step=2.0, sd=0.01)),
    ):
        options = {"ring": {"n_modes": 5, "radius": 3.0}, "grid": {"side": 3, "step": 2.0}}[name]
        source = sources.get("synthetic")(name=name, n_samples=500, sd=0.01, **options)
        read_table = source.read(Path())
        rows = np.stack([column.values for column in read_table.features.values()], axis=1)
        nearest = np.linalg.norm(rows[:, None] - mixture.centers, axis=-1).min(axis=1)
        assert nearest.max() < 0.06
        assert np.array_equal(read_table.mixture.centers, mixture.centers)
    assert sources.get("synthetic")(name="ring", feature_noise=0.5).read(Path()).mixture is None
    assert set(MIXTURES) == {"ring", "grid"}


def test_shapes_are_what_they_are_called() -> None:
    rows, square = checkerboard(2000, squares=4)
    cells = np.floor(rows + 2).astype(int)
    assert ((cells.sum(axis=1) % 2) == 0).all()
    assert len(np.unique(square)) == 8
    rows, arms = pinwheel(1000, n_arms=3)
    assert rows.shape == (1000, 2)
    assert set(arms) == {0, 1, 2}


@pytest.mark.parametrize(
    ("name", "option"),
    [("ring", "n_modes=0"), ("grid", "side=0"), ("pinwheel", "n_arms=0"), ("checkerboard", "squares=0")],
)
def test_a_shape_of_nothing_is_refused(name: str, option: str) -> None:
    with pytest.raises(SpecError, match=option.partition("=")[0]):
        load(spec(name, f"data.{option}"))


def test_metrics_of_a_mixture_come_with_it_and_not_without() -> None:
    assert spec("ring").metrics == ["sliced-w1", "energy", "mmd", "modes", "good-share"]
    assert spec("moons").metrics == ["sliced-w1", "energy", "mmd"]
    with pytest.raises(SpecError, match="modes needs a mixture that is known"):
        spec("moons", metrics=["modes"])


def test_the_baseline_is_a_gaussian_of_the_same_mean_and_covariance() -> None:
    chance = torch.Generator().manual_seed(0)
    train = torch.randn(4000, 3, generator=chance) @ torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 0.1]])
    scale = TargetScale(np.array([5.0, 0.0, -1.0]), np.array([2.0, 1.0, 10.0]))
    drawn = tasks.get("gan").baseline(train, 20_000, scale).samples[0]
    units = scale.in_units(train)
    assert torch.allclose(drawn.mean(0), units.mean(0), atol=0.15)
    assert torch.allclose(drawn.T.cov(), units.T.cov(), rtol=0.08, atol=0.1)


def test_fresh_real_rows_are_training_rows_each_once() -> None:
    train = torch.arange(20.0).view(10, 2)
    fresh = tasks.get("gan").ideal(train, 6).samples[0]
    assert len({tuple(row) for row in fresh.tolist()}) == 6
    assert {tuple(row) for row in fresh.tolist()} <= {tuple(row) for row in train.tolist()}


def test_each_seed_has_real_rows_of_its_own() -> None:
    experiment = load(spec("ring", "data.n_samples=200", seeds=3))
    rows = [frozenset(experiment.datasets[seed].parts["test"].index.tolist()) for seed in range(3)]
    assert len(set(rows)) == 3


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sets = (*QUICK, "data.n_samples=400")
    made = compare([build_spec(Overrides(task="gan", data="ring", losses=["r1", "wgan-gp"], seeds=2, sets=sets))],
                   out=tmp_path_factory.mktemp("runs"))  # fmt: skip
    return Path(made.record)


def test_made_up_rows_are_the_generator_s_in_units(record: Path) -> None:
    (one,) = restore(record, RunChoice(entry="r1", seed=0))
    rows = made_up(one, 50)
    assert list(rows) == ["x1", "x2"]
    noise = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    weights = {name: torch.from_numpy(array) for name, array in one.weights.items()}
    hidden = torch.nn.functional.leaky_relu(noise @ weights["layers.0.weight"] + weights["layers.0.bias"], 0.2)
    output = hidden @ weights["layers.2.weight"] + weights["layers.2.bias"]
    expected = one.run.dataset.scale.in_units(output)
    torch.testing.assert_close(torch.from_numpy(np.stack(list(rows.values()), axis=1)), expected, rtol=1e-5, atol=1e-5)


def test_predict_writes_as_many_rows_as_it_is_told(record: Path, capfd) -> None:
    capfd.readouterr()
    assert run(["predict", str(record), "--rows", "7", "--format", "json", "--quiet"]) == 0
    rows = json.loads(capfd.readouterr().out)["rows"]
    assert len(rows) == 7
    assert set(rows[0]) == {"x1", "x2"}
    assert run(["predict", str(record), "x.csv"]) == 2
    assert run(["predict", str(record), "--seed", "mean"]) == 2


def test_a_record_keeps_five_moments_of_the_first_seed(record: Path) -> None:
    (arena,) = read(record)["results"]["arenas"]
    kept = arena["why"]["moments"]
    assert kept["columns"] == ["x1", "x2"]
    assert kept["epochs"] == moments(5) == [1, 2, 3, 5]
    assert {name: len(pictures) for name, pictures in kept["entries"].items()} == {"r1": 4, "wgan-gp": 4}
    assert all(len(dots) == 60 for pictures in kept["entries"].values() for dots in pictures)
    assert len(kept["real"]) == 60


def test_the_report_shows_them_beside_each_other(record: Path, tmp_path: Path) -> None:
    assert run(["report", str(record), "--format", "html", "--to", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert "Made up over real rows" in page
    assert "Predicted and true" not in page  # a made-up row answers no other


def test_one_column_is_drawn_against_the_share_of_rows_below() -> None:
    kept = moments_of({"x": [(1, np.array([[3.0], [np.nan], [1.0]]))]}, np.array([[0.0], [2.0]]), ["only"])
    assert kept["columns"] == ["only", "share of rows below"]
    assert kept["real"] == [[0.0, 0.0], [2.0, 1.0]]
    assert kept["entries"]["x"] == [[[1.0, 0.0], [3.0, 0.5]]]


@pytest.mark.parametrize("colored", [True, False])
def test_a_scatter_has_a_dot_where_there_is_one(colored: bool) -> None:
    real, made = [[0.0, 0.0], [1.0, 1.0], [0.5, 0.5]], [[0.0, 1.0], [1e9, 0.0]]  # one far off, which is left out
    screen = io.StringIO()
    console = Console(file=screen, width=90, force_terminal=colored, color_system="standard" if colored else None)
    console.print(Scatter("title", real, {"r1": made}))
    lines = [line for line in screen.getvalue().splitlines() if any(ord("⠀") < ord(sign) <= ord("⣿") for sign in line)]
    assert lines, "there are no dots"
    assert ("real rows" in screen.getvalue()) is not colored
    assert "1e9" not in screen.getvalue()


def test_no_picture_is_drawn_where_there_is_none() -> None:
    class Bare:
        why = {}  # noqa: RUF012

    assert list(scatters(Bare())) == []
