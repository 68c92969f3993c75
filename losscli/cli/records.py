"""What the commands of `losscli runs` show of records."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from losscli.cli import show
from losscli.cli.changes import sentences
from losscli.cli.fitted import Col, Fitted
from losscli.compare.samedata import of_other_data
from losscli.errors import MachineError, SpecError, counted, shown, visible
from losscli.outfile import is_stream
from losscli.record import reader
from losscli.record.archive import archive
from losscli.record.difference import changed, moved
from losscli.record.find import find, in_the_making, records
from losscli.record.listing import Filter, Summary, far, listed
from losscli.record.remains import progress_of, share, wrong_in
from losscli.record.remove import dead, removable, remove
from losscli.record.tensorboard import event_files
from losscli.spec.reader import read_value
from losscli.words.view import View

TENSORBOARD = "tensorboard"  # what `export --to` may say beside a file
SHORTER = (lambda text: visible(text, 40), lambda text: visible(text, 20))  # values of settings
UNITS = ("B", "KB", "MB", "GB")


def ls(root: Path, query: Filter, as_json: bool) -> None:
    """The records, a line each, the newest last."""
    summaries = listed(root, query)
    if as_json:
        show.machine({"schema_version": 1, "root": str(root), "records": [summary.to_json() for summary in summaries]})
        return
    if not summaries:
        _none(root, "such " if records(root, unfinished=True) else "")
        return
    table = _table([summary for summary in summaries if not summary.broken])
    # Apart from the others, whose columns a long reason would take away.
    broken = [
        Text(f"{visible(one.id, 100)} cannot be read: {visible(one.broken, 60)}") for one in summaries if one.broken
    ]
    show.pieces([*([table] if table.rows else []), *broken])


def _none(root: Path, such: str = "") -> None:
    show.notice(f"there is no {such}record in {shown(root)}")


def _table(summaries: Sequence[Summary]) -> Fitted:
    """A row each; whether one is unfinished stands beside its name, and is never left out."""
    state = any(summary.unfinished for summary in summaries)
    columns = [
        Col("record", shorter=(_without_time, _named_in_short, _number_alone)),
        *([Col("state")] if state else []),
        Col("task", drop=2),
        Col("losses", drop=1),
        Col("runs", drop=3),
        Col("reference", drop=4),
        Col("size", drop=5),
    ]
    table = Fitted(columns)
    for summary in summaries:
        name, *others = _cells(summary)
        table.add(name, *([how_far(summary.unfinished) if summary.unfinished else ""] if state else []), *others)
    return table


def _without_time(text: str) -> str:
    """An id without the moment at which it was made; a command takes its number alone.

    >>> _without_time("0002-20261126-114116-compare-binary"), _number_alone("0002 compare-binary")
    ('0002 compare-binary', '0002')
    """
    number, *moment = text.split("-", 3)  # a folder may be called anything
    return f"{number} {moment[2]}" if len(moment) == 3 and "".join(moment[:2]).isdigit() else text


def _named_in_short(text: str, most: int = 24) -> str:
    """A name with as many of its words as are read at a glance.

    >>> _named_in_short("0001 binary-breakdown-compare-multiclass")
    '0001 binary-breakdown ...'
    """
    return text if len(text) <= most else f"{text[: most - 2].rpartition('-')[0] or text[: most - 3]} ..."


def _number_alone(text: str) -> str:
    number = text.partition(" ")[0]
    return number if number.isdigit() else text


def _cells(summary: Summary) -> list[str]:
    score = "" if summary.reference is None else f"{summary.headline} {summary.reference:.4g}"
    return [
        visible(summary.id, 100),
        visible(_few(summary.tasks), 60),
        visible(_few(summary.losses), 60),
        f"{summary.entries} x {summary.seeds}",
        visible(score, 60),
        size(summary.bytes),
    ]


def how_far(unfinished: Mapping[str, Any]) -> str:
    """What a record in the making has of what was asked for, and whether a process works on it.

    >>> how_far({"done": 12, "total": 40, "process": 7, "alive": True})
    'running: 30 %, process 7'
    >>> how_far({"done": 12, "total": 40, "process": 7, "alive": False})
    'unfinished: 30 %, stopped'
    """
    running = unfinished["alive"]
    more = f"process {unfinished['process']}" if running else "stopped"
    return f"{'running' if running else 'unfinished'}: {share(unfinished)}, {more}"


def _few(names: Sequence[str], most: int = 2) -> str:
    more = f" +{len(names) - most}" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def size(count: float) -> str:
    """Bytes as people say them.

    >>> size(512), size(2048), size(5_500_000)
    ('512 B', '2 KB', '5.2 MB')
    """
    for unit in UNITS:
        if count < 1024 or unit == UNITS[-1]:
            break
        count /= 1024
    return f"{count:.0f} {unit}" if count >= 10 or count == int(count) else f"{count:.1f} {unit}"


def show_record(root: Path, text: str, as_json: bool, view: View) -> None:
    """A record as it was shown when it was made, as a view shows it."""
    place = find(root, text, outside=True, unfinished=True)
    with at_hand(place) as folder:
        if as_json and not view.by_class:
            show.machine(reader.read(folder)["results"])
            return
        from losscli.reports.json import to_json
        from losscli.reports.recall import recall

        comparison = replace(recall(folder, predictions=view.by_class).comparison, record=str(place))
        if as_json:
            show.machine(to_json(comparison, view.by_class))
        else:
            show.outcome(comparison, view=view)
            show.trained_on(comparison.machines)


def show_config(root: Path, text: str, as_json: bool) -> None:
    """The settings of a record, and where each came from."""
    from losscli.cli.settings import config

    with at_hand(find(root, text, outside=True, unfinished=True)) as folder:
        config(folder, as_json)


@contextmanager
def at_hand(folder: Path) -> Iterator[Path]:
    """A record; of one in the making, what there is so far, which takes torch and its data."""
    if not in_the_making(folder):
        yield folder
        return
    from losscli import pipeline

    with pipeline.at_hand(folder) as whole:
        yield whole


def diff(root: Path, before: str, after: str, as_json: bool) -> None:
    """What two records have apart: specs key by key, scores entry by entry. It claims nothing: `gate` tests."""
    folders = [find(root, text, outside=True) for text in (before, after)]
    one, other = map(reader.read, folders)
    specs = [[read_value(text, "spec.yaml") for text in record["specs"]] for record in (one, other)]
    others = of_other_data(*({**record, "specs": said} for record, said in zip((one, other), specs, strict=True)))
    keys, scores = changed(*specs), moved(one["results"], other["results"])
    if as_json:
        show.machine(
            {
                "schema_version": 1,
                "before": folders[0].name,
                "after": folders[1].name,
                "other_data": sorted(others),
                "spec": [vars(key) for key in keys],
                "entries": [vars(score) for score in scores],
            }
        )
        return
    table = Fitted([Col("setting"), Col("before", shorter=SHORTER), Col("after", shorter=SHORTER)])
    for key in keys:
        table.add(*(visible(part, 60) for part in (_numbered(key.arena, key.key), key.before, key.after)))
    means = Fitted([Col("entry"), Col("metric"), Col("before"), Col("after"), Col("difference")])
    for score in scores:
        unlike = score.arena in others or score.before is None or score.after is None
        apart = None if unlike else score.after - score.before  # type: ignore[operator]
        means.add(
            visible(_numbered(score.arena, score.entry), 60),
            visible(score.metric, 40),
            *map(_number, (score.before, score.after)),
            "" if apart is None else f"{apart:+.4g}",
        )
    note = Text("means of the test split; whether a difference is real, `losscli gate` tests", "dim")
    before, after = (folder.name.partition("-")[0] for folder in folders)
    told = sentences(before, after, keys, scores, others)
    settings: list[RenderableType] = [Text(), table] if keys else []
    show.pieces([Text("\n".join(told)), *settings, Text(), means, Text(), note])


def _numbered(arena: int, name: str) -> str:
    return name if arena == 1 else f"{name} (arena {arena})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def rm(root: Path, texts: Sequence[str], yes: bool) -> None:
    """Remove records after asking once; all that are named are looked at before the first one goes."""
    folders = list(dict.fromkeys(removable(root, text) for text in texts))
    if not yes:
        _ask([folder.name for folder in folders])
    for folder in folders:
        remove(root, folder)
        show.notice(f"removed {folder.name}")


def clean(root: Path, yes: bool) -> None:
    """Remove what was stopped and will not be gone on with, after asking."""
    folders = dead(root)
    if not folders:
        show.notice(f"nothing in {shown(root)} is unfinished without a process that works on it")
        return
    rm(root, [folder.name for folder in folders], yes)


@dataclass(frozen=True)
class RecordCheck:
    """What is wrong with a record, empty where nothing is; and how far it is, if it is in the making and sound."""

    id: str
    damage: str
    unfinished: Mapping[str, Any] | None = None

    def verdict(self) -> Text:
        if self.damage:
            return Text(visible(self.damage, 400), "red")
        return Text(how_far(self.unfinished) if self.unfinished else "as it was written")


def verify(root: Path, texts: Sequence[str], as_json: bool) -> int:
    """Read every file of records against its checksum; how many are not as they were written."""
    folders = [find(root, text, outside=True, unfinished=True) for text in texts] or records(root, unfinished=True)
    checks = [_check(folder) for folder in folders]
    if as_json:
        show.machine({"schema_version": 1, "root": str(root), "records": [vars(check) for check in checks]})
    elif not checks:
        _none(root)
    else:
        show.lines(Text.assemble(visible(check.id, 100), "  ", check.verdict()) for check in checks)
    return sum(bool(check.damage) for check in checks)


def _check(folder: Path) -> RecordCheck:
    if in_the_making(folder):
        damage = wrong_in(folder)
        if in_the_making(folder):  # or it has become whole in between
            progress = None if damage else far(folder, progress_of(folder))
            return RecordCheck(folder.name, damage, progress)
    return RecordCheck(folder.name, _damage(folder))


def _damage(folder: Path) -> str:
    """What is wrong with a whole record; empty where nothing is."""
    from losscli.reports.recall import recall

    try:
        reader.read_weights(folder)
        recall(folder)
    except MachineError as error:
        return str(error)
    return ""


def _ask(names: Sequence[str]) -> None:
    listed = ", ".join(names)
    if not sys.stdin.isatty():
        raise SpecError(f"this would remove {counted(len(names), 'record')}: {listed}", cure="add --yes")
    show.notice(f"this removes {counted(len(names), 'record')} for good: {listed}")
    print("remove? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise SpecError("nothing was removed", cure="answer y, or add --yes")


def export(root: Path, text: str, to: Path | None, force: bool) -> None:
    """A record as a zip file, or its histories as event files."""
    folder = find(root, text, outside=True)
    if to == Path(TENSORBOARD):
        path = Path(f"{folder.name}-{TENSORBOARD}")
        event_files(folder, path, force)
        show.notice(f"to look at it: tensorboard --logdir {path}")
    else:
        path = to or Path(f"{folder.name}.zip")
        archive(folder, path, force)
    if not is_stream(path):
        show.paths([path])
