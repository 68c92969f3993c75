"""No regular expression of the package takes more than a time in proportion to the text, whatever the text is.

The measure is no clock: a backtracking matcher (below, after Python's `re`) counts the steps that it takes on texts made to
hurt the pattern, and again on longer ones. A pattern whose steps grow faster than the text is not linear.
"""

import ast
import builtins
import functools
import importlib
import itertools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]  # what `re` itself makes of a pattern
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import losscli

ROOT = Path(losscli.__file__).parent
METHODS = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
PUMPS = (16, 32, 48)  # of a text: the steps of a linear pattern grow as much from the second to the third as before
GROWTH, NOISE = 1.15, 8
CAP = 60_000  # steps: what is beyond is exponential
NOT_HERE = "\0"  # stands for a part of a pattern that only a run knows, which is escaped there

Rest = Callable[[int], bool]
Node = Callable[[int, Rest], bool]


class Endless(Exception):
    pass


class Matcher:
    """One pattern as nested functions, that count in `steps` how often any of them looks at the text."""

    def __init__(self, tree: parser.SubPattern):
        self.flags = tree.state.flags
        self.classes: list[Callable[[str], bool]] = []
        self.node = self._sequence(tree)
        self.text, self.steps, self.groups = "", 0, {}

    def run(self, text: str, method: str) -> int:
        """The steps of `re.METHOD` on the text."""
        self.matches(text, method)
        return self.steps

    def matches(self, text: str, method: str) -> bool:
        """Whether `re.METHOD` matches, or has matched anywhere."""
        self.text, self.steps = text, 0
        ends: list[int] = []
        done: Callable[[int], bool] = lambda at: not (method == "fullmatch" and at != len(text)) and not ends.append(at)  # type: ignore[func-returns-value]  # noqa: E731
        at = 0
        while at <= len(text):
            self.groups = {}
            matched = self.node(at, done)
            if method in ("match", "fullmatch") or (matched and method == "search"):
                break
            at = max(ends[-1], at + 1) if matched else at + 1
        return bool(ends)

    def _look(self) -> None:
        self.steps += 1
        if self.steps > CAP:
            raise Endless

    def _sequence(self, items) -> Node:  # type: ignore[no-untyped-def]
        nodes = [self._node(op, argument) for op, argument in items]

        def match(at: int, rest: Rest, place: int = 0) -> bool:
            if place == len(nodes):
                return rest(at)
            return nodes[place](at, lambda then: match(then, rest, place + 1))

        return match

    def _node(self, op, argument) -> Node:  # type: ignore[no-untyped-def]
        if op in (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY):
            return self._one(self._fits(op, argument))
        kinds = {
            sre.BRANCH: lambda: self._branch([self._sequence(way) for way in argument[1]]),
            sre.SUBPATTERN: lambda: self._group(argument[0], self._sequence(argument[3])),
            sre.ATOMIC_GROUP: lambda: self._atomic(self._sequence(argument)),
            sre.MAX_REPEAT: lambda: self._repeat(*argument[:2], self._sequence(argument[2]), greedy=True),
            sre.MIN_REPEAT: lambda: self._repeat(*argument[:2], self._sequence(argument[2]), greedy=False),
            sre.POSSESSIVE_REPEAT: lambda: self._atomic(
                self._repeat(*argument[:2], self._atomic(self._sequence(argument[2])), greedy=True)
            ),
            sre.ASSERT: lambda: self._around(argument[0], self._sequence(argument[1]), argument[1].getwidth()[0], True),
            sre.ASSERT_NOT: lambda: self._around(
                argument[0], self._sequence(argument[1]), argument[1].getwidth()[0], False
            ),
            sre.AT: lambda: self._edge(argument),
            sre.GROUPREF: lambda: self._again(argument),
        }
        return kinds[op]()  # KeyError: a kind of node that no pattern had when this was written

    def _fits(self, op, argument) -> Callable[[str], bool]:  # type: ignore[no-untyped-def]
        """Whether one character is what a literal or a set takes, as `re` says itself."""
        item = parser.SubPattern(parser.State(), [(op, argument)])
        pattern = re._compiler.compile(_with_flags(item, self.flags), 0)  # type: ignore[attr-defined]
        fits = functools.cache(lambda character: pattern.fullmatch(character) is not None)
        self.classes.append(fits)
        return fits

    def _one(self, fits: Callable[[str], bool]) -> Node:
        def match(at: int, rest: Rest) -> bool:
            self._look()
            return at < len(self.text) and fits(self.text[at]) and rest(at + 1)

        return match

    def _branch(self, ways: list[Node]) -> Node:
        return lambda at, rest: any(way(at, rest) for way in ways)

    def _group(self, number: int | None, body: Node) -> Node:
        def match(at: int, rest: Rest) -> bool:
            def ended(then: int) -> bool:
                before = self.groups.get(number)
                self.groups[number] = self.text[at:then]
                if rest(then):
                    return True
                self.groups[number] = before
                return False

            return body(at, ended)

        return body if number is None else match

    def _atomic(self, body: Node) -> Node:
        def match(at: int, rest: Rest) -> bool:
            ends: list[int] = []
            return body(at, lambda then: not ends.append(then)) and rest(ends[-1])  # type: ignore[func-returns-value]

        return match

    def _repeat(self, least: int, most: int, body: Node, *, greedy: bool) -> Node:
        def match(at: int, rest: Rest, count: int = 0) -> bool:
            def more() -> bool:
                self._look()
                return count < most and body(at, lambda then: then != at and match(then, rest, count + 1))

            if count < least:
                return body(at, lambda then: match(then, rest, count + 1))
            return (more() or rest(at)) if greedy else (rest(at) or more())

        return match

    def _around(self, direction: int, body: Node, width: int, wanted: bool) -> Node:
        def match(at: int, rest: Rest) -> bool:
            start = at if direction > 0 else at - width
            return (start >= 0 and body(start, lambda then: direction > 0 or then == at)) == wanted and rest(at)

        return match

    def _edge(self, kind) -> Node:  # type: ignore[no-untyped-def]
        patterns = {
            sre.AT_BEGINNING: r"(?m)^" if self.flags & re.M else r"^",
            sre.AT_BEGINNING_STRING: r"\A",
            sre.AT_END: r"(?m)$" if self.flags & re.M else r"$",
            sre.AT_END_STRING: r"\Z",
            sre.AT_BOUNDARY: r"\b",
            sre.AT_NON_BOUNDARY: r"\B",
        }
        edge = re.compile(patterns[kind])

        def match(at: int, rest: Rest) -> bool:
            self._look()
            return edge.match(self.text, at) is not None and rest(at)

        return match

    def _again(self, number: int) -> Node:
        def match(at: int, rest: Rest) -> bool:
            self._look()
            text = self.groups.get(number)
            return text is not None and self.text.startswith(text, at) and rest(at + len(text))

        return match


