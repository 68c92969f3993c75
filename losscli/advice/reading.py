"""From what a user names (a table, a data set, a generator, a spec) to a table that can be looked at.

A row without a target has nothing to say of it: such rows are left out here, and a finding counts them. Where no target is
named, the table is read as if one of its columns were it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from losscli.advice.inspect import Inspection, describe, inspect
from losscli.advice.outline import Outline, of_spec, of_task
from losscli.advice.profile import Profile
from losscli.advice.recommend import Recommendation, recommend
from losscli.compare.power import advised_seeds
from losscli.data.dataset import Table
from losscli.data.files import files_of
from losscli.data.guess import guess_task
from losscli.data.sources import Source
from losscli.data.split import set_apart
from losscli.data.tabular import Tabular
from losscli.errors import DataError, Place, Problem, SpecError, counted, shown
from losscli.spec.load import build_spec, load_spec
from losscli.spec.model import LossChoice, Spec
from losscli.spec.overrides import Overrides
from losscli.tasks import tasks

SPECS = (".yaml", ".yml")
LEAST_SEEDS = 5  # of an outline
LEAST_EACH = 2  # rows for each class of a target
ANY = "?"  # stands for a target until the columns are known


def is_spec(name: str) -> bool:
    """Whether a name is that of a spec, by its ending."""
    return Path(name).suffix.casefold() in SPECS


def resolved(name: str, asked: Overrides) -> Spec:
    """The spec that a file holds, or that makes of data their own; rows without a target are left out."""
    if is_spec(name):
        spec = load_spec(Path(name), asked)
        return spec.model_copy(update={"data": _lenient(spec.data)})
    _refuse_no_target(name, asked)
    return build_spec(replace(asked, data=name, sets=[*asked.sets, *_leniently(name, asked.sets)]))


def _refuse_no_target(name: str, asked: Overrides) -> None:
    """`SpecError` for a table without a target, with what inspect suggests."""
    if asked.target or not Path(name).exists() or _says(asked, "data.target"):
        return
    likely = looked_at(name, asked).suggestions
    told = "; ".join(
        f"{' '.join(f'--target {each}' for each in found.columns[:8])} ({found.reason})" for found in likely
    )
    raise SpecError(
        f"which column of {shown(name)} is to be predicted is not said",
        place=Place("--target"),
        cure=told or "--target COLUMN",
    )


def looked_at(name: str, asked: Overrides) -> Inspection:
    """All that there is to say of data, with their target or without."""
    if is_spec(name):
        spec = resolved(name, asked)
        return inspect(profile_of(spec), "as the spec says")
    # Any task will do here: the source is the same for all, and the target is to be read before one is guessed.
    target = asked.target or ([ANY] if Path(name).exists() else [])
    spec = build_spec(replace(asked, task=asked.task or "regression", data=name, target=target))
    source, folder = _lenient(spec.data), Path(spec.folder)
    if isinstance(source, Tabular) and not asked.target:
        return describe(_whole(source, folder))
    table = source.read(folder)
    guess = guess_task(table.targets, source.target_options())
    task, reason = (asked.task, "as --task says") if asked.task else (guess.task, guess.reason)
    return inspect(_evidence(table, source, task), reason)


def profile_of(spec: Spec) -> Profile:
    """The profile of a spec's data."""
    return _evidence(spec.data.read(Path(spec.folder)), spec.data, spec.task)


def _evidence(table: Table, source: Source, task: str) -> Profile:
    kept = set_apart(table, source.split)
    return Profile(kept, task, tasks.get(task).decode(kept.targets, source.target_options()))


def advised(name: str, asked: Overrides) -> tuple[Spec, Recommendation]:
    """The spec for data with the losses that are recommended, the metrics to judge them by, and why they are.

    What was asked for stays as it was asked. The seeds are as many as a verdict needs for so many losses. Raises `DataError`
    for a target with hardly a row for each class.
    """
    spec = resolved(name, asked)
    profile = profile_of(spec)
    _refuse_ids(profile)
    found = recommend(profile)
    losses = [LossChoice(name=each.pick.loss, options=dict(each.pick.options)) for each in found.losses]
    told: dict[str, Any] = {"loss": losses, "data": _as_strict(spec.data, profile, name)}
    if is_spec(name):  # it says for itself how to train and to judge
        return spec.model_copy(update=told), found
    if found.metrics and not asked.metrics and not _says(asked, "metrics"):
        told["metrics"] = list(found.metrics)
    train = {key: value for key, value in found.train.items() if not _says(asked, f"train.{key}")}
    told["train"] = spec.train.model_copy(update=train)
    if asked.seeds is None and not _says(asked, "seeds") and spec.data.split.folds is None:
        told["seeds"] = list(range(advised_seeds(len(losses) - 1, spec.data.split.resampled)))
    return spec.model_copy(update=told), found


