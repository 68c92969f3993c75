"""One table, one seed, one dataset: split, then encode with what the training split alone teaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from losscli.data.corrupt import Corruption, DamagedSplit, corrupt, damage_findings
from losscli.data.dataset import SPLITS, Dataset, Part, Table, rows_that_count
from losscli.data.decode import scaled, target_scale, target_state
from losscli.data.encode import Encoder, OffsetCode
from losscli.data.encoding import Encoding
from losscli.data.sources import Source, Split
from losscli.data.split import divide
from losscli.data.stream import Room, Stream, streamed
from losscli.errors import DataError, Finding, SpecError, counted, listed, setting, shown
from losscli.tasks import Column, Target, TargetScale, Task, tasks

NOT_LEARNED = "nothing can be learned of it there"
NOT_MEANT = "nothing can be learned from it; data.drop silences this, if it is meant to be so"


def prepare(
    table: Table,
    target: Target,
    task: Task,
    split: Split,
    seed: int,
    corruption: Corruption | None = None,
    encoding: Encoding | None = None,
    room: Room | None = None,
) -> Dataset:
    """The dataset that a run of `seed` trains on, divided as `split` says, its training split damaged as `corruption` says.

    `target` is what `task.decode` made of the table's target columns; `split.set_apart` has been called on the table.
    Splits are stratified where each row has one class, unless `split.stratify` says otherwise. Raises `DataError` if a
    split is too small, if the training split has one class only, or if no feature varies over it. Where `room` is not
    enough for all rows encoded, they are streamed.
    """
    rows, split_findings = divide(table, target, split, seed, _stratifies(task, target, split))
    train = DamagedSplit(rows["train"], table.features, target.values[rows["train"]])
    places = rows["train"]  # of the training rows among `train.features`
    if corruption is not None and corruption.active():
        train = corrupt(table.features, target, rows["train"], corruption, seed, task)
        rows, places = {**rows, "train": train.rows}, np.arange(len(train.rows))
    _need_two_classes(task, target, train.values)
    encoding = encoding or Encoding()
    learned = slice(None) if table.weight is None else rows_that_count(table.weight[rows["train"]])
    fitted = Encoder.fit(train.features, places[learned], encoding) if task.has_target else Encoder(())
    exposure = table.exposure
    offset = None if exposure is None else exposure.code(rows["train"][learned])
    encoder = _as_read(fitted, offset, table)
    scale = None if task.has_classes else target_scale(train.values[learned], target.transform, target.standardise)

    def encoded(
        features: Mapping[str, Column], places: np.ndarray, of: np.ndarray | None = None
    ) -> np.ndarray | Stream:
        columns = features if exposure is None else exposure.beside(features, of)
        if room is None or room.holds(table.rows, encoder):
            return encoder.transform(columns, places)
        return Stream(columns, places, encoder, room.window(encoder))

    def part(name: str) -> Part:
        weight = None if table.weight is None else table.weight[rows[name]]
        exposed = exposure.of_mean(rows[name], offset) if exposure and offset else None
        if name == "train":
            clean = None if train.clean is None else scaled(train.clean, scale)
            features = encoded(train.features, places, None if places is rows[name] else train.rows)
            values, units = scaled(train.values, scale), _units(train.values, scale)
            return Part(features, values, weight, rows[name], clean, train.flipped, units, exposed)
        values = target.values[rows[name]]
        features = encoded(table.features, rows[name])
        return Part(features, scaled(values, scale), weight, rows[name], None, None, _units(values, scale), exposed)

    parts = {name: part(name) for name in SPLITS}
    findings = (*table.findings, *target.findings, *split_findings, *_encoding_findings(table, encoder, encoding))
    state = {**encoder.state(), "target": target_state(target, scale)}
    tables = (encoder.embedded, encoder.sizes)
    return Dataset(table.name, split.seed_of(seed), parts, target, scale, state, findings, *tables, damage=train.done)


def _as_read(encoder: Encoder, offset: OffsetCode | None, table: Table) -> Encoder:
    """The encoder, which also knows the exposure of a row and how cells of the table were read."""
    codes = encoder.codes if offset is None else (offset, *encoder.codes)
    return replace(encoder, codes=codes, dates=_dates(table), units=_taken_off(table))


def _units(values: np.ndarray, scale: TargetScale | None) -> np.ndarray | None:
    """Target values in the user's units, float64; None of classes, which have none."""
    return None if scale is None else values.astype(np.float64, copy=False)


