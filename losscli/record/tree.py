"""Arrays, words and numbers in one another, as the bytes of one safetensors file: what a stack is while it is trained.

The arrays are the tensors of the file; one more, `tree`, is JSON that says where each belongs. The header has a checksum over
all of them. What is read back is arrays, lists, dicts, words and numbers, whoever wrote it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

TREE, CHECKSUM = "tree", "sha256"


def pack(tree: Any) -> bytes:
    """The bytes of a tree of dicts (of words), lists, arrays, words, numbers, booleans and None; tensors count as arrays.

    >>> unpack(pack({"step": 3, "moments": [np.zeros(2, np.float32)]}))
    {'step': 3, 'moments': [array([0., 0.], dtype=float32)]}
    """
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_taken_apart(tree, arrays))  # NaN and infinity are words of Python's JSON, and come back
    arrays[TREE] = np.frombuffer(text.encode(), np.uint8)
    return save(arrays, metadata={"losscli": version("losscli"), CHECKSUM: _checksum(arrays)})


def unpack(data: bytes) -> Any:
    """The tree of these bytes. Raises `ValueError` where they are not whole, or no tree."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        if header["__metadata__"][CHECKSUM] != _checksum(arrays):
            raise ValueError("was changed after it was written (checksum mismatch)")
        return _put_together(json.loads(arrays[TREE].tobytes()), arrays)
    except (SafetensorError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"is not what losscli wrote ({type(error).__name__}: {error})"[:200]) from error


def _taken_apart(tree: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The tree as JSON has it: a dict is {"dict": ...}, an array {"array": its name}."""
    if isinstance(tree, Mapping):
        return {"dict": {str(key): _taken_apart(value, arrays) for key, value in tree.items()}}
    if isinstance(tree, (list, tuple)):
        return [_taken_apart(item, arrays) for item in tree]
    if hasattr(tree, "cpu"):  # a tensor; torch itself is not needed here
        tree = tree.detach().cpu().numpy()
    if isinstance(tree, np.ndarray):
        name = str(len(arrays))
        arrays[name] = np.ascontiguousarray(tree).reshape(tree.shape)  # a single number must not become a row of one
        return {"array": name}
    return tree.item() if isinstance(tree, np.generic) else tree


def _put_together(tree: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(tree, list):
        return [_put_together(item, arrays) for item in tree]
    if isinstance(tree, dict):
        if "array" in tree:
            return arrays[tree["array"]]
        return {key: _put_together(value, arrays) for key, value in tree["dict"].items()}
    return tree


def _checksum(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        values = arrays[name]
        digest.update(f"{name} {values.dtype} {values.shape};".encode())
        digest.update(values.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
