"""What tasks that learn a target from a table train by: until the valid split has nothing more to gain.

Chosen with `tests/benchmarks/defaults.py`. The decay is AdamW's, which pulls at weights alike whatever a loss is multiplied by:
Adam's, added to the gradients, would pull harder at a loss whose gradients are small.
"""

from __future__ import annotations

from losscli.options import Strict


class SettledPlan(Strict):
    """Other defaults of the common keys; a task with other needs has a plan of its own."""

    epochs: str = "auto"
    optimizer: str = "adamw"
    lr: float = 2e-3
    weight_decay: str = "auto"
    patience: str = "auto"