def _dates(table: Table) -> dict[str, bool | None]:
    """What was found of day and month in each column of dates."""
    return {story.name: story.day_first for story in table.columns.values() if story.kind == "date"}


def _taken_off(table: Table) -> dict[str, str]:
    """What was taken off the numbers of each column that had it."""
    return {story.name: story.unit for story in table.columns.values() if story.unit and story.name in table.features}


def prepare_all(
    table: Table, target: Target, task: Task, source: Source, seeds: Sequence[int]
) -> tuple[dict[int, Dataset], list[Finding]]:
    """The dataset of every seed, one object where seeds have the same, and what was noticed of all of them."""
    split, corruption = source.split, source.corrupt
    _refuse_new_classes(task, split)
    own = {seed: seed if split.resampled or corruption.active() else None for seed in seeds}
    limit = source.memory_limit()
    room = None if limit is None else Room.beside(table.features, limit, len(set(own.values())))
    made: dict[int | None, Dataset] = {}
    datasets = {}
    for seed in seeds:
        if own[seed] not in made:
            made[own[seed]] = prepare(table, target, task, split, seed, corruption, source.encode, room)
        datasets[seed] = made[own[seed]]
    different = list(made.values())
    findings = [finding for dataset in different for finding in dataset.findings]
    findings += constant_in_some(table, different)
    findings += sizes_that_differ(different)
    if not split.classes:  # which leaves some out on purpose
        findings += classes_that_lack(task, target, datasets)
    findings += streamed([dataset.parts["train"].features for dataset in different], table.rows, room)
    findings += damage_findings(corruption, [dataset.damage for dataset in different])
    return datasets, findings


def _refuse_new_classes(task: Task, split: Split) -> None:
    if split.classes and not task.judges_new_classes:
        able = [other.name for other in tasks if other.judges_new_classes]
        raise SpecError(
            f"data.split.classes tests on classes that training has not seen, and task {task.name} cannot predict them",
            cure=f"leave it out; it is for task {' and '.join(able)}",
        )


def size_ratios(datasets: Sequence[Dataset]) -> dict[str, float]:
    """For each split its rows per training row, the mean over the datasets."""
    ratios = [
        {name: part.rows / dataset.parts["train"].rows for name, part in dataset.parts.items()} for dataset in datasets
    ]
    return {name: sum(ratio[name] for ratio in ratios) / len(ratios) for name in SPLITS}


def sizes_that_differ(datasets: Sequence[Dataset]) -> list[Finding]:
    """A finding if the splits are not of the same size in all datasets: tables show those of the first seed."""
    sizes = {name: [dataset.parts[name].rows for dataset in datasets] for name in SPLITS}
    spans = [f"{name} {min(rows)} to {max(rows)}" for name, rows in sizes.items() if min(rows) < max(rows)]
    if not spans:
        return []
    return [Finding("split-sizes", "info", f"the sizes of the splits differ between seeds: {', '.join(spans)} rows")]


def classes_that_lack(task: Task, target: Target, datasets: Mapping[int, Dataset]) -> list[Finding]:
    """A finding for each split that lacks a class, or positive rows of a label, with the seeds of these datasets."""
    if not task.has_classes:
        return []
    alone = task.rows_have_one_class
    present = _classes_in(target.values, target, alone)
    findings = []
    for split in SPLITS:
        lacking = {
            seed: present & ~_classes_in(dataset.parts[split].target, target, alone)
            for seed, dataset in datasets.items()
        }
        seeds = [str(seed) for seed, classes in lacking.items() if classes.any()]
        if seeds:
            names = [shown(target.labels[at]) for at in np.flatnonzero(np.any(list(lacking.values()), axis=0))]
            message = f"the {split} split has no {task.rows_of_class} {listed(names)}"
            message += f" with {len(seeds)} of {len(datasets)} seeds ({listed(seeds)})" if len(datasets) > 1 else ""
            effect = NOT_LEARNED if split == "train" else task.class_unmeasured
            findings.append(
                Finding("class-missing", "warning", f"{message}: {effect}", "a larger split, or more such rows")
            )
    return findings


