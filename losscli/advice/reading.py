"""From what a user names (a table, a data set, a generator, a spec) to a table that can be looked at.

A row without a target has nothing to say of it: such rows are left out here, and a finding counts them. Where no target is
named, the table is read as if one of its columns were it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from losscli.advice.evidence import Evidence
from losscli.advice.inspect import Inspection, describe, inspect
from losscli.data.dataset import Table
from losscli.data.guess import guess_task
from losscli.data.sources import Source
from losscli.data.split import set_apart
from losscli.spec.load import build_spec, load_spec
from losscli.spec.model import Spec
from losscli.spec.overrides import Overrides
from losscli.tasks import tasks

SPECS = (".yaml", ".yml")
ANY = "?"  # stands for a target until the columns are known


def is_spec(name: str) -> bool:
    """Whether a name is that of a spec, by its ending."""
    return Path(name).suffix.casefold() in SPECS


def resolved(name: str, asked: Overrides) -> Spec:
    """The spec that a file holds, or that makes of data their own; rows without a target are left out."""
    if is_spec(name):
        spec = load_spec(Path(name), asked)
        return spec.model_copy(update={"data": _lenient(spec.data)})
    return build_spec(replace(asked, data=name, sets=[*asked.sets, *_leniently(name, asked.sets)]))


def looked_at(name: str, asked: Overrides) -> Inspection:
    """All that there is to say of data, with their target or without."""
    if is_spec(name):
        spec = resolved(name, asked)
        return inspect(gathered(spec.data, Path(spec.folder), spec.task), "as the spec says")
    # Any task will do here: the source is the same for all, and the target is to be read before one is guessed.
    target = asked.target or ([ANY] if Path(name).exists() else [])
    spec = build_spec(replace(asked, task=asked.task or "regression", data=name, target=target))
    source, folder = _lenient(spec.data), Path(spec.folder)
    if "target" in type(source).model_fields and not asked.target:
        return describe(_whole(source, folder))
    task, reason = (asked.task, "as --task says") if asked.task else _guessed(source, folder)
    return inspect(gathered(source, folder, task), reason)


def gathered(source: Source, folder: Path, task: str) -> Evidence:
    """The evidence of a source whose task is known."""
    table = set_apart(source.read(folder), source.split)
    return Evidence(table, task, tasks.get(task).decode(table.targets, source.reading()))


def _guessed(source: Source, folder: Path) -> tuple[str, str]:
    found = guess_task(source.read(folder).targets, source.reading())
    return found.task, found.reason


def _lenient(source: Source) -> Source:
    known = "missing_target" in type(source).model_fields
    return source.model_copy(update={"missing_target": "drop"}) if known else source


def _leniently(name: str, sets: Sequence[str]) -> list[str]:
    told = any(each.startswith("data.missing_target") for each in sets)
    return ["data.missing_target=drop"] if Path(name).exists() and not told else []


def _whole(source: Source, folder: Path) -> Table:
    """All columns, read as if one that every row has were the target."""
    table = source.model_copy(update={"target": _headings(source, folder)[-1]}).read(folder)
    provisional = next(iter(table.targets))
    if not table.columns or not table.columns[provisional].missing:
        return table
    full = [name for name, story in table.columns.items() if story.role == "feature" and not story.missing]
    return source.model_copy(update={"target": full[0]}).read(folder) if full else table


def _headings(source: Source, folder: Path) -> list[str]:
    """The names of the columns of the source's first file."""
    from losscli.data.files import files_of, opened

    path = source.path  # type: ignore[attr-defined]
    files, _ = files_of(folder, [path] if isinstance(path, str) else path, (".csv", ".tsv", ".txt", ".parquet"))
    if source.source == "parquet":
        import pyarrow.parquet as pq

        with opened(files[0].path, files[0].name) as file:
            return list(pq.read_schema(file).names)
    if source.header is False:  # type: ignore[attr-defined]
        return ["x1"]
    with opened(files[0].path, files[0].name) as file:
        first = file.readline().decode(source.encoding, errors="replace").lstrip("\ufeff")  # type: ignore[attr-defined]
    return next(csv.reader([first], delimiter=source.delimiter), [ANY])  # type: ignore[attr-defined]
