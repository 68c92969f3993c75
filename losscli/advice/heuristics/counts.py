"""Rules for the zeros of counts: more of them than the counts beyond explain."""

from __future__ import annotations

from losscli.advice.heuristics import Advice, Pick, heuristic, percent
from losscli.advice.profile import Profile

BROEK = "van den Broek 1995, A score test for zero inflation in a Poisson distribution"
SURE = 3.0  # standard errors of the score
INFLATED = "zero-inflated"
FEW = 0.02  # certain zeros that are worth a model of their own


@heuristic("regression")
def excess_zeros(profile: Profile) -> Advice | None:
    """More zeros than Poisson expects: a second process, or only a wider spread; said which of the two explains them."""
    measured = profile.zeros
    if measured is None or measured.z < SURE or measured.share <= measured.poisson:
        return None
    reason = (
        f"{percent(measured.share)} zeros, where a Poisson regression expects {percent(measured.poisson)} (score test: "
        f"{measured.z:.1f} standard errors) and a negative binomial one {percent(measured.negative_binomial)}"
    )
    if not measured.best.startswith(INFLATED) or measured.certain < FEW:
        wider = "a wider spread explains them: no second process is needed"
        spread = profile.dispersion.alpha if profile.dispersion and profile.dispersion.alpha > 0 else measured.alpha
        return Advice(f"{reason}; {wider}", [Pick("negative-binomial-nll", _alpha(spread))], BROEK)
    by = "counts that vary more than Poisson's" if measured.alpha is not None else "Poisson's counts"
    detail = f"{reason}; {percent(measured.certain)} of the rows being always 0, beside {by}, fits best (BIC)"
    note = (
        "a hurdle asks first whether there is any, then how many; where zeros are many it fits as well as a zero-inflated loss: "
        "choose by whether a zero can also happen by chance. Both learn the mean and the share of zeros"
    )
    hurdle = "hurdle-negative-binomial-nll" if measured.alpha is not None else "hurdle-poisson-nll"
    picks = [Pick(measured.best, _alpha(measured.alpha)), Pick(hurdle, _alpha(measured.alpha))]
    return Advice(detail, picks, BROEK, note)


def _alpha(alpha: float | None) -> dict[str, float]:
    return {} if alpha is None else {"alpha": float(f"{alpha:.2g}")}
