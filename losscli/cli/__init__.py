"""The command line: app.py runs a command and ends it, commands/ holds one thin file each, show.py is all that prints.

`losscli --help` must be instant: whatever imports torch, numpy, pydantic or rich is imported inside a function.
"""
