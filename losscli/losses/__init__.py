"""The catalogue: every loss is one function in one file, filed by its home task.

A loss is pure: `f(prediction, target, *, options...)` keeps all leading dimensions, never reduces over the batch, and
returns one number per sample. Binary and regression losses are *per value* (elementwise), so that another task can
borrow them: multilabel averages them over its labels, regression over its outputs. One over vectors serves where the targets
are some that it takes: distribution borrows those of multiclass that take probabilities. An option is a number or a tensor
that broadcasts over runs, so a grid of options is one call. The signature declares the options and their bounds; the
docstring holds, in this order: one line, `Use:` and `Avoid:` (where there is something to say), domain, shapes, `Formula:`,
`Source:`, `Kin:`, `Elsewhere:` ("library name; library name", where it is certain), an executed example.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, get_args, get_type_hints

from losscli.direction import LEVEL
from losscli.errors import Finding, SpecError, choose_from, shown
from losscli.lazy import Tensor
from losscli.losses.accepts import REQUIRED as REQUIRED
from losscli.losses.accepts import Accepts as Accepts
from losscli.losses.accepts import Bounds as Bounds
from losscli.losses.accepts import Choice as Choice
from losscli.losses.accepts import ClassCounts as ClassCounts
from losscli.losses.accepts import ClassWeight as ClassWeight
from losscli.losses.accepts import Finite as Finite
from losscli.losses.accepts import Fraction as Fraction
from losscli.losses.accepts import NonNegative as NonNegative
from losscli.losses.accepts import Number as Number
from losscli.losses.accepts import OpenFraction as OpenFraction
from losscli.losses.accepts import Option as Option
from losscli.losses.accepts import PerClass as PerClass
from losscli.losses.accepts import Positive as Positive
from losscli.losses.accepts import PositiveWeight as PositiveWeight
from losscli.losses.accepts import Several as Several
from losscli.losses.foreign import Foreign, foreign
from losscli.losses.pages import with_page
from losscli.losses.parts import Penalty, Weight
from losscli.losses.spelling import bare, key
from losscli.shelf import Shelf, callable_package
from losscli.tasks import tasks
from losscli.tasks.scale import LOG_RATES

Value = TypeVar("Value")

# How many outputs each target needs: (the task's own outputs: K classes, or 1; the options) -> number. Then the loss sees
# [..., B, heads] (regression of several targets: [..., B, O, heads]).
Heads = Callable[[int, Mapping[str, Any]], int]

# What the prediction says: (prediction, options) -> values [..., B] in the units of the loss (regression), or
# probabilities [..., B, K] (multiclass), or the probability of yes [..., B] (binary, multilabel).
Point = Callable[[Tensor, Mapping[str, Any]], Tensor]


# The quantile of one level of what the outputs predict: (prediction, options, level) -> values [..., B], in the loss's units.
Quantile = Callable[[Tensor, Mapping[str, Any], float], Tensor]


@dataclass(frozen=True)
class Forecast:
    """How the outputs of a regression loss say how sure they are.

    `quantile` gives any level between 0 and 1; where only some were learned, `levels` tells them, rising, and `quantile` is asked
    for these alone: `stack/forecast.py` finds what lies between. `order` gives what the loss received with quantiles that crossed
    put in order, for all that reads it but the loss. `crps` is the closed form of each row's score, (prediction, target, options)
    -> [..., B], if there is one.
    """

    quantile: Quantile
    levels: Callable[[Mapping[str, Any]], tuple[float, ...]] | None = None
    crps: Callable[[Tensor, Tensor, Mapping[str, Any]], Tensor] | None = None
    order: Point | None = None

    def ends(self, settings: Mapping[str, Any]) -> tuple[float, float] | None:
        """The levels of the ends of the interval: 5 and 95 %, or the outer ones that were learned; None of a single one."""
        if self.levels is None:
            return (1 - LEVEL) / 2, (1 + LEVEL) / 2
        levels = self.levels(settings)
        return (levels[0], levels[-1]) if levels[0] < levels[-1] else None

    def level(self, settings: Mapping[str, Any]) -> float | None:
        """The share of targets that the interval should hold; None where there is no interval."""
        ends = self.ends(settings)
        return None if ends is None else round(ends[1] - ends[0], 12)


# What a target may hold that is shares of the classes: in a word, and of what.
SHARES: Mapping[str, tuple[str, str]] = {
    "0 to 1": ("shares", "yes"),
    "class index or probabilities": ("probabilities", "the classes"),
    "probabilities": ("probabilities", "the classes"),
    "probabilities in order": ("probabilities", "the classes"),
}


@dataclass(frozen=True)
class Loss:
    """A loss of the catalogue, with all that is known about it."""

    name: str
    task: str
    expects: str  # logits | probabilities | log-probabilities | scores | values | log-rates | mean+log-scale | ...
    target: str  # the target's domain, in words
    function: Callable[..., Tensor]
    per_value: bool  # elementwise: other tasks may borrow it and average over their last dimension
    over_batch: bool  # defined over a whole batch: returns [...], not [..., B]
    options: Mapping[str, Option]
    aliases: tuple[str, ...]
    own_units: bool = False  # regression: judges targets as they are (counts, positive numbers), not standardised ones
    heads: Heads | None = None  # several outputs per target
    point: Point | None = None  # what the outputs predict, where the task cannot tell: see `Point`
    detached: bool = False  # a factor of it has no gradient, by definition: the gradient is not the slope
    forecast: Forecast | None = None  # regression: quantiles and an interval beside the point
    findings: tuple[Finding, ...] = ()  # what was noticed when it was made: a user's own loss that is slow
    renamed: Mapping[str, str] = field(default_factory=dict)  # names of before, and why each is no more
    kernels: Mapping[str, Callable[..., Tensor]] = field(
        default_factory=dict
    )  # by phase, beside `function`: see `kernel`
    penalties: tuple[Penalty, ...] = ()  # on gradients of a network
    projection: Callable[..., Tensor] | None = (
        None  # (weights [r, P], *, options) -> the same, after `function` has moved them
    )
    weights: Mapping[str, Weight] = field(default_factory=dict)  # its own, learned; kernels take them after the target
    signed: bool = False  # its values may be negative, so that no size of them tells that it diverged
    differences: bool = False  # it judges differences of scores alone: a bias of the last layer cancels

    def kernel(self, phase: str) -> Callable[..., Tensor]:
        """What judges in the phase of that name."""
        return self.kernels.get(phase, self.function)

    def value(
        self, prediction: Tensor, target: Tensor, options: Mapping[str, Any], own: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """What `function` says, with those of the options that it takes: a penalty or a projection takes the others.

        `own` are its weights; by default `examples`.
        """
        weights = self.examples(prediction, options) if own is None else own
        return self.function(prediction, target, *weights.values(), **taken(self.function, options))

    def examples(self, prediction: Tensor, options: Mapping[str, Any]) -> dict[str, Tensor]:
        """Its own weights as they may have become, for predictions [..., B, D] of at most D classes."""
        size = prediction.shape[-1]
        made = {name: weight.example(weight.shape(size, size, options)) for name, weight in self.weights.items()}
        return {name: weight.to(prediction) for name, weight in made.items()}

    @property
    def sides(self) -> dict[str, Loss]:
        """Each kernel as a loss by itself, by its phase, where there are several.

        >>> list(find("wgan-clip", "gan").sides), find("mse", "regression").sides
        (['discriminator', 'generator'], {})
        """
        task = tasks.get(self.task)
        phases = [phase.kernel for phase in task.phases(task.plan())] if self.kernels else []
        return {phase: self._side(self.kernel(phase)) for phase in phases}

    def _side(self, kernel: Callable[..., Tensor]) -> Loss:
        options = taken(kernel, self.options)
        return replace(self, function=kernel, options=options, kernels={}, penalties=(), projection=None)

    @property
    def takes_exposure(self) -> bool:
        """Whether its first output is the logarithm of a rate, to which that of an exposure can be added."""
        return self.expects in LOG_RATES

    @property
    def takes_shares(self) -> bool:
        """Whether its target may be shares of the classes."""
        return self.target in SHARES

    @property
    def in_order(self) -> bool:
        """Whether it goes by an order of the classes."""
        return self.target in ("class rank", "probabilities in order")

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called, the name of now first."""
        return (self.name, *self.aliases, *self.renamed)

    @property
    def summary(self) -> str:
        return inspect.getdoc(self.function).splitlines()[0]  # type: ignore[union-attr]

    def serves(self, task: str) -> bool:
        """Whether it is that task's own, or one that it borrows: per value, or over vectors of which its targets are some.

        >>> brier = find("brier", "multiclass")
        >>> brier.serves("multiclass"), brier.serves("distribution"), brier.serves("multilabel")
        (True, True, False)
        """
        borrower = tasks.get(task)
        lent = self.per_value or borrower.domain in self.target.split(" or ")
        return self.task == task or (self.task in borrower.borrows and lent)

    @property
    def is_in_package(self) -> bool:
        """Whether losscli comes with it; others are a plugin's, a user's own, or made as the program runs."""
        return getattr(self.function, "__module__", "").startswith(f"{__name__}.")

    def averages_for(self, task: str) -> bool:
        """Whether that task borrows it value by value: the loss of a row is then the mean over the values of the row.

        >>> find("hinge", "binary").averages_for("binary"), find("hinge", "multilabel").averages_for("multilabel")
        (False, True)
        """
        return self.per_value and tasks.get(task).target_ndim > tasks.get(self.task).target_ndim

    def section(self, key: str) -> str:
        """What the docstring says after `key:`, to the end of that paragraph ("Formula", "Source", "Kin")."""
        text = inspect.getdoc(self.function) or ""
        match = re.search(rf"^{key}:\s*(.+?)(?:\n\s*\n|\n[A-Z][a-z]+:|\Z)", text, re.S | re.M)
        return " ".join(match.group(1).split()) if match else ""


