"""One run as an ordinary, unstacked model, with its preprocessing described beside it.

One exporter per format, under the decorator `exporter`. What is exported takes encoded rows, float32 [N, F]; how a row of
the user's table becomes one is in `model.json`, which stands beside it.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from losscli.deploy.modules import Predictor, body, shown_of
from losscli.deploy.restore import Restored
from losscli.errors import MachineError, SpecError, choose_from, shown
from losscli.shelf import Shelf

SCHEMA_VERSION = 1
DESCRIPTION = "model.json"

Writer = Callable[[Predictor, torch.Tensor, Path], None]

exporters: Shelf[tuple[str, Writer]] = Shelf(__name__, "format")  # the file's name, and who writes it


def exporter(name: str, file: str) -> Callable[[Writer], Writer]:
    """Put the decorated function on the shelf: it writes a predictor, tried on example rows [N, F], to a path."""

    def register(write: Writer) -> Writer:
        exporters.put(name, (file, write))
        return write

    return register


def export(run: Restored, form: str, folder: Path) -> list[Path]:
    """Write the model and its description into a new `folder`, and return the files.

    Raises `SpecError` for a format that there is not, `MachineError` where the folder is there already or cannot be written.
    """
    if form not in exporters:
        raise SpecError(f"there is no format called {shown(form)}", cure=choose_from(form, exporters.names()))
    file, write = exporters.get(form)
    predictor = predictor_of(run)
    rows = torch.zeros(2, run.run.dataset.features)
    try:
        folder.mkdir(parents=True)
        described = json.dumps(description(run, predictor, file), indent=2, ensure_ascii=False, allow_nan=False)
        write(predictor, rows, folder / file)
        (folder / DESCRIPTION).write_text(described + "\n", encoding="utf-8")
    except FileExistsError:
        raise MachineError(f"{shown(folder)} is there already", cure="choose another folder with --out DIR") from None
    except OSError as failed:
        message = f"the model cannot be written to {shown(folder)}: {failed.strerror}"
        raise MachineError(message, cure="choose another folder with --out DIR") from None
    return [folder / file, folder / DESCRIPTION]


def predictor_of(run: Restored) -> Predictor:
    """The run as an ordinary module."""
    weights = {name: torch.from_numpy(each) for name, each in run.weights.items()}
    return Predictor(body(run.network.layers, weights), run.outlet).eval()


def description(run: Restored, predictor: Predictor, file: str) -> dict[str, Any]:
    """What one must know to use the model without losscli, as plain JSON."""
    kind, _ = shown_of(predictor.predict(torch.zeros(2, run.run.dataset.features)))
    return {
        "schema_version": SCHEMA_VERSION,
        "losscli": version("losscli"),
        "record": run.record,
        "entry": run.entry.name,
        "seed": run.run.seed,
        "task": run.task.name,
        "file": file,
        "input": {"name": "features", "type": "float32", "shape": ["rows", run.run.dataset.features]},
        "features": run.encoder.names(),
        "preprocessing": run.encoder.state(),
        "body": [str(module) for module in predictor.body],
        "before_the_loss": list(run.entry.output),
        "output": {"name": "prediction", "type": "float32", "holds": kind},
        "target": run.run.dataset.encoder["target"],
    }


@exporter("safetensors", "model.safetensors")
def _safetensors(predictor: Predictor, rows: torch.Tensor, path: Path) -> None:
    """The weights of the body alone: `nn.Sequential` of the layers that the description lists takes them."""
    from safetensors.torch import save_file

    save_file({name: each.contiguous() for name, each in predictor.body.state_dict().items()}, path)


@exporter("pt2", "model.pt2")
def _pt2(predictor: Predictor, rows: torch.Tensor, path: Path) -> None:
    """The whole graph: `torch.export.load(path).module()(features)` predicts, without losscli."""
    with _quiet():
        torch.export.save(_graph(predictor, rows), path)


@exporter("onnx", "model.onnx")
def _onnx(predictor: Predictor, rows: torch.Tensor, path: Path) -> None:
    """The whole graph for other runtimes."""
    if lacking := [name for name in ("onnx", "onnxscript") if find_spec(name) is None]:
        raise MachineError(f"{' and '.join(lacking)} is not installed", cure='pip install "losscli[onnx]"')
    with _quiet():
        names: Mapping[str, Any] = {"input_names": ["features"], "output_names": ["prediction"]}
        program = torch.onnx.export(_graph(predictor, rows), (rows,), dynamo=True, verbose=False, **names)
        assert program is not None
        program.save(str(path), external_data=False)


def _graph(predictor: nn.Module, rows: torch.Tensor) -> torch.export.ExportedProgram:
    """For any number of rows."""
    return torch.export.export(predictor, (rows,), dynamic_shapes=({0: torch.export.Dim("rows", min=1)},))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporters say about themselves; what fails still raises."""
    talkers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    before = [talker.level for talker in talkers]
    for talker in talkers:
        talker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for talker, level in zip(talkers, before, strict=True):
            talker.setLevel(level)
