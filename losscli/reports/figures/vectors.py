"""Where vectors lie, who their neighbours are, how far classes are apart: of the first seed whose predictions are kept."""

from __future__ import annotations

import numpy as np

from losscli.compare.maps import plane
from losscli.reports.contents import ReportContents, Sample
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, rounded
from losscli.reports.traces import axes

CHAPTER = Chapter(62, "Where vectors lie")
DOTS = 1500  # rows of a map
ASKED = 600  # rows whose distances to each other are measured
BINS = 60
MOST_CLASSES = 20
CLASS_COLOURS = 7  # of the page


def _first(contents: ReportContents) -> dict[str, Sample]:
    """By entry, what its first seed says, where those are vectors of finite numbers."""
    if contents.arena.spec.get("data", {}).get("pairs"):  # whose rows have no class
        return {}
    first = {name: samples[0] for name, samples in contents.samples.items() if samples}
    return {name: one for name, one in first.items() if one.kind == "embeddings" and np.isfinite(one.prediction).all()}


def _some(sample: Sample, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Evenly chosen rows: vectors [n, D] and class indices [n]."""
    few = sample.some(1 + (len(sample.row) - 1) // most)
    return few.prediction, few.truth[:, 0].astype(int)


def _distances(vectors: np.ndarray) -> np.ndarray:
    squares = (vectors**2).sum(axis=1)
    distances: np.ndarray = np.sqrt(np.maximum(squares[:, None] + squares - 2 * vectors @ vectors.T, 0.0))
    return distances


def _color(place: int, count: int) -> str:
    """Of a class: one of the page's where those suffice, else from around the wheel."""
    return f"$class{place}" if count <= CLASS_COLOURS else f"hsl({round(360 * place / count)}, 45%, 55%)"


def _chart(contents: ReportContents, views: dict[str, View], height: int) -> Chart | None:
    best = next(
        (contents.called(entry.entry) for entry in contents.by_score if contents.called(entry.entry) in views), ""
    )
    return Chart(views, choice="entry", shown=best, height=height) if views else None


@figure("map", title="A map of the vectors", chapter=CHAPTER, fits=lambda task: not task.decides, predictions=True)
def map_of_vectors(contents: ReportContents) -> Chart | None:
    """Vectors of test rows of one seed along their first two principal components, a colour for each class. Lumps of one colour
    are what is wanted; those that lie on each other here may be apart in the other dimensions.
    """
    views = {}
    for name, sample in _first(contents).items():
        vectors, classes = _some(sample, DOTS)
        dots, share = plane(vectors)
        present = np.unique(classes)
        traces: list[Trace] = [
            {
                "type": "scatter", "mode": "markers", "name": contents.label(int(index)), "hoverinfo": "name",
                "showlegend": len(present) <= MOST_CLASSES, "x": rounded(dots[classes == index, 0]),
                "y": rounded(dots[classes == index, 1]),
                "marker": {"size": 5, "color": _color(place, len(present))},
            }
            for place, index in enumerate(present)
        ]  # fmt: skip
        note = f"The two axes hold {100 * share:.0f} % of the variance."
        views[contents.called(name)] = View(traces, axes("first component", "second component"), note)
    return _chart(contents, views, 520)


@figure("neighbours", title="Nearest neighbours", chapter=CHAPTER, fits=lambda task: not task.decides, predictions=True)
def neighbours(contents: ReportContents) -> Chart | None:
    """A row of the picture holds the test rows of one class, and says of which classes their nearest neighbours are: as many
    neighbours as there are others of the class. What is right lies on the diagonal.
    """
    views = {}
    for name, sample in _first(contents).items():
        vectors, classes = _some(sample, ASKED)
        shown = np.argsort(-np.bincount(classes), kind="stable")[:MOST_CLASSES]
        shown = np.sort(shown[np.bincount(classes)[shown] > 1])
        shares = _neighbours(vectors, classes)[np.ix_(shown, shown)]
        labels = [contents.label(int(index)) for index in shown]
        heat = {"type": "heatmap", "x": labels, "y": labels, "z": rounded(100 * shares, 3), "zmin": 0, "zmax": 100,
                "colorscale": [[0, "$paper"], [1, "$heat"]], "texttemplate": "%{z:.0f}",
                "textfont": {"color": "$ink"}, "showscale": False}  # fmt: skip
        layout = axes("class of the neighbours, %", "class", yaxis={"autorange": "reversed", "type": "category"},
                      xaxis={"type": "category"})  # fmt: skip
        if len(labels):
            views[contents.called(name)] = View([heat], layout)
    return _chart(contents, views, min(620, 250 + 30 * MOST_CLASSES))


def _neighbours(vectors: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """[C, C]: of the R nearest of the rows of each class, the share of each class; R are the others of the row's class."""
    member = np.eye(classes.max() + 1)[classes]  # [n, C]
    far = _distances(vectors)
    np.fill_diagonal(far, np.inf)
    order = far.argsort(axis=1)
    counts = np.bincount(classes)[classes] - 1
    within = np.arange(len(classes)) < counts[:, None]
    found = (member[order] * within[..., None]).sum(axis=1)  # [n, C]
    totals = member.T @ found
    shares: np.ndarray = totals / np.maximum(totals.sum(axis=1, keepdims=True), 1)
    return shares


@figure(
    "distances",
    title="Distances within and between classes",
    chapter=CHAPTER,
    fits=lambda task: not task.decides,
    predictions=True,
)
def distances(contents: ReportContents) -> Chart | None:
    """How far two test rows of one seed are apart, of one class and of two. Where the two hills overlap, no limit on the distance
    tells whether two rows are of one class.
    """
    views = {}
    for name, sample in _first(contents).items():
        vectors, classes = _some(sample, ASKED)
        above = np.triu_indices(len(classes), 1)
        apart, same = _distances(vectors)[above], (classes[:, None] == classes)[above]
        edges = np.linspace(0, max(float(apart.max()), 1e-9), BINS + 1)
        traces = [
            _hill(apart[mask], edges, title, color)
            for mask, title, color in ((same, "one class", "$class0"), (~same, "two classes", "$class1"))
            if mask.any()
        ]
        views[contents.called(name)] = View(traces, axes("distance", "share of the pairs, %"))
    return _chart(contents, views, 380)


def _hill(apart: np.ndarray, edges: np.ndarray, title: str, color: str) -> Trace:
    shares = 100 * np.histogram(apart, edges)[0] / len(apart)
    middles = (edges[1:] + edges[:-1]) / 2
    return {"type": "scatter", "mode": "lines", "name": title, "x": rounded(middles), "y": rounded(shares),
            "line": {"color": color, "shape": "hvh"}, "showlegend": True}  # fmt: skip
