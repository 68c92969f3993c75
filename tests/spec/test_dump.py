"""A spec written and read again is the same spec, whatever it holds; PyYAML reads the same values."""

import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from losscli.spec.dump import flow, to_yaml
from losscli.spec.load import build_spec, load_spec
from losscli.spec.overrides import Overrides
from losscli.spec.reader import read_value

few = settings(max_examples=60, derandomize=True, database=None, deadline=None)

positive = st.floats(1e-300, 1e300)
text = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12) | st.sampled_from(["no", "1e-3", "~", "y", ""])
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


def written_and_read(spec, tmp_path):
    path = tmp_path / f"{spec.name}.yaml"
    path.write_text(to_yaml(spec), encoding="utf-8")
    return load_spec(path).model_copy(update={"folder": spec.folder, "origins": spec.origins})


@few
@given(values)
def test_any_value_is_read_as_it_was_written(value):
    found = read_value(flow(value), "--set x")
    assert found == value
    assert repr(found) == repr(value)  # 1 is not 1.0, and -0.0 is not 0.0


@few
@given(finite)
def test_floats_are_floats_to_yaml_1_1_too(number):
    found = yaml.safe_load(flow(number))
    assert isinstance(found, float)
    assert math.copysign(1, found) == math.copysign(1, number)
    assert found == number


@few
@given(
    rates=st.lists(positive, min_size=1, max_size=3, unique=True),
    gamma=positive,
    seeds=st.sets(st.integers(0, 2**32 - 1), min_size=1, max_size=4),
)
def test_round_trip(tmp_path_factory, rates, gamma, seeds):
    sets = [f"loss.gamma={flow(gamma)}", f"seeds={flow(sorted(seeds))}", "loss.output=[relu, none]", "data.noise=0.1"]
    spec = build_spec(Overrides(task="binary", losses=["focal"], data="moons", lr=rates, sets=sets))
    assert written_and_read(spec, tmp_path_factory.mktemp("specs")) == spec


@pytest.mark.parametrize(
    "flags",
    [
        {"task": "binary"},
        {"task": "multiclass", "losses": ["cross-entropy", "nll"], "seeds": 5},
        {"task": "multilabel", "name": "no"},
        {"task": "regression", "losses": ["huber"], "sets": ["loss.delta=[0.5, 1, 1e-9]", "expect.test.r2='> 0'"]},
        {"task": "binary", "sets": ["loss={name: bce-logits, pos_weight: [null, 2, balanced]}"]},
        {"data": "iris", "sets": ["loss={name: cross-entropy, weight: [1, 2, 3.0], lr: 1e-5}", "data.split.seed=3"]},
        {"task": "binary", "data": "a #: b.tsv", "target": ["y: \u202e\x85"], "drop": ["no", "1", "x" * 150, "'\""]},
    ],
    ids=str,
)
def test_round_trip_of_every_task(flags, tmp_path):
    spec = build_spec(Overrides(**flags)).model_copy(
        update={"notes": (), "origins": {}}
    )  # what was filled in is written out
    assert written_and_read(spec, tmp_path) == spec


def test_a_human_can_read_it():
    spec = build_spec(Overrides(task="binary", data="moons", losses=["bce", "focal"], seeds=2, lr=[1e-5], epochs=3))
    lines = to_yaml(spec).splitlines()
    assert lines[:3] == ["schema_version: 1", "task: binary", "name: moons"]
    assert "loss: [bce, focal]" in lines
    assert "seeds: 2" in lines
    assert "  lr: 1.0e-05" in lines
    assert max(map(len, lines)) <= 100


def test_the_data_are_found_from_a_new_folder(tmp_path):
    home = tmp_path / "configs"
    record = tmp_path / "runs" / "one"
    for folder in (home, record):
        folder.mkdir(parents=True)
    (home / "spec.yaml").write_text("task: binary\ndata: {source: csv, path: ../my data.csv, target: y}\n")
    spec = load_spec(home / "spec.yaml")
    (record / "spec.yaml").write_text(to_yaml(spec, relative_to=record))
    moved = load_spec(record / "spec.yaml")
    assert moved.data.path == "../../my data.csv"
    assert (Path(moved.folder) / moved.data.path).resolve() == (tmp_path / "my data.csv").resolve()
    absolute = f"task: binary\ndata: {{source: csv, path: {(tmp_path / 'x.csv').as_posix()}, target: y}}\n"
    (home / "spec.yaml").write_text(absolute)
    assert str(tmp_path) in to_yaml(load_spec(home / "spec.yaml"), relative_to=record)
