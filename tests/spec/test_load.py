"""From a file to a spec: what is filled in, and every mistake at its place with a cure."""

import textwrap

import pytest

from losscli.errors import SpecError
from losscli.spec.load import build_spec, load_spec
from losscli.spec.mistakes import shown
from losscli.spec.names import refuse_name, safe_name
from losscli.spec.overrides import Overrides


@pytest.fixture
def load(tmp_path):
    def load(text, file="spec.yaml", **flags):
        path = tmp_path / file
        path.write_text(textwrap.dedent(text))
        return load_spec(path, Overrides(**flags))

    return load


def mistakes(load, text):
    """(place without the file, message, cure) of each problem."""
    with pytest.raises(SpecError) as refused:
        load(text)
    assert refused.value.exit_code == 2
    found = refused.value.problems
    assert all(problem.place.file.endswith("spec.yaml") for problem in found)
    return [(f"{problem.place.line}:{problem.place.column}", problem.message, problem.cure or "") for problem in found]


def test_what_is_left_out_is_filled_in(load, tmp_path):
    spec = load("task: binary\n", file="my first (2).yaml")
    assert spec.name == "my-first-2"
    assert spec.folder == str(tmp_path)
    assert spec.seeds == [0]
    assert [choice.name for choice in spec.loss] == ["bce-logits"]
    assert spec.model.kind == "mlp"
    assert spec.metrics
    assert spec.data.natural_task() == "binary"


def test_the_data_may_tell_the_task(load):
    assert load("data: {source: builtin, name: iris}\n").task == "multiclass"
    assert load("data: {source: builtin, name: diabetes}\n").task == "regression"


def test_a_full_spec(load):
    spec = load(
        """
        task: binary
        name: patients
        data: {source: builtin, name: breast_cancer, split: {test: 0.2, seed: 7}}
        loss:
          - bce
          - {name: focal, gamma: [0, 1]}
          - {name: bce-logits, output: [relu, none], lr: 0.5}
          - {gamma: .5, name: focal}
        model: {kind: linear, output: auto}
        train: {lr: [1e-3, 1], epochs: 2}
        seeds: [3, 1]
        metrics: [accuracy]
        expect: {test.accuracy: ">= 0.5", train.auroc: "<1e0"}
        schema_version: 1
        """
    )
    assert spec.train.lr == [0.001, 1.0]
    assert spec.seeds == [3, 1]
    assert spec.loss[2].output == ["relu", "none"]
    assert spec.loss[2].lr == 0.5
    assert spec.loss[3].options == {"gamma": 0.5}
    assert spec.data.split.seed == 7
    assert spec.expect == {"test.accuracy": ">= 0.5", "train.auroc": "<1e0"}