def _with_flags(item: parser.SubPattern, flags: int) -> parser.SubPattern:
    item.state.flags = flags
    return item


def _alphabet(matcher: Matcher) -> list[str]:
    """A character for each way to be told apart by the pattern, and the one that the fewest parts of it take first."""
    kinds: dict[tuple[bool, ...], str] = {}
    for character in [*map(chr, range(32, 127)), "\n", "\t", "\u00e9", "\u20ac", "\u0663", "\x1b"]:
        kinds.setdefault(tuple(fits(character) for fits in matcher.classes), character)
    return [character for _, character in sorted(kinds.items(), key=lambda pair: sum(pair[0]))]


def _example(items) -> str:  # type: ignore[no-untyped-def]
    """A text that the items may match: the first way of each branch, a repeat once at least."""
    text = ""
    for op, argument in items:
        if op is sre.LITERAL:
            text += chr(argument)
        elif op is sre.BRANCH:
            text += _example(argument[1][0])
        elif op is sre.SUBPATTERN:
            text += _example(argument[3])
        elif op is sre.ATOMIC_GROUP:
            text += _example(argument)
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            text += _example(argument[2]) * max(1, min(argument[0], 4))
        elif op in (sre.IN, sre.NOT_LITERAL, sre.ANY):
            one = re._compiler.compile(parser.SubPattern(parser.State(), [(op, argument)]), 0)  # type: ignore[attr-defined]
            text += next((mark for mark in "1a -_.,\"'x\n" if one.fullmatch(mark)), "")
    return text


