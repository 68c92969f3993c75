"""The spec: what the user asked for, validated. Every mistake is told at once, with its place and a cure.

reader.py reads strict YAML 1.2 with places; model.py says what a spec may hold; overrides.py puts flags and --set on top;
load.py is the way in: `load_spec(path, overrides)`.
"""
