"""The reader: YAML 1.2 by its core schema (https://yaml.org/spec/1.2.2/#103-core-schema), every refusal at its place."""

import os
import threading

import pytest
import yaml

from losscli.errors import Place, SpecError
from losscli.spec import reader
from losscli.spec.reader import read_spec, read_value

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def either_parser(request, monkeypatch):
    monkeypatch.setattr(reader, "LOADER", request.param)


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "spec.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_spec(path)

    return read


def refusals(read, content):
    """What the reader says: (line, column, message) of each problem."""
    with pytest.raises(SpecError) as refused:
        read(content)
    assert refused.value.exit_code == 2
    return [(found.place.line, found.place.column, found.message) for found in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("-.5", -0.5),
        ("+3.", 3.0),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("0b101", "0b101"),
        ("1.2.3", "1.2.3"),
        ("-rf", "-rf"),
        ("<<", "<<"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("Null", None),
        ('"1e-3"', "1e-3"),
        ("'~'", "~"),
        ("[1e-3, [no, {a: 0.1}], ]", [0.001, ["no", {"a": 0.1}]]),
        ("{a, b: }", {"a": None, "b": None}),
    ],
)
def test_scalars_of_the_core_schema(text, value, read, either_parser):
    found = read(f"key: {text}\n").data["key"]
    assert found == value
    assert type(found) is type(value)
    assert read_value(text, "--set key") == value


def test_keys_are_text_as_they_stand(read):
    assert read("on: 1\nno: 2\n2024-01-01: 3\n'1': 4\n").data == {"on": 1, "no": 2, "2024-01-01": 3, "1": 4}


def test_byte_order_mark_and_carriage_returns(read):
    document = read(b"\xef\xbb\xbftask: binary\r\ntrain:\r\n  lr: 1e-3\r\n")
    assert document.data == {"task": "binary", "train": {"lr": 0.001}}
    assert document.spot(("train", "lr")).value.line == 3


def test_every_key_and_value_has_its_place(read, either_parser):
    document = read("task: binary\nloss:\n  - bce\n  - {name: focal, gamma: [0, 1]}\n")

    def places(*path):
        spot = document.spot(path)
        return (spot.key.line, spot.key.column), (spot.value.line, spot.value.column)

    assert places("task") == ((1, 1), (1, 7))
    assert places("loss") == ((2, 1), (3, 3))
    assert places("loss", 0) == ((3, 5), (3, 5))
    assert places("loss", 1, "gamma") == ((4, 19), (4, 26))
    assert places("loss", 1, "gamma", 1) == ((4, 30), (4, 30))
    assert places("loss", 1, "delta") == places("loss", 1) == ((4, 5), (4, 5))


REFUSED = [
    ("", None, None, "the spec is empty"),
    ("# nothing\n\n", None, None, "the spec is empty"),
    ("- task: binary\n", 1, 1, "must be a mapping of keys to values"),
    ("task", 1, 1, "must be a mapping of keys to values, got 'task'"),
    ("task: binary\n---\ntask: regression\n", 2, 1, "one document, the second begins at line 2"),
    ("task: binary\n...\nloss: bce\n", 3, 1, "one document, the second begins at line 3"),
    ("t: {x: 1, x: 2}\n", 1, 11, "the key 'x' is there twice in line 1"),
    ("a: 1\nb: 2\na: 3\n", 3, 1, "the key 'a' is there twice, at lines 1 and 3"),
    ("t:\n  {x: 1, y: 2,\n   x: 3}\n", 3, 4, "the key 'x' is there twice, at lines 2 and 3"),
    ("a: 1\nb:\n\tc: 1\n", 3, 1, "tabs are not allowed"),
    ("a: 1\nb:\n  \tc: 1\n", 3, 3, "tabs are not allowed"),
    ('a: 1\nb: "x\nc: 1\n', 2, 4, "quote is never closed"),
    ("a: 'x\nb: 'y'\n", 1, 4, "quote is not closed"),
    ("'a: 1\nb: 'y'\n", 1, 1, "quote is not closed"),
    ("a: 1\nb: [1, 2\nc: 3\n", 2, 4, "[ is not closed"),
    ("a: {x: [1, 2}\nb: 3\n", 1, 8, "[ is not closed"),
    ("a: {x: 1\n", 1, 4, "{ is not closed"),
    ("a: &x 1\n", 1, 4, "anchors are not allowed: &x"),
    ("a: *x\n", 1, 4, "aliases are not allowed: *x"),
    ("a: !!python/object/apply:os.system [ls]\n", 1, 4, "tags are not allowed: !!python/object/apply:os.system"),
    ("a: !!binary aGk=\n", 1, 4, "tags are not allowed: !!binary"),
    ("a: !!set {x}\n", 1, 4, "tags are not allowed: !!set"),
    ("a: !mine 1\n", 1, 4, "tags are not allowed: !mine"),
    ("!!map {a: 1}\n", 1, 1, "tags are not allowed: !!map"),
    ("1: x\n", 1, 1, "a key must be text, got 1"),
    ("a: {~: x}\n", 1, 5, "a key must be text, got null"),
    ("? [1, 2]\n: x\n", 1, 3, "a key must be text"),
    ("a: {[1, 2]: b}\n", 1, 5, "a key must be text"),
    ("a: 1_000\n", 1, 4, "underscores"),
    ("a: .nan\n", 1, 4, "a: expected a finite number, got .nan"),
    ("a: {b: [-.inf]}\n", 1, 9, "expected a finite number, got -.inf"),
    ("a: 1e999\n", 1, 4, "too large"),
    ("a: -1.5e-400\n", 1, 4, "read as 0"),
    ("a: 0.0000000001e-320\n", 1, 4, "read as 0"),
    ("a: " + "9" * 5000 + "\n", 1, 4, "at most 100 digits, got one of 5000"),
    ("a: " + "[" * 2000, 1, 35, "at most 32 levels"),
    ("a: " + "{a: " * 2000, 1, 128, "at most 32 levels"),
    ("a: b: c\n", 1, 5, "mapping values are not allowed"),
    ("%YAML 1.1\n---\na: 1\n", 1, 1, "YAML 1.2"),
    (b"a: 1\nb: \xff\n", 2, 4, "byte 8 (0xFF) is not"),
    ("a: 1\nb: \x00\n", 2, 4, "a NUL byte"),
    ("a: \x1b[1m\n", 1, 4, "the character U+001B"),
]


