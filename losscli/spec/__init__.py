"""The spec: what the user asked for, validated. Every mistake is told at once, with its place and a cure.

In the order of the way a spec goes: text.py and scalars.py serve reader.py, which reads strict YAML 1.2 with places;
overrides.py puts flags and `--set` on top; load.py, the way in, makes it a `Spec` (model.py) and tells all mistakes
(mistakes.py); entries.py expands its grids, arenas.py merges those that may be compared, dump.py writes it again.
"""
