"""The plain distances: squared, whose best answer is the mean, and absolute, whose best answer is the median."""

from __future__ import annotations

from losscli.lazy import Tensor, torch  # noqa: F401  (the examples use torch)
from losscli.losses import NonNegative, Positive, loss
from losscli.losses.finite import difference


@loss(
    "regression",
    "values",
    "any number",
    aliases=(
        "l2",
        "MeanSquaredError",
        "squared-error",
        "ls",
        "regression",
        "regression-l2",
        "least-squares",
        "squared",
        "reg:squarederror",
        "reg:linear",
    ),
)
def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Squared error: aims at the mean; one row that is ten times farther off counts a hundred times.

    Use: the mean, and targets without heavy tails; the first choice.
    Avoid: outliers: one row may decide the fit.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = (x - y)^2.

    Elicits: mean.

    Source: Legendre 1805 (least squares); torch.nn.MSELoss. scikit-learn halves it.

    Kin: twice huber with delta to infinity; twice expectile with tau 1/2.

    Elsewhere: torch MSELoss; Keras MeanSquaredError; scikit-learn
    HistGradientBoostingRegressor(loss="squared_error"); LightGBM regression; XGBoost reg:squarederror.

    >>> mse(torch.tensor(3.0), torch.tensor(1.0)).item()
    4.0
    """
    return difference(prediction, target).square()


@loss(
    "regression",
    "values",
    "any number",
    aliases=(
        "l1",
        "MeanAbsoluteError",
        "absolute-error",
        "regression-l1",
        "least-absolute-deviation",
        "lad",
        "reg:absoluteerror",
    ),
)
def mae(prediction: Tensor, target: Tensor) -> Tensor:
    """Absolute error: aims at the median; outliers count no more than their distance.

    Use: the median, and targets with outliers.
    Avoid: a sum or a mean that must come out right: of skewed targets the median is another number.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = |x - y|.

    Elicits: median.

    Source: torch.nn.L1Loss; Koenker and Bassett 1978 (least absolute deviations).

    Kin: twice quantile with tau 1/2; smooth-l1 with beta to 0; epsilon-insensitive with epsilon 0.

    Elsewhere: torch L1Loss; Keras MeanAbsoluteError; scikit-learn
    HistGradientBoostingRegressor(loss="absolute_error"); LightGBM regression_l1; XGBoost reg:absoluteerror.

    >>> mae(torch.tensor(3.0), torch.tensor(1.0)).item()
    2.0
    """
    return difference(prediction, target).abs()


@loss("regression", "values", "any number", over_batch=True, aliases=("root-mean-squared-error", "l2-root"))
def rmse(prediction: Tensor, target: Tensor, *, eps: Positive = 1e-8) -> Tensor:
    """Root mean squared error of a batch: the mean as with mse, and steps that shrink less as the error shrinks.

    Use: a squared error whose value is in the units of the target.
    Avoid: outliers; very small batches, whose roots say little of the whole.

    Domain: any number.
    Shapes: prediction and target [..., B] -> [...]; the root of a batch is not the mean of the roots of its halves.

    Formula: L = sqrt(mean over B of (x - y)^2 + eps); without eps the gradient at a perfect fit is 0 / 0.

    Elicits: mean.

    Source: the square root of least squares, Legendre 1805; torch has none, as sqrt(MSELoss) gives NaN at 0.

    Kin: the square root of the mean of mse, with eps to 0.

    >>> round(rmse(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0])).item(), 4)  # sqrt((9 + 16) / 2)
    3.5355
    """
    # eps is added to each sample, where an option per run [R, 1] fits; the mean of the sum is the same.
    return (difference(prediction, target).square() + eps).mean(-1).sqrt()


@loss("regression", "values", "any number", aliases=("svr",))
def epsilon_insensitive(prediction: Tensor, target: Tensor, *, epsilon: NonNegative = 0.1) -> Tensor:
    """Epsilon-insensitive: the absolute error beyond a tube of half-width epsilon, nothing within.

    Use: errors that are harmless up to a known size.
    Avoid: an epsilon as large as the target's spread: nothing is learnt.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = max(0, r - epsilon).

    Elicits: M-estimate; as many targets lie above the tube as below it.

    Source: Vapnik 1995, The Nature of Statistical Learning Theory; sklearn.svm.SVR.

    Kin: epsilon 0 is mae.

    Elsewhere: scikit-learn SGDRegressor(loss="epsilon_insensitive").

    >>> epsilon_insensitive(torch.tensor([0.25, 3.0]), torch.zeros(2), epsilon=0.5).tolist()
    [0.0, 2.5]
    """
    return (difference(prediction, target).abs() - epsilon).clamp(min=0)
