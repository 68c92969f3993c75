"""Data: from a source to a table, from a table to one encoded, scaled, split dataset per seed.

source (sources/) -> Table -> split (split.py) -> encode (encode.py, fitted on the training split only) -> Dataset
"""
