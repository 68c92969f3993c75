"""How well `losscli suspects` finds labels that were changed on purpose: AUROC of its ranking, and the share it estimates.

    python tests/benchmarks/suspects.py [TITANIC.csv]

Each table is trained on with its changed labels, in five folds and ten seeds (every row is predicted twice out of sample), by the
default loss and network. Noise: `symmetric` to any other class, `pair` to the next class, `feature`: the rows that a logistic
regression on the clean labels is least sure of are the likelier to change (instance-dependent). Results: SUSPECTS.md.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from losscli.pipeline import run
from losscli.record.predictions import runs_of
from losscli.record.reader import read_predictions
from losscli.spec.load import build_spec
from losscli.spec.overrides import Overrides
from losscli.suspects import suspects
from losscli.suspects.pooled import pooled

RATES = (0.0, 0.05, 0.1, 0.2)
KINDS = ("symmetric", "pair", "feature")
LEFT_OUT = (
    "alive",
    "class",
    "who",
    "adult_male",
    "alone",
    "embark_town",
    "deck",
)  # of Titanic: the target, or said twice

Rows = tuple[list[str], list[list[object]], np.ndarray, np.ndarray]  # names, cells, classes [N], numbers [N, F]


def bundled(name: str) -> Rows:
    data = load_digits() if name == "digits" else load_breast_cancer()
    features = data.data
    return (
        [f"f{at}" for at in range(features.shape[1])],
        features.tolist(),
        data.target,
        StandardScaler().fit_transform(features),
    )


def titanic(path: Path) -> Rows:
    with path.open() as file:
        lines = list(csv.DictReader(file))
    names = [name for name in lines[0] if name not in (*LEFT_OUT, "survived")]
    cells: list[list[object]] = [[line[name] for name in names] for line in lines]
    numbers = OneHotEncoder(max_categories=20).fit_transform(np.array(cells, dtype=str)).toarray()
    return names, cells, np.array([int(line["survived"]) for line in lines]), numbers


def changed(classes: np.ndarray, numbers: np.ndarray, kind: str, rate: float, seed: int) -> np.ndarray:
    """The labels after noise: exactly `rate` of them are others."""
    chance, count = np.random.default_rng(seed), round(rate * len(classes))
    size = int(classes.max()) + 1
    given = classes.copy()
    if kind == "feature":
        model = LogisticRegression(max_iter=2000).fit(numbers, classes)
        shares = model.predict_proba(numbers)
        shares[np.arange(len(classes)), classes] = 0.0
        doubt = shares.max(axis=1) + 1e-3
        rows = chance.choice(len(classes), count, replace=False, p=doubt / doubt.sum())
        given[rows] = shares[rows].argmax(axis=1)
        return given
    rows = chance.permutation(len(classes))[:count]
    step = chance.integers(1, size, count) if kind == "symmetric" else 1
    given[rows] = (classes[rows] + step) % size
    return given


def measured(rows: Rows, kind: str, rate: float, seed: int, dump: Path | None = None) -> dict[str, float]:
    """AUROC of the ranking, and of 1 - p(given) alone; the estimated share."""
    names, cells, classes, numbers = rows
    given = changed(classes, numbers, kind, rate, seed)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "noisy.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*names, "label"])
            writer.writerows([[*line, f"c{label}"] for line, label in zip(cells, given.tolist(), strict=True)])
        task = "binary" if classes.max() == 1 else "multiclass"
        sets = ("data.split.folds=5",)
        spec = build_spec(Overrides(task=task, data=str(path), target=["label"], seeds="10", sets=sets))
        comparison = run([spec], out=Path(place) / "runs")
        record = Path(str(comparison.record))
        report = suspects(record)
        if dump is not None:
            (by_seed,) = runs_of(read_predictions(record), 0).values()
            mean = pooled(list(by_seed.values()))
            np.savez(dump, given=mean.truth[:, 0].astype(int), said=mean.said, flipped=(given != classes)[mean.row])
    wrong = given != classes
    order = np.array([suspect.row for suspect in report.ranking.suspects])
    score = np.array([suspect.score for suspect in report.ranking.suspects])
    alone = np.array([1 - suspect.given_share for suspect in report.ranking.suspects])
    sure = np.array([suspect.sure for suspect in report.ranking.suspects])
    flips = wrong[order]
    nothing = not flips.any()
    return {
        "auroc": float("nan") if nothing else roc_auc_score(flips, score),
        "self": float("nan") if nothing else roc_auc_score(flips, alone),
        "precision": float("nan") if nothing or not sure.any() else float(flips[sure].mean()),
        "estimated": report.ranking.wrong / report.labels,
    }


def tables(path: Path | None) -> Iterator[tuple[str, Rows]]:
    for name in ("digits", "breast_cancer"):
        yield name, bundled(name)
    if path is not None:
        yield "titanic", titanic(path)


def main(arguments: Sequence[str]) -> None:
    path = Path(arguments[0]) if arguments else None
    dumps = Path(arguments[1]) if len(arguments) > 1 else None
    print("| data | noise | changed | AUROC | AUROC of 1 - p(given) | right among contradicted | estimated wrong |")
    print("|---|---|---|---|---|---|---|")
    for name, rows in tables(path):
        for rate in RATES:
            for kind in KINDS if rate else KINDS[:1]:
                dump = None if dumps is None else dumps / f"{name}-{kind}-{rate}.npz"
                got = measured(rows, kind, rate, 0, dump)
                cells = [f"{got[key]:.3f}" for key in ("auroc", "self", "precision", "estimated")]
                print(f"| {name} | {kind if rate else 'none'} | {rate:.0%} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
