"""The command that one would type next, for the last line of an answer."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losscli.compare.result import Arena
    from losscli.comparison import Comparison
    from losscli.losses import Loss

MOST_SEEDS = 100  # that a hint suggests: beyond, people should think about other ways first


def next_command(comparison: Comparison) -> str:
    """What one would type next: the same spec against another loss, or with more seeds. Needs a record."""
    if comparison.record is None or any(arena.foreign for arena in comparison.arenas):
        return ""
    from losscli.compare.verdict import seeds_wanted
    from losscli.losses.own import typed

    if comparison.partial:
        return resume_command(comparison)
    if len(comparison.arenas) != 1:
        return _with_more_seeds(comparison.arenas, comparison.record)
    (arena,) = comparison.arenas
    command = f"losscli compare {shlex.quote(comparison.record + '/spec.yaml')}"
    if len(arena.entries) == 1:
        entry = arena.entries[0]
        rival = _rival(arena.task, entry.loss)
        both = f"--loss {shlex.quote(typed(entry.loss))} --loss {rival}"
        return f"{command} {both} --seeds {seeds_wanted(arena)}" if rival else ""
    seeds = seeds_wanted(arena)
    named = [typed(entry.loss) for entry in arena.entries]
    own = [f" --loss {shlex.quote(name)}" for name in named] if named != [entry.loss for entry in arena.entries] else []
    more = f"--seeds {seeds}" if arena.looks is None else f"--set seeds.most={seeds}"
    return f"{command}{''.join(own)} {more}" if 0 < seeds <= MOST_SEEDS else ""  # a record does not hold code


def resume_command(comparison: Comparison) -> str:
    """How one goes on with what was stopped."""
    names = dict.fromkeys(entry.loss for arena in comparison.arenas for entry in arena.entries)
    return resume_of(Path(comparison.record or ""), names)


def resume_of(record: Path, names: Iterable[str]) -> str:
    """How one goes on with the record of these losses; it holds no code, so those of the user's own are named again."""
    from losscli.losses.own import typed
    from losscli.record import cures

    return cures.resume(record, [typed(name) for name in names if typed(name) != name])


def _with_more_seeds(arenas: Sequence[Arena], record: str) -> str:
    """All arenas again; not where a loss of the user's own is among them, as a record does not hold code."""
    from losscli.compare.verdict import seeds_wanted
    from losscli.losses.own import typed

    seeds = max(map(seeds_wanted, arenas))
    own = any(typed(entry.loss) != entry.loss for arena in arenas for entry in arena.entries)
    more = f"--set seeds.most={seeds}" if all(arena.looks for arena in arenas) else f"--seeds {seeds}"
    return f"losscli compare {shlex.quote(record)}/spec*.yaml {more}" if 0 < seeds <= MOST_SEEDS and not own else ""


def _rival(task: str, name: str) -> str | None:
    """Another loss for the same targets, if possible for the same outputs, and not one that is the same in other words."""
    from losscli.losses import for_task

    serving = for_task(task)
    if name not in serving:
        return None
    mine = serving[name]
    others = [
        candidate
        for candidate in serving.values()
        if candidate.target == mine.target
        and not (candidate is mine or candidate.over_batch or _equals(mine, candidate) or _equals(candidate, mine))
        and not any(option.required for option in candidate.options.values())
    ]
    return min(others, key=lambda candidate: candidate.expects != mine.expects).name if others else None


def _equals(one: Loss, other: Loss) -> bool:
    """Whether what is said of the kin of a loss is that it equals another."""
    return any(
        re.match(rf"{re.escape(other.name)}(?![\w-])", statement)
        for statement in one.section("Kin").split("equals ")[1:]
    )
