"""The flags that commands share, one by one and in sets. Numbers stay text here, and the spec reads them as it reads YAML.

A command whose parameter has a set as its type takes all the flags of the set (`losscli/cli/app.py`). Sets have no methods that
nobody calls, as every `--help` waits for each of them to be compiled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from typer import Argument, Option

from losscli.cli import completion, formats
from losscli.deploy.formats import exporters
from losscli.errors import SpecError
from losscli.executors.execution import LOCAL, TIMEOUT, Execution

if TYPE_CHECKING:
    from losscli.cli.outcome import DisplayOptions
    from losscli.spec.overrides import Overrides
    from losscli.words.view import View


class Format(StrEnum):
    """What stdout gets: a picture for people, or the one object that programs read."""

    text = "text"
    json = "json"


class WorkflowFormat(StrEnum):
    """The same, and the problems as annotations of a GitHub workflow."""

    text = "text"
    json = "json"
    github = "github"


# What has a function for each of its formats offers these, whichever they are; to a type checker, any text.
if TYPE_CHECKING:
    TableFormat = str
    ReportFormat = str
    ModelFormat = str
else:
    TableFormat = StrEnum("TableFormat", list(formats.comparisons))
    ReportFormat = StrEnum("ReportFormat", list(formats.reports))
    ModelFormat = StrEnum("ModelFormat", exporters.names())


class CodeFormat(StrEnum):
    """What stdout gets of findings in code; `github` are annotations of a workflow, `sarif` is for other programs."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"


def file_name(text: str | Path) -> Path:
    """A file or folder that something goes to; `SpecError` for no name, and for one that would forge what a screen shows.

    >>> file_name("")
    Traceback (most recent call last):
    losscli.errors.SpecError: the name of a file or folder is empty
    """
    from losscli.outfile import require_name

    if not str(text).strip():
        raise SpecError("the name of a file or folder is empty", cure="name one, or leave the option out")
    require_name(Path(text))
    return Path(text)


def _limit_own_code(seconds: float) -> float:
    """Files of losses are loaded as specs are read, so what is allowed them has to be known first."""
    from losscli.forked import LIMIT

    LIMIT.set(seconds)
    return seconds


def _option(flag: str, help: str, metavar: str = "TEXT", offers: Any = None) -> Any:  # noqa: A002  it is typer's word
    return Option(flag, help=help, metavar=metavar, show_default=False, autocompletion=offers)


RUNS = Path("runs")


def _folder(help: str) -> Any:  # noqa: A002
    return Option("--out", parser=file_name, metavar="DIR", envvar="LOSSCLI_RUNS", help=help)


SHOWN = "What is shown"  # the heading of flags that stand in no set


def _shown(*names: str, help: str) -> Any:  # noqa: A002  it is typer's word
    return Option(*names, help=help, rich_help_panel=SHOWN)


Text = str | None
Texts = list[str] | None

