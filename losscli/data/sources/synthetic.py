"""Tables that scikit-learn's generators make, or a task's own, under the generators' own names and options.

The table is fixed by the options and `generator_seed`; the seeds of the runs change split and initial weights only.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from losscli.data.dataset import Table
from losscli.data.sources import Source, source
from losscli.errors import SpecError, choose_from
from losscli.lazy import scikit_learn
from losscli.options import Count, NonNegative, Seed, Share
from losscli.tasks import Column, Generator, tasks
from losscli.tasks.shapes import Mixture

# The task that each is made for, as the tasks say; those with a number of classes may turn out binary.
GENERATORS = {name: task.name for task in tasks for name in task.generators}
CLASSES = ("n_classes", "centers")  # the option of a generator that says how many classes it makes
OURS = ("return_", "coef", "sparse")  # options that change what a generator returns, not the data
INVALID = re.compile(r"The '(\w+)' parameter of make_\w+ must be (.+?)\. Got (.+) instead\.")  # in scikit-learn's words
LARGEST = 200_000_000  # values in one table: 1.6 GB as float64
MOST = 10_000  # features, classes, targets ...
OUTPUTS = ("n_targets", "n_bins", "n_classes")  # the options that say how many numbers a row has beside its features


@source("synthetic")
class Synthetic(Source):
    """A scikit-learn generator (`name: moons` is `make_moons`) or a task's own (mixtures); its options stand beside `name`.

    `name` is the generator. `n_samples` is how many rows it makes. `generator_seed` is what the table is drawn with.
    `imbalance` is the share of the rarest class (rows of it are dropped), `label_noise` the share of labels that are
    changed to another class, `feature_noise` the sd of Gaussian noise in units of each feature's own sd. Noise is part
    of the table: all splits have it.
    """

    model_config = ConfigDict(extra="allow")  # checked against the generator's signature below

    source: Literal["synthetic"] = "synthetic"
    name: str
    n_samples: Count = 1000
    generator_seed: Seed = 0
    imbalance: Annotated[float, Field(gt=0, le=0.5)] | None = None
    label_noise: Share | None = None
    feature_noise: NonNegative = 0.0

    nature: ClassVar[str] = "a made-up set"

    @classmethod
    def data_sets(cls) -> Sequence[str]:
        return tuple(GENERATORS)

    @model_validator(mode="after")
    def _fits_the_generator(self) -> Synthetic:
        if self.name not in GENERATORS:
            wrong = {"name": f"there is no generator called {self.name!r}; {choose_from(self.name, GENERATORS)}"}
        else:
            accepted = _parameters(self.name)
            wrong = {key: why for key, value in self.options.items() if (why := _objection(key, value, accepted))}
            wrong |= self._too_many()
            task = tasks.get(GENERATORS[self.name])
            if self.imbalance is not None and not task.rows_have_one_class:
                wrong["imbalance"] = f"imbalance needs one class per row, and {self.name} has none"
            if self.label_noise is not None and not task.has_classes:
                wrong["label_noise"] = f"label_noise needs classes, and {self.name} has numbers (use noise)"
        if wrong:
            raise ValidationError.from_exception_data("Synthetic", [_detail(key, why) for key, why in wrong.items()])
        return self

    def _too_many(self) -> dict[str, str]:
        """More values than a table may have, and more of what a generator counts, before any of them is made."""
        defaults = {name: parameter.default for name, parameter in _parameters(self.name).items()}
        counts = {
            name: value for name, value in {**defaults, **self.options}.items() if _is_count(name, value, defaults)
        }
        many = [name for name in counts if name != "n_samples" and counts[name] > MOST]
        if many:
            return {name: f"expected at most {MOST}, got {counts[name]}" for name in many}
        width = counts.get("n_features", 2) + sum(counts.get(name, 0) for name in OUTPUTS)
        if self.n_samples * width <= LARGEST:
            return {}
        return {
            "n_samples": f"expected at most {LARGEST // width} rows of {width} numbers (1.6 GB), got {self.n_samples}"
        }

    @property
    def options(self) -> dict[str, Any]:
        """The generator's own options that the spec gives."""
        return dict(self.__pydantic_extra__ or {})

    def title(self) -> str:
        return self.name

    @property
    def mixture(self) -> Mixture | None:
        known = tasks.get(GENERATORS[self.name]).mixtures.get(self.name)
        try:
            return None if known is None else known(**self.options)
        except ValueError:  # told where the rows are made
            return None

    def natural_task(self, folder: Path = Path()) -> str:
        parameters = _parameters(self.name)
        option = next((name for name in CLASSES if name in parameters), None)
        if option is None or not tasks.get(GENERATORS[self.name]).rows_have_one_class:
            return GENERATORS[self.name]
        count = self.options.get(option, parameters[option].default)
        count = len(count) if isinstance(count, list) else count or 3  # make_blobs: None means 3 centers
        return "binary" if count == 2 else "multiclass"

    def read(self, folder: Path) -> Table:
        features, target = self._generate()
        rng = np.random.default_rng(self.generator_seed)
        if self.imbalance is not None:
            rows = self._thinned(target, self.imbalance, rng)
            features, target = features[rows], target[rows]
        if self.label_noise is not None:
            target = _mislabelled(target, self.label_noise, rng)
        if self.feature_noise:
            features = features + rng.normal(size=features.shape) * features.std(axis=0) * self.feature_noise
        columns = {f"x{index}": Column(values) for index, values in enumerate(features.T.copy(), start=1)}
        mixture = None if self.imbalance or self.feature_noise else self.mixture
        return Table(self.title(), columns, self._targets(target), mixture=mixture)

    def _generate(self) -> tuple[np.ndarray, np.ndarray]:
        generate = _generator(self.name)
        try:
            features, target = generate(n_samples=self.n_samples, random_state=self.generator_seed, **self.options)
        except (ValueError, TypeError, IndexError) as refused:
            raise SpecError(_refusal(self.name, str(refused)), cure="change it under data") from None
        return np.asarray(features, dtype=np.float64), np.asarray(target)

    def _thinned(self, target: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
        """Rows that remain when the last class is made the rarest, with `share` of all rows."""
        last = np.flatnonzero(target == target.max())
        others = len(target) - len(last)
        count = round(share / (1 - share) * others)
        if not 1 <= count <= len(last):
            raise SpecError(
                f"imbalance {share:g} cannot be reached by dropping rows: "
                f"the last class has {len(last)} of {len(target)} rows and would need {count}",
                cure=f"an imbalance of at most {len(last) / len(target):.3g}, or more n_samples",
            )
        dropped = rng.permutation(last)[count:]
        return np.setdiff1d(np.arange(len(target)), dropped)

    def _targets(self, target: np.ndarray) -> dict[str, Column]:
        if tasks.get(GENERATORS[self.name]).rows_have_one_class:
            classes, codes = np.unique(target, return_inverse=True)
            return {"y": Column(codes.astype(np.int32), tuple(str(int(value)) for value in classes))}
        values = target.astype(np.float64)
        if values.ndim == 1:
            return {"y": Column(values)}
        return {f"y{index}": Column(column) for index, column in enumerate(values.T.copy(), start=1)}


def _generator(name: str) -> Generator:
    """The task's own function of that name, or scikit-learn's."""
    own = tasks.get(GENERATORS[name]).generators[name]
    if own is not None:
        return own
    function: Generator = getattr(scikit_learn("datasets"), f"make_{name}")
    return function


def _parameters(generator: str) -> Mapping[str, inspect.Parameter]:
    parameters = inspect.signature(_generator(generator)).parameters
    return {name: parameters[name] for name in parameters if name != "random_state" and not name.startswith(OURS)}


def _objection(key: str, value: object, accepted: Mapping[str, inspect.Parameter]) -> str | None:
    """Why this option cannot be passed on, if so: a name that is not the generator's, or a value of another type."""
    if key == "random_state":
        return "losscli sets random_state from data.generator_seed: give that instead"
    if key not in accepted:
        ours = ("n_samples", "generator_seed", "imbalance", "label_noise", "feature_noise", "split")
        return f"the generator has no option {key[:80]!r}: {choose_from(key, dict.fromkeys((*accepted, *ours)))}"
    default = accepted[key].default
    if key == "noise" and _is_number(value) and value < 0:  # type: ignore[operator]
        return f"expected >= 0, got {value}"
    if isinstance(default, bool):
        return None if isinstance(value, bool) else f"expected true or false, got {value!r:.80}"
    if isinstance(default, int):
        integral = isinstance(value, int) and not isinstance(value, bool)
        return None if integral else f"expected a whole number, got {value!r:.80}"
    if _is_number(value) or (value is None and default is None):
        return None
    if isinstance(default, float) and key not in ("cluster_std",):
        return f"expected a number, got {value!r:.80}"
    if isinstance(value, list) and value and all(_is_number(item) for item in _flat(value)):
        return None
    return f"expected a number or a list of numbers, got {value!r:.80}"


def _refusal(generator: str, reason: str) -> str:
    """What a generator does not accept, in words; scikit-learn names the option and what must hold."""
    match = INVALID.fullmatch(" ".join(reason.split())[:300])
    if match is None:
        return f"the generator {generator} does not accept its options: {' '.join(reason.split())[:300]}"
    option, must, value = match.groups()
    return f"data.{option}: expected {must}, got {value}"


def _is_count(name: str, value: object, defaults: Mapping[str, object]) -> bool:
    """Whether an option says how many there are of something: a whole number where the default is one, or None."""
    default = defaults.get(name, False)
    whole = default is None or (isinstance(default, int) and not isinstance(default, bool))
    return whole and name != "noise" and isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _flat(values: list[Any]) -> list[Any]:
    return [inner for item in values for inner in (item if isinstance(item, list) else [item])]


def _detail(key: str, why: str) -> InitErrorDetails:
    # The message goes in as a value: a brace in it, from a user's key, must not be read as a template.
    return InitErrorDetails(type=PydanticCustomError("synthetic", "{why}", {"why": why}), loc=(key,), input=None)


def _mislabelled(target: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """A target of which `share` of the labels, drawn at random, are changed to another class."""
    classes, codes = np.unique(target, return_inverse=True)
    codes = codes.reshape(-1)
    wrong = rng.permutation(len(codes))[: round(share * len(codes))]
    codes[wrong] = (codes[wrong] + rng.integers(1, len(classes), size=len(wrong))) % len(classes)
    return classes[codes].reshape(target.shape)
