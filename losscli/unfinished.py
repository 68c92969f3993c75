"""What a record in the making says of its experiments, and the experiments that it says: the same, or it is not gone on with."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from losscli.data.stream import Stream
from losscli.errors import CodeError, DataError, Finding, MachineError, Place, SpecError, shown
from losscli.experiment import Experiment, load
from losscli.losses import find as find_loss
from losscli.losses import for_task
from losscli.losses.own import adopt, code_of, label_of
from losscli.record import PROGRESS, cures
from losscli.record.checkpoint import Described
from losscli.record.manifest import origin
from losscli.record.remains import anew, damaged, spec_of, specs_of
from losscli.record.writer import specs_in_files
from losscli.spec.dump import to_yaml
from losscli.spec.load import load_spec
from losscli.spec.model import Spec
from losscli.stack import device as machine
from losscli.training import epochs_in

HASHED = 1 << 26  # bytes of features that are looked at, at most: a second of a hundred


def describe(experiments: Sequence[Experiment], out: Path, seconds: float) -> Described:
    """The files and facts of the record in the making of these experiments, which took so many seconds to load."""
    specs = [to_yaml(experiment.spec, relative_to=out / "record") for experiment in experiments]
    own = {
        choice.name: code
        for experiment in experiments
        for choice in experiment.spec.loss
        if (code := code_of(find_loss(choice.name, experiment.spec.task)))
    }
    facts = {
        "arenas": [_facts(experiment, out) for experiment in experiments],
        "own": own,
        "machine": here(experiments),
        "total": epochs_in(experiments),
        "done": 0,
        "load_seconds": seconds,
    }
    return specs_in_files(specs), facts


def here(experiments: Sequence[Experiment]) -> dict[str, str]:
    """What bits may depend on beside the spec and the data."""
    devices = dict.fromkeys(machine.name_of(experiment.job.device) for experiment in experiments)
    return {"device": ", ".join(devices), "torch": torch.__version__, "losscli": origin()["losscli"]}


def _facts(experiment: Experiment, out: Path) -> dict[str, Any]:
    spec = experiment.spec
    return {
        "task": spec.task,
        "data": experiment.different[0].name,
        "entries": [entry.name for entry in experiment.entries],
        "losses": list(dict.fromkeys(entry.loss for entry in experiment.entries)),
        "seeds": len(spec.seeds),
        "headline": experiment.headline.name,
        # From the record, so that both may be moved together; and as it was given, so that messages say the same.
        "folder": Path(os.path.relpath(spec.folder, out / "record")).as_posix(),
        "path": getattr(spec.data, "path", None),
        "notes": [note.to_json() for note in spec.notes],
        "origins": spec.origins,
        "digest": digest(experiment),
    }


def digest(experiment: Experiment) -> str:
    """Of what the runs are trained on: targets, weights, encoders, and the features as far as `HASHED` goes."""
    told, room = hashlib.sha256(), HASHED
    for dataset in experiment.different:
        told.update(json.dumps(dataset.encoder, sort_keys=True, default=str).encode())
        for split, part in dataset.parts.items():
            arrays = [part.target, *(array for array in (part.weight, part.exposure) if array is not None)]
            if not isinstance(part.features, Stream) and part.features.nbytes <= room:
                room -= part.features.nbytes
                arrays.append(part.features)
            told.update(f"{split} {[array.shape for array in arrays]}".encode())
            for array in arrays:
                told.update(array.tobytes())
    return told.hexdigest()


def grown(experiment: Experiment, spec: Spec, going_on: str = "") -> Experiment:
    """The experiment with the seeds of a later look. `DataError` where its data have changed in between.

    `going_on` is the command for when they are put back.
    """
    later = load(spec)
    earlier_seeds = {seed: later.datasets[seed] for seed in experiment.datasets}
    if digest(replace(later, datasets=earlier_seeds)) != digest(experiment):
        message = "the data have changed while runs were trained on them, and more seeds would be of other rows"
        raise DataError(message, cure=f"put them back, then {going_on}; or begin anew" if going_on else "begin anew")
    return later


def with_seeds(arenas: Sequence[Mapping[str, Any]], experiments: Sequence[Experiment]) -> list[dict[str, Any]]:
    """What is said of the arenas, with the seeds that they have now, and the looks that were taken."""
    pairs = zip(arenas, experiments, strict=False)  # none where the disk has refused all along
    return [
        {**arena, "seeds": len(one.spec.seeds), **({"look": one.spec.look} if one.spec.look else {})}
        for arena, one in pairs
    ]


def reopen(folder: Path, facts: Mapping[str, Any], own: Sequence[str] = ()) -> list[Experiment]:
    """The experiments of a record in the making; `own` are the files of losses of the user's own, as `FILE.py:NAME`.

    Raises `SpecError` where such a file or a spec is missing or another one, `DataError` where the data have changed.
    """
    try:
        arenas, codes = list(facts["arenas"]), dict(facts["own"])
        tasks = list(dict.fromkeys(str(arena["task"]) for arena in arenas))
        _adopt(folder, codes, own, tasks)
        for file in specs_of(len(arenas)):
            spec_of(folder, file, facts)
        specs = [_spec(folder / file, arena) for file, arena in zip(specs_of(len(arenas)), arenas, strict=True)]
        experiments = [_same(load(spec), arena, folder, facts) for spec, arena in zip(specs, arenas, strict=True)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(folder / PROGRESS, error) from error
    return [_elsewhere(experiment, facts["machine"], here(experiments)) for experiment in experiments]


def _adopt(folder: Path, codes: Mapping[str, str], own: Sequence[str], tasks: Sequence[str]) -> None:
    """Put the user's own losses on the shelf: those that the record needs, and no code but what is named now."""
    by_label = {label_of(text): text for text in own}
    lacking = [label for label in codes if label not in by_label and not _on_shelf(label, tasks)]
    if lacking:
        files = [label.replace(".", ".py:", 1) for label in lacking]
        message = (
            f"{shown(folder.name)} has losses of your own, and no record holds code: {', '.join(map(shown, lacking))}"
        )
        raise SpecError(message, cure=f"say where they are: {cures.resume(folder, files)}")
    for label, text in by_label.items():
        for task in tasks:
            code = code_of(adopt(text, task))
            if label in codes and codes[label] not in (code, code.partition("-")[0]):  # an older losscli: no neighbours
                file = "its file, or one beside it that it imports," if "-" in code else "its file"
                message = f"{label}: {file} is not what it was when {shown(folder.name)} was begun"
                cure = "put it back, or begin anew, as you began it"
                raise CodeError(message, place=Place(text.rpartition(":")[0]), cure=cure)


