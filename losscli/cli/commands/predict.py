"""`losscli predict`: a record's model on new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command

Rows = Annotated[
    str | None, Argument(metavar="FILE", help="New rows: a table file, or a folder of them.", show_default=False)
]
Count = Annotated[
    int | None,
    Option("--rows", metavar="N", min=1, help="Rows to make up, where a generator was trained.", show_default=False),
]
Seed = Annotated[
    str | None, Option("--seed", metavar="N", help="A seed, or mean. Default: the best.", show_default=False)
]
To = Annotated[
    Path | None,
    Option("--to", parser=flags.file_name, metavar="FILE", help="Write here; default is stdout.", show_default=False),
]
Threshold = Annotated[
    str | None,
    Option("--threshold", metavar="P", help="Yes is above it (0.5); or a metric it is best for.", show_default=False),
]
Prefix = Annotated[str, Option("--prefix", metavar="TEXT", help="Before the names of new columns.", show_default=False)]
Force = Annotated[bool, Option("--force", help="Replace a file that exists.")]


@command("predict", Panel.records)
def predict(
    record: flags.Record,
    rows: Rows = None,
    entry: flags.Entry = None,
    seed: Seed = None,
    arena: flags.ArenaNumber = None,
    loss: flags.OwnLosses = None,
    threshold: Threshold = None,
    count: Count = None,
    prefix: Prefix = "",
    to: To = None,
    form: flags.AsRows = None,
    force: Force = False,
    sets: flags.Set = None,
    out: flags.Records = flags.RUNS,
    quiet: flags.Quiet = False,
) -> None:
    """Predict new rows with a model of a record.

    Appends labels and probabilities, or values, to the columns of the file. The entry and the seed are those that were
    best on the valid split, unless you name others. The file is read as the one that was trained on; where it is written
    otherwise, say so: --set 'data.delimiter=;'.

    losscli predict 0007 new.csv > predicted.csv

    A generator (task gan) takes no file: it makes up as many rows as --rows says.

    losscli predict 0007 new.csv --entry "focal gamma=2" --seed mean --to predicted.parquet
    """
    from losscli.cli import deploying

    answer = deploying.Answer(to, form, prefix, threshold, force, quiet, sets or ())
    deploying.run_predict(record, out, rows, count, deploying.selection(arena, entry, seed, loss), answer)
