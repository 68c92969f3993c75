"""The whole graph, from encoded rows to predictions: it runs where losscli is not."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from losscli.deploy.formats import exporter
from losscli.errors import MachineError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from losscli.deploy.modules import Predictor


@exporter("pt2", "model.pt2")
def _pt2(predictor: Predictor, rows: torch.Tensor) -> bytes:
    """The whole graph: `torch.export.load(path).module()(features)` predicts, without losscli."""
    import torch

    file = io.BytesIO()
    with _quiet():
        torch.export.save(_graph(predictor, rows), file)
    return file.getvalue()


@exporter("onnx", "model.onnx")
def _onnx(predictor: Predictor, rows: torch.Tensor) -> bytes:
    """The whole graph for other runtimes."""
    if lacking := [name for name in ("onnx", "onnxscript") if find_spec(name) is None]:
        raise MachineError(f"{' and '.join(lacking)} is not installed", cure='pip install "losscli[onnx]"')
    import torch

    with _quiet():
        program = torch.onnx.export(
            _graph(predictor, rows),
            (rows,),
            dynamo=True,
            verbose=False,
            input_names=["features"],
            output_names=["prediction", *(["quantiles"] if predictor.levels else [])],
        )
        assert program is not None
        return bytes(program.model_proto.SerializeToString())


def _graph(predictor: nn.Module, rows: torch.Tensor) -> torch.export.ExportedProgram:
    """For any number of rows."""
    import torch

    return torch.export.export(predictor, (rows,), dynamic_shapes=({0: torch.export.Dim("rows", min=1)},))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporters say about themselves; what fails still raises."""
    import logging  # takes a while, and help needs the names of the formats alone

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
