"""How good the defaults are: losscli as a user gets it beside scikit-learn's MLP, scaled and stopping early, on the same splits.

Run:  python tests/benchmarks/defaults.py FOLDER [--list FOLDER/tables.csv] [--half A] [--seeds 10] [--set train.lr=1e-3]
                                         [--out new.json] [--against old.json] [--yardstick sklearn.json]

FOLDER holds NAME.csv files, and the list is a CSV with the columns name, target, task, and perhaps half: settings are chosen on
one half of the tables and looked at on the other once. Each seed divides a table anew, 70/15/15; losscli learns from the first
part and stops by the second, and scikit-learn gets both, of which it holds a tenth back itself. Both are judged on the third.

Scores are AUROC (binary), accuracy (multiclass) and RMSE (regression, differences relative to scikit-learn's); a mean log-loss
stands beside that of a constant, the shares of the training rows. `--against` is an earlier `--out`, for the time and the gain.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as Board
from scipy import stats

from losscli import pipeline
from losscli.data.dataset import Table
from losscli.experiment import Experiment, load
from losscli.spec.load import build_spec
from losscli.spec.model import Spec
from losscli.spec.overrides import Overrides

METRICS = {"binary": "auroc", "multiclass": "accuracy", "regression": "rmse"}
CLOSE = {"binary": 0.02, "multiclass": 0.02, "regression": 0.05}  # a difference that counts, of RMSE relative
Scores = dict[str, Any]


def spec_of(folder: Path, entry: Mapping[str, str], seeds: int, sets: Sequence[str]) -> Spec:
    """What `losscli train --data NAME.csv --target TARGET --task TASK --seeds N` makes of it."""
    data = str(folder / f"{entry['name']}.csv")
    flags = Overrides(
        task=entry["task"], data=data, target=(entry["target"],), seeds=seeds, sets=list(sets), device="cpu"
    )
    return build_spec(flags)


def losscli_scores(spec: Spec) -> Scores:
    """The test scores of each seed, the constant's log-loss, and processor seconds of training, without those of loading."""
    began = time.process_time()
    load(spec)
    loaded = time.process_time()
    comparison = pipeline.run([spec], out=None)
    seconds = time.process_time() - loaded - (loaded - began)
    arena = comparison.arenas[0]
    runs = sorted(arena.runs, key=lambda run: run.seed)
    names = [METRICS[spec.task], *(["log-loss"] if spec.task != "regression" else [])]
    scores: Scores = {name: [run.value(name) for run in runs] for name in names}
    scores["constant"] = arena.baseline["test"].get("log-loss", float("nan"))
    scores["seconds"] = seconds
    scores["epochs"] = statistics.mean(run.epochs for run in runs)
    scores["best_epoch"] = statistics.mean(run.best_epoch for run in runs)
    return scores


def sklearn_scores(experiment: Experiment, table: Table) -> Scores:
    """The same of scikit-learn's pipeline, on the raw columns that losscli keeps as features."""
    from sklearn.metrics import log_loss, roc_auc_score

    task = experiment.spec.task
    scores: Scores = {METRICS[task]: [], **({"log-loss": []} if task != "regression" else {})}
    began, raw = time.perf_counter(), _raw(table)
    for seed, dataset in experiment.datasets.items():
        rows = {name: part.index for name, part in dataset.parts.items()}
        target = {name: part.truth for name, part in dataset.parts.items()}
        learned = np.concatenate([rows["train"], rows["valid"]])
        truth = np.concatenate([target["train"], target["valid"]])
        model = _sklearn(table, task, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(raw[learned], truth)
        test = raw[rows["test"]]
        if task == "regression":
            scores["rmse"].append(float(np.sqrt(np.mean((model.predict(test) - target["test"]) ** 2))))
            continue
        shares = model.predict_proba(test)
        labels = list(range(shares.shape[1]))
        scores["log-loss"].append(float(log_loss(target["test"], shares, labels=labels)))
        hit = (
            float(roc_auc_score(target["test"], shares[:, 1]))
            if task == "binary"
            else float(np.mean(shares.argmax(1) == target["test"]))
        )
        scores[METRICS[task]].append(hit)
    scores["seconds"] = time.perf_counter() - began
    return scores


def _raw(table: Table) -> np.ndarray:
    """The features as they are read, object [N, columns]: numbers with NaN for what is missing, categories as codes."""
    return np.stack([column.values.astype(np.float64) for column in table.features.values()], axis=1)


def _sklearn(table: Table, task: str, seed: int) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = list(table.features.values())
    numbers = [place for place, column in enumerate(columns) if not column.is_category]
    categories = [place for place, column in enumerate(columns) if column.is_category]
    encoder = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
        ]
    )
    if task != "regression":
        return make_pipeline(encoder, MLPClassifier(early_stopping=True, random_state=seed))
    from sklearn.compose import TransformedTargetRegressor

    scaled = TransformedTargetRegressor(
        MLPRegressor(early_stopping=True, random_state=seed), transformer=StandardScaler()
    )
    return make_pipeline(encoder, scaled)