Spec = Annotated[Text, Argument(help="A YAML spec; flags go on top of it.", metavar="SPEC", show_default=False)]
Specs = Annotated[Texts, Argument(help="YAML specs; flags go on top of each.", metavar="SPECS", show_default=False)]
Task = Annotated[
    Text,
    _option(
        "--task",
        "What a target is, such as binary or regression; a wrong name lists them all.",
        "NAME",
        completion.tasks,
    ),
]
Loss = Annotated[Text, _option("--loss", "A loss of the task.", "NAME", completion.losses)]
Losses = Annotated[Texts, _option("--loss", "A loss of the task; repeat it for each.", "NAME", completion.losses)]
Data = Annotated[Text, _option("--data", "A table file, a built-in data set or a generator.", "DATA", completion.data)]
Target = Annotated[Texts, _option("--target", "The column to predict; repeatable.", "COLUMN", completion.columns)]
Drop = Annotated[Texts, _option("--drop", "A column to leave out; repeatable.", "COLUMN", completion.columns)]
Epochs = Annotated[Text, _option("--epochs", "How often to go through the training rows.", "N")]
BatchSize = Annotated[Text, _option("--batch-size", "Rows per step.", "N")]
Lr = Annotated[Text, _option("--lr", "The learning rate.", "RATE")]
Lrs = Annotated[Texts, _option("--lr", "A learning rate; repeat it for an entry each.", "RATE")]
Seeds = Annotated[
    Text, _option("--seeds", "5 means the seeds 0 to 4, 3,7 these two, auto as many as it takes, up to 40.", "N")
]
Metric = Annotated[
    Texts, _option("--metric", "A metric, the first is the headline; repeatable.", "NAME", completion.metrics)
]
Device = Annotated[Text, _option("--device", "auto, cpu, cuda, cuda:1 ...", "NAME")]
Precision = Annotated[
    Text, _option("--precision", "Of networks in training: float32, tf32 (on a GPU) or bf16.", "NAME")
]
Set = Annotated[
    Texts, _option("--set", "Any key of the spec, as train.clip=1; repeatable.", "KEY=VALUE", completion.settings)
]
Tune = Annotated[
    Texts,
    _option("--tune", "lr, or a name with values, as gamma=0.5,1,2: chosen on the valid split; repeatable.", "NAME"),
]
ByClass = Annotated[bool, _shown("--by-class", help="Show each class, and what is taken for what.")]
Yardstick = Annotated[
    bool | None,
    Option(
        "--yardstick/--no-yardstick",
        help="Show scikit-learn's plain models beside, on the same splits.",
        show_default=False,
    ),
]
Verbose = Annotated[bool, _shown("-v", "--verbose", help="Say all: whole paragraphs, findings and captions.")]
Sort = Annotated[Text, _option("--sort", "Show entries by a metric or by name; their order is no ranking.", "KEY")]
Shown = Annotated[Text, _option("--metrics", "Which metrics to show beside the headline, as accuracy,f1.", "NAMES")]
Top = Annotated[Text, _option("--top", "How many entries text and md show; the reference always is.", "N")]
Smoke = Annotated[bool, Option("--smoke", help="A few steps only: does it run?")]
Out = Annotated[Path, _folder("Where records go.")]
Records = Annotated[Path, _folder("Where records are.")]
Record = Annotated[
    str,
    Argument(
        metavar="RECORD",
        help="A record's folder, its id, or how its id begins.",
        show_default=False,
        autocompletion=completion.records,
    ),
]
Entry = Annotated[Text, _option("--entry", "An entry of the record; default is the best.", "NAME")]
ArenaNumber = Annotated[
    int | None, Option("--arena", metavar="N", help="Which arena, where there are several.", show_default=False)
]
OwnLosses = Annotated[Texts, _option("--loss", "The file of a loss of your own, again.", "FILE.py:NAME")]
NoRecord = Annotated[bool, Option("--no-record", help="Leave no record behind.")]
As = Annotated[Format, _shown("--format", help="text for people, json for programs.")]
AsTable = Annotated[TableFormat, _shown("--format", help="text and md for people, json and csv for programs.")]
AsReport = Annotated[ReportFormat, _shown("--format", help="A page for people, or Markdown for a pull request.")]
AsRows = Annotated[Text, _option("--format", f"{formats.rows.listed()}; default is by the file.", "NAME")]
AsModel = Annotated[ModelFormat, Option("--to", help="The weights alone, or the whole graph.")]
AsWorkflow = Annotated[WorkflowFormat, _shown("--format", help="text, json, or annotations of a GitHub workflow.")]
AsCode = Annotated[CodeFormat, _shown("--format", help="text, json, github annotations, or sarif.")]
Workers = Annotated[
    str,
    Option("--workers", metavar="N", envvar="LOSSCLI_WORKERS", help="Stacks at once, or auto: one for each core."),
]
Timeout = Annotated[
    float,
    Option(
        "--timeout",
        min=0.1,
        metavar="SECONDS",
        callback=_limit_own_code,
        help="End a loss of your own whose step, trial, or loading takes longer.",
    ),
]
Executor = Annotated[str, Option("--executor", metavar="NAME", help="Where to train: local, or ray for a cluster.")]
Address = Annotated[Text, _option("--address", "The cluster, as HOST:PORT or auto; default is one made here.", "ADDR")]
Log = Annotated[
    Path | None,
    Option(
        "--log",
        parser=file_name,
        metavar="FILE",
        help="Write a JSON line for each epoch of each run as it ends.",
        show_default=False,
    ),
]
JobSummary = Annotated[bool, Option("--job-summary", help="Add the answer to the summary of a GitHub job.")]
Quiet = Annotated[bool, _shown("-q", "--quiet", help="Results and errors only.")]


@dataclass(eq=False, repr=False)
class SpecFlags:
    """What goes on top of each spec."""

    panel: ClassVar[str] = "What to train"

    task: Task = None
    loss: Losses = None
    data: Data = None
    target: Target = None
    drop: Drop = None
    epochs: Epochs = None
    batch_size: BatchSize = None
    lr: Lrs = None
    seeds: Seeds = None
    metric: Metric = None
    tune: Tune = None
    device: Device = None
    precision: Precision = None
    sets: Set = None

    def overrides(self) -> Overrides:
        """The flags as the spec takes them; every number that is none is told at once, with its flag."""
        from losscli.spec.overrides import Overrides
        from losscli.spec.reader import read_value

        def number(text: Text, flag: str) -> Any:
            return None if text is None else read_value(text, flag)

        def several(texts: Text | Texts) -> list[str]:
            return [texts] if isinstance(texts, str) else texts or []

        return Overrides(
            task=self.task,
            losses=several(self.loss),
            data=self.data,
            target=self.target or [],
            drop=self.drop or [],
            epochs=number(self.epochs, "--epochs"),
            batch_size=number(self.batch_size, "--batch-size"),
            lr=[number(rate, "--lr") for rate in several(self.lr)],
            seeds=self.seeds,
            device=self.device,
            precision=self.precision,
            metrics=self.metric or [],
            tune=self.tune or [],
            sets=self.sets or [],
        )


