"""Flags on top of the file, `--set` on top of flags; a wrong flag gets the errors of a wrong file, at the flag."""

import pytest

from losscli.data.sources import all_endings
from losscli.errors import DataError, SpecError
from losscli.spec.load import build_spec, load_spec
from losscli.spec.overrides import Overrides


@pytest.fixture
def load(tmp_path):
    def load(text, **flags):
        path = tmp_path / "spec.yaml"
        path.write_text(text)
        return load_spec(path, Overrides(**flags))

    return load


FILE = """\
task: binary
data: {source: builtin, name: breast_cancer, split: {test: 0.3}}
loss: [bce-logits, {name: focal, gamma: 1}]
train: {epochs: 7, lr: 0.1}
"""


def test_flags_are_put_on_top(load):
    flags = {"losses": ["bce"], "epochs": 3, "batch_size": 16, "lr": [0.1, 0.2], "seeds": "0,3,7", "device": "cpu"}
    spec = load(FILE, **flags, metrics=["f1"], name="other")
    assert [choice.name for choice in spec.loss] == ["bce"]
    assert (spec.train.epochs, spec.train.batch_size, spec.train.lr, spec.train.device) == (3, 16, [0.1, 0.2], "cpu")
    assert (spec.seeds, spec.metrics, spec.name) == ([0, 3, 7], ["f1"], "other")
    assert spec.data.name == "breast_cancer"


def test_what_is_not_given_is_left_as_it_is(load):
    flag, line = load(FILE, seeds="5"), load(FILE + "seeds: 5\n")
    assert flag == line.model_copy(update={"origins": flag.origins})
    assert load(FILE, seeds=5).train.epochs == 7


def test_set_is_put_on_top_of_flags(load):
    spec = load(
        FILE,
        epochs=3,
        sets=["train.epochs=4", "train.clip=1e-3", 'expect.test.accuracy=">= 0.1"', "name=a"],
    )
    assert (spec.train.epochs, spec.train.clip, spec.name) == (4, 0.001, "a")
    assert spec.expect == {"test.accuracy": ">= 0.1"}


def test_set_a_whole_block_or_a_list_item(load):
    spec = load(FILE, sets=["model={kind: mlp, hidden: [4, 8]}", "model.hidden.1=16", "loss.1.gamma=3", "seeds=[1, 2]"])
    assert spec.model.hidden == [4, 16]
    assert spec.loss[1].options == {"gamma": 3}
    assert spec.seeds == [1, 2]


def test_set_an_option_of_the_losses(load):
    assert load("task: binary\nloss: focal\n", sets=["loss.gamma=2.5"]).loss[0].options == {"gamma": 2.5}
    assert load("task: binary\nloss: {name: focal}\n", sets=["loss.gamma=[0, 1]"]).loss[0].options == {"gamma": [0, 1]}
    assert load("task: binary\n", sets=["loss.name=focal", "loss.gamma=1"]).loss[0].options == {"gamma": 1}
    both = load(FILE, sets=["loss.gamma=5"]).loss
    assert [choice.options for choice in both] == [{}, {"gamma": 5}]
    assert [choice.output for choice in load(FILE, sets=["loss.output=softplus"]).loss] == ["softplus", "softplus"]


def test_other_data_replace_the_block_but_not_the_split(load):
    spec = load(FILE, data="moons")
    assert (spec.data.source, spec.data.name, spec.data.split.test) == ("synthetic", "moons", 0.3)
    assert load(FILE, data="moons", sets=["data.noise=0.5"]).data.options == {"noise": 0.5}
    assert load("task: binary\n", data="breast_cancer").data.source == "builtin"


