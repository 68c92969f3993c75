"""A trained run out of a record: the entry and seed that were asked for, ready to predict.

Everything comes from the record alone: the spec says what the model is, the encoder what its inputs are, the weights what
it has learned. No code is in a record, so a run of a loss in a file of the user's own needs that file named again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from losscli.data.dataset import SPLITS, Dataset, Part
from losscli.data.decode import target_from_state
from losscli.data.encode import Encoder
from losscli.data.rowkeys import RowKeys
from losscli.deploy.choose import RunChoice, choose_arena, choose_entry, choose_seeds
from losscli.errors import MachineError, Place, shown
from losscli.losses import called_now, for_task
from losscli.losses import find as find_loss
from losscli.losses.own import adopt
from losscli.record import ROWS, reader
from losscli.record.foreign import WHOLE_RECORD, bad
from losscli.record.schema import EncoderState, wrong_with
from losscli.spec.entries import entries
from losscli.spec.load import load_spec
from losscli.spec.model import Entry, Spec
from losscli.spec.tune import candidate
from losscli.stack.head import Head, sizes_of
from losscli.stack.network import Network
from losscli.stack.networks import network_of, weights_of
from losscli.stack.rows import Run
from losscli.tasks import Task, tasks
from losscli.tasks.phases import NetworkSpec

WEIGHTS = Place("weights.safetensors")
MOST_UNLIKE = 5  # shapes that are told one by one


@dataclass(frozen=True)
class RestoredRun:
    """One run of a record that predicts."""

    record: str
    spec: Spec
    task: Task
    entry: Entry
    run: Run
    encoder: Encoder
    weights: Mapping[str, np.ndarray]  # by parameter, in the run's own shapes
    result: Mapping[str, Any]  # what results.json says of the run
    rows: RowKeys | None = None  # that it was trained on; an older record does not say

    @cached_property
    def network_spec(self) -> NetworkSpec:
        """The network that speaks for the run."""
        networks = self.task.networks(sizes_of(self.run, self.task), self.spec.train)
        return next(spec for spec in networks if spec.name == self.task.speaker)

    @property
    def network(self) -> Network:
        return network_of(self.network_spec, self.spec.model)

    @property
    def width(self) -> int:
        """The numbers that the network takes of each row: encoded columns, or noise."""
        inputs = self.network_spec.inputs
        return inputs if isinstance(inputs, int) else self.run.dataset.features

    @property
    def head(self) -> Head:
        return Head([self.run], self.task, torch.device("cpu"))

    @property
    def labels(self) -> tuple[str, ...]:
        return self.run.dataset.target.labels


def restore(folder: Path, selection: RunChoice) -> list[RestoredRun]:
    """The runs that were asked for: one, or with `every_seed` one per seed.

    Raises `MachineError` for what is no whole record or holds no such run, `SpecError` for a name that is not in it.
    """
    record = reader.read(folder)
    results = record["results"]
    number = choose_arena(results["arenas"], selection.arena)
    arena = results["arenas"][number]
    name = choose_entry(arena, selection.entry)
    seeds = choose_seeds(arena, name, selection)
    spec = _spec(folder, number, arena, selection.losses)
    entry = _named(spec, called_now(name, spec.task))
    weights, keys = reader.read_weights(folder), reader.read_rows(folder)
    states = {seed: _state(folder, record["encoders"], f"{number}/{seed}", len(arena["labels"])) for seed in seeds}
    return [
        _run(
            folder,
            spec,
            entry,
            _result(arena, name, seed),
            states[seed],
            _of(weights, number, name, seed),
            _rows(folder, keys, f"{number}/{seed}/"),
        )
        for seed in seeds
    ]


def _spec(folder: Path, number: int, arena: Mapping[str, Any], own: Sequence[str]) -> Spec:
    """The arena's spec. Its data are not read, so a table that has moved does not matter."""
    for text in own:
        adopt(text, arena["task"])
    catalogue = for_task(arena["task"])
    lost = [entry["loss"] for entry in arena["entries"] if called_now(entry["loss"], arena["task"]) not in catalogue]
    if lost:
        raise MachineError(
            f"the record was made with {', '.join(map(shown, dict.fromkeys(lost)))}, which losscli does not have",
            cure="a record holds no code: name the file of your own again with --loss FILE.py:NAME",
        )
    return load_spec(folder / ("spec.yaml" if number == 0 else f"spec{number + 1}.yaml"))


def _named(spec: Spec, name: str) -> Entry:
    by_name = {entry.name: entry for entry in entries(spec)}
    if name not in by_name:
        raise MachineError(f"the record's spec makes no entry called {shown(name)}", cure="train again")
    return by_name[name]


def _of(weights: Mapping[str, np.ndarray], number: int, entry: str, seed: int) -> dict[str, np.ndarray]:
    prefix = f"{number}/{entry}/{seed}/"
    return {name.removeprefix(prefix): array for name, array in weights.items() if name.startswith(prefix)}


