"""One line about each key of a spec, from where the key is declared: its field's description, or its class's docstring.

A docstring tells of a key in a sentence or half sentence that names it: "`clip` is the largest gradient norm of a run."
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic import BaseModel

from losscli.options import Strict

# Where one thing said ends and the next begins: paragraphs, sentences, and what stands before another key.
HALF_SENTENCES = re.compile(r"\n\s*\n|(?<=\.)\s+(?=[`A-Z])|;\s+(?=`)|,\s+(?=`[^`]+` (?!and |or ))")
LIST_OF_KEYS = re.compile(r"`[^`]+`(?:(?:,| and|, and) `[^`]+`)*")


def comment(kind: type[BaseModel], key: str) -> str:
    """What is said of a key of a block; "" where nothing is.

    >>> from losscli.stack.models import Model
    >>> comment(Model, "kind")
    '`kind` is which of the models it is'
    """
    field = kind.model_fields[key]
    if field.description:
        return field.description
    for ancestor in kind.__mro__:
        if issubclass(ancestor, Strict) and ancestor is not Strict and (half_sentence := _half_sentence(ancestor, key)):
            return half_sentence
    inner = field.annotation
    return _first(inner) if isinstance(inner, type) and issubclass(inner, Strict) else ""


def _half_sentence(kind: type[Any], key: str) -> str:
    """The half sentence that begins with the key; else one that names it."""
    text = (kind.__dict__.get("__doc__") or "").partition(">>>")[0]
    half_sentences = [" ".join(part.split()).rstrip(".;") for part in HALF_SENTENCES.split(inspect.cleandoc(text))]
    named = re.compile(rf"`{re.escape(key)}(?:`|[:.] )")
    begun = [part for part in half_sentences if (head := LIST_OF_KEYS.match(part)) and named.search(head.group() + " ")]
    within = [part for part in half_sentences if named.search(part) and not part.startswith("`{")]
    sentence = next(iter([*begun, *within]), "")
    _, colon, tail = sentence.partition(f": `{key}`")  # "How it is meant: `positive` is ..."
    return f"`{key}`{tail}" if colon else sentence


def _first(kind: type[Any]) -> str:
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split()).rstrip(".")
