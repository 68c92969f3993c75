"""What the folder of a record in the making holds, read and checked: its progress, its specs, and the states of its stacks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from losscli.errors import MachineError, Place, SpecError, UserError, shown
from losscli.record import PROGRESS, cures, disk, foreign
from losscli.record.foreign import content, json_of
from losscli.record.manifest import Newer, checksum, migrated
from losscli.record.schema import Progress, wrong_with

LARGEST = 1 << 26  # bytes of a progress.json


def progress_of(folder: Path) -> dict[str, Any]:
    """What the progress.json of a folder says. `MachineError` for one that is damaged."""
    path = folder / PROGRESS
    try:
        facts = json_of(content(path, LARGEST), path)
        if not isinstance(facts, dict):
            raise ValueError("is no object")
        facts = migrated(facts)
        if wrong := wrong_with(Progress, facts):
            raise ValueError(wrong)
        return facts
    except (ValueError, MachineError) as error:
        raise damaged(path, error) from error


def state_of(path: Path, facts: Mapping[str, Any]) -> Any:
    """What the file of a stack holds, which must be of what the progress says. `MachineError` where it is damaged."""
    from losscli.record.tree import unpack

    try:
        tree = unpack(content(path))
        if not isinstance(tree, dict) or {*tree} != {"of", "state"}:  # an older losscli did not say of what it is
            return tree
        if tree["of"] != identity(facts):
            raise ValueError("is of another record")
        return tree["state"]
    except (ValueError, MachineError) as error:
        raise damaged(path, error) from error


def identity(facts: Mapping[str, Any]) -> str:
    """A checksum over what states depend on: specs, data, and code of the user's own."""
    data = [arena["digest"] for arena in facts.get("arenas", ())]
    return checksum({"specs": facts.get("specs", {}), "data": data, "own": facts.get("own", {})})


def spec_of(folder: Path, name: str, facts: Mapping[str, Any]) -> bytes:
    """A spec of a record in the making. `SpecError` where it is not the one that the record was begun with."""
    path = folder / name
    try:
        data = content(path, foreign.LARGEST[".yaml"])
    except MachineError as error:
        raise _lost(path, "is missing" if not path.exists() else "cannot be read") from error
    if not data.strip():
        raise _lost(path, "is empty")
    if facts.get("specs", {}).get(name, (now := digest(data))) != now:  # an older losscli noted none
        raise SpecError(
            f"the spec is not what it was when {shown(folder.name)} was begun",
            place=Place(str(path)),
            cure=f"put it back; or {anew(folder, facts)}",
        )
    return data


def _lost(path: Path, what: str) -> SpecError:
    return SpecError(
        f"{path.name} of {shown(path.parent.name)}, which losscli wrote there, {what}",
        place=Place(str(path)),
        cure=f"put it back, or begin anew with your own spec; {cures.remove(path.parent)} removes what is left",
    )


def anew(folder: Path, facts: Mapping[str, Any]) -> str:
    """How one begins anew, as a part of a sentence: a spec cannot name files of losses, so there the user has the command."""
    own = facts.get("own")
    return "begin anew, as you began it" if own else f"begin anew: {cures.compare(folder)}"


def wrong_in(folder: Path) -> str:
    """What is damaged in a record in the making, so far as that is seen without its data; empty where nothing is."""
    from losscli.spec.reader import read_spec

    try:
        facts = progress_of(folder)
        for name in specs_of(len(facts["arenas"])):
            spec_of(folder, name, facts)
            read_spec(folder / name)  # an older losscli noted no digest
        for path in sorted((*folder.glob("finished-*.safetensors"), *folder.glob("running-*.safetensors"))):
            _check(path, facts)
    except UserError as error:
        return "; ".join(problem.message for problem in error.problems)
    return ""


def _check(path: Path, facts: Mapping[str, Any]) -> None:
    try:
        state_of(path, facts)
    except MachineError:
        if os.path.lexists(path):  # or a stack has ended in between, and what it was while it ran has gone
            raise


def share(facts: Mapping[str, Any]) -> str:
    """How far a record in the making is, of all that is trained.

    >>> share({"done": 19, "total": 20}), share({"done": 1999, "total": 2000})
    ('95 %', '99 %')
    """
    return f"{100 * facts['done'] // max(1, facts['total'])} %"


def unfinished(folder: Path) -> MachineError:
    """What the user is told where a whole record is needed."""
    facts = progress_of(folder)
    if disk.at_work(folder):
        message = f"{shown(folder.name)} is unfinished ({share(facts)}), and process {facts['process']} works on it"
        cure = f"wait for it; losscli runs ls{cures.out(folder.parent)} says how far it is"
    else:
        message = f"{shown(folder.name)} is unfinished ({share(facts)})"
        cure = cures.resume(folder)
    return MachineError(message, place=Place(str(folder)), cure=cure)


def damaged(path: Path, error: Exception) -> MachineError:
    """What the user is told of a file that cannot be gone on from."""
    message = str(error) if isinstance(error, MachineError) else f"{path.name!r} {error}"[:400]
    if isinstance(error, Newer):
        cure = "pip install --upgrade losscli"
    elif path.name == PROGRESS:
        cure = f"begin anew: {cures.compare(path.parent)}; {cures.remove(path.parent)} removes what is left"
    else:
        cure = f"remove that file, and what it held is trained again: {cures.resume(path.parent)}"
    return MachineError(message, place=Place(str(path)), cure=cure)


def specs_of(arenas: int) -> list[str]:
    """The files of so many specs.

    >>> specs_of(2)
    ['spec.yaml', 'spec2.yaml']
    """
    return ["spec.yaml" if number == 1 else f"spec{number}.yaml" for number in range(1, arenas + 1)]


def digest(data: bytes) -> str:
    """Of a file, as the progress notes it."""
    return hashlib.sha256(data).hexdigest()
