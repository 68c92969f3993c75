"""What `predict` and `export` do: find the record, restore what was asked for, write it, and say where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losscli.cli import formats, show
from losscli.data.newrows import NewRows, new_rows, pointed
from losscli.data.rowkeys import overlap
from losscli.deploy.choose import RunChoice
from losscli.deploy.export import export
from losscli.deploy.predict import made_up, predict, with_rates
from losscli.deploy.restore import RestoredRun, restore
from losscli.errors import Place, SpecError, choose_from, counted, shown
from losscli.outfile import atomic, free
from losscli.record.find import find
from losscli.spec.document import Spot
from losscli.spec.mistakes import problems_in
from losscli.spec.reader import read_value

if TYPE_CHECKING:
    from losscli.data.sources import Source
    from losscli.data.tabular import Tabular


ROWS = 1000  # that a generator makes up where --rows says nothing


@dataclass(frozen=True)
class Answer:
    """How predictions are wanted: the file (None: stdout), its format (None: as its name ends), and what is in it."""

    to: Path | None
    form: str | None
    prefix: str
    threshold: str | None
    force: bool
    quiet: bool
    sets: Sequence[str] = ()  # how the file is written, where not as the one that was trained on


def selection(arena: int | None, entry: str | None, seed: str | None, losses: Sequence[str] | None) -> RunChoice:
    """The runs that flags name; `--seed mean` are all seeds of the entry."""
    if seed is None or seed == "mean":
        return RunChoice(arena, entry, None, seed == "mean", tuple(losses or ()))
    if not (seed.isascii() and seed.isdecimal()):
        raise SpecError(f"--seed takes a seed of the record, or mean, and {shown(seed)} is given", cure="--seed mean")
    return RunChoice(arena, entry, int(seed), False, tuple(losses or ()))


def run_predict(
    record: str, root: Path, rows: str | None, count: int | None, choice: RunChoice, answer: Answer
) -> None:
    """Append what the runs say of the rows of a file to its columns, and write that; a generator makes up `count` rows."""
    form = _form(answer)
    if answer.to is not None:
        free(answer.to, answer.force)
        _refuse_the_input(answer.to, rows or "")
    runs = restore(find(root, record, outside=True), choice)
    if not runs[0].task.has_target:
        _make_up(runs, rows, count, form, answer)
        return
    if rows is None or count is not None:
        missing = (
            "needs a file of new rows" if rows is None else "predicts the rows of a file, and --rows makes some up"
        )
        raise SpecError(f"predict {missing}: the task is {runs[0].task.name}", cure=f"losscli predict {record} FILE")
    trained_on = runs[0].spec.data
    new = new_rows(_source(trained_on, rows, answer.sets), runs[0].encoder, getattr(trained_on, "targets", ()))
    said = predict(runs, new.features, _threshold(answer.threshold, runs))
    columns = with_rates(said, runs[0].encoder, new.features)
    _write(form.write(new, columns, answer.prefix, _origin(runs)), answer.to)
    if not answer.quiet:
        if shared := _shared(runs, new, rows):
            show.notice(f"{shared} record {shown(record)} was trained on: its predictions of them look too good")
        for finding in new.findings:
            show.notice(finding.message)
        show.notice(f"{counted(new.table.num_rows, 'row')} predicted by {_named(runs)}")


def _shared(runs: Sequence[RestoredRun], new: NewRows, path: str) -> str:
    """The subject of a sentence: the rows of the file that the runs were trained on. Empty where there are none."""
    keys = [run.rows for run in runs if run.rows is not None]
    if len(keys) < len(runs):  # a record of before: the file's place is all that tells
        return "these rows are the ones that" if _is_trained_on(runs[0], path) else ""
    shared = overlap(keys, [run.encoder for run in runs], new.features, new.table.num_rows)
    if shared is None:
        return ""
    if shared.whole:
        return "these rows are the ones that"
    about = "" if shared.exact else "about "
    return f"{about}{shared.count} of these {counted(shared.rows, 'row')} equal rows that"


def _is_trained_on(run: RestoredRun, path: str) -> bool:
    """Whether the file is one that the models were trained on."""
    paths = [Path(run.spec.folder) / one for one in getattr(run.spec.data, "paths", ())]
    return any(one.exists() and Path(path).exists() and one.samefile(path) for one in paths)


def _make_up(
    runs: Sequence[RestoredRun], rows: str | None, count: int | None, form: formats.Format[Any], answer: Answer
) -> None:
    import pyarrow as pa

    if rows is not None:
        raise SpecError(
            f"a generator makes up rows, and {shown(rows)} is a file of some", cure="leave it out: --rows 1000"
        )
    if len(runs) > 1:
        raise SpecError("rows of several generators have no mean", cure="name a seed in place of --seed mean")
    made = made_up(runs[0], count or ROWS)
    table = pa.table({f"{answer.prefix}{name}": values for name, values in made.items()})
    _write(form.write(NewRows(table, {}), {}, "", _origin(runs)), answer.to)
    if not answer.quiet:
        show.notice(f"{counted(table.num_rows, 'row')} made up by {_named(runs)}")


def _refuse_the_input(to: Path, rows: str) -> None:
    if to.exists() and Path(rows).exists() and to.samefile(rows):
        raise SpecError(f"{shown(to)} is the file of the new rows itself", cure="write to another file")


def _source(trained_on: Source, rows: str, sets: Sequence[str]) -> Tabular:
    """What reads the new rows; `--set data.KEY=VALUE` where the file is written otherwise than the one trained on."""
    from pydantic import ValidationError

    kind, keys = pointed(trained_on, rows)
    for text in sets:
        name, equals, value = text.partition("=")
        if not equals or not name.startswith("data."):
            raise SpecError(f"--set: {shown(text)} is no key of the file", cure="as in --set 'data.delimiter=;'")
        keys[name.removeprefix("data.")] = value if len(value) == 1 else read_value(value, f"--set {name}")
    try:
        return kind.model_validate(keys)
    except ValidationError as wrong:
        flag = Spot(Place("--set"), Place("--set"))
        raise SpecError(problems_in(wrong, kind, keys, ("data",), lambda path: flag)) from None


def run_export(record: str, root: Path, form: str, choice: RunChoice, out: Path | None) -> None:
    """Write one run as an ordinary model, and say where its files are."""
    (run,) = restore(find(root, record, outside=True), choice)
    folder = out or Path(f"{run.record}-{form}")
    show.paths(export(run, form, folder))
    show.notice(f"this is {_named([run])}")


def _form(answer: Answer) -> formats.Format[Any]:
    """The format that is asked for, or that the file's name tells; the first of them on stdout."""
    name = answer.form or (answer.to.suffix.removeprefix(".").casefold() if answer.to else next(iter(formats.rows)))
    if name not in formats.rows:
        raise SpecError(f"there is no format called {shown(name)}", cure=choose_from(name, formats.rows))
    form = formats.rows[name]
    if answer.to is None and not form.printed:
        raise SpecError(f"{name} is no text to print", cure=f"name a file: --to predictions.{name}")
    return form


