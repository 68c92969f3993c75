"""Whether two runs say the same of the test rows, told from little: losses that are one loss under two names are found so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

ROWS = 1000  # rows, spread evenly over the test split, whose numbers are kept
CLOSE = 1e-4  # of the spread of the numbers: what rounding makes of equal formulas over a training


@dataclass(frozen=True)
class Fingerprint:
    """`decisions` is a digest of every decision (empty where there are none, as in regression); `numbers` float64 [n, m] are
    the probabilities, scores or values of up to 1,000 rows.
    """

    decisions: bytes
    numbers: np.ndarray

    def state(self) -> dict[str, Any]:
        """In words and arrays."""
        return {"decisions": self.decisions.hex(), "numbers": self.numbers}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Fingerprint:
        """The fingerprint of which this is the `state`."""
        return cls(bytes.fromhex(state["decisions"]), state["numbers"])

    def matches(self, other: Fingerprint) -> bool:
        """Whether the predictions are equal, but for what rounding makes of two ways to write one formula.

        >>> import numpy as np
        >>> one, other = Fingerprint(b"", np.array([[0.1], [0.9]])), Fingerprint(b"", np.array([[0.1], [0.8]]))
        >>> one.matches(one), one.matches(other)
        (True, False)
        """
        import numpy as np

        if self.decisions != other.decisions or self.numbers.shape != other.numbers.shape:
            return False
        spread = float(self.numbers.std()) if self.numbers.size else 0.0
        return bool(np.allclose(self.numbers, other.numbers, rtol=1e-6, atol=CLOSE * spread))


def fingerprint(decisions: np.ndarray | None, numbers: np.ndarray) -> Fingerprint:
    """Of all rows: decisions [N, ...] or None, and numbers [N] or [N, m].

    >>> import numpy as np
    >>> fingerprint(np.array([0, 1]), np.array([0.1, 0.9])).matches(fingerprint(np.array([0, 0]), np.array([0.1, 0.9])))
    False
    """
    import hashlib

    import numpy as np

    digest = (
        b"" if decisions is None else hashlib.sha256(np.ascontiguousarray(decisions, np.float32).tobytes()).digest()
    )
    wide = numbers.reshape(len(numbers), -1)
    at = np.unique(np.linspace(0, len(wide) - 1, min(ROWS, len(wide))).round().astype(int))
    return Fingerprint(digest, np.array(wide[at], np.float64))
