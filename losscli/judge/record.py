"""The record of a judgement: what any record holds, with neither weights nor histories, so that `gate` and `report` take it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from losscli.comparison import Comparison


def keep(comparison: Comparison, out: Path) -> Comparison:
    """Write the record below `out`, and return the comparison that knows where it is."""
    from losscli.record import writer
    from losscli.reports.json import to_json

    (arena,) = comparison.arenas
    folder = writer.write(
        out,
        Path(arena.data).stem,
        comparison,
        weights={},
        encoders={f"0/{seed}": {"source": arena.task} for seed in arena.seeds},  # one table, so one split per seed
        specs=[_yaml(arena.spec)],
        results=to_json,
    )
    return replace(comparison, record=folder.as_posix())


def _yaml(spec: object) -> str:
    import yaml

    text: str = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)
    return f"# numbers of others: judged, and not trained; losscli judge makes this record again\n{text}"
