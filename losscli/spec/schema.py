"""The JSON Schema of a spec, for editors and other programs: made of the same classes and shelves that read a spec.

A new source, model, loss, option, metric or key of a block stands in it by itself. It never refuses what the loader takes; the
loader is the stricter one: it knows a generator's own options, options without a default (which `tune` may give), names
that occur twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from losscli import losses, metrics
from losscli.data.dataset import SPLITS
from losscli.data.sources import sources
from losscli.losses import Bounds, Choice, Loss, Option, PerClass, Several
from losscli.losses.options import CLASS_WEIGHT, problems_of_weight
from losscli.losses.spelling import pattern
from losscli.spec.comments import comment
from losscli.spec.keys import KEYS
from losscli.spec.load import OURS, SCHEMA_VERSION
from losscli.spec.model import CONDITION, Adaptive, LossChoice, Seeds, Spec
from losscli.spec.names import LONGEST_NAME, SAFE
from losscli.stack.models import models
from losscli.stack.plan import Plan, plan_of
from losscli.tasks import tasks

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def schema() -> Schema:
    """The whole schema: draft 2020-12, no reference to anything outside it."""
    blocks, defs = _blocks()
    for task in tasks.names():
        defs |= _losses_of(task)
        defs[f"metrics of {task}"] = _metrics_of(task)
        defs[f"expect of {task}"] = _expect_of(task)
    sections: dict[str, Schema] = {
        "task": {"enum": tasks.names()},
        "name": {"type": "string", "pattern": f"^{SAFE.pattern}$", "maxLength": LONGEST_NAME},
        "data": _chosen("source", {name: blocks[kind] for name, kind in _kinds(sources)}, _split_alone(blocks)),
        "loss": _any_of(_ref(f"losses of {task}") for task in tasks.names()),
        "model": _chosen("kind", {name: blocks[kind] for name, kind in _kinds(models)}, blocks[models.get("mlp")]),
        "train": _any_of(blocks[plan] for plan in _plans()),
        "seeds": _seeds(),
        "metrics": _any_of(_ref(f"metrics of {task}") for task in tasks.names()),
        "expect": _any_of(_ref(f"expect of {task}") for task in tasks.names()),
        "schema_version": {"type": "integer", "minimum": 1, "maximum": SCHEMA_VERSION},
    }
    return {
        "$schema": DIALECT,
        "title": "a spec of losscli",
        "type": "object",
        "properties": {key: _section(key, sections.get(key)) for key in KEYS},
        "additionalProperties": False,
        "allOf": [
            *(_where("task", task, _by_task(task, blocks)) for task in tasks.names()),
            {"if": {"not": {"required": ["task"]}}, "then": {"properties": {"data": _with_target()}}},
        ],
        "$defs": defs,
    }


def _section(key: str, section: Schema | None) -> Schema:
    """A key of the top; one that has no shape of its own here has that of its field."""
    if section is None:
        annotation: Any = Spec.model_fields[key].annotation
        section = _without_null(_bare(TypeAdapter(annotation).json_schema()))
    description = "the version of this format" if key == "schema_version" else comment(Spec, key)
    return {"description": description, **section} if description else section


def _without_null(section: Schema) -> Schema:
    """A key that may be left out, and not be null."""
    return _any_of(kind for kind in section["anyOf"] if kind != {"type": "null"}) if "anyOf" in section else section


def _seeds() -> Schema:
    stages = _bare(Adaptive.model_json_schema())
    properties = {
        key: _without_null(section) | {"description": comment(Adaptive, key)}
        for key, section in stages["properties"].items()
    }
    block = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"anyOf": [*_bare(Seeds.model_json_schema()["properties"]["seeds"])["anyOf"], block], "default": 1}


def _by_task(task: str, blocks: Mapping[type[BaseModel], Schema]) -> Schema:
    sections = {
        key: _ref(f"{of} of {task}") for key, of in (("loss", "losses"), ("metrics", "metrics"), ("expect", "expect"))
    }
    data = {"data": _with_target()} if tasks.get(task).has_target else {}
    return {"properties": sections | data | {"train": blocks[plan_of(tasks.get(task).plan)]}}


def _with_target() -> Schema:
    """Data in which something is to be predicted: where a source has the key, it is given."""
    named = [name for name, kind in _kinds(sources) if "target" in kind.model_fields]
    return {"if": _has("source", {"enum": named}), "then": {"required": ["target"]}}


# Blocks that are classes


def _kinds(shelf: Any) -> list[tuple[str, type[BaseModel]]]:
    # A shelf's own order is that in which its files were imported, which is not the same in all commands.
    return [(name, shelf.get(name)) for name in sorted(shelf.names())]


def _plans() -> list[type[Plan]]:
    """What `train:` may be, each class once."""
    return list(dict.fromkeys(plan_of(task.plan) for task in tasks))


def _blocks() -> tuple[dict[type[BaseModel], Schema], dict[str, Schema]]:
    """A reference for the class of each block, and the definitions of these classes and of those inside them."""
    kinds = [kind for _, kind in (*_kinds(sources), *_kinds(models))] + _plans()
    references, document = models_json_schema([(kind, "validation") for kind in kinds])
    defs = {name: _bare(block) for name, block in document["$defs"].items()}
    for kind in with_inner(kinds):
        for key, field in defs[kind.__name__].get("properties", {}).items():
            if comment(kind, key):
                field.setdefault("description", comment(kind, key))
    return {kind: references[kind, "validation"] for kind in kinds}, defs


def with_inner(kinds: Iterable[type[BaseModel]]) -> list[type[BaseModel]]:
    """The classes, and those of the blocks inside them."""
    inner: list[type[BaseModel]] = []
    for kind in kinds:
        types = [field.annotation for field in kind.model_fields.values()]
        inner += [kind, *with_inner(part for part in types if isinstance(part, type) and issubclass(part, BaseModel))]
    return list(dict.fromkeys(inner))


def _split_alone(blocks: Mapping[type[BaseModel], Schema]) -> Schema:
    """A block of data that names no source says how to split the task's own, and what to do to its training rows."""
    any_data = {"split": _ref("Split"), "corrupt": _ref("Corruption")}
    return {"properties": any_data, "additionalProperties": False} if blocks else {}


