"""Where the values of a spec came from: a line of a file, a flag; what stands nowhere is a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from losscli.errors import Place as Place
from losscli.spec.document import Document, Keys
from losscli.spec.document import Spot as Spot
from losscli.spec.mistakes import dotted

DEFAULT = "default"
Origins = Mapping[str, str]  # by the key, as `train.lr`


def origins(document: Document) -> dict[str, str]:
    """The place of every value that a document gives, by its key; a list is one value.

    >>> line, flag = Place("a.yaml", 2, 3), Place("--lr")
    >>> spots = {(): Spot(line, line), ("train",): Spot(line, line), ("train", "lr"): Spot(flag, flag)}
    >>> origins(Document({"train": {"lr": 0.1, "clip": 1}}, spots))
    {'train.lr': '--lr', 'train.clip': 'a.yaml:2'}
    """
    places = {}
    for path in _leaves(document.data):
        place = document.spot(path).value
        places[dotted(path)] = place.file if place.line is None else f"{place.file}:{place.line}"
    return places


def merged(several: Sequence[Origins]) -> dict[str, str]:
    """Those of specs that are one arena: what each gives, in the order of the specs.

    >>> merged([{"loss": "a.yaml:1", "task": "--task"}, {"loss": "b.yaml:1"}])
    {'loss': 'a.yaml:1, b.yaml:1', 'task': '--task'}
    """
    keys = dict.fromkeys(key for one in several for key in one)
    return {key: ", ".join(dict.fromkeys(one[key] for one in several if key in one)) for key in keys}


def origin(key: str, known: Origins) -> str:
    """Where the value of a key came from: its own place, or that of the nearest block around it that was given whole."""
    while key:
        if key in known:
            return known[key]
        key = key.rpartition(".")[0]
    return DEFAULT


def values(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Every value of a spec by its key; a list is one value.

    >>> values({"train": {"lr": 0.1, "betas": [0.9, 0.999]}, "tune": {}})
    {'train.lr': 0.1, 'train.betas': [0.9, 0.999], 'tune': {}}
    """
    return {dotted(path): _at(spec, path) for path in _leaves(spec)}


def _leaves(value: Any, path: Keys = ()) -> Iterator[Keys]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(part, (*path, str(key)))
    elif path:
        yield path


def _at(value: Any, path: Keys) -> Any:
    for key in path:
        value = value[key]
    return value