BINARY = "task: binary\n"
MOONS = "data: {source: synthetic, name: moons}\n"
MISTAKES = [
    ("task: no\n", "1:7", "got the text 'no'", "there are: binary"),
    ("task: binry\n", "1:7", "got the text 'binry'", "did you mean binary?"),
    ("task: [binary]\n", "1:7", "expected one of binary", ""),
    ("seeds: 1\n", "1:1", "there is no task", "give task"),
    (BINARY + "data: {source: builtin, name: iris, split: {stratify: no}}\n", "2:55", "true or false", "write false"),
    (BINARY + "train: {epochs: true}\n", "2:17", "train.epochs: expected a whole number, got true", ""),
    (BINARY + "train: {epochs: 1.5}\n", "2:17", "expected a whole number, got 1.5", ""),
    (BINARY + "train: {epochs: 2.0}\n", "2:17", "expected a whole number, got 2.0", "write 2"),
    (BINARY + 'train: {epochs: "10"}\n', "2:17", "got the text '10'", "without quotes: 10"),
    (BINARY + "train: {lr: -1}\n", "2:13", "train.lr: expected > 0", ""),
    (BINARY + "train: {lr: 0}\n", "2:13", "train.lr: expected > 0", ""),
    (BINARY + "train: {lr: [0.1, 0]}\n", "2:19", "train.lr.1: expected > 0", ""),
    (BINARY + "train: {lr: []}\n", "2:13", "at least 1", ""),
    (BINARY + 'train: {lr: "1e-3"}\n', "2:13", "expected a number or a list", "without quotes: 1e-3"),
    (BINARY + "train: {optimzer: adam}\n", "2:9", "unknown key 'optimzer'", "did you mean optimizer?"),
    (BINARY + "train: {optimizer: adm}\n", "2:20", "expected adam, adamw", "did you mean adam?"),
    (BINARY + "train: {batch_size: 0}\n", "2:21", "expected >= 1, got 0", ""),
    (BINARY + "train: 3\n", "2:8", "expected a block of keys, got 3", ""),
    (BINARY + "train:\n", "2:7", "expected a block of keys, got null", ""),
    (BINARY + "loss: bce-logit\n", "2:7", "'bce-logit'", "did you mean bce-logits?"),
    (BINARY + "loss: []\n", "2:7", "at least one loss", "bce-logits"),
    (BINARY + "loss: 3\n", "2:7", "expected the name of a loss, got 3", ""),
    (BINARY + "loss: {name: 3}\n", "2:14", "loss.name: expected the name of a loss, got 3", ""),
    ("task: multiclass\nloss: mse\n", "2:7", "is for regression", "cross-entropy"),
    (BINARY + "loss: {name: bce-logits, gamma: 2}\n", "2:26", "has no option 'gamma'", ""),
    (BINARY + "loss: {name: bce-logits, pos_weight: -1}\n", "2:38", "pos_weight", ""),
    (BINARY + "loss: {name: bce-logits, output: sigmod}\n", "2:34", "got the text 'sigmod'", "did you mean sigmoid?"),
    (BINARY + "loss: {name: bce-logits, lr: 0}\n", "2:30", "loss.lr: expected > 0", ""),
    ("task: regression\nloss: {name: huber, delta: 0}\n", "2:28", "delta", ""),
    ("task: regression\nloss:\n  - mse\n  - {name: quantile, tau: [0.5, 1.2]}\n", "4:33", "tau", ""),
    ("task: multiclass\nloss: {name: cross-entropy, label_smoothing: 1.5}\n", "2:46", "label_smoothing", ""),
    (BINARY + "seeds: -1\n", "2:8", "seeds: expected >= 1, got -1", ""),
    (BINARY + "seeds: 1.0\n", "2:8", "expected a whole number or a list or auto, got 1.0", "write 1"),
    (BINARY + "seeds: 1000000000\n", "2:8", "expected <= 10000", ""),
    (BINARY + "seeds: [0, 4294967296]\n", "2:12", "expected <= 4294967295", ""),
    (BINARY + "seeds: [0, -1]\n", "2:12", "expected >= 0, got -1", ""),
    (BINARY + "seeds: [3, 1, 3]\n", "2:15", "3 is there twice", ""),
    (BINARY + "seed: 3\n", "2:1", "unknown key 'seed'", "did you mean seeds?"),
    (BINARY + MOONS[:-2] + ", split: {seed: 18446744073709551616}}\n", "2:54", "expected <= 4294967295", ""),
    (BINARY + "model: {hidden: [0]}\n", "2:18", "model.hidden.0: expected >= 1", ""),
    (BINARY + "model: {hidden: [64, -3]}\n", "2:22", "model.hidden.1: expected >= 1", ""),
    (BINARY + "model: {hidden: [1000000000]}\n", "2:18", "expected <= 65536", ""),
    (BINARY + "model: {hidden: 64}\n", "2:17", "expected a list, got 64", "write [64]"),
    (BINARY + "model: {kind: mpl}\n", "2:15", "there is no 'mpl'", "did you mean mlp?"),
    (BINARY + "model: linear\n", "2:8", "expected a block of keys", "write {kind: linear}"),
    (BINARY + "_target_: os.system\n", "2:1", "unknown key '_target_'", "only registered names"),
    (BINARY + "model: {class_path: a.B}\n", "2:9", "unknown key 'class_path'", "only registered names"),
    (BINARY + "loss: os:system\n", "2:7", "there is no loss called 'os:system'", "only registered names"),
    (BINARY + "loss: my_loss.py:MyLoss\n", "2:7", "there is no loss called", "only registered names"),
    (BINARY + "data: {path: x.csv}\n", "2:1", "data: source is missing", "there are:"),
    (BINARY + "data: {source: cvs}\n", "2:16", "there is no 'cvs'", "did you mean csv?"),
    (BINARY + "data: iris\n", "2:7", "expected a block of keys", "write {source: "),
    (BINARY + "data: {source: csv, path: x.csv}\n", "2:1", "data: target is missing", "add target"),
    (BINARY + 'data: {source: csv, target: y, path: "http://x/y.csv"}\n', "2:38", "local file", ""),
    (BINARY + "data: {source: builtin, name: iri}\n", "2:31", "got the text 'iri'", "did you mean iris?"),
    (BINARY + "schema_version: 2\n", "2:17", "2 needs a newer losscli", "upgrade"),
    (BINARY + "schema_version: true\n", "2:17", "expected a whole number >= 1, got true", ""),
    (BINARY + "metrics: accuracy\n", "2:10", "expected a list of names", "write ["),
    (BINARY + "metrics: [acuracy]\n", "2:11", "no metric called 'acuracy'", "did you mean accuracy?"),
    (BINARY + "metrics: [accuracy, f1, accuracy]\n", "2:25", "'accuracy' is there twice", ""),
    (BINARY + "metrics: [1]\n", "2:11", "expected the name of a metric, got 1", ""),
    (BINARY + "expect: {test.accuracy: 0.5}\n", "2:25", "and a number, got 0.5", 'write ">= 0.5"'),
    (BINARY + 'expect: {test.accuracy: "== 1"}\n', "2:25", "got the text '== 1'", ""),
    (BINARY + 'expect: {test.accuracy: ">= nan"}\n', "2:25", "got the text '>= nan'", ""),
    (BINARY + 'expect: {tst.accuracy: "> 0"}\n', "2:10", "expected train, valid or test", ""),
    (BINARY + 'expect: {test.acuracy: "> 0"}\n', "2:10", "no metric called 'acuracy'", "did you mean accuracy?"),
    (BINARY + "expect: [1]\n", "2:9", "expected a block of keys, got [1]", ""),
    (BINARY + "name: ../x\n", "2:7", "got the text '../x'", "for example x"),
    (BINARY + "name: " + "x" * 300 + "\n", "2:7", "at most 64 bytes, got 300", "for example spec"),
    (BINARY + "metrics: [acc]\n", "2:11", "no metric called 'acc'", "did you mean accuracy?"),
    (BINARY + "loss: {name: bce, pos_weight: [null, 2, -1]}\n", "2:41", "pos_weight must be a number > 0, and -1", ""),
    (BINARY + "loss: {name: bce, pos_weight: [2, blanced]}\n", "2:35", "'blanced'", "did you mean balanced?"),
    (BINARY + "loss: {name: hinge, weight: [balanced, [1, -2]]}\n", "2:40", "per class, and -2 is given", ""),
    ("task: multiclass\nloss: {name: nll, weight: [null, [1, x]]}\n", "2:34", "per class, and 'x' is given", ""),
    ("task: multiclass\nloss: {name: nll, weight: []}\n", "2:27", "is an empty list", ""),
    (BINARY + "data: {source: synthetic, name: moons, noise: -1}\n", "2:47", "data.noise: expected >= 0, got -1", ""),
    (BINARY + "name: 3\n", "2:7", "got 3", ""),
    (BINARY + "loss: [bce, bce]\n", "2:7", "two entries are the same: bce", ""),
]


