"""Losses of embeddings against pytorch-metric-learning 2.9, torch and plain loops in float64: values and gradients."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from pytorch_metric_learning import losses as pml
from pytorch_metric_learning import miners
from torch import Tensor
from torch.nn import functional

from losscli.losses import find, for_task

ROWS, CLASSES, SIZE = 24, 5, 6
DEGREES = 28.6


def batch(seed: int = 0, rows: int = ROWS, classes: int = CLASSES) -> tuple[Tensor, Tensor, Tensor]:
    """Vectors of clusters that overlap [B, D], the class of each [B], a proxy of each class [C, D]."""
    chance = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (rows,), generator=chance)
    middles = torch.randn(classes, SIZE, generator=chance, dtype=torch.float64)
    noise = torch.randn(rows, SIZE, generator=chance, dtype=torch.float64)
    proxies = torch.randn(classes, SIZE, generator=chance, dtype=torch.float64)
    return middles[labels] + noise, labels, proxies


def pairs_of(vectors: Tensor, labels: Tensor):
    """The row, its partner and +1 or -1 for every pair of rows, by loops."""
    for a, b in itertools.permutations(range(len(vectors)), 2):
        yield vectors[a], vectors[b], 1.0 if labels[a] == labels[b] else -1.0


def hinge_embedding(vectors: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    every = list(pairs_of(vectors, labels))
    apart = torch.stack([(x - y).norm() for x, y, _ in every])
    return functional.hinge_embedding_loss(apart, torch.tensor([sign for *_, sign in every]), margin=margin)


def cosine_embedding(vectors: Tensor, labels: Tensor, margin: float = 0.0) -> Tensor:
    x, y, sign = zip(*pairs_of(vectors, labels), strict=True)
    return functional.cosine_embedding_loss(torch.stack(x), torch.stack(y), torch.tensor(sign), margin=margin)


def margin_ranking(vectors: Tensor, labels: Tensor, margin: float = 0.0) -> Tensor:
    cosine = functional.cosine_similarity(vectors[:, None], vectors[None], dim=-1)
    triplets = [
        (cosine[a, p], cosine[a, n])
        for a, p, n in itertools.permutations(range(len(labels)), 3)
        if labels[a] == labels[p] != labels[n]
    ]
    near, far = map(torch.stack, zip(*triplets, strict=True))
    return functional.margin_ranking_loss(near, far, torch.ones(len(near)), margin=margin)


def pml_triplet(mining: str, margin: float):
    judge = pml.TripletMarginLoss(margin=margin)
    miner = {
        "all": None,
        "hard": miners.BatchHardMiner(),
        "semi-hard": miners.TripletMarginMiner(margin=margin, type_of_triplets="semihard"),
    }[mining]
    return lambda x, y: judge(x, y, None if miner is None else miner(x, y))


PLAIN = [  # loss, options, its oracle
    ("hinge-embedding", {}, hinge_embedding),
    ("hinge-embedding", {"margin": 3.0}, lambda x, y: hinge_embedding(x, y, 3.0)),
    ("cosine-embedding", {}, cosine_embedding),
    ("cosine-embedding", {"margin": 0.4}, lambda x, y: cosine_embedding(x, y, 0.4)),
    ("margin-ranking", {}, margin_ranking),
    ("margin-ranking", {"margin": 0.3}, lambda x, y: margin_ranking(x, y, 0.3)),
    ("contrastive", {}, pml.ContrastiveLoss()),
    ("contrastive", {"pos_margin": 0.4, "neg_margin": 1.3}, pml.ContrastiveLoss(0.4, 1.3)),
    *(
        ("triplet", {"mining": mining, "margin": margin}, pml_triplet(mining, margin))
        for mining in ("all", "hard", "semi-hard")
        for margin in (0.2, 0.7)
    ),
    ("nt-xent", {}, pml.NTXentLoss(temperature=0.1)),
    ("nt-xent", {"temperature": 0.5}, pml.NTXentLoss(temperature=0.5)),
    ("sup-con", {}, pml.SupConLoss(temperature=0.1)),
    ("sup-con", {"temperature": 0.5}, pml.SupConLoss(temperature=0.5)),
    ("multi-similarity", {}, pml.MultiSimilarityLoss()),
    ("multi-similarity", {"alpha": 3.0, "beta": 20.0, "base": 0.2}, pml.MultiSimilarityLoss(3.0, 20.0, 0.2)),
    ("circle", {}, pml.CircleLoss()),
    ("circle", {"m": 0.25, "gamma": 10.0}, pml.CircleLoss(0.25, 10.0)),
]
PROXIED = [  # loss, options, its oracle's class and arguments, and what its proxies are called
    ("normalized-softmax", {}, pml.NormalizedSoftmaxLoss, {"temperature": 0.05}, "W"),
    ("normalized-softmax", {"temperature": 0.5}, pml.NormalizedSoftmaxLoss, {"temperature": 0.5}, "W"),
    ("arcface", {}, pml.ArcFaceLoss, {"margin": DEGREES, "scale": 64}, "W"),
    ("arcface", {"margin": 60.0, "scale": 8.0}, pml.ArcFaceLoss, {"margin": 60, "scale": 8}, "W"),
    ("cosface", {}, pml.CosFaceLoss, {"margin": 0.35, "scale": 64}, "W"),
    ("cosface", {"margin": 0.1, "scale": 8.0}, pml.CosFaceLoss, {"margin": 0.1, "scale": 8}, "W"),
    ("proxy-nca", {}, pml.ProxyNCALoss, {}, "proxies"),
    ("proxy-nca", {"scale": 32.0}, pml.ProxyNCALoss, {"softmax_scale": 32}, "proxies"),
    ("proxy-anchor", {}, pml.ProxyAnchorLoss, {"margin": 0.1, "alpha": 32}, "proxies"),
    ("proxy-anchor", {"margin": 0.3, "alpha": 4.0}, pml.ProxyAnchorLoss, {"margin": 0.3, "alpha": 4}, "proxies"),
]


def named(part: object) -> str | None:
    """What a case is called; an oracle has no name of its own that is the same in every process."""
    return str(part) if isinstance(part, (str, dict)) else None


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def alike(given: Tensor, expected: Tensor) -> bool:
    return torch.allclose(given, expected, rtol=1e-9, atol=1e-9)


def test_every_loss_of_the_shelf_has_an_oracle():
    assert {name for name, *_ in (*PLAIN, *PROXIED)} == set(for_task("embedding"))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("name", "options", "oracle"), PLAIN, ids=named)
def test_values_and_gradients_are_those_of_the_oracle(name, options, oracle, seed):
    vectors, labels, _ = batch(seed)
    vectors.requires_grad_()
    expected = oracle(vectors, labels)
    given = find(name, "embedding").function(vectors, labels, **options)
    slopes = [torch.autograd.grad(value, vectors)[0] for value in (given, expected)]
    assert expected > 0.01
    assert alike(given, expected)
    assert alike(*slopes)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("name", "options", "oracle", "settings", "own"), PROXIED, ids=named)
def test_so_are_those_of_losses_with_proxies_and_the_gradients_of_these(name, options, oracle, settings, own, seed):
    vectors, labels, proxies = batch(seed)
    judge = oracle(num_classes=CLASSES, embedding_size=SIZE, **settings).double()
    held = getattr(judge, own)
    held.data = (proxies.T if own == "W" else proxies).clone()
    leaves = [vectors.requires_grad_(), proxies.requires_grad_()]
    expected = judge(vectors, labels)
    item = find(name, "embedding")
    given = item.function(*leaves[:1], labels, leaves[1], **options).mean()
    slopes = torch.autograd.grad(given, leaves)
    expected_slopes = torch.autograd.grad(expected, [vectors, held])
    assert expected > 0.01
    assert alike(given, expected)
    assert alike(slopes[0], expected_slopes[0])
    assert alike(slopes[1], expected_slopes[1].T if own == "W" else expected_slopes[1])


LACKING = {  # what a batch has none of
    "positives": torch.tensor([0, 1, 2, 3, 4]),
    "negatives": torch.zeros(5, dtype=torch.long),
    "triplets of a pair": torch.tensor([0, 0, 1, 2, 3]),
}
PAIRWISE = [item for item in for_task("embedding").values() if not item.weights]


@pytest.mark.parametrize("lack", LACKING)
@pytest.mark.parametrize("item", PAIRWISE, ids=lambda item: item.name)
@pytest.mark.parametrize("same", [False, True], ids=["different rows", "equal rows"])
def test_a_batch_that_lacks_something_has_a_number_and_a_gradient(item, lack, same):
    vectors = batch(7, rows=5)[0]
    leaf = (vectors[:1].expand(5, -1).clone() if same else vectors).requires_grad_()
    value = item.function(leaf, LACKING[lack])
    (slope,) = torch.autograd.grad(value, leaf)
    assert value.isfinite()
    assert slope.isfinite().all()


@pytest.mark.parametrize("name", ["margin-ranking", "triplet", "nt-xent", "sup-con", "circle"])
@pytest.mark.parametrize("lack", ["positives", "negatives"])
def test_what_compares_positives_with_negatives_is_0_without_either(name, lack):
    leaf = batch(7, rows=5)[0].requires_grad_()
    value = find(name, "embedding").function(leaf, LACKING[lack])
    (slope,) = torch.autograd.grad(value, leaf)
    assert (value.item(), slope.abs().max().item()) == (0.0, 0.0)


@pytest.mark.parametrize(("mining", "cost"), [("all", 0.2), ("hard", 0.2), ("semi-hard", 0.0)])
def test_a_triplet_loss_of_equal_vectors_is_its_margin(mining, cost):
    """None of them is farther than the others, so none is semi-hard."""
    value = find("triplet", "embedding").function(torch.ones(6, 3), torch.tensor([0, 0, 1, 1, 2, 2]), mining=mining)
    assert value.item() == pytest.approx(cost)


def test_nt_xent_of_equal_vectors_is_the_logarithm_of_the_number_that_compete():
    value = find("nt-xent", "embedding").function(torch.ones(6, 3), torch.tensor([0, 0, 1, 1, 2, 2]))
    assert value.item() == pytest.approx(math.log(5))


@pytest.mark.parametrize("name", ["hinge-embedding", "cosine-embedding", "contrastive", "multi-similarity"])
def test_pairs_are_batches_of_two_rows(name):
    """Rows 0 and 1, 2 and 3 ... against each pair alone, of one class or of two."""
    function = find(name, "embedding").function
    vectors, same = batch(3, rows=12)[0], torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
    together = function(vectors, same.repeat_interleave(2))
    alone = [
        function(pair, torch.tensor([0, 1 - int(kind)])) for pair, kind in zip(vectors.split(2), same, strict=True)
    ]
    if name != "contrastive":
        assert alike(together, torch.stack(alone).mean())
        return
    kinds = [[cost for cost, kind in zip(alone, same, strict=True) if kind == one and cost > 0] for one in (0, 1)]
    assert alike(together, sum(torch.stack(costs).mean() for costs in kinds))
