"""`losscli export`: one run of a record as an ordinary model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command

Seed = Annotated[str | None, Option("--seed", metavar="N", help="A seed. Default: the best.", show_default=False)]
Folder = Annotated[
    Path | None,
    Option(
        "--dir",
        parser=flags.file_name,
        metavar="DIR",
        help="A new folder for it; default is <id>-<format>.",
        show_default=False,
    ),
]


@command("export", Panel.records)
def export(
    record: flags.Record,
    form: flags.AsModel = "safetensors",
    entry: flags.Entry = None,
    seed: Seed = None,
    arena: flags.ArenaNumber = None,
    loss: flags.OwnLosses = None,
    folder: Folder = None,
    out: flags.Records = flags.RUNS,
) -> None:
    """Export one run of a record as an ordinary model.

    Beside it, model.json says how a row of the table becomes its input, and what its output means.

    losscli export 0007 --to onnx

    losscli export 0007 --to pt2 --entry focal --seed 3 --dir model
    """
    from losscli.cli import deploying
    from losscli.errors import SpecError

    if seed == "mean":
        raise SpecError("a model is one run, and --seed mean is several", cure="name a seed, or leave --seed out")
    deploying.run_export(record, out, form, deploying.selection(arena, entry, seed, loss), folder)
