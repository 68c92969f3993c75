"""Small shapes in the graph that are wrong wherever they stand: logarithms, roots and powers, means of bounded scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from losscli.check.graph import CALL, Node, before, facts, inputs, kind, operation, shape, stem, through_views
from losscli.check.loss_calls import LossCall, made_at
from losscli.check.sites import Site

# The rule's name, its place if that is known, particulars, other lines.
Wrong = tuple[str, Site | None, str, list[tuple[Site | None, str]]]


def wrong_nodes(nodes: Sequence[Node]) -> Iterator[Wrong]:
    """The rules that single nodes break, each with what stands right before it."""
    for node in nodes:
        rule = RULES.get(stem(node.name()))
        if rule is not None:
            yield from rule(node)


def site_of(node: Node) -> Site | None:
    """The line that a node was made at."""
    noted = operation(node)
    return None if noted is None else noted.site


def _logarithm(node: Node) -> Iterator[Wrong]:
    """log(softmax(x)), log(sigmoid(x)), log(1 - sigmoid(x))."""
    inner = through_views(before(node))
    if inner is not None and stem(inner.name()) in ("Rsub", "Sub") and _from_one(inner):
        inner = through_views(before(inner))
        if inner is not None and kind(inner) != "sigmoid":
            return
    if inner is not None and kind(inner) in ("softmax", "sigmoid"):
        yield f"log-of-{kind(inner)}", site_of(node), "", [(made_at(inner), f"the {kind(inner)} is taken here")]


def _log_sigmoid(node: Node) -> Iterator[Wrong]:
    """logsigmoid(sigmoid(x)), whatever its sign: a loss by hand on raw scores that gets probabilities."""
    inner = through_views(before(node))
    while inner is not None and stem(inner.name()) in ("Neg", "Mul"):  # by a target of -1 or 1
        inner = through_views(before(inner))
    if inner is not None and kind(inner) == "sigmoid":
        name = "sigmoid-before-bce-with-logits"
        yield name, site_of(node), "", [(made_at(inner), "the sigmoid is applied here")]


def _from_one(node: Node) -> bool:
    """Whether a node is 1 - x, as far as is known."""
    noted = operation(node)
    return noted is None or noted.number in (1, None)


def _root(node: Node) -> Iterator[Wrong]:
    """The root of a squared difference, without a small number added."""
    if stem(node.name()) == "Pow" and getattr(node, "_saved_exponent", None) != 0.5:
        yield from _focus(node)
        return
    value = through_views(before(node))
    while value is not None and stem(value.name()) in ("Mean", "Sum"):
        value = through_views(before(value))
    if value is None:
        return
    call = facts(value).get(CALL)
    squared = isinstance(call, LossCall) and call.loss.kind == "MSELoss"
    if not squared and stem(value.name()) == "Pow" and getattr(value, "_saved_exponent", None) == 2:
        inner = through_views(before(value)) or (inputs(value) or [None])[0]
        squared = inner is not None and stem(inner.name()) == "Sub" and _of_two(inner)
    if squared or stem(value.name()) == "MseLoss":
        yield "sqrt-without-eps", site_of(node), "", [(site_of(value), "this may become 0")]


def _of_two(node: Node) -> bool:
    """Whether a difference is that of two tensors, not of a tensor and a number."""
    noted = operation(node)
    return noted is not None and noted.shapes is not None


def _focus(node: Node) -> Iterator[Wrong]:
    """(1 - exp(-mean loss)) ** gamma; (norm of all gradients - 1) ** 2."""
    base = before(node)
    norm = before(base) if base is not None and stem(base.name()) == "Sub" else None
    if norm is not None and stem(norm.name()) in ("LinalgVectorNorm", "Norm") and shape(norm) == ():
        made = through_views(before(norm))
        noted = operation(made)
        if noted is not None and noted.name == "grad" and shape(made)[:1] > (1,):
            yield "gradient-penalty-norm", site_of(node), "", [(site_of(norm), "the norm is taken here")]
    if base is None or stem(base.name()) not in ("Rsub", "Sub") or not _from_one(base):
        return
    exp = before(base)
    turned = before(exp) if exp is not None and kind(exp) == "exp" else None
    loss = before(turned) if turned is not None and stem(turned.name()) == "Neg" else None
    call = None if loss is None else facts(loss).get(CALL)
    if isinstance(call, LossCall) and call.reduction == "mean" and call.rows > 1:
        yield "focal-on-mean", site_of(node), "", [(call.site, "the loss is averaged here")]


def _difference(node: Node) -> Iterator[Wrong]:
    """(N, 1) that met (N,); the difference of two means of bounded scores."""
    noted = operation(node)
    if (
        noted is not None
        and noted.shapes is not None
        and _spread(*noted.shapes)
        and noted.learned[0] != noted.learned[1]
    ):
        yield "broadcast-n1-n", noted.site, "{} and {}".format(*noted.shapes), []
    signs = [_mean_of_bounded(item) for item in inputs(node)]
    if len(signs) != 2:
        return
    one_sign, other_sign = signs
    if one_sign is None or other_sign is None:
        return
    opposite = one_sign[0] != (other_sign[0] if stem(node.name()) == "Add" else -other_sign[0])
    places = [made_at(item[1]) for item in (one_sign, other_sign)]
    if opposite and places[0] is not None and places[0] == places[1]:
        yield "wgan-critic-bounded", site_of(node), "", [(places[0], f"the {kind(one_sign[1])} is applied here")]


def _spread(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether (N, 1) meets (N,)."""
    if {len(one), len(other)} != {1, 2}:
        return False
    column, row = (one, other) if len(one) == 2 else (other, one)
    return column[1] == 1 and column[0] == row[0] > 1


def _mean_of_bounded(node: Node | None) -> tuple[int, Node] | None:
    """The sign of a mean of bounded scores, and the activation that bounds them."""
    sign, mean = 1, False
    while node is not None and stem(node.name()) in ("Neg", "Mean", "View", "Squeeze"):
        sign = -sign if stem(node.name()) == "Neg" else sign
        mean = mean or stem(node.name()) == "Mean"
        node = before(node)
    return (sign, node) if mean and node is not None and kind(node) in ("sigmoid", "tanh") else None


RULES = {
    "Log": _logarithm,
    "LogSigmoid": _log_sigmoid,
    "Sqrt": _root,
    "Pow": _root,
    "Sub": _difference,
    "Add": _difference,
}
