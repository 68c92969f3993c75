"""What the command line puts on top of a spec file: first the flags, then every `--set`.

A value from a flag has the same type and gets the same errors as one in the file; its place is the flag.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from losscli.errors import DataError, Place, Problem, SpecError, choose_from
from losscli.spec.document import Document, Keys, Spot
from losscli.spec.mistakes import dotted, shown
from losscli.spec.reader import read_value

OF_ANY = ("split", "corrupt")  # keys of a data block that any data may have
SIGNS = tuple(
    f"data.{key}" for key in ("decimal", "delimiter", "thousands", "separator", "positive")
)  # a shell takes quotes off
NOTHING = ("null", "~", '""', "''")  # what a spec writes for no value


@dataclass(frozen=True)
class Overrides:
    """Flags as they were typed; what is None or empty was not given."""

    task: str | None = None
    name: str | None = None
    losses: tuple[str, ...] | list[str] = ()
    data: str | None = None  # a table file, a built-in data set or a generator
    target: tuple[str, ...] | list[str] = ()
    drop: tuple[str, ...] | list[str] = ()
    epochs: int | None = None
    batch_size: int | None = None
    lr: tuple[float, ...] | list[float] = ()
    seeds: int | str | None = None  # "5" means 0..4, "0,3,7" means these, "auto" as many as it takes
    device: str | None = None
    precision: str | None = None
    metrics: tuple[str, ...] | list[str] = ()
    yardstick: bool | None = None
    tune: tuple[str, ...] | list[str] = ()  # "lr", or "gamma=0.5,1,2"
    sets: tuple[str, ...] | list[str] = ()  # "train.lr=1e-3"
    damage: tuple[tuple[str, str, Any], ...] = ()  # flag, kind of data.corrupt and its levels

    @property
    def own(self) -> dict[str, str]:
        """Losses that are code in a file, FILE.py:NAME by the name that stands for each in a spec; typed here only."""
        from losscli.losses.own import label_of, refers

        by_label: dict[str, str] = {}
        for text in filter(refers, self.losses):
            if by_label.setdefault(label_of(text), text) != text:
                both = f"{shown(by_label[label_of(text)])} and {shown(text)}"
                raise SpecError(f"{both} have the same name in a table", place=Place("--loss"), cure="rename a file")
        return by_label

    def on(self, document: Document, folder: Path) -> tuple[Document, list[Problem]]:
        """The document with these on top, and what is wrong with them; `folder` is what paths in it are relative to."""
        edited = Editor(Document(deepcopy(document.data), dict(document.spots)))
        if self.data is not None:
            with edited.attempt():
                self._refuse_file(self.data, self.task or document.data.get("task"))
                edited.replace_data(_data_block(self.data, folder), Place("--data"))
        refused = bool(edited.problems)
        for flag, path, value in self._flags():
            if refused and path[0] == "data":
                continue  # there is no block to put it in, which is told already
            with edited.attempt():
                edited.put(path, value, Place(flag))
        if self.seeds is not None:
            with edited.attempt():
                edited.put(("seeds",), _seeds(self.seeds), Place("--seeds"))
        for text in self.tune:
            with edited.attempt():
                edited.tune(text)
        for flag, kind, levels in self.damage:
            with edited.attempt():
                edited.put(("data", "corrupt", kind), levels, Place(flag))
        for text in self.sets:
            with edited.attempt():
                edited.set(text)
        return edited.document, edited.problems

    def _refuse_file(self, text: str, task: Any) -> None:
        """What is wrong with a file that `--data` names, as far as one can tell without reading it."""
        if not text:
            raise SpecError("--data must name data, and is empty", place=Place("--data"), cure=f"give a {_files()}")
        if not _is_table(text) or self.target or any(setting.startswith("data.target") for setting in self.sets):
            return
        if "://" not in text and not Path(text).exists():
            raise DataError(f"there is no file {shown(text)}", place=Place("--data"), cure="check the path")
        from losscli.tasks import tasks  # numpy is behind it, and what is no YAML is told before

        if task in tasks and not tasks.get(task).has_target:
            return
        raise SpecError(
            "data: target is missing", place=Place("--data"), cure="add --target COLUMN, the column to predict"
        )

    def _flags(self) -> Iterator[tuple[str, Keys, Any]]:
        labels = {text: label for label, text in self.own.items()}
        rows: list[tuple[str, Keys, Any]] = [
            ("--task", ("task",), self.task),
            ("--name", ("name",), self.name),
            ("--loss", ("loss",), _one_or_all([labels.get(name, name) for name in self.losses])),
            ("--target", ("data", "target"), _one_or_all(self.target)),
            ("--drop", ("data", "drop"), list(self.drop) or None),
            ("--epochs", ("train", "epochs"), self.epochs),
            ("--batch-size", ("train", "batch_size"), self.batch_size),
            ("--lr", ("train", "lr"), _one_or_all(self.lr)),
            ("--device", ("train", "device"), self.device),
            ("--precision", ("train", "precision"), self.precision),
            ("--metric", ("metrics",), list(self.metrics) or None),
            ("--yardstick", ("yardstick",), self.yardstick),
        ]
        return (row for row in rows if row[2] is not None)


@dataclass
class Editor:
    """A document that is being changed, and what went wrong on the way."""

    document: Document

    def __post_init__(self) -> None:
        self.problems: list[Problem] = []

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Make a change; what is wrong with it is kept beside the rest."""
        try:
            yield
        except SpecError as wrong:
            self.problems.extend(wrong.problems)

    def put(self, path: Keys, value: Any, place: Place) -> None:
        """Replace the value at a path, making the blocks on the way to it."""
        block = self.document.data
        for depth, key in enumerate(path[:-1]):
            if isinstance(block, dict) and block.get(str(key)) is None:
                block[str(key)] = {}
                self.document.spots[path[: depth + 1]] = Spot(place, place)
            block = self._inside(block, key, path[: depth + 1], place)
        if isinstance(block, dict):
            block[str(path[-1])] = value
        else:
            self._inside(block, path[-1], path, place)
            block[int(path[-1])] = value
        for inner in [inner for inner in self.document.spots if inner[: len(path)] == path]:
            del self.document.spots[inner]
        self.document.spots[path] = Spot(place, place)

    def _inside(self, block: Any, key: str | int, path: Keys, place: Place) -> Any:
        if isinstance(block, dict):
            return block[str(key)]
        if _counts(block, key):
            return block[int(key)]
        what = f"a list of {len(block)}" if isinstance(block, list) else shown(block)
        cure = "say either how many seeds, or --seeds auto with start and most" if path[0] == "seeds" else None
        message = f"there is no {dotted(path)}: {dotted(path[:-1]) or 'the spec'} is {what}"
        raise SpecError(message, place=place, cure=cure)

    def replace_data(self, block: dict[str, Any], place: Place) -> None:
        """Other data: nothing of the old block holds for them but how to split, and what to do to the training rows."""
        old = self.document.data.get("data")
        common = {key: old[key] for key in OF_ANY if isinstance(old, dict) and key in old}
        inner = [("data", key) for key in common]
        spots = {path: spot for path, spot in self.document.spots.items() if path[:2] in inner}
        self.put(("data",), {**block, **common}, place)
        self.document.spots.update(spots)

    def set(self, text: str) -> None:
        """One `--set`: a path of keys, the first `=`, a value as in the file."""
        name, equals, value = text.partition("=")
        name = name.strip()
        place = Place(f"--set {shown(name, bare=True)}")
        keys = _keys(name)
        if not equals or not all(keys):
            raise SpecError(f"expected KEY=VALUE, got {shown(text)}", place=place, cure="--set train.lr=1e-3")
        new_value = _sign(value, place.file) if name in SIGNS else read_value(value, place.file)
        if keys[0] == "seeds" and self.document.data.get("seeds") == "auto":
            self.document.data["seeds"] = {}
        if keys[0] == "loss" and len(keys) > 1:
            self._set_loss(tuple(keys[1:]), new_value, place)
        else:
            self.put(_indexed(self.document.data, keys), new_value, place)

    def tune(self, text: str) -> None:
        """One `--tune`: a name and its values; of the learning rate alone, the rates around that of the training."""
        from losscli.spec.tune import RATE, rates_around

        name, equals, value = text.partition("=")
        name = name.strip()
        place = Place("--tune")
        if self.document.spots.get(("tune", name)) == Spot(place, place):
            raise SpecError(f"{shown(name)} is given twice", place=place, cure="give all its values at once")
        if not name or (not equals and name != RATE):
            given = f"got {shown(text)}" if not name else f"{shown(name)} has none"
            raise SpecError(f"expected NAME=VALUES, {given}", place=place, cure=f"--tune {name or 'gamma'}=0.5,1,2")
        if equals:
            listed = value if value.lstrip().startswith("[") else f"[{value}]"
            rates = read_value(listed, place.file)
        else:
            train = self.document.data.get("train")
            rates = rates_around(train.get("lr") if isinstance(train, dict) else None, self.document.data.get("task"))
        self.put(("tune", name), rates, place)

    def _set_loss(self, keys: tuple[str, ...], value: Any, place: Place) -> None:
        """Into the one loss; of several, into every one that has the option."""
        losses = self.document.data.get("loss")
        if not isinstance(losses, list):
            self._open_loss(("loss",))
            return self.put(("loss", *keys), value, place)
        if len(keys) > 1 and _counts(losses, keys[0]):
            self._open_loss(("loss", int(keys[0])))
            return self.put(("loss", int(keys[0]), *keys[1:]), value, place)
        indices = [index for index, item in enumerate(losses) if keys[0] in _options_of(item)]
        if not indices:
            options = sorted({option for item in losses for option in _options_of(item)})
            message = f"none of the losses has the option {shown(keys[0])}"
            raise SpecError(message, place=place, cure=choose_from(keys[0], options))
        for index in indices:
            self._open_loss(("loss", index))
            self.put(("loss", index, *keys), deepcopy(value), place)
        return None

    def _open_loss(self, path: Keys) -> None:
        """Make room for options: `loss: focal` becomes `loss: {name: focal}`."""
        block: Any = self.document.data
        for key in path[:-1]:
            block = block[key]
        value = block.get(path[-1]) if isinstance(block, dict) else block[path[-1]]
        if value is None or isinstance(value, str):
            block[path[-1]] = {"name": value} if value else {}


