"""`losscli diagnose`: what a training curve tells of the mistake behind it."""

from __future__ import annotations

from typing import Annotated, Any

from typer import Argument, Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command


def _known(flag: str, help: str, metavar: str, **bounds: Any) -> Any:  # noqa: A002  it is typer's word
    return Option(flag, help=help, metavar=metavar, show_default=False, **bounds)


Log = Annotated[
    str,
    Argument(
        metavar="LOG",
        help="A CSV, a Trainer's JSON, a TensorBoard event file, or a record.",
        show_default=False,
    ),
]
Loss = Annotated[str | None, _known("--loss", "The loss, as torch or losscli calls it.", "NAME")]
Classes = Annotated[int | None, _known("--classes", "How many classes there are.", "K", min=1)]
Priors = Annotated[str | None, _known("--priors", "The classes' shares, as 0.7,0.2,0.1.", "SHARES")]
Positive = Annotated[float | None, _known("--positive-rate", "The share of positives.", "P", min=0, max=1)]
Std = Annotated[float | None, _known("--target-std", "The standard deviation of the target.", "SIZE", min=0)]
Batch = Annotated[int | None, _known("--batch-size", "Rows per step.", "B", min=1)]
Margin = Annotated[float | None, _known("--margin", "The margin of the loss.", "SIZE", min=0)]
Train = Annotated[str | None, _known("--train", "The column of the training loss.", "COLUMN")]
Valid = Annotated[str | None, _known("--valid", "The column of the valid loss.", "COLUMN")]


@command("diagnose", Panel.catch)
def diagnose(
    log: Log,
    loss: Loss = None,
    classes: Classes = None,
    priors: Priors = None,
    positive_rate: Positive = None,
    target_std: Std = None,
    batch_size: Batch = None,
    margin: Margin = None,
    train: Train = None,
    valid: Valid = None,
    entry: flags.Entry = None,
    out: flags.Records = flags.RUNS,
    form: flags.As = flags.Format.text,
) -> None:
    """Name the mistake behind a training curve: what it is, how sure, what looks alike, and the cure.

    A curve without one is called healthy. What is known of the training makes the answer surer.

    losscli diagnose metrics.csv --loss cross-entropy --classes 10

    losscli diagnose trainer_state.json --format json
    """
    from losscli.cli import show
    from losscli.diagnose import diagnose as judge
    from losscli.diagnose.case import Facts, shares
    from losscli.diagnose.logs import Choice, log_path, read_log
    from losscli.errors import Place, within

    facts = Facts(loss, classes, shares(priors), positive_rate, target_std or None, batch_size, margin)
    path = log_path(log, out)
    with within(Place(log)):
        diagnosis = judge(read_log(path, Choice(train, valid, entry)), facts)
    if form is flags.Format.json:
        show.machine(diagnosis.to_json())
        return
    from losscli.cli.diagnosis import diagnosed

    show.pieces(diagnosed(diagnosis, log))
