"""Exposure: how long, or among how many, each row was counted. Twice as much of it makes twice the count at the same rate.

Its logarithm is an offset: it is added to the log-rate of a model with no weight of its own (McCullagh and Nelder 1989,
Generalized Linear Models, 6.2). It is the first column of the encoded rows and goes around the network, so it is in all that
the network puts out: predictions are counts over each row's own exposure, and so is what metrics compare.

For Poisson's loss this is the same as learning rates, weighted by exposure: e (m / e - y / e log m) = m - y log m.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from losscli.data.delimited import first_of
from losscli.data.encode import OffsetCode
from losscli.errors import DataError, Finding, Problem, shown
from losscli.tasks import Column
from losscli.tasks.labels import label_of, place_of

MOST_PLACES = 5
LARGEST = 700.0  # e to more than that is no float64
UNUSUAL = 20.0  # an offset from which it is no logarithm of what people count: 5e8


@dataclass(frozen=True)
class Exposure:
    """The exposure of each row; `logarithms` where the column holds the logarithms of it."""

    name: str
    column: Column
    logarithms: bool = False

    @property
    def logs(self) -> np.ndarray:
        """Float64 [N]."""
        return OffsetCode(self.name, 0.0, self.logarithms).logs(self.column.values)

    def of_rows(self, rows: np.ndarray) -> Exposure:
        """That of these rows alone."""
        return replace(self, column=self.column.holding(self.column.values[rows]))

    def code(self, rows: np.ndarray) -> OffsetCode:
        """How it is encoded: beside the mean exposure of `rows`.

        >>> exposure = Exposure("years", Column(np.array([1.0, 3.0, 9.0])))
        >>> round(np.exp(exposure.code(np.array([0, 1])).log_mean), 4).item()
        2.0
        """
        logs = self.logs[rows]
        largest = logs.max()
        return OffsetCode(self.name, float(largest + np.log(np.exp(logs - largest).mean())), self.logarithms)

    def beside(self, features: Mapping[str, Column], rows: np.ndarray | None = None) -> dict[str, Column]:
        """The features and the exposure: of all rows, or of those that the features are of."""
        column = self.column if rows is None else self.column.holding(self.column.values[rows])
        return {**features, self.name: column}

    def of_mean(self, rows: np.ndarray, code: OffsetCode) -> np.ndarray:
        """Float64 [n]: the exposure of these rows beside the mean that the code knows."""
        ratios: np.ndarray = np.exp(self.logs[rows] - code.log_mean)
        return ratios

    def findings(self) -> list[Finding]:
        """What it does to predictions and metrics; and a doubt, where an offset looks like exposures."""
        key = "offset" if self.logarithms else "exposure"
        log = shown(self.name) if self.logarithms else f"the log of {shown(self.name)}"
        mean = float(np.exp(self.logs).mean())
        message = (
            f"{log} is added to the log-rate: predictions are counts over each row's own exposure (the mean is {mean:.4g}), and "
            "metrics compare these with the counts; poisson-deviance divided by that mean is the deviance of rates, weighted by "
            "exposure"
        )
        findings = [Finding("exposure", "info", message)]
        if self.logarithms and float(self.column.values.max()) > UNUSUAL:
            high = label_of(float(self.column.values.max()))
            findings.append(
                Finding(
                    "offset-large",
                    "warning",
                    f"data.{key} {shown(self.name)} is as large as {high}, and as a logarithm that is an exposure of "
                    f"{np.exp(self.column.values.max()):.2g}",
                    f"if it holds exposures themselves: data.exposure={self.name}, whose logarithm is taken",
                )
            )
        return findings


def exposure_of(name: str, column: Column, logarithms: bool) -> Exposure:
    """The exposure in a column. Raises `DataError`, with places, for what is no number, missing, or not above 0."""
    key, cure = ("offset", "another data.offset") if logarithms else ("exposure", "another data.exposure")
    if column.is_category:
        message = f"the {key} {shown(name)} must be a column of numbers"
        raise DataError(message, place=place_of(column, 0), cure=f"choose {cure}")
    values = column.values
    fits = np.abs(values) <= LARGEST if logarithms else values > 0
    wrong = np.flatnonzero(~fits)
    problems = [
        Problem(_unfit(key, name, values[row]), place_of(column, int(row)), _cure(key, values[row]))
        for row in wrong[:MOST_PLACES]
    ]
    if problems:
        raise DataError(first_of(problems, len(wrong)))
    return Exposure(name, column, logarithms)


def _unfit(key: str, name: str, value: float) -> str:
    must = f"a number from -{LARGEST:g} to {LARGEST:g}, the logarithm of an exposure" if key == "offset" else "above 0"
    given = "has no value in this row" if np.isnan(value) else f"is {label_of(value)} in this row"
    return f"the {key} {shown(name)} must be {must}, and it {given}"


def _cure(key: str, value: float) -> str:
    if key == "offset" and value > LARGEST:
        return "data.exposure takes exposures themselves"
    if np.isnan(value):
        return "fill it in, or leave the row out"
    return "what was not exposed cannot count: leave the row out, or mend it"
