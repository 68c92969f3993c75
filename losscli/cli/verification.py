"""What `verify` finds, for people and for programs."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from losscli.cli import show
from losscli.cli.fitted import Col, Fitted
from losscli.cli.flags import Format
from losscli.cli.outcome import tell_plugins
from losscli.errors import Place, SpecError, counted, shown, visible
from losscli.losses import Loss, find
from losscli.losses.options import check_options
from losscli.losses.own import judged, load, refers
from losscli.severities import SEVERITIES
from losscli.spec.reader import read_value
from losscli.tasks import tasks
from losscli.verify import Outcome, Report
from losscli.verify.draw import filled
from losscli.verify.trial import verify

FAILED = 1
STYLES = {"passed": "green", "failed": "bold red", "not applicable": "dim"}


def run(name: str, task: str, expects: str | None, sets: Sequence[str], form: Format) -> int:
    """Try a loss, show what was found, and return the exit code."""
    tasks.get(task)
    tell_plugins(quiet=False)
    if expects and not refers(name):
        raise SpecError(f"{shown(name)} says itself what it expects", cure="leave --expects out")
    loss = load(name, task, expects) if refers(name) else find(name, task)
    options = _options(loss, sets)
    report = judged([loss], lambda: verify(loss, task, options))
    if form is Format.json:
        show.machine(to_json(report, filled(loss, options)))
    else:
        tell(report, filled(loss, options))
    return FAILED if report.failed else 0


def _options(loss: Loss, sets: Sequence[str]) -> dict[str, Any]:
    """Each `--set OPTION=VALUE`; values as in a spec."""
    options = {}
    for text in sets:
        name, equals, value = text.partition("=")
        place = Place(f"--set {visible(name)}")
        if not equals or not name.strip():
            raise SpecError(f"expected OPTION=VALUE, got {shown(text)}", place=place, cure="--set gamma=2")
        options[name.strip()] = read_value(value, place.file)
    check_options(loss, filled(loss, options) | options)
    return options


def to_json(report: Report, assumed: Mapping[str, Any]) -> dict[str, Any]:
    """The report as one object; numbers that are not finite are null. `assumed`: options that must be given and were not."""
    return {
        "schema_version": 1,
        "loss": report.loss.name,
        "task": report.task,
        "assumed": dict(assumed),
        "passed": report.count("passed"),
        "failed": report.count("failed"),
        "properties": [_outcome(outcome) for outcome in report.outcomes],
        "findings": [finding.to_json() for finding in report.loss.findings],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "property": outcome.tried.name,
        "status": outcome.status,
        "must": outcome.tried.must,
        "why": outcome.tried.why,
        "message": outcome.message,
        "example": _example(outcome),
    }


def _example(outcome: Outcome) -> dict[str, Any] | None:
    """The smallest sample that fails, as the loss receives it: [R, B, ...]."""
    if outcome.case is None or outcome.sample is None:
        return None
    prediction = outcome.case.prediction(outcome.sample.raw).tolist()
    return {
        "options": _finite(dict(outcome.case.options)),
        "prediction": _finite(prediction),
        "target": _finite(outcome.sample.target.tolist()),
    }


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def tell(report: Report, assumed: Mapping[str, Any]) -> None:
    """A line for each property; below, what fails, why it matters, and the smallest example."""
    console = show.screen(sys.stdout)
    console.print(Text.assemble((visible(report.loss.name), "bold"), f" · {report.task} · {report.loss.expects}\n"))
    if assumed:
        values = ", ".join(f"{name}={_numbers(value)}" for name, value in assumed.items())
        which = "has no default; it is" if len(assumed) == 1 else "have no default; they are"
        console.print(Text(f"{', '.join(assumed)} {which} tried as {values} (--set gives others)\n", "dim"))
    table = Fitted([Col(""), Col("property"), Col("what must hold", prose=True)])
    for outcome in report.outcomes:
        word = "-" if outcome.status == "not applicable" else outcome.status
        detail = outcome.message if outcome.status == "not applicable" else outcome.tried.must
        style = STYLES[outcome.status]
        table.add(Text(word, style), outcome.tried.name, Text(visible(detail, 400), "dim"))
    console.print(table)
    for outcome in report.outcomes:
        if outcome.sample is not None:
            console.print()
            console.print(_explained(outcome), soft_wrap=True)
    for finding in report.loss.findings:
        console.print(
            Text.assemble(
                "\n", (finding.severity, SEVERITIES[finding.severity].terminal), f" {visible(finding.message, 400)}"
            )
        )
        console.print(Text(visible(finding.cure, 400), "dim"))
    notes = f", {counted(len(report.loss.findings), 'note')}" if report.loss.findings else ""
    console.print(Text(f"\n{report.count('passed')} passed, {report.count('failed')} failed{notes}", "bold"))


def _explained(outcome: Outcome) -> Text:
    assert outcome.case is not None
    assert outcome.sample is not None
    text = Text.assemble((outcome.tried.name, STYLES[outcome.status]), f": {visible(outcome.message, 400)}\n")
    text.append(f"  why         {outcome.tried.why}\n", "dim")
    if outcome.case.options:
        options = ", ".join(f"{name}={value}" for name, value in outcome.case.options.items())
        text.append(f"  options     {visible(options, 200)}\n")
    sample = outcome.sample
    text.append(f"  prediction  {_numbers(outcome.case.prediction(sample.raw).tolist())}\n")
    text.append(f"  target      {_numbers(sample.target.tolist())}")
    return text


def _numbers(value: Any) -> str:
    """Nested numbers, short.

    >>> _numbers([[0.0, 1e4], [0.123456789, -100.0]])
    '[[0, 10000], [0.12346, -100]]'
    """
    if isinstance(value, list):
        return "[" + ", ".join(_numbers(part) for part in value) + "]"
    return f"{value:.5g}"
