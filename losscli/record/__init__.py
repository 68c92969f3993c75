"""Records: the folder `runs/<id>/` that one command leaves behind. No torch here, and no pickle anywhere.

| file                | holds                                                                     |
|---------------------|---------------------------------------------------------------------------|
| spec.yaml           | the resolved spec, re-runnable as it is; spec2.yaml ... for more arenas    |
| results.json        | what `--format json` prints                                               |
| history.parquet     | arena, entry, seed, epoch, split, metric, value                           |
| predictions.parquet | arena, entry, seed, row, truth, prediction, kind, low, high of the test split  |
| weights.safetensors | tensors by `<arena>/<entry>/<seed>/<parameter>`                           |
| encoders.json       | what the encoders learned from the training splits                        |
| manifest.json       | sizes and SHA-256 of the files above; written last, so its presence means: whole |
"""

from __future__ import annotations

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
SUFFIXES = (".yaml", ".json", ".parquet", ".safetensors")
