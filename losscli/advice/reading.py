"""From what a user names (a table, a data set, a generator, a spec) to a table that can be looked at.

A row without a target is an error here as it is in training. Where no target is named, the table is read as if one of its
columns were it.
"""

from __future__ import annotations

from collections.abc import Callable
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
from losscli.data.sources import Source
from losscli.data.split import set_apart
from losscli.data.tabular import Tabular
from losscli.errors import DataError, Place, Problem, SpecError, counted, shown
from losscli.spec.load import build_spec, load_spec
from losscli.spec.model import LossChoice, Spec
from losscli.spec.overrides import Overrides
from losscli.spec.stages import first_stage
from losscli.tasks import tasks
from losscli.tasks.guess import guess_task

SPECS = (".yaml", ".yml")
LEAST_SEEDS = 5  # of an outline
LEAST_EACH = 2  # rows for each class of a target
ANY = "?"  # stands for a target until the columns are known


def is_spec(name: str) -> bool:
    """Whether a name is that of a spec, by its ending."""
    return Path(name).suffix.casefold() in SPECS


def resolved(name: str, overrides: Overrides) -> Spec:
    """The spec that a file holds, or that makes of data their own."""
    if is_spec(name):
        return load_spec(Path(name), overrides)
    _refuse_no_target(name, overrides)
    return build_spec(replace(overrides, data=name))


def _predicts(overrides: Overrides) -> bool:
    """Whether something is to be predicted: a wrong name of a task is told elsewhere."""
    return overrides.task not in tasks or tasks.get(overrides.task or "").has_target


def _refuse_no_target(name: str, overrides: Overrides) -> None:
    """`SpecError` for a table without a target, with what inspect suggests."""
    if overrides.target or not Path(name).exists() or _says(overrides, "data.target") or not _predicts(overrides):
        return
    likely = looked_at(name, overrides).suggestions
    cure = "; ".join(
        f"{' '.join(f'--target {column}' for column in suggestion.columns[:8])} ({suggestion.reason})"
        for suggestion in likely
    )
    raise SpecError(
        f"which column of {shown(name)} is to be predicted is not said",
        place=Place("--target"),
        cure=cure or "--target COLUMN",
    )


def looked_at(name: str, overrides: Overrides) -> Inspection:
    """All that there is to say of data, with their target or without."""
    if is_spec(name):
        spec = resolved(name, overrides)
        return inspect(profile_of(spec), "as the spec says")
    if overrides.target:
        spec = resolved(name, overrides)
    else:  # any task will do: the source is the same for all
        target = [ANY] if Path(name).exists() and _predicts(overrides) else []
        task = overrides.task or tasks.names()[-1]
        spec = build_spec(replace(overrides, task=task, data=name, target=target))
    source, folder = spec.data, Path(spec.folder)
    if isinstance(source, Tabular) and not overrides.target and _predicts(overrides):
        return describe(_all_columns(source, folder))
    table = source.read(folder)
    if overrides.task:
        return inspect(_profile(table, source, overrides.task), "as --task says")
    guess = guess_task(table.targets, source.target_options())
    return inspect(_profile(table, source, guess.task), guess.reason)


def profile_of(spec: Spec) -> Profile:
    """The profile of a spec's data."""
    return _profile(spec.data.read(Path(spec.folder)), spec.data, spec.task)


def _profile(table: Table, source: Source, task: str) -> Profile:
    part = set_apart(table.for_task(tasks.get(task)), source.split)
    return Profile(part, task, tasks.get(task).decode(part.targets, source.target_options()))


