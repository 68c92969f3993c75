"""Cures that can be pasted: a key of the data block, as a spec has it and as the command line takes it."""

from __future__ import annotations

import json
import shlex

from losscli.errors import shown


def setting(key: str, value: str, column: str | None = None) -> str:
    """How to set `data.KEY`, or the entry of a column in it.

    >>> print(setting("types", "date", "z"))
    data.types: {z: date} (--set data.types.z=date)
    >>> print(setting("types", "category", "my zip"))
    data.types: {my zip: category} (--set 'data.types.my zip=category')
    """
    if column is None:
        return f"data.{key}: {value} ({_flag(key, value)})"
    name = shown(column)[1:-1]
    return f"data.{key}: {{{name}: {value}}} ({_flag(f'{key}.{name}', value)})"


def sign(key: str, text: str) -> str:
    r"""The same for a sign such as a delimiter, which a spec has in quotes.

    >>> print(sign("decimal", ","))
    data.decimal: "," (--set data.decimal=,)
    >>> print(sign("delimiter", "\t"))
    data.delimiter: "\t" (--set 'data.delimiter=\t')
    """
    written = json.dumps(text)
    return f"data.{key}: {written} ({_flag(key, written[1:-1])})"


def _flag(key: str, value: str) -> str:
    return f"--set {shlex.quote(f'data.{key}={value}')}"
