"""The given files as modules of each other: which file an import means, and what is in it."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path

from losscli.lint.files import Source, Unreadable, read
from losscli.lint.values import MISSING, UNKNOWN, Name, Scope, Value
from losscli.lint.vocabulary import words

KEPT = 2_000_000  # characters of modules whose names are kept; more are read again, so that memory stays flat
MOST_FINDS = 50_000
HIGHEST = 8  # folders above a file in which an import is looked for
KNOWN_ELSEWHERE = words("torch numpy lightning pytorch_lightning transformers skorch torchvision timm sklearn")


class World:
    """All files of one call, by their real path, and the modules among them that somebody imported."""

    def __init__(self, files: Mapping[Path, str]):
        self.files = files
        self._paths = {str(path): path for path in files}
        self._finds: dict[tuple[str, str, int], Path | None] = {}
        self._modules: OrderedDict[Path, Scope | None] = OrderedDict()

    def find(self, source: Source, module: str, level: int = 0) -> Path | None:
        """The given file that an import in `source` means; None for one from elsewhere."""
        if not level and module.partition(".")[0] in KNOWN_ELSEWHERE:
            return None
        key = (os.path.dirname(source.path), module, level)
        if key not in self._finds:
            if len(self._finds) > MOST_FINDS:
                self._finds.clear()
            self._finds[key] = next(filter(None, map(self._paths.get, _candidates(*key))), None)
        return self._finds[key]

    def names(self, path: Path) -> Scope | None:
        """The names of a given file after its top level ran; None while that is still running, or where it cannot be read."""
        if path in self._modules:
            self._modules.move_to_end(path)
            return self._modules[path]
        self._modules[path] = None  # a circle of imports ends here
        self._modules[path] = self._load(path)
        while len(self._modules) > 1 and self._size() > KEPT:
            self._modules.popitem(last=False)
        return self._modules.get(path)

    def _size(self) -> int:
        return sum(len(scope.source.text) for scope in self._modules.values() if scope is not None)

    def _load(self, path: Path) -> Scope | None:
        from losscli.lint.machine import Machine

        try:
            source = read(self.files[path], path)
            machine = Machine(source, self)
            machine.silent = True
            machine.run_module()
        except Unreadable:
            return None
        return machine.scope

    def get(self, source: Source, name: Name) -> Value:
        """What a full name means: a given module's class or function, or the name itself."""
        head, _, last = name.dotted.rpartition(".")
        path = self.find(source, head) if head else None
        scope = self.names(path) if path else None
        value = scope.names.get(last, MISSING) if scope else MISSING
        return name if value is MISSING else value

    def member(self, path: Path, attribute: str) -> Value:
        """A name of a given file."""
        scope = self.names(path)
        return scope.names.get(attribute, UNKNOWN) if scope else UNKNOWN


def _candidates(folder: str, module: str, level: int) -> Iterator[str]:
    """The paths that an import could mean: beside the file or above it, or where its dots say."""
    inner = module.replace(".", os.sep)
    for _ in range(max(0, level - 1)):
        folder = os.path.dirname(folder)
    for _ in range(1 if level else HIGHEST + 1):
        base = os.path.join(folder, inner) if inner else folder
        if inner:
            yield f"{base}.py"
        if inner or level:
            yield os.path.join(base, "__init__.py")
        folder = os.path.dirname(folder)
