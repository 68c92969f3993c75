"""Numbers that others produced, judged as losscli judges its own: scores by entry and seed to an arena with verdicts.

scores.py reads the table, arena.py makes the comparison with the statistics of `compare/`, record.py keeps it, so that `gate` and
`report` take it as they take any other.
"""
