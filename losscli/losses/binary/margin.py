"""Losses of a margin: right is not enough, it must be right by a margin; then it costs nothing."""

from __future__ import annotations

from losscli.lazy import Tensor, torch
from losscli.losses import Positive, loss
from losscli.losses.finite import finite_exp, widened

STEEPEST = 20.0  # where the exponential loss goes on as a line: e^20 = 5e8 is the steepest slope that it has


@loss("binary", "scores", "0 or 1", aliases=("svm", "binary:hinge"))
def hinge(prediction: Tensor, target: Tensor, *, margin: Positive = 1.0) -> Tensor:
    """Hinge: linear in how far a score falls short of the margin, zero beyond it. Gives no probabilities.

    Use: a decision only, as from a linear support vector machine.
    Avoid: probabilities, or ranking among rows beyond the margin.

    Domain: any score; target 0 or 1, mapped to -1 and +1.
    Shapes: prediction and target [...] -> [...].

    Formula: L = max(0, margin - s x).

    Source: Cortes and Vapnik 1995, Support-Vector Networks.

    Kin: its square is squared-hinge; the limit of soft-margin(k x) / k for large k is hinge with margin 0.

    Elsewhere: Keras Hinge; scikit-learn SGDClassifier(loss="hinge"); XGBoost binary:hinge.

    >>> hinge(torch.tensor(0.25), torch.tensor(1.0)).item()  # 1 - 0.25
    0.75
    """
    return torch.relu(margin - (2 * target - 1) * prediction)


@loss("binary", "scores", "0 or 1", aliases=("l2-hinge",))
def squared_hinge(prediction: Tensor, target: Tensor, *, margin: Positive = 1.0) -> Tensor:
    """Squared hinge: quadratic in how far a score falls short of the margin, zero beyond it.

    Use: a decision with a smooth loss.
    Avoid: outliers on the wrong side: they count by their square.

    Domain: any score; target 0 or 1, mapped to -1 and +1.
    Shapes: prediction and target [...] -> [...].

    Formula: L = max(0, margin - s x)^2.

    Source: Rennie and Srebro 2005, Loss Functions for Preference Levels; LIBLINEAR's L2-loss SVM.

    Kin: the square of hinge.

    Elsewhere: Keras SquaredHinge; scikit-learn LinearSVC(loss="squared_hinge").

    >>> squared_hinge(torch.tensor(-1.0), torch.tensor(1.0)).item()  # (1 + 1)^2
    4.0
    """
    return hinge(widened(prediction), target, margin=margin).square()


@loss("binary", "scores", "0 or 1", aliases=("sparsemax",))
def modified_huber(prediction: Tensor, target: Tensor) -> Tensor:
    """Modified Huber: squared hinge near the margin, linear far on the wrong side, so that outliers pull less.

    Use: a decision as with squared-hinge, where some rows are far on the wrong side.
    Avoid: labels that are often wrong: the cost still grows without end.

    Domain: any score; target 0 or 1, mapped to -1 and +1.
    Shapes: prediction and target [...] -> [...].

    Formula: L = max(0, 1 - s x)^2 for s x >= -1, -4 s x beyond.

    Source: Zhang 2004, Statistical Behavior and Consistency of Classification Methods Based on Convex Risk
    Minimization; scikit-learn's SGDClassifier(loss="modified_huber").

    Kin: equals squared-hinge where s x >= -1, and lies below it elsewhere.

    Elsewhere: scikit-learn SGDClassifier(loss="modified_huber").

    >>> modified_huber(torch.tensor([-0.5, -3.0]), torch.tensor([1.0, 1.0])).tolist()  # (1 + 0.5)^2, 4 * 3
    [2.25, 12.0]
    """
    signed = (2 * target - 1) * prediction
    return torch.relu(1 - signed.clamp(min=-1)).square() + 4 * torch.relu(-1 - signed)


@loss("binary", "scores", "0 or 1")
def perceptron(prediction: Tensor, target: Tensor) -> Tensor:
    """Perceptron: linear in how far a score is on the wrong side; right is enough. A model of zeros costs nothing.

    Use: a linear rule on classes that can be separated.
    Avoid: classes that overlap; a score near 0 is cheap whatever the row.

    Domain: any score; target 0 or 1, mapped to -1 and +1.
    Shapes: prediction and target [...] -> [...].

    Formula: L = max(0, -s x).

    Source: Rosenblatt 1958, The Perceptron; scikit-learn's Perceptron.

    Kin: the limit of hinge for a margin that goes to 0, and of soft-margin(k x) / k for large k.

    Elsewhere: scikit-learn SGDClassifier(loss="perceptron").

    >>> perceptron(torch.tensor([-0.5, 2.0]), torch.tensor([1.0, 1.0])).tolist()
    [0.5, 0.0]
    """
    return torch.relu((1 - 2 * target) * prediction)


@loss("binary", "scores", "0 or 1", aliases=("adaboost",))
def exponential(prediction: Tensor, target: Tensor) -> Tensor:
    """Exponential: AdaBoost's loss. A confident mistake costs more than anything else, and so does a wrong label.

    Use: clean labels, and a comparison with boosting.
    Avoid: labels that are sometimes wrong: one of them can outweigh all other rows.

    Domain: any score; target 0 or 1, mapped to -1 and +1. Beyond s x = -20 it goes on as its tangent, so that it stays
    finite with a slope that an optimizer can still square.
    Shapes: prediction and target [...] -> [...].

    Formula: L = exp(-s x) for s x >= -20, e^20 (1 - 20 - s x) beyond.

    Source: Freund and Schapire 1997, A Decision-Theoretic Generalization of On-Line Learning; Friedman, Hastie and
    Tibshirani 2000, Additive Logistic Regression; scikit-learn's ExponentialLoss. The best score is half of the logit.

    Kin: soft-margin = log(1 + exponential).

    Elsewhere: scikit-learn GradientBoostingClassifier(loss="exponential").

    >>> exponential(torch.tensor([0.0, -21.0]), torch.tensor([1.0, 1.0])).tolist()  # 1, 2 e^20
    [1.0, 970330368.0]
    """
    # Plain: exp(-s x), which is infinite from s x = -89 in float32.
    return finite_exp((1 - 2 * target) * widened(prediction), STEEPEST)
