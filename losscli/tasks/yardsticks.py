"""Yardsticks: what scikit-learn's plain models make of the rows that the networks see, so that a board shows what a network
is good for.

Each is fitted to the encoded training rows of a seed, with their weights and scikit-learn's own defaults, and says of other rows
what a task reads: a probability of yes, of each class or of each label, or the scaled numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

ITERATIONS = 1_000  # of the logistic regression, at most
BINNED = 255  # categories that a boosted tree can tell apart; beyond, codes are numbers to it
TREE = 200_000  # what a tree costs beside its rows and features, in numbers that are looked at


@dataclass(frozen=True)
class TrainingRows:
    """What a yardstick is fitted to: features [N, F], whose last columns are `codes` of categories (each below its count), a
    target [N] or [N, ...] as `Target.values` says, how much each row counts (None: all alike), how many `outputs` a row has.
    """

    features: np.ndarray
    target: np.ndarray
    weight: np.ndarray | None
    codes: tuple[int, ...]
    outputs: int
    seed: int

    def counted(self) -> TrainingRows:
        """The rows that count: a tree asks for so many rows in a leaf, whatever they weigh."""
        if self.weight is None or (self.weight > 0).all():
            return self
        rows = self.weight > 0
        return TrainingRows(
            self.features[rows], self.target[rows], self.weight[rows], self.codes, self.outputs, self.seed
        )


Answer = Callable[[np.ndarray], np.ndarray]  # features [M, F] -> what is read of each row
Make = Callable[[TrainingRows], Any]  # a model of scikit-learn, not yet fitted
Fit = Callable[[Make, TrainingRows], Answer]


@dataclass(frozen=True)
class Yardstick:
    """A model of scikit-learn beside the networks; `meaning` is how a task reads its answer (a key of `links`)."""

    name: str
    make: Make
    fit: Fit
    meaning: str
    per_tree: int = 0  # what each output costs beside its rows, in numbers that are looked at

    def answer(self, rows: TrainingRows) -> Answer:
        """Fit it. One thread: on a busy machine, those of scikit-learn wait for each other, and cost twenty times.

        Raises `ValueError` for rows that scikit-learn refuses.

        >>> import numpy as np
        >>> rows = TrainingRows(np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0.0, 0.0, 1.0, 1.0]), None, (), 1, 0)
        >>> logistic, _ = YES_OR_NO
        >>> (logistic.answer(rows)(np.array([[-3.0], [3.0]])) > 0.5).tolist()
        [False, True]
        """
        from sklearn.exceptions import ConvergenceWarning
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the last step it took is what it says
            return self.fit(self.make, rows.counted())

    def work(self, rows: int, features: int, outputs: int) -> int:
        """About how many numbers are looked at in an iteration."""
        return (rows * features + self.per_tree) * outputs


def _logistic(rows: TrainingRows) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(_one_hot(rows), LogisticRegression(max_iter=ITERATIONS))


def _ridge(rows: TrainingRows) -> Any:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    return make_pipeline(_one_hot(rows), Ridge())


def _one_hot(rows: TrainingRows) -> Any:
    """The features with a column of 0 and 1 in the place of each code: a code is no size."""
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder

    if not rows.codes:
        return "passthrough"
    codes = list(range(rows.features.shape[1] - len(rows.codes), rows.features.shape[1]))
    encoder = OneHotEncoder(handle_unknown="ignore")
    return make_column_transformer((encoder, codes), remainder="passthrough")


def _boosted_classes(rows: TrainingRows) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(categorical_features=_categories(rows), random_state=rows.seed)


def _boosted_numbers(rows: TrainingRows) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(categorical_features=_categories(rows), random_state=rows.seed)


def _categories(rows: TrainingRows) -> list[int] | None:
    first = rows.features.shape[1] - len(rows.codes)
    return [first + place for place, count in enumerate(rows.codes) if count <= BINNED] or None


def _fitted(model: Any, features: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> Any:
    """The model, fitted; a pipeline takes weights by the name of its last step."""
    wide = features.astype(np.float64)  # as float32, the search of a logistic regression ends early
    steps = getattr(model, "steps", None)
    name = f"{steps[-1][0]}__sample_weight" if steps else "sample_weight"
    return model.fit(wide, target, **({} if weight is None else {name: weight.astype(np.float64)}))


def _classes(make: Make, rows: TrainingRows) -> Answer:
    """Probabilities [M, K] from class indices [N], or from shares of the classes [N, K], each a row that it weighs."""
    index, which, weight = _spread(rows)
    present = np.unique(which)
    if len(present) == 1:
        return lambda features: np.tile(np.arange(rows.outputs) == present[0], (len(features), 1)).astype(np.float64)
    model = _fitted(make(rows), rows.features[index], which, weight)

    def answer(features: np.ndarray) -> np.ndarray:
        probabilities = np.zeros((len(features), rows.outputs))
        probabilities[:, model.classes_.astype(int)] = model.predict_proba(features.astype(np.float64))
        return probabilities

    return answer


def _spread(rows: TrainingRows) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Places of rows, a class for each, and how much it counts."""
    if rows.target.ndim == 1:
        return np.arange(len(rows.target)), rows.target.astype(int), rows.weight
    index, which = np.nonzero(rows.target)
    share = rows.target[index, which]
    return index, which, share if rows.weight is None else share * rows.weight[index]


def _yes(make: Make, rows: TrainingRows) -> Answer:
    """Probabilities of yes [M] from 0 and 1 [N], or from shares of yes."""
    yes = rows.target
    sure = ((yes == 0) | (yes == 1)).all()
    target = yes if sure else np.stack([1 - yes, yes], axis=1)
    answer = _classes(make, TrainingRows(rows.features, target, rows.weight, rows.codes, 2, rows.seed))
    return lambda features: answer(features)[:, 1]


def _labels(make: Make, rows: TrainingRows) -> Answer:
    """Probabilities [M, L] of labels [N, L]: one against the rest, each by a model of its own."""
    answers = [
        _yes(make, TrainingRows(rows.features, label, rows.weight, rows.codes, 1, rows.seed)) for label in rows.target.T
    ]
    return lambda features: np.stack([answer(features) for answer in answers], axis=1)


def _numbers(make: Make, rows: TrainingRows) -> Answer:
    """Scaled numbers [M] or [M, O], each output by a model of its own."""
    columns = rows.target.reshape(len(rows.target), -1).T
    models = [_fitted(make(rows), rows.features, column, rows.weight) for column in columns]

    def answer(features: np.ndarray) -> np.ndarray:
        wide = features.astype(np.float64)
        values = np.stack([model.predict(wide) for model in models], axis=1)
        return values[:, 0] if rows.target.ndim == 1 else values

    return answer


def _of_classes(fit: Fit) -> tuple[Yardstick, ...]:
    return (
        Yardstick("logistic regression", _logistic, fit, "probabilities"),
        Yardstick("boosted trees", _boosted_classes, fit, "probabilities", TREE),
    )


YES_OR_NO, CLASSES, LABELS = map(_of_classes, (_yes, _classes, _labels))
NUMBERS = (
    Yardstick("ridge regression", _ridge, _numbers, "values"),
    Yardstick("boosted trees", _boosted_numbers, _numbers, "values", TREE),
)
