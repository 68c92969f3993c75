"""The way in: a spec file, flags, or both, to a `Spec` in which every default is filled in and every name is known.

Each section is judged on its own, so that all mistakes are told at once, in the order of the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from losscli.data.dataset import SPLITS
from losscli.data.sources import Source, sources
from losscli.errors import CodeError, Finding, Place, SpecError, choose_from
from losscli.losses import Loss, Option, renamings
from losscli.losses import find as find_loss
from losscli.losses.options import CLASS_WEIGHT, missing_from, problems_of, problems_of_weight
from losscli.metrics import find as find_metric
from losscli.metrics import for_task as metrics_for
from losscli.spec import stages
from losscli.spec.costs import Costs, mistake_in
from losscli.spec.document import Document, Keys, Spot
from losscli.spec.entries import MOST_ENTRIES, entries, is_grid
from losscli.spec.intervals import mistakes_as_headline, refuse_unlike_levels, with_score
from losscli.spec.keys import KEYS, inner_keys
from losscli.spec.mistakes import Examination, dotted, given, in_order, shown, unknown_keys
from losscli.spec.model import CONDITION, SHARE, Adaptive, LossChoice, Seeds, Spec
from losscli.spec.names import LONGEST_NAME, refuse_name, safe_name
from losscli.spec.needs import LACKS, needs_met
from losscli.spec.origins import origins
from losscli.spec.overrides import OF_ANY, Overrides
from losscli.spec.reader import read_spec
from losscli.spec.tune import mistakes_in, refuse_too_many
from losscli.stack.models import Model, models
from losscli.stack.plan import Plan, plan_of
from losscli.tasks import Task, tasks
from losscli.tasks.settled import SettledPlan

SCHEMA_VERSION = 1
CHECKS = ((("loss",), entries), (("tune",), refuse_too_many), (("tune",), refuse_unlike_levels))
OURS = ("name", "output", "lr")  # what stands beside the options of a loss


def load_spec(path: Path | str, overrides: Overrides | None = None, document: Document | None = None) -> Spec:
    """The spec in a file, with `overrides` on top; `document` is what `read_spec` made of the file, if it was read before.

    Raises `SpecError` with every mistake and its place.
    """
    path = Path(path)
    overrides = overrides or Overrides()
    document, problems = overrides.on(document or read_spec(path), path.parent)
    return Resolver(document, problems, path.parent, path.stem, overrides.own).spec()


def build_spec(overrides: Overrides) -> Spec:
    """The spec that flags alone make; relative paths are relative to the working directory."""
    nowhere = Place("the command line")
    document, problems = overrides.on(Document({}, {(): Spot(nowhere, nowhere)}), Path())
    return Resolver(document, problems, Path(), None, overrides.own).spec()


@dataclass
class Resolver(Examination):
    """One document on its way to a spec. A section that is wrong leaves its problems here and None."""

    folder: Path
    stem: str | None
    own: Mapping[str, str] = field(default_factory=dict)  # losses in files that the command line names, by their labels
    data: dict[str, Any] = field(init=False)
    renamed: list[Finding] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)  # what of `metrics.Need` is known

    def __post_init__(self) -> None:
        self.data = self.document.data

    def spec(self) -> Spec:
        """The resolved spec, or one `SpecError` with all problems."""
        self._keys()
        task = self._task()
        source = self._source(task)
        if task is None and "task" not in self.data:
            task = self._natural_task(source)
        model = self._model(task)
        parts: dict[str, Any] = {
            "name": self._name(source),
            "data": source,
            "model": model,
            "train": self._train(task, model),
            "seeds": self._seeds(source),
            "adaptive": self._adaptive(source),
            "yardstick": self._yardstick(),
        }
        if task is not None:
            self.needs = needs_met(self.data, source)
            parts |= {"loss": self._losses(task), "metrics": self._metrics(task), "expect": self._expect(task)}
            parts["equivalence"] = self._equivalence(task)
            parts["costs"] = self._costs(task)
            self._corruption(source, task)
            parts["tune"] = self._tune(parts["loss"], parts["train"], task)
        if task is not None and source is not None:
            for key, wrong in task.beyond(source.target_options()).items():
                self._add([self._placed(wrong, ("data", key))])
        if self.problems:
            raise SpecError(sorted(self.problems, key=in_order))
        assert task is not None  # or there would be a problem
        expected_metrics = [key.partition(".")[2] for key in parts["expect"]]  # what is expected must be measured
        parts["metrics"] = list(dict.fromkeys([*parts["metrics"], *expected_metrics]))
        notes = (*self._notes(parts["data"]), *self.renamed)
        parts |= {"folder": str(self.folder), "notes": notes, "origins": origins(self.document)}
        spec = self._checked(Spec(task=task.name, **parts))
        return spec if "metrics" in self.data else with_score(spec)

    def _notes(self, source: Source) -> tuple[Finding, ...]:
        """What was filled in that no one may take for their own: the task, or data."""
        block = self.data.get("data", {})
        guess = source.guess(self.folder) if "task" not in self.data else None
        if guess is not None:
            message = f"task {guess.task} was inferred: {guess.reason}"
            others = ", ".join(name for name in tasks.names() if name != guess.task)
            return (Finding("task-inferred", "info", message, f"say task (--task) if it is another: {others}"),)
        if not isinstance(block, dict) or set(block) - set(OF_ANY):
            return ()
        message = f"no data were named: this is {source.title()}, {source.nature}"
        return (Finding("default-data", "info", message, "name yours: --data FILE --target COLUMN, or a data: block"),)

    def _checked(self, spec: Spec) -> Spec:
        for path, check in (*CHECKS, (stages.place_of(self.data.get("seeds")), stages.first_stage)):
            try:
                check(spec)
            except SpecError as wrong:
                raise SpecError([self._placed(problem, path) for problem in wrong.problems]) from None
        return stages.first_stage(spec)

    # Sections

    def _keys(self) -> None:
        unknown = [key for key in self.data if key not in KEYS]
        places = {key: self.document.spot((key,)).key for key in unknown}
        self._add(unknown_keys(unknown, KEYS, "", places, inner_keys() if unknown else {}))
        version = self.data.get("schema_version", SCHEMA_VERSION)
        if type(version) is not int or version < 1:  # `isinstance` takes true for an int
            self._tell(f"schema_version: expected a whole number >= 1, got {given(version)}", ("schema_version",))
        elif version > SCHEMA_VERSION:
            message = f"schema_version: {version} needs a newer losscli, this one reads up to {SCHEMA_VERSION}"
            self._tell(message, ("schema_version",), "pip install --upgrade losscli")

    def _task(self) -> Task | None:
        if "task" not in self.data:
            return None
        name = self.data["task"]
        if isinstance(name, str) and name in tasks:
            return tasks.get(name)
        names = tasks.names()
        cure = choose_from(name, names) if isinstance(name, str) else None
        self._tell(f"task: expected one of {', '.join(names)}, got {given(name)}", ("task",), cure)
        return None

    def _natural_task(self, source: Source | None) -> Task | None:
        if source is not None and self.problems:
            return None  # a table is not read for a spec that must be mended first
        natural = source.natural_task(self.folder) if source else None
        if natural is not None:
            return tasks.get(natural)
        untold = any(problem.place == Place("--data") for problem in self.problems)
        if source is not None or ("data" not in self.data and not untold):
            which = "these data fit more than one" if source else "and no data that tell it"
            cure = f"give task (--task): {', '.join(tasks.names())}"
            self._tell(f"there is no task, {which}", ("data",) if source else (), cure)
        return None

    def _source(self, task: Task | None) -> Source | None:
        """The data; where none are given, those on which the task is shown."""
        if "data" not in self.data and task is None:
            return None
        block = self.data.get("data", dict(task.default_data) if task else {})
        if task is not None and isinstance(block, dict) and block and set(block) <= set(OF_ANY):
            block = {**task.default_data, **block}
        kind = self._kind(block, "data", "source", sources.names())
        source = self._block(sources.get(kind), block, ("data",)) if kind else None
        if source is not None and source.lacks_target and (task is None or task.has_target):
            self._tell("data: target is missing", ("data",), "add target", of_key=True)
            return None
        return source

    def _model(self, task: Task | None) -> Model | None:
        block, default = self.data.get("model", {}), {"kind": "mlp", **(task.default_model if task else {})}
        if isinstance(block, dict):  # what a task has in place of a model's own defaults is for models of that kind
            block = {**(default if block.get("kind", default["kind"]) == default["kind"] else {}), **block}
        kind = self._kind(block, "model", "kind", models.names())
        return self._block(models.get(kind), block, ("model",)) if kind else None

    def _train(self, task: Task | None, model: Model | None) -> Plan | None:
        """The plan of the task; what suits the model goes before its defaults where they are those of any network."""
        block = self.data.get("train", {})
        if isinstance(block, dict) and model is not None and task is not None and task.plan is SettledPlan:
            block = {**model.plan, **block}
        return self._block(plan_of(task.plan) if task else Plan, block, ("train",))

    def _kind(self, block: Any, section: str, key: str, names: list[str]) -> str | None:
        """Which class reads a block: the name that it gives under `key`."""
        if not isinstance(block, dict):
            cure = f"write {{{key}: {shown(block, bare=True)}}}" if block in names else f"write {{{key}: {names[0]}}}"
            self._tell(f"{section}: expected a block of keys, got {given(block)}", (section,), cure)
            return None
        if block.get(key) in names:
            return str(block[key])
        path = (section, key)
        if key not in block:
            self._tell(f"{section}: {key} is missing", (section,), f"there are: {', '.join(names)}", of_key=True)
        elif isinstance(block[key], str):
            self._tell(f"{dotted(path)}: there is no {shown(block[key])}", path, choose_from(block[key], names))
        else:
            self._tell(f"{dotted(path)}: expected one of {', '.join(names)}, got {given(block[key])}", path)
        return None

    def _name(self, source: Source | None) -> str | None:
        if "name" not in self.data:
            return safe_name(self.stem if self.stem is not None else source.title() if source else "")
        name = self.data["name"]
        refused = refuse_name(name)
        if refused:
            suggestion = safe_name(str(name)) if len(str(name)) <= LONGEST_NAME else safe_name(self.stem or "")
            self._tell(f"name: {refused}", ("name",), f"for example {suggestion}")
        return None if refused else str(name)

    def _seeds(self, source: Source | None) -> list[int] | None:
        folds = source.split.seeds if source else 1
        if stages.has_looks(self.data.get("seeds")):  # how many there are at first depends on what is compared
            return []
        block = self._block(Seeds, {"seeds": self.data.get("seeds", folds)}, ())
        if block is None:
            return None
        self._refuse_twice(seeds := block.listed(), "seeds")
        refused = source.split.refuses(seeds) if source else None
        if refused:
            cure = f"leave seeds out, or write {folds}, or change data.split.repeats"
            self._tell(f"seeds: {refused}, and seeds is {given(self.data['seeds'])}", ("seeds",), cure)
        return seeds

    def _adaptive(self, source: Source | None) -> Adaptive | None:
        block = stages.block_of(self.data.get("seeds"))
        adaptive = None if block is None else self._block(Adaptive, block, ("seeds",))
        for mistake in stages.mistakes_in(self.data.get("seeds"), adaptive, source):
            self._tell(*mistake)
        return adaptive

    def _yardstick(self) -> bool:
        shows = self.data.get("yardstick", False)
        if not isinstance(shows, bool):
            self._tell(f"yardstick: expected true or false, got {given(shows)}", ("yardstick",), "write true")
        return shows is True

    def _corruption(self, source: Source | None, task: Task) -> None:
        for kind, why in (source.corrupt.unfit_for(task) if source else {}).items():
            self._tell(f"data.corrupt.{kind} {why}", ("data", "corrupt", kind), "leave it out", of_key=True)

    def _losses(self, task: Task) -> list[LossChoice]:
        given_loss = self.data.get("loss", {})
        if isinstance(given_loss, list) and len(given_loss) > MOST_ENTRIES:  # before each is looked at
            message = f"loss: expected at most {MOST_ENTRIES} losses, got {len(given_loss)}"
            self._tell(message, ("loss",), "shorten the list")
            choices = []
        elif isinstance(given_loss, list) and given_loss:
            choices = [self._loss(item, task, ("loss", index)) for index, item in enumerate(given_loss)]
        elif isinstance(given_loss, list):
            self._tell("loss: expected at least one loss, got []", ("loss",), f"for example {task.default_loss}")
            choices = []
        else:
            choices = [self._loss(given_loss, task, ("loss",))]
        return [choice for choice in choices if choice is not None]

    def _loss(self, item: Any, task: Task, path: Keys) -> LossChoice | None:
        block = {"name": item} if isinstance(item, str) else item
        if not isinstance(block, dict):
            cure = f"write a name such as {task.default_loss}, or {{name: {task.default_loss}}} with its options"
            self._tell(f"{dotted(path)}: expected the name of a loss, got {given(block)}", path, cure)
            return None
        name_path = (*path, "name") if isinstance(item, dict) else path
        loss = self._find_loss(block.get("name", task.default_loss), task, name_path)
        if loss is None:
            return None
        ours = {key: block[key] for key in OURS if key in block}
        if "weight" in block and "weight" not in loss.options:  # class weights that the engine applies
            ours["weight"] = block["weight"]
            for place, weight in _values(CLASS_WEIGHT, block["weight"], task, (*path, "weight")).items():
                self._add([self._placed(wrong, place) for wrong in problems_of_weight(loss, task.name, weight)])
        options = {key: value for key, value in block.items() if key not in ours and key != "name"}
        self._options(loss, options, task, path)
        return self._block(LossChoice, {**ours, "name": loss.name, "options": options}, path)

    def _find_loss(self, name: Any, task: Task, path: Keys) -> Loss | None:
        if not isinstance(name, str):
            self._tell(f"{dotted(path)}: expected the name of a loss, got {given(name)}", path)
            return None
        try:
            self.renamed += renamings(name, task.name)
            if name in self.own:
                from losscli.losses.own import adopt

                return adopt(self.own[name], task.name)
            return find_loss(name, task.name)
        except CodeError:  # it knows its place, in the user's own file
            raise
        except SpecError as wrong:
            self._add([self._placed(problem, path) for problem in wrong.problems])
            return None

    def _options(self, loss: Loss, options: dict[str, Any], task: Task, path: Keys) -> None:
        """Judge each option, and each value of a grid, by itself, so that each mistake gets its own place."""
        tuned = self.data.get("tune")
        absent = missing_from(loss, {**tuned, **options} if isinstance(tuned, dict) else options)
        self._add([self._placed(wrong, path) for wrong in absent])
        for key, value in options.items():
            unknown = key not in loss.options
            place = (*path, key)
            given_values = {place: value} if unknown else _values(loss.options[key], value, task, place)
            for place, given_value in given_values.items():
                self._add([self._placed(wrong, place, unknown) for wrong in problems_of(loss, {key: given_value})])

    def _tune(self, losses: list[LossChoice], plan: Plan | None, task: Task) -> dict[str, list[Any]]:
        block, items = self.data.get("tune", {}), self.data.get("loss")
        complete = not isinstance(items, list) or len(items) == len(losses)  # or one of them is wrong, which is told
        choices = losses if complete else []
        for wrong in mistakes_in(block, choices, plan, task.name):
            self._add([self._placed(wrong.problem, wrong.path, wrong.of_key)])
        return block if isinstance(block, dict) else {}

    def _metrics(self, task: Task) -> list[str]:
        """Those that are named; else those of the task, and what can be said of a known mixture beside them."""
        told = [metric.name for metric in metrics_for(task.name).values() if metric.needs == "mixture"]
        of_pairs = [metric.name for metric in metrics_for(task.name).values() if metric.needs == "pairs"]
        usual = of_pairs if "pairs" in self.needs else task.default_metrics
        names = self.data.get("metrics", [*usual, *(told if "mixture" in self.needs else [])])
        if not isinstance(names, list) or not names:
            cure = f"write [{', '.join(task.default_metrics)}]"
            self._tell(f"metrics: expected a list of names, got {given(names)}", ("metrics",), cure)
            return []
        for index, name in enumerate(names):
            self._metric(name, task, ("metrics", index))
        self._refuse_twice(names, "metrics")
        return names

    def _metric(self, name: Any, task: Task, path: Keys, of_key: bool = False) -> None:
        if not isinstance(name, str):
            self._tell(f"{dotted(path)}: expected the name of a metric, got {given(name)}", path)
            return
        try:
            metric = find_metric(name, task.name)
        except SpecError as wrong:
            self._add([self._placed(problem, path, of_key) for problem in wrong.problems])
            return
        if path == ("metrics", 0):
            self._add([self._placed(problem, path) for problem in mistakes_as_headline(metric)])
        need = metric.needs or ("classes" if "pairs" in self.needs else None)
        if need is not None and need not in self.needs:
            self._tell(f"{name} needs {LACKS[need][0]}", path, LACKS[need][1], of_key)

    def _expect(self, task: Task) -> dict[str, str]:
        block = self.data.get("expect", {})
        example = f'write {{test.{task.default_metrics[0]}: ">= 0.5"}}'
        if not isinstance(block, dict):
            self._tell(f"expect: expected a block of keys, got {given(block)}", ("expect",), example)
            return {}
        for key, condition in block.items():
            split, dot, metric = key.partition(".")
            if split in SPLITS and dot:
                self._metric(metric, task, ("expect", key), of_key=True)
            else:
                message = f"expect: expected train, valid or test, a dot and a metric, got {shown(key)}"
                self._tell(message, ("expect", key), example, of_key=True)
            if not isinstance(condition, str) or not CONDITION.fullmatch(condition):
                needed = "expected >=, >, <= or < and a number"
                number = isinstance(condition, (int, float)) and not isinstance(condition, bool)
                cure = f'write ">= {condition}"' if number else example
                self._tell(f"expect.{shown(key, bare=True)}: {needed}, got {given(condition)}", ("expect", key), cure)
        return block

    def _costs(self, task: Task) -> Costs | None:
        wrong = mistake_in(self.data["costs"], task.name) if "costs" in self.data else None
        if wrong:
            self._tell(f"costs: {wrong}", ("costs",), "write [[0, 1], [5, 0]] where a missed yes costs 5")
        return self.data.get("costs")

    def _equivalence(self, task: Task) -> dict[str, float | str]:
        block = self.data.get("equivalence", {})
        example = f"write {{{task.default_metrics[0]}: 0.01}}"
        if not isinstance(block, dict):
            self._tell(f"equivalence: expected a block of keys, got {given(block)}", ("equivalence",), example)
            return {}
        for metric, margin in block.items():
            path = ("equivalence", metric)
            self._metric(metric, task, path, of_key=True)
            number = isinstance(margin, (int, float)) and not isinstance(margin, bool) and 0 <= margin < math.inf
            if not number and not (isinstance(margin, str) and SHARE.fullmatch(margin)):
                needed = "expected a number >= 0 in the metric's units, or a share of the reference's mean such as 2%"
                self._tell(f"{dotted(path)}: {needed}, got {given(margin)}", path, example)
        return block


def _values(option: Option, value: Any, task: Task, path: Keys) -> dict[Keys, Any]:
    """The value of an option, or each value of a grid, by its place."""
    return {(*path, at): item for at, item in enumerate(value)} if is_grid(option, value, task.name) else {path: value}
