"""Where and by how many workers a command trains: what flags say of it. No torch, so that the CLI can import it at once."""

from __future__ import annotations

from dataclasses import dataclass

TIMEOUT = 600.0
PATIENCE = 5.0  # seconds in which such a step must end after a stop; twice the longest before it, if that is more
LOCAL = "local"


@dataclass(frozen=True)
class Execution:
    """`workers` None: as many as there are cores for. `timeout` is of one step of a loss of the user's own, in seconds."""

    executor: str = LOCAL
    workers: int | None = 1
    timeout: float = TIMEOUT
    address: str | None = None  # of a cluster
