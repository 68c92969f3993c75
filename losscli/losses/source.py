"""The file that a loss of the user's own is in, as it was read: what it calls a name, after running it."""

from __future__ import annotations

import hashlib
import os
import sys
from ast import ClassDef, FunctionDef, Import, ImportFrom, parse, walk
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
        """Its checksum, and behind a dash that of the neighbours that it imports, where it does."""
        own = hashlib.sha256(self.text).hexdigest()
        files = neighbours(self.text, Path(os.path.realpath(self.file)).parent)
        beside = hashlib.sha256("".join(hashlib.sha256(files[path]).hexdigest() for path in sorted(files)).encode())
        return f"{own}-{beside.hexdigest()}" if files else own

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


def neighbours(text: bytes, folder: Path) -> dict[Path, bytes]:
    """The files in a folder that code there imports, and those that these import, by their paths.

    Code can import by other ways than `import`, which are not seen.
    """
    files: dict[Path, bytes] = {}
    texts = [text]
    while texts:
        names = sorted(name for name in _imported(texts.pop()) if not _elsewhere(name, folder))
        paths = [path for name in names for path in (folder / f"{name}.py", *sorted((folder / name).rglob("*.py")))]
        for path in paths:
            if path not in files and path.is_file():
                files[path] = path.read_bytes()
                texts.append(files[path])
    return files


def _elsewhere(name: str, folder: Path) -> bool:
    """Whether a module is one of Python's or is loaded from another place, which goes before what lies in the folder."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return name in sys.stdlib_module_names or (file is not None and not Path(file).is_relative_to(folder))


def _imported(text: bytes) -> set[str]:
    """The modules that code imports, wherever in it, by the first part of their names."""
    try:
        nodes = [*walk(parse(text))]
    except (SyntaxError, ValueError):
        return set()  # which is told when it is run
    names = [alias.name for node in nodes if isinstance(node, Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ImportFrom) and node.module and not node.level]
    return {name.partition(".")[0] for name in names}