def advised(name: str, overrides: Overrides) -> tuple[Spec, Recommendation]:
    """The spec for data with the losses that are recommended, the metrics to judge them by, and why they are.

    What was asked for stays as it was asked. The seeds are as many as a verdict needs for so many losses. Raises `DataError`
    for a target with hardly a row for each class.
    """
    spec = resolved(name, overrides)
    profile = profile_of(spec)
    _refuse_ids(profile)
    recommendation = recommend(profile)
    losses = [
        LossChoice(name=recommended.pick.loss, options=dict(recommended.pick.options))
        for recommended in recommendation.losses
    ]
    changes: dict[str, Any] = {"loss": losses, "data": spec.data}
    if is_spec(name):  # it says for itself how to train and to judge
        return first_stage(spec.model_copy(update=changes)), recommendation
    if recommendation.metrics and not overrides.metrics and not _says(overrides, "metrics"):
        changes["metrics"] = list(recommendation.metrics)
    train = {key: value for key, value in recommendation.train.items() if not _says(overrides, f"train.{key}")}
    changes["train"] = spec.train.model_copy(update=train)
    if overrides.seeds is None and not _says(overrides, "seeds") and spec.data.split.folds is None:
        changes["seeds"] = list(range(advised_seeds(len(losses) - 1, spec.data.split.resampled)))
    return first_stage(spec.model_copy(update=changes)), recommendation


def _refuse_ids(profile: Profile) -> None:
    classes = len(profile.target.labels)
    if tasks.get(profile.task).outputs_compete and not profile.soft and classes > profile.rows / LEAST_EACH:
        joined = [finding for finding in profile.target.findings if finding.code == "joined-labels"]
        if joined:
            raise DataError(joined[0].message, cure=joined[0].cure)
        raise DataError(
            f"the target {shown(next(iter(profile.table.targets)))} has {classes} classes in {counted(profile.rows, 'row')}: "
            "it looks like an id, and nothing can be learned of a class with one row",
            cure="choose another --target, or --task regression where it is a number",
        )


def _says(overrides: Overrides, key: str) -> bool:
    return any(setting.partition("=")[0] == key or setting.startswith(f"{key}.") for setting in overrides.sets)


def _all_columns(source: Tabular, folder: Path) -> Table:
    """All columns, read as if one that every row has were the target."""
    files, _ = files_of(folder, source.paths, source.endings)
    source = source.model_copy(update={"missing_target": "drop"})  # of what is the target only to be read at all
    table = source.model_copy(update={"target": source.headings(files[0])[-1]}).read(folder)
    provisional = next(iter(table.targets))
    if not table.columns or not table.columns[provisional].missing:
        return table
    full = [name for name, story in table.columns.items() if story.role == "feature" and not story.missing]
    return source.model_copy(update={"target": full[0]}).read(folder) if full else table


def outlined(name: str, overrides: Overrides, path: Path | None) -> tuple[Callable[[str | None], Outline], list[str]]:
    """An outline of a spec for a task or for data, to be put at `path`; and what was decided without being asked."""
    if name in tasks and not Path(name).exists():
        _refuse_columns(name, overrides)
        spec = build_spec(replace(overrides, task=name)) if overrides.sets else None
        return (lambda schema: of_task(name, schema, spec)), []
    noticed = []
    if not overrides.target and Path(name).exists() and _predicts(overrides):
        likely = looked_at(name, overrides).suggestions
        if likely:
            overrides = replace(overrides, target=list(likely[0].columns))
            noticed.append(f"no --target is given: {', '.join(likely[0].columns)} it is ({likely[0].reason})")
    spec = resolved(name, overrides)
    profile = profile_of(spec)
    _refuse_ids(profile)
    changes: dict[str, Any] = {"data": spec.data}
    if not is_spec(name) and not _says(overrides, "seeds") and spec.data.split.folds is None:
        changes["seeds"] = list(range(LEAST_SEEDS))
    first = spec.model_copy(update=changes)
    header = [
        "Every key is here; those with # in front have their default.",
        f"Run:  losscli compare {path or f'{first.name}.yaml'}",
    ]
    return (lambda schema: of_spec(first, path.parent if path else Path(), header, schema)), noticed


def _refuse_columns(task: str, overrides: Overrides) -> None:
    """`SpecError` for flags that speak of a table, where there is none."""
    given = {
        "--target": overrides.target,
        "--drop": overrides.drop,
        "--task": overrides.task and overrides.task != task,
    }
    if wrong := [
        Problem(f"{flag} says nothing of {task}, a task without a table", Place(flag)) for flag in given if given[flag]
    ]:
        raise SpecError(wrong)
