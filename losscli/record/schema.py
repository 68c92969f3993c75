"""What the JSON of a record must be before anything is made of it: shapes, types, finite numbers, references that exist.

A key that is not named here is not looked at, so that a later losscli may say more.
"""

# ruff: noqa: D101  a shape is what `results.json` has under that name, and `reports/json.py` says what it means

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from losscli.severities import SEVERITIES

MOST_TEXT = 100_000  # characters of a sentence; of a name, `MOST_NAME`
MOST_NAME = 2_000
CLASSES = 5  # of training rows, by hardness
HUGE = 1e300  # beyond it sums overflow
STRICT = ConfigDict(strict=True, allow_inf_nan=False, defer_build=True)  # half of them are not asked for

Finite = Annotated[float, Field(ge=-HUGE, le=HUGE)]
Number = Finite | None
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Name = Annotated[str, Field(max_length=MOST_NAME)]
Text = Annotated[str, Field(max_length=MOST_TEXT)]
Scalar = bool | Annotated[int, Field(gt=-(1 << 63), lt=1 << 63)] | Finite | Text | None
Option = Scalar | list[Scalar] | dict[Name, Scalar | list[Scalar]]
Ends = Annotated[list[Number], Field(min_length=2, max_length=2)]
Dots = list[Annotated[list[Finite], Field(min_length=2, max_length=2)]]
Status = Literal["ok", "diverged", "stopped", "failed"]
Verdict = Literal[
    "reference", "same", "better", "worse", "equivalent", "inconclusive", "undefined", "too-few-seeds"
]  # fmt: skip


class Shape(BaseModel):
    model_config = STRICT


class Estimate(Shape):
    mean: Number
    sd: Number
    ci95: Ends | None
    values: list[Number]


class Delta(Shape):
    metric: Name
    mean: Number
    ci95: Ends | None
    p: Number = None
    p_holm: Number = None
    sd: Number = None
    seeds: Count = 0
    of: Count = 0
    seeds_needed: Count | None = None
    margin: Number = None
    test: Name | None = None
    verdict: Verdict | None = None
    reason: Text | None = None
    target: Number = None


class Entry(Shape):
    entry: Name
    loss: Name
    options: dict[Name, Option]
    test: dict[Name, Estimate]
    valid: dict[Name, Estimate] = {}
    train: dict[Name, Estimate] = {}
    delta: Delta | None
    verdict: Verdict
    deltas: dict[Name, Delta | None] = {}
    tuned: dict[Name, dict[Name, Count]] = {}
    seconds: Number = None


class Calibration(Shape):
    thresholds: dict[Name, Number] | None = None
    temperature: Number = None
    level: Annotated[float, Field(gt=0, lt=1)] | None = None
    crossed: Number = None


class Run(Shape):
    entry: Name
    seed: Count
    status: Status
    epochs: Count
    best_epoch: Annotated[int, Field(ge=-1, lt=1 << 63)]
    calibration: Calibration | None = None
    tuned: dict[Name, Scalar] | None = None
    reason: Text = ""


class Finding(Shape):
    code: Name
    severity: Literal[tuple(SEVERITIES)]  # type: ignore[valid-type]
    message: Text
    cure: Text


class Looks(Shape):
    sizes: Annotated[list[Annotated[int, Field(ge=1, le=10_000)]], Field(min_length=1, max_length=100)]
    done: Annotated[int, Field(ge=0, le=100)]
    open: list[Name]


class Part(Shape):
    class_: Name | None = Field(None, alias="class")
    part: Name | None = None
    rows: Number
    best: Number
    reference: Number


class Attention(Shape):
    epochs: list[Count]
    rows: list[list[Number]]
    gradient: list[list[Number]]


class Attentions(Shape):
    edges: list[Finite] = []
    unit: Name = ""
    entries: dict[Name, Attention] = {}


class Memory(Shape):
    epochs: list[Count]
    memorised: list[Number]
    resisted: list[Number]
    learned: list[Number]


class Memories(Shape):
    entries: dict[Name, Memory] = {}


class Moments(Shape):
    columns: Annotated[list[Name], Field(min_length=2)] = ["", ""]
    epochs: list[Count] = []
    real: Dots = []
    entries: dict[Name, list[Dots]] = {}


