"""One run as an ordinary, unstacked model, with its preprocessing described beside it.

The formats are in `formats/`. What is exported takes encoded rows, float32 [N, F]; how a row of the user's table becomes
one is in `model.json`, which stands beside it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from losscli.deploy.formats import exporters
from losscli.deploy.modules import Predictor, body
from losscli.deploy.restore import RestoredRun
from losscli.errors import MachineError, SpecError, choose_from, shown
from losscli.outfile import refusal, require_name
from losscli.record.disk import put

SCHEMA_VERSION = 1
DESCRIPTION = "model.json"
READING = ("source", "name", "types", "day_first", "delimiter", "decimal", "thousands", "encoding", "header", "missing")
HOW = (  # of `preprocessing.columns`, whose order is that of the features: all plain ones first, then all codes
    "number: (value, or fill where missing) / scale - center / scale; with indicator, then 1 where it was missing, else 0",
    "category, size 0: one 0/1 feature per level, in their order; with missing, one more for missing; an unknown level is "
    "all zeros; missing is fill where that is given; with indicator, then 1 where it was missing",
    "offset: log(value) - log_mean, or value - log_mean where the column holds logarithms; the first feature of all, which is "
    "not for the body: it is added to the log-rate that the body puts out, so that predictions are counts over that exposure",
    "the spelling of a category says which texts are one level: number, those of equal numbers (1, 1.0, 01); boolean, "
    "true/yes/y/t/1 and false/no/n/f/0 in any case; text, equal ones (in Unicode's form NFC)",
    "category, size > 0: one code, at the end of the features: 0 for an unknown level, 1 for the first level, 2 for the "
    "second ...; with missing, the code after the last level for missing; the model looks up size numbers for it",
    "a name such as `when.year` is a part of the date column `when`: year, month, day, weekday (Monday 0), hour, days since "
    "1970-01-01; `dates` says of each date column whether 03/04/2024 is a day of April (null: no date was written so)",
    "`units`, where it is there, says of each column what stood at its numbers and was taken off: $, %, kg",
)


def export(run: RestoredRun, form: str, folder: Path) -> list[Path]:
    """Write the model and its description into a new `folder`, and return the files.

    Raises `SpecError` for a format that there is not, `MachineError` where the folder is there already or cannot be written.
    """
    if form not in exporters:
        raise SpecError(f"there is no format called {shown(form)}", cure=choose_from(form, exporters.names()))
    require_name(folder)
    _free(folder)
    file, write = exporters.get(form)
    predictor = predictor_of(run)
    rows = torch.zeros(2, run.width)
    described = json.dumps(description(run, predictor, file), indent=2, ensure_ascii=False, allow_nan=False)
    _put(folder, {file: write(predictor, rows), DESCRIPTION: f"{described}\n".encode()})
    return [folder / file, folder / DESCRIPTION]


def _put(folder: Path, contents: Mapping[str, bytes]) -> None:
    """A new folder of these files: whole or not there."""
    draft = folder.with_name(f".{secrets.token_hex(8)}.part")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
        for name, data in contents.items():
            put(draft / name, data)
        _free(folder)
        draft.rename(folder)
    except OSError as error:
        raise refusal(folder, error, "choose another folder with --dir DIR") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _free(folder: Path) -> None:
    if os.path.lexists(folder):
        raise MachineError(f"{shown(folder)} is there already", cure="choose another folder with --dir DIR")


def predictor_of(run: RestoredRun) -> Predictor:
    """The run as an ordinary module."""
    weights = {name: torch.from_numpy(array) for name, array in run.weights.items()}
    network = run.network
    return Predictor(body(network.layers, weights), run.head, network.offset).eval()


def description(run: RestoredRun, predictor: Predictor, file: str) -> dict[str, Any]:
    """What one must know to use the model without losscli, as plain JSON."""
    kind = predictor.kind(run.width)
    return {
        "schema_version": SCHEMA_VERSION,
        "losscli": version("losscli"),
        "record": run.record,
        "entry": run.entry.name,
        "seed": run.run.seed,
        "task": run.task.name,
        "file": file,
        "input": {"name": "features", "type": "float32", "shape": ["rows", run.width], "holds": _held(run)},
        "features": run.encoder.names(),
        "reading": _reading(run),
        "preprocessing": {"how": HOW, **run.encoder.state()},
        "offset": _offset(run),
        "body": [str(module) for module in predictor.body],
        "before_the_loss": list(run.entry.output),
        "output": {
            "name": "prediction",
            "type": "float64" if kind in ("values", "samples") else "float32",
            "holds": kind,
        },
        "quantiles": list(predictor.levels),
        "target": run.run.dataset.encoder["target"],
    }


def _held(run: RestoredRun) -> str:
    return "encoded columns" if run.task.has_target else "noise: independent standard normal numbers"


def _offset(run: RestoredRun) -> dict[str, Any] | None:
    """Of which column the first feature is, and to which outputs of the body it is added: the first of every so many."""
    code, heads = run.encoder.offset, run.network.offset
    return None if code is None else {"column": code.name, "added_to_the_first_of": heads}


def _reading(run: RestoredRun) -> dict[str, Any]:
    """How the columns of a file were read before they were encoded: dates, booleans, marks and missing tokens."""
    settings = run.spec.data.model_dump(mode="json")
    return {key: settings[key] for key in READING if key in settings}
