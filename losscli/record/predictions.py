"""predictions.parquet: what every run says of each row of its test split. Figures are drawn from it without torch.

| column           | holds                                                                                  |
|------------------|----------------------------------------------------------------------------------------|
| arena            | int32                                                                                  |
| entry, seed      | dictionary<string>, int64                                                              |
| row              | int64, the row's place in the table as it was read                                     |
| truth            | list<float64>: [0 or 1], [class index], L times 0 or 1, O numbers in the user's units  |
| prediction       | list<float64>: what `kind` says; binary has one number, that of yes                    |
| kind             | dictionary<string>: probabilities, scores (the loss gives no probabilities), or values |
| low, high        | list<float64> [O], the ends of an interval; null where the loss gives none             |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

    from losscli.tasks.predictions import Predictions

MOST_NUMBERS = 4_000_000  # of `prediction` in one record: 32 MB before compression

RunPredictions = tuple[int, str, int, "Predictions"]  # arena, entry, seed, what it says


def table_of(runs: Sequence[RunPredictions]) -> bytes:
    """The file, from (arena, entry, seed, predictions) of every run that is kept."""
    import pyarrow as pa
    from pyarrow import parquet

    numbers = pa.list_(pa.float64())
    words = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [
            ("arena", pa.int32()), ("entry", words), ("seed", pa.int64()), ("row", pa.int64()), ("truth", numbers),
            ("prediction", numbers), ("kind", words), ("low", numbers), ("high", numbers),
        ]
    )  # fmt: skip
    table = pa.concat_tables([_of_run(*run, schema) for run in runs]) if runs else schema.empty_table()
    sink = pa.BufferOutputStream()
    parquet.write_table(table.unify_dictionaries(), sink, compression="zstd")
    return bytes(sink.getvalue())


def _of_run(arena: int, entry: str, seed: int, predictions: Predictions, schema: pa.Schema) -> pa.Table:
    rows = len(predictions.row)
    columns: dict[str, Any] = {
        "arena": np.full(rows, arena, np.int32),
        "entry": _repeated(entry, rows),
        "seed": np.full(rows, seed, np.int64),
        "row": predictions.row,
        "truth": _lists(predictions.truth),
        "prediction": _lists(predictions.prediction),
        "kind": _repeated(predictions.kind, rows),
        "low": _lists(predictions.low, rows),
        "high": _lists(predictions.high, rows),
    }
    import pyarrow as pa

    return pa.table(columns, schema=schema)


def _repeated(word: str, rows: int) -> pa.Array:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([word], pa.string()))


def _lists(values: np.ndarray | None, rows: int = 0) -> pa.Array:
    """[N, m] as a list per row; nulls where there is nothing."""
    import pyarrow as pa

    if values is None:
        return pa.nulls(rows, pa.list_(pa.float64()))
    offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
    return pa.ListArray.from_arrays(offsets, np.ascontiguousarray(values, np.float64).reshape(-1))


def runs_of(table: pa.Table, arena: int) -> dict[str, dict[int, Predictions]]:
    """The predictions of an arena's runs, by entry and seed, from the file; float64."""
    import pyarrow.compute as pc

    from losscli.tasks.predictions import Predictions

    table = table.filter(pc.equal(table.column("arena"), arena))
    if not table.num_rows:
        return {}
    entry = table.column("entry").cast("string").to_numpy()
    seed = table.column("seed").to_numpy()
    changes = np.flatnonzero((entry[1:] != entry[:-1]) | (seed[1:] != seed[:-1])) + 1  # a run's rows lie together
    runs: dict[str, dict[int, Predictions]] = {}
    for start, stop in zip([0, *changes], [*changes, table.num_rows], strict=True):
        part = table.slice(start, stop - start)
        truth, prediction, low, high = (_matrix(part, name) for name in ("truth", "prediction", "low", "high"))
        if truth is not None and prediction is not None:
            row, kind = part.column("row").to_numpy(), part.column("kind")[0].as_py()
            predictions = Predictions(row, truth, prediction, kind, low, high)
            runs.setdefault(str(entry[start]), {})[int(seed[start])] = predictions
    return runs


def _matrix(table: pa.Table, name: str) -> np.ndarray | None:
    """A column of equally long lists as [N, m]; None where one is null, or they are not equally long."""
    column = table.column(name).combine_chunks()
    if column.null_count:
        return None
    flat = column.flatten().to_numpy(zero_copy_only=False)
    # Lists of unequal length could still have a total that divides evenly; records are written with equal ones.
    return None if len(flat) % len(column) else flat.reshape(len(column), -1).astype(np.float64)
