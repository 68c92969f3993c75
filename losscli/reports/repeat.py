"""How a record is made once more: the command, and what it needs that no record holds."""

from __future__ import annotations

import re
import shlex

from losscli.errors import shown
from losscli.reports.recall import ComparisonRecord


def command(record: ComparisonRecord) -> str:
    """What one types to get this once more.

    A loss of one's own is code, which a spec cannot name, so that all losses are given again: the file of one's own as
    `FILE.py:NAME`. Where losses have options, which no flag says, that is left to the reader (see `needed`).
    """
    if record.comparison.partial:
        return f"losscli resume {shlex.quote(record.folder.name)}"
    folder = shlex.quote(record.folder.as_posix())
    # the star stands outside the quotes, for the shell to expand
    specs = f"{folder}/spec.yaml" if len(record.specs) == 1 else f"{folder}/spec*.yaml"
    single = len(record.comparison.arenas) == 1 and len(record.comparison.arenas[0].entries) == 1
    return " ".join([f"losscli {'train' if single else 'compare'} {specs}", *_flags(record)])


def take_home(record: ComparisonRecord) -> list[str]:
    """The commands that print a loss as a module: of each arena the best one that is better, or else the reference.

    None of numbers of others, and of losses of one's own, which are code already.
    """
    own = own_losses(record)
    commands = []
    for arena in record.comparison.arenas:
        winners = [entry for entry in arena.entries if entry.verdict == "better"]
        entry = max(winners, key=lambda entry: arena.goodness(entry, arena.headline), default=arena.reference_entry)
        if arena.foreign or entry.loss in own:
            continue
        numbers = {name: value for name, value in entry.options.items() if type(value) in (int, float)}
        sets = "".join(f" --set {name}={value!r}" for name, value in numbers.items() if name not in ("lr", "output"))
        commands.append(f"losscli explain {shlex.quote(entry.loss)} --task {arena.task}{sets} --torch")
    return list(dict.fromkeys(commands))


def _flags(record: ComparisonRecord) -> list[str]:
    own = own_losses(record)
    entries = [entry for arena in record.comparison.arenas for entry in arena.entries]
    if not own or any(entry.options for entry in entries):
        return []
    names = dict.fromkeys(own.get(entry.loss, entry.loss) for entry in entries)
    return [f"--loss {shlex.quote(name)}" for name in names]


def own_losses(record: ComparisonRecord) -> dict[str, str]:
    """Losses that were code in a file: as the record names them, and as one gives them again."""
    from losscli.losses import losses

    catalogue = {loss.name for loss in losses}
    files = {}
    for arena in record.comparison.arenas:
        for entry in arena.entries:
            parts = re.fullmatch(r"([\w-]+)\.([A-Za-z_]\w*)", entry.loss)
            if parts and entry.loss not in catalogue:
                files[entry.loss] = f"{parts[1]}.py:{parts[2]}"
    return files


def needed(name: str, file: str) -> str:
    """What is said of a loss of one's own.

    >>> needed("own_loss.tilted", "own_loss.py:tilted")
    "The loss 'own_loss.tilted' is code in a file, which no record holds: say where it is, as --loss FOLDER/own_loss.py:tilted."
    """
    return f"The loss {shown(name)} is code in a file, which no record holds: say where it is, as --loss FOLDER/{file}."