def _result(arena: Mapping[str, Any], entry: str, seed: int) -> Mapping[str, Any]:
    """What results.json says of a run."""
    result: Mapping[str, Any] = next(run for run in arena["runs"] if (run["entry"], run["seed"]) == (entry, seed))
    return result


def _run(
    folder: Path,
    spec: Spec,
    entry: Entry,
    result: Mapping[str, Any],
    state: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
    rows: RowKeys | None,
) -> RestoredRun:
    seed = result["seed"]
    trial = candidate(entry, result.get("tuned") or {})
    loss = find_loss(entry.loss, spec.task)
    encoder = Encoder.from_state(state)
    data = _rowless(spec.name, seed, state, encoder)
    run = Run(entry.name, seed, loss, trial.options, entry.output, trial.lr, data, trial.weight, trial.tuned)
    restored = RestoredRun(folder.name, spec, tasks.get(spec.task), entry, run, encoder, {}, result, rows)
    return replace(restored, weights=_cropped(restored, weights_of(restored.task.speaker, weights)))


def _rows(folder: Path, arrays: Mapping[str, np.ndarray], prefix: str) -> RowKeys | None:
    """The rows that a run was trained on, where the record says so."""
    own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    try:
        return RowKeys.from_arrays(own) if own else None
    except (KeyError, ValueError) as error:
        raise bad(folder / ROWS, f"does not say which rows were trained on ({error})") from error


def _state(folder: Path, encoders: Mapping[str, Any], key: str, labels: int) -> Mapping[str, Any]:
    """What the encoder of an arena and seed learned. Raises `MachineError` where it is not there, or none."""
    place = folder / "encoders.json"
    if key not in encoders:
        raise bad(place, f"does not say what the encoder {key} learned")
    if wrong := wrong_with(EncoderState, encoders[key]):
        raise bad(place, wrong)
    state: Mapping[str, Any] = encoders[key]
    if state.get("target") and len(state["target"]["labels"]) != labels:
        raise bad(place, f"has at {key}.target.labels another number of labels than the {labels} of results.json")
    return state


def _rowless(name: str, seed: int, state: Mapping[str, Any], encoder: Encoder) -> Dataset:
    """A dataset that has the shapes, labels and units of the one that the run was trained on, and no rows."""
    target, scale = target_from_state(state)
    empty = Part(np.empty((0, encoder.width), np.float32), target.values)
    parts = dict.fromkeys(SPLITS, empty)
    return Dataset(name, seed, parts, target, scale, state, embedded=encoder.embedded, sizes=encoder.sizes)


def _cropped(restored: RestoredRun, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights in the run's own shapes: a stack pads a run that has fewer features, or fewer levels, than another.

    Raises `MachineError` where the weights do not fit what the spec describes.
    """
    shapes, wider = _shapes(restored.network_spec, restored), _shapes(_wider(restored.network_spec), restored)
    unlike = [
        f"{name} must be {shape}, and the record has {weights[name].shape if name in weights else 'nothing'}"
        for name, shape in shapes.items()
        if name not in weights or not _holds(weights[name].shape, shape, wider[name])
    ]
    if unlike:
        more = f"; and {len(unlike) - MOST_UNLIKE} more" * (len(unlike) > MOST_UNLIKE)
        message = f"the weights do not fit the spec: {'; '.join(unlike[:MOST_UNLIKE])}{more}"
        raise MachineError(message, place=WEIGHTS, cure=WHOLE_RECORD)
    for name, shape in shapes.items():
        if weights[name].dtype.kind != "f" or not np.isfinite(weights[name][_corner(shape)]).all():
            message = f"the weights do not predict: {name} holds what is no finite number"
            raise MachineError(message, place=WEIGHTS, cure="choose another entry, or train again")
    return {name: np.ascontiguousarray(weights[name][_corner(shape)]) for name, shape in shapes.items()}


def _shapes(spec: NetworkSpec, restored: RestoredRun) -> dict[str, tuple[int, ...]]:
    network = network_of(spec, restored.spec.model)
    return {slot.title: slot.shape for slot in [*network.slots, *network.statistic_slots]}


def _wider(spec: NetworkSpec) -> NetworkSpec:
    """The same network for data of one feature more, and one level more of each category: what grows there may be padded."""
    if isinstance(spec.inputs, int):
        return spec
    codes = tuple(code + 1 for code in spec.inputs.codes)
    return replace(spec, inputs=replace(spec.inputs, plain=spec.inputs.plain + 1, codes=codes))


def _holds(actual: Sequence[int], shape: Sequence[int], wider: Sequence[int]) -> bool:
    """Whether weights of that shape are those of the run, or have them in their corner."""
    if len(actual) != len(shape):
        return False
    return all(size == own or (own < size and own < more) for size, own, more in zip(actual, shape, wider, strict=True))


def _corner(shape: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(size) for size in shape)