def _classes_in(values: np.ndarray, target: Target, alone: bool) -> np.ndarray:
    """bool [K or L]: the classes that have a row, or the labels that have a positive one, among `values` [N, ...]; where a
    class is not `alone` in a row, those that have a share of one."""
    if values.ndim == 2 and not (target.soft and alone):
        return np.asarray(values.any(axis=0))
    classes = target.decided(values)
    return np.bincount(classes.astype(np.int64), minlength=len(target.labels)) > 0


def _stratifies(task: Task, target: Target, split: Split) -> bool:
    if not task.has_classes or target.classes.ndim != 1:
        return False
    shares = target.soft and target.values.ndim == 1  # of yes: a row has no one class, and few may be above 1/2
    alone = task.rows_have_one_class and not shares
    return alone if split.stratify is None else split.stratify


def _need_two_classes(task: Task, target: Target, train: np.ndarray) -> None:
    if not task.rows_have_one_class:
        return
    classes = np.unique(target.decided(train))
    shares = target.soft and train.ndim == 1 and bool(train.min() < train.max())
    if len(classes) < 2 and not shares:
        raise DataError(
            f"the training split has one class only: {shown(target.labels[int(classes[0])])}",
            cure=f"set {setting('split.stratify', 'true')}, or add rows of the other classes",
        )


def _encoding_findings(table: Table, encoder: Encoder, encoding: Encoding) -> list[Finding]:
    """What encoding did to the values. Told of the whole table where it can be, so that all seeds say the same."""
    findings = []
    missing = {name: int(column.missing.sum()) for name, column in table.features.items()}
    missing = {name: count for name, count in missing.items() if count}
    holed = [f"{shown(name)} in {count}" for name, count in missing.items()]
    if holed:
        kinds = {table.features[name].is_category for name in missing}
        findings.append(
            Finding(
                "missing-values",
                "info",
                f"values are missing: {listed(holed)} of {counted(table.rows, 'row')}; "
                f"{encoding.missing.describe(False in kinds, True in kinds)}"
                f"{', and features of their own tell where' if encoding.indicator else ''}",
                "data.encode.missing fills in otherwise, or leaves such rows out (drop); data.drop takes a column out",
            )
        )
    if encoder.embedded:
        message = f"learned vectors stand for categories: {encoder.describe_embedding(table.features)}"
        findings.append(Finding("embedded", "info", message))
    if encoding.numbers == "none" and (fine := _too_fine(table)):
        message = f"features vary by less than 1e-5 of their size, of which float32 keeps little: {listed(fine)}"
        cure = "subtract a constant from them, or leave data.encode.numbers out: then they are centred in float64"
        findings.append(Finding("feature-precision", "warning", message, cure))
    constants = [name for name in encoder.constant if _constant(table.features[name])]
    if constants:
        message = f"constant features were left out: {listed([shown(name) for name in constants])}"
        findings.append(Finding("constant-feature", "warning", message, NOT_MEANT))
    return findings


def _too_fine(table: Table) -> list[str]:
    """Numbers far from zero that float32 cannot tell apart as they are."""
    names = []
    for name, column in table.features.items():
        present = column.values[~column.missing]
        if not column.is_category and len(present):
            low, high = float(present.min()), float(present.max())
            if 0 < high - low < 1e-5 * max(abs(low), abs(high)):
                names.append(shown(name))
    return names


def constant_in_some(table: Table, datasets: Sequence[Dataset]) -> list[Finding]:
    """One finding for all features that vary in the table but not in the training split of every dataset."""
    left_out = [name for dataset in datasets for name in dataset.encoder["constant"]]
    names = [name for name in dict.fromkeys(left_out) if not _constant(table.features[name])]
    if not names:
        return []
    which = "one feature is" if len(names) == 1 else f"{len(names)} features are"
    seeds = [str(dataset.seed) for dataset in datasets if set(names) & set(dataset.encoder["constant"])]
    where = f"in {'the training split of seed' if len(seeds) == 1 else 'the training splits of seeds'} {listed(seeds)}"
    quoted = listed([shown(name) for name in names])
    message = f"{which} constant {where}, and left out there: {quoted}"
    return [Finding("constant-feature", "warning", message, NOT_MEANT)]


def _constant(column: Column) -> bool:
    present = column.values[~column.missing]
    return not len(present) or bool(present.min() == present.max())