def _threshold(text: str | None, runs: Sequence[RestoredRun]) -> float | None:
    """A number, or a metric: then the threshold that was best for it on the valid split, the mean over the runs."""
    if text is None:
        return None
    if not runs[0].task.yes_or_no:
        raise SpecError(f"--threshold is for yes or no, and the task is {runs[0].task.name}", cure="leave it out")
    calibrations = [(run.result.get("calibration") or {}).get("thresholds") or {} for run in runs]
    values = [thresholds[text] for thresholds in calibrations if thresholds.get(text) is not None]
    if values:
        return float(sum(values) / len(values))
    try:
        return float(text)
    except ValueError:
        alternative = (
            f", or {', '.join(calibrations[0])}, for the one that was best on the valid split"
            if calibrations[0]
            else ""
        )
        cure = f"--threshold takes a number{alternative}"
        raise SpecError(f"--threshold: {shown(text)} is none", cure=cure) from None


def _origin(runs: Sequence[RestoredRun]) -> dict[str, Any]:
    return {"record": runs[0].record, "entry": runs[0].entry.name, "seeds": [run.run.seed for run in runs]}


def _named(runs: Sequence[RestoredRun]) -> str:
    seeds = [str(run.run.seed) for run in runs]
    which = f"seed {seeds[0]}" if len(seeds) == 1 else f"the mean of {len(seeds)} seeds"
    return f"{runs[0].entry.name}, {which}, of {runs[0].record}"


def _write(data: bytes, path: Path | None) -> None:
    """To stdout, or to a file that is whole or not there."""
    if path is None:
        show.rows(data)
        return
    with atomic(path) as draft:
        draft.write(data)