def test_a_table_is_relative_to_where_the_command_runs(load, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    spec = load(FILE, data="here.csv", target=["y"], drop=["a", "b"])
    assert (spec.data.source, spec.data.target, spec.data.drop) == ("csv", "y", ["a", "b"])
    assert (tmp_path / spec.data.path).resolve() == (tmp_path.parent / "here.csv").resolve()
    assert load(FILE, data="here.tsv", target=["y", "z"]).data.delimiter == "\t"
    assert build_spec(Overrides(task="binary", data="here.csv", target=["y"])).data.path == "here.csv"


WRONG = [
    ({"task": "binry"}, "--task", "got the text 'binry'"),
    ({"losses": ["focl"]}, "--loss", "no loss called 'focl'"),
    ({"losses": ["bce", "focl"]}, "--loss", "no loss called 'focl'"),
    ({"data": "moon"}, "--data", "got 'moon'"),
    ({"data": "http://x/y.csv", "target": ["y"]}, "--data", "local file"),
    ({"data": "moon", "target": ["y"]}, "--data", "got 'moon'"),
    ({"target": ["y"]}, "--target", "unknown key 'target'"),
    ({"epochs": 0}, "--epochs", "expected >= 1, got 0"),
    ({"epochs": 1e3}, "--epochs", "expected a whole number or auto, got 1000.0"),
    ({"batch_size": -1}, "--batch-size", "expected >= 1, got -1"),
    ({"lr": [float("nan")]}, "--lr", "expected a finite number, got nan"),
    ({"lr": [0.1, float("inf")]}, "--lr", "expected a finite number, got inf"),
    ({"seeds": "many"}, "--seeds", "expected a whole number or a list or auto, got the text 'many'"),
    ({"seeds": "1,,2"}, "--seeds", "a value is missing"),
    ({"seeds": "0,0"}, "--seeds", "0 is there twice"),
    ({"metrics": ["acuracy"]}, "--metric", "no metric called 'acuracy'"),
    ({"sets": ["train.lr"]}, "--set train.lr", "expected KEY=VALUE"),
    ({"sets": ["train..lr=1"]}, "--set train..lr", "expected KEY=VALUE"),
    ({"sets": ["=1"]}, "--set ", "expected KEY=VALUE"),
    ({"sets": ["train.lr="]}, "--set train.lr", "a value is missing"),
    ({"sets": ["train.lr=-1"]}, "--set train.lr", "expected > 0, got -1"),
    ({"sets": ["train.lr='1'"]}, "--set train.lr", "got the text '1'"),
    ({"sets": ["train.lr=.nan"]}, "--set train.lr", "expected a finite number"),
    ({"sets": ["train.optimzer=sgd"]}, "--set train.optimzer", "unknown key 'optimzer'"),
    ({"sets": ["a.b=c=d"]}, "--set a.b", "unknown key 'a'"),
    ({"sets": ["loss.gamma=[1"]}, "--set loss.gamma", "[ is not closed"),
    ({"sets": ["loss.gamma=-1"]}, "--set loss.gamma", "gamma"),
    ({"sets": ["loss.gama=1"]}, "--set loss.gama", "none of the losses has the option 'gama'"),
    ({"losses": ["bce"], "sets": ["loss.gamma=1"]}, "--set loss.gamma", "has no option 'gamma'"),
    ({"sets": ["loss.9.gamma=1"]}, "--set loss.9.gamma", "none of the losses"),
    ({"sets": ["expect.test.accuracy=>= 1"]}, "--set expect.test.accuracy", "this is not YAML"),
    ({"sets": ["task.x=1"]}, "--set task.x", "there is no task.x: task is 'binary'"),
    ({"sets": ["loss." + "9" * 5000 + ".gamma=1"]}, "--set loss." + "9" * 75 + "…", "none of the losses"),
    ({"sets": ["model={hidden: [1]}", "model.hidden.0=-1"]}, "--set model.hidden.0", "expected >= 1, got -1"),
    ({"sets": ["seeds=[1]", "seeds.4=1"]}, "--set seeds.4", "seeds is a list of 1"),
    ({"sets": ["train=!!python/name:os.system x"]}, "--set train", "tags are not allowed"),
]


@pytest.mark.parametrize(("flags", "place", "message"), WRONG, ids=[str(row[0])[:60] for row in WRONG])
def test_a_wrong_flag_is_told_at_the_flag(flags, place, message, load):
    with pytest.raises(SpecError) as refused:
        load(FILE, **flags)
    (found,) = refused.value.problems
    assert str(found.place) == place
    assert message in found.message


def test_wrong_flags_and_a_wrong_file_are_told_together(load):
    with pytest.raises(SpecError) as refused:
        load(FILE + "sede: 1\n", epochs=0, data="moon", sets=["train", "x=1"])
    places = [str(found.place).rpartition("/")[2] for found in refused.value.problems]
    assert places == ["--data", "--set train", "--set x", "--epochs", "spec.yaml:5:1"]


@pytest.mark.parametrize("name", ["x.xlsx", "x.pkl", "x.npy", "x.csv.gz"])
def test_a_format_that_is_not_read_is_the_one_thing_told(name, load):
    with pytest.raises(DataError, match="is not supported") as refused:
        load(FILE, data=name, target=["y"])
    (problem,) = refused.value.problems
    assert problem.cure == f"give a {', '.join(all_endings()[:-1])} or {all_endings()[-1]} file"


def test_without_a_target_a_missing_file_is_told_first(load, tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        load(FILE, data=str(tmp_path / "nope.csv"))
    (tmp_path / "there.csv").write_text("x,y\n1,2\n")
    with pytest.raises(SpecError, match="data: target is missing") as refused:
        load(FILE, data=str(tmp_path / "there.csv"))
    assert "--target COLUMN" in refused.value.problems[0].cure


TABLE = {"data": "t.csv", "target": ["y"]}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("x;y\n" + "1,5;0\n2,5;1\n" * 20)
    (tmp_path / "both").mkdir()
    for name in ("a.csv", "b.parquet"):
        (tmp_path / "both" / name).write_text("x,y\n")


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("key", "typed", "meant"),
    [
        ("delimiter", ";", ";"),
        ("delimiter", "\\t", "\t"),
        ("delimiter", '"\\t"', "\t"),
        ("delimiter", "|", "|"),
        ("delimiter", " ", " "),
        ("delimiter", "null", None),
        ("separator", "|", "|"),
        ("separator", ",", ","),
        ("decimal", '","', ","),
    ],
)
def test_a_sign_is_what_is_left_when_the_shell_has_taken_its_quotes(key, typed, meant):
    spec = build_spec(Overrides(**TABLE, task="multilabel", sets=["data.delimiter=;", f"data.{key}={typed}"]))
    assert getattr(spec.data, key) == meant


@pytest.mark.usefixtures("table")
def test_a_column_with_dots_gets_its_kind():
    sets = ["data.delimiter=;", "data.decimal=,", "data.types.x=number"]
    assert build_spec(Overrides(**TABLE, sets=sets)).task == "binary"
    spec = build_spec(Overrides(**TABLE, task="binary", sets=["data.types.a.b=date"]))
    assert spec.data.types == {"a.b": "date"}


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        ("", SpecError, "--data must name data, and is empty"),
        ("both", DataError, "all of its tables must be of one kind"),
    ],
)
def test_what_names_no_table_is_refused(data, kind, says):
    with pytest.raises(kind) as refused:
        build_spec(Overrides(data=data, target=["y"]))
    assert says in refused.value.problems[0].message
    assert refused.value.problems[0].cure


def test_class_weights_go_to_every_loss_that_can_take_them():
    """One has them as an option of its own, to the other the engine applies them."""
    asked = Overrides(task="multiclass", losses=["cross-entropy", "brier"], sets=["loss.weight=balanced"])
    first, second = build_spec(asked).loss
    assert first.options == {"weight": "balanced"}
    assert second.weight == "balanced"