losses: Shelf[Loss] = Shelf(__name__, "loss", entry_points="losscli.losses")


def loss(
    task: str,
    expects: str,
    target: str,
    *,
    name: str | None = None,
    per_value: bool | None = None,
    over_batch: bool = False,
    aliases: tuple[str, ...] = (),
    own_units: bool = False,
    heads: Heads | None = None,
    point: Point | None = None,
    detached: bool = False,
    forecast: Forecast | None = None,
    kernels: Mapping[str, Callable[..., Tensor]] | None = None,
    penalties: tuple[Penalty, ...] = (),
    projection: Callable[..., Tensor] | None = None,
    weights: Mapping[str, Weight] | None = None,
    signed: bool = False,
    differences: bool = False,
    renamed: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Put the decorated function on the shelf, under its own name in kebab-case unless `name` says otherwise."""

    def register(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        called = name or function.__name__.replace("_", "-")
        elementwise = per_value
        if elementwise is None:
            elementwise = not over_batch and not tasks.get(task).rows_have_several_outputs
        parts = [
            *(kernels or {}).values(),
            *(penalty.function for penalty in penalties),
            *([projection] if projection else []),
        ]
        options = {name: option for part in (function, *parts) for name, option in _options(part).items()}
        item = Loss(
            called, task, expects, target, function, elementwise, over_batch, options, aliases,
            own_units, heads, point, detached, forecast, kernels=kernels or {}, penalties=penalties,
            projection=projection, weights=weights or {}, signed=signed, differences=differences,
            renamed=renamed or {},
        )  # fmt: skip
        losses.put(f"{task}/{called}", item, tuple(f"{task}/{other}" for other in item.names[1:]))
        return function

    return register


def _options(function: Callable[..., Tensor]) -> dict[str, Option]:
    hints = get_type_hints(function, include_extras=True)
    options = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            accepts = next(note for note in get_args(hints[parameter.name]) if isinstance(note, Accepts))
            options[parameter.name] = Option(parameter.name, parameter.default, accepts)
    return options


def for_task(task: str) -> dict[str, Loss]:
    """Every loss that serves a task, by name: its own, and those it borrows, unless one of its own has one of their names.

    >>> "bce-logits" in for_task("multilabel")
    True
    """
    homes = (task, *tasks.get(task).borrows)
    serving: dict[str, Loss] = {}
    taken: set[str] = set()
    for home in homes:
        lent = [item for item in losses if item.task == home and item.serves(task) and taken.isdisjoint(item.names)]
        serving |= {item.name: item for item in lent}
        taken |= {name for item in lent for name in item.names}
    return serving


def find(name: str, task: str) -> Loss:
    """The loss of that name or alias for a task, in any spelling (`losscli.losses.spelling`).

    Raises `SpecError` with the nearest name; for a name of another task or library, with what it is and what serves here.

    >>> find("nn.SmoothL1Loss()", "regression").name
    'smooth-l1'
    """
    matches = by_name(name, for_task(task).values())
    if not matches:
        raise with_page(unknown(name, task), (name, *(of for item in by_name(name, losses) for of in item.names)), task)
    return matches[0]


def renamings(name: str, task: str) -> list[Finding]:
    """What to say of a name of before; nothing of others.

    >>> [finding.message.partition(":")[0] for finding in renamings("emd", "multiclass")]
    ["the loss 'emd' of task multiclass is called rps now"]
    """
    items = by_name(name, for_task(task).values())[:1]
    before = [(item, old) for item in items for old in item.renamed if key(old) == key(name)]
    return [
        Finding(
            "loss-renamed",
            "info",
            f"the loss {shown(old)} of task {task} is called {item.name} now: {item.renamed[old]}",
            f"write {item.name}",
        )
        for item, old in before
    ]


def called_now(entry: str, task: str) -> str:
    """The name of an entry of a record, whose loss may be called otherwise now.

    >>> called_now("emd weight=balanced", "multiclass"), called_now("own.Loss", "multiclass")
    ('rps weight=balanced', 'own.Loss')
    """
    name, *options = entry.split(" ")
    item = next((item for item in for_task(task).values() if name in item.renamed), None)
    return " ".join([item.name, *options]) if item else entry


def by_name(name: str, among: Iterable[Loss]) -> list[Loss]:
    """Those of the losses that have the name or alias, written so or in another spelling."""
    items = [(item, item.names) for item in among]
    exact = [item for item, names in items if name in names]
    return exact or [item for item, names in items if key(name) in map(key, names)]


def unknown(name: str, task: str | None = None) -> SpecError:
    """What to say of a name that no loss has, or (with a task) none that serves it.

    >>> print(unknown("HingeEmbeddingLoss", "binary").problems[0].cure)
    for binary: hinge, which is the classifier's; the default is bce-logits; task embedding has it: hinge-embedding
    """
    other = foreign(name)
    if other is not None and other.what:  # said first: elsewhere the name may mean something else than the loss here
        why = other.why.format(task=task or "every task here")
        if task and other.home == task:
            why = "the catalogue has others of its kind"
        there = [f"; task {item.task} has it: {item.name}" for item in by_name(name, losses)[:1] if task]
        return SpecError(f"{shown(name)} is {other.what}: {why}", cure="".join([_instead(other, task), *there]))
    homes = by_name(name, losses) if task else []
    if homes:
        others = " and ".join(sorted({item.task for item in homes}))
        other = other or foreign(homes[0].name)
        return SpecError(f"the loss {shown(name)} is for {others}, and the task is {task}", cure=_instead(other, task))
    return SpecError(f"there is no loss called {shown(name)}", cure=_cure(name, task))


def _instead(translation: Foreign | None, task: str | None) -> str:
    """What serves the task in place of a foreign name; without a task, what serves each."""
    here = translation.here if translation else {}
    if task is None:
        pairs = [f"for {other}: {advice}" for other, advice in here.items() if other in tasks]
        return "; ".join(pairs) or "losscli losses lists what there is"
    default = tasks.get(task).default_loss
    advice = here.get(task, f"{default}, the default; losscli losses --task {task} lists all")
    return f"for {task}: {advice}" + ("" if advice.startswith(default) else f"; the default is {default}")


def _cure(name: str, task: str | None) -> str:
    """What would work in place of a name that says nothing, as far as its form tells what was meant."""
    name = bare(name)
    if own := re.fullmatch(r"([\w-]+)\.([A-Za-z_]\w*)", name):  # as a record names a loss that was in a file
        return f"a loss of your own is given again: --loss {own[1]}.py:{own[2]}"
    serving = for_task(task) if task else {item.name: item for item in losses}
    called, _, options = name.partition("(") if "(" in name else name.partition(":")
    items = by_name(called, serving.values()) if "=" in options else []
    if items:
        return f"options stand beside the name: {{name: {items[0].name}, OPTION: VALUE}}, or --set loss.OPTION=VALUE"
    if re.search(r"[:/\\]", name):
        return "only registered names are looked up; a loss of your own is given as --loss FILE.py:NAME"
    return choose_from(name, serving)


def catalogue(task: str | None = None) -> list[Loss]:
    """Every loss of the catalogue; with a task, those that serve it. `losscli.losses()` is this function."""
    return list(losses) if task is None else list(for_task(task).values())


def taken(function: Callable[..., Any], options: Mapping[str, Value]) -> dict[str, Value]:
    """Those of the options that a function names, all where it takes any keyword.

    >>> taken(lambda x, *, gamma: x, {"gamma": 2.0, "limit": 0.1}), taken(lambda x, **options: x, {"limit": 0.1})
    ({'gamma': 2.0}, {'limit': 0.1})
    """
    parameters = inspect.signature(function).parameters
    if inspect.Parameter.VAR_KEYWORD in {parameter.kind for parameter in parameters.values()}:
        return dict(options)
    return {name: value for name, value in options.items() if name in parameters}


callable_package(__name__, catalogue)
