"""What a spec can do wrong: an activation before the loss that it does not want, and options that work against each other."""

from __future__ import annotations

from losscli.demonstrations.compared import compared
from losscli.diagnose.floors import relu_before_sigmoid, sigmoid_twice, squashed

SQUASHED = "ln(1 + (K-1)/e)", lambda shares: squashed(len(shares))

compared(
    "softmax-before-cross-entropy",
    "multiclass",
    "digits",
    "cross-entropy",
    "{name: cross-entropy, output: softmax}",
    "accuracy",
    floor=SQUASHED,
)
compared(
    "sigmoid-before-cross-entropy",
    "multiclass",
    "digits",
    "cross-entropy",
    "{name: cross-entropy, output: sigmoid}",
    "accuracy",
    floor=SQUASHED,
)
compared(
    "sigmoid-before-bce-with-logits",
    "binary",
    "breast_cancer",
    "bce-logits",
    "{name: bce-logits, output: sigmoid}",
    "log-loss",
    epochs=40,
    floor=("0.3133 p + 0.6931 (1-p)", lambda shares: sigmoid_twice(shares[1])),
)
compared(
    "softmax-before-nll",
    "multiclass",
    "digits",
    "nll",
    "{name: nll, output: softmax}",
    "log-loss",
    floor=("minus a probability", lambda shares: -1.0),
)
compared("logits-into-nll", "multiclass", "digits", "nll", "{name: nll, output: none}", "accuracy")
compared("logits-into-bce", "binary", "breast_cancer", "bce", "{name: bce, output: none}", "log-loss", epochs=40)
compared(
    "relu-before-logits",
    "binary",
    "breast_cancer",
    "bce",
    "{name: bce, output: [relu, sigmoid]}",
    "log-loss",
    epochs=40,
    floor=("(1-p) ln 2", lambda shares: relu_before_sigmoid(shares[1])),
)
compared(
    "log-softmax-before-cross-entropy",
    "multiclass",
    "digits",
    "cross-entropy",
    "{name: cross-entropy, output: log-softmax}",
    "accuracy",
)
compared(
    "bounded-scores",
    "multiclass",
    "digits",
    "cross-entropy",
    "{name: cross-entropy, output: tanh}",
    "log-loss",
    floor=("ln(1 + (K-1)/e^2)", lambda shares: squashed(len(shares), 2.0)),
)
compared(
    "softmax-over-labels",
    "multilabel",
    "multilabel_classification",
    "bce-logits",
    "{name: bce-logits, output: softmax}",
    "macro-f1",
)
compared("bounded-values", "regression", "regression", "mse", "{name: mse, output: tanh}", "rmse", epochs=20)
compared(
    "focal-alpha-lowers-the-rare-class",
    "binary",
    "classification",
    "focal",
    "{name: focal, alpha: 0.25}",
    "recall",
    epochs=20,
    settings=("data.weights=[0.9]", "data.class_sep=0.6"),
)
compared(
    "weights-against-smoothing",
    "binary",
    "breast_cancer",
    "{name: bce-logits, pos_weight: 99, label_smoothing: 0}",
    "{name: bce-logits, pos_weight: 99, label_smoothing: 0.1}",
    "log-loss",
    epochs=40,
)
