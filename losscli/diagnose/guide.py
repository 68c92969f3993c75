"""Cross-entropy does not converge: the questions that one asks in turn, each answered from the curve as far as it can be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from losscli.diagnose.case import Case


@dataclass(frozen=True)
class Step:
    """One question, its answer (yes, no, or open), and what follows from it."""

    question: str
    answer: str
    meaning: str


def guide(case: Case) -> list[Step]:
    """The steps, in the order in which they exclude most; none for a loss that judges no classes.

    >>> from losscli.diagnose.case import Facts
    >>> from losscli.diagnose.history import History, Series
    >>> flat = Series.of([1.39, 1.385, 1.387, 1.386])
    >>> [step.answer for step in guide(Case.of(History(flat, flat), Facts(classes=4)))][:2]
    ['yes', 'no']
    """
    if case.judges != "classes" or not case.loss.points:
        return []
    return [step for ask in QUESTIONS if (step := ask(case)) is not None]


def _starts_right(case: Case) -> Step | None:
    start, classes = float(case.loss.first), case.classes
    if classes is None:
        return Step(
            "Does it start near ln K?", "open", "--classes tells; another start means a wrong scale or wrong outputs"
        )
    right = 0.4 * math.log(classes) <= start <= 1.3 * math.log(classes)
    meaning = "outputs and scale are as they should be" if right else _of_start(start, math.log(classes))
    return Step(f"Does it start near ln {classes} = {math.log(classes):.3f}?", "yes" if right else "no", meaning)


def _of_start(start: float, usual: float) -> str:
    if start < 0:
        return "a loss below 0: probabilities where their logs belong, or targets outside the domain"
    if start < usual:
        return "divided once too often, or quick to learn: log the first batch alone"
    return "large logits at the start: scale the inputs, initialise the last layer near 0, or it is a sum"


def _moves(case: Case) -> Step:
    curve = case.loss
    if curve.constant:
        return Step("Does it move?", "no", "no step reaches the model: backward, step, optimizer's parameters, graph")
    if curve.flat:
        return Step(
            "Does it move?",
            "no",
            "try to learn ten rows by heart: if that fails, look at inputs, labels and dead units",
        )
    if curve.crawling:
        return Step("Does it move?", "slowly", "multiply the learning rate by 10 until it gets worse")
    return Step("Does it move?", "yes", "gradients reach the model")


def _sure(case: Case) -> Step | None:
    if case.accuracy is None:
        return Step(
            "Is it as sure as it is right?",
            "open",
            "log the accuracy: high beside a high loss means a doubled activation",
        )
    unsure = case.loss.settled and case.doubt > 0.1
    meaning = "something keeps the outputs small: an activation before the loss, or label smoothing"
    return Step(
        "Is it as sure as it is right?", "no" if unsure else "yes", meaning if unsure else "no bound holds the outputs"
    )


def _generalises(case: Case) -> Step | None:
    train, valid = case.train, case.valid
    if train is None or valid is None or train.low <= 0:
        return None
    apart = valid.level > 1.5 * train.level and valid.level > 0.1 * valid.first
    meaning = "learned by heart, or another distribution" if apart else "train and valid tell the same story"
    return Step("Does validation follow?", "no" if apart else "yes", meaning)


QUESTIONS: Sequence[Callable[[Case], Step | None]] = (_starts_right, _moves, _sure, _generalises)
