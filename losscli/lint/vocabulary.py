"""Words of torch: which function, method or layer does what. One table each; what is in none is unknown."""

from __future__ import annotations

from losscli.rules.contract import BY_CLASS, BY_FUNCTION


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


# Functions and methods of one tensor -> operation.
OPERATIONS = {
    "relu": "relu",
    "relu_": "relu",
    "relu6": "relu",
    "sigmoid": "sigmoid",
    "sigmoid_": "sigmoid",
    "expit": "sigmoid",
    "logsigmoid": "log-sigmoid",
    "softmax": "softmax",
    "log_softmax": "log-softmax",
    "softplus": "softplus",
    "tanh": "tanh",
    "tanh_": "tanh",
    "exp": "exp",
    "exp_": "exp",
    "log": "log",
    "log_": "log",
    "sqrt": "sqrt",
    "sqrt_": "sqrt",
    "abs": "abs",
    "neg": "neg",
    "negative": "neg",
    "square": "square",
    "clamp": "clamp",
    "clamp_": "clamp",
    "clip": "clamp",
    "clamp_min": "clamp",
    "clamp_max": "clamp",
    "round": "step",
    "floor": "step",
    "ceil": "step",
    "sign": "step",
    "trunc": "step",
    "heaviside": "step",
    "argmax": "step",
    "argmin": "step",
    "argsort": "step",
    "gt": "step",
    "lt": "step",
    "ge": "step",
    "le": "step",
    "eq": "step",
    "ne": "step",
    "long": "step",
    "int": "step",
    "bool": "step",
    "byte": "step",
    "item": "item",
    "tolist": "item",
    "numpy": "item",
    "detach": "detach",
    "detach_": "detach",
    "mean": "mean",
    "sum": "sum",
    "norm": "norm",
}
# What changes neither the values nor what they mean.
VIEWS = words(
    "view reshape squeeze unsqueeze flatten permute transpose contiguous float double half bfloat16 to cuda cpu type type_as "
    "expand expand_as clone dropout dropout2d t movedim swapaxes narrow index_select gather masked_select unflatten ravel "
    "requires_grad_ retain_grad view_as reshape_as pin_memory"
)
OTHER_ACTIVATIONS = words("leaky_relu elu gelu silu selu celu mish hardswish hardtanh prelu hardsigmoid glu")
CREATIONS = words(
    "randn rand randint zeros ones full empty tensor arange linspace zeros_like ones_like rand_like randn_like full_like eye "
    "as_tensor from_numpy bernoulli randperm normal"
)
BINARY = {
    "add": "add",
    "sub": "sub",
    "subtract": "sub",
    "mul": "mul",
    "multiply": "mul",
    "div": "div",
    "divide": "div",
    "true_divide": "div",
    "pow": "pow",
    "matmul": "matmul",
    "mm": "matmul",
    "bmm": "matmul",
}

# Classes of torch.nn -> operation.
LAYERS = {
    **dict.fromkeys(
        ("Linear", "LazyLinear", "Bilinear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d"),
        "linear",
    ),
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm", "GroupNorm"), "linear"),
    "ReLU": "relu",
    "ReLU6": "relu",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "Softmax2d": "softmax",
    "LogSoftmax": "log-softmax",
    "LogSigmoid": "log-sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    **dict.fromkeys(("Identity", "Dropout", "Dropout1d", "Dropout2d", "Flatten", "Unflatten"), "view"),
    **dict.fromkeys(
        ("LeakyReLU", "ELU", "GELU", "SiLU", "SELU", "CELU", "Mish", "Hardswish", "Hardtanh", "PReLU", "Embedding"),
        "other",
    ),
    **dict.fromkeys(
        ("MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d", "AdaptiveAvgPool1d", "AdaptiveAvgPool2d"), "other"
    ),
}
PARAMETRIC = words(
    "Linear LazyLinear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d BatchNorm1d BatchNorm2d BatchNorm3d "
    "LayerNorm GroupNorm PReLU Embedding LSTM GRU RNN MultiheadAttention"
)
OPTIMIZERS = words(
    "SGD Adam AdamW Adamax NAdam RAdam Adagrad Adadelta RMSprop Rprop ASGD LBFGS SparseAdam Adafactor Muon LAMB Lion"
)
SAME_MODULE = words(
    "to cuda cpu half float double bfloat16 train eval requires_grad_ apply share_memory type compile to_empty"
)
WRAPPERS = words("DataParallel DistributedDataParallel FullyShardedDataParallel compile DDP FSDP OptimizedModule")
CONTAINERS = frozenset(("Sequential", "ModuleList", "ModuleDict"))
NO_GRAD = frozenset(
    ("torch.no_grad", "torch.inference_mode", "torch.autograd.no_grad", "torch.autograd.grad_mode.no_grad")
)
# Names that texts use without saying where from, as cells of a notebook and answers in a forum do.
USUAL = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional", "optim": "torch.optim"}
HEADS = ("fc", "classifier", "head", "heads")  # what the last layer of a model zoo's network is called

ACTIVATIONS = frozenset(
    ("relu", "sigmoid", "softmax", "log-softmax", "log-sigmoid", "tanh", "softplus", "exp", "clamp")
)


def is_torch(dotted: str) -> bool:
    """Whether a full name is torch's.

    >>> is_torch("torch.nn.functional.softmax"), is_torch("torchvision.models.resnet18")
    (True, False)
    """
    return dotted == "torch" or dotted.startswith("torch.")


def is_optimizer(dotted: str) -> bool:
    """Whether a full name is that of an optimizer's class.

    >>> is_optimizer("torch.optim.AdamW"), is_optimizer("torch.optim.lr_scheduler.StepLR")
    (True, False)
    """
    head, _, last = dotted.rpartition(".")
    return last in OPTIMIZERS and "lr_scheduler" not in head and bool(head)


def loss_class(dotted: str) -> str:
    """The class of torch's loss that a full name means; empty if none."""
    head, _, last = dotted.rpartition(".")
    return last if head.startswith("torch.nn") and last in BY_CLASS else ""


def loss_function(dotted: str) -> str:
    """The function of torch's loss that a full name means; empty if none."""
    head, _, last = dotted.rpartition(".")
    return last if head.startswith("torch") and last in BY_FUNCTION else ""


def is_word(name: str) -> bool:
    """Whether a name that nobody set may come from `from torch.nn import *` or its like."""
    tables = (LAYERS, CONTAINERS, PARAMETRIC, BY_CLASS, BY_FUNCTION, OPERATIONS, CREATIONS)
    return any(name in table for table in tables)