def _refuse_ids(profile: Profile) -> None:
    classes = len(profile.target.labels)
    if profile.task == "multiclass" and not profile.soft and classes > profile.rows / LEAST_EACH:
        raise DataError(
            f"the target {shown(next(iter(profile.table.targets)))} has {classes} classes in {counted(profile.rows, 'row')}: "
            "it looks like an id, and nothing can be learned of a class with one row",
            cure="choose another --target, or --task regression where it is a number",
        )


def _as_strict(source: Source, profile: Profile, name: str) -> Source:
    """The source as it refuses rows without a target, if nothing had to be left out for that."""
    left_out = any(each.code == "missing-target" for each in profile.table.findings)
    return source if left_out or is_spec(name) else _with(source, missing_target="error")


def _says(asked: Overrides, key: str) -> bool:
    return any(each.partition("=")[0] == key or each.startswith(f"{key}.") for each in asked.sets)


def _lenient(source: Source) -> Source:
    return _with(source, missing_target="drop")


def _with(source: Source, **options: str) -> Source:
    """The source with options, if it is one that has them."""
    known = {name: value for name, value in options.items() if name in type(source).model_fields}
    return source.model_copy(update=known)


def _leniently(name: str, sets: Sequence[str]) -> list[str]:
    told = any(each.startswith("data.missing_target") for each in sets)
    return ["data.missing_target=drop"] if Path(name).exists() and not told else []


def _whole(source: Tabular, folder: Path) -> Table:
    """All columns, read as if one that every row has were the target."""
    files, _ = files_of(folder, source.paths, source.endings)
    table = source.model_copy(update={"target": source.headings(files[0])[-1]}).read(folder)
    provisional = next(iter(table.targets))
    if not table.columns or not table.columns[provisional].missing:
        return table
    full = [name for name, story in table.columns.items() if story.role == "feature" and not story.missing]
    return source.model_copy(update={"target": full[0]}).read(folder) if full else table


def outlined(name: str, asked: Overrides, path: Path | None) -> tuple[Callable[[str | None], Outline], list[str]]:
    """An outline of a spec for a task or for data, to be put at `path`; and what was decided without being asked."""
    if name in tasks and not Path(name).exists():
        _refuse_columns(name, asked)
        spec = build_spec(replace(asked, task=name)) if asked.sets else None
        return (lambda schema: of_task(name, schema, spec)), []
    noticed = []
    if not asked.target and Path(name).exists():
        likely = looked_at(name, asked).suggestions
        if likely:
            asked = replace(asked, target=list(likely[0].columns))
            noticed.append(f"no --target is given: {', '.join(likely[0].columns)} it is ({likely[0].reason})")
    spec = resolved(name, asked)
    profile = profile_of(spec)
    _refuse_ids(profile)
    told: dict[str, Any] = {"data": _as_strict(spec.data, profile, name)}
    if not is_spec(name) and not _says(asked, "seeds") and spec.data.split.folds is None:
        told["seeds"] = list(range(LEAST_SEEDS))
    first = spec.model_copy(update=told)
    header = [
        "Every key is here; those with # in front have their default.",
        f"Run:  losscli compare {path or f'{first.name}.yaml'}",
    ]
    return (lambda schema: of_spec(first, path.parent if path else Path(), header, schema)), noticed


def _refuse_columns(task: str, asked: Overrides) -> None:
    """`SpecError` for flags that speak of a table, where there is none."""
    given = {"--target": asked.target, "--drop": asked.drop, "--task": asked.task and asked.task != task}
    if wrong := [
        Problem(f"{flag} says nothing of {task}, a task without a table", Place(flag)) for flag in given if given[flag]
    ]:
        raise SpecError(wrong)
