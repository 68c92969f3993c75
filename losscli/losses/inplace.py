"""Whether code changes the tensors that it was given, and at which of its lines."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from losscli.lazy import Tensor


class InPlace(Exception):
    """The user's code has changed what it was given."""


def watch(*tensors: Tensor) -> AbstractContextManager[Any]:
    """Ends the user's code at the line that changes one of the tensors in place."""
    from torch.overrides import TorchFunctionMode

    versions = [(tensor, tensor._version) for tensor in tensors]

    class Watch(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = function(*args, **(kwargs or {}))
            if any(tensor._version != version for tensor, version in versions):
                raise InPlace
            return result

    return Watch()
