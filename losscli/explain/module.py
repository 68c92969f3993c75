"""A loss to take home: its kernel and what that needs, as the source of one `nn.Module` that imports nothing but torch.

Nothing is written twice: the text is that of the catalogue itself. A kernel's source is read, its decorator and the rest of its
docstring go, what it names is fetched the same way, and a class with `reduction` is put below it.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from types import FunctionType, ModuleType
from typing import Any, get_args, get_origin

from losscli import lazy
from losscli.errors import SpecError, shown
from losscli.losses import REQUIRED, Choice, Loss, Option, PerClass, Several

WIDTH = 120
PACKAGE = "losscli"


def torch_module(item: Loss, options: Mapping[str, Any] | None = None) -> str:
    """The source of an `nn.Module` for a loss, with these options for defaults.

    Raises `SpecError` for a loss that cannot be said so, with the reason.

    >>> from losscli.losses import find
    >>> print(torch_module(find("hinge", "binary")).partition("class ")[2].splitlines()[0])
    HingeLoss(nn.Module):
    """
    if item.kernels:
        raise SpecError(
            f"{item.name} is what two networks minimise in turn, with what holds their slopes: one module cannot say it",
            cure=f"losscli explain {item.name} shows both sides and their formulas",
        )
    sources = _Sources()
    kernel = sources.named(item.function, item.name)
    code = [*_blocks(sources.items), "", "", *_class(item, kernel, options or {})]
    return "\n".join([_origin(item), *sources.imports(code), *code]) + "\n"


def taken_home(items: Sequence[Loss], settings: Sequence[Mapping[str, Any]]) -> str:
    """The module of the one loss with the one value of each option that are asked for; `SpecError` where there are more."""
    if len(items) != 1 or len(settings) != 1:
        what = f"{len(items)} losses are" if len(items) != 1 else f"{len(settings)} settings of options are"
        raise SpecError(
            f"--torch prints one loss, and {what} asked for", cure="losscli explain focal --set gamma=2 --torch"
        )
    return torch_module(items[0], settings[0])


def _origin(item: Loss) -> str:
    return f"# {item.name} ({item.task}), written by losscli {version(PACKAGE)}; Apache-2.0"


def class_name(item: Loss) -> str:
    """
    >>> from losscli.losses import find
    >>> class_name(find("bce-logits", "binary"))
    'BceLogitsLoss'
    """
    words = "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", item.name))
    return f"{words}Loss"


@dataclass
class _Sources:
    """The source of what a kernel needs, what is needed first; and the imports of the files that it stands in."""

    items: dict[str, list[str]] = field(default_factory=dict)
    needed: dict[str, str] = field(default_factory=dict)  # name -> its import
    owners: dict[str, Any] = field(default_factory=dict)

    def named(self, function: Callable[..., Any], loss: str) -> str:
        """Fetch a function and what it names; its name."""
        if not isinstance(function, FunctionType) or function.__module__.partition(".")[0] != PACKAGE:
            raise SpecError(
                f"{shown(loss)} is not of losscli's catalogue, so its source is yours already",
                cure="losscli losses lists what can be taken home",
            )
        module = sys.modules[function.__module__]
        self._fetch(function.__name__, module, loss)
        return function.__name__

    def imports(self, code: Sequence[str]) -> list[str]:
        """The import lines of what the code names, those of the standard library first."""
        names = _names(ast.parse("\n".join(code)))
        lines = [line for name, line in self.needed.items() if name in names and name not in ("Tensor", "nn")]
        lines = sorted({*lines, "from torch import Tensor, nn"})
        own = [line for line in lines if "torch" in line]
        standard = [line for line in lines if "torch" not in line]
        own.sort(key=lambda line: (line != "import torch", line))
        return ["from __future__ import annotations", "", *standard, *([""] if standard else []), *own]

    def _fetch(self, name: str, module: ModuleType, loss: str) -> None:
        """The definition of a name in a module, after those that it needs."""
        tree, text = _parsed(module)
        node = _definition(tree, name)
        if node is None:
            self._imported(name, module, tree, loss)
            return
        value = getattr(module, name)
        if name in self.items:
            if self.owners[name] is not value:
                raise SpecError(f"{loss} names two things {name}", cure="report it")
            return
        self.owners[name], self.items[name] = value, []  # before the rest: a function may name itself
        body = _function(node, text, module) if isinstance(node, ast.FunctionDef) else _constant(node, text)
        del self.items[name]
        for other in _names(ast.parse("\n".join(body))):
            if hasattr(module, other):
                self._fetch(other, module, loss)
        self.items[name] = body

    def _imported(self, name: str, module: ModuleType, tree: ast.Module, loss: str) -> None:
        """A name that is imported: from losscli it is fetched where it is defined, else its import is needed."""
        for node in tree.body:
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                continue
            alias = next((alias for alias in node.names if (alias.asname or alias.name) == name), None)
            if alias is None:
                continue
            home = node.module if isinstance(node, ast.ImportFrom) else alias.name
            if home == lazy.__name__:
                self.needed[name] = lazy.IMPORTS[alias.name]
            elif str(home).partition(".")[0] == PACKAGE:
                self._fetch(alias.name, sys.modules[str(home)], loss)
            elif str(home).partition(".")[0] in {"torch", *sys.stdlib_module_names}:
                short = f"from {home} import {alias.name}" if isinstance(node, ast.ImportFrom) else f"import {home}"
                self.needed[name] = short
            else:
                raise SpecError(f"{loss} needs {home}, and a module to take home has torch alone")
            return


@cache
def _parsed(module: ModuleType) -> tuple[ast.Module, str]:
    text = inspect.getsource(module)
    return ast.parse(text), text


def _definition(tree: ast.Module, name: str) -> ast.FunctionDef | ast.Assign | ast.AnnAssign | None:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return node  # type: ignore[return-value]
    return None


def _names(tree: ast.AST) -> list[str]:
    """The names that code reads, without its own and Python's."""
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    return [name for name in dict.fromkeys(names) if not hasattr(builtins, name)]


