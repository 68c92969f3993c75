"""What ails a pair, with pairs that are made ill on purpose, and with one that is well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from losscli.experiment import load
from losscli.losses import find, for_task, loss
from losscli.pipeline import run
from losscli.spec.load import build_spec
from losscli.spec.overrides import Overrides
from losscli.tasks.ailments import symptoms, wiring
from losscli.tasks.phases import Standing

LOSSES = list(for_task("gan"))


def codes(*sets: str, loss: str = "r3gan", rows: int = 300) -> set[str]:
    """The codes of a short training on a ring."""
    plan = ("model.hidden=[8]", "train.epochs=3", f"data.n_samples={rows}", *sets)
    spec = build_spec(Overrides(task="gan", data="ring", losses=[loss], sets=plan))
    (arena,) = run([spec], out=None).arenas
    return {finding.code for finding in arena.findings}


@pytest.mark.parametrize("name", LOSSES)
def test_a_catalogue_loss_is_wired_well(name: str) -> None:
    assert list(wiring(name, find(name, "gan"), ())) == []


@pytest.mark.parametrize(("name", "chain", "said"), [
    ("wgan-gp", ("sigmoid",), True), ("wgan-clip", ("tanh",), True), ("r3gan", ("relu", "softmax"), True),
    ("wgan-gp", ("relu",), False), ("gan-nonsaturating", ("sigmoid",), False),
])  # fmt: skip
def test_a_bounded_critic_is_seen(name: str, chain: tuple[str, ...], said: bool) -> None:
    assert [finding.code for finding in wiring(name, find(name, "gan"), chain)] == ["bounded-critic"] * said


def test_a_sigmoid_under_a_wasserstein_critic_is_told_in_training() -> None:
    assert "bounded-critic" in codes("model.output=sigmoid", loss="wgan-gp")
    assert "bounded-critic" not in codes(loss="wgan-gp")


def test_two_sides_that_want_the_same_are_seen() -> None:
    item = find("wgan-gp", "gan")
    turned = replace(item, kernels={"generator": lambda real, fake: fake})  # -fake is right
    (finding,) = wiring("mine", turned, ())
    assert (finding.code, finding.severity) == ("equal-signs", "error")
    assert "both lower the scores of made-up rows" in finding.message
    without = replace(item, kernels={})  # the discriminator's, for both
    assert [finding.code for finding in wiring("mine", without, ())] == ["equal-signs"]


def test_a_loss_of_a_file_has_one_side_which_is_told(tmp_path) -> None:
    (tmp_path / "own.py").write_text("def critic(real, fake):\n    return (fake - real).mean()\n")
    spec = build_spec(Overrides(task="gan", data="ring", losses=[f"{tmp_path / 'own.py'}:critic"]))
    assert "equal-signs" in {finding.code for finding in load(spec).findings}


def standing(slope: float = 0.4, penalty: float = 0.1, **scores: float) -> Standing:
    return Standing(
        {"discriminator": (0.3, 0.2), "generator": (0.0, slope)}, {"discriminator": penalty}, scores, {"modes": 8}
    )


@pytest.mark.parametrize(("ill", "code", "words"), [
    (standing(slope=0.002), "saturated-generator", "0.002"),
    (standing(penalty=1e-7), "idle-penalty", "1e-07"),
    (standing(**{"modes": 3.0, "good-share": 0.7}), "mode-collapse", "3 of 8 lumps"),
    (standing(**{"lost-spread": 0.9}), "mode-collapse", "90 % of the spread"),
    (standing(copies=0.4), "copied-rows", "40 % of the rows are copies"),
])  # fmt: skip
def test_symptoms_are_told_with_what_was_measured(ill: Standing, code: str, words: str) -> None:
    well = standing(**{"modes": 8.0, "good-share": 0.7, "lost-spread": 0.1})
    assert list(symptoms("x", [well])) == []
    (finding,) = symptoms("x", [well, ill, ill])
    assert (finding.code, finding.severity) == (code, "warning")
    assert words in finding.message
    assert "2 of 3 runs" in finding.message


def test_what_has_not_learned_yet_has_not_collapsed() -> None:
    assert list(symptoms("x", [standing(**{"modes": 0.0, "good-share": 0.01, "lost-spread": 0.1})])) == []


def test_a_penalty_of_weight_zero_is_never_active() -> None:
    assert "idle-penalty" in codes("loss.gamma=0")
    assert "idle-penalty" not in codes()


def test_a_saturated_generator_is_measured() -> None:
    """A discriminator that learns a hundred times as fast wins, and the minimax generator has no slope left."""
    plan = ("lr_discriminator=0.02", "critic_steps=5", "lr=1e-5", "schedule=constant", "epochs=4")
    fast = ("model.hidden=[32]", *(f"train.{key}" for key in plan))
    assert "saturated-generator" in codes(*fast, loss="gan-minimax", rows=1500)
    assert "saturated-generator" not in codes(*fast, loss="gan-nonsaturating", rows=1500)


def test_a_generator_that_makes_one_row_has_collapsed() -> None:
    """No step moves it, and its last layer starts near 0: all of its rows are about the same."""
    assert "mode-collapse" in codes("train.lr=1e-9")


def test_a_pair_by_a_decorator_is_one_loss() -> None:
    """What a plugin writes: the two kernels, under one name."""
    assert loss is not None
    assert all(set(find(name, "gan").sides) == {"discriminator", "generator"} for name in LOSSES)
