"""What the data say about the choice of a loss: measured first, then advised, then written down as a spec.

inspect.py describes a table and its target (repeats.py, numbers.py and spread.py measure), heuristics/ turns what was measured
into losses with their reasons, recommend.py makes a short list of them, outline.py writes specs with a comment for each key.
"""