class Frame(Shape):
    classes: Annotated[str, Field(max_length=20_000)]
    strength: Annotated[str, Field(max_length=20_000)]


class Regions(Shape):
    columns: list[Name] = []
    box: list[Annotated[list[Finite], Field(min_length=2, max_length=2)]] = []
    side: Annotated[int, Field(ge=0, le=100)] = 0
    range: list[Finite] = []
    epochs: list[Count] = []
    entries: dict[Name, list[Frame]] = {}
    rows: list[Annotated[list[Finite], Field(min_length=3, max_length=3)]] = []


class Map(Shape):
    dots: Dots
    classes: list[Count]
    variance: Finite


class Why(Shape):
    best: Name | None = None
    reference: Name | None = None
    verdict: Verdict | None = None
    measure: Name = ""
    classes: list[Part] = []
    difficulty: list[Part] = []
    attention: Attentions = Attentions()
    memory: Memories = Memories()
    moments: Moments = Moments()
    regions: Regions = Regions()
    maps: dict[Name, Map] = {}


class Arena(Shape):
    task: Name
    data: Name
    headline: Name
    reference: Name
    entries: Annotated[list[Entry], Field(min_length=1)]
    baseline: dict[Name, dict[Name, Number]]
    runs: list[Run]
    findings: list[Finding]
    labels: list[Text]
    rows: dict[Name, Count] = {}
    resampled: bool = False
    split: Name = "random"
    impossible: dict[Name, list[Count]] = {}
    corrupt: dict[Name, Scalar] = {}
    looks: Looks | None = None
    why: Why = Why()


class Results(Shape):
    schema_version: Annotated[int, Field(ge=1, le=1)]  # not a Literal: true is 1 there
    device: Name
    arenas: Annotated[list[Arena], Field(min_length=1, max_length=10_000)]
    timing: dict[Name, Number]
    partial: bool = False


class ProgressArena(Shape):
    task: Name
    data: Name
    entries: list[Name]
    losses: list[Name]
    seeds: Count
    headline: Name
    folder: Text
    path: Text | None
    notes: list[Finding]
    origins: dict[Name, Text] = {}
    digest: Name
    look: Option = None


class Progress(Shape):
    created: Name
    arenas: Annotated[list[ProgressArena], Field(min_length=1, max_length=10_000)]
    own: dict[Name, Name]
    machine: dict[Name, Name]
    total: Count
    done: Count
    load_seconds: Finite
    process: Count = 0
    since: Text = ""
    specs: dict[Name, Name] = {}  # SHA-256 of their files


class NumberColumn(Shape):
    kind: Literal["number"]
    name: Name
    fill: Finite
    center: Finite
    scale: Annotated[float, Field(gt=0, le=HUGE)]
    indicator: bool = False
    boolean: bool = False


class OffsetColumn(Shape):
    kind: Literal["offset"]
    name: Name
    log_mean: Finite
    logarithms: bool = False


class CategoryColumn(Shape):
    kind: Literal["category"]
    name: Name
    levels: list[Text]
    missing: bool
    fill: Text | None = None
    indicator: bool = False
    size: Annotated[int, Field(ge=0, le=1 << 20)] = 0
    spelling: Literal["number", "boolean", "text"] = "text"


class Scale(Shape):
    center: list[Finite] | None = None
    scale: list[Annotated[float, Field(gt=0, le=HUGE)]] | None = None
    low: list[Finite] | None = None
    high: list[Finite] | None = None


class TargetState(Shape):
    labels: list[Text]
    width: Annotated[int, Field(ge=1, le=1 << 24)] | None
    soft: bool
    ordered: Text | list[Text] | bool | None
    transform: Name
    standardise: bool
    scale: Scale | None


class EncoderState(Shape):
    """What an encoder learned of the training rows of one seed, where a model was trained."""

    columns: list[Annotated[NumberColumn | CategoryColumn | OffsetColumn, Field(discriminator="kind")]]
    constant: list[Name]
    dates: dict[Name, bool | None] = {}
    target: TargetState | None = None


class File(Shape):
    bytes: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(Shape):
    schema_version: int
    losscli: Name
    created: Name
    machines: dict[Name, Count] = {}
    origins: list[dict[Name, Text]] = []
    files: dict[Name, File]