def _on_shelf(label: str, tasks: Sequence[str]) -> bool:
    """Whether this very process knows it, as the one does that has just trained with it."""
    return any(label in for_task(task) for task in tasks)


def _spec(path: Path, arena: Mapping[str, Any]) -> Spec:
    """The spec as it was, with the paths that it had and what was noted when it was read."""
    spec = load_spec(path)
    given = arena["folder"]
    folder = given if os.path.isabs(given) else os.path.relpath(path.parent / given)
    data = spec.data if arena["path"] is None else spec.data.model_copy(update={"path": arena["path"]})
    notes = tuple(Finding(**note) for note in arena["notes"])
    return spec.model_copy(update={"folder": folder, "data": data, "notes": notes, "origins": arena.get("origins", {})})


def _same(experiment: Experiment, arena: Mapping[str, Any], folder: Path, facts: Mapping[str, Any]) -> Experiment:
    entries = [entry.name for entry in experiment.entries]
    if entries != arena["entries"]:
        raise MachineError(
            f"{shown(folder.name)} was begun with other entries than its spec makes now",
            place=Place(str(folder / "spec.yaml")),
            cure=anew(folder, facts),
        )
    if digest(experiment) != arena["digest"]:
        raise DataError(
            f"the data are not what they were when {shown(folder.name)} was begun",
            cure=f"put them back; or {anew(folder, facts)}",
        )
    return experiment


def _elsewhere(experiment: Experiment, before: Mapping[str, str], now: Mapping[str, str]) -> Experiment:
    """The experiment, which says so where it goes on with something else than it was begun with."""
    changes = [
        f"{name} {shown(before.get(name))} and then {shown(now[name])}" for name in now if before.get(name) != now[name]
    ]
    if not changes:
        return experiment
    message = f"it was begun and ended by different machines or versions: {'; '.join(changes)}"
    cure = "numbers may differ in their last digits from those of one machine; for the same bits, start anew"
    finding = Finding("resumed-elsewhere", "warning", message, cure)
    return replace(experiment, findings=[*experiment.findings, finding])
