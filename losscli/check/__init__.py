"""Check: misuse of losses seen while the user's own code runs.

A script runs as it would; torch's losses, optimizers and gradients are watched meanwhile (watch, trace), what stands before a
loss is read off the graph of autograd (graph, loss_calls, patterns), the order of a training loop off the gradients (loop,
optimizers). The rules, and the contract that a call is held against, are those of `losscli/rules/`, the same as for lint.

As a function, `losscli.check(model, loss, batch)` looks at one step of a model.
"""

from __future__ import annotations

import losscli
from losscli.shelf import callable_package

callable_package(__name__, losscli._check)