def difference(task: str, ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """How much better the first are, of RMSE relative to the second, with the 95 % interval over paired splits.

    >>> difference("binary", [0.9, 0.8], [0.8, 0.7])[0].__round__(3)
    0.1
    """
    mine, yours = np.array(ours), np.array(theirs)
    gains = (yours - mine) / yours.mean() if task == "regression" else mine - yours
    gains = gains[np.isfinite(gains)]
    half = stats.t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
    return float(gains.mean()), float(gains.mean() - half), float(gains.mean() + half)


def ranks(task: str, columns: Sequence[Sequence[float]]) -> np.ndarray:
    """The mean rank of each column over the splits, 1 the best; equal scores share a rank."""
    values = np.array(columns)
    places = stats.rankdata(values if task == "regression" else -values, axis=0)
    return np.asarray(places.mean(axis=1))


def judge(entries: Sequence[Mapping[str, str]], options: argparse.Namespace) -> dict[str, Scores]:
    kept = _json(options.yardstick) if options.yardstick else {}
    results: dict[str, Scores] = {}
    for entry in entries:
        spec = spec_of(options.folder, entry, options.seeds, options.set)
        results[entry["name"]] = {"task": entry["task"], "losscli": losscli_scores(spec)}
        if entry["name"] not in kept:
            experiment = load(spec)
            kept[entry["name"]] = sklearn_scores(experiment, spec.data.read(Path(spec.folder)))
            if options.yardstick:
                options.yardstick.write_text(json.dumps(kept))
        results[entry["name"]]["sklearn"] = kept[entry["name"]]
    return results


def show(results: Mapping[str, Scores], earlier: Mapping[str, Scores], console: Console) -> None:
    board = Board(
        "table",
        "metric",
        "losscli",
        "scikit-learn",
        "difference",
        "95 %",
        "rank",
        "log-loss",
        "constant's",
        "theirs",
        "s",
        "x before",
        "gain on before",
    )
    places, times, gains = [], [], []
    for name, result in results.items():
        task, ours, theirs = result["task"], result["losscli"], result["sklearn"]
        metric = METRICS[task]
        gain, low, high = difference(task, ours[metric], theirs[metric])
        rank = ranks(task, [ours[metric], theirs[metric]])[0]
        places.append(rank)
        cells = [name, metric, f"{np.nanmean(ours[metric]):.4g}", f"{np.nanmean(theirs[metric]):.4g}"]
        behind = high < -CLOSE[task]
        cells += [f"{gain:+.3f}", f"{low:+.3f} {high:+.3f}{' !' if behind else ''}", f"{rank:.2f}"]
        if task == "regression":
            cells += ["", "", ""]
        else:
            mean = float(np.mean(ours["log-loss"]))
            over = " !" if mean > ours["constant"] else ""
            cells += [f"{mean:.3f}{over}", f"{ours['constant']:.3f}", f"{np.mean(theirs['log-loss']):.3f}"]
        cells += [f"{ours['seconds']:.1f}"]
        if name in earlier:
            before = earlier[name]["losscli"]
            times.append(ours["seconds"] / before["seconds"])
            gains.append(difference(task, ours[metric], before[metric])[0])
            cells += [f"{times[-1]:.2f}", f"{gains[-1]:+.4f}"]
        board.add_row(*cells)
    console.print(board)
    console.print(f"mean rank of losscli {np.mean(places):.3f} of 2 (scikit-learn {3 - np.mean(places):.3f})")
    if times:
        console.print(f"time: median {statistics.median(times):.2f} of before; mean gain {np.mean(gains):+.4f}")


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", type=Path)
    parser.add_argument("--half")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--yardstick", type=Path)
    options = parser.parse_args()
    with (options.list or options.folder / "tables.csv").open(newline="") as file:
        entries = [row for row in csv.DictReader(file) if not options.half or row["half"] == options.half]
    entries = [entry for entry in entries if not options.only or entry["name"] in options.only]
    results = judge(entries, options)
    if options.out:
        options.out.write_text(json.dumps(results))
    show(results, _json(options.against) if options.against else {}, Console(width=160))


if __name__ == "__main__":
    main()