@pytest.mark.parametrize(("content", "line", "column", "message"), REFUSED, ids=[repr(row[0])[:30] for row in REFUSED])
def test_refused_at_its_place(content, line, column, message, read, either_parser):
    found = refusals(read, content)
    assert len(found) == 1
    assert found[0][:2] == (line, column)
    assert message in found[0][2]


def test_mistakes_that_do_not_stop_the_parser_come_together(read):
    found = refusals(read, "a: .nan\nb: &x 1\nb: 1_0\n1: *x\n")
    assert [place for *place, _ in found] == [[1, 4], [2, 4], [3, 1], [3, 4], [4, 1], [4, 4]]


def test_alias_bomb_is_refused_before_it_is_built(read):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    found = refusals(read, "\n".join(lines))
    assert len(found) == reader.MOST_PROBLEMS
    assert "anchors are not allowed" in found[0][2]
    assert len(refusals(read, "a: &a [*a]")) == 2


def test_utf16_and_size(read):
    assert "UTF-16" in refusals(read, "a: 1".encode("utf-16"))[0][2]
    assert "at most 1 MiB" in refusals(read, b"a: " + b"x" * (1 << 20))[0][2]
    assert read(b"a: " + b"x" * ((1 << 20) - 3)).data["a"][:2] == "xx"


def test_what_is_no_file(tmp_path, monkeypatch):
    def message(path):
        with pytest.raises(SpecError) as refused:
            read_spec(path)
        assert refused.value.problems[0].place == Place(str(path))
        return str(refused.value)

    assert "directory" in message(tmp_path)
    assert "No such file" in message(tmp_path / "none.yaml")
    assert "null" in message(tmp_path / "a\0b")
    assert "name too long" in message(tmp_path / ("x" * 300)).casefold()

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)  # the tests may run as root, to whom nothing is denied
    assert "Permission denied" in message(tmp_path / "spec.yaml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_fifo_never_hangs(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    said = []

    def attempt():
        try:
            read_spec(path)
        except SpecError as refused:
            said.append(str(refused))

    reading = threading.Thread(target=attempt, daemon=True)
    reading.start()
    reading.join(timeout=20)
    assert said == ["cannot read the spec: it is a FIFO"]


def test_a_value_of_a_flag_has_the_flag_as_its_place():
    for text in ("[1", "!!x 1", ".nan", "", "a: \x1b", "\udcff", "1\n---\n2"):
        with pytest.raises(SpecError) as refused:
            read_value(text, "--set train.lr")
        assert refused.value.problems[0].place == Place("--set train.lr")
        assert "line" not in str(refused.value)


def test_a_key_within_a_block_may_be_a_label_of_any_kind(read):
    text = "loss: {name: hinge, weight: {true: 1, 2: 3, 0.5: 4, no: 5}}\n"
    assert read(text).data["loss"]["weight"] == {"true": 1, "2": 3, "0.5": 4, "no": 5}
    with pytest.raises(SpecError, match="the key '1' is there twice"):
        read('a: {1: 2, "1": 3}\n')