def _constant(node: ast.stmt, text: str) -> list[str]:
    """The lines of an assignment, with the comment at its end."""
    return text.splitlines()[node.lineno - 1 : node.end_lineno]


def _function(node: ast.FunctionDef, text: str, module: ModuleType) -> list[str]:
    """A function without decorator, its docstring cut to the first line, its annotations those that torch knows."""
    lines = text.splitlines()
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    start = (first.end_lineno or first.lineno) if documented else first.lineno - 1
    body = lines[start : node.end_lineno]
    summary = (ast.get_docstring(node) or "").split("\n\n")[0].split("\n")[0]
    head = _signature(node, module)
    docstring = [f'    """{summary}"""'] if summary and len(summary) + 10 <= WIDTH else []
    return [*head, *docstring, *_plain_errors(body, node, start)]


def _plain_errors(body: list[str], node: ast.FunctionDef, start: int) -> list[str]:
    """The body with losscli's errors made plain ones: the message stays, the cure goes."""
    for raised in sorted((n for n in ast.walk(node) if isinstance(n, ast.Raise)), key=lambda n: -n.lineno):
        call = raised.exc
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.endswith("Error"):
            if call.func.id == "ValueError":
                continue
            line = " " * raised.col_offset + f"raise ValueError({ast.unparse(call.args[0])})"
            body[raised.lineno - 1 - start : (raised.end_lineno or raised.lineno) - start] = [_double_quoted(line)]
    return body


def _double_quoted(line: str) -> str:
    """`ast.unparse` writes single quotes; ruff would turn them."""
    return line.replace("'", '"') if '"' not in line else line


