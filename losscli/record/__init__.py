"""Records: the folder `runs/<id>/` that one command leaves behind. No torch here, and no pickle anywhere.

| file                | holds                                                                     |
|---------------------|---------------------------------------------------------------------------|
| spec.yaml           | the resolved spec, re-runnable as it is; spec2.yaml ... for more arenas    |
| results.json        | what `--format json` prints                                               |
| history.parquet     | arena, entry, seed, epoch, split, metric, value                           |
| predictions.parquet | arena, entry, seed, row, truth, prediction, kind, low, high of the test split  |
| weights.safetensors | tensors by `<arena>/<entry>/<seed>/<parameter>`                           |
| encoders.json       | what the encoders learned from the training splits                        |
| rows.safetensors    | keys of the rows that were trained on, by `<arena>/<seed>/<array>`, where they are of a file |
| manifest.json       | sizes and SHA-256 of the files above; written last, so its presence means: whole |

A record in the making has `progress.json` in place of the manifest, its specs, and the state of each stack: see `checkpoint.py`.
"""

from __future__ import annotations

SCHEMA_VERSION = 2  # of the manifest; what each version changed is in `manifest.py`
MANIFEST = "manifest.json"
PROGRESS = "progress.json"
ROWS = "rows.safetensors"
SUFFIXES = (".yaml", ".json", ".parquet", ".safetensors")
