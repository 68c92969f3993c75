"""Folds and levels of damage in a spec: seeds that are folds, one arena per level, mistakes at their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from losscli.errors import SpecError
from losscli.spec.arenas import by_level, merge
from losscli.spec.dump import to_yaml
from losscli.spec.load import build_spec, load_spec
from losscli.spec.overrides import Overrides


@pytest.fixture
def spec(tmp_path: Path):
    def write(text: str):
        (tmp_path / "s.yaml").write_text(f"task: binary\n{text}\n")
        return load_spec(tmp_path / "s.yaml")

    return write


@pytest.mark.parametrize(
    ("split", "seeds", "expected"),
    [
        ("{folds: 5}", "", 5),
        ("{folds: 5, repeats: 3}", "", 15),
        ("{folds: 5, repeats: 2}", "seeds: 10", 10),
        ("{folds: 5}", "seeds: 20", 20),
        ("{group: g}", "", 1),
    ],
)
def test_folds_make_the_seeds(spec, split, seeds, expected) -> None:
    assert spec(f"data: {{split: {split}}}\n{seeds}").seeds == list(range(expected))


@pytest.mark.parametrize("seeds", ["4", "[0, 1, 2, 3, 5]", "1", "15"])
def test_seeds_that_are_not_the_folds_are_told_with_a_cure(spec, seeds) -> None:
    with pytest.raises(SpecError, match="each of the 5 folds, 2 times is a seed, which makes 10 seeds") as caught:
        spec(f"data: {{split: {{folds: 5, repeats: 2}}}}\nseeds: {seeds}")
    (problem,) = caught.value.problems
    assert problem.place.line == 3
    assert "write 10" in problem.cure


def test_levels_become_arenas_and_only_the_clean_one_is_expected_of(spec) -> None:
    found = spec("data: {corrupt: {labels: [0.2, 0.1], missing: 0.3}}\nexpect: {test.auroc: '> 0.5'}")
    arenas = merge([found])
    assert [(each.data.corrupt.labels, each.data.corrupt.missing) for each in arenas] == [
        (0, 0.3),
        (0.1, 0.3),
        (0.2, 0.3),
    ]
    assert [len(each.expect) for each in arenas] == [1, 0, 0]
    plain = spec("loss: bce")
    assert by_level(plain) == [plain]


def test_a_spec_with_damage_is_written_and_read_as_the_same(spec, tmp_path: Path) -> None:
    for damage in ("labels: {'yes': {'no': 0.5}}", "labels: [[0.9, 0.1], [0.0, 1.0]]", "imbalance: [0.0, 0.5]"):
        found = spec(f"data: {{source: synthetic, name: moons, corrupt: {{{damage}}}, split: {{folds: 3}}}}")
        (tmp_path / "again.yaml").write_text(to_yaml(found))
        assert load_spec(tmp_path / "again.yaml").data == found.data


def test_other_data_keep_the_split_and_the_damage(spec, tmp_path: Path) -> None:
    spec("data: {source: synthetic, name: circles, split: {valid: 0.3}, corrupt: {missing: 0.1}}")
    other = load_spec(tmp_path / "s.yaml", Overrides(data="breast_cancer"))
    assert (other.data.source, other.data.split.valid, other.data.corrupt.missing) == ("builtin", 0.3, 0.1)


def test_a_flag_of_levels_has_the_place_of_the_flag() -> None:
    found = build_spec(Overrides(task="binary", damage=(("--missing", "missing", [0.1]),)))
    assert found.data.corrupt.missing == [0.1]
    assert found.data.source == "synthetic"  # the task's own data, damaged
    with pytest.raises(SpecError, match="expected < 1") as caught:
        build_spec(Overrides(task="binary", damage=(("--missing", "missing", [0.1, 1.0]),)))
    assert "--missing" in str(caught.value.problems[0].place)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("data:\n  split: {group: a, column: b}", 3, "group and column are two"),
        ("data:\n  corrupt: {labels: 1.5}", 3, "labels"),
        ("data:\n  corrupt: {noise: 0.1}", 3, "unknown key 'noise'"),
        ("data:\n  corrupt: {target_outliers: 0.1}", 3, "the targets of task binary are classes"),
        ("data:\n  split: {folds: 1}", 3, "expected >= 2"),
        ("data:\n  corrupt: {labels: [[0.5, 0.5]]}", 3, "labels"),
    ],
)
def test_each_mistake_at_its_place(spec, text, line, said) -> None:
    with pytest.raises(SpecError) as caught:
        spec(text)
    assert said in caught.value.problems[0].message
    assert caught.value.problems[0].place.line == line
