"""A comparison as `losscli compare` would make it, without any training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
from agreement import assert_agrees
from arenas import make_arena

from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.losses import losses, own
from losscli.words.answer import answer

MakeComparison = Callable[..., Comparison]


@pytest.fixture(autouse=True)
def _losses_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test puts on the shelf of losses stands there for that test."""
    losses.names()
    monkeypatch.setattr(losses, "_items", dict(losses._items))
    monkeypatch.setattr(own, "_adopted", {})


@pytest.fixture(autouse=True)
def _answers_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence of every record that a test writes says what its verdicts say."""

    def checked(arena: Arena) -> str:
        sentence = answer(arena)
        assert_agrees(sentence, arena)
        return sentence

    monkeypatch.setattr("losscli.reports.json.answer", checked)


@pytest.fixture
def arena_of() -> Callable[..., Arena]:
    return make_arena


@pytest.fixture
def comparison_of() -> MakeComparison:
    def make(*arenas: Arena, record: str | None = None, unmet: Sequence[str] = ()) -> Comparison:
        timing = {"load_seconds": 0.5, "train_seconds": 2.0, "steps": 100, "run_samples_per_second": math.inf}
        return Comparison(arenas, "cpu", record, timing, unmet)

    return make
