"""`tune:` from a file or a flag to candidates; every mistake in it with its place and a cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from losscli.errors import SpecError
from losscli.spec.arenas import merge
from losscli.spec.dump import to_yaml
from losscli.spec.entries import entries
from losscli.spec.load import build_spec, load_spec
from losscli.spec.model import Spec
from losscli.spec.overrides import Overrides
from losscli.spec.tune import candidates, may_be

HEAD = "task: binary\nloss: [bce-logits, focal]\n"


def flags(*tune: str, losses: tuple[str, ...] = ("bce-logits", "focal"), **others: Any) -> Spec:
    return build_spec(Overrides(task="binary", losses=losses, tune=tune, **others))


def mistakes(**given: Any) -> list[tuple[str, str, str | None]]:
    with pytest.raises(SpecError) as caught:
        flags(*given.pop("tune"), **given)
    return [(str(found.place), found.message, found.cure) for found in caught.value.problems]


def in_file(tmp_path: Path, text: str) -> tuple[str, str, str | None]:
    (tmp_path / "spec.yaml").write_text(text)
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "spec.yaml")
    (found,) = caught.value.problems
    return str(found.place).removeprefix(f"{tmp_path}/spec.yaml:"), found.message, found.cure


def tries(spec: Spec) -> dict[str, list[tuple[float, dict[str, Any]]]]:
    return {one.name: [(each.lr, dict(each.options)) for each in candidates(spec, one)] for one in entries(spec)}


def test_every_entry_tries_the_same_rates_and_only_who_has_an_option_tries_it() -> None:
    spec = flags("lr=1e-3,1e-2", "gamma=0,1,2")
    assert tries(spec) == {
        "bce-logits": [(1e-3, {}), (1e-2, {})],
        "focal": [(rate, {"gamma": gamma}) for rate in (1e-3, 1e-2) for gamma in (0, 1, 2)],
    }
    assert [one.tuned for one in candidates(spec, entries(spec)[1])][1] == {"lr": 1e-3, "gamma": 1}


def test_without_tuning_the_entry_is_its_one_candidate() -> None:
    spec = flags()
    assert [candidates(spec, one) for one in entries(spec)] == [[one] for one in entries(spec)]


def test_what_an_entry_sets_itself_is_not_tuned(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("task: binary\nloss: [focal, {name: focal, gamma: 5}]\ntune: {gamma: [1, 3]}\n")
    assert tries(load_spec(tmp_path / "spec.yaml")) == {
        "focal": [(2e-3, {"gamma": 1}), (2e-3, {"gamma": 3})],
        "focal gamma=5": [(2e-3, {"gamma": 5})],
    }


def test_class_weights_can_be_tuned_where_the_engine_applies_them() -> None:
    spec = flags("weight=null,balanced", losses=("hinge",))
    assert [(one.weight, one.options) for one in candidates(spec, entries(spec)[0])] == [(None, {}), ("balanced", {})]


@pytest.mark.parametrize(
    ("lr", "rates"), [([], [2e-4, 6e-4, 2e-3, 6e-3, 2e-2]), ([0.05], [0.005, 0.015, 0.05, 0.15, 0.5])]
)
def test_rates_without_values_lie_around_that_of_the_training(lr: list[float], rates: list[float]) -> None:
    assert flags("lr", lr=lr).tune == {"lr": rates}


def test_a_flag_adds_to_the_file_and_replaces_what_has_its_name(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(HEAD + "tune: {lr: [1, 2], gamma: [1, 2]}\n")
    assert load_spec(tmp_path / "spec.yaml", Overrides(tune=["lr=3,4"])).tune == {"lr": [3, 4], "gamma": [1, 2]}


def test_a_written_spec_tunes_the_same(tmp_path: Path) -> None:
    spec = flags("lr", "pos_weight=null,2,balanced", losses=("bce-logits",), name="again")
    (tmp_path / "again.yaml").write_text(to_yaml(spec))
    assert load_spec(tmp_path / "again.yaml").tune == spec.tune
    assert spec.tune["pos_weight"] == [None, 2, "balanced"]


def test_specs_that_tune_differently_are_not_compared() -> None:
    same = [flags("lr=1,2", losses=("focal",)), flags("lr=1,2", losses=("bce-logits",), lr=[5.0])]
    assert [[choice.lr for choice in one.loss] for one in merge(same[:1] * 2)] == [[None]]
    assert len(merge([same[0], flags("lr=1,3", losses=("focal",))])) == 2
    assert len(merge([same[0], flags(losses=("focal",))])) == 2


def test_an_option_that_must_be_given_may_be_tuned(tmp_path: Path) -> None:
    text = "task: binary\nloss: {name: cost-sensitive, false_negative: 1}\n"
    (tmp_path / "spec.yaml").write_text(text + "tune: {false_positive: [1, 5]}\n")
    (found,) = tries(load_spec(tmp_path / "spec.yaml")).values()
    assert [options for _, options in found] == [{"false_negative": 1, "false_positive": each} for each in (1, 5)]
    assert "needs false_positive" in in_file(tmp_path, text)[1]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("tune: lr\n", "3:7", "tune: expected a block of keys, got the text 'lr'"),
        ("tune: {lr: 0.1}\n", "3:12", "tune.lr: expected a list of two or more values to choose from, got 0.1"),
        ("tune: {lr: [0.1]}\n", "3:12", "tune.lr: expected a list of two or more values to choose from, got [0.1]"),
        ("tune: {lr: [0.1, 0]}\n", "3:18", "tune.lr.1: expected a number > 0, got 0"),
        ("tune: {lr: [0.1, true]}\n", "3:18", "tune.lr.1: expected a number, got true"),
        ("tune: {lr: [0.1, 0.1]}\n", "3:18", "tune.lr: 0.1 is there twice"),
        ("tune: {gama: [1, 2]}\n", "3:8", "tune: none of the losses has the option 'gama'"),
        ("tune: {gamma: [1, -2]}\n", "3:19", "focal: gamma must be a number >= 0, and -2 is given"),
        ("tune: {lr: [1, 2]}\ntrain: {lr: [1, 2]}\n", "3:8", "tune.lr chooses one learning rate, and train.lr lists"),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, text: str, place: str, message: str) -> None:
    at, said, cure = in_file(tmp_path, HEAD + text)
    assert (at, said[: len(message)]) == (place, message)
    assert cure or "expected a number" in said


def test_a_name_of_no_option_gets_the_nearest() -> None:
    ((place, _, cure),) = mistakes(tune=("gama=1,2",))
    assert place == "--tune"
    assert cure is not None
    assert cure.startswith("did you mean gamma?")


def test_what_every_loss_sets_itself_cannot_be_tuned() -> None:
    ((_, message, _),) = mistakes(tune=("gamma=1,2",), losses=("focal",), sets=["loss.gamma=2"])
    assert message == "tune.gamma: focal sets gamma already, so there is nothing to tune"


def test_a_loss_with_a_rate_of_its_own_cannot_have_it_tuned(tmp_path: Path) -> None:
    text = "task: binary\nloss: [bce-logits, {name: focal, lr: 0.1}]\ntune: {lr: [1, 2]}\n"
    place, message, cure = in_file(tmp_path, text)
    assert place == "3:8"
    assert "focal sets its own" in message
    assert cure == "leave lr out of focal, or out of tune"


@pytest.mark.parametrize("tune", [("gamma",), ("=1",), ("lr", "lr=1,2")])
def test_a_flag_must_say_what_and_once(tune: tuple[str, ...]) -> None:
    ((place, _, cure),) = mistakes(tune=tune)
    assert place == "--tune"
    assert cure


def test_a_loss_that_is_wrong_is_the_one_mistake() -> None:
    assert [message for _, message, _ in mistakes(tune=("gamma=1,2",), losses=("bce-logits", "focl"))] == [
        "there is no loss called 'focl'"
    ]


def test_more_candidates_than_anybody_can_mean_are_refused() -> None:
    numbers = ",".join(map(str, range(1, 102)))
    ((_, message, _),) = mistakes(tune=(f"lr={numbers}", f"gamma={numbers}"))
    assert message == f"tune makes {101 + 101 * 101} candidates, more than 10000"


def test_what_a_grid_could_be_extended_by_is_what_its_losses_take() -> None:
    spec = flags("gamma=0,1")
    assert may_be(spec, "gamma", 2.0)
    assert not may_be(spec, "gamma", -1.0)
    assert may_be(spec, "lr", 10.0)
    assert not may_be(spec, "lr", -0.1)