@pytest.mark.parametrize(("text", "place", "message", "cure"), MISTAKES, ids=[row[0][-40:].strip() for row in MISTAKES])
def test_each_mistake_at_its_place(text, place, message, cure, load):
    found = mistakes(load, text)
    assert len(found) == 1, found
    assert found[0][0] == place
    assert message in found[0][1]
    assert cure in found[0][2]


def test_all_mistakes_at_once_in_the_order_of_the_file(load):
    found = mistakes(
        load,
        """\
        task: binary
        optimzer: adam
        data: {source: builtin, name: iris, splt: 1}
        loss: [bce-logit, {name: focal, gamma: -1}]
        train: {epochs: true, foo: 1}
        seeds: [1, 1]
        metrics: [nothing]
        """,
    )
    assert [place for place, *_ in found] == ["2:1", "3:37", "4:8", "4:40", "5:17", "5:23", "6:12", "7:11"]


def test_twenty_thousand_unknown_keys_are_counted(load):
    found = mistakes(load, "task: binary\n" + "".join(f"key{n}: {n}\n" for n in range(20_000)))
    assert len(found) == 21
    assert "and 19980 more unknown keys" in found[-1][1]
    nested = mistakes(load, "task: binary\ntrain:\n" + "".join(f"  key{n}: {n}\n" for n in range(20_000)))
    assert len(nested) == 21


