"""The file that a loss of the user's own is in, as it was read: what it calls a name, after running it."""

from __future__ import annotations

import hashlib
import os
import sys
from ast import ClassDef, FunctionDef, parse
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from losscli.errors import SpecError, choose_from, foreign, shown
from losscli.stdout import elsewhere


@dataclass(frozen=True)
class Source:
    """A file's text, and the name in it."""

    file: str
    name: str
    text: bytes

    @classmethod
    def read(cls, file: Path, name: str) -> Source:
        """Raises `SpecError` where there is no such file."""
        if not file.is_file():
            raise SpecError(f"there is no file {shown(file)}", cure="give the path of a Python file, as FILE.py:NAME")
        return cls(str(file), name, file.read_bytes())

    @cached_property
    def code(self) -> str:
        """Its checksum."""
        return hashlib.sha256(self.text).hexdigest()

    def load(self) -> Any:
        """Run the file. Raises `CodeError` where that fails, `SpecError` where there is nothing to call under the name."""
        file = Path(self.file)
        module = ModuleType(f"losscli_own_{file.stem}")
        module.__file__ = self.file
        sys.modules[module.__name__] = module  # dataclasses look there
        folder = str(Path(os.path.realpath(file)).parent)
        if folder not in sys.path:
            sys.path.append(folder)  # so that it may import its neighbours
        with foreign(f"the file {shown(file.name)}", self.file), elsewhere():
            tree = parse(self.text, self.file)
            exec(
                compile(self.text, self.file, "exec"), module.__dict__
            )  # the user's own code, named on the command line
        user_loss = getattr(module, self.name, None)
        if not callable(user_loss):
            defined = [node.name for node in tree.body if isinstance(node, (ClassDef, FunctionDef))]
            what = "is no function and no class in" if hasattr(module, self.name) else "is not in"
            cure = choose_from(self.name, defined) if defined else None
            raise SpecError(f"{shown(self.name)} {what} {shown(file)}", cure=cure)
        return user_loss