def _keys(name: str) -> list[str]:
    """The path that a `--set` names; what follows these is one key, whatever dots are in it.

    >>> _keys("expect.test.accuracy"), _keys("data.types.z.B"), _keys("train.lr")
    (['expect', 'test.accuracy'], ['data', 'types', 'z.B'], ['train', 'lr'])
    """
    if name.startswith("expect."):
        return name.split(".", 1)
    return name.split(".", 2) if name.startswith("data.types.") else name.split(".")


def _sign(text: str, flag: str) -> Any:
    r"""The value of a key that takes a sign: what is nothing to YAML is the sign itself, and a tab may be written \t.

    >>> _sign(",", "--set"), _sign('","', "--set"), _sign("|", "--set"), _sign("null", "--set")
    (',', ',', '|', None)
    """
    if text == "\\t":
        return "\t"
    try:
        value = read_value(text, flag)
    except SpecError:
        if text:
            return text
        raise
    return text if value in (None, "", [], {}) and text not in NOTHING else value


def _options_of(item: Any) -> set[str]:
    """The options that a loss of this name has, for whatever task: which task it is may not be known yet."""
    from losscli.losses import by_name, losses
    from losscli.losses.options import problems_of_weight

    name = item.get("name") if isinstance(item, dict) else item
    alike = by_name(name, losses) if isinstance(name, str) else []
    options = {option for loss in alike for option in loss.options}
    weighed = any(not problems_of_weight(loss, loss.task, None) for loss in alike)  # the engine applies class weights
    return options | {"output", "lr"} | ({"weight"} if weighed else set())