def test_a_file_that_is_wrong_everywhere_is_told_in_part(load):
    for text in (
        "expect: {" + ", ".join(f"test.m{n}: 1" for n in range(20_000)) + "}",
        "loss: {" + ", ".join(f"m{n}: 1" for n in range(20_000)) + "}",
        "seeds: [" + ", ".join(["1"] * 9_999) + "]",
    ):
        found = mistakes(load, f"task: binary\n{text}\n")
        assert len(found) == 51
        assert found[-1][1] == "there are more mistakes"


def test_long_text_is_cut(load):
    (found,) = mistakes(load, "task: binary\nname: " + "x" * 1_000_000 + "\n")
    assert len(found[1]) < 200
    assert len(found[2]) < 200
    (found,) = mistakes(load, "task: binary\nloss: " + "x" * 1_000_000 + "\n")
    assert len(found[1]) < 1_000
    assert len(shown({"a": 1})) < 90
    assert len(shown(list(range(10_000)))) < 90
    assert shown("a\nb\x1b", bare=True) == "a\\nb\\x1b"


UNSAFE = ["../x", "a/b", "CON", "nul.txt", "", "x" * 300, "-rf", "a\nb", "\x1b[1m", "[/x]", ".", "a.", "a\u202eb"]


@pytest.mark.parametrize("name", UNSAFE, ids=ascii)
def test_unsafe_names(name):
    assert refuse_name(name)
    assert refuse_name(safe_name(name)) is None


def test_relative_paths_are_left_to_the_folder_of_the_spec(load, tmp_path):
    spec = load("task: binary\ndata: {source: csv, path: ../../etc/passwd, target: y}\n")
    assert (spec.data.path, spec.folder) == ("../../etc/passwd", str(tmp_path))


def test_without_a_file():
    spec = build_spec(Overrides(data="wine", losses=["cross-entropy"], seeds=3, epochs=4))
    assert (spec.task, spec.name, spec.seeds, spec.train.epochs) == ("multiclass", "wine", [0, 1, 2], 4)
    with pytest.raises(SpecError, match="there is no task"):
        build_spec(Overrides())


def test_what_is_expected_is_measured(load):
    spec = load(
        'task: binary\nmetrics: [auroc]\nexpect: {test.accuracy: ">= 0.5", train.auroc: "> 0", valid.f1: "> 0"}\n'
    )
    assert spec.metrics == ["auroc", "accuracy", "f1"]


def test_made_up_data_are_told(load):
    for spec in (
        load("task: binary\n"),
        load(BINARY + "data: {split: {seed: 1}}\n"),
        build_spec(Overrides(task="binary")),
    ):
        (note,) = spec.notes
        assert (note.code, note.severity) == ("default-data", "info")
        assert "moons" in note.message
        assert "--data" in note.cure
    assert load(BINARY + MOONS).notes == ()
    assert build_spec(Overrides(data="moons")).notes == ()


def test_cures_name_only_commands_that_there_are(load, tmp_path):
    for text, cure in (("", "`task: binary` and `loss: bce-logits`"), (None, "losscli train --task binary")):
        with pytest.raises(SpecError) as refused:
            load(text) if text is not None else load_spec(tmp_path / "nothing.yaml")
        assert cure in refused.value.problems[0].cure


def test_yardstick_is_true_or_false() -> None:
    from losscli.errors import SpecError
    from losscli.spec.load import build_spec
    from losscli.spec.overrides import Overrides

    assert build_spec(Overrides(task="binary", yardstick=True)).yardstick
    assert not build_spec(Overrides(task="binary")).yardstick
    assert not build_spec(Overrides(task="binary", yardstick=True, sets=["yardstick=false"])).yardstick
    with pytest.raises(SpecError, match="yardstick: expected true or false"):
        build_spec(Overrides(task="binary", sets=["yardstick=maybe"]))
