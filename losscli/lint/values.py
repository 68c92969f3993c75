"""What a name can stand for in the abstract interpreter: one value per thing, with what made it. Unknown means silent."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from losscli.rules.contract import TorchLoss

if TYPE_CHECKING:
    from losscli.lint.files import Source

Shape = tuple[int | str | None, ...]


class Site(NamedTuple):
    """Where in the text something stands."""

    source: Source
    node: ast.AST

    @property
    def line(self) -> int:
        return int(getattr(self.node, "lineno", 1))

    @property
    def column(self) -> int:
        return int(getattr(self.node, "col_offset", 0)) + 1


@dataclass(eq=False, slots=True)
class Unknown:
    """Nothing is claimed of it; `key` is how the text calls it, `data` says that a loop took it out of something."""

    key: str = ""
    data: bool = False


@dataclass(eq=False, slots=True)
class Const:
    """A number, a text, None, True or False."""

    value: Any


@dataclass(eq=False, slots=True)
class Name:
    """Something imported, by its full name: `torch.nn.functional.softmax`."""

    dotted: str

    @property
    def last(self) -> str:
        return self.dotted.rpartition(".")[2]


@dataclass(eq=False, slots=True)
class Items:
    """A list or tuple; `slots["items"]` is None where its content is not known."""

    slots: dict[Any, Any]
    mutable: bool = False
    site: Site | None = None

    @property
    def items(self) -> tuple[Value, ...] | None:
        content: tuple[Value, ...] | None = self.slots["items"]
        return content


@dataclass(eq=False, slots=True)
class Table:
    """A dict with constant keys."""

    slots: dict[Any, Any]
    site: Site | None = None


@dataclass(eq=False, slots=True)
class Scope:
    """Names of a function, a class or a module, and the scope around it."""

    names: dict[Any, Any]
    source: Source
    parent: Scope | None = None


@dataclass(eq=False, slots=True)
class Function:
    """A def or a lambda; `owner` is the class whose body holds it, `receiver` the object it is bound to."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    owner: Class | None = None
    receiver: Value | None = None


@dataclass(eq=False, slots=True)
class Class:
    """A class of the given files."""

    node: ast.ClassDef
    scope: Scope
    bases: tuple[Value, ...]
    names: dict[Any, Any]

    def lineage(self) -> Iterator[Class]:
        """The class and those of its bases that are known, each before its own bases."""
        yield self
        for base in self.bases:
            if isinstance(base, Class):
                yield from base.lineage()

    @property
    def foreign_bases(self) -> list[str]:
        """How the bases are called that are not among the given files."""
        bases = [base for ancestor in self.lineage() for base in ancestor.bases if not isinstance(base, Class)]
        return [base.dotted if isinstance(base, Name) else getattr(base, "key", "") for base in bases]

    @property
    def is_module(self) -> bool:
        return any(base.rpartition(".")[2] in ("Module", "LightningModule") for base in self.foreign_bases)


@dataclass(eq=False, slots=True)
class Instance:
    """An object of a class of the given files; `whole` says that its __init__ could be followed."""

    kind: Class
    slots: dict[Any, Any]
    site: Site
    whole: bool = True


@dataclass(eq=False, slots=True)
class Layer:
    """An object of a class of torch.nn, or of a model zoo: its kind, the arguments it was made with, and its parts by name."""

    kind: str
    options: dict[str, Value]
    site: Site
    slots: dict[Any, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Criterion:
    """A loss object of torch."""

    loss: TorchLoss
    options: dict[str, Value]
    site: Site
    called: bool = False


@dataclass(eq=False, slots=True)
class Parameters:
    """What parameters() gives: those of the modules in `of`, and perhaps others where not `whole`."""

    of: tuple[Value, ...]
    whole: bool = True


@dataclass(eq=False, slots=True)
class Optimizer:
    """An optimizer: whose parameters it holds."""

    holds: Parameters
    site: Site
    temporary: bool = False  # its model is nobody else's


@dataclass(eq=False, slots=True)
class Method:
    """A method of something that is no object of the given files."""

    receiver: Value
    name: str


@dataclass(eq=False, slots=True)
class Super:
    """What super() gives."""

    instance: Value
    owner: Class


@dataclass(eq=False, slots=True)
class Tensor:
    """One value per tensor: the operation that made it, of what, and where.

    `tracked` is False where no gradient is taken (no_grad); `facts` hold what rules ask: dim, loss, reduction, domain, layer.
    """

    op: str
    site: Site
    inputs: tuple[Value, ...] = ()
    shape: Shape | None = None
    tracked: bool = True
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Lazy:
    """A given module, or a name in it, that is looked up when it is used."""

    path: Path
    attribute: str | None = None


@dataclass(eq=False, slots=True)
class Length:
    """A number of things: of a data set, a loader or a batch."""

    of: str


Value = (
    Unknown
    | Const
    | Name
    | Items
    | Table
    | Function
    | Class
    | Instance
    | Layer
    | Criterion
    | Parameters
    | Optimizer
    | Method
    | Super
    | Tensor
    | Length
    | Lazy
)
UNKNOWN = Unknown()
MISSING: Any = object()
DEEPEST = 12  # how far down two values are compared


def same(one: Value | None, other: Value | None, depth: int = 0) -> bool:
    """Whether two values, from two branches, say the same of what comes after."""
    if one is other:
        return True
    if type(one) is not type(other) or depth > DEEPEST:
        return False
    match one, other:
        case Const(), Const():
            return type(one.value) is type(other.value) and one.value == other.value
        case Name(), Name():
            return one.dotted == other.dotted
        case Unknown(), Unknown():
            return one.key == other.key
        case Tensor(), Tensor():
            alike = one.op == other.op and one.tracked == other.tracked and one.shape == other.shape
            return alike and all_same(one.inputs, other.inputs, depth)
        case Layer(), Layer():
            return one.kind == other.kind and all_same(tuple(one.slots.values()), tuple(other.slots.values()), depth)
        case Criterion(), Criterion():
            return one.loss is other.loss and all_same(
                tuple(one.options.values()), tuple(other.options.values()), depth
            )
        case Items(), Items():
            return one.items is not None and other.items is not None and all_same(one.items, other.items, depth)
    return False


def all_same(one: tuple[Value, ...], other: tuple[Value, ...], depth: int = 0) -> bool:
    """Whether two rows of values are the same, one by one."""
    return len(one) == len(other) and all(same(a, b, depth + 1) for a, b in zip(one, other, strict=True))


def merged(one: Any, other: Any) -> Any:
    """The value after two branches: that of both where they agree."""
    if one is MISSING or other is MISSING:
        return other if one is MISSING else one
    if isinstance(one, tuple) and isinstance(other, tuple):
        return one if all_same(one, other) else None
    if one is None or other is None or isinstance(one, tuple) or isinstance(other, tuple):
        return None
    return one if same(one, other) else UNKNOWN


def number(value: Value | None) -> float | None:
    """The number that a value is."""
    if isinstance(value, Const) and isinstance(value.value, (int, float)) and not isinstance(value.value, bool):
        return value.value
    return None
