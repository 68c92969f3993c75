"""What a spec's lists become: one entry per loss, option value and learning rate, each with its own name."""

import pytest

from losscli.errors import SpecError
from losscli.spec.entries import entries
from losscli.spec.load import load_spec


@pytest.fixture
def found(tmp_path):
    def found(text):
        path = tmp_path / "spec.yaml"
        path.write_text(text)
        return entries(load_spec(path))

    return found


def names(found):
    return [entry.name for entry in found]


def test_one_loss(found):
    (entry,) = found("task: binary\nloss: bce-logits\n")
    assert (entry.name, entry.loss, entry.options, entry.output, entry.lr) == (
        "bce-logits",
        "bce-logits",
        {},
        (),
        0.002,
    )


def test_names_tell_what_is_not_default(found):
    losses = "{name: focal, gamma: 2}, {name: focal, gamma: 0.5, alpha: 0.25}, {name: bce, pos_weight: balanced}"
    assert names(found(f"task: binary\nloss: [{losses}]\n")) == [
        "focal",
        "focal gamma=0.5 alpha=0.25",
        "bce pos_weight=balanced",
    ]


def test_a_grid_is_named_throughout(found):
    made = found("task: binary\nloss: {name: focal, gamma: [0, 1.0, 2, 0.1], alpha: [0.25]}\n")
    assert names(made) == [f"focal gamma={gamma} alpha=0.25" for gamma in ("0", "1", "2", "0.1")]
    assert [entry.options["gamma"] for entry in made] == [0, 1.0, 2, 0.1]
    assert all(entry.options["alpha"] == 0.25 for entry in made)


def test_a_list_per_class_is_no_grid(found):
    (entry,) = found("task: multiclass\nloss: {name: cross-entropy, weight: [1.0, 2, 0.5]}\n")
    assert entry.name == "cross-entropy weight=[1,2,0.5]"
    assert entry.options == {"weight": [1.0, 2, 0.5]}


def test_rates(found):
    made = found("task: binary\nloss: [bce, hinge]\ntrain: {lr: [1e-5, 0.1]}\n")
    assert names(made) == ["bce lr=1e-05", "bce lr=0.1", "hinge lr=1e-05", "hinge lr=0.1"]
    assert [entry.lr for entry in made] == [1e-5, 0.1, 1e-5, 0.1]
    assert names(found("task: binary\ntrain: {lr: [0.1]}\n")) == ["bce-logits"]
    assert names(found("task: binary\nloss: [bce, {name: hinge, lr: 1}]\n")) == ["bce lr=0.002", "hinge lr=1"]


@pytest.mark.parametrize(
    ("model", "own", "chain", "said"),
    [
        ("auto", None, ("sigmoid",), "bce"),
        ("none", None, (), "bce output=none"),
        ("tanh", None, ("tanh",), "bce output=tanh"),
        ("tanh", "auto", ("sigmoid",), "bce"),
        ("auto", "[relu, none, sigmoid]", ("relu", "sigmoid"), "bce output=relu+none+sigmoid"),
    ],
)
def test_what_stands_between_model_and_loss(model, own, chain, said, found):
    output = f", output: {own}" if own else ""
    (entry,) = found(f"task: binary\nloss: {{name: bce{output}}}\nmodel: {{output: {model}}}\n")
    assert (entry.output, entry.name) == (chain, said)


@pytest.mark.parametrize(
    "text",
    [
        "loss: [bce, bce]",
        "loss: [focal, {name: focal, gamma: 2.0}]",
        "loss: {name: focal, gamma: [1, 1.0]}",
        "train: {lr: [0.1, 0.1]}",
        "loss: [bce, {name: bce, output: sigmoid}]",
        "loss: [bce-logits, {name: bce-logits, lr: 0.002}]",
    ],
)
def test_the_same_twice_is_a_mistake(text, found):
    with pytest.raises(SpecError, match="two entries are the same") as refused:
        found(f"task: binary\n{text}\n")
    assert refused.value.problems[0].place is not None


def test_too_many(found):
    rates = ", ".join(f"{n}e-6" for n in range(1, 202))
    with pytest.raises(SpecError, match="40401 entries"):
        found(f"task: binary\nloss: {{name: focal, gamma: [{rates}]}}\ntrain: {{lr: [{rates}]}}\n")


@pytest.mark.parametrize(
    ("task", "loss", "said"),
    [
        ("binary", "{name: bce-logits, pos_weight: [null, 2, balanced]}", ["=null", "=2", "=balanced"]),
        ("binary", "{name: bce-logits, pos_weight: [1, 2]}", ["=1", "=2"]),
        ("binary", "{name: hinge, weight: [null, [1, 3]]}", ["=null", "=[1,3]"]),
        ("binary", "{name: hinge, weight: [1, 3]}", ["=[1,3]"]),
        ("multilabel", "{name: bce-logits, pos_weight: [1, 2]}", ["=[1,2]"]),
        ("multilabel", "{name: bce-logits, pos_weight: [balanced, [1, 2]]}", ["=balanced", "=[1,2]"]),
        (
            "multiclass",
            "{name: nll, weight: [null, balanced, [2, 1, 1], {a: 2}]}",
            ["=null", "=balanced", "=[2,1,1]", "={a:2}"],
        ),
        ("multiclass", "{name: focal, alpha: [balanced, effective]}", ["=balanced", "=effective"]),
    ],
)
def test_a_list_per_class_with_more_than_numbers_in_it_is_a_grid(task, loss, said, found):
    made = found(f"task: {task}\nloss: {loss}\n")
    assert ["=" + entry.name.split("=")[1] for entry in made] == said
    assert all(entry.name.count("=") == 1 for entry in made)


def test_class_weights_of_a_grid_are_each_entrys_own(found):
    plain, weighted = found("task: binary\nloss: {name: hinge, weight: [null, balanced]}\n")
    assert (plain.options, plain.weight, weighted.options, weighted.weight) == ({}, None, {}, "balanced")


def test_what_stands_beside_the_options_is_kept(found):
    first, second, third = found(
        "task: binary\nloss: [bce, {name: bce, output: [relu, sigmoid], lr: 0.1}, {name: hinge, weight: balanced}]\n"
    )
    assert first.beside == {"lr": 0.002}
    assert second.beside == {"output": ["relu", "sigmoid"], "lr": 0.1}
    assert third.beside == {"weight": "balanced", "lr": 0.002}
    assert found("task: binary\n")[0].beside == {}


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("output", ["softmax", "[relu, log-softmax]"])
def test_a_softmax_over_one_output_is_refused(task, output, found):
    with pytest.raises(SpecError, match=f"a softmax needs several outputs per row, and {task} has one"):
        found(f"task: {task}\nmodel: {{kind: linear, output: {output}}}\n")