@dataclass(eq=False, repr=False)
class BoardFlags(SpecFlags):
    """The same, and what is shown beside."""

    yardstick: Yardstick = None

    def overrides(self) -> Overrides:
        return replace(super().overrides(), yardstick=self.yardstick)


@dataclass(eq=False, repr=False)
class OneLossFlags(BoardFlags):
    """The same, of one loss at one rate."""

    loss: Loss = None  # type: ignore[assignment]
    lr: Lr = None  # type: ignore[assignment]


@dataclass(eq=False, repr=False)
class ExecutionFlags:
    """Where to train, and by how many workers."""

    panel: ClassVar[str] = "Where to train"

    workers: Workers = "auto"
    timeout: Timeout = TIMEOUT
    executor: Executor = LOCAL
    address: Address = None

    def execution(self) -> Execution:
        """As the executors take it."""
        from losscli.errors import Place, SpecError, shown
        from losscli.executors import executors
        from losscli.executors.cores import whole

        executors.get(self.executor)
        if self.address is not None and self.executor == LOCAL:
            message = f"an address is that of a cluster, and the executor is {self.executor}: {shown(self.address)}"
            raise SpecError(message, place=Place("--address"), cure="--executor ray")
        workers = None if self.workers == "auto" else whole(self.workers, "--workers")
        return Execution(self.executor, workers, self.timeout, self.address)


@dataclass(eq=False, repr=False)
class TrainingFlags:
    """What every command takes that trains and keeps a record."""

    panel: ClassVar[str] = "The run and its record"

    smoke: Smoke = False
    where: ExecutionFlags = ExecutionFlags()  # noqa: RUF009  nobody changes one
    out: Out = RUNS
    no_record: NoRecord = False
    job_summary: JobSummary = False
    log: Log = None

    def display(self, form: str, quiet: bool, view: View | None = None) -> DisplayOptions:
        """How to run and to show what comes of it."""
        from losscli.cli.outcome import DisplayOptions
        from losscli.words.view import View

        out = None if self.no_record else self.out
        return DisplayOptions(out, self.smoke, form, quiet, view or View(), self.job_summary, self.log)


@dataclass(eq=False, repr=False)
class DetailFlags:
    """How much to say."""

    panel: ClassVar[str] = SHOWN

    by_class: ByClass = False
    verbose: Verbose = False

    def view(self) -> View:
        """As what prints takes it."""
        from losscli.words.view import View

        return View(by_class=self.by_class, verbose=self.verbose)


@dataclass(eq=False, repr=False)
class ViewFlags(DetailFlags):
    """The same, and what to show of a leaderboard."""

    sort: Sort = None
    metrics: Shown = None
    top: Top = None

    def view(self) -> View:
        """Names are judged when the specs, and so the tasks, are known."""
        from losscli.errors import Place, SpecError, shown
        from losscli.spec.reader import read_value

        count = None if self.top is None else read_value(self.top, "--top")
        if count is not None and (type(count) is not int or count < 1):
            raise SpecError(
                f"expected a whole number >= 1, got {shown(self.top)}", place=Place("--top"), cure="--top 5"
            )
        names = [name.strip() for name in (self.metrics or "").split(",") if name.strip()]
        return replace(super().view(), sort=self.sort, metrics=tuple(names), top=count)


def option_values(sets: list[str]) -> dict[str, Any]:
    """What `--set gamma=0,2,5` says: an option and its value or values, read as a spec reads them.

    >>> option_values(["gamma=0,2", "alpha=0.25"])
    {'gamma': [0, 2], 'alpha': 0.25}
    """
    from losscli.errors import SpecError, shown
    from losscli.spec.reader import read_value

    values: dict[str, Any] = {}
    for text in sets:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise SpecError(f"--set takes OPTION=VALUES, and {shown(text)} is given", cure="as in --set gamma=0,2,5")
        listed = "," in value and not value.lstrip().startswith(("[", "{"))
        values[name.strip()] = read_value(f"[{value}]" if listed else value, f"--set {name.strip()}")
    return values