def _signature(node: ast.FunctionDef, module: ModuleType) -> list[str]:
    """`def name(...) -> Tensor:` anew, on as many lines as a formatter takes."""
    spec = node.args
    positional = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(positional) - len(spec.defaults)) + list(spec.defaults)
    words = [_argument(arg, default, module) for arg, default in zip(positional, defaults, strict=True)]
    words += ["*"] if spec.kwonlyargs else []
    words += [_argument(arg, default, module) for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    returns = f" -> {_annotation(node.returns, module)}" if node.returns else ""
    return laid_out(f"def {node.name}(", words, f"){returns}:")


def _argument(arg: ast.arg, default: ast.expr | None, module: ModuleType) -> str:
    annotation = f": {_annotation(arg.annotation, module)}" if arg.annotation else ""
    if default is None:
        return arg.arg + annotation
    value = _double_quoted(ast.unparse(default))
    return f"{arg.arg}{annotation} = {value}" if annotation else f"{arg.arg}={value}"


def _annotation(node: ast.expr | None, module: ModuleType) -> str:
    """An annotation without what only losscli knows: bounds of options go, a number stays a number."""
    if node is None:
        return ""
    kind = eval(compile(ast.Expression(node), "<annotation>", "eval"), vars(module))
    return _plain(kind)


def _plain(kind: Any) -> str:
    """A type as one writes it.

    >>> from losscli.losses import PositiveWeight
    >>> _plain(PositiveWeight), _plain(tuple[float, ...])
    ('float | Tensor | None', 'tuple[float, ...]')
    """
    if hasattr(kind, "__metadata__"):
        return _plain(kind.__origin__)
    text = (
        "None" if kind in (None, type(None)) else kind.__name__ if isinstance(kind, type) and not get_args(kind) else ""
    )
    if text:
        return text
    if kind is ...:
        return "..."
    arguments = [
        _plain(argument) if not isinstance(argument, list) else f"[{', '.join(map(_plain, argument))}]"
        for argument in get_args(kind)
    ]
    origin = get_origin(kind)
    if origin is None:
        return str(kind).replace("torch.", "")
    if getattr(origin, "__name__", "") in ("Union", "UnionType"):
        return " | ".join(dict.fromkeys(part for argument in arguments for part in argument.split(" | ")))
    return f"{origin.__name__}[{', '.join(arguments)}]"


def laid_out(head: str, words: Sequence[str], tail: str, indent: int = 0) -> list[str]:
    """A call or signature as a formatter lays it out: on one line, or its arguments on one, or each on its own.

    >>> laid_out("f(", ["a", "b"], ")")
    ['f(a, b)']
    """
    space, inner = " " * indent, " " * (indent + 4)
    whole = f"{space}{head}{', '.join(words)}{tail}"
    if len(whole) <= WIDTH:
        return [whole]
    together = f"{inner}{', '.join(words)}"
    if len(together) <= WIDTH:
        return [f"{space}{head}", together, f"{space}{tail}"]
    return [f"{space}{head}", *(f"{inner}{word}," for word in words), f"{space}{tail}"]


def _blocks(items: Mapping[str, Sequence[str]]) -> list[str]:
    """Constants together at the top, functions two lines apart."""
    constants = [line for body in items.values() if not body[0].startswith("def ") for line in body]
    functions = [["", "", *body] for body in items.values() if body[0].startswith("def ")]
    return [*([""] if constants else []), *constants, *(line for body in functions for line in body)]


def _class(item: Loss, kernel: str, options: Mapping[str, Any]) -> list[str]:
    return [
        f"class {class_name(item)}(nn.Module):",
        *_page(item),
        "",
        *_init(item, options),
        "",
        *_forward(item, kernel),
    ]


def _page(item: Loss) -> list[str]:
    """The docstring: what it is, shapes, formula, source."""
    paragraphs = [item.summary]
    paragraphs += [f"{key}: {text}" for key in ("Domain", "Shapes", "Formula", "Source") if (text := item.section(key))]
    of = "the losses of several batches" if item.over_batch else "the losses of the rows"
    paragraphs.append(f"`reduction` is mean, sum or none, over {of}.")
    wrapped = [textwrap.wrap(text, WIDTH - 5, break_long_words=False, break_on_hyphens=False) for text in paragraphs]
    lines = [line for text in wrapped for line in (*text, "")][:-1]
    slashed = any("\\" in line for line in lines)
    return [f'    {"r" if slashed else ""}"""{lines[0]}', *(f"    {line}".rstrip() for line in lines[1:]), '    """']


def _init(item: Loss, options: Mapping[str, Any]) -> list[str]:
    taken = sorted(item.options.values(), key=lambda option: not _must_be_given(option, options))
    words = ["self", *(_parameter(option, options) for option in taken), 'reduction: str = "mean"']
    lines = laid_out("def __init__(", words, ") -> None:", 4)
    lines += [
        "        super().__init__()",
        '        if reduction not in ("mean", "sum", "none"):',
        '            raise ValueError(f"reduction must be mean, sum or none, and is {reduction!r}")',
    ]
    for option in item.options.values():
        value = option.name
        if isinstance(option.accepts, PerClass):  # a tensor moves with the module
            value = f"nn.Buffer({option.name}) if isinstance({option.name}, Tensor) else {option.name}"
        lines.append(f"        self.{option.name} = {value}")
    return [*lines, "        self.reduction = reduction"]


def _must_be_given(option: Option, options: Mapping[str, Any]) -> bool:
    return option.name not in options and (option.default is REQUIRED or option.default == "training")


def _parameter(option: Option, options: Mapping[str, Any]) -> str:
    if isinstance(option.accepts, PerClass):
        kind = "Tensor" if option.default == "training" else "float | Tensor"
    elif isinstance(option.accepts, Several):
        kind = "tuple[float, ...]"
    else:
        kind = "str" if isinstance(option.accepts, Choice) else "float"
    kind += " | None" if option.optional else ""
    if _must_be_given(option, options):
        return f"{option.name}: {kind}"
    return f"{option.name}: {kind} = {_value(options.get(option.name, option.default), option)}"


def _value(value: Any, option: Option) -> str:
    """A default, as Python has it.

    >>> from losscli.losses import Bounds
    >>> _value(2, Option("gamma", 2.0, Bounds())), _value([0.1, 0.9], Option("taus", [], Several(Bounds())))
    ('2.0', '(0.1, 0.9)')
    """
    if isinstance(value, (list, tuple)) and isinstance(option.accepts, Several):
        return repr(tuple(float(number) for number in value))
    if isinstance(value, (list, tuple)):
        raise SpecError(
            f"--torch takes one value of {option.name}, and {shown(list(value))} is a grid",
            cure="a tensor is given to the module",
        )
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f'float("{value}")'
    whole = isinstance(value, int) and not isinstance(value, bool) and isinstance(option.default, float)
    return repr(float(value)) if whole else repr(value)


def _forward(item: Loss, kernel: str) -> list[str]:
    # What the loss itself learns, such as proxies, is a parameter of whoever calls it.
    words = ["prediction", "target", *item.weights, *(f"{name}=self.{name}" for name in item.options)]
    taken = "".join(f", {name}: Tensor" for name in item.weights)
    return [
        f"    def forward(self, prediction: Tensor, target: Tensor{taken}) -> Tensor:",
        *laid_out(f"loss = {kernel}(", words, ")", 8),
        '        if self.reduction == "none":',
        "            return loss",
        '        return loss.mean() if self.reduction == "mean" else loss.sum()',
    ]
