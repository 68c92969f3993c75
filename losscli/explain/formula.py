"""A formula as the docstrings write it, set as MathML: `L = (1 - p_t^q) / q, p_t = sigmoid(s x).`

What is written: numbers, names with `_` and `^`, functions, `sum_k`, brackets, `|x|`, `a / b`, products without a sign; words
between them stay words. Each clause is a formula of its own, so that a narrow page can break between them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import escape

from losscli.activations import ACTIVATIONS

TOKEN = re.compile(
    r"(?:(\d++(?:\.\d++)?(?:e-?\d+)?)|([A-Za-z]++\d*+'?)|(<=|>=|!=|\.\.\.|[-+*/^_()\[\]{}|,;:=<>!.])|(\S))"
)
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε", "tau": "τ", "taus": "τ", "pi": "π",
    "phi": "φ", "Phi": "Φ", "Gamma": "Γ", "grad": "∇",
}  # fmt: skip
SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠", "-": "−", "...": "…", "*": "·"}
FUNCTIONS = {
    "log",
    "ln",
    "exp",
    "sqrt",
    "max",
    "min",
    "cos",
    "sin",
    "cosh",
    "angle",
    "sp",
    "stop",
    "quantile",
    *ACTIVATIONS,
}
SUMS = {"sum": "∑"}
NAMES = {"sd", "df", "ap", "an", "ak", "TP", "FP", "FN", "inf"}  # beside single letters, Greek ones and options
PAIRS = {"(": ")", "[": "]", "{": "}"}
TIMES, APPLY = (
    "<mo>&#x2062;</mo>",
    "<mo>&#x2061;</mo>",
)  # invisible: what stands beside each other is multiplied, or applied
END = ("", "")
DEEPEST = 60  # brackets of a formula


def mathml(formula: str, options: Collection[str] = ()) -> list[str]:
    """Each clause of a formula as a `<math>` element; `options` are the names of the loss's own numbers.

    >>> mathml("L = r / q.")
    ['<math><mrow><mi>L</mi><mo>=</mo><mfrac><mi>r</mi><mi>q</mi></mfrac></mrow></math>']
    """
    text = formula.strip().removesuffix(".")
    if sum(map(text.count, (*PAIRS, "|"))) > DEEPEST:  # a foreign one
        return [f"<math><mtext>{escape(text)}</mtext></math>"]
    names = {part for option in options for part in option.split("_")} | NAMES
    return [f"<math>{_Reader(clause, names).all()}</math>" for clause in _clauses(text)]


def _clauses(text: str) -> Iterator[str]:
    """Parts at commas, semicolons and ends of sentences that stand in no bracket; what ends one stays with it."""
    depth, begun = 0, 0
    for at, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if depth <= 0 and sign in ",;." and text[at + 1 : at + 2] == " ":
            yield text[begun : at + 1]
            begun = at + 2
    yield text[begun:]


@dataclass
class _Reader:
    """Reads one clause from left to right, each sign once."""

    text: str
    names: Collection[str]

    def __post_init__(self) -> None:
        self.tokens = [_token(match) for match in TOKEN.finditer(self.text)]
        self.at = 0
        self.bars = 0  # | that are open

    def all(self) -> str:
        parts = []
        while self.token != END:
            parts.append(self.line(stop=""))
            if self.token != END:  # a bracket that nobody opened
                parts.append(_sign(self.take()))
        return _row(parts)

    @property
    def token(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else END

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def line(self, stop: str) -> str:
        """Terms with signs and words between them, up to a closing bracket."""
        parts: list[str] = []
        while self.token != END and not self._closes(stop):
            kind, text = self.token
            if kind == "sign" and text not in PAIRS and text != "|":
                parts.append(_sign(self.take()))
            elif self._begins_words():
                parts.append(self._words())
            else:
                parts.append(self.product())
        return _row(parts)

    def _closes(self, stop: str) -> bool:
        kind, text = self.token
        return kind == "sign" and (text == stop or text in PAIRS.values())

    def _words(self) -> str:
        words = []
        while self._begins_words():
            words.append(self.take())
        return f"<mtext>&#xa0;{escape(' '.join(words))}&#xa0;</mtext>"

    def _begins_words(self) -> bool:
        return self.token[0] == "name" and not self._is_name(self.token[1])

    def _is_name(self, text: str) -> bool:
        bare = text.rstrip("'0123456789")
        return len(bare) == 1 or bare in GREEK or bare in FUNCTIONS or bare in SUMS or bare in self.names

    def product(self) -> str:
        """Factors beside each other."""
        parts = [self.quotient()]
        while self._begins_factor():
            parts += [TIMES, self.quotient()]
        return _row(parts)

    def _begins_factor(self) -> bool:
        kind, text = self.token
        if kind == "sign":
            return text in PAIRS or (text == "|" and not self.bars)
        return kind == "number" or (kind == "name" and self._is_name(text))

    def quotient(self) -> str:
        """One factor, or one over another."""
        above = self.factor()
        while self.token == ("sign", "/"):
            self.take()
            above = f"<mfrac>{_bare(above)}{_bare(self.factor())}</mfrac>"
        return above

    def factor(self) -> str:
        """A name, a number, a bracket or a function of one, with what stands below and above it."""
        kind, text = self.token
        if kind == "name" and text in SUMS:
            return self._sum()
        if kind == "name" and text in FUNCTIONS:
            return self._function()
        return self._scripts(self._atom())

    def _sum(self) -> str:
        parts = [self._scripts(f"<mo>{SUMS[self.take()]}</mo>", tag=("munder", "mover", "munderover"))]
        in_words = self._begins_words()
        while self._begins_factor() or (in_words and self._begins_words()):
            parts.append(self._words() if self._begins_words() else self.product())
        return _row(parts)

    def _function(self) -> str:
        name = self.take()
        if name == "sqrt" and self.token[1] == "(":
            return f"<msqrt>{_bare(self._atom())}</msqrt>"
        head = self._scripts(f'<mi mathvariant="normal">{name}</mi>' if len(name) == 1 else f"<mi>{name}</mi>")
        return _row([head, APPLY, self.factor()]) if self._begins_factor() else head

    def _scripts(self, base: str, tag: tuple[str, str, str] = ("msub", "msup", "msubsup")) -> str:
        below = above = ""
        while self.token[1] in ("_", "^") and self.token[0] == "sign":
            if self.take() == "_":
                below = _bare(self._script())
            else:
                above = self._raised()
        while self.token == ("sign", "!"):
            base += _sign(self.take())
        if below and above:
            return f"<{tag[2]}>{_row([base])}{below}{above}</{tag[2]}>"
        if below or above:
            return f"<{tag[0 if below else 1]}>{_row([base])}{below or above}</{tag[0 if below else 1]}>"
        return _row([base])

    def _raised(self) -> str:
        """What stands above, with what stands below that: the exponent of `p^gamma_pos` is gamma_pos."""
        above = _bare(self._script())
        if self.token == ("sign", "_"):
            self.take()
            above = f"<msub>{above}{_bare(self._script())}</msub>"
        return above

    def _script(self) -> str:
        """What stands below or above: one atom, with a sign before it."""
        minus = _sign(self.take()) if self.token == ("sign", "-") else ""
        return _row([minus, self._atom()]) if minus else self._atom()

    def _atom(self) -> str:
        kind, text = self.token
        if kind == "number":
            return f"<mn>{self.take()}</mn>"
        if kind == "name":
            return _name(self.take())
        if text in PAIRS:
            return self._bracket()
        if text == "|":
            return self._size()
        return _sign(self.take()) if self.token != END else "<mrow></mrow>"

    def _bracket(self) -> str:
        opening = self.take()
        inner = self.line(PAIRS[opening])
        closing = self.take() if self.token[1] in PAIRS.values() else ""
        shown = opening != "{"
        return f"<mrow>{_sign(opening) if shown else ''}{inner}{_sign(closing) if shown and closing else ''}</mrow>"

    def _size(self) -> str:
        """|x|."""
        self.take()
        self.bars += 1
        parts = []
        while self.token != END and self.token[1] != "|":
            parts.append(self.product() if self._begins_factor() else _sign(self.take()))
        if self.token != END:
            self.take()
        self.bars -= 1
        return f"<mrow><mo>|</mo>{_row(parts)}<mo>|</mo></mrow>"


def _token(match: re.Match[str]) -> tuple[str, str]:
    number, name, sign, other = match.groups()
    return ("number", number) if number else ("name", name) if name else ("sign", sign or other)


def _name(text: str) -> str:
    bare, prime = text.rstrip("'"), "′" * text.count("'")
    shown = f"<mi>{GREEK.get(bare, bare)}</mi>"
    return f"<msup>{shown}<mo>{prime}</mo></msup>" if prime else shown


def _sign(text: str) -> str:
    return f"<mo>{escape(SIGNS.get(text, text))}</mo>"


def _row(parts: list[str]) -> str:
    kept = [part for part in parts if part]
    return kept[0] if len(kept) == 1 else f"<mrow>{''.join(kept)}</mrow>"


def _bare(element: str) -> str:
    """Without the round brackets around all of it: a bar or a raised place says as much."""
    opening, closing = "<mrow><mo>(</mo>", "<mo>)</mo></mrow>"
    if not (element.startswith(opening) and element.endswith(closing)):
        return element
    inner = element[len(opening) : -len(closing)]
    depth = 0
    for sign in re.findall(r"<mo>([()])</mo>", inner):
        depth += 1 if sign == "(" else -1
        if depth < 0:
            return element
    return f"<mrow>{inner}</mrow>"