def _indexed(data: Any, keys: list[str]) -> Keys:
    """The path with whole numbers where the document has a list."""
    path: list[str | int] = []
    for key in keys:
        path.append(int(key) if _counts(data, key) else key)
        data = data[int(key)] if _counts(data, key) else data.get(key) if isinstance(data, dict) else None
    return tuple(path)


def _counts(block: Any, key: str | int) -> bool:
    """Whether a key is the number of an item in a list."""
    return isinstance(block, list) and str(key) in map(str, range(len(block)))


def _one_or_all(values: tuple[Any, ...] | list[Any]) -> Any:
    return (values[0] if len(values) == 1 else list(values)) if values else None


def _seeds(text: int | str) -> Any:
    if isinstance(text, str) and "," in text:
        return [read_value(part, "--seeds") for part in text.strip(",").split(",")]
    return read_value(str(text), "--seeds")


def is_data(text: str) -> bool:
    """Whether `--data` takes it, as far as one can tell without reading it."""
    from losscli.data.sources import named

    return _is_table(text) or text in named()


def _is_table(text: str) -> bool:
    """Whether it is a table file by its ending, or a folder, which may hold part files."""
    return _kind_of(text) is not None


def _kind_of(text: str) -> str | None:
    """The source for a table file or a folder of part files, by their endings."""
    from losscli.data.sources import PLAIN, kinds_of, named

    path = Path(text)
    if path.is_dir() and text in named():  # `--data digits` beside a folder of that name
        return None
    try:
        kinds = kinds_of(path)
    except OSError:
        kinds = []  # the source will say what is wrong with it
    if len(kinds) > 1:
        raise DataError(
            f"the folder holds tables of {' and '.join(kinds)}, and all of its tables must be of one kind",
            place=Place(shown(text, bare=True)),
            cure="put those of one kind into a folder of their own, or name one file: --data FILE",
        )
    return kinds[0] if kinds else PLAIN if path.is_dir() else None


def _files() -> str:
    """What messages call the files that can be read."""
    from losscli.data.sources import all_endings

    *endings, last = all_endings()
    return f"{', '.join(endings)} or {last} file"


def _data_block(text: str, folder: Path) -> dict[str, Any]:
    """The `data:` block that `--data` stands for: a table file, a built-in data set or a generator."""
    from losscli.data.sources import named, sources

    kind = _kind_of(text)
    if kind is not None:
        path = text if os.path.isabs(text) or "://" in text else os.path.relpath(text, folder)
        return {"source": kind, **sources.get(kind).keys_of(path)}
    names = named()
    if text in names:
        return {"source": names[text], "name": text}
    if Path(text).suffix or Path(text).is_file():
        raise DataError(
            f"the format of {shown(text)} is not supported", place=Place("--data"), cure=f"give a {_files()}"
        )
    raise SpecError(
        f"expected a {_files()}, a folder of them, a built-in data set or a generator, got {shown(text)}",
        place=Place("--data"),
        cure=choose_from(text, names),
    )