def wrong_with(kind: type[Shape], value: Any) -> str:
    """Where and how a value is not of a shape; empty where it is.

    >>> wrong_with(File, {"bytes": True, "sha256": "0" * 64})
    'has at bytes what cannot be there: input should be a valid integer'
    """
    try:
        kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"has at {_dotted(first['loc'])} what cannot be there: {first['msg'][:1].lower()}{first['msg'][1:]}"
    return _dangling(value) if kind is Results else ""


def _dotted(place: tuple[int | str, ...]) -> str:
    """Where in a JSON document, as `arenas[0].runs[3].seed`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:80]}" for part in place[:12])
    return text.lstrip(".") or "its root"


def _dangling(results: Mapping[str, Any]) -> str:
    """Which reference in results leads nowhere."""
    for number, arena in enumerate(results["arenas"]):
        for check in (_entries, _runs, _values, _why):
            if wrong := check(arena):
                return f"says in arenas[{number}] {wrong}"
    return ""


def _entries(arena: Mapping[str, Any]) -> str:
    names = [entry["entry"] for entry in arena["entries"]]
    if len(set(names)) < len(names):
        return "two entries of one name"
    if arena["reference"] not in names:
        return "a reference that is no entry"
    return ""


def _runs(arena: Mapping[str, Any]) -> str:
    names = {entry["entry"] for entry in arena["entries"]}
    keys = [(run["entry"], run["seed"]) for run in arena["runs"]]
    if any(entry not in names for entry, _ in keys):
        return "a run of an entry that is not there"
    if len(set(keys)) < len(keys):
        return "two runs of one entry and seed"
    return ""


def _values(arena: Mapping[str, Any]) -> str:
    """Every metric has a value for each run of its entry, and every headline was measured."""
    counts: dict[str, int] = {}
    for run in arena["runs"]:
        counts[run["entry"]] = counts.get(run["entry"], 0) + 1
    for entry in arena["entries"]:
        scores = [
            (split, name, score) for split in ("test", "valid", "train") for name, score in entry.get(split, {}).items()
        ]
        for split, name, score in scores:
            if len(score["values"]) != counts.get(entry["entry"], 0):
                return f"another number of values than of runs, of {name[:80]!r} on the {split} split"
    return ""


def _why(arena: Mapping[str, Any]) -> str:
    """`best` and `reference` are entries, and what stands by epoch has something for each."""
    names = {entry["entry"] for entry in arena["entries"]}
    why = arena.get("why") or {}
    if any(why.get(word) is not None and why[word] not in names for word in ("best", "reference")):
        return "why one wins that is no entry"
    if (
        why
        and (why.get("classes") or why.get("difficulty"))
        and not {"best", "reference"} <= {key for key in why if why[key]}
    ):
        return "why one wins, and not which"
    attention = why.get("attention") or {}
    width = len(attention.get("edges") or ()) + 1
    if attention.get("entries") and width != CLASSES:
        return "what the gradient is spent on for other classes of rows than there are"
    for lines in (attention.get("entries") or {}).values():
        for word in ("rows", "gradient"):
            if len(lines[word]) != len(lines["epochs"]) or any(len(shares) != width for shares in lines[word]):
                return "what the gradient is spent on for other epochs than it names"
    for lines in ((why.get("memory") or {}).get("entries") or {}).values():
        if any(len(lines[word]) != len(lines["epochs"]) for word in ("memorised", "resisted", "learned")):
            return "what was learned by heart for other epochs than it names"
    moments = why.get("moments") or {}
    if moments.get("entries") and not moments.get("epochs"):
        return "pictures of no moment"
    regions = why.get("regions") or {}
    points = 4 * -(-(regions.get("side", 0) ** 2) // 3)  # letters of so many bytes in Base64
    for frames in (regions.get("entries") or {}).values():
        if len(frames) > len(regions["epochs"]) or any(len(frame["strength"]) != points for frame in frames):
            return "decision regions of other epochs, or of another lattice, than it names"
    maps = why.get("maps") or {}
    if any(not one["dots"] or len(one["dots"]) != len(one["classes"]) for one in maps.values()):
        return "a map whose dots have other classes than it names"
    return ""