def _chosen(key: str, by_name: Mapping[str, Schema], otherwise: Schema) -> Schema:
    """A block whose class is told by one of its keys; the class `otherwise` where that key is left out."""
    cases = [_where(key, name, block) for name, block in by_name.items()]
    left_out = {"if": {"not": {"required": [key]}}, "then": otherwise}
    return {"type": "object", "properties": {key: {"enum": list(by_name)}}, "allOf": [*cases, left_out]}


# What shelves hold


def _losses_of(task: str) -> dict[str, Schema]:
    """What `loss:` may be for a task: a name, a block with options, or a list of these; a definition for each loss."""
    serving = losses.for_task(task)
    default = tasks.get(task).default_loss
    defs = {f"{task}/{name}": _loss(item, task) for name, item in serving.items()}
    defs |= {f"spelling of {task}/{name}": {"pattern": pattern(it.names)} for name, it in serving.items()}
    spelling = {name: _ref(f"spelling of {task}/{name}") for name in serving}
    cases = [{"if": _has("name", spelling[name]), "then": _ref(f"{task}/{name}")} for name in serving]
    # An editor offers the names of an enum; of the other spellings it learns whether they are right.
    name_schema: Schema = {"anyOf": [{"enum": list(serving)}, {"type": "string", **_any_of(spelling.values())}]}
    block = {
        "type": "object",
        "properties": {"name": name_schema},
        "allOf": [*cases, {"if": {"not": {"required": ["name"]}}, "then": _ref(f"{task}/{default}")}],
    }
    names = {**name_schema, "default": default}
    one = f"one loss of {task}"
    defs[one] = {"if": {"type": "string"}, "then": names, "else": block}
    several = {"type": "array", "items": _ref(one), "minItems": 1}
    defs[f"losses of {task}"] = {"if": {"type": "array"}, "then": several, "else": _ref(one)}
    return defs


def _loss(item: Loss, task: str) -> Schema:
    ours = LossChoice.model_json_schema()["properties"]
    beside = {key: _bare(ours[key]) | {"description": comment(LossChoice, key)} for key in OURS if key != "name"}
    options = {name: _option(option) for name, option in item.options.items()}
    if not problems_of_weight(item, task, None):
        options.setdefault("weight", _option(CLASS_WEIGHT))
    return {
        "description": item.summary,
        "type": "object",
        "properties": {"name": {}, **beside, **options},
        "additionalProperties": False,
    }


def _option(option: Option) -> Schema:
    """One value of an option, or a list of values: a grid."""
    value = _any_of([*_values(option.accepts), *([{"type": "null"}] if option.optional else [])])
    option_schema: Schema = {"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]}
    bounds = option.accepts if isinstance(option.accepts, Bounds) else getattr(option.accepts, "bounds", None)
    option_schema["description"] = (f"number {bounds}" if bounds else "one of these") + "; a list is a grid"
    return option_schema if option.required else {**option_schema, "default": option.default}


def _values(accepts: Bounds | PerClass | Several | Choice) -> list[Schema]:
    if isinstance(accepts, Choice):
        return [{"enum": list(accepts.names)}]
    if isinstance(accepts, Bounds):
        return [_number(accepts)]
    number = _number(accepts.bounds)
    several: Schema = {"type": "array", "items": number, "minItems": 1}
    if isinstance(accepts, Several):
        return [several]
    return [number, {"enum": list(accepts.rules)}, several, {"type": "object", "additionalProperties": number}]


def _number(bounds: Bounds) -> Schema:
    number: Schema = {"type": "number"}
    if bounds.low != float("-inf"):
        number["exclusiveMinimum" if bounds.low_open else "minimum"] = bounds.low
    if bounds.high != float("inf"):
        number["exclusiveMaximum" if bounds.high_open else "maximum"] = bounds.high
    return number


def _metrics_of(task: str) -> Schema:
    names = list(metrics.for_task(task))
    return {"type": "array", "items": {"enum": names}, "minItems": 1, "uniqueItems": True}


def _expect_of(task: str) -> Schema:
    keys = [f"{split}.{metric}" for split in SPLITS for metric in metrics.for_task(task)]
    condition = {"type": "string", "pattern": f"^{CONDITION.pattern}$"}
    return {"type": "object", "properties": dict.fromkeys(keys, condition), "additionalProperties": False}


# The grammar of JSON Schema


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name.replace('/', '~1').replace(' ', '%20')}"}


def _any_of(schemas: Iterable[Schema]) -> Schema:
    members = list(schemas)
    return members[0] if len(members) == 1 else {"anyOf": members}


def _has(key: str, value: Schema) -> Schema:
    return {"properties": {key: value}, "required": [key]}


def _where(key: str, value: str, then: Schema) -> Schema:
    return {"if": _has(key, {"enum": [value]}), "then": then}


def _bare(node: Any) -> Any:
    """Without the titles that pydantic makes of names; a property that is called title stays."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _bare(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
