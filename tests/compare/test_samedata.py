"""Records are compared on the same data only; how rows are divided and encoded may differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from losscli.compare.result import Arena
from losscli.compare.samedata import _identity_of, alike, difference

MakeArena = Callable[..., Arena]
MOONS = {"source": "synthetic", "name": "moons", "n_samples": 200, "split": {"test": 0.15}, "encode": {}, "corrupt": {}}
TITANIC = {"source": "csv", "path": "titanic.csv", "target": "survived", "split": {"test": 0.15}, "drop": []}


def of(arena_of: MakeArena, block: dict[str, Any], **facts: Any) -> Arena:
    return arena_of({"a": [0.8, 0.9]}, spec={"data": block}, **facts)


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (MOONS, {"n_samples": 2000}, "n_samples is 200 in the new one, 2000 in the old one"),
        (MOONS, {"corrupt": {"labels": 0.4}}, "corrupt is"),
        (MOONS, {"split": {"test": 0.3}, "encode": {"numbers": "robust"}}, None),
        (TITANIC, {"target": "alone"}, "target is 'survived' in the new one, 'alone' in the old one"),
        (TITANIC, {"positive": "no"}, "positive is null in the new one, 'no' in the old one"),
        (TITANIC, {"path": "elsewhere/titanic.csv", "drop": ["deck"], "split": {"seed": 3}}, None),
    ],
)
def test_what_the_data_are(arena_of: MakeArena, one: dict[str, Any], other: dict[str, Any], said: str | None) -> None:
    new, old = of(arena_of, one), of(arena_of, {**one, **other})
    assert alike(0, new, [old]) == (0 if said is None else None)
    if said is not None:
        assert said in difference(new, [old])


def test_other_tasks_and_names_are_other_data(arena_of: MakeArena) -> None:
    new = of(arena_of, MOONS, data="breast_cancer")
    assert alike(0, new, [of(arena_of, MOONS)]) is None
    assert "data is 'breast_cancer' in the new one, 'titanic' in the old one" in difference(new, [of(arena_of, MOONS)])


def test_of_several_of_the_same_data_the_one_at_the_same_place(arena_of: MakeArena) -> None:
    arenas = [of(arena_of, MOONS), of(arena_of, TITANIC), of(arena_of, MOONS)]
    assert [alike(at, arena, arenas) for at, arena in enumerate(arenas)] == [0, 1, 2]
    assert alike(5, arenas[0], arenas) == 0


def test_a_key_that_a_record_of_before_has_not_makes_no_difference_until_it_says_something() -> None:
    block = {"source": "synthetic", "name": "moons", "corrupt": {"labels": 0.2, "missing": 0.0}}
    later = {**block, "counts": False, "corrupt": {**block["corrupt"], "votes": 0}}
    assert _identity_of("binary", "moons", block) == _identity_of("binary", "moons", later)
    assert _identity_of("binary", "moons", block) != _identity_of("binary", "moons", {**later, "counts": True})
    voted = {**later, "corrupt": {"labels": 0.2, "votes": 3}}
    assert _identity_of("binary", "moons", block) != _identity_of("binary", "moons", voted)
