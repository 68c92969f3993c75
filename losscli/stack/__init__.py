"""THE ENGINE. All runs of one architecture are trained together, as one stack.

Every parameter has a leading run dimension; one forward, one backward and one optimizer step serve all runs. A single run is
a stack of one: there is no second path. Nothing here looks across runs; what looks across parameters looks within a run.

Shape letters, here and in the rooms around: R runs, S seeds, E entries, B batch, N rows, F features, H hidden units,
O outputs, K classes, L labels, P all parameters of one run.
"""