def _parts(items) -> Iterator[tuple[str, str]]:  # type: ignore[no-untyped-def]
    """For each repeat, wherever it is: a text that leads to it, and one round of it."""
    lead = ""
    for op, argument in items:
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            yield lead, _example(argument[2])
            yield from ((lead + inner, pump) for inner, pump in _parts(argument[2]))
        ways = {
            sre.BRANCH: lambda argument=argument: argument[1],
            sre.SUBPATTERN: lambda argument=argument: [argument[3]],
            sre.ATOMIC_GROUP: lambda argument=argument: [argument],
        }
        for way in ways[op]() if op in ways else []:
            yield from ((lead + inner, pump) for inner, pump in _parts(way))
        lead += _example([(op, argument)])


def hurts(pattern: str, flags: int, method: str) -> str | None:
    """The first text on which `re.METHOD` of the pattern is not linear, as `lead + pump * n + end`; None if there is none."""
    tree = parser.parse(pattern, flags & ~re.UNICODE)
    matcher = Matcher(tree)
    alphabet = _alphabet(matcher)
    parts = list(_parts(tree))
    if not parts:
        return None
    leads = list(dict.fromkeys(["", *(lead for lead, _ in parts)]))[:12]
    pumps = list(dict.fromkeys([*(pump for _, pump in parts if pump), *alphabet[:12]]))
    pumps += [a + b for a, b in itertools.permutations(alphabet[-4:], 2)]
    for lead, pump, end in itertools.product(leads, pumps, ("", alphabet[0], alphabet[-1])):
        try:
            first, second, third = (matcher.run(lead + pump * count + end, method) for count in PUMPS)
        except Endless:
            return f"{lead!r} + {pump!r} * n + {end!r} (exponential)"
        if third - second > GROWTH * (second - first) + NOISE:
            return f"{lead!r} + {pump!r} * n + {end!r} ({first}, {second}, {third} steps)"
    return None


class _Unknown(str):
    """What only a run knows stands for a text, and so does whatever it has."""

    def __getattr__(self, name: str) -> "_Unknown":
        return self


class _Names(dict):  # type: ignore[type-arg]
    def __missing__(self, name: str) -> _Unknown:
        return _Unknown(NOT_HERE)


LISTS = {  # patterns that a loop takes out of a list
    ("losscli.check.failures", "pattern"): lambda module: [pattern for _, pattern, _ in module["REFUSALS"]],
    ("losscli.data.infer", "pattern"): lambda module: [pattern for pattern, _ in module["NOT_PLAIN"].values()],
}


def _uses() -> dict[tuple[str, int, str], str]:
    """Every pattern of the package with its flags and the method that is called: where that is."""
    uses: dict[tuple[str, int, str], str] = {}
    for file in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(file.read_text())
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_of_re(node.func)]
        if not calls:
            continue
        path = file.relative_to(ROOT)
        module = importlib.import_module(".".join(("losscli", *path.with_suffix("").parts)).removesuffix(".__init__"))
        inner = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.col_offset]
        names = {
            name.name: getattr(sys.modules.get(node.module or ""), name.name, None)
            for node in inner
            for name in node.names
        }
        for node in calls:
            for use in _calls(node, module.__name__, {**names, **vars(module)}):
                uses.setdefault(use, f"{path.as_posix()}:{node.lineno}")
    named = {(pattern, flags) for pattern, flags, method in uses if method != "compile"}
    return {use: place for use, place in uses.items() if use[2] != "compile" or use[:2] not in named}


