"""Frameworks that call the loss themselves: skorch; and the methods that others call: Lightning's, Hugging Face's."""

from __future__ import annotations

import ast

from losscli.lint.calls import Arguments, call
from losscli.lint.chains import chain
from losscli.lint.machine import Machine
from losscli.lint.values import UNKNOWN, Class, Criterion, Instance, Layer, Name, Unknown, Value
from losscli.lint.vocabulary import loss_class
from losscli.rules.contract import BY_CLASS

DEFAULTS = {
    "NeuralNetClassifier": "NLLLoss",
    "NeuralNetBinaryClassifier": "BCEWithLogitsLoss",
    "NeuralNetRegressor": "MSELoss",
}
# Methods whose result a framework calls backward() on.
TRAINED = ("training_step", "compute_loss")


def skorch(m: Machine, kind: str, given: Arguments, node: ast.Call) -> Value:
    """skorch.NeuralNet...(module, criterion): the module's output meets the criterion.

    For NLLLoss skorch takes the logarithm itself, so that a softmax before it is right:
    https://skorch.readthedocs.io/en/stable/user/neuralnet.html#criterion
    """
    module = given.get(0, "module") or UNKNOWN
    criterion = given.get(1, "criterion")
    name = DEFAULTS.get(kind, "")
    if criterion is not None:
        dotted = criterion.dotted if isinstance(criterion, Name) else ""
        name = criterion.loss.kind if isinstance(criterion, Criterion) else loss_class(dotted)
    if name not in BY_CLASS:
        return Unknown("net")
    if isinstance(module, (Class, Name)):
        module = call(m, module, Arguments(), node)
    if not isinstance(module, (Instance, Layer)):
        return Unknown("net")
    output = call(m, module, Arguments([Unknown("X")]), node)
    if name == "NLLLoss":
        last = chain(output).names[-1:]
        if last == ["linear"]:
            m.emit("logits-into-nll", m.site(node), "skorch takes their logarithm")
        return Unknown("net")
    from losscli.lint.loss_calls import judge

    judge(m, BY_CLASS[name], {}, Arguments([output, Unknown("y")]), node)
    return Unknown("net")
