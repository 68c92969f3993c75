"""From finished runs to a comparison: arenas, entries, statistics. No torch here.

As a function, `losscli.compare(specs)` trains the specs and returns their comparison.
"""

from __future__ import annotations

import losscli
from losscli.shelf import callable_package

callable_package(__name__, losscli._run)