def _is_of_re(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr in (*METHODS, "compile")


def _calls(node: ast.Call, name: str, module: dict[str, Any]) -> list[tuple[str, int, str]]:
    assert isinstance(node.func, ast.Attribute)
    method = node.func.attr
    if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re"):
        bound = _value(node.func.value, module) if method in METHODS else None
        return [(bound.pattern, bound.flags, method)] if isinstance(bound, re.Pattern) else []
    first = node.args[0]
    if isinstance(first, ast.Name) and first.id not in module:
        return [(pattern, re.compile(pattern).flags, method) for pattern in LISTS[name, first.id](module)]
    compiled = [word.value for word in node.keywords if word.arg == "flags"]
    compiled += node.args[{"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(method, 2) :][:1]
    flags = sum(int(_value(flag, module)) for flag in compiled)
    pattern = re.compile(_value(first, module), flags)
    return [(pattern.pattern, pattern.flags, method)]


def _value(node: ast.expr, module: dict[str, Any]) -> Any:
    """What an expression of a module is, as far as the module alone tells."""
    try:
        return eval(compile(ast.Expression(node), "", "eval"), {}, _Names({**vars(builtins), **module}))
    except Exception:  # a local name does not have what is asked of it
        return None


USES = _uses()


@pytest.fixture(autouse=True)
def deep() -> Iterator[None]:
    """The matcher goes deeper with each character."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("use", USES, ids=USES.get)
def test_each_pattern_takes_time_in_proportion_to_the_text(use: tuple[str, int, str]) -> None:
    pattern, flags, method = use
    text = hurts(pattern, flags, "search" if method == "compile" else method)
    assert text is None, f"{pattern!r} with re.{method} hurts on {text}"


def test_all_patterns_are_seen() -> None:
    assert len(USES) > 90


@pytest.mark.parametrize(
    ("pattern", "method", "steps"),
    [
        (
            r"^[+-]?(\d+\.?\d*|\.\d+)$",
            "match",
            False,
        ),  # digits go to the left or to the right of a point that is not there
        (r"^[+-]?(\d++\.?\d*+|\.\d++)$", "match", True),
        (r"(a|a)*b", "match", False),
        (r"(?:\w+\s?)*;", "match", False),
        (r"\d+x", "search", False),  # once from each digit
        (r"(?<!\d)\d++x", "search", True),
        (r".*,.*,.*x", "match", False),
        (r"[\W_]+", "split", True),
        (r"\s+$", "search", False),
        (r"(?>\s+)$", "match", True),
    ],
)
def test_the_measure_tells_linear_from_worse(pattern: str, method: str, steps: bool) -> None:
    assert (hurts(pattern, 0, method) is None) == steps


def test_the_matcher_matches_as_re_does() -> None:
    """On all texts of up to five of four characters, for patterns with every kind of node."""
    patterns = [
        r"(a|b)\1?a*?b",
        r"(?>a+|b)a?b",
        r"a++b|(?<=a)b+$",
        r"^(?!ab)[ab.]{1,3}\b",
        r"(?i)(A)?[^b]\1",
        r"a?(?<!b)\Z",
    ]
    looked = 0
    for pattern, method in itertools.product(patterns, ("match", "fullmatch", "search")):
        matcher = Matcher(parser.parse(pattern))
        for length in range(6):
            for letters in itertools.product("ab. ", repeat=length):
                text = "".join(letters)
                matched = matcher.matches(text, method)
                assert matched == (getattr(re, method)(pattern, text) is not None), (pattern, method, text)
                looked += matched
    assert looked > 1000
