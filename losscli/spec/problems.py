"""The problems of a document, each with its place in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from losscli.errors import Place, Problem, SpecError
from losscli.options import Strict
from losscli.spec.document import Document, Keys
from losscli.spec.mistakes import problems_in, shown

MOST_PROBLEMS = 50

Block = TypeVar("Block", bound=Strict)


@dataclass
class Examination:
    """A document as it is examined, and what is wrong with it."""

    document: Document
    problems: list[Problem]

    def _tell(self, message: str, path: Keys, cure: str | None = None, of_key: bool = False) -> None:
        spot = self.document.spot(path)
        self._add([Problem(message, spot.key if of_key else spot.value, cure)])

    def _add(self, problems: Sequence[Problem]) -> None:
        """Keep problems; a file that is wrong everywhere is not read to its end."""
        self.problems += problems
        if len(self.problems) > MOST_PROBLEMS:
            cure = f"mend these {MOST_PROBLEMS} first"
            more = Problem("there are more mistakes", self.document.spot(()).value, cure)
            raise SpecError([*sorted(self.problems[:MOST_PROBLEMS], key=in_order), more])

    def _placed(self, problem: Problem, path: Keys, of_key: bool = False) -> Problem:
        spot = self.document.spot(path)
        return Problem(problem.message, spot.key if of_key else spot.value, problem.cure)

    def _block(self, kind: type[Block], block: Any, path: Keys) -> Block | None:
        """A block as its class reads it; all that pydantic finds is told in our words."""
        try:
            return kind.model_validate(block)
        except ValidationError as wrong:
            self._add(problems_in(wrong, kind, block, path, self.document.spot))
            return None

    def _refuse_twice(self, items: list[Any], section: str) -> None:
        earlier = set()
        for index, item in enumerate(items):
            if shown(item) in earlier:
                self._tell(f"{section}: {shown(item)} is there twice", (section, index), "give each once")
            earlier.add(shown(item))


def in_order(problem: Problem) -> tuple[bool, int, int]:
    """Flags first, then the order of the file."""
    place = problem.place or Place("")
    return place.line is not None, place.line or 0, place.column or 0
